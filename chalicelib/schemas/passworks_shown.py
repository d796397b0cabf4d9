"""What the JSON schemas of Passworks bodies say beyond what follows from their types (passworks-v2, 6 to 9)."""

from __future__ import annotations

from typing import Any, Final

from chalicelib.schemas.bounds import DEFAULTS, EMPTY, END, one_of

Schema = dict[str, Any]

TRANSIT_TYPES: Final = ("air", "boat", "train", "bus", "generic")
"""passworks-v2, section 6"""

OPTIONAL_TEXT: Final[Schema] = {"type": ["string", "null"], "maxLength": DEFAULTS.value_characters}
IDENTIFIER: Final[Schema] = {"type": ["string", "null"]}

_LONG_MONTH: Final = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])"
_SHORT_MONTH: Final = "(0[469]|11)-(0[1-9]|[12][0-9]|30)"
_FEBRUARY: Final = "02-(0[1-9]|1[0-9]|2[0-8])"
_LEAP_YEAR: Final = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
_DATE: Final = f"(?!0000)([0-9]{{4}}-({_LONG_MONTH}|{_SHORT_MONTH}|{_FEBRUARY})|{_LEAP_YEAR}-02-29)"
_HOUR: Final = "([01][0-9]|2[0-3])"
_TIME: Final = rf"({_HOUR}|[0-9]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
_OFFSET: Final = f"([Zz]|[+-]{_HOUR}(:?[0-5][0-9])?)"
MOMENT_PATTERN: Final = f"^{_DATE}([Tt ]{_TIME}{_OFFSET}?)?" + END
"""a date of the calendar, and a time if there is one: what has no offset fits no format that JSON schema knows"""

MOMENT: Final[Schema] = {
    "anyOf": [
        {"type": "string", "format": "date-time"},
        {"type": "string", "format": "date"},
        {"type": "string", "pattern": MOMENT_PATTERN},
        {"type": "string", "maxLength": 0},
        {"type": "null"},
    ],
    "description": "A date, or a date and time of ISO 8601, UTC if it names no offset; an empty text is none.",
}
LATITUDE: Final[Schema] = {"type": "number", "minimum": -90, "maximum": 90}
LONGITUDE: Final[Schema] = {"type": "number", "minimum": -180, "maximum": 180}
DISTANCE: Final[Schema] = {
    "type": ["number", "null"],
    "minimum": 0,
    "maximum": 1000,
    "description": "How near a location the pass is of interest, in metres: at most 1000 for event tickets, else 100.",
}
KEY: Final[Schema] = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": DEFAULTS.name_characters, "not": {"const": "push_message"}},
        {"type": "integer"},
    ],
    "description": "What names the field. `push_message` is reserved; no key may stand twice in one request.",
}
LOOSE_TEXT: Final[Schema] = {
    "anyOf": [OPTIONAL_TEXT, {"type": "integer"}],
    "description": "A text; a whole number counts as its digits.",
}
_SPACES: Final = r"[ \t\n\r\f\v]*"
_BYTE: Final = rf"{_SPACES}(25[0-5]|2[0-4][0-9]|[01]?[0-9]{{1,2}}){_SPACES}"
_COLOUR: Final[Schema] = {
    "type": "string",
    "pattern": (
        rf"^{_SPACES}(#[0-9A-Fa-f]{{3}}|#[0-9A-Fa-f]{{6}}|[rR][gG][bB]\({_BYTE},{_BYTE},{_BYTE}\)){_SPACES}{END}"
    ),
}
_COLOUR_WORDS: Final = "`#rrggbb`, `#rgb` or `rgb(r,g,b)`; answered as `#rrggbb`."
COLOUR_OR_NULL: Final[Schema] = {"anyOf": [_COLOUR, {"type": "null"}], "description": _COLOUR_WORDS}
COLOUR: Final[Schema] = {
    "anyOf": [
        _COLOUR,
        *one_of("", 0, False, None)["anyOf"],
        dict(EMPTY["array"]),
        dict(EMPTY["object"]),
    ],
    "description": f"{_COLOUR_WORDS} What is empty takes the colour away.",
}
BARCODE: Final[Schema] = {
    "properties": {
        "format": {
            "enum": ["qrcode", "pdf417", "aztec", "ean128", "none", None],
            "description": "Null is `qrcode`.",
        },
        "message": {**LOOSE_TEXT, "description": "What the code says; without it, the redeem code."},
        "alt_text": {**LOOSE_TEXT, "description": "What stands below the code; without it, the message."},
        "alt_text_type": {**LOOSE_TEXT, "description": "Kept and given back; `mirror` unless it says otherwise."},
    },
}
SWITCH: Final[Schema] = one_of(True, False, "true", "false", "1", "0", 1, 0, None)
_ON: Final = "[tT]([rR][uU][eE])?|[yY]([eE][sS])?|[oO][nN]|1"
_OFF: Final = "[fF]([aA][lL][sS][eE])?|[nN][oO]?|[oO][fF][fF]|0"
LAX_FLAG: Final[Schema] = {
    "anyOf": [
        {"type": ["boolean", "null"]},
        {"enum": [0, 1]},
        {
            "type": "string",
            "pattern": f"^({_ON}|{_OFF}){END}",
        },
    ],
}
CAMPAIGN_NAME: Final[Schema] = {
    "type": "string",
    "pattern": r"\S",
    "maxLength": DEFAULTS.template_name_characters,
}
DESCRIPTION: Final[Schema] = {"type": ["string", "null"], "maxLength": DEFAULTS.template_description_characters}
SIXTEEN_BITS: Final = r"^(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})" + END
DIGITS: Final = r"^-?[0-9]{1,300}" + END

