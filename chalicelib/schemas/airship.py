"""Bodies and queries of the Airship dialect (airship-wallet-v1, sections 4 to 7)."""

from __future__ import annotations

import json
from collections.abc import Sized
from functools import partial
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from chalicelib.domain.content import COMMON_ATTRIBUTES, MODULE_ATTRIBUTES, ContentUpdate
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


def _read_external_id(value: Any) -> Any:
    """An external id is a string even when it is all digits (section 1), so a number is taken as its digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check_external_id(value: str | None) -> str | None:
    if value is None:
        return None
    limit = get_settings().limits.external_id_characters
    if not 0 < len(value) <= limit:
        raise ValueError(f"an external id has 1 to {limit} characters, this one has {len(value)}")
    return value


def _check_length(value: Sized, *, limit_name: str, of: str = "characters") -> Sized:
    limit = getattr(get_settings().limits, limit_name)
    if len(value) > limit:
        raise ValueError(f"has {len(value)} {of}, the limit is {limit}")
    return value


def _check_bounded(value: Any) -> Any:
    limit = get_settings().limits.content_bytes
    if len(json.dumps(value)) > limit:
        raise ValueError(f"is larger than {limit} bytes")
    return value


Scalar = Annotated[Any, BeforeValidator(_check_scalar)]
PassEntry = Annotated[dict[str, Scalar], BeforeValidator(_keep_pass_attributes)]
PassEntries = Annotated[dict[str, PassEntry], AfterValidator(_check_entries)]
TemplateEntries = Annotated[dict[str, dict[str, Any]], AfterValidator(_check_entries), AfterValidator(_check_bounded)]
ExternalId = Annotated[str | None, BeforeValidator(_read_external_id), AfterValidator(_check_external_id)]
Text = Annotated[str, AfterValidator(partial(_check_length, limit_name="location_text_characters"))]
Name = Annotated[
    str, Field(min_length=1), AfterValidator(partial(_check_length, limit_name="template_name_characters"))
]
Description = Annotated[str, AfterValidator(partial(_check_length, limit_name="template_description_characters"))]
Beacons = Annotated[
    list[dict[str, Any]],
    AfterValidator(partial(_check_length, limit_name="beacons", of="beacons")),
    AfterValidator(_check_bounded),
]


class AddTagsBody(_Body):
    """4.1 and 4.2"""

    tags: list[str]


class Location(_Body):
    """A place near which a wallet shows the pass (section 5)."""

    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    relevantText: Text | None = None  # noqa: N815, the contract's spelling
    streetAddress1: Text | None = None  # noqa: N815
    streetAddress2: Text | None = None  # noqa: N815
    city: Text | None = None
    region: Text | None = None
    regionCode: Text | None = None  # noqa: N815
    country: Text | None = None

    def stored(self) -> dict[str, Any]:
        """What the caller sent, without what he left out."""
        return self.model_dump(exclude_unset=True)


class LocationsBody(_Body):
    """A list of locations."""

    locations: list[Location] = Field(min_length=1)


class UpdateBody(_Body):
    """A partial write of content: to a pass, or to every pass of a tag."""

    fields: PassEntries = {}
    headers: PassEntries = {}
    locations: list[Location] | None = None
    beacons: Beacons | None = None
    semantics: Annotated[dict[str, Any] | None, AfterValidator(_check_bounded)] = None
    universalLinks: Annotated[Any, AfterValidator(_check_bounded)] = None  # noqa: N815

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
    """`single` or `multiple`, in any case (section 5)."""

    type: str = "single"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.type.lower() not in ("single", "multiple"):
            raise ValueError("type must be single or multiple")
        return self


class CreatePassBody(UpdateBody):
    """A new pass. `tag` adds one tag, `tags` several."""

    externalId: ExternalId = None  # noqa: N815
    tag: str | None = None
    tags: list[str] = []
    public_url: PublicUrl | None = Field(None, validation_alias=AliasChoices("publicURL", "publicUrl"))

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

    passes: list[Any] = Field(min_length=1)


class TemplateBody(_Body):
    """A template as it is written: flat (section 6)."""

    name: Name
    description: Description = ""
    projectType: str | None = None  # noqa: N815
    type: str | None = None
    vendor: str | None = None
    vendorId: int | None = None  # noqa: N815
    externalId: ExternalId = None  # noqa: N815
    headers: TemplateEntries = {}
    fields: TemplateEntries = {}
    beacons: Beacons = []
