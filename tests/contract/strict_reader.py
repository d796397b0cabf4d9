"""The rules by which the official Python client reads a pass (section 5, strict reading)."""

from __future__ import annotations

from typing import Any

APPLE_KINDS = {"primary", "secondary", "tertiary", "auxiliary", "back", "header"}
ENTRY_KEYS = {
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
GOOGLE_KEYS = {"header", "body", "uri", "description", "balance", "image"}
NEVER_NULL = {"numberStyle", "formatType", "textAlignment"}
FORMATS = {"Number", "String", "URL", "Date", "Currency", "Phone", "Email"}


def find_faults(document: dict[str, Any], *, google: bool = False) -> list[str]:
    """Why the client would refuse a pass; empty if it would read it."""
    fields, headers = document["fields"], document["headers"]
    allowed = ENTRY_KEYS | GOOGLE_KEYS if google else ENTRY_KEYS
    faults = []
    if not any(_is_known_kind(entry.get("fieldType")) for entry in fields.values()):
        faults.append(f"no field of a known kind: {fields}")
    for name, entry in fields.items():
        if "fieldType" not in entry:
            faults.append(f"field {name} has no fieldType")
        if "formatType" in entry and entry["formatType"] not in FORMATS:
            faults.append(f"field {name} has formatType {entry['formatType']!r}, not a word")
    for name, entry in headers.items():
        if "formatType" in entry and type(entry["formatType"]) is not int:
            faults.append(f"header {name} has formatType {entry['formatType']!r}, not a number")
    for name, entry in (*fields.items(), *headers.items()):
        faults += [f"{name} has the key {key}" for key in sorted(set(entry) - allowed)]
        faults += [f"{name}.{key} is null" for key in sorted(NEVER_NULL) if key in entry and entry[key] is None]
    barcode = headers.get("barcode_type", {}).get("value")
    if not isinstance(barcode, str):
        faults.append(f"barcode_type has the value {barcode!r}, not a string")
    return faults


def _is_known_kind(kind: Any) -> bool:
    return kind in APPLE_KINDS or (isinstance(kind, str) and kind.endswith(("Module", "ModuleData", "ModulesData")))
