"""Query parameters and path parameters of the Airship dialect, read and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib import logs
from chalicelib.api.airship.entry import AirshipRequest, decode
from chalicelib.api.declared import Choice, Parameter, TemplateId, Whole
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.finding import parse_id, spellings
from chalicelib.domain.passes import STATUS_FILTERS, PassReference
from chalicelib.settings import get_settings

if TYPE_CHECKING:
    from chalicelib.domain.paging import PageRequest
    from chalicelib.domain.templates import TemplateReference

DEFAULT_PAGE_SIZE = 10

LARGEST_PAGE = 10**12
"""so that `start`, a JSON number too, stays exact"""

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,17}")

TEMPLATE_ID = TemplateId(name="templateId", text="Only the passes of this template.")


@dataclass(frozen=True, slots=True)
class PassQuery:
    """Status filter and page of a list of passes."""

    facets: AbstractSet[str] | None
    page: PageRequest


def check_project(request: AirshipRequest, segment: str) -> None:
    """Checks that a path names the project of the credentials.

    Raises:
        NotFound
    """
    if parse_id(decode(segment)) != request.project_id:
        raise NotFound("project", decode(segment)[:255])


def page_query(*, orders: Sequence[str]) -> tuple[Parameter, ...]:
    """What a list may be asked for: its page and its order, one of `orders`."""
    return (
        Whole(
            name="page",
            text="The page, counted from 1; 0 is page 1. A page past the end is empty.",
            default=1,
            least=0,
            most=LARGEST_PAGE,
        ),
        Whole(
            name="pageSize",
            text="How many entries a page has.",
            default=DEFAULT_PAGE_SIZE,
            least=1,
            most="page_size",
        ),
        Choice(
            name="order",
            text="What the list is ordered by. Ids ascend with time, so that `createdAt` orders as `id` does.",
            choices=tuple(orders),
            default="id",
        ),
        Choice(
            name="direction",
            text="Ascending or descending.",
            choices=("ASC", "DESC"),
            default="DESC",
        ),
    )


def pass_query(*, orders: Sequence[str], with_all: bool = False) -> tuple[Parameter, ...]:
    """The same for a list of passes; `with_all` allows the filter `all`, which filters nothing (section 5)."""
    status = Choice(
        name="status",
        text=(
            "Only passes in this state: `installed`, on a device now; `uninstalled`, no longer; `been_installed`,"
            " either of these; `not_been_installed`, never. Without it, all passes."
        ),
        choices=(*STATUS_FILTERS, "all") if with_all else tuple(STATUS_FILTERS),
    )
    return (status, *page_query(orders=orders))


def read_page(request: AirshipRequest) -> PageRequest:
    """The page that a query asks for. `start`, which some clients echo, is ignored (section 4, paging rules).

    Raises:
        InvalidRequest: a value is outside its range (section 9.9).
    """
    from chalicelib.domain.paging import PageRequest

    page = _read_number(request, "page")
    size = _read_number(request, "pageSize")
    order = _read_choice(request, "order") or "id"
    direction = _read_choice(request, "direction")
    return PageRequest(page=max(page, 1), size=size, order=order, descending=direction == "DESC")


def read_pass_query(request: AirshipRequest) -> PassQuery:
    """Page and status filter.

    Raises:
        InvalidRequest
    """
    status = _read_choice(request, "status")
    return PassQuery(facets=STATUS_FILTERS.get(status or "all"), page=read_page(request))


def _read_number(request: AirshipRequest, name: str) -> int:
    declared: Whole = request.declared.parameter(name)
    text = request.query(name)
    if text is None or text == "":
        return declared.default
    text = text.strip()
    number = int(text) if _WHOLE_NUMBER.fullmatch(text) else None
    maximum: int = getattr(get_settings().limits, declared.most) if isinstance(declared.most, str) else declared.most
    if number is None or not declared.least <= number <= maximum:
        raise InvalidRequest(
            f"must be a whole number from {declared.least} to {maximum}, not {text[:40]!r}", field=name
        )
    return number


def _read_choice(request: AirshipRequest, name: str) -> str | None:
    """The choice that a parameter names in any case, or its default."""
    declared: Choice = request.declared.parameter(name)
    text = request.query(name)
    if text is None or text == "":
        return declared.default
    choices = declared.choices
    for choice in choices:
        if choice.lower() == text.strip().lower():
            return choice
    raise InvalidRequest(f"must be one of {', '.join(choices)}, not {text[:40]!r}", field=name)


def pass_by_id(segment: str) -> PassReference:
    """A pass id from the path.

    Raises:
        NotFound: it cannot be an id.
    """
    pass_id = parse_id(decode(segment))
    if pass_id is None:
        raise NotFound("pass", decode(segment)[:255])
    logs.note(pass_id=pass_id)
    return PassReference(pass_id=pass_id)


def pass_by_external_id(segment: str, *, template_id: int | None = None) -> PassReference:
    """A pass's external id from the path, in one template or in any.

    Raises:
        NotFound: it cannot be an external id.
    """
    external_id, fallback = _external_id("pass", segment)
    return PassReference(external_id=external_id, fallback_external_id=fallback, template_id=template_id)


def pass_in_template(template_segment: str, segment: str) -> PassReference:
    """The unambiguous form: `/pass/template/{templateId}/id/{externalId}`.

    Raises:
        NotFound
    """
    return pass_by_external_id(segment, template_id=template_by_id(template_segment).template_id)


def template_by_id(segment: str) -> TemplateReference:
    """A template id from the path.

    Raises:
        NotFound: it cannot be an id.
    """
    from chalicelib.domain.templates import TemplateReference

    template_id = parse_id(decode(segment))
    if template_id is None:
        raise NotFound("template", decode(segment)[:255])
    logs.note(template_id=template_id)
    return TemplateReference(template_id=template_id)


def template_by_external_id(segment: str) -> TemplateReference:
    """A template's external id from the path.

    Raises:
        NotFound: it cannot be an external id.
    """
    from chalicelib.domain.templates import TemplateReference

    external_id, fallback = _external_id("template", segment)
    return TemplateReference(external_id=external_id, fallback_external_id=fallback)


def _external_id(kind: str, segment: str) -> tuple[str, str | None]:
    plain, *others = spellings(segment)
    if not 0 < len(plain) <= get_settings().limits.external_id_characters:
        raise NotFound(kind, f"with external id {plain[:40]}")
    return plain, others[0] if others else None


def new_external_id(segment: str) -> str:
    """The external id that a path gives to a new thing.

    Raises:
        InvalidRequest: it is too long.
    """
    external_id, limit = decode(segment), get_settings().limits.external_id_characters
    if not 0 < len(external_id) <= limit:
        raise InvalidRequest(f"has 1 to {limit} characters, this one has {len(external_id)}", field="externalId")
    return external_id
