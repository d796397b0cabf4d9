"""Classes and objects as Google wants them (wallets, section 4.4). Pure, and the same for the same pass.

An optional member without a value is null or an empty list: a patch would else leave the old one. What Google would
refuse is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.assets import find_asset
from chalicelib.domain.content import Content
from chalicelib.domain.google_ports import Body, GoogleType, Rendered, class_id, object_id
from chalicelib.domain.passes import Pass
from chalicelib.domain.templates import Template, TemplateHeader
from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.wallets.apple.barcodes import render_barcodes
from chalicelib.wallets.apple.values import as_colour, as_number, as_text
from chalicelib.wallets.google.texts import (
    is_placed,
    list_announcements,
    list_placed,
    render_layout,
    render_own,
    render_shared,
)

CALLBACK_PATH = "/v1/google/callback"
MAXIMUM_PLACES = 10
LANGUAGE = "en"
"""of texts that are in whatever language the issuer writes; Google wants one named"""

_BARCODES = {
    "PKBarcodeFormatQR": "QR_CODE",
    "PKBarcodeFormatPDF417": "PDF_417",
    "PKBarcodeFormatAztec": "AZTEC",
    "PKBarcodeFormatCode128": "CODE_128",
}
_GOOGLE_BARCODES = ("UPC_A", "EAN_13", "CODE_39")
"""that Apple's passes cannot show (airship-wallet-v1, section 6)"""

_TYPES = {
    "boarding_passes": GoogleType.TRANSIT,
    "coupons": GoogleType.OFFER,
    "event_tickets": GoogleType.EVENT_TICKET,
    "generics": GoogleType.GENERIC,
    "store_cards": GoogleType.LOYALTY,
}
_NEED_LOGO = (GoogleType.LOYALTY, GoogleType.TRANSIT)
_TRANSITS = {"Boat": "FERRY", "Bus": "BUS", "Train": "RAIL"}
_AIR = "Air"
_LOCALIZED = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class GooglePassRenderer:
    """Implements `GoogleRenderer` for one deployment.

    Google fetches images and sends callbacks over https only, so a deployment at another address has neither.
    """

    public_base_url: str | None = None
    """of this deployment, where its images and its callback are"""
    default_logo_url: str | None = None
    """https; for types that must have a logo, where the campaign has none"""

    def choose_type(self, template: Template) -> GoogleType:
        """See `GoogleRenderer`.

        A loyalty card and a ticket for transit must have a logo, without one they are generic. So is a flight: its
        airports, flight number and day must be Google's own members, and no content of ours names them reliably.
        """
        google_type = _TYPES[template.campaign_type]
        if google_type is GoogleType.TRANSIT and _find_transit(template.content) == _AIR:
            return GoogleType.GENERIC
        if google_type in _NEED_LOGO and self._find_logo(template.content) is None:
            return GoogleType.GENERIC
        return google_type

    def is_placed(self, content: Content, name: str) -> bool:
        """See `GoogleRenderer`."""
        return is_placed(content, name)

    def render_class(
        self, template: Template, *, account: GoogleAccount, google_type: GoogleType, shared: Content
    ) -> Rendered:
        """See `GoogleRenderer`."""
        body: Body = {
            "id": class_id(account, template),
            "classTemplateInfo": render_layout(shared),
            **render_shared(shared),
        }
        callback_url = self._address(f"{CALLBACK_PATH}/{template.project_id}")
        if callback_url is not None:
            body["callbackOptions"] = {"url": callback_url}
        if google_type is not GoogleType.GENERIC:
            body |= {
                "reviewStatus": "UNDER_REVIEW",
                "issuerName": _organization(shared, template),
                **self._render_look(shared),
                **self._render_mandatory(shared, template, google_type),
            }
        return Rendered(body=body, announcements=list_announcements(shared, list_placed(shared)))

    def _render_mandatory(self, shared: Content, template: Template, google_type: GoogleType) -> Body:
        """What each type must have beside what all have."""
        title, organization = _title(shared, template), _organization(shared, template)
        logo = self._image(self._find_logo(shared), title)
        if google_type is GoogleType.LOYALTY:
            return {"programName": title, "programLogo": logo}
        if google_type is GoogleType.OFFER:
            return {
                "title": title,
                "provider": organization,
                "redemptionChannel": "BOTH",
                "titleImage": logo,
            }
        if google_type is GoogleType.EVENT_TICKET:
            return {"eventName": _localized(title), "logo": logo}
        transit = _TRANSITS.get(_find_transit(shared), "OTHER")
        return {"transitType": transit, "logo": logo}

    def render_object(
        self,
        pass_: Pass,
        *,
        template: Template,
        account: GoogleAccount,
        google_type: GoogleType,
        shared: Content,
        now: datetime,
    ) -> Rendered:
        """See `GoogleRenderer`."""
        content = pass_.content
        body: Body = {
            "id": object_id(account, pass_),
            "classId": class_id(account, template),
            "state": find_state(pass_, now=now),
            "barcode": _render_barcode(content),
            "validTimeInterval": _render_validity(pass_),
            "groupingInfo": _render_grouping(content),
            "merchantLocations": list(_render_locations(content))[:MAXIMUM_PLACES],
            **render_own(content, shared),
        }
        if google_type is GoogleType.GENERIC:
            title = _title(content, template)
            body |= {
                "cardTitle": _localized(_organization(content, template)),
                "header": _localized(title),
                "logo": self._image(self._find_logo(content), title),
                **self._render_look(content),
            }
        if google_type is GoogleType.TRANSIT:
            body["tripType"] = "ONE_WAY"
        return Rendered(body=body, announcements=list_announcements(content, list_placed(shared)))

    def _render_look(self, content: Content) -> Body:
        hero = self._find_image(content, "strip") or self._find_image(content, "background")
        return {
            "hexBackgroundColor": _hexadecimal(content.header("background_color")),
            "heroImage": self._image(hero, as_text(content.header("logo_text"))),
        }

    def _find_logo(self, content: Content) -> str | None:
        found = self._find_image(content, "logo") or self._find_image(content, "icon")
        return found or _as_https(self.default_logo_url)

    def _find_image(self, content: Content, kind: str) -> str | None:
        """Where Google can fetch an image: at our own address, or at the https address that the content names."""
        asset_id = find_asset(content, kind)
        if asset_id is not None:
            return self._address(f"/uploads/asset/{asset_id}/original.png")
        return _as_https(as_text(content.header(f"{kind}_image")).strip())

    def _address(self, path: str) -> str | None:
        base = _as_https(self.public_base_url)
        return None if base is None else base.rstrip("/") + path

    def _image(self, url: str | None, description: str) -> Body | None:
        if url is None:
            return None
        return {
            "sourceUri": {"uri": url},
            "contentDescription": _localized(description) if description else None,
        }


