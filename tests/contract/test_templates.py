"""Templates (section 6)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.expectations import (
    MILLISECONDS,
    check_error,
    check_keys,
    check_no_fault,
    check_pagination,
    find_error_fault,
)
from tests.contract.samples import GOOGLE_TEMPLATE, PLACE, TEMPLATE, new_pass, new_template, read_pass
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Tenant

HEADER_KEYS = {
    *("id", "projectId", "name", "description", "type", "projectType", "vendor", "vendorId"),
    *("deleted", "disabled", "createdAt", "updatedAt"),
}
APPLE_TYPES = ["Boarding Pass", "Coupon", "Event Ticket", "Generic", "Store Card"]
GOOGLE_TYPES = ["Loyalty", "Offer", "Gift Card"]
PROJECT_TYPES = ["boardingPass", "coupon", "eventTicket", "generic", "loyalty", "giftCard", "memberCard", "offer"]
APPLE_BARCODES = [f"PKBarcodeFormat{kind}" for kind in ("PDF417", "Aztec", "QR", "Code128")]
GOOGLE_BARCODES = ["PDF_417", "AZTEC", "QR_CODE", "CODE_128", "UPC_A", "EAN_13", "CODE_39"]


def read(tenant: Tenant, template_id: int | str) -> Any:
    return tenant.call("GET", f"/v1/template/{template_id}")


def names_on(tenant: Tenant, **query: Any) -> list[str]:
    answer = tenant.call("GET", "/v1/template/headers", params=query)
    return [header["name"] for header in answer["templateHeaders"]]


# Create


@pytest.mark.parametrize(
    ("path", "body", "external_id"),
    [
        ("/v1/template", {}, None),
        ("/v1/template", {"externalId": "card"}, "card"),
        ("/v1/template/{project}", {}, None),
        ("/v1/template/{project}", {"externalId": "12"}, "12"),
        ("/v1/template/{project}/id/my%20card%2F1", {}, "my card/1"),
    ],
)
def test_each_path_form_creates_and_answers_a_number(
    tenant: Tenant, path: str, body: dict[str, Any], external_id: str | None
) -> None:
    answer = tenant.call("POST", path.format(project=tenant.project_id), json=TEMPLATE | body)
    assert set(answer) == {"templateId"}
    assert type(answer["templateId"]) is int
    whole = read(tenant, answer["templateId"])
    assert whole["templateHeader"].get("externalId") == external_id
    if external_id is not None:
        assert read(tenant, f"id/{quote(external_id, safe='')}") == whole


@pytest.mark.parametrize("project", ["99999999", "0", "abc", "-1"])
def test_another_projects_id_is_404(tenant: Tenant, project: str) -> None:
    check_error(tenant.request("POST", f"/v1/template/{project}", json=TEMPLATE), 404)
    check_error(tenant.request("POST", f"/v1/template/{project}/id/card", json=TEMPLATE), 404)
    assert names_on(tenant) == []


def test_an_external_id_in_use_is_400(tenant: Tenant) -> None:
    new_template(tenant, externalId="card")
    before = take_snapshot(tenant)
    check_error(tenant.request("POST", "/v1/template", json=TEMPLATE | {"externalId": "card"}), 400)
    path = f"/v1/template/{tenant.project_id}/id/card"
    check_error(tenant.request("POST", path, json=TEMPLATE), 400)
    assert take_snapshot(tenant) == before


@pytest.mark.parametrize("type_", APPLE_TYPES)
def test_apple_types(tenant: Tenant, type_: str) -> None:
    assert read(tenant, new_template(tenant, type=type_))["templateHeader"]["type"] == type_


@pytest.mark.parametrize("type_", GOOGLE_TYPES)
def test_google_types(tenant: Tenant, type_: str) -> None:
    header = read(tenant, new_template(tenant, **GOOGLE_TEMPLATE | {"type": type_}))["templateHeader"]
    assert (header["type"], header["vendor"], header["vendorId"]) == (type_, "Google", "2")


@pytest.mark.parametrize("project_type", PROJECT_TYPES)
def test_project_types_are_kept_with_and_without_a_type(tenant: Tenant, project_type: str) -> None:
    template_id = new_template(tenant, projectType=project_type)
    assert read(tenant, template_id)["templateHeader"]["projectType"] == project_type
    bare = tenant.call("POST", "/v1/template", json={"name": "Bare", "projectType": project_type})["templateId"]
    header = read(tenant, bare)["templateHeader"]
    assert header["projectType"] == project_type
    assert header["type"] in APPLE_TYPES


def test_every_barcode_of_the_vendor_is_taken(tenant: Tenant) -> None:
    for template, barcodes in ((TEMPLATE, APPLE_BARCODES), (GOOGLE_TEMPLATE, GOOGLE_BARCODES)):
        for barcode in barcodes:
            new_template(tenant, **template | {"headers": {"barcode_type": {"value": barcode}}})


WRONG: list[Any] = [
    {"name": ""},
    {"name": None},
    {"name": 5},
    {"name": "x" * 256},
    {"description": 5},
    {"vendor": "apple"},
    {"vendor": "Microsoft"},
    {"vendorId": 3},
    {"vendorId": "one"},
    {"vendorId": True},
    {"vendorId": " 1 "},
    {"vendorId": "01"},
    {"type": ""},
    {"projectType": ""},
    {"vendor": "Apple", "vendorId": 2},
    {"type": "store card"},
    {"type": "Loyalty"},
    {"type": 5},
    {"vendor": "Google", "vendorId": 2, "type": "Store Card", "headers": {}},
    {"projectType": "MemberCard"},
    {"projectType": 5},
    {"fields": []},
    {"fields": {"Points": "x"}},
    {"fields": {"Points": {"fieldType": 5}}},
    {"fields": {"Points": {"value": {}}}},
    {"fields": {"Points": {"value": "x" * 8193}}},
    {"headers": {"logo_text": {"label": "x" * 8193}}},
    {**GOOGLE_TEMPLATE, "fields": {"Points": {"fieldType": "textModule", "body": "x" * 8193}}},
    {"headers": "x"},
    {"headers": {"barcode_type": {"value": "QR_CODE"}}},
    {"headers": {"barcode_type": {"value": 5}}},
    {"beacons": {}},
    {"externalId": ""},
    {"externalId": "x" * 256},
]


def test_a_wrong_value_is_400_on_create_and_update(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    before = take_snapshot(tenant)
    check_no_fault(
        {
            f"{method} {change}": find_error_fault(tenant.request(method, path, json=TEMPLATE | change), 400)
            for change in WRONG
            for method, path in (("POST", "/v1/template"), ("PUT", f"/v1/template/{template_id}"))
        }
    )
    assert take_snapshot(tenant) == before


def test_sizes_are_those_of_utf_8_and_not_of_escapes(tenant: Tenant) -> None:
    fields = {f"Text{number}": {"fieldType": "back", "value": "é" * 8192} for number in range(3)}
    template_id = new_template(tenant, fields=fields)
    assert read_pass(tenant, new_pass(tenant, template_id))["fields"] == fields


def test_a_template_needs_a_name(tenant: Tenant) -> None:
    check_error(tenant.request("POST", "/v1/template", json={}), 400, mentions="name")


# Read


def test_an_apple_template_is_read_in_its_own_shape(tenant: Tenant) -> None:
    whole = read(tenant, new_template(tenant, externalId="card", beacons=[{"proximityUUID": "u"}]))
    check_keys(whole, {"templateHeader", "fieldsModel", "beacons", "userlocations"})
    check_keys(whole["templateHeader"], HEADER_KEYS | {"externalId"})
    assert whole["fieldsModel"] == {"fields": TEMPLATE["fields"], "headers": TEMPLATE["headers"]}
    assert whole["beacons"] == [{"proximityUUID": "u"}]
    assert whole["userlocations"] == []
    header = whole["templateHeader"]
    assert {type(value) for value in header.values()} == {str}
    assert header["projectId"] == str(tenant.project_id)
    assert (header["vendor"], header["vendorId"]) == ("Apple", "1")
    assert (header["deleted"], header["disabled"]) == ("False", "False")
    assert MILLISECONDS.fullmatch(header["createdAt"])
    assert header["updatedAt"] == header["createdAt"]


def test_a_google_template_has_its_modules_and_headers_a_level_higher(tenant: Tenant) -> None:
    modules: dict[str, Any] = {
        "titleModule": {"title": {"label": "Title", "value": "Half price"}},
        "textModulesData": {"info": {}},
    }
    body = GOOGLE_TEMPLATE | {"fields": modules}
    whole = read(tenant, tenant.call("POST", "/v1/template", json=body)["templateId"])
    check_keys(whole, {"templateHeader", "fieldsModel", "headers", "beacons", "userlocations"})
    assert set(whole["fieldsModel"]) == set(modules)
    assert whole["fieldsModel"]["titleModule"]["title"] == modules["titleModule"]["title"]
    assert whole["headers"] == GOOGLE_TEMPLATE["headers"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("template", ["99999999", "0", "abc", "-1", "9007199254740992", "id/nobody", "id/9"])
def test_an_unknown_template_is_404(tenant: Tenant, method: str, template: str) -> None:
    body = TEMPLATE if method == "PUT" else None
    check_error(tenant.request(method, f"/v1/template/{template}", json=body), 404)


# Update


@pytest.mark.parametrize("form", ["/v1/template/{id}", "/v1/template/id/card"])
def test_an_update_replaces_everything(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant, externalId="card", beacons=[{"proximityUUID": "u"}])
    before = read(tenant, template_id)
    time.sleep(0.002)
    body = {"name": "New", "type": "Generic", "projectType": "generic", "fields": {"Only": {"fieldType": "back"}}}
    assert tenant.request("PUT", form.format(id=template_id), json=body).status_code == 200
    after = read(tenant, template_id)
    assert after["fieldsModel"] == {"fields": body["fields"], "headers": {}}
    assert after["beacons"] == []
    header = after["templateHeader"]
    assert (header["name"], header["description"], header["type"]) == ("New", "", "Generic")
    for key in ("id", "createdAt", "externalId", "vendor", "projectId"):
        assert header[key] == before["templateHeader"][key], key
    assert header["updatedAt"] > before["templateHeader"]["updatedAt"]


def test_issued_passes_keep_what_they_show(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id)
    before = read_pass(tenant, pass_id)
    tenant.request("PUT", f"/v1/template/{template_id}", json={"name": "New", "fields": {}})
    assert read_pass(tenant, pass_id) == before


# Duplicate


@pytest.mark.parametrize("form", ["/v1/template/duplicate/{id}", "/v1/template/duplicate/id/my+card"])
def test_a_duplicate_is_equal_but_for_its_ids(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant, externalId="my card")
    tenant.call("POST", f"/v1/template/{template_id}/locations", json=[PLACE])
    answer = tenant.http.request("POST", form.format(id=template_id), headers={"Content-Length": "0"}).json()
    assert set(answer) == {"templateId"}
    assert type(answer["templateId"]) is int
    original, copy = read(tenant, template_id), read(tenant, answer["templateId"])
    assert copy["fieldsModel"] == original["fieldsModel"]
    assert [each["value"] for each in copy["userlocations"]] == [PLACE]
    assert "externalId" not in copy["templateHeader"]
    for key in ("name", "description", "type", "projectType", "vendor", "vendorId", "projectId"):
        assert copy["templateHeader"][key] == original["templateHeader"][key]
    tenant.call("DELETE", f"/v1/template/{answer['templateId']}")
    assert read(tenant, template_id) == original


@pytest.mark.parametrize("template", ["99999999", "abc", "id/nobody"])
def test_duplicating_an_unknown_template_is_404(tenant: Tenant, template: str) -> None:
    check_error(tenant.request("POST", f"/v1/template/duplicate/{template}"), 404)


# Delete


@pytest.mark.parametrize("form", ["/v1/template/{id}", "/v1/template/id/card"])
def test_a_template_with_passes_is_not_deleted(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant, externalId="card")
    pass_id = new_pass(tenant, template_id)
    before = take_snapshot(tenant)
    check_error(tenant.request("DELETE", form.format(id=template_id)), 400)
    assert take_snapshot(tenant) == before
    tenant.call("DELETE", f"/v1/pass/{pass_id}")
    assert tenant.request("DELETE", form.format(id=template_id)).status_code == 200
    for path in (f"/v1/template/{template_id}", "/v1/template/id/card", f"/v1/template/{template_id}/passes"):
        check_error(tenant.request("GET", path), 404)
    check_error(tenant.request("POST", f"/v1/pass/{template_id}", json={}), 404)
    assert names_on(tenant) == []
    assert tenant.call("GET", "/v1/template/headers")["count"] == 0


def test_the_external_id_of_a_deleted_template_is_free(tenant: Tenant) -> None:
    first = new_template(tenant, externalId="card")
    tenant.call("DELETE", "/v1/template/id/card")
    second = new_template(tenant, externalId="card")
    assert first != second
    assert read(tenant, "id/card")["templateHeader"]["id"] == str(second)


# List


def test_the_list_of_headers_has_strings_only(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    answer = tenant.call("GET", "/v1/template/headers")
    check_keys(answer, {"count", "templateHeaders", "pagination"})
    check_pagination(answer["pagination"])
    assert answer["templateHeaders"] == [read(tenant, template_id)["templateHeader"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "CAB"),
        ({"direction": "asc"}, "BAC"),
        ({"order": "name"}, "CBA"),
        ({"order": "NAME", "direction": "ASC"}, "ABC"),
        ({"order": "createdAt", "direction": "ASC"}, "BAC"),
        ({"order": "updatedAt"}, "BCA"),
        ({"order": "name", "direction": "ASC", "pageSize": 2, "page": 2}, "C"),
    ],
    ids=str,
)
def test_headers_run_in_the_order_asked_for(tenant: Tenant, query: dict[str, Any], expected: str) -> None:
    templates = {name: new_template(tenant, name=name) for name in "BAC"}
    time.sleep(0.002)
    tenant.request("PUT", f"/v1/template/{templates['B']}", json=TEMPLATE | {"name": "B"})
    assert names_on(tenant, **query) == list(expected)


# Locations


@pytest.mark.parametrize("form", ["/v1/template/{id}", "/v1/template/id/card"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "bare array"])
def test_locations_are_added_shown_inherited_and_removed(tenant: Tenant, form: str, wrapped: bool) -> None:
    template_id = new_template(tenant, externalId="card")
    path = form.format(id=template_id)
    sent = [PLACE, PLACE | {"latitude": 1}]
    added = tenant.call("POST", f"{path}/locations", json={"locations": sent} if wrapped else sent)
    assert [set(each) for each in added] == [{"value", "locationId", "fieldId"}] * 2
    assert [each["value"] for each in added] == sent
    assert {type(each[key]) for each in added for key in ("locationId", "fieldId")} == {int}
    assert read(tenant, template_id)["userlocations"] == added
    assert len(read_pass(tenant, new_pass(tenant, template_id))["locations"]) == 2
    assert tenant.request("DELETE", f"{path}/location/{added[0]['locationId']}").status_code == 200
    assert read(tenant, template_id)["userlocations"] == added[1:]
    check_error(tenant.request("DELETE", f"{path}/location/{added[0]['locationId']}"), 404)


def test_a_template_takes_ten_locations(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    tenant.call("POST", f"/v1/template/{template_id}/locations", json=[PLACE] * 10)
    before = read(tenant, template_id)
    check_error(tenant.request("POST", f"/v1/template/{template_id}/locations", json=[PLACE]), 400)
    assert read(tenant, template_id) == before
