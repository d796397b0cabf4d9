"""A plain in-memory model of one project: dictionaries and sorting, no counters, no segments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.paging import PageRequest
from chalicelib.domain.passes import STATUS_FILTERS, PassStatus

LARGEST_TAGS = 15
FILTERS = (None, *STATUS_FILTERS)
ORDERS = ("id", "createdAt", "updatedAt")


@dataclass
class ModelPass:
    """What the model knows of a pass."""

    pass_id: int
    template_id: int
    created_at: datetime
    updated_at: datetime
    status: PassStatus = PassStatus.NOT_BEEN_INSTALLED
    tags: set[str] = field(default_factory=set)
    value: str = "0"


@dataclass
class Model:
    """The passes and tags of one project."""

    passes: dict[int, ModelPass] = field(default_factory=dict)
    tags: dict[str, int] = field(default_factory=dict)
    """name to id"""

    def tagged(self, name: str) -> list[ModelPass]:
        """The passes that have a tag."""
        return [pass_ for pass_ in self.passes.values() if name in pass_.tags]

    def would_add(self, pass_id: int, names: list[str]) -> list[str]:
        """Names that the pass does not have yet, each once, in order."""
        return [name for name in dict.fromkeys(names) if name not in self.passes[pass_id].tags]

    def page(self, passes: list[ModelPass], status: str | None, request: PageRequest) -> tuple[list[int], int]:
        """Pass ids of a page and the total over all pages."""
        facets = STATUS_FILTERS[status] if status is not None else None
        matching = [pass_ for pass_ in passes if facets is None or pass_.status in facets]
        matching.sort(key=_KEYS[request.order], reverse=request.descending)
        ids = [pass_.pass_id for pass_ in matching]
        return ids[request.offset : request.offset + request.size], len(ids)


_KEYS = {
    "id": lambda pass_: (pass_.pass_id,),
    "createdAt": lambda pass_: (pass_.created_at, pass_.pass_id),
    "updatedAt": lambda pass_: (pass_.updated_at, pass_.pass_id),
}
