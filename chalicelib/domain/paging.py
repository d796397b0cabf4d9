"""Numbered pages: what a caller asks for and what he gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Other = TypeVar("Other")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page, in which order. `page` counts from 1."""

    page: int = 1
    size: int = 10
    order: str = "id"
    descending: bool = True

    @property
    def offset(self) -> int:
        """Members before the page."""
        return (self.page - 1) * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page, and how many there are over all pages."""

    items: list[Item]
    total: int

    def map(self, convert: Callable[[Item], Other]) -> Page[Other]:
        """The same page of converted items."""
        return Page(items=[convert(item) for item in self.items], total=self.total)


@dataclass(frozen=True, slots=True)
class Window:
    """Some rows of a list, by how many come before them."""

    offset: int
    size: int
