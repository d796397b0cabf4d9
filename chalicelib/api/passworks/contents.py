"""Bodies of campaigns and passes as changes of content (passworks-v2, sections 6, 8 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.api.passworks import looks
from chalicelib.domain.campaign_drafts import PUSH_MESSAGE, CampaignDraft, ContentDraft
from chalicelib.domain.content import Attributes
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.looks import LOOK_IMAGES
from chalicelib.schemas.passworks import GROUPS, CampaignBody, ContentBody, PassBody

_LISTS = ("locations", "beacons")
_PLAIN_PARTS = ("relevant_date", "max_distance", "user_info")
_CAMPAIGN_PARTS = ("transit_type", "organization_name", "associated_store_identifiers")
_OPTIONS = {
    "certificate_id": "certificate_id",
    "gwallet_usage": "gwallet_usage",
    "code_type": "code_type",
    "code_fixed_value": "code_fixed_value",
    "allow_multiple_redeems": "allow_multiple_redeems",
    "og": "open_graph",
    "og_description": "open_graph_description",
    "javascript": "javascript",
    "stylesheet": "stylesheet",
    "sync_locations_on_merge": "sync_locations_on_merge",
    "sync_beacons_on_merge": "sync_beacons_on_merge",
}
"""key to the attribute of `CampaignOptions`"""


def read_pass(body: PassBody) -> ContentDraft:
    """What the object below `pass` writes.

    Raises:
        InvalidRequest: a value does not fit; the field is its path.
    """
    return _read_content(body, headers={}, parts={})


def read_campaign(body: CampaignBody) -> CampaignDraft:
    """What the object below a campaign's root key writes.

    Raises:
        InvalidRequest: a value does not fit; the field is its path.
    """
    sent = body.model_fields_set
    headers: dict[str, Attributes] = {}
    if "logo_text" in sent:
        headers["logo_text"] = looks.top_level(looks.read_text(body.logo_text, "logo_text"))
    for key, header in looks.COLOUR_HEADERS.items():
        if key in sent:
            colour = getattr(body, key)
            headers[header] = looks.top_level(looks.read_colour(colour, key) if colour else None)
    parts = {name: getattr(body, name) for name in (*LOOK_IMAGES, *_CAMPAIGN_PARTS) if name in sent}
    return CampaignDraft(
        name=body.name,
        description=body.description,
        look_id=body.template_id,
        content=_read_content(body, headers=headers, parts=parts),
        options={option: getattr(body, key) for key, option in _OPTIONS.items() if key in sent},
    )


def _read_content(body: ContentBody, *, headers: dict[str, Attributes], parts: dict[str, Any]) -> ContentDraft:
    sent = body.model_fields_set
    main, place = body.barcode, "barcode"
    if body.barcodes and "barcode" not in sent:
        main, place = body.barcodes[0], "barcodes[0]"
    headers = {**headers, **looks.read_barcode(main, place)}
    parts = {**parts, **looks.read_alt_text_type(body.barcode)}
    if "expiration_date" in sent:
        headers["expirationDate"] = {"value": body.expiration_date}
    for name in _LISTS:
        if name in sent:
            parts[name] = [each.stored() for each in getattr(body, name)]
    if "barcodes" in sent:
        parts["barcodes"] = [
            _read_barcode(barcode, field=f"barcodes[{position}]") for position, barcode in enumerate(body.barcodes)
        ]
    if "thumbnail_id" in sent:
        parts["thumbnail_id"] = body.thumbnail_id
    parts |= {name: getattr(body, name) for name in _PLAIN_PARTS if name in sent}
    return ContentDraft(
        fields=_read_fields(body),
        emptied=frozenset(group for key, group in GROUPS.items() if key in sent and not getattr(body, key)),
        headers=headers,
        parts=parts,
    )


def _read_fields(body: ContentBody) -> dict[str, Attributes]:
    """Fields by key, each with what was sent of it and the group that it stands in."""
    fields: dict[str, Attributes] = {}
    for key, group in GROUPS.items():
        for position, field in enumerate(getattr(body, key)):
            if field.key in fields or field.key == PUSH_MESSAGE:
                raise InvalidRequest("is used twice, or reserved", field=f"{key}[{position}].key")
            sent = field.model_dump(include=field.model_fields_set - {"key"})
            fields[field.key] = {**sent, "fieldType": group}
    return fields


def _read_barcode(barcode: Mapping[str, Any], *, field: str) -> dict[str, Any]:
    """One of several barcodes, as it is kept and given back."""
    headers = looks.read_barcode(barcode, field)
    shown = {header: attributes["value"] for header, attributes in headers.items()}
    return {
        "format": looks.SHOWN_FORMATS[shown.get("barcode_type", looks.BARCODE_FORMATS[looks.DEFAULT_FORMAT])],
        "message": shown.get("barcode_value", ""),
        "alt_text": shown.get("barcodeAltText", ""),
        "alt_text_type": looks.read_alt_text_type(barcode, field).get("alt_text_type", looks.DEFAULT_ALT_TEXT_TYPE),
    }
