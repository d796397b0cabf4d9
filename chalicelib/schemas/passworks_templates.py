"""Bodies of the Passworks templates (passworks-v2, section 9)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chalicelib.domain.templates import STYLES
from chalicelib.schemas import passworks_shown as shown
from chalicelib.schemas.bounds import AtMost, OrEmpty, Shown


def _check_present(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ValueError("can't be blank")
    return value


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
Optional = Annotated[str | None, BeforeValidator(_as_absent), Shown(shown.IDENTIFIER, instead=True)]
Colour = Annotated[Any, Shown(shown.COLOUR_OR_NULL, instead=True)]


class NewTemplateBody(BaseModel):
    """The look of campaigns."""

    # colours, texts and barcode are read by who knows their form
    model_config = ConfigDict(extra="ignore", defer_build=True, json_schema_extra=shown.show_transit_type)

    name: Annotated[str, Required, AtMost("template_name_characters"), Shown({"pattern": r"\S"})] = Field(
        description="The template's name."
    )
    description: Annotated[
        str,
        BeforeValidator(_as_text),
        AtMost("template_description_characters"),
        Shown(shown.DESCRIPTION, instead=True),
    ] = Field("", description="Kept and given back.")
    pass_type: Annotated[str, Required, AfterValidator(_check_style), Shown({"enum": list(STYLES.values())})] = Field(
        description="The style of the passes, in Apple's words."
    )
    transit_type: Optional
    icon_id: Annotated[str, Required, Shown({"pattern": r"\S", "description": "An asset."})]
    logo_id: Optional = Field(None, description="An asset: the picture in the top left corner.")
    strip_id: Optional = Field(None, description="An asset: the picture behind the primary fields.")
    thumbnail_id: Optional = Field(None, description="An asset: the picture beside the fields.")
    background_id: Optional = Field(
        None, description="An asset: the picture behind the whole front. Event tickets have it or a strip."
    )
    footer_id: Optional = Field(None, description="An asset: the picture above the barcode.")
    logo_text: Annotated[Any, Shown(shown.LOOSE_TEXT, instead=True)] = None
    background_color: Colour = None
    text_color: Colour = None
    label_color: Colour = None
    barcode: Annotated[dict[str, Any], BeforeValidator(_as_object), Shown(shown.BARCODE), OrEmpty("array")] = Field(
        {}, description="The form of the code that is scanned."
    )

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
        if _check_present(value) not in shown.TRANSIT_TYPES:
            raise ValueError(f"must be one of {', '.join(shown.TRANSIT_TYPES)}")
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
    """What goes with a template."""

    model_config = ConfigDict(
        extra="ignore", defer_build=True, json_schema_extra={"examples": [{"delete_assets": True}]}
    )

    delete_assets: Annotated[bool, BeforeValidator(_as_flag), Shown(shown.LAX_FLAG, instead=True)] = Field(
        False, description="Whether the template's images are to go too, if no other template uses one of them."
    )
