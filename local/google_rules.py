"""What Google demands of classes and objects, as far as we send them (Google Wallet, REST reference)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_CLASS = ("id",)
_TYPED_CLASS = (*_CLASS, "issuerName", "reviewStatus")
_OBJECT = ("id", "classId", "state")

REQUIRED: Mapping[str, tuple[str, ...]] = {
    "genericClass": _CLASS,
    "genericObject": (*_OBJECT, "cardTitle", "header"),
    "eventTicketClass": (*_TYPED_CLASS, "eventName"),
    "eventTicketObject": _OBJECT,
    "offerClass": (*_TYPED_CLASS, "title", "provider", "redemptionChannel"),
    "offerObject": _OBJECT,
    "loyaltyClass": (*_TYPED_CLASS, "programName", "programLogo"),
    "loyaltyObject": _OBJECT,
    "transitClass": (*_TYPED_CLASS, "transitType", "logo"),
    "transitObject": (*_OBJECT, "tripType"),
}
"""members that must be there, by resource"""

_ANY_CLASS = frozenset(
    {"classTemplateInfo", "textModulesData", "linksModuleData", "callbackOptions", "messages", "merchantLocations"}
)
_TYPED = frozenset({"hexBackgroundColor", "heroImage"})
_ANY_OBJECT = frozenset(
    {
        "barcode",
        "validTimeInterval",
        "groupingInfo",
        "merchantLocations",
        "textModulesData",
        "linksModuleData",
        "messages",
    }
)
_OPTIONAL: Mapping[str, frozenset[str]] = {
    "genericClass": _ANY_CLASS,
    "genericObject": _ANY_OBJECT | {"logo", "heroImage", "hexBackgroundColor"},
    "eventTicketClass": _ANY_CLASS | _TYPED | {"logo"},
    "eventTicketObject": _ANY_OBJECT,
    "offerClass": _ANY_CLASS | _TYPED | {"titleImage"},
    "offerObject": _ANY_OBJECT,
    "loyaltyClass": _ANY_CLASS | _TYPED,
    "loyaltyObject": _ANY_OBJECT,
    "transitClass": _ANY_CLASS | _TYPED,
    "transitObject": _ANY_OBJECT,
}

RESOURCES = frozenset(REQUIRED)
NOTIFYING = RESOURCES - {"genericClass"}
"""resources that know `notifyPreference`"""

_ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "state": ("ACTIVE", "COMPLETED", "EXPIRED", "INACTIVE"),
    "reviewStatus": ("UNDER_REVIEW", "DRAFT"),
    "redemptionChannel": ("INSTORE", "ONLINE", "BOTH"),
    "transitType": ("BUS", "RAIL", "TRAM", "FERRY", "OTHER"),
    "tripType": ("ROUND_TRIP", "ONE_WAY"),
}
_BARCODES = ("AZTEC", "CODE_39", "CODE_128", "EAN_13", "PDF_417", "QR_CODE", "UPC_A")
_SUFFIX = re.compile(r"[A-Za-z0-9._-]+")
_PATH = re.compile(r"(object|class)\.(textModulesData|linksModuleData\.uris)\['[A-Za-z0-9_-]+'\]")
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def find_fault(resource: str, document: Mapping[str, Any], *, issuer_id: str) -> str | None:
    """The first thing that is wrong with a whole document; None if nothing is."""
    return next(_find_faults(resource, document, issuer_id), None)


def _find_faults(resource: str, document: Mapping[str, Any], issuer_id: str) -> Iterator[str]:
    for name in REQUIRED[resource]:
        if not document.get(name):
            yield f"{name} is missing"
    for name in document.keys() - set(REQUIRED[resource]) - _OPTIONAL[resource]:
        yield f"a {resource} has no {name}"
    for name in ("id", "classId"):
        value = document.get(name)
        if value is not None and not _is_id(value, issuer_id):
            yield f"{name} is no id of the issuer"
    for name, words in _ENUMERATIONS.items():
        if name in document and document[name] not in words:
            yield f"{name} is not one of {', '.join(words)}"
    for name, check in _CHECKS.items():
        if name in document and not check(document[name]):
            yield f"{name} is not as it should be"


def _is_id(value: Any, issuer_id: str) -> bool:
    prefix = f"{issuer_id}."
    return isinstance(value, str) and value.startswith(prefix) and bool(_SUFFIX.fullmatch(value.removeprefix(prefix)))


def _is_text(value: Any) -> bool:
    default = value.get("defaultValue") if isinstance(value, dict) else None
    return isinstance(default, dict) and bool(default.get("language")) and bool(default.get("value"))


def _is_image(value: Any) -> bool:
    uri = value.get("sourceUri", {}).get("uri", "") if isinstance(value, dict) else ""
    return uri.startswith("https://") and ("contentDescription" not in value or _is_text(value["contentDescription"]))


def _are_modules(value: Any) -> bool:
    ids = [module.get("id") for module in value]
    return len(set(ids)) == len(ids) and all(_SUFFIX.fullmatch(module["id"]) and module.get("body") for module in value)


def _are_links(value: Any) -> bool:
    return all(
        re.match(r"https?:|mailto:|tel:", link["uri"]) and _SUFFIX.fullmatch(link["id"]) for link in value["uris"]
    )


def _is_layout(value: Any) -> bool:
    rows = value.get("cardTemplateOverride", {}).get("cardRowTemplateInfos", [])
    return len(rows) <= 3 and all(_PATH.fullmatch(path) for path in list_paths(value))


def list_paths(layout: Any) -> list[str]:
    """Every reference of a `classTemplateInfo`, in order."""
    if isinstance(layout, dict):
        own = [layout["fieldPath"]] if "fieldPath" in layout else []
        return own + [path for value in layout.values() for path in list_paths(value)]
    return [path for value in layout for path in list_paths(value)] if isinstance(layout, list) else []


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "textModulesData": _are_modules,
    "linksModuleData": _are_links,
    "classTemplateInfo": _is_layout,
    "barcode": lambda value: value.get("type") in _BARCODES and bool(value.get("value")),
    "hexBackgroundColor": lambda value: bool(_COLOUR.fullmatch(value)),
    "callbackOptions": lambda value: value.get("url", "").startswith("https://"),
    "merchantLocations": lambda value: (
        len(value) <= 10 and all({"latitude", "longitude"} == place.keys() for place in value)
    ),
    **dict.fromkeys(("cardTitle", "header", "eventName"), _is_text),
    **dict.fromkeys(("logo", "heroImage", "programLogo", "titleImage"), _is_image),
}
