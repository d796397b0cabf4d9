"""What all rules and looks stand on: the world, what a step has touched, and how things are named in paths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from random import Random
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from tests.contract.campaigns import check_refusal
from tests.contract.expectations import check_error
from tests.model.content import Entries
from tests.model.ledger import LARGEST_TAGS, Device, Pass, Project, Tag, Template, Ticket, World
from tests.support.google_wallet import GoogleWallet
from tests.support.stack import Stack

Thing = TypeVar("Thing")

which = st.integers(0, 9_999)
"""picks one of what there is"""

VALUES = ("0", "1", "2", "three")
NAMES = ("gold", "vip", "two words", "a/b", "Größe", "2", *(f"tag {number}" for number in range(13)))
"""of tags: more than a pass may have, one that needs quoting, and one that may be another's id"""
PASS_EXTERNAL_IDS = ("4711", "member 1", "a/b", "id")
TEMPLATE_EXTERNAL_IDS = ("my-card", "17")

names = st.lists(st.sampled_from(NAMES[:5]), max_size=3)
values = st.sampled_from(VALUES)


def pick(things: Sequence[Thing], number: int) -> Thing:
    """One of several things."""
    return things[number % len(things)]


def now() -> str:
    """As the Airship dialect writes it, in milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


class Base(RuleBasedStateMachine):
    """A history. `touched` things are looked at after the step."""

    stack: Stack
    google: GoogleWallet

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.random = Random(0)
        self.began = ""
        """when the step began"""
        self.touched_projects: set[Project] = set()
        self.touched_templates: list[Template] = []
        self.touched_passes: list[Pass] = []
        self.touched_tickets: list[Ticket] = []
        self.pushed: dict[str, int] = {}
        """push token to how often it was pushed by the latest time that queues were empty"""

    @property
    def passes(self) -> list[Pass]:
        """Of all projects."""
        return [each for project in self.world.projects for each in project.passes]

    @property
    def templates(self) -> list[Template]:
        """Of all projects."""
        return [each for project in self.world.projects for each in project.templates]

    @property
    def tags(self) -> list[tuple[Project, Tag]]:
        """Of all projects."""
        return [(project, tag) for project in self.world.projects for tag in project.tags]

    def touch(self, *things: Project | Template | Pass | Ticket) -> None:
        """Has them looked at when the step is done, and what they belong to."""
        for thing in things:
            if isinstance(thing, Project):
                self.touched_projects.add(thing)
            elif isinstance(thing, Template):
                self.touched_projects.add(thing.project)
                self.touched_templates.append(thing)
            elif isinstance(thing, Pass):
                self.touch(thing.template)
                self.touched_passes.append(thing)
            else:
                self.touched_projects.add(thing.project)
                self.touched_tickets.append(thing)

    def send(self, project: Project, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request with the project's credentials."""
        more = {} if body is None else {"json": body}
        return project.tenant.request(method, path, **more)

    def call(self, project: Project, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """The document of a request that must succeed."""
        answer = self.send(project, method, path, body)
        assert answer.status_code == status, (method, path, body, answer.status_code, answer.text)
        return answer.json()

    def refuse(self, project: Project, method: str, path: str, body: Any = None, *, status: int, code: int = 0) -> None:
        """A request that must be refused, with the whole error body of its dialect."""
        answer = self.send(project, method, path, body)
        assert answer.status_code == status, (method, path, body, answer.status_code, answer.text)
        if path.startswith("/v2"):
            check_refusal(answer, status, code)
        else:
            check_error(answer, status)


def tag_segment(project: Project, tag: Tag, form: int) -> str:
    """A tag in a path: its name, its name with pluses for spaces, or its id where that is no other's name."""
    if form % 3 == 2 and project.tag(str(tag.tag_id)) is None:
        return str(tag.tag_id)
    quoted = quote(tag.name, safe="")
    return quoted.replace("%20", "+") if form % 3 == 1 else quoted


def pass_segment(pass_: Pass, form: int) -> tuple[str, int]:
    """A pass in a path below `/v1/pass`, and how a request is answered for which it is all that matters."""
    if pass_.external_id is None or form % 3 == 0:
        return str(pass_.pass_id), 200
    external_id = quote(pass_.external_id, safe="")
    if form % 3 == 1:
        return f"template/{pass_.template.template_id}/id/{external_id}", 200
    several = len(pass_.template.project.named(pass_.external_id)) > 1
    return f"id/{external_id}", 400 if several else 200


def template_segment(template: Template, form: int) -> str:
    """A template in a path."""
    if template.external_id is None or form % 2 == 0:
        return str(template.template_id)
    return f"id/{quote(template.external_id, safe='')}"


def values_of(entries: Entries) -> Entries:
    """Fields as the Airship dialect writes them to a pass: without a place."""
    return {name: {key: value for key, value in entry.items() if key != "fieldType"} for name, entry in entries.items()}


def grouped(entries: Entries) -> dict[str, list[dict[str, Any]]]:
    """Fields as the Passworks dialect writes them: arrays by place."""
    arrays: dict[str, list[dict[str, Any]]] = {}
    for key, entry in entries.items():
        own = {name: value for name, value in entry.items() if name != "fieldType"}
        arrays.setdefault(f"{entry['fieldType']}_fields", []).append({"key": key, **own})
    return arrays


__all__ = ["LARGEST_TAGS", "Base", "Device", "grouped", "now", "pass_segment", "pick", "tag_segment", "values_of"]
