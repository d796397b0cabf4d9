"""Importing new passes of a template.

A pass is made at most once: its id is chosen and kept before it is made, and what was made is found by that id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from threading import Event

from chalicelib.domain import issuing, listing, tagging, updating
from chalicelib.domain.content import ContentUpdate, apply_update
from chalicelib.domain.errors import AlreadyExists, Busy, NotFound, Refused
from chalicelib.domain.finding import LARGEST_ID
from chalicelib.domain.importing import Column, make_document, resolve_columns
from chalicelib.domain.issuing import PassNumbers
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import validate_tag_names
from chalicelib.domain.templates import Template, TemplateReference
from chalicelib.import_operations import Memory, Numbered, Outcome, Patience, Rejection
from chalicelib.schemas.airship import CreatePassBody
from chalicelib.schemas.reading import read_model
from chalicelib.wiring import get_platform


class Existing(StrEnum):
    """What to do with a line whose external id a pass of the template has already."""

    SKIP = "skip"
    UPDATE = "update"
    REJECT = "reject"


class PassImport:
    """Implements `Importer` for new passes of one template.

    Raises:
        InvalidRequest: a column means nothing.
    """

    outcomes: tuple[Outcome, ...] = (Outcome.CREATED, Outcome.UPDATED, Outcome.UNCHANGED)

    def __init__(
        self,
        *,
        template: Template,
        columns: Sequence[str],
        existing: Existing = Existing.SKIP,
        new_entries: bool = False,
        stopping: Event,
    ) -> None:
        self._platform: Platform = get_platform()
        self._template = template
        self._columns: list[Column] = resolve_columns(columns, template.content, new_entries=new_entries)
        self._external_id = columns.index("externalId") if "externalId" in columns else None
        self._existing = existing
        self._patience = Patience(stopping)

    def key_of(self, cells: Sequence[str]) -> str | None:
        """See `Importer`."""
        return None if self._external_id is None else cells[self._external_id] or None

    def handle(self, rows: Sequence[Sequence[str]], memory: Memory) -> list[Outcome | Rejection]:
        """See `Importer`. For n new passes about n / 100 calls to look for them, and those of `create_passes`."""
        new, outcomes = self._read_all(rows)
        kept = memory.recall()
        numbered_before = {position for numbered in kept for position in numbered.positions}
        others = {position: each for position, each in new.items() if position not in numbered_before}
        found = self._patience.call(lambda: self._find(others))
        fresh = [position for position in others if position not in found]
        creations = [_Creation(self._platform, self._template, each, new, certain=False) for each in kept]
        if fresh:
            numbered = Numbered(fresh, self._patience.call(lambda: self._take_numbers(len(fresh))))
            memory.keep(numbered)
            creations.append(_Creation(self._platform, self._template, numbered, new, certain=True))
        for creation in creations:
            self._patience.call(creation.attempt)
            outcomes |= creation.outcomes
            taken = self._patience.call(partial(self._find, {each: new[each] for each in creation.taken}))
            found = {**found, **taken}
        outcomes |= self._handle_existing(found, new, first_own_id=memory.first_pass_id())
        return [outcomes[position] for position in range(len(rows))]

    def _read_all(self, rows: Sequence[Sequence[str]]) -> tuple[dict[int, NewPass], dict[int, Outcome | Rejection]]:
        new: dict[int, NewPass] = {}
        outcomes: dict[int, Outcome | Rejection] = {}
        for position, cells in enumerate(rows):
            try:
                new[position] = self._read(cells)
            except Refused as refusal:
                outcomes[position] = Rejection(str(refusal))
        return new, outcomes

    def _read(self, cells: Sequence[str]) -> NewPass:
        body = read_model(CreatePassBody, make_document(self._columns, cells))
        return NewPass(
            update=body.as_update(),
            external_id=body.externalId,
            public_type=body.public_type,
            tag_names=body.tag_names,
        )

    def _find(self, new: Mapping[int, NewPass]) -> dict[int, int]:
        """The passes that have the external ids of lines already, by position."""
        wanted = {each.external_id for each in new.values() if each.external_id is not None}
        if not wanted:
            return {}
        pass_ids = self._platform.passes.find_pass_ids(
            project_id=self._template.project_id,
            template_id=self._template.template_id,
            external_ids=sorted(wanted),
        )
        return {
            position: pass_ids[each.external_id]
            for position, each in new.items()
            if each.external_id is not None and each.external_id in pass_ids
        }

    def _take_numbers(self, count: int) -> PassNumbers:
        return issuing.take_pass_numbers(self._platform, project_id=self._template.project_id, count=count)

    def _handle_existing(
        self, found: Mapping[int, int], new: Mapping[int, NewPass], *, first_own_id: int | None
    ) -> dict[int, Outcome | Rejection]:
        outcomes: dict[int, Outcome | Rejection] = {}
        older: dict[int, int] = {}
        for position, pass_id in found.items():
            external_id = new[position].external_id
            if first_own_id is not None and pass_id >= first_own_id:
                problem = f"{external_id!r} is another line's, or was taken since this import began"
                outcomes[position] = Rejection(f"externalId: {problem}")
            elif self._existing is Existing.REJECT:
                outcomes[position] = _in_use(external_id)
            elif self._existing is Existing.SKIP:
                outcomes[position] = Outcome.UNCHANGED
            else:
                older[position] = pass_id
        return outcomes | (self._update(older, new) if older else {})

    def _update(self, found: Mapping[int, int], new: Mapping[int, NewPass]) -> dict[int, Outcome | Rejection]:
        """Writes those lines that would change their pass; equal ones cost a read."""
        passes = self._patience.call(
            lambda: self._platform.passes.get_passes(sorted(set(found.values())), consistent=True)
        )
        tags = self._patience.call(
            lambda: listing.tag_names_of(
                self._platform, project_id=self._template.project_id, passes=list(passes.values())
            )
        )
        outcomes: dict[int, Outcome | Rejection] = {}
        touched: set[int] = set()
        for position, pass_id in sorted(found.items()):
            before = None if pass_id in touched else passes.get(pass_id)
            try:
                change = _Change(self._platform, new[position], before, tags.get(pass_id, []))
                outcomes[position] = self._patience.call(partial(change.apply, self._template.project_id, pass_id))
            except Refused as refusal:
                outcomes[position] = Rejection(str(refusal))
            touched.add(pass_id)
        return outcomes


class _Creation:
    """Makes the passes of numbered lines, each at most once, however often it is tried.

    `outcomes` and `taken`, lines whose external id has another pass, are complete once an attempt returns. Those in
    `taken` have an outcome as well, for when that other pass is gone by the time somebody looks.
    Without `certain`, passes may have been made before, by an attempt whose answer was lost or by a process that died:
    then it looks for them by their ids, before and after it makes any.
    """

    def __init__(
        self,
        platform: Platform,
        template: Template,
        numbered: Numbered,
        new: Mapping[int, NewPass],
        *,
        certain: bool,
    ) -> None:
        self._platform = platform
        self._template = template
        self._at = numbered.numbers.at
        ids = zip(numbered.positions, numbered.numbers.pass_ids, strict=True)
        self._ids = {position: pass_id for position, pass_id in ids if position in new}
        self._new = new
        self._certain = certain
        self._pending = sorted(self._ids)
        self.outcomes: dict[int, Outcome | Rejection] = {}
        self.taken: list[int] = []

    def attempt(self) -> None:
        """Raises Busy if it is to be tried again."""
        while self._pending:
            if not self._certain:
                self._find_made()
            if self._pending:
                try:
                    self._make()
                except Busy:
                    self._certain = False
                    raise
                except NotFound as missing:
                    # a write of the dead process has arrived while ours was made, and holds a part of the same passes
                    if self._certain or missing.kind != "pass":
                        raise
                    raise Busy("another write of the same passes arrived") from missing

    def _find_made(self) -> None:
        made = self._platform.passes.get_passes([self._ids[each] for each in self._pending], consistent=True)
        for position in [each for each in self._pending if self._ids[each] in made]:
            self._finish(position, Outcome.CREATED)

    def _make(self) -> None:
        pending = list(self._pending)
        answers = issuing.create_passes(
            self._platform,
            project_id=self._template.project_id,
            template=TemplateReference(template_id=self._template.template_id),
            new=[self._new[position] for position in pending],
            numbers=PassNumbers([self._ids[position] for position in pending], self._at),
        )
        busy = next((answer for answer in answers if isinstance(answer, Busy)), None)
        for position, answer in zip(pending, answers, strict=True):
            if isinstance(answer, Pass):
                if self._certain:
                    self._finish(position, Outcome.CREATED)
            elif isinstance(answer, AlreadyExists) and answer.field == "externalId":
                self._finish(position, _in_use(self._new[position].external_id))
                self.taken.append(position)
            elif isinstance(answer, Refused) and not isinstance(answer, NotFound):
                self._finish(position, Rejection(str(answer)))
            elif not isinstance(answer, Busy):
                raise answer
        if busy is not None:
            raise busy

    def _finish(self, position: int, outcome: Outcome | Rejection) -> None:
        self._pending.remove(position)
        self.outcomes[position] = outcome


def _in_use(external_id: str | None) -> Rejection:
    return Rejection(f"externalId: {external_id!r} is already in use in this template")


class _Change:
    """What a line does to a pass that is there: content by a ticket of its own, and tags that it lacks."""

    def __init__(self, platform: Platform, new: NewPass, before: Pass | None, tag_names: Iterable[str]) -> None:
        self._platform = platform
        self._update = new.update
        names = validate_tag_names(new.tag_names, maximum_characters=platform.bounds.tag_characters)
        self._names = names if before is None else [name for name in names if name not in set(tag_names)]
        self._is_written = before is not None and not _would_change(before, new.update)

    def apply(self, project_id: int, pass_id: int) -> Outcome:
        """Can be tried again after Busy."""
        reference = PassReference(pass_id=pass_id)
        if self._is_written and not self._names:
            return Outcome.UNCHANGED
        if not self._is_written:
            updating.update_pass(self._platform, project_id=project_id, reference=reference, update=self._update)
            self._is_written = True
        if self._names:
            tagging.add_tags(self._platform, project_id=project_id, reference=reference, names=self._names)
        return Outcome.UPDATED


def _would_change(pass_: Pass, update: ContentUpdate) -> bool:
    content = pass_.content.copy_for(update)
    if "locations" in update.lists:  # those that are stored have ids, which the update's still lack
        content.lists["locations"] = [
            {name: value for name, value in location.items() if name != "id"}
            for location in content.lists.get("locations", [])
        ]
    return apply_update(content, update, ticket_id=LARGEST_ID).changed
