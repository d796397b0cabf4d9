"""What Airship clients do (airship-wallet-v1). A 404 to who removes something says that it is not there, as wanted."""

from __future__ import annotations

from tests.chaos.actor import POINTS, Actor
from tests.chaos.cards import Card
from tests.chaos.contract import Answer
from tests.chaos.journal import Kind, Operation, Outcome

TICKET_STATUSES = ("PREQUED", "QUEUED", "COMPLETED", "FAILED")
"""of a ticket that was accepted, and which nobody has aborted"""

MOST_CARDS = 400
"""passes of one project, beyond which no more are created"""


def create(actor: Actor) -> None:
    """A pass with an external id, tags and a value."""
    project = actor.some_project()
    if actor.deck.count(project) >= MOST_CARDS:
        read_pass(actor)
        return
    template = actor.random.randrange(len(actor.deck.projects[project].templates))
    names = {actor.some_tag(project) for _ in range(actor.random.choice((0, 1, 1, 2)))}
    create_card(actor, project=project, template=template, tags=tuple(sorted(names)))


def create_card(actor: Actor, *, project: int, template: int, tags: tuple[str, ...]) -> None:
    """The same, with what is to be."""
    with actor.begin(Kind.CREATE, project=project, template=template, tags=tags) as operation:
        operation.card = f"card-{operation.number}"
        operation.values = {POINTS: str(operation.number)}
        body = {
            "externalId": operation.card,
            "tags": list(tags),
            "fields": {POINTS: {"value": operation.values[POINTS]}},
        }
        template_id = actor.template_of(operation).template_id
        answer = actor.ask_airship(operation, "POST", f"/v1/pass/{template_id}", body)
        if answer.status == 400 and any(each.is_open for each in operation.tries):
            # an earlier try took effect, and its answer was lost
            answer = actor.ask_airship(operation, "GET", f"/v1/pass/template/{template_id}/id/{operation.card}")
        if actor.settle(operation, answer, done=(200,), refused=()):
            pass_id = int(answer.document["id"])
            actor.deck.add(Card(operation.card, project=project, template=template, pass_id=pass_id))


def delete(actor: Actor) -> None:
    """A pass goes."""
    card = actor.some_card()
    if card is None:
        return
    with actor.begin(Kind.DELETE, **actor.about(card)) as operation:
        answer = actor.ask_airship(operation, "DELETE", f"/v1/pass/{card.pass_id}")
        _settle_removal(actor, operation, answer)
        actor.deck.drop(card)


def tag(actor: Actor) -> None:
    """Tags for a pass."""
    card = actor.some_card()
    if card is None:
        return
    names = tuple(sorted({actor.some_tag(card.project) for _ in range(actor.random.choice((1, 1, 2, 3)))}))
    with actor.begin(Kind.TAG, tags=names, **actor.about(card)) as operation:
        answer = actor.ask_airship(operation, "PUT", f"/v1/pass/{card.pass_id}/tags", {"tags": list(names)})
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            operation.seen = answer.document["newTags"]


def untag(actor: Actor) -> None:
    """A tag off a pass."""
    card = actor.some_card()
    if card is None:
        return
    name = actor.some_tag(card.project)
    with actor.begin(Kind.UNTAG, tags=(name,), **actor.about(card)) as operation:
        answer = actor.ask_airship(operation, "DELETE", f"/v1/tag/{name}/pass/{card.pass_id}")
        _settle_removal(actor, operation, answer)


def clear_tag(actor: Actor) -> None:
    """A tag off all passes."""
    _remove_tag(actor, Kind.CLEAR_TAG, "/passes")


def delete_tag(actor: Actor) -> None:
    """A tag off all passes, and away."""
    _remove_tag(actor, Kind.DELETE_TAG, "")


def _remove_tag(actor: Actor, kind: Kind, suffix: str) -> None:
    project = actor.some_project()
    name = actor.some_tag(project)
    with actor.begin(kind, project=project, tags=(name,)) as operation:
        answer = actor.ask_airship(operation, "DELETE", f"/v1/tag/{name}{suffix}")
        _settle_removal(actor, operation, answer)