def find_state(pass_: Pass, *, now: datetime) -> str:
    """`COMPLETED` once redeemed for good, `INACTIVE` if voided otherwise, `EXPIRED` after its end."""
    if pass_.is_voided:
        return "COMPLETED" if pass_.redeemed_count else "INACTIVE"
    expires_at = pass_.expires_at
    return "EXPIRED" if expires_at is not None and expires_at <= now else "ACTIVE"


def _as_https(url: str | None) -> str | None:
    return url if url and re.fullmatch(r"https://[^\s/]\S*", url) else None


def _read_part(content: Content, name: str) -> str:
    return as_text(content.lists.get(name)).strip()


def _organization(content: Content, template: TemplateHeader) -> str:
    """Who issues the pass. Never empty."""
    logo_text = as_text(content.header("logo_text")).strip()
    return _read_part(content, "organization_name") or logo_text or template.name.strip() or "Pass"


def _title(content: Content, template: TemplateHeader) -> str:
    """What the pass is. Never empty, and no field's value: then one field that changes in all would change all."""
    return _read_part(content, "description") or template.description.strip() or template.name.strip() or "Pass"


def _find_transit(content: Content) -> str:
    written = _read_part(content, "transit_type") or as_text(content.header("transitType"))
    return written.removeprefix("PKTransitType").capitalize()


def _localized(text: str) -> Body:
    return {"defaultValue": {"language": LANGUAGE, "value": _LOCALIZED.sub(" ", text).strip()}}


def _hexadecimal(value: Any) -> str | None:
    colour = as_colour(value)
    if colour is None:
        return None
    return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour))


def _render_barcode(content: Content) -> Body | None:
    """The main barcode: Google shows one."""
    own_type, message = as_text(content.header("barcode_type")), as_text(content.header("barcode_value"))
    if own_type in _GOOGLE_BARCODES and message:
        barcode: Body = {"type": own_type, "value": message}
        alternative = as_text(content.header("barcodeAltText"))
    else:
        main = next(iter(render_barcodes(content)), None)
        if main is None:
            return None
        barcode = {"type": _BARCODES[main["format"]], "value": main["message"]}
        alternative = main.get("altText", "")
    return barcode | {"alternateText": alternative or None}


def _render_validity(pass_: Pass) -> Body | None:
    expires_at = pass_.expires_at
    if expires_at is None:
        return None
    return {"end": {"date": expires_at.astimezone(UTC).isoformat(timespec="seconds")}}


def _render_grouping(content: Content) -> Body | None:
    grouping = as_text(content.header("groupingIdentifier")).strip()
    return {"groupingId": grouping} if grouping else None


def _render_locations(content: Content) -> Iterator[Body]:
    places = content.lists.get("locations")
    for place in places if isinstance(places, list) else ():
        if not isinstance(place, Mapping):
            continue
        latitude, longitude = as_number(place.get("latitude")), as_number(place.get("longitude"))
        if latitude is not None and longitude is not None and abs(latitude) <= 90 and abs(longitude) <= 180:
            yield {"latitude": latitude, "longitude": longitude}
