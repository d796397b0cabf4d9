"""Bodies of campaigns and passes in the Passworks dialect (passworks-v2, sections 6 and 8).

What a body leaves out is not in `model_fields_set`; colours, texts and barcodes are read by who knows their form.
"""

from __future__ import annotations

import json
from collections.abc import Sized
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from chalicelib.domain.passes import parse_moment
from chalicelib.domain.templates import STYLES
from chalicelib.settings import get_settings

GROUPS = {
    "header_fields": "header",
    "primary_fields": "primary",
    "secondary_fields": "secondary",
    "auxiliary_fields": "auxiliary",
    "back_fields": "back",
}
"""key of a body to the field type of its entries (passworks-v2, section 13)"""

ROOTS = {
    "boarding_passes": "boarding_pass",
    "coupons": "coupon",
    "event_tickets": "event_ticket",
    "generics": "generic",
    "store_cards": "store_card",
}
"""campaign type to the root key of its bodies (section 6)"""

assert ROOTS.keys() == STYLES.keys()


def _empty_object(value: Any) -> Any:
    """PHP writes an empty object as `[]` (section 8)."""
    return {} if value is None or value == [] else value


def _empty_list(value: Any) -> Any:
    return [] if value is None or value == {} else value


def _absent(value: Any) -> Any:
    return None if value == "" else value


def _check_size(value: Any) -> Any:
    limit = get_settings().limits.content_bytes
    if len(json.dumps(value)) > limit:
        raise ValueError(f"is larger than {limit} bytes")
    return value


def _limit_length(name: str, of: str) -> AfterValidator:
    def check(value: Sized) -> Sized:
        limit = getattr(get_settings().limits, name)
        if len(value) > limit:
            raise ValueError(f"has {len(value)} {of}, the limit is {limit}")
        return value

    return AfterValidator(check)


def _read_scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool | None):
        raise ValueError("must be a string, a number, true, false or null")
    limit = get_settings().limits.value_characters
    if isinstance(value, str) and len(value) > limit:
        raise ValueError(f"has {len(value)} characters, the limit is {limit}")
    return value


def _read_key(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check_key(value: str) -> str:
    limit = get_settings().limits.name_characters
    if not 0 < len(value) <= limit:
        raise ValueError(f"must have 1 to {limit} characters")
    return value


def _check_distance(value: Any) -> Any:
    if value is not None and value < 0:
        raise ValueError("must not be negative")
    return value


def _check_moment(value: str | None) -> str | None:
    if value is not None and parse_moment(value) is None:
        raise ValueError("must be an ISO 8601 date")
    return value


def _check_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


Text = Annotated[str, _limit_length("value_characters", "characters")]
OptionalText = Annotated[str | None, AfterValidator(_read_scalar)]
Flag = StrictBool
Object = Annotated[dict[str, Any], BeforeValidator(_empty_object), AfterValidator(_check_size)]
Identifier = Annotated[str | None, BeforeValidator(_absent)]
Moment = Annotated[str | None, BeforeValidator(_absent), AfterValidator(_check_moment)]
Number = Annotated[Any, BeforeValidator(_check_number)]
"""whole or not, and kept so"""
OptionalNumber = Annotated[Any, BeforeValidator(lambda value: None if value is None else _check_number(value))]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class FieldBody(_Body):
    """One field of a pass; what is left out comes from the campaign."""

    key: Annotated[str, BeforeValidator(_read_key), AfterValidator(_check_key)]
    value: Annotated[Any, BeforeValidator(_read_scalar)] = None
    label: OptionalText = None
    behaviour: Literal["fixed", "dynamic"] = "fixed"


class LocationBody(_Body):
    """A place near which a wallet shows the pass."""

    latitude: Annotated[Number, Field(ge=-90, le=90)]
    longitude: Annotated[Number, Field(ge=-180, le=180)]
    altitude: OptionalNumber = None
    relevant_text: OptionalText = None
    name: OptionalText = None

    def stored(self) -> dict[str, Any]:
        """The location as both dialects keep it."""
        document = self.model_dump(exclude_none=True)
        if "relevant_text" in document:
            document["relevantText"] = document.pop("relevant_text")
        return document


class BeaconBody(_Body):
    """A Bluetooth beacon near which a wallet shows the pass."""

    proximity_uuid: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")]
    major: Annotated[int, Field(ge=0, le=65535)] | None = None
    minor: Annotated[int, Field(ge=0, le=65535)] | None = None
    relevant_text: OptionalText = None

    def stored(self) -> dict[str, Any]:
        """The beacon as both dialects keep it."""
        document = self.model_dump(exclude_none=True)
        document["proximityUUID"] = document.pop("proximity_uuid")
        if "relevant_text" in document:
            document["relevantText"] = document.pop("relevant_text")
        return document


Fields = Annotated[list[FieldBody], BeforeValidator(_empty_list), _limit_length("entries", "entries")]
Locations = Annotated[list[LocationBody], BeforeValidator(_empty_list), _limit_length("locations", "entries")]
Beacons = Annotated[list[BeaconBody], BeforeValidator(_empty_list), _limit_length("beacons", "entries")]
Barcodes = Annotated[list[dict[str, Any]], BeforeValidator(_empty_list), _limit_length("beacons", "entries")]


class ContentBody(_Body):
    """What campaigns and passes share."""

    header_fields: Fields = []
    primary_fields: Fields = []
    secondary_fields: Fields = []
    auxiliary_fields: Fields = []
    back_fields: Fields = []
    locations: Locations = []
    beacons: Beacons = []
    barcode: Object = {}
    barcodes: Barcodes = []
    thumbnail_id: Identifier = None
    expiration_date: Moment = None
    relevant_date: Moment = None
    max_distance: Annotated[OptionalNumber, AfterValidator(_check_distance)] = None
    user_info: Object = {}


class PassBody(ContentBody):
    """The object below `pass`."""


class CampaignBody(ContentBody):
    """The object below the type's own root key."""

    name: (
        Annotated[str, BeforeValidator(_read_scalar), _limit_length("template_name_characters", "characters")] | None
    ) = None
    description: (
        Annotated[str, BeforeValidator(_read_scalar), _limit_length("template_description_characters", "characters")]
        | None
    ) = None
    template_id: Identifier = None
    icon_id: Identifier = None
    logo_id: Identifier = None
    strip_id: Identifier = None
    background_id: Identifier = None
    footer_id: Identifier = None
    logo_text: Any = None
    background_color: Any = None
    text_color: Any = None
    label_color: Any = None
    transit_type: Identifier = None
    certificate_id: Identifier = None
    organization_name: OptionalText = None
    associated_store_identifiers: Annotated[list[int], BeforeValidator(_empty_list), Field(max_length=100)] = []
    gwallet_usage: Flag | None = None
    code_type: Literal["sequencial", "fixed", "list", "per_pass"] = "sequencial"
    code_fixed_value: OptionalText = None
    allow_multiple_redeems: Flag = False
    og: Flag = True
    og_description: Text = ""
    javascript: OptionalText = None
    stylesheet: OptionalText = None
    sync_locations_on_merge: Flag = True
    sync_beacons_on_merge: Flag = True
