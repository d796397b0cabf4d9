"""Bodies and queries of the Airship dialect (airship-wallet-v1, sections 4 to 7)."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chalicelib.domain.content import COMMON_ATTRIBUTES, MODULE_ATTRIBUTES, ContentUpdate
from chalicelib.domain.tags import find_name_problem
from chalicelib.domain.templates import VENDOR_IDS
from chalicelib.domain.texts import as_digits
from chalicelib.schemas import airship_shown as shown
from chalicelib.schemas.bounds import DEFAULTS, SCALAR, AtMost, AtMostBytes, Shown
from chalicelib.settings import get_settings

Attributes = dict[str, Any]

PASS_ATTRIBUTES = COMMON_ATTRIBUTES | MODULE_ATTRIBUTES
"""What a write to a pass may name of an entry (section 5)."""

APPLE_ATTRIBUTES = frozenset(
    {
        "changeMessage",
        "formatType",
        "hideEmpty",
        "order",
        "required",
        "fieldType",
        "currencyCode",
        "textAlignment",
        "label",
        "value",
        "col",
        "row",
        "numberStyle",
    }
)
"""What a template may say of an entry; the official client refuses to read any other key (section 5)."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


def _check_scalar(value: Any) -> Any:
    if not isinstance(value, str | int | float | bool | None):
        raise ValueError("must be a string, a number, true, false or null")
    return _check_length(value)


def _check_length(value: Any) -> Any:
    limit = get_settings().limits.value_characters
    if isinstance(value, str) and len(value) > limit:
        raise ValueError(f"has {len(value)} characters, the limit is {limit}")
    return value


def _check_entries(entries: dict[str, Attributes]) -> dict[str, Attributes]:
    limits = get_settings().limits
    if len(entries) > limits.entries:
        raise ValueError(f"has {len(entries)} entries, the limit is {limits.entries}")
    for name in entries:
        if not 0 < len(name) <= limits.name_characters:
            raise ValueError(f"a name has 1 to {limits.name_characters} characters")
    return entries


def _keep_pass_attributes(entry: Any) -> Any:
    return (
        {name: value for name, value in entry.items() if name in PASS_ATTRIBUTES} if isinstance(entry, dict) else entry
    )


def _check_vendor_id(value: Any) -> Any:
    known = (*VENDOR_IDS.values(), *map(str, VENDOR_IDS.values()), None)
    if isinstance(value, bool) or not isinstance(value, str | int | float | None) or value not in known:
        raise ValueError("must be 1 (Apple) or 2 (Google)")
    return value


def _read_external_id(value: Any) -> Any:
    """An external id is a string even when it is all digits (section 1), so a number is taken as its digits."""
    is_inexact = isinstance(value, float) and abs(value) >= 2**53  # it is not what was sent
    return value if is_inexact else as_digits(value)


def _check_external_id(value: str | None) -> str | None:
    if value is None:
        return None
    limit = get_settings().limits.external_id_characters
    if not 0 < len(value) <= limit:
        raise ValueError(f"an external id has 1 to {limit} characters, this one has {len(value)}")
    return value


def _check_tag(name: str) -> str:
    problem = find_name_problem(name, maximum_characters=get_settings().limits.tag_characters)
    if problem:
        raise ValueError(problem)
    return name


Scalar = Annotated[Any, BeforeValidator(_check_scalar), Shown(SCALAR, instead=True)]
PassEntry = Annotated[dict[str, Scalar], BeforeValidator(_keep_pass_attributes), Shown(shown.PASS_ENTRY, instead=True)]
PassEntries = Annotated[dict[str, PassEntry], AfterValidator(_check_entries), Shown(shown.ENTRIES)]
TemplateEntries = Annotated[
    dict[str, dict[str, Annotated[Any, AfterValidator(_check_length), Shown(shown.TEMPLATE_VALUE)]]],
    AfterValidator(_check_entries),
    AtMostBytes(),
    Shown(shown.ENTRIES),
]
ExternalId = Annotated[
    str | None,
    BeforeValidator(_read_external_id),
    AfterValidator(_check_external_id),
    Shown(shown.EXTERNAL_ID, instead=True),
]
Text = Annotated[str, AtMost("location_text_characters")]
Name = Annotated[str, Field(min_length=1), AtMost("template_name_characters")]
Headers = Annotated[PassEntries, Shown(shown.PASS_HEADERS)]
Description = Annotated[str, AtMost("template_description_characters")]
Beacons = Annotated[list[dict[str, Any]], AtMost("beacons", of="beacons"), AtMostBytes()]
Locations = Annotated[list["Location"], Shown({"maxItems": DEFAULTS.locations})]
TagName = Annotated[str, AfterValidator(_check_tag), Shown(shown.TAG_NAME)]