def _settle_removal(actor: Actor, operation: Operation, answer: Answer) -> None:
    actor.settle(operation, answer, done=(200, 404), refused=())
    operation.seen = answer.status


def update(actor: Actor) -> None:
    """New values for a pass."""
    card = actor.some_card()
    if card is None:
        return
    with actor.begin(Kind.UPDATE, **actor.about(card)) as operation:
        operation.values = {name: str(operation.number) for name in actor.some_fields()}
        body = {"fields": {name: {"value": value} for name, value in operation.values.items()}}
        answer = actor.ask_airship(operation, "PUT", f"/v1/pass/{card.pass_id}", body)
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            operation.ticket = int(answer.document["ticketId"])


def bulk_update(actor: Actor) -> None:
    """New values for all passes of a tag."""
    project = actor.some_project()
    name = actor.some_tag(project)
    with actor.begin(Kind.BULK_UPDATE, project=project, tags=(name,)) as operation:
        operation.values = {name: str(operation.number) for name in actor.some_fields()}
        body = {"fields": {name: {"value": value} for name, value in operation.values.items()}}
        answer = actor.ask_airship(operation, "PUT", f"/v1/tag/{name}/passes", body)
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            operation.ticket = int(answer.document["ticketId"])


def read_tags(actor: Actor) -> None:
    """The tags of a pass."""
    card = actor.some_card()
    if card is None:
        return
    with actor.begin(Kind.READ_TAGS, **actor.about(card)) as operation:
        answer = actor.ask_airship(operation, "GET", f"/v1/pass/{card.pass_id}/tags")
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            operation.seen = sorted(each["name"] for each in answer.document["tags"])


def read_pass(actor: Actor) -> None:
    """A whole pass."""
    card = actor.some_card()
    if card is None:
        return
    with actor.begin(Kind.READ_PASS, **actor.about(card)) as operation:
        answer = actor.ask_airship(operation, "GET", f"/v1/pass/{card.pass_id}")
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            operation.seen = {name: entry["value"] for name, entry in answer.document["fields"].items()}


def list_tag(actor: Actor) -> None:
    """A page of the passes of a tag."""
    project = actor.some_project()
    name = actor.some_tag(project)
    status = actor.random.choice(("", "&status=installed", "&status=not_been_installed", "&status=been_installed"))
    page = actor.random.randint(1, 4)
    with actor.begin(Kind.LIST_TAG, project=project, tags=(name,)) as operation:
        answer = actor.ask_airship(operation, "GET", f"/v1/tag/{name}/passes?pageSize=10&page={page}{status}")
        if actor.settle(operation, answer, done=(200,), refused=(404,)):
            document = answer.document
            if len(document["passes"]) > 10 or document["count"] < 0:
                actor.complain(operation, answer)


def list_tags(actor: Actor) -> None:
    """A page of a project's tags."""
    with actor.begin(Kind.LIST_TAGS, project=actor.some_project()) as operation:
        answer = actor.ask_airship(operation, "GET", "/v1/tag?pageSize=5")
        if actor.settle(operation, answer, done=(200,), refused=()) and len(answer.document["tags"]) > 5:
            actor.complain(operation, answer)


def read_ticket(actor: Actor) -> None:
    """How far one of the latest bulk updates is."""
    recent = [each for each in actor.journal.operations[-400:] if each.kind is Kind.BULK_UPDATE and each.ticket]
    if not recent:
        return
    asked = actor.random.choice(recent)
    with actor.begin(Kind.READ_TICKET, project=asked.project) as operation:
        answer = actor.ask_airship(operation, "GET", f"/v1/ticket/{asked.ticket}")
        if not actor.settle(operation, answer, done=(200,), refused=()):
            return
        status = operation.seen = answer.document["Status"]
        if status not in TICKET_STATUSES:
            actor.complain(operation, answer)
            operation.outcome = Outcome.DONE
        if status == "COMPLETED":
            asked.completed = min(asked.completed, operation.told)
