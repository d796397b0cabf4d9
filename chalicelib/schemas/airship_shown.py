"""What the JSON schemas of Airship bodies say beyond what follows from their types (airship-wallet-v1, 4 to 6)."""

from __future__ import annotations

from typing import Any, Final

from chalicelib.domain.content import COMMON_ATTRIBUTES, MODULE_ATTRIBUTES
from chalicelib.domain.templates import BARCODES, CAMPAIGN_TYPES, NO_BARCODE, PASS_BARCODES, PROJECT_TYPES, VENDOR_IDS
from chalicelib.schemas.bounds import DEFAULTS, END, SCALAR, one_of

Schema = dict[str, Any]

FIELDS: Final = (
    "Fields by name. A field that the template does not have is added, placed by its name (`primary1`, `back2`) or"
    " nowhere."
)
HEADERS: Final = (
    "Headers by name, such as `barcode_value`, `barcodeAltText`, `logo_text`, or `expirationDate`, whose value is a"
    " date and whose label `voided` or `valid`."
)

_ATTRIBUTE_TEXTS: Final = {
    "value": "What the field shows.",
    "label": "What stands beside the value.",
    "changeMessage": "What a device says when the value has changed; `%@` stands for the new value.",
}

PASS_ENTRY: Final[Schema] = {
    "type": "object",
    "description": "What is to change of a field or header; other keys are ignored.",
    "properties": {name: {**SCALAR, "description": _ATTRIBUTE_TEXTS[name]} for name in sorted(COMMON_ATTRIBUTES)}
    | {
        name: {**SCALAR, "description": "Of a module of Google's; ignored in other fields."}
        for name in sorted(MODULE_ATTRIBUTES)
    },
}

ENTRIES: Final[Schema] = {
    "maxProperties": DEFAULTS.entries,
    "propertyNames": {"minLength": 1, "maxLength": DEFAULTS.name_characters},
}

_BARCODES: Final = "A vendor's name of a barcode, of which a wallet shows those that it knows; `none` is no barcode."

_BARCODE_VALUE: Final = {"enum": list(PASS_BARCODES), "description": _BARCODES}
PASS_HEADERS: Final[Schema] = {
    "properties": {
        "barcode_type": {**PASS_ENTRY, "properties": {**PASS_ENTRY["properties"], "value": _BARCODE_VALUE}},
    },
}

TEMPLATE_VALUE: Final[Schema] = {"maxLength": DEFAULTS.value_characters}
"""of a text; other values are bounded by the size of all"""

EXTERNAL_ID: Final[Schema] = {
    "anyOf": [
        {"type": "string", "minLength": 1, "maxLength": DEFAULTS.external_id_characters},
        {"type": "integer"},
        {"type": "null"},
    ],
}

TAG_NAME: Final[Schema] = {
    "minLength": 1,
    "maxLength": DEFAULTS.tag_characters,
    "pattern": r"^\s*[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?\s*$",
    "description": (
        "1 to 255 characters after Unicode NFC and trimming, none of them a control character. Case matters."
    ),
}

PUBLIC_TYPE: Final[Schema] = {"pattern": "^([sS][iI][nN][gG][lL][eE]|[mM][uU][lL][tT][iI][pP][lL][eE])" + END}

UPDATE_EXAMPLE: Final[Schema] = {
    "fields": {"secondary1": {"value": "12/31/2013"}, "primary1": {"value": "$2 Off"}},
}
CREATE_EXAMPLE: Final[Schema] = {
    "headers": {
        "expirationDate": {"value": "2034-08-20T09:41-08:00"},
        "barcodeAltText": {"value": "abc1234567890", "label": "label"},
        "barcode_value": {"value": "abc1234567890", "label": "label"},
    },
    "publicURL": {"type": "multiple"},
    "tag": "Text Tag",
    "externalId": "id123",
    "fields": {"Text": {"value": "Text Value", "label": "Text Label"}},
}
TEMPLATE_EXAMPLE: Final[Schema] = {
    "name": "Card",
    "description": "A card",
    "projectType": "memberCard",
    "type": "Store Card",
    "vendor": "Apple",
    "vendorId": 1,
    "fields": {
        "Points": {"fieldType": "primary", "label": "Points", "value": "0", "formatType": "Number", "order": 1},
        "Tier": {"fieldType": "secondary", "label": "Tier", "value": "Basic", "formatType": "String", "order": 2},
    },
    "headers": {
        "barcode_type": {"fieldType": "barcode", "formatType": 1, "value": "PKBarcodeFormatPDF417"},
        "logo_text": {"fieldType": "topLevel", "formatType": 1, "value": "Acme"},
    },
}


