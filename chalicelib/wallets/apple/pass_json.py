"""`pass.json`: what a pass shows, in the words of Wallet (wallets, section 5.1).

Pure, and the same for the same pass, down to the order of the members. What Wallet would refuse the pass for is left
out instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.content import VOIDED, Content
from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.barcodes import find_old_form, render_barcodes
from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.fields import render_fields
from chalicelib.wallets.apple.values import (
    as_colour,
    as_date,
    as_number,
    as_text,
    as_whole_number,
    is_number,
)

STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
DEFAULT_STYLE = "generic"

MAXIMUM_PLACES = 10
"""of locations, and of beacons"""

_TRANSIT_TYPES = ("Air", "Boat", "Bus", "Train", "Generic")
_COLOURS = {
    "foregroundColor": "foreground_color",
    "backgroundColor": "background_color",
    "labelColor": "label_color",
}
_GROUPING_STYLES = ("boardingPass", "eventTicket")


def render_pass_json(pass_: Pass, *, credentials: SigningCredentials, base_url: str) -> dict[str, Any]:
    """The members of `pass.json`; `base_url` is where the device reports to and asks for updates.

    Raises:
        ValueError: the base ends in `v1`, which the device adds itself (wallets, section 2.1).
    """
    check_base_url(base_url)
    content = pass_.content
    style = find_style(pass_)
    organization = _read_part(content, "organization_name") or credentials.organization_name
    logo_text = as_text(content.header("logo_text"))
    return {
        "formatVersion": 1,
        "passTypeIdentifier": credentials.pass_type_identifier,
        "serialNumber": pass_.serial_number,
        "teamIdentifier": credentials.team_identifier,
        "organizationName": organization,
        "description": _read_part(content, "description") or logo_text or organization,
        "webServiceURL": base_url,
        "authenticationToken": pass_.authentication_token,
        **({"logoText": logo_text} if logo_text else {}),
        **_render_colours(content),
        style: _render_style(content, style),
        **_render_barcodes(content),
        **_render_validity(content),
        **_render_relevance(content),
        **_render_extras(content, style),
    }


def check_base_url(base_url: str) -> None:
    """Checks what is to be the `webServiceURL` of passes.

    Raises:
        ValueError: it ends in `v1`, or is no web address.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("https", "http") or not parts.netloc:
        raise ValueError(f"the web service address {base_url!r} is not a web address")
    if parts.path.rstrip("/").rpartition("/")[2] == "v1":
        raise ValueError(f"the web service address {base_url!r} must not end in v1: the device adds it")


def find_style(pass_: Pass) -> str:
    """The style of a pass, `generic` if it names none."""
    style = as_text(pass_.content.lists.get("style"))
    return style if style in STYLES else DEFAULT_STYLE


def _read_part(content: Content, name: str) -> str:
    return as_text(content.lists.get(name)).strip()


def _render_style(content: Content, style: str) -> dict[str, Any]:
    transit = {"transitType": _find_transit_type(content)} if style == "boardingPass" else {}
    return {**transit, **render_fields(content)}


def _find_transit_type(content: Content) -> str:
    written = _read_part(content, "transit_type") or as_text(content.header("transitType"))
    name = written.removeprefix("PKTransitType").capitalize()
    return f"PKTransitType{name if name in _TRANSIT_TYPES else 'Generic'}"


def _render_colours(content: Content) -> dict[str, str]:
    colours = {key: as_colour(content.header(header)) for key, header in _COLOURS.items()}
    return {key: colour for key, colour in colours.items() if colour is not None}


def _render_barcodes(content: Content) -> dict[str, Any]:
    barcodes = render_barcodes(content)
    old = find_old_form(barcodes)
    return {
        **({"barcodes": barcodes} if barcodes else {}),
        **({"barcode": old} if old is not None else {}),
    }


def _render_validity(content: Content) -> dict[str, Any]:
    expiration = as_date(content.header("expirationDate"))
    voided = content.header("expirationDate", "label") == VOIDED
    return {
        **({"expirationDate": expiration} if expiration is not None else {}),
        **({"voided": True} if voided else {}),
    }


def _render_relevance(content: Content) -> dict[str, Any]:
    relevant = as_date(content.lists.get("relevant_date")) or as_date(content.header("relevantDate"))
    distance = _first_number(content.lists.get("max_distance"), content.header("maxDistance"))
    rendered: dict[str, Any] = {}
    if relevant is not None:
        rendered |= {"relevantDate": relevant, "relevantDates": [{"date": relevant}]}
    if locations := list(_render_locations(content))[:MAXIMUM_PLACES]:
        rendered["locations"] = locations
    if beacons := list(_render_beacons(content))[:MAXIMUM_PLACES]:
        rendered["beacons"] = beacons
    if distance is not None and distance > 0:
        rendered["maxDistance"] = distance
    return rendered


def _first_number(*values: Any) -> int | float | None:
    return next((number for value in values if (number := as_number(value)) is not None), None)


def _list_places(content: Content, name: str) -> Iterator[Mapping[str, Any]]:
    places = content.lists.get(name)
    for place in places if isinstance(places, list) else ():
        if isinstance(place, Mapping):
            yield place


def _render_locations(content: Content) -> Iterator[dict[str, Any]]:
    for place in _list_places(content, "locations"):
        latitude, longitude = as_number(place.get("latitude")), as_number(place.get("longitude"))
        if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
            continue
        altitude = as_number(place.get("altitude"))
        yield {
            "latitude": latitude,
            "longitude": longitude,
            **({"altitude": altitude} if altitude is not None else {}),
            **_render_relevant_text(place),
        }


def _render_beacons(content: Content) -> Iterator[dict[str, Any]]:
    for place in _list_places(content, "beacons"):
        try:
            proximity = uuid.UUID(as_text(place.get("proximityUUID") or place.get("proximity_uuid")))
        except ValueError:
            continue
        numbers = {key: as_whole_number(place.get(key), maximum=0xFFFF) for key in ("major", "minor")}
        yield {
            "proximityUUID": str(proximity),
            **{key: number for key, number in numbers.items() if number is not None},
            **_render_relevant_text(place),
        }


def _render_relevant_text(place: Mapping[str, Any]) -> dict[str, str]:
    text = as_text(place.get("relevantText") or place.get("relevant_text"))
    return {"relevantText": text} if text else {}


def _render_extras(content: Content, style: str) -> dict[str, Any]:
    rendered: dict[str, Any] = {}
    stores = content.lists.get("associated_store_identifiers")
    identifiers = [store for store in stores if is_number(store)] if isinstance(stores, list) else []
    if identifiers:
        rendered["associatedStoreIdentifiers"] = identifiers
    for key, name in (("semantics", "semantics"), ("userInfo", "user_info")):
        value = content.lists.get(name)
        if isinstance(value, Mapping) and value:
            rendered[key] = value
    grouping = as_text(content.header("groupingIdentifier"))
    if grouping and style in _GROUPING_STYLES:
        rendered["groupingIdentifier"] = grouping
    if as_text(content.header("sharingProhibited")).lower() == "true":
        rendered["sharingProhibited"] = True
    return rendered
