"""Looks at everything at the end: over HTTP as clients do, and at the stored rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from random import Random
from time import sleep
from typing import Any, TypeVar
from urllib.parse import quote

from tests.chaos.actor import CAMPAIGN_TYPE, GROUPS, Actor
from tests.chaos.cards import Card, Deck
from tests.chaos.client import Client
from tests.chaos.contract import Dialect
from tests.chaos.journal import Journal, Kind, Operation
from tests.chaos.verdict import SeenPass, Violation
from tests.support.recount import Rows

THREADS = 6
PAGE_SIZE = 60
FILTERS = ("installed", "uninstalled", "not_been_installed", "been_installed")

Found = TypeVar("Found")
Thing = TypeVar("Thing")


class Observer:
    """Asks as any client, in several threads. Nothing fails any more, so every answer must come at once."""

    def __init__(self, deck: Deck, ports: Sequence[int]) -> None:
        self.journal = Journal()
        self._deck = deck
        self._actors = [self._make_actor(number, ports) for number in range(THREADS)]

    def _make_actor(self, number: int, ports: Sequence[int]) -> Actor:
        random = Random(number)
        client = Client(ports=ports, journal=self.journal, random=random, pause=sleep)
        return Actor(number=number, random=random, client=client, deck=self._deck, journal=self.journal)

    def close(self) -> None:
        """Closes all connections."""
        for actor in self._actors:
            actor.client.close()

    def _ask_for_each(self, things: Sequence[Thing], look: Callable[[Actor, Thing], Found]) -> list[Found]:
        def look_at_share(number: int) -> list[Found]:
            return [look(self._actors[number], thing) for thing in things[number::THREADS]]

        with ThreadPoolExecutor(THREADS) as executor:
            shares = list(executor.map(look_at_share, range(THREADS)))
        return [shares[position % THREADS][position // THREADS] for position in range(len(things))]

    def look_at_passes(self, rows: Sequence[Rows]) -> dict[str, SeenPass | None]:
        """Every pass there ever was, by name; None where it is gone."""
        cards = list(self._deck.cards.values())

        def look(actor: Actor, card: Card) -> SeenPass | None:
            operation = self._begin(actor, project=card.project)
            answer = actor.ask_airship(operation, "GET", f"/v1/pass/{card.pass_id}")
            if answer.status == 404:
                return None
            document = answer.document
            values = {name: entry["value"] for name, entry in document["fields"].items() if name in GROUPS}
            row = rows[card.project].passes.get(card.pass_id)
            content = json.loads(row["content"])["fields"] if row else {}
            return SeenPass(
                tags=frozenset(document["tags"]),
                values=values,
                tickets={name: entry[1].get("value", 0) for name, entry in content.items() if len(entry) > 1},
                stored={name: entry[0].get("value") for name, entry in content.items()},
            )

        return dict(zip((card.name for card in cards), self._ask_for_each(cards, look), strict=True))

    def look_at_devices(self, devices: Sequence[str], pass_type: str) -> dict[str, frozenset[str]]:
        """Device to the serial numbers that it is told, with no tag: all that it is registered for."""

        def look(actor: Actor, device: str) -> frozenset[str]:
            path = f"/v1/devices/{device}/registrations/{quote(pass_type, safe='')}"
            operation = self._begin(actor)
            answer = actor.client.ask(operation, "GET", path, dialect=Dialect.PASSKIT, headers={})
            return frozenset(answer.document["serialNumbers"] if answer.status == 200 else ())

        return dict(zip(devices, self._ask_for_each(devices, look), strict=True))

    def look_at_tickets(self, tickets: Sequence[tuple[int, int]]) -> dict[int, str]:
        """Status of tickets, each given with the position of its project."""

        def look(actor: Actor, ticket: tuple[int, int]) -> str:
            operation = self._begin(actor, project=ticket[0])
            return str(actor.ask_airship(operation, "GET", f"/v1/ticket/{ticket[1]}").document.get("Status"))

        return dict(zip((number for _, number in tickets), self._ask_for_each(tickets, look), strict=True))

    def judge_lists(self, seen: Mapping[str, SeenPass | None]) -> list[Violation]:
        """Every list's total is the number of its members, page by page, and its members are those that say so."""
        lists = [(project, path) for project in range(len(self._deck.projects)) for path in self._list_paths(project)]

        def look(actor: Actor, place: tuple[int, str]) -> list[Violation]:
            return [Violation("totals equal members", each) for each in self._judge_list(actor, *place)]

        found = [each for part in self._ask_for_each(lists, look) for each in part]
        return found + [Violation("totals equal members", each) for each in self._judge_tags(seen)]

    def _list_paths(self, project: int) -> Iterator[str]:
        names = self._deck.projects[project]
        yield "/v1/pass?"
        for template in names.templates:
            yield f"/v1/template/{template.template_id}/passes?"
            yield f"/v2/{CAMPAIGN_TYPE}/{template.campaign_id}/registrations?"
            yield f"/v2/{CAMPAIGN_TYPE}/{template.campaign_id}/passes?"
        for tag in names.tags:
            yield f"/v1/tag/{tag}/passes?"
            for name in FILTERS:
                yield f"/v1/tag/{tag}/passes?status={name}&"

    def _judge_list(self, actor: Actor, project: int, path: str) -> Iterator[str]:
        operation = self._begin(actor, project=project)
        ids: list[Any] = []
        totals = set()
        page = 1
        while True:
            if path.startswith("/v2"):
                headers = {"Authorization": actor.project_of(operation).authorization}
                asked = f"{path}per_page=50&page={page}"
                answer = actor.client.ask(operation, "GET", asked, dialect=Dialect.PASSWORKS, headers=headers)
                own, total = [each["id"] for each in answer.document], int(answer.headers["x-total"])
            else:
                answer = actor.ask_airship(operation, "GET", f"{path}pageSize={PAGE_SIZE}&page={page}")
                if answer.status == 404:
                    return
                own, total = [each["id"] for each in answer.document["passes"]], answer.document["count"]
            totals.add(total)
            ids += own
            page += 1
            if not own:
                break
        if totals != {len(ids)} or len(set(ids)) != len(ids):
            yield f"GET {path} says {sorted(totals)}, and lists {len(ids)}, {len(set(ids))} of them different"

    def _judge_tags(self, seen: Mapping[str, SeenPass | None]) -> Iterator[str]:
        actor = self._actors[0]
        known = {(card.project, card.pass_id): seen[name] for name, card in self._deck.cards.items()}
        for project, names in enumerate(self._deck.projects):
            for tag in names.tags:
                operation = self._begin(actor, project=project)
                answer = actor.ask_airship(operation, "GET", f"/v1/tag/{tag}/passes?pageSize=1000")
                listed = {int(each["id"]) for each in answer.document["passes"]} if answer.status == 200 else set()
                own = {pass_id for (of, pass_id), each in known.items() if of == project and each and tag in each.tags}
                strangers = {each for each in listed if (project, each) not in known}
                if listed - strangers != own:
                    yield f"tag {tag} of project {project} lists {sorted(listed)}, its passes are {sorted(own)}"

    def _begin(self, actor: Actor, **about: Any) -> Operation:
        return self.journal.begin(Kind.READ_PASS, client=actor.number, **about)