def show_array_of_locations(schema: Schema) -> None:
    """The object, or its array by itself, as older clients send it."""
    wrapped = {key: schema.pop(key) for key in ("type", "properties", "required")}
    array = {key: value for key, value in wrapped["properties"]["locations"].items() if key != "title"}
    schema["anyOf"] = [wrapped, array]
    schema["examples"] = [{"locations": [{"latitude": 37.6, "longitude": -122.3, "relevantText": "Nearby"}]}]


def show_both_spellings(schema: Schema) -> None:
    """`publicURL` as documented, and `publicUrl` as it is answered; the first counts if both are there."""
    schema["properties"]["publicUrl"] = {"description": "Another spelling of `publicURL`, which counts if it is there."}
    schema["if"] = {"not": {"required": ["publicURL"]}}
    schema["then"] = {"properties": {"publicUrl": dict(schema["properties"]["publicURL"])}}
    schema["examples"] = [CREATE_EXAMPLE]


BULK: Final[Schema] = {
    "maxItems": DEFAULTS.passes_per_request,
    "description": (
        "Each entry is as the body that creates one pass (`CreatePassBody`). An entry that is not is refused by itself,"
        " and the others are created."
    ),
}
BULK_EXAMPLE: Final[Schema] = {"passes": [{"externalId": "id123"}, {"fields": {"Points": {"value": "5"}}}]}

PROJECT_TYPE: Final[Schema] = {"enum": [*PROJECT_TYPES, None]}
TYPE: Final[Schema] = {"enum": [*dict.fromkeys(name for _, name in CAMPAIGN_TYPES), None]}
VENDOR: Final[Schema] = {"enum": [*VENDOR_IDS, None]}
VENDOR_ID: Final[Schema] = one_of(*VENDOR_IDS.values(), *map(str, VENDOR_IDS.values()), None)

_APPLE_ENTRY: Final[Schema] = {
    "properties": {
        name: {"type": ["string", "number", "boolean", "null"]}
        for name in (
            *("changeMessage", "col", "currencyCode", "hideEmpty", "label", "numberStyle", "order", "required", "row"),
            *("textAlignment", "value"),
        )
    }
}
_FIELD_FORMATS: Final = ("Number", "String", "URL", "Date", "Currency", "Phone", "Email")


def _rules(vendor: str) -> Schema:
    types = [name for of, name in CAMPAIGN_TYPES if of == vendor]
    barcode = {"properties": {"value": {"enum": [*BARCODES[vendor], NO_BARCODE, None]}}}
    field: Schema = {"properties": {"fieldType": {"type": "string"}}}
    header: Schema = {}
    if vendor == "Apple":
        field = {
            "properties": {
                **_APPLE_ENTRY["properties"],
                "fieldType": {"type": "string"},
                "formatType": {"enum": [*_FIELD_FORMATS, None]},
            }
        }
        header = {
            "properties": {
                **_APPLE_ENTRY["properties"],
                "fieldType": {"type": ["string", "number", "boolean", "null"]},
                "formatType": {"type": ["integer", "null"]},
            }
        }
    return {
        "properties": {
            "type": {"enum": [*types, None]},
            "vendorId": {"enum": [VENDOR_IDS[vendor], str(VENDOR_IDS[vendor]), None]},
            "fields": {"additionalProperties": field},
            "headers": {"additionalProperties": header, "properties": {"barcode_type": {"allOf": [barcode, header]}}},
        }
    }


def _is_google() -> Schema:
    by_name = {"properties": {"vendor": {"const": "Google"}}, "required": ["vendor"]}
    nameless = {"properties": {"vendor": {"const": None}}}
    by_id = {"properties": {"vendorId": {"enum": [2, "2"]}}, "required": ["vendorId"]}
    return {"anyOf": [by_name, {"allOf": [nameless, by_id]}]}


TEMPLATE: Final[Schema] = {
    "if": _is_google(),
    "then": _rules("Google"),
    "else": _rules("Apple"),
    "examples": [TEMPLATE_EXAMPLE],
}
"""What holds for one vendor alone. An update that names no vendor is held to that of the template."""
