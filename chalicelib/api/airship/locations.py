"""Locations in a body: wrapped, or as older clients send them, a bare array (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import Any

from chalicelib.api.airship.entry import decode
from chalicelib.api.bodies import read_model
from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import parse_id
from chalicelib.schemas.airship import LocationsBody


def read_locations(document: Any) -> list[dict[str, Any]]:
    """The locations of a request body.

    Raises:
        InvalidRequest
    """
    body = read_model(LocationsBody, {"locations": document} if isinstance(document, list) else document)
    return [location.stored() for location in body.locations]


def read_location_id(segment: str) -> int:
    """A location id from the path.

    Raises:
        NotFound: it cannot be one.
    """
    location_id = parse_id(decode(segment))
    if location_id is None:
        raise NotFound("location", decode(segment)[:255])
    return location_id
