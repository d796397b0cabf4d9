"""Locations in a body: wrapped, or as older clients send them, a bare array (airship-wallet-v1, section 5)."""

from __future__ import annotations

from typing import Any

from chalicelib.api.bodies import read_model
from chalicelib.schemas.airship import LocationsBody


def read_locations(document: Any) -> list[dict[str, Any]]:
    """The locations of a request body.

    Raises:
        InvalidRequest
    """
    body = read_model(LocationsBody, {"locations": document} if isinstance(document, list) else document)
    return [location.stored() for location in body.locations]
