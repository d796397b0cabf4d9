"""Whoever holds a pass hears of every change that shows: one that does not count as shown changes no wallet's file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.content import Content, ContentUpdate, apply_update
from chalicelib.domain.passes import Pass
from chalicelib.wallets.apple.pass_json import render_pass_json
from tests.support.certificates import make_credentials
from tests.support.google_issuer import TYPES, make_content, make_pass, make_template
from tests.unit.wallets.google.test_google_rendering import render_object

CREDENTIALS = make_credentials()

VALUES = [
    "",
    "1",
    "2030-01-01T10:00Z",
    "#102030",
    "dynamic",
    "voided",
    "mirror",
    "bus",
    "true",
    "header",
    "%@",
    3,
    1,
    True,
    1.0,
    None,
]
ATTRIBUTES = ["value", "label", "changeMessage", "behaviour", "fieldType"]
FIELDS: Mapping[str, Mapping[str, Any]] = {
    "points": {"fieldType": "primary", "value": "1", "label": "Points", "behaviour": "fixed"},
    "site": {"fieldType": "back", "value": "2"},
    "hidden": {"fieldType": "notAssigned", "value": "3"},
}
HEADERS = {
    "expirationDate": "2029-01-01T10:00Z",
    "relevantDate": "2029-01-01T09:00Z",
    "barcode_value": "12",
    "barcode_type": "PKBarcodeFormatQR",
    "barcode_encoding": "utf-8",
    "barcodeAltText": "twelve",
    "logo_text": "Café",
    "background_color": "#000000",
    "foreground_color": "#000000",
    "label_color": "#000000",
    "maxDistance": "5",
    "groupingIdentifier": "family",
    "sharingProhibited": "false",
    "transitType": "train",
    "unknown": "x",
}
LISTS: Mapping[str, list[dict[str, Any]]] = {
    "locations": [
        {"latitude": 1, "longitude": 2, "altitude": 3, "relevantText": "Near", "name": "Shop", "city": "Porto", "id": 7}
    ],
    "beacons": [
        {
            "proximityUUID": "8a2f6a3e-8a5b-4a0e-9d1f-0f9d7c2b1a00",
            "major": 1,
            "minor": 2,
            "relevantText": "Near",
            "name": "Door",
        }
    ],
    "barcodes": [{"format": "qrcode", "message": "13", "alt_text": "", "alt_text_type": "mirror"}],
}
TEXTS = ("description", "organization_name", "transit_type", "relevant_date", "max_distance", "alt_text_type", "style")


def changes() -> Iterator[ContentUpdate]:
    """All that differ in one value from what is above."""
    for value in VALUES:
        for attribute in ATTRIBUTES:
            yield from (ContentUpdate(fields={name: {attribute: value}}) for name in (*FIELDS, "other", "back1"))
            yield from (ContentUpdate(headers={name: {attribute: value}}) for name in (*HEADERS, "other"))
        yield from (ContentUpdate(lists={name: value}) for name in TEXTS)
        for name, (entry,) in LISTS.items():
            yield from (ContentUpdate(lists={name: [{**entry, member: value}]}) for member in (*entry, "other"))
    for name, (entry,) in LISTS.items():
        yield from (ContentUpdate(lists={name: several}) for several in ([], None, [entry, entry]))
        for left in entry:
            yield ContentUpdate(lists={name: [{key: value for key, value in entry.items() if key != left}]})
    yield ContentUpdate(lists={"universalLinks": ["https://example.com"]})
    yield ContentUpdate(lists={"semantics": {"eventName": "Concert"}})


def render(pass_: Pass, campaign_type: str) -> str:
    """What each wallet is given, as JSON, of which 1 and true are not equal."""
    template = make_template(campaign_type)
    rendered = render_object(replace(pass_, template_id=template.template_id), template)
    apple = render_pass_json(pass_, credentials=CREDENTIALS, base_url="https://passes.example.com")
    return json.dumps([apple, rendered.body, [str(each) for each in rendered.announcements]])


@pytest.mark.parametrize("campaign_type", sorted(TYPES))
def test_a_change_that_does_not_count_as_shown_changes_no_file(campaign_type: str) -> None:
    before = make_pass(make_template(campaign_type, make_content(FIELDS, HEADERS, **LISTS)))
    files = render(before, campaign_type)
    told = untold = 0
    for update in changes():
        after = replace(before, content=Content.decode(before.content.encode()))
        merge = apply_update(after.content, update, ticket_id=1)
        told += merge.shown
        untold += merge.changed and not merge.shown
        assert merge.shown or render(after, campaign_type) == files, update
    assert told > 300, "most of what is tried is told"
    assert untold > 300, "and much is not"
