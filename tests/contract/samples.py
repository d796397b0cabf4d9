"""Templates, passes and tags that contract tests start from, made through the API as any client would."""

from __future__ import annotations

from typing import Any

from tests.support import devices
from tests.support.stack import Tenant

TEMPLATE: dict[str, Any] = {
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

GOOGLE_TEMPLATE: dict[str, Any] = {
    "name": "Offer",
    "projectType": "offer",
    "type": "Offer",
    "vendor": "Google",
    "vendorId": 2,
    "fields": {
        "title": {"fieldType": "titleModule", "label": "Title", "value": "Half price"},
        "info": {"fieldType": "textModulesData", "header": "More", "body": "Until Friday"},
    },
    "headers": {"barcode_type": {"fieldType": "barcodeModule", "formatType": 1, "value": "QR_CODE"}},
}

PLACE: dict[str, Any] = {"latitude": 37.6, "longitude": -122.3, "relevantText": "Nearby"}


def new_template(tenant: Tenant, path: str = "/v1/template", **changes: Any) -> int:
    """Id of a new template."""
    template_id = tenant.call("POST", path, json=TEMPLATE | changes)["templateId"]
    assert isinstance(template_id, int)
    return template_id


def new_pass(tenant: Tenant, template_id: int | None = None, **body: Any) -> int:
    """Id of a new pass, in a template of its own unless one is given."""
    parent = new_template(tenant) if template_id is None else template_id
    return int(tenant.call("POST", f"/v1/pass/{parent}", json=body)["id"])


def new_passes(tenant: Tenant, count: int, *, template_id: int | None = None, **body: Any) -> list[int]:
    """Ids of many new passes with the same body."""
    parent = new_template(tenant) if template_id is None else template_id
    answer = tenant.call("POST", f"/v1/pass/{parent}/bulk", json={"passes": [body] * count})
    assert answer["failed"] == 0
    return [int(each["id"]) for each in answer["passes"]]


def read_pass(tenant: Tenant, pass_id: int) -> Any:
    """The pass as its object."""
    return tenant.call("GET", f"/v1/pass/{pass_id}")


def add_tags(tenant: Tenant, pass_id: int, *names: str) -> Any:
    """The answer to adding tags."""
    return tenant.call("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": list(names)})


def tags_of(tenant: Tenant, pass_id: int) -> list[str]:
    """Names of a pass's tags."""
    return [tag["name"] for tag in tenant.call("GET", f"/v1/pass/{pass_id}/tags")["tags"]]


def all_tags(tenant: Tenant) -> dict[str, int]:
    """Name to id of every tag of the project."""
    page = tenant.call("GET", "/v1/tag", params={"pageSize": 1000})
    assert page["count"] == len(page["tags"])
    return {tag["tag"]: tag["id"] for tag in page["tags"]}


def passes_of(tenant: Tenant, tag: str, **query: Any) -> list[int]:
    """Ids on one page of a tag's passes; the name is put into the path as it stands."""
    return [each["id"] for each in tenant.call("GET", f"/v1/tag/{tag}/passes", params=query)["passes"]]


def install(tenant: Tenant, pass_id: int, device_platform: str = "android") -> None:
    """What a wallet reports when it takes a pass; the Airship dialect has no call for that."""
    from chalicelib.wiring import get_platform

    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_id, device_platform=device_platform)


def uninstall(tenant: Tenant, pass_id: int) -> None:
    """What a wallet reports when it gives a pass up."""
    from chalicelib.wiring import get_platform

    devices.remove(get_platform(), project_id=tenant.project_id, pass_id=pass_id)
