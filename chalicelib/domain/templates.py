"""Templates: the defaults of passes, and the campaign that Passworks clients see in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.content import Content
from chalicelib.domain.errors import InvalidRequest

APPLE, GOOGLE = "Apple", "Google"
VENDOR_IDS = {APPLE: 1, GOOGLE: 2}

CAMPAIGN_TYPES = {
    (APPLE, "Boarding Pass"): "boarding_passes",
    (APPLE, "Coupon"): "coupons",
    (APPLE, "Event Ticket"): "event_tickets",
    (APPLE, "Generic"): "generics",
    (APPLE, "Store Card"): "store_cards",
    (GOOGLE, "Loyalty"): "store_cards",
    (GOOGLE, "Gift Card"): "store_cards",
    (GOOGLE, "Offer"): "coupons",
}
"""passworks-v2, section 13: (vendor, template type) to campaign type"""

STYLES = {
    "boarding_passes": "boardingPass",
    "coupons": "coupon",
    "event_tickets": "eventTicket",
    "generics": "generic",
    "store_cards": "storeCard",
}
"""passworks-v2, section 6: campaign type to pass style"""

PROJECT_TYPES = (
    "boardingPass",
    "coupon",
    "eventTicket",
    "generic",
    "loyalty",
    "giftCard",
    "memberCard",
    "offer",
)

DEFAULT_TYPES = {
    "boardingPass": "Boarding Pass",
    "coupon": "Coupon",
    "offer": "Coupon",
    "eventTicket": "Event Ticket",
    "generic": "Generic",
    "loyalty": "Store Card",
    "giftCard": "Store Card",
    "memberCard": "Store Card",
}
"""The Apple style that a project type means when a request leaves `type` out."""

DEFAULT_BARCODES = {APPLE: "PKBarcodeFormatQR", GOOGLE: "QR_CODE"}

BARCODES = {
    APPLE: ("PKBarcodeFormatPDF417", "PKBarcodeFormatAztec", "PKBarcodeFormatQR", "PKBarcodeFormatCode128"),
    GOOGLE: ("PDF_417", "AZTEC", "QR_CODE", "CODE_128", "UPC_A", "EAN_13", "CODE_39"),
}
"""airship-wallet-v1, section 6"""

NO_BARCODE = "none"
"""the barcode type of a pass that shows no barcode (passworks-v2, section 6); one dialect writes it, both keep it"""

PASS_BARCODES = (*(kind for kinds in BARCODES.values() for kind in kinds), NO_BARCODE)
"""what a write to passes may name, since a tag has those of both vendors; each wallet shows what it knows"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateHeader:
    """What lists show of a template."""

    template_id: int
    project_id: int
    campaign_id: str
    external_id: str | None
    name: str
    description: str
    type: str
    project_type: str
    vendor: str
    created_at: datetime
    updated_at: datetime

    @property
    def campaign_type(self) -> str:
        """The Passworks collection in which the template appears (passworks-v2, section 13)."""
        return campaign_type(vendor=self.vendor, type=self.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(TemplateHeader):
    """A whole template. `revision` grows with every write."""

    content: Content
    revision: int
    campaign: CampaignOptions = field(default_factory=CampaignOptions)

    @property
    def style(self) -> str:
        """The style of its passes in Apple's words, such as `storeCard`."""
        return STYLES[self.campaign_type]


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateDraft:
    """What a create or update request brings, already checked. `None` keeps what was there, or takes the default."""

    name: str
    description: str
    vendor: str
    type: str
    project_type: str
    content: Content
    campaign: CampaignOptions | None = None


@dataclass(frozen=True, slots=True)
class TemplateReference:
    """How a caller names a template: by id or by external id."""

    template_id: int | None = None
    external_id: str | None = None
    fallback_external_id: str | None = None
    """another reading of what the caller wrote, tried if the first finds nothing"""

    def __str__(self) -> str:
        return str(self.template_id) if self.template_id is not None else f"with external id {self.external_id}"


def campaign_type(*, vendor: str, type: str) -> str:  # noqa: A002, the field's own name
    """The Passworks campaign type of a template.

    Raises:
        InvalidRequest: the vendor has no such template type.
    """
    found = CAMPAIGN_TYPES.get((vendor, type))
    if found is None:
        types = ", ".join(known for of, known in CAMPAIGN_TYPES if of == vendor)
        raise InvalidRequest(f"{type!r} is not one of: {types}", field="type")
    return found
