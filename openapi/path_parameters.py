"""What the parameters of paths name: by the parameter, or by the name that its route gives to what it means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from chalicelib.domain.templates import STYLES
from chalicelib.schemas.bounds import DEFAULTS
from openapi.models import REFERENCE

Document = dict[str, Any]

SCHEMAS: Final[dict[str, Document]] = {
    "CampaignType": {"type": "string", "enum": [*STYLES]},
    "CampaignTypeOrAlias": {"type": "string", "enum": [*STYLES, "event_tickers"]},
}
"""by name: what is one type for all operations, and so one in clients made from the description"""

_ID: Final = {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}
_UUID: Final = {"type": "string", "format": "uuid"}
_TEXT: Final = {"type": "string", "minLength": 1}
_EXTERNAL: Final = {"type": "string", "minLength": 1, "maxLength": DEFAULTS.external_id_characters}
_WORDS_OF_EXTERNAL: Final = "percent-encoded; where there is none, each `+` is read as a space."

_AIRSHIP: Final[Mapping[str, tuple[str, Document]]] = {
    "pass_id": ("The pass, by its id.", _ID),
    "pass_external_id": (f"The pass, by its external id, {_WORDS_OF_EXTERNAL}", _EXTERNAL),
    "template_id": ("The template, by its id.", _ID),
    "template_external_id": (f"The template, by its external id, {_WORDS_OF_EXTERNAL}", _EXTERNAL),
    "new_external_id": ("The external id that what is created is to have.", _EXTERNAL),
    "project_id": ("The project of the credentials.", _ID),
    "tag": ("The tag, by its name or else by its id: a tag named `72` is found before the tag whose id is 72.", _TEXT),
    "location_id": ("The location, by its id.", _ID),
    "ticket_id": ("The ticket, by its id.", _ID),
}

_PASSWORKS: Final[Mapping[str, tuple[str, Document]]] = {
    "campaign_type": ("The type of the campaign.", {"$ref": REFERENCE.format(model="CampaignType")}),
    "campaign_type_or_alias": (
        "The type of the campaign; `event_tickers` is another spelling of `event_tickets`.",
        {"$ref": REFERENCE.format(model="CampaignTypeOrAlias")},
    ),
    "campaign_id": ("The campaign.", _UUID),
    "pass_id": ("The pass.", _UUID),
    "redeem_code": ("The code of the pass, such as `00000001`.", _TEXT),
    "asset_id": ("The asset.", _UUID),
    "certificate_id": ("The certificate.", _UUID),
    "look_id": ("The template.", _UUID),
    "file_name": ("`original.png`.", {"type": "string", "const": "original.png"}),
}

_PASSKIT: Final[Mapping[str, tuple[str, Document]]] = {
    "device_id": (
        "The device library identifier, which only the device knows.",
        _TEXT | {"maxLength": DEFAULTS.device_characters},
    ),
    "pass_type": ("The pass type identifier.", _TEXT),
    "serial_number": ("The serial number of the pass.", _TEXT),
}

_OTHERS: Final[Mapping[str, tuple[str, Document]]] = {
    "project_id": ("The project.", _TEXT),
    "distribution": ("The code of the campaign, with or without an ending; `-` where any will do.", _TEXT),
    "code": ("The code of the pass, with or without an ending.", _TEXT),
    "version": ("The version of the viewer.", _TEXT),
    "asset": ("The name of a file of the viewer.", _TEXT),
}

_BY_DIALECT: Final = {"airship": _AIRSHIP, "passworks": _PASSWORKS, "passkit": _PASSKIT}


def describe_name(dialect: str, kind: str) -> Document:
    """Description and schema of a path parameter.

    Raises:
        KeyError: nothing is known of it.
    """
    text, schema = _BY_DIALECT.get(dialect, _OTHERS)[kind]
    return {"description": text, "schema": schema}
