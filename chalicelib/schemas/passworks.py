"""Bodies of campaigns and passes in the Passworks dialect (passworks-v2, sections 6 and 8).

What a body leaves out is not in `model_fields_set`; colours, texts and barcodes are read by who knows their form.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from chalicelib.domain.passes import parse_moment
from chalicelib.domain.templates import STYLES
from chalicelib.domain.texts import as_digits
from chalicelib.schemas import passworks_shown as shown
from chalicelib.schemas.bounds import SCALAR, AtMost, AtMostBytes, OrEmpty, Shown, Whole
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


def _read_scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool | None):
        raise ValueError("must be a string, a number, true, false or null")
    limit = get_settings().limits.value_characters
    if isinstance(value, str) and len(value) > limit:
        raise ValueError(f"has {len(value)} characters, the limit is {limit}")
    return value


def _check_key(value: str) -> str:
    limit = get_settings().limits.name_characters
    if not 0 < len(value) <= limit:
        raise ValueError(f"must have 1 to {limit} characters")
    return value


def _check_name(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("can't be blank")
    return value


def _check_distance(value: Any) -> Any:
    if value is not None and value < 0:
        raise ValueError("must not be negative")
    return value


_MOMENT = re.compile(shown.MOMENT_PATTERN)


def _check_moment(value: str | None) -> str | None:
    if value is not None and (_MOMENT.match(value) is None or parse_moment(value) is None):
        raise ValueError("must be an ISO 8601 date")
    return value


def _read_switch(value: Any) -> Any:
    known = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}
    if value is None:
        return None
    if not isinstance(value, bool | str | int | float) or value not in known:
        raise ValueError("must be true or false")
    return known[value]


def _check_number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


Text = Annotated[str, AtMost("value_characters")]
OptionalText = Annotated[str | None, AfterValidator(_read_scalar), Shown(shown.OPTIONAL_TEXT, instead=True)]
Flag = StrictBool
Object = Annotated[dict[str, Any], BeforeValidator(_empty_object), AtMostBytes(), OrEmpty("array")]
Barcode = Annotated[
    dict[str, Any], BeforeValidator(_empty_object), AtMostBytes(), Shown(shown.BARCODE), OrEmpty("array")
]
Identifier = Annotated[str | None, BeforeValidator(_absent), Shown(shown.IDENTIFIER, instead=True)]
Moment = Annotated[
    str | None, BeforeValidator(_absent), AfterValidator(_check_moment), Shown(shown.MOMENT, instead=True)
]
Number = Annotated[Any, BeforeValidator(_check_number)]
"""whole or not, and kept so"""
OptionalNumber = Annotated[
    Any,
    BeforeValidator(lambda value: None if value is None else _check_number(value)),
    Shown({"type": ["number", "null"]}, instead=True),
]
Sixteen = Annotated[int, Field(ge=0, le=65535), Whole({"minimum": 0, "maximum": 65535}, digits=shown.SIXTEEN_BITS)]
Colour = Annotated[Any, Shown(shown.COLOUR, instead=True)]
LooseText = Annotated[Any, Shown(shown.LOOSE_TEXT, instead=True)]
"""read by `looks.read_text`"""
Switch = Annotated[bool | None, BeforeValidator(_read_switch), Shown(shown.SWITCH, instead=True)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class FieldBody(_Body):
    """One field of a pass; what is left out comes from the campaign."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_changes)

    key: Annotated[str, BeforeValidator(as_digits), AfterValidator(_check_key), Shown(shown.KEY, instead=True)]
    value: Annotated[Any, BeforeValidator(_read_scalar), Shown(SCALAR, instead=True)] = Field(
        None, description="What the pass shows."
    )
    label: OptionalText = Field(None, description="What stands beside the value.")
    behaviour: Literal["fixed", "dynamic"] = Field(
        "fixed",
        description="Whether a merge overwrites the value in every pass (`fixed`), or keeps each pass's own.",
    )


class LocationBody(_Body):
    """A place near which a wallet shows the pass."""

    latitude: Annotated[Number, Field(ge=-90, le=90), Shown(shown.LATITUDE, instead=True)] = Field(
        description="Degrees, north of the equator."
    )
    longitude: Annotated[Number, Field(ge=-180, le=180), Shown(shown.LONGITUDE, instead=True)] = Field(
        description="Degrees, east of Greenwich."
    )
    altitude: OptionalNumber = Field(None, description="In metres.")
    relevant_text: OptionalText = Field(None, description="What a wallet shows there.")
    name: OptionalText = Field(None, description="What the caller calls the place; kept and given back.")

    def stored(self) -> dict[str, Any]:
        """The location as both dialects keep it."""
        document = self.model_dump(exclude_none=True)
        if "relevant_text" in document:
            document["relevantText"] = document.pop("relevant_text")
        return document


class BeaconBody(_Body):
    """A Bluetooth beacon near which a wallet shows the pass."""

    proximity_uuid: Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")] = Field(
        description="The beacon's identifier."
    )
    major: Sixteen | None = Field(None, description="Tells groups of beacons with one identifier apart.")
    minor: Sixteen | None = Field(None, description="Tells beacons of one group apart.")
    relevant_text: OptionalText = Field(None, description="What a wallet shows there.")

    def stored(self) -> dict[str, Any]:
        """The beacon as both dialects keep it."""
        document = self.model_dump(exclude_none=True)
        document["proximityUUID"] = document.pop("proximity_uuid")
        if "relevant_text" in document:
            document["relevantText"] = document.pop("relevant_text")
        return document


