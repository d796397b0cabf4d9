"""`q[…]` of a query, as conditions and an order (passworks-v2, sections 5 and 12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from chalicelib.api.declared import Filters
from chalicelib.api.passworks.entry import PassworksRequest
from chalicelib.domain.errors import InvalidFilter
from chalicelib.domain.filtering import Condition, Kind, Ordering, Predicate, Query, make_condition
from chalicelib.settings import get_settings

NAME = "q"
ORDER = "s"

_LARGEST_ECHO_CHARACTERS = 100

_SPELLINGS = {predicate.value: predicate for predicate in Predicate} | {"match": Predicate.MATCHES}
"""`match` was printed once"""
_LONGEST_FIRST = sorted(_SPELLINGS, key=len, reverse=True)
"""`not_eq` ends in `eq` too"""


def filters(attributes: Mapping[str, Kind]) -> Filters:
    """What a list may be filtered and ordered by; the order of `attributes` is that in which a refusal names them."""
    return Filters(
        name=NAME,
        text=(
            "Filters, such as `q[wallet_eq]=passbook`: an attribute, `_` and a predicate. Several must all hold. `q[s]`"
            " is the order: an attribute, and after a space `asc` or `desc`."
        ),
        attributes=attributes,
    )


def read_query(request: PassworksRequest) -> Query:
    """The conditions and the order that a query asks for, of those that the route declares.

    Conditions on one attribute, and those of a repeated key, all count; of several orders the last does.

    Raises:
        InvalidFilter: an attribute, a predicate, an order or a time that is none, or too many conditions.
    """
    attributes: Mapping[str, Kind] = request.declared.parameter(NAME).attributes
    conditions: list[Condition] = []
    ordering = None
    limit = get_settings().limits.filters
    for name, value in _find_filters(request):
        if name == ORDER:
            ordering = _read_ordering(value, attributes=attributes)
            continue
        conditions.append(_read_condition(name, value, attributes=attributes))
        if len(conditions) > limit:
            raise InvalidFilter("Too many filters", advice=f"At most {limit} in one request.")
    return Query(conditions=tuple(conditions), ordering=ordering)


def _find_filters(request: PassworksRequest) -> Iterator[tuple[str, str]]:
    """What stands between the brackets of each `q[…]`, and its values."""
    for encoded, value in request.query_pairs():
        name = unquote(encoded)
        if name.startswith("q["):
            yield name[2:].removesuffix("[]").removesuffix("]"), value
        elif name == "q" and value:
            raise InvalidFilter("A filter needs an attribute and a predicate", advice="Write q[name_eq]=value.")


def _read_condition(name: str, value: str, *, attributes: Mapping[str, Kind]) -> Condition:
    ending = next((each for each in _LONGEST_FIRST if name.endswith(f"_{each}")), None)
    attribute = name.removesuffix(f"_{ending}")
    if ending is None or attribute not in attributes:
        advice = f"Attributes: {', '.join(attributes)}. Predicates: {', '.join(Predicate)}."
        raise InvalidFilter(f"Unknown filter '{name[:_LARGEST_ECHO_CHARACTERS]}'", advice=advice)
    return make_condition(attribute=attribute, kind=attributes[attribute], predicate=_SPELLINGS[ending], text=value)


def _read_ordering(value: str, *, attributes: Mapping[str, Kind]) -> Ordering:
    # a gateway may leave `+` as it is
    match value.replace("+", " ").split():
        case [attribute] if attribute in attributes:
            direction = "asc"
        case [attribute, written] if attribute in attributes and written.lower() in ("asc", "desc"):
            direction = written.lower()
        case _:
            advice = f"Attributes: {', '.join(attributes)}. Directions: asc, desc."
            raise InvalidFilter(f"Unknown order '{value[:_LARGEST_ECHO_CHARACTERS]}'", advice=advice)
    return Ordering(attribute=attribute, kind=attributes[attribute], descending=direction == "desc")
