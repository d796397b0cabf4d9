"""What Passworks clients do (passworks-v2) and what devices do (wallets, section 2)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from chalicelib.domain.identifiers import number_in
from tests.chaos.actor import CAMPAIGN_ROOT, GROUPS, OFFER, POINTS, Actor
from tests.chaos.airship_actions import MOST_CARDS
from tests.chaos.cards import Card
from tests.chaos.contract import Answer, Dialect
from tests.chaos.journal import Kind, Operation

DEVICES = 40
"""phones in all; each has many passes"""


def create_v2(actor: Actor) -> None:
    """A pass of a campaign. It has no external id, so who repeats the request may get two."""
    project = actor.some_project()
    if actor.deck.count(project) >= MOST_CARDS:
        update_v2(actor)
        return
    template = actor.random.randrange(len(actor.deck.projects[project].templates))
    with actor.begin(Kind.CREATE_V2, project=project, template=template) as operation:
        operation.card = f"card-{operation.number}"
        operation.values = {POINTS: str(operation.number)}
        answer = actor.ask_passworks(operation, "POST", "/passes", {"pass": _draft(operation)})
        if actor.settle(operation, answer, done=(201,), refused=()):
            serial_number = answer.document["id"]
            pass_id = number_in(serial_number)
            assert pass_id is not None
            actor.deck.add(
                Card(operation.card, project=project, template=template, pass_id=pass_id, serial_number=serial_number)
            )


def delete_v2(actor: Actor) -> None:
    """A pass of a campaign goes."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.DELETE_V2, **actor.about(card)) as operation:
        answer = actor.ask_passworks(operation, "DELETE", f"/passes/{card.serial_number}")
        actor.settle(operation, answer, done=(200, 412), refused=())
        operation.seen = answer.status
        actor.deck.drop(card)


def update_v2(actor: Actor) -> None:
    """New values for a pass of a campaign."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.UPDATE_V2, **actor.about(card)) as operation:
        operation.values = {name: str(operation.number) for name in actor.some_fields()}
        answer = actor.ask_passworks(operation, "PATCH", f"/passes/{card.serial_number}", {"pass": _draft(operation)})
        actor.settle(operation, answer, done=(200,), refused=(404,))


def _draft(operation: Operation) -> dict[str, Any]:
    return {GROUPS[name]: [{"key": name, "value": value}] for name, value in operation.values.items()}


def merge(actor: Actor) -> None:
    """New content for a campaign, then for all its passes. One client at a time, so that it is known which content."""
    project = actor.some_project()
    template = actor.random.randrange(len(actor.deck.projects[project].templates))
    names = actor.deck.projects[project].templates[template]
    if not names.turn.acquire(blocking=False):
        update_v2(actor)
        return
    try:
        values = _change_campaign(actor, project, template)
        if values is None:
            return
        with actor.begin(Kind.MERGE, project=project, template=template, values=values) as operation:
            answer = actor.ask_passworks(operation, "POST", "/merge")
            actor.settle(operation, answer, done=(200,), refused=())
    finally:
        names.turn.release()


def _change_campaign(actor: Actor, project: int, template: int) -> dict[str, str] | None:
    """What the campaign shows by now; None if nobody knows."""
    with actor.begin(Kind.CHANGE_CAMPAIGN, project=project, template=template) as operation:
        operation.values = {OFFER: str(operation.number)}
        answer = actor.ask_passworks(operation, "PATCH", "", {CAMPAIGN_ROOT: _draft(operation)})
        if actor.settle(operation, answer, done=(200,), refused=()):
            return dict(operation.values)
    return None


def list_registrations(actor: Actor) -> None:
    """A page of a campaign's registrations."""
    project = actor.some_project()
    template = actor.random.randrange(len(actor.deck.projects[project].templates))
    with actor.begin(Kind.LIST_REGISTRATIONS, project=project, template=template) as operation:
        answer = actor.ask_passworks(operation, "GET", "/registrations?per_page=10")
        is_total = answer.headers.get("x-total", "").isdecimal()
        if actor.settle(operation, answer, done=(200,), refused=()) and not (is_total and len(answer.document) <= 10):
            actor.complain(operation, answer)


def register(actor: Actor) -> None:
    """A device takes a pass."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.REGISTER, device=_some_device(actor), **actor.about(card)) as operation:
        answer = _ask_wallet(actor, operation, card, "POST", {"pushToken": f"token {operation.device}"})
        actor.settle(operation, answer, done=(200, 201), refused=(401,))
        operation.seen = answer.status


def unregister(actor: Actor) -> None:
    """A device gives a pass up; 401 says that the pass is gone."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.UNREGISTER, device=_some_device(actor), **actor.about(card)) as operation:
        answer = _ask_wallet(actor, operation, card, "DELETE", None)
        actor.settle(operation, answer, done=(200, 401), refused=())
        operation.seen = answer.status


def list_changes(actor: Actor) -> None:
    """A device asks for all that it has."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.LIST_CHANGES, device=_some_device(actor), project=card.project) as operation:
        path = f"/v1/devices/{operation.device}/registrations/{quote(card.pass_type, safe='')}"
        answer = actor.client.ask(operation, "GET", path, dialect=Dialect.PASSKIT, headers={})
        if actor.settle(operation, answer, done=(200, 204), refused=()):
            operation.seen = sorted(answer.document["serialNumbers"]) if answer.status == 200 else []


def fetch(actor: Actor) -> None:
    """A device fetches a pass."""
    card = _some_known_card(actor)
    if card is None:
        return
    with actor.begin(Kind.FETCH, **actor.about(card)) as operation:
        path = f"/v1/passes/{quote(card.pass_type, safe='')}/{card.serial_number}"
        headers = {"Authorization": f"ApplePass {card.token}"}
        answer = actor.client.ask(operation, "GET", path, dialect=Dialect.PASSKIT, headers=headers)
        actor.settle(operation, answer, done=(200,), refused=(401,))


def _ask_wallet(actor: Actor, operation: Operation, card: Card, method: str, body: Any) -> Answer:
    scheme = "AndroidPass" if operation.device.endswith("android") else "ApplePass"
    path = (
        f"/v1/devices/{operation.device}/registrations/{quote(card.pass_type, safe='')}"
        f"/{quote(card.serial_number, safe='')}"
    )
    headers = {"Authorization": f"{scheme} {card.token}"}
    return actor.client.ask(operation, method, path, dialect=Dialect.PASSKIT, headers=headers, body=body)


def _some_device(actor: Actor) -> str:
    number = actor.random.randrange(DEVICES)
    return f"device-{number}-{'android' if number % 3 == 0 else 'ios'}"


def _some_known_card(actor: Actor) -> Card | None:
    """A pass whose file a client has seen: it holds what a wallet proves itself with."""
    card = actor.some_card()
    if card is None:
        return None
    if not card.token:
        with actor.begin(Kind.READ_FILE, **actor.about(card)) as operation:
            answer = actor.ask_airship(operation, "GET", f"/v1/pass/{card.pass_id}/viewJSONPass")
            if actor.settle(operation, answer, done=(200,), refused=(404,)):
                document = answer.document
                card.serial_number = document["serialNumber"]
                card.pass_type = document["passTypeIdentifier"]
                card.token = document["authenticationToken"]
    return card if card.token else None