Fields = Annotated[list[FieldBody], BeforeValidator(_empty_list), AtMost("entries", "entries"), OrEmpty("object")]
Locations = Annotated[
    list[LocationBody], BeforeValidator(_empty_list), AtMost("locations", "entries"), OrEmpty("object")
]
Beacons = Annotated[list[BeaconBody], BeforeValidator(_empty_list), AtMost("beacons", "entries"), OrEmpty("object")]
Barcodes = Annotated[
    list[Annotated[dict[str, Any], Shown(shown.BARCODE)]],
    BeforeValidator(_empty_list),
    AtMost("beacons", "entries"),
    OrEmpty("object"),
]
StoreIdentifiers = Annotated[
    list[Annotated[int, Whole({}, digits=shown.DIGITS)]],
    BeforeValidator(_empty_list),
    Field(max_length=100),
    OrEmpty("object"),
]


class ContentBody(_Body):
    """What campaigns and passes share."""

    header_fields: Fields = Field([], description="Fields beside the logo.")
    primary_fields: Fields = Field([], description="The most prominent fields.")
    secondary_fields: Fields = Field([], description="Fields below the primary ones.")
    auxiliary_fields: Fields = Field([], description="Fields beside or below the secondary ones.")
    back_fields: Fields = Field([], description="Fields on the back.")
    locations: Locations = Field([], description="Places near which a wallet shows the pass.")
    beacons: Beacons = Field([], description="Bluetooth beacons near which a wallet shows the pass.")
    barcode: Barcode = Field({}, description="The code that is scanned.")
    barcodes: Barcodes = Field([], description="Further codes, for wallets that show one of several.")
    thumbnail_id: Identifier = Field(None, description="An asset: the picture beside the fields.")
    expiration_date: Moment = None
    relevant_date: Moment = None
    max_distance: Annotated[OptionalNumber, AfterValidator(_check_distance), Shown(shown.DISTANCE, instead=True)] = None
    user_info: Object = Field({}, description="What the caller keeps with it; `email` can be filtered by.")


class PassBody(ContentBody):
    """What a pass shows, where it differs from its campaign."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra={"examples": [shown.PASS_EXAMPLE]})


class PassSwitches(_Body):
    """How a pass is updated."""

    merge: Switch = Field(None, description="False begins anew with what the campaign shows now. Default: true.")
    push: Switch = Field(None, description="Whether devices that hold the pass are told at once. Default: true.")


class UpdatePassBody(PassSwitches, PassBody):
    """What is to change of a pass, and how."""


class CampaignBody(ContentBody):
    """What is to change of a campaign. Its content, as it is stored, has at most 65,536 bytes."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_changed_campaign)

    name: Annotated[
        str | None,
        BeforeValidator(_check_name),
        AtMost("template_name_characters"),
        Shown(shown.CAMPAIGN_NAME, instead=True),
    ] = Field(None, description="Unique among the account's campaigns.")
    description: Annotated[str, BeforeValidator(_read_scalar), AtMost("template_description_characters")] | None = (
        Field(None, description="Without it, the name.")
    )
    template_id: Identifier = Field(None, description="The template that the campaign looks like.")
    icon_id: Identifier = Field(
        None,
        description="An asset, as the ids of the other images are. A campaign that has one can only replace it.",
    )
    logo_id: Identifier = Field(None, description="An asset: the picture in the top left corner.")
    strip_id: Identifier = Field(None, description="An asset: the picture behind the primary fields.")
    background_id: Identifier = Field(None, description="An asset: the picture behind the whole front.")
    footer_id: Identifier = Field(None, description="An asset: the picture above the barcode.")
    logo_text: LooseText = None
    background_color: Colour = None
    text_color: Colour = None
    label_color: Colour = None
    transit_type: Identifier = Field(
        None, description="Of boarding passes, which need one: air, boat, train, bus or generic."
    )
    certificate_id: Identifier = Field(None, description="What signs the passes; without it, the account's default.")
    organization_name: OptionalText = Field(None, description="Who issues the passes.")
    associated_store_identifiers: StoreIdentifiers = Field(
        [], description="App Store ids of apps that go with the pass; a text counts as the number that it holds."
    )
    gwallet_usage: Flag | None = Field(
        None,
        description="Kept and given back. Whether Google Wallet is offered depends on the account there.",
    )
    code_type: Literal["sequencial", "fixed", "list", "per_pass"] = Field(
        "sequencial",
        description=(
            "Where redeem codes come from: counted up from `00000001`; `fixed`, one text in every barcode; `per_pass`,"
            " from the caller, in each pass's `barcode.message`, at most 1,024 bytes. Once there are passes, it cannot"
            " change to or from `per_pass`."
        ),
    )
    code_fixed_value: OptionalText = Field(
        None, description="With `code_type` `fixed`, which needs it: the message of every barcode."
    )
    allow_multiple_redeems: Flag = Field(
        False, description="Whether a pass can be redeemed again and again; otherwise its first redeem voids it."
    )
    og: Flag = Field(
        True, description="Whether pages say, in Open Graph's words, what others may show of a link to them."
    )
    og_description: Text = Field(
        "", description="What others show below a link to a page; without it, the name of the organization."
    )
    javascript: OptionalText = Field(None, description="Kept and given back, never run.")
    stylesheet: OptionalText = Field(None, description="Kept and given back; no page uses it.")
    sync_locations_on_merge: Flag = Field(
        True, description="Whether a merge replaces the locations of every pass with the campaign's, even by none."
    )
    sync_beacons_on_merge: Flag = Field(
        True, description="Whether a merge replaces the beacons of every pass with the campaign's, even by none."
    )


class NewCampaignBody(CampaignBody):
    """A campaign: it needs a `name`, and a `template_id` or an `icon_id`.

    Its content, as it is stored, has at most 65,536 bytes.
    """

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_new_campaign)
