"""What clients know: projects with their keys, templates, tags, and the passes that they were told of."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

HOT_CARDS = 6
"""of each project, which a third of all operations are about: where writers meet"""


@dataclass(slots=True)
class Card:
    """A pass, as clients know it."""

    name: str
    """external id; passes of the other dialect have none, and a name of ours"""
    project: int
    template: int
    pass_id: int
    serial_number: str = ""
    token: str = ""
    pass_type: str = ""


@dataclass(frozen=True, slots=True)
class TemplateNames:
    """A template, which is a campaign in the other dialect."""

    template_id: int
    campaign_id: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    """held by whoever changes and merges it, so that the run knows which content a merge writes"""


@dataclass(frozen=True, slots=True)
class ProjectNames:
    """A project and what there is in it from the beginning."""

    project_id: int
    key: str
    secret: str
    templates: Sequence[TemplateNames]
    tags: Sequence[str]

    @property
    def authorization(self) -> str:
        """The header with its credentials."""
        return "Basic " + b64encode(f"{self.key}:{self.secret}".encode()).decode()


class Deck:
    """The passes that may be there. Threads share it."""

    def __init__(self, projects: Sequence[ProjectNames]) -> None:
        self.projects = projects
        self._cards: dict[int, list[Card]] = {position: [] for position in range(len(projects))}
        self._all: dict[str, Card] = {}
        self._lock = threading.Lock()

    def add(self, card: Card) -> None:
        """Notes a new pass."""
        with self._lock:
            self._all[card.name] = card
            self._cards[card.project].append(card)

    def drop(self, card: Card) -> None:
        """Forgets that a pass may be there; whoever has it in hand goes on."""
        with self._lock:
            if card in self._cards[card.project]:
                self._cards[card.project].remove(card)

    def pick(self, random: Random, project: int) -> Card | None:
        """Some pass of a project, often one of a few."""
        with self._lock:
            cards = self._cards[project]
            if not cards:
                return None
            some = cards[:HOT_CARDS] if random.random() < 0.33 else cards
            return random.choice(some)

    def count(self, project: int) -> int:
        """How many passes of a project may be there."""
        return len(self._cards[project])

    @property
    def cards(self) -> dict[str, Card]:
        """Every pass there ever was, by name."""
        return self._all
