"""Bodies of the Passworks templates (passworks-v2, section 9)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chalicelib.domain.templates import STYLES
from chalicelib.settings import get_settings

TRANSIT_TYPES = ("air", "boat", "train", "bus", "generic")
"""passworks-v2, section 6"""


def _check_present(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("can't be blank")
    return value


def _check_length(text: str, limit: int) -> str:
    if len(text) > limit:
        raise ValueError(f"has {len(text)} characters, the limit is {limit}")
    return text


def _check_name(name: str) -> str:
    return _check_length(name, get_settings().limits.template_name_characters)


def _check_description(description: str) -> str:
    return _check_length(description, get_settings().limits.template_description_characters)


def _check_style(style: str) -> str:
    if style not in STYLES.values():
        raise ValueError(f"must be one of {', '.join(STYLES.values())}")
    return style


def _as_absent(value: Any) -> Any:
    """An empty text where a value may be missing is a missing one."""
    return None if value == "" else value


def _as_text(value: Any) -> Any:
    return "" if value is None else value


def _as_object(value: Any) -> Any:
    """PHP writes an empty object as `[]` (section 8)."""
    return {} if value is None or value == [] else value


def _as_flag(value: Any) -> Any:
    return False if value is None else value


Required = BeforeValidator(_check_present)
Optional = Annotated[str | None, BeforeValidator(_as_absent)]


class NewTemplateBody(BaseModel):
    """The object below `template` that creates one. Colours, texts and barcode are read by who knows their form."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    name: Annotated[str, Required, AfterValidator(_check_name)]
    description: Annotated[str, BeforeValidator(_as_text), AfterValidator(_check_description)] = ""
    pass_type: Annotated[str, Required, AfterValidator(_check_style)]
    transit_type: Optional
    icon_id: Annotated[str, Required]
    logo_id: Optional = None
    strip_id: Optional = None
    thumbnail_id: Optional = None
    background_id: Optional = None
    footer_id: Optional = None
    logo_text: Any = None
    background_color: Any = None
    text_color: Any = None
    label_color: Any = None
    barcode: Annotated[dict[str, Any], BeforeValidator(_as_object)] = {}

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, document: dict[str, Any]) -> dict[str, Any]:
        """What is missing is refused in the same words as what is empty."""
        return dict.fromkeys(("name", "pass_type", "transit_type", "icon_id")) | document

    @field_validator("transit_type")
    @classmethod
    def _check_transit_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Boarding passes need one, the others have none."""
        if info.data.get("pass_type") != STYLES["boarding_passes"]:
            return None
        if _check_present(value) not in TRANSIT_TYPES:
            raise ValueError(f"must be one of {', '.join(TRANSIT_TYPES)}")
        return value

    @field_validator("background_id")
    @classmethod
    def _check_background(cls, value: str | None, info: ValidationInfo) -> str | None:
        """Event tickets show a background or a strip (section 6)."""
        is_ticket = info.data.get("pass_type") == STYLES["event_tickets"]
        if value is not None and is_ticket and info.data.get("strip_id") is not None:
            raise ValueError("can't be used together with strip_id")
        return value


class DeleteTemplateBody(BaseModel):
    """The object below `template` that goes with a DELETE; the flag may be a text (section 9)."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    delete_assets: Annotated[bool, BeforeValidator(_as_flag)] = False
