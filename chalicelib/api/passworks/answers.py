"""Campaigns and passes as Passworks clients see them (passworks-v2, sections 6, 8 and 13)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from chalicelib.api.passworks import looks
from chalicelib.domain.campaign_drafts import PUSH_MESSAGE
from chalicelib.domain.content import Content
from chalicelib.domain.filtering import Kind, show
from chalicelib.domain.page_addresses import (
    PageUrls,
    distribution_code,
    distribution_id,
    distribution_urls,
    pass_code,
    pass_urls,
)
from chalicelib.domain.passes import Pass, parse_moment
from chalicelib.domain.templates import Template
from chalicelib.schemas.passworks import GROUPS

Document = dict[str, Any]


def show_campaign(template: Template, *, base_url: str, redeem_count: int, certificate_id: str | None) -> Document:
    """A campaign in its newest form, and beside that what older replies had at the top (section 6)."""
    content, options = template.content, template.campaign
    urls = distribution_urls(base_url, code=_distribution_code(template), updated_at=template.updated_at)
    return {
        "id": template.campaign_id,
        "name": template.name,
        "description": template.description or template.name,
        "campaign_type": template.campaign_type,
        "state": str(options.state),
        "template_id": options.look_id,
        "certificate_id": options.certificate_id or certificate_id,
        "organization_name": content.lists.get("organization_name"),
        "gwallet_usage": options.gwallet_usage,
        "gwallet_status": None,
        "gwallet_message": None,
        "logo_text": looks.show_text(content.header("logo_text")),
        **{key: looks.show_colour(content, header) for key, header in looks.COLOUR_HEADERS.items()},
        **{name: content.lists.get(name) for name in ("icon_id", "logo_id", "strip_id", "thumbnail_id")},
        **{name: content.lists.get(name) for name in ("background_id", "footer_id", "transit_type")},
        "barcode": looks.show_barcode(content),
        "barcodes": content.lists.get("barcodes", []),
        "allow_multiple_redeems": options.allow_multiple_redeems,
        **_fields(content, of_campaign=True),
        "locations": [_location(each) for each in content.lists.get("locations") or ()],
        "beacons": [_beacon(each) for each in content.lists.get("beacons") or ()],
        "associated_store_identifiers": content.lists.get("associated_store_identifiers") or [],
        "max_distance": content.lists.get("max_distance"),
        "relevant_date": content.lists.get("relevant_date"),
        "sync_locations_on_merge": options.sync_locations_on_merge,
        "sync_beacons_on_merge": options.sync_beacons_on_merge,
        "expiration_date": _expiration(content),
        "code_type": str(options.code_type),
        "code_fixed_value": options.code_fixed_value,
        "render_on_short_url": False,
        "redeem_count": redeem_count,
        "remote_form_url": None,
        "og": options.open_graph,
        "og_description": options.open_graph_description,
        "javascript": options.javascript,
        "stylesheet": options.stylesheet,
        "user_info": content.lists.get("user_info") or {},
        "created_at": show(Kind.TIME, template.created_at),
        "updated_at": show(Kind.TIME, template.updated_at),
        "distributions": [_distribution(template, urls)],
        **_addresses(urls),
    }


def show_pass(pass_: Pass, template: Template, *, base_url: str) -> Document:
    """A pass (section 8)."""
    content = pass_.content
    code = pass_code(pass_.pass_id, pass_.download_token)
    urls = pass_urls(base_url, distribution=_distribution_code(template), code=code, updated_at=pass_.updated_at)
    barcode = looks.show_barcode(content)
    return {
        "id": pass_.serial_number,
        "campaign_id": template.campaign_id,
        "voided": pass_.is_voided,
        "serial_number": pass_.serial_number,
        "redeem_code": pass_.redeem_code,
        "redeemed_count": pass_.redeemed_count,
        "redeemed_at": None if pass_.redeemed_at is None else show(Kind.TIME, pass_.redeemed_at),
        "barcode": barcode,
        "barcodes": content.lists.get("barcodes") or [barcode],
        "expiration_date": _expiration(content),
        "max_distance": content.lists.get("max_distance"),
        "relevant_date": content.lists.get("relevant_date"),
        **_fields(content, of_campaign=False),
        "thumbnail_id": content.lists.get("thumbnail_id"),
        "locations": [_location_of_pass(each) for each in content.lists.get("locations") or ()],
        "beacons": [_beacon(each) for each in content.lists.get("beacons") or ()],
        "user_info": content.lists.get("user_info") or {},
        **_addresses(urls),
        "gwallet_usage": bool(template.campaign.gwallet_usage),
        "gwallet_status": None,
        "gwallet_message": None,
        "created_at": show(Kind.TIME, pass_.created_at),
        "updated_at": show(Kind.TIME, pass_.updated_at),
    }


def _distribution_code(template: Template) -> str:
    return distribution_code(template.project_id, template.campaign_id)


def _addresses(urls: PageUrls) -> Document:
    """Where people find it; our addresses are short enough to be their own short forms."""
    return {
        "page_url": urls.page_url,
        "pkpass_url": urls.pkpass_url,
        "preview_url": urls.preview_url,
        "page_short_url": urls.page_url,
        "pkpass_short_url": urls.pkpass_url,
        "preview_short_url": urls.preview_url,
    }


def _distribution(template: Template, urls: PageUrls) -> Document:
    return {
        "id": distribution_id(template.campaign_id),
        "distribution_type": "downloadPage",
        "state": "published",
        **_addresses(urls),
        "created_at": show(Kind.PRECISE_TIME, template.created_at),
        "updated_at": show(Kind.PRECISE_TIME, template.updated_at),
        "published_at": show(Kind.PRECISE_TIME, template.created_at),
    }


def _fields(content: Content, *, of_campaign: bool) -> dict[str, list[Document]]:
    """The five arrays. The field that a push message is written to is no field of the client's."""
    more: Document = {"data_type": "text", "required": True} if of_campaign else {}
    arrays: dict[str, list[Document]] = {key: [] for key in GROUPS}
    by_group = {group: key for key, group in GROUPS.items()}
    for name, entry in content.fields.items():
        key = by_group.get(str(entry.attributes.get("fieldType")))
        if key is not None and name != PUSH_MESSAGE:
            arrays[key].append(
                {
                    "key": name,
                    "value": entry.attributes.get("value"),
                    "label": entry.attributes.get("label"),
                    "behaviour": entry.attributes.get("behaviour", "fixed"),
                    **more,
                }
            )
    return arrays


def _location(location: Mapping[str, Any]) -> Document:
    return {
        "latitude": location["latitude"],
        "longitude": location["longitude"],
        "altitude": location.get("altitude"),
        "relevant_text": location.get("relevantText"),
    }


def _location_of_pass(location: Mapping[str, Any]) -> Document:
    return {
        "name": location.get("name"),
        "altitude": location.get("altitude"),
        "latitude": location["latitude"],
        "longitude": location["longitude"],
        "relevant_text": location.get("relevantText"),
    }


def _beacon(beacon: Mapping[str, Any]) -> Document:
    """Beacons of the other dialect are free in form."""
    return {
        "major": beacon.get("major"),
        "minor": beacon.get("minor"),
        "proximity_uuid": beacon.get("proximityUUID", beacon.get("proximity_uuid")),
        "relevant_text": beacon.get("relevantText", beacon.get("relevant_text")),
    }


def _expiration(content: Content) -> str | None:
    """`2016-08-09T14:30:54.000+00:00` (section 8)."""
    moment = parse_moment(looks.show_text(content.header("expirationDate")))
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
