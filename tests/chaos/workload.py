"""The clients: threads that do one operation after another, each drawn from the seed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from random import Random

from tests.chaos import airship_actions as airship
from tests.chaos import other_actions as other
from tests.chaos.actor import Act, Actor
from tests.chaos.cards import Deck
from tests.chaos.client import Client
from tests.chaos.journal import Journal

ACTIONS: Sequence[tuple[Act, float]] = (
    (airship.tag, 20),
    (airship.untag, 10),
    (airship.clear_tag, 1.2),
    (airship.delete_tag, 0.8),
    (airship.create, 6),
    (other.create_v2, 2),
    (airship.delete, 4),
    (other.delete_v2, 1.5),
    (airship.update, 10),
    (other.update_v2, 6),
    (airship.bulk_update, 2.5),
    (other.merge, 0.4),
    (other.register, 11),
    (other.unregister, 8),
    (airship.read_tags, 6),
    (airship.read_pass, 4),
    (airship.list_tag, 2),
    (airship.list_tags, 0.5),
    (airship.read_ticket, 2),
    (other.list_changes, 2),
    (other.fetch, 1),
    (other.list_registrations, 0.5),
)
"""what clients do, and how often"""


class Workload:
    """So many clients that do so many operations in all."""

    def __init__(
        self,
        *,
        seed: int,
        clients: int,
        operations: int,
        deck: Deck,
        journal: Journal,
        ports: Sequence[int],
        say: Callable[[str], None],
    ) -> None:
        self.finished = threading.Event()
        self.failures: list[BaseException] = []
        self._operations = operations
        self._journal = journal
        self._stopping = threading.Event()
        self._left = clients
        self._say = say
        self._told = 0
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, args=(self._make_actor(number, seed, deck, ports),), daemon=True)
            for number in range(1, clients + 1)
        ]

    def _make_actor(self, number: int, seed: int, deck: Deck, ports: Sequence[int]) -> Actor:
        random = Random(f"{seed} client {number}")
        client = Client(
            ports=ports, journal=self._journal, random=random, pause=lambda seconds: void(self._stopping.wait(seconds))
        )
        return Actor(number=number, random=random, client=client, deck=deck, journal=self._journal)

    def start(self) -> None:
        """Begins; `finished` says when all is done."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begins no more operations."""
        self._stopping.set()

    def join(self) -> None:
        """Waits for every client.

        Raises:
            whatever went wrong in one of them: a fault of the run itself
        """
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _work(self, actor: Actor) -> None:
        acts, weights = zip(*ACTIONS, strict=True)
        try:
            while len(self._journal.operations) < self._operations and not self._stopping.is_set():
                actor.random.choices(acts, weights)[0](actor)
                self._tell()
        except BaseException as error:  # told to whoever joins
            self.failures.append(error)
            self._stopping.set()
        finally:
            actor.client.close()
            with self._lock:
                self._left -= 1
                if not self._left:
                    self.finished.set()

    def _tell(self) -> None:
        with self._lock:
            tenth = 10 * len(self._journal.operations) // self._operations
            if tenth > self._told:
                self._told = tenth
                self._say(f"{10 * tenth} % of the operations")


def void(_: object) -> None:
    """Drops a value."""
