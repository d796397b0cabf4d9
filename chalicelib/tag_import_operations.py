"""Importing tags of passes that are there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from threading import Event
from urllib.parse import quote

from chalicelib.domain import tagging
from chalicelib.domain.errors import NotFound, Refused
from chalicelib.domain.importing import Action, Tagged, read_tagged, resolve_tag_columns
from chalicelib.domain.passes import PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import normalize_tag_name
from chalicelib.domain.templates import Template
from chalicelib.import_operations import Memory, Outcome, Patience, Rejection
from chalicelib.wiring import get_platform


class TagImport:
    """Implements `Importer` for tags of passes that are there. Putting on and taking off can both be repeated.

    Raises:
        InvalidRequest: a column means nothing.
    """

    outcomes: tuple[Outcome, ...] = (Outcome.UPDATED, Outcome.UNCHANGED)

    def __init__(
        self,
        *,
        project_id: int,
        template: Template | None,
        columns: Sequence[str],
        stopping: Event,
    ) -> None:
        resolve_tag_columns(columns)
        self._platform: Platform = get_platform()
        self._project_id = project_id
        self._template_id = None if template is None else template.template_id
        self._columns = columns
        self._patience = Patience(stopping)

    def key_of(self, cells: Sequence[str]) -> str | None:
        """See `Importer`."""
        try:
            return str(self._read(cells).reference)
        except Refused:
            return None

    def handle(self, rows: Sequence[Sequence[str]], memory: Memory) -> list[Outcome | Rejection]:
        """See `Importer`. Four or five calls a line."""
        return [self._handle(cells) for cells in rows]

    def _handle(self, cells: Sequence[str]) -> Outcome | Rejection:
        try:
            tagged = self._read(cells)
            apply = self._add if tagged.action is Action.ADD else self._remove
            return Outcome.UPDATED if self._patience.call(partial(apply, tagged)) else Outcome.UNCHANGED
        except Refused as refusal:
            return Rejection(str(refusal))

    def _read(self, cells: Sequence[str]) -> Tagged:
        return read_tagged(self._columns, cells, template_id=self._template_id)

    def _add(self, tagged: Tagged) -> bool:
        added = tagging.add_tags(
            self._platform, project_id=self._project_id, reference=tagged.reference, names=tagged.names
        )
        return bool(added)

    def _remove(self, tagged: Tagged) -> bool:
        """Whether the pass had one of them. Names alone count: a number is not taken for the id of a tag."""
        names = [normalize_tag_name(name) for name in tagged.names]
        known, _ = self._platform.tags.get_tags(project_id=self._project_id, names=names)
        for name in names:
            if name not in known:
                raise NotFound("tag", name)
        removed = [self._remove_one(tagged.reference, name) for name in names]
        return any(removed)

    def _remove_one(self, reference: PassReference, name: str) -> bool:
        try:
            tagging.remove_tag(
                self._platform, project_id=self._project_id, segment=quote(name, safe=""), reference=reference
            )
        except NotFound as missing:
            if missing.kind in ("pass", "tag"):
                raise
            return False
        return True