PASS_EXAMPLE: Final[Schema] = {
    "primary_fields": [{"key": "offer", "value": "30% off"}],
    "user_info": {"email": "luis@example.com"},
}
CAMPAIGN_EXAMPLE: Final[Schema] = {
    "name": "Paw Planet - Helloworld",
    "icon_id": "b9836df9-0f8e-4cbb-9f0b-6a2e0c6c11f0",
    "organization_name": "Luis",
    "background_color": "#44b084",
    "primary_fields": [
        {"key": "offer", "value": "20% off", "label": "Any premium dog food", "behaviour": "fixed"},
    ],
    "barcode": {"format": "qrcode"},
}


_NOTHING: Final[Schema] = {"enum": [None, ""]}
_SOMETHING: Final[Schema] = {"type": "string", "minLength": 1}
# with a condition, since generators of clients take plain properties for another definition of the member
_KNOWN_TRANSIT_TYPE: Final[Schema] = {
    "if": {"required": ["transit_type"]},
    "then": {"properties": {"transit_type": {"enum": list(TRANSIT_TYPES)}}},
}
_STRIP_OR_BACKGROUND: Final[Schema] = {
    "anyOf": [{"properties": {name: _NOTHING}} for name in ("strip_id", "background_id")]
}


def _needs(name: str) -> Schema:
    return {"required": [name], "properties": {name: _SOMETHING}}


def show_changes(schema: Schema) -> None:
    """What is not named stays as it is, so no member has a value by default: clients would send it."""
    for member in schema["properties"].values():
        member.pop("default", None)


def show_changed_campaign(schema: Schema) -> None:
    """The members of an update of a campaign."""
    show_changes(schema)
    schema["examples"] = [CAMPAIGN_EXAMPLE]


def show_new_campaign(schema: Schema) -> None:
    """What a campaign needs to begin with."""
    schema["required"] = ["name"]
    is_fixed = {"required": ["code_type"], "properties": {"code_type": {"const": "fixed"}}}
    # the choice below `allOf`, since generators of clients take an object with one of its own for the choice alone
    schema["allOf"] = [
        {"anyOf": [_needs("template_id"), _needs("icon_id")]},
        {"if": is_fixed, "then": _needs("code_fixed_value")},
    ]
    schema["examples"] = [CAMPAIGN_EXAMPLE]


def limit_distance(root: str) -> list[Schema]:
    """How far the campaigns of a type reach, by its root key, where that is less than for others."""
    return [] if root == "event_ticket" else [{"properties": {"max_distance": {"maximum": 100}}}]


def show_type(root: str, *, is_new: bool) -> list[Schema]:
    """What campaigns of a type must hold to beyond the others, by its root key."""
    if root == "event_ticket":
        return [_STRIP_OR_BACKGROUND]
    if root != "boarding_pass":
        return []
    return [
        _KNOWN_TRANSIT_TYPE,
        *([{"anyOf": [_needs("template_id"), {"required": ["transit_type"]}]}] if is_new else []),
    ]


def show_transit_type(schema: Schema) -> None:
    """Boarding passes need one; event tickets show a background or a strip."""
    schema["required"] = [name for name in schema["required"] if name != "transit_type"]
    boarding = {"properties": {"pass_type": {"const": "boardingPass"}}, "required": ["pass_type"]}
    ticket = {"properties": {"pass_type": {"const": "eventTicket"}}, "required": ["pass_type"]}
    schema["allOf"] = [
        {
            "if": boarding,
            "then": {"properties": {"transit_type": {"enum": list(TRANSIT_TYPES)}}, "required": ["transit_type"]},
        },
        {
            "if": ticket,
            "then": _STRIP_OR_BACKGROUND,
        },
    ]
    schema["properties"]["transit_type"]["description"] = (
        f"Of boarding passes, which need one: {', '.join(TRANSIT_TYPES)}. Ignored for others."
    )
    schema["examples"] = [
        {
            "name": "Cocacola",
            "pass_type": "coupon",
            "icon_id": "b9836df9-0f8e-4cbb-9f0b-6a2e0c6c11f0",
            "background_color": "#44b084",
            "barcode": {"format": "qrcode"},
        }
    ]
