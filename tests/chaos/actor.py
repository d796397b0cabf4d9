"""What every operation of a client needs: who it is, whom it knows, and how it asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.chaos.cards import Card, Deck, ProjectNames, TemplateNames
from tests.chaos.client import Client, GivenUp
from tests.chaos.contract import Answer, Dialect
from tests.chaos.journal import Journal, Kind, Operation, Outcome

POINTS, NOTE, OFFER = "Points", "Note", "Offer"
GROUPS = {POINTS: "primary_fields", NOTE: "secondary_fields", OFFER: "back_fields"}
"""field to its group in the other dialect"""

CAMPAIGN_TYPE = "store_cards"
CAMPAIGN_ROOT = "store_card"

Act = Callable[["Actor"], None]


@dataclass(slots=True)
class Actor:
    """One client at work."""

    number: int
    random: Random
    client: Client
    deck: Deck
    journal: Journal

    def some_project(self) -> int:
        """The position of a project."""
        return self.random.randrange(len(self.deck.projects))

    def some_card(self) -> Card | None:
        """A pass that may be there."""
        return self.deck.pick(self.random, self.some_project())

    def some_tag(self, project: int) -> str:
        """A tag that may be there."""
        return self.random.choice(self.deck.projects[project].tags)

    def some_fields(self) -> list[str]:
        """One field or two."""
        return self.random.sample((POINTS, NOTE, OFFER), self.random.choice((1, 1, 2)))

    def project_of(self, operation: Operation) -> ProjectNames:
        """The project that an operation is about."""
        return self.deck.projects[operation.project]

    def template_of(self, operation: Operation) -> TemplateNames:
        """The template that an operation is about."""
        return self.project_of(operation).templates[operation.template]

    @contextmanager
    def begin(self, kind: Kind, **about: Any) -> Iterator[Operation]:
        """Notes an operation; whoever runs out of patience in the block leaves it unknown."""
        with suppress(GivenUp):
            yield self.journal.begin(kind, client=self.number, **about)

    def about(self, card: Card) -> dict[str, Any]:
        """Arguments of `begin` that name a pass."""
        return {"card": card.name, "project": card.project, "template": card.template}

    def ask_airship(self, operation: Operation, method: str, path: str, body: Any = None) -> Answer:
        """Asks as an Airship client.

        Raises:
            GivenUp
        """
        headers = {"Authorization": self.project_of(operation).authorization, "Api-Revision": "1.2"}
        return self.client.ask(operation, method, path, headers=headers, body=body)

    def ask_passworks(self, operation: Operation, method: str, path: str, body: Any = None) -> Answer:
        """Asks as a Passworks client, of the campaign that the operation is about.

        Raises:
            GivenUp
        """
        headers = {"Authorization": self.project_of(operation).authorization}
        whole = f"/v2/{CAMPAIGN_TYPE}/{self.template_of(operation).campaign_id}{path}"
        return self.client.ask(operation, method, whole, dialect=Dialect.PASSWORKS, headers=headers, body=body)

    def settle(self, operation: Operation, answer: Answer, *, done: tuple[int, ...], refused: tuple[int, ...]) -> bool:
        """Notes how an operation ended, by the statuses that it may end with; whether it is done."""
        if answer.status in done:
            operation.outcome = Outcome.DONE
        elif answer.status in refused:
            operation.outcome = Outcome.REFUSED
        else:
            self.complain(operation, answer)
        return operation.works

    def complain(self, operation: Operation, answer: Answer) -> None:
        """Notes an answer that the operation cannot have."""
        self.journal.complain(f"answered with {answer.status} {answer.body[:200]!r}", operation)
