"""Locations in a body: wrapped, or as older clients send them, a bare array (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.api.airship.entry import AirshipRequest, decode
from chalicelib.domain.errors import NotFound
from chalicelib.domain.finding import parse_id

if TYPE_CHECKING:
    from chalicelib.schemas.airship import LocationsBody


def read_locations(request: AirshipRequest) -> list[dict[str, Any]]:
    """The locations of a request body.

    Raises:
        InvalidRequest
    """
    body: LocationsBody = request.read_body()
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