class AddTagsBody(_Body):
    """Tags that a pass is to have, beside those that it has."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [{"tags": ["tag-name"]}]}
    )

    tags: Annotated[list[TagName], Shown({"description": "Names; an empty array adds nothing."})]


class Location(_Body):
    """A place near which a wallet shows the pass."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    latitude: float = Field(ge=-90, le=90, description="Degrees, north of the equator.")
    longitude: float = Field(ge=-180, le=180, description="Degrees, east of Greenwich.")
    relevantText: Text | None = Field(None, description="What a wallet shows there.")  # noqa: N815, the contract's word
    streetAddress1: Text | None = Field(None, description="Kept and given back.")  # noqa: N815
    streetAddress2: Text | None = Field(None, description="Kept and given back.")  # noqa: N815
    city: Text | None = Field(None, description="Kept and given back.")
    region: Text | None = Field(None, description="Kept and given back.")
    regionCode: Text | None = Field(None, description="Kept and given back.")  # noqa: N815
    country: Text | None = Field(None, description="Kept and given back.")

    def stored(self) -> dict[str, Any]:
        """What the caller sent, without what he left out."""
        return self.model_dump(exclude_unset=True)


class LocationsBody(_Body):
    """A list of locations, which may also be the whole body."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_array_of_locations)

    locations: Locations = Field(min_length=1)

    @staticmethod
    def wrap(array: list[Any]) -> dict[str, Any]:
        """What older clients send, the bare array, as it is sent now (section 5)."""
        return {"locations": array}


class UpdateBody(_Body):
    """A partial write of content, to a pass or to every pass of a tag: only what it names is changed.

    The content of a pass, as it is stored, has at most 65,536 bytes.
    """

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra={"examples": [shown.UPDATE_EXAMPLE]})

    fields: PassEntries = Field({}, description=shown.FIELDS)
    headers: Headers = Field({}, description=shown.HEADERS)
    locations: Locations | None = Field(None, description="Replaces all locations.")
    beacons: Beacons | None = Field(None, description="Replaces all beacons.")
    semantics: Annotated[dict[str, Any] | None, AtMostBytes()] = Field(
        None, description="Apple's semantic tags, as they are to stand in the pass."
    )
    universalLinks: Annotated[Any, AtMostBytes()] = Field(  # noqa: N815
        None, description="Kept and given back."
    )

    def as_update(self) -> ContentUpdate:
        """The domain's update: lists only where the caller sent them."""
        lists: dict[str, Any] = {}
        if self.locations is not None:
            lists["locations"] = [location.stored() for location in self.locations]
        for name in ("beacons", "semantics", "universalLinks"):
            value = getattr(self, name)
            if value is not None:
                lists[name] = value
        return ContentUpdate(fields=self.fields, headers=self.headers, lists=lists)


class PublicUrl(_Body):
    """Whether one person may take the pass, `single`, or any number, `multiple`; in any case."""

    type: Annotated[str, Shown(shown.PUBLIC_TYPE)] = Field("single", description="`single` or `multiple`.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.type.lower() not in ("single", "multiple"):
            raise ValueError("type must be single or multiple")
        return self


class CreatePassBody(UpdateBody):
    """A new pass: what differs from its template."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_both_spellings)

    externalId: ExternalId = Field(  # noqa: N815
        None, description="The caller's own name of the pass, unique in its template. A number counts as its digits."
    )
    tag: TagName | None = Field(None, description="One tag that the pass is to have.")
    tags: list[TagName] = Field([], description="Tags that the pass is to have. With `tag` at most 15.")
    public_url: PublicUrl | None = Field(
        None, validation_alias=AliasChoices("publicURL", "publicUrl"), description="For how many people the pass is."
    )

    @property
    def tag_names(self) -> tuple[str, ...]:
        """All tags that the request asks for."""
        return (*([] if self.tag is None else [self.tag]), *self.tags)

    @property
    def public_type(self) -> str | None:
        """`single`, `multiple`, or None if the request does not say."""
        return None if self.public_url is None else self.public_url.type.lower()


class BulkCreateBody(_Body):
    """Many new passes; each is read on its own, so that one mistake refuses one pass."""

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra={"examples": [shown.BULK_EXAMPLE]})

    passes: list[Any] = Field(min_length=1, json_schema_extra=shown.BULK)


class TemplateBody(_Body):
    """A template as it is written: flat.

    Its content, as it is stored, has at most 65,536 bytes.
    """

    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.TEMPLATE)

    name: Name = Field(description="The template's name.")
    description: Description = Field("", description="What passes say of themselves to those who cannot see them.")
    projectType: Annotated[str | None, Shown(shown.PROJECT_TYPE, instead=True)] = Field(  # noqa: N815
        None, description="What the template is for."
    )
    type: Annotated[str | None, Shown(shown.TYPE, instead=True)] = Field(
        None, description="The style of its passes, of those that the vendor has. Without it, as `projectType` says."
    )
    vendor: Annotated[str | None, Shown(shown.VENDOR, instead=True)] = Field(
        None, description="Without vendor and `vendorId`: Apple."
    )
    vendorId: Annotated[int | None, BeforeValidator(_check_vendor_id), Shown(shown.VENDOR_ID, instead=True)] = Field(  # noqa: N815
        None, description="1 is Apple, 2 is Google; must fit the vendor."
    )
    externalId: ExternalId = Field(  # noqa: N815
        None, description="The caller's own name of the template, unique in the project. An update does not change it."
    )
    headers: TemplateEntries = Field({}, description=shown.HEADERS)
    fields: TemplateEntries = Field({}, description=shown.FIELDS)
    beacons: Beacons = []
