"""Creating, reading and deleting passes (section 5)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.expectations import (
    MILLISECONDS,
    SECONDS,
    UUID,
    check_error,
    check_keys,
    check_no_fault,
    find_error_fault,
)
from tests.contract.samples import (
    GOOGLE_TEMPLATE,
    PLACE,
    TEMPLATE,
    all_tags,
    install,
    new_pass,
    new_template,
    passes_of,
    read_pass,
    tags_of,
)
from tests.contract.snapshot import take_snapshot
from tests.contract.strict_reader import find_faults
from tests.support.stack import Tenant

READ_KEYS = {
    *("id", "templateId", "uaEntityId", "serialNumber", "url", "publicUrl", "status", "tags"),
    *("createdAt", "updatedAt", "locations", "fields", "headers"),
}

PRINTED_BODY = {
    "headers": {
        "expirationDate": {"value": "2014-08-20T9:41-08:00"},
        "barcodeAltText": {"value": "abc1234567890", "label": "label"},
        "barcode_value": {"value": "abc1234567890", "label": "label"},
    },
    "publicURL": {"type": "multiple"},
    "tag": "Text Tag",
    "externalId": "id123",
    "fields": {"Text": {"value": "Text Value", "label": "Text Label"}},
}
"""section 5, create: the request as documented"""


# Create


def test_the_printed_create_request_gets_the_printed_reply(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    created = tenant.call("POST", f"/v1/pass/{template_id}", json=PRINTED_BODY)
    check_keys(created, {"id", "url", "createdAt", "publicUrl", "status"}, {"externalId"})
    assert type(created["id"]) is str
    assert f"/v1/pass/{created['id']}/download" in created["url"]
    assert SECONDS.fullmatch(created["createdAt"])
    assert created["publicUrl"]["type"].lower() == "multiple"
    assert created["publicUrl"]["path"].startswith("http")
    assert created["status"] == "not_been_installed"

    whole = read_pass(tenant, int(created["id"]))
    assert whole["externalId"] == "id123"
    assert whole["tags"] == ["Text Tag"]
    assert whole["publicUrl"]["type"].lower() == "multiple"
    assert whole["url"] == created["url"]
    assert whole["headers"]["barcode_value"]["value"] == "abc1234567890"
    assert whole["fields"]["Text"]["label"] == "Text Label"
    assert find_faults(whole) == []


@pytest.mark.parametrize(
    ("path", "body", "external_id"),
    [
        ("/v1/pass/{template}", {}, None),
        ("/v1/pass/{template}", {"externalId": "p"}, "p"),
        ("/v1/pass/{template}/id/p%2F1", {}, "p/1"),
        ("/v1/pass/id/my%20card", {}, None),
        ("/v1/pass/id/my+card", {}, None),
        ("/v1/pass/id/my%20card", {"externalId": "p"}, "p"),
        ("/v1/pass/id/my%20card/id/p%2F1", {}, "p/1"),
        ("/v1/pass/{template}/id/123", {}, "123"),
    ],
)
def test_each_path_form_creates_in_the_named_template(
    tenant: Tenant, path: str, body: dict[str, Any], external_id: str | None
) -> None:
    template_id = new_template(tenant, externalId="my card")
    created = tenant.call("POST", path.format(template=template_id), json=body)
    whole = read_pass(tenant, int(created["id"]))
    assert whole["templateId"] == str(template_id)
    assert whole.get("externalId") == external_id
    if external_id is not None:
        quoted = quote(external_id, safe="")
        for form in (f"/v1/pass/id/{quoted}", f"/v1/pass/template/{template_id}/id/{quoted}"):
            assert tenant.call("GET", form) == whole


def test_an_empty_body_object_creates_what_the_template_shows(tenant: Tenant) -> None:
    whole = read_pass(tenant, new_pass(tenant))
    assert whole["fields"] == TEMPLATE["fields"]
    assert whole["headers"] == TEMPLATE["headers"]


def test_only_what_differs_from_the_template_needs_to_be_sent(tenant: Tenant) -> None:
    whole = read_pass(tenant, new_pass(tenant, fields={"Points": {"value": "33.0"}}))
    assert whole["fields"] == TEMPLATE["fields"] | {"Points": TEMPLATE["fields"]["Points"] | {"value": "33.0"}}


@pytest.mark.parametrize("key", ["publicURL", "publicUrl"])
@pytest.mark.parametrize("kind", ["single", "Single", "MULTIPLE", "multiple"])
def test_public_url_is_read_in_both_spellings_and_any_case(tenant: Tenant, key: str, kind: str) -> None:
    body: dict[str, Any] = {key: {"type": kind}}
    whole = read_pass(tenant, new_pass(tenant, **body))
    check_keys(whole["publicUrl"], {"path", "image", "type"})
    assert whole["publicUrl"]["type"].lower() == kind.lower()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"tag": "gold"}, ["gold"]),
        ({"tags": ["gold", "vip"]}, ["gold", "vip"]),
        ({"tag": "gold", "tags": ["vip", "gold"]}, ["gold", "vip"]),
        ({"tag": " gold "}, ["gold"]),
        ({"tags": []}, []),
    ],
)
def test_tag_and_tags_put_tags_on_the_new_pass(tenant: Tenant, body: dict[str, Any], expected: list[str]) -> None:
    pass_id = new_pass(tenant, **body)
    assert tags_of(tenant, pass_id) == read_pass(tenant, pass_id)["tags"] == expected
    assert list(all_tags(tenant)) == expected[::-1]
    for tag in expected:
        assert passes_of(tenant, tag) == [pass_id]


WRONG: list[Any] = [
    {"tag": ""},
    {"tag": "x" * 256},
    {"tag": "a\nb"},
    {"tag": 5},
    {"tags": "gold"},
    {"tags": [str(number) for number in range(16)]},
    {"tag": "one more", "tags": [str(number) for number in range(15)]},
    {"externalId": ""},
    {"externalId": "x" * 256},
    {"externalId": ["a"]},
    {"externalId": True},
    {"publicURL": {"type": "both"}},
    {"publicURL": "multiple"},
    {"fields": []},
    {"fields": {"Points": "33"}},
    {"fields": {"Points": {"value": {"deep": 1}}}},
    {"fields": {"": {"value": "1"}}},
    {"fields": {"Points": {"value": "x" * 100_000}}},
    {"headers": {"logo": []}},
    {"locations": {}},
    {"locations": [PLACE] * 11},
    {"locations": [{"latitude": 91, "longitude": 0}]},
    {"locations": [{"latitude": 1}]},
    {"locations": [{"latitude": "1", "longitude": "2"}]},
    {"locations": [{"latitude": True, "longitude": 0}]},
    {"beacons": {}},
    {"semantics": []},
]


def test_a_wrong_value_is_400_and_creates_nothing(tenant: Tenant) -> None:
    path = f"/v1/pass/{new_template(tenant)}"
    check_no_fault({str(body)[:99]: find_error_fault(tenant.request("POST", path, json=body), 400) for body in WRONG})
    assert tenant.call("GET", "/v1/pass")["count"] == 0
    assert all_tags(tenant) == {}


@pytest.mark.parametrize("path", ["/v1/pass/99999999", "/v1/pass/nobody", "/v1/pass/id/nobody", "/v1/pass/1/id/x/"])
def test_creating_in_an_unknown_template_is_404(tenant: Tenant, path: str) -> None:
    check_error(tenant.request("POST", path, json={}), 404)


# External ids


@pytest.mark.parametrize("path", ["/v1/pass/{template}", "/v1/pass/{template}/id/taken", "/v1/pass/id/card/id/taken"])
def test_an_external_id_in_use_is_400_and_changes_nothing(tenant: Tenant, path: str) -> None:
    template_id = new_template(tenant, externalId="card")
    new_pass(tenant, template_id, externalId="taken", tag="gold")
    before = take_snapshot(tenant)
    body = {"externalId": "taken", "tag": "new tag"}
    check_error(tenant.request("POST", path.format(template=template_id), json=body), 400)
    assert take_snapshot(tenant) == before


def test_an_external_id_may_repeat_in_another_template(tenant: Tenant) -> None:
    first, second = (new_pass(tenant, externalId="same") for _ in range(2))
    for pass_id in (first, second):
        template_id = read_pass(tenant, pass_id)["templateId"]
        assert tenant.call("GET", f"/v1/pass/template/{template_id}/id/same")["id"] == str(pass_id)
    hint = "/pass/template/{templateId}/id/{passExternalId}"
    body = {"fields": {"Points": {"value": "1"}}}
    before = take_snapshot(tenant)
    check_error(tenant.request("GET", "/v1/pass/id/same"), 400, mentions=hint)
    check_error(tenant.request("PUT", "/v1/pass/id/same", json=body), 400, mentions=hint)
    check_error(tenant.request("DELETE", "/v1/pass/id/same"), 400, mentions=hint)
    check_error(tenant.request("POST", "/v1/pass/id/same/locations", json=[PLACE]), 400, mentions=hint)
    assert take_snapshot(tenant) == before


def test_external_ids_differ_by_case_and_keep_their_spaces(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    ids = {name: new_pass(tenant, template_id, externalId=name) for name in ("a", "A", " a", "Cafe\u0301", "Café")}
    for name, pass_id in ids.items():
        assert tenant.call("GET", f"/v1/pass/id/{quote(name, safe='')}")["id"] == str(pass_id)


@pytest.mark.parametrize(
    "name", ["tags", "locations", "bulk", "id", "template", "download", "..", "a/tags", "%", "👍", "x" * 255]
)
def test_an_external_id_may_read_like_a_part_of_a_path(tenant: Tenant, name: str) -> None:
    template_id = new_template(tenant, externalId=name)
    quoted = quote(name, safe="").replace(".", "%2E")
    pass_id = int(tenant.call("POST", f"/v1/pass/id/{quoted}/id/{quoted}", json={})["id"])
    for form in (f"/v1/pass/id/{quoted}", f"/v1/pass/template/{template_id}/id/{quoted}"):
        assert tenant.call("GET", form)["id"] == str(pass_id)
        assert tenant.call("PUT", form, json={"fields": {"Points": {"value": "9"}}})["ticketId"] > 0
        tag = form.split("/")[3]
        assert tenant.call("PUT", f"{form}/tags", json={"tags": [tag]})["newTags"] == [tag]
        assert len(tenant.call("POST", f"{form}/locations", json=[PLACE])) == 1
    assert tenant.call("DELETE", f"/v1/tag/template/pass/id/{quoted}")["passId"] == pass_id
    assert tenant.call("GET", f"/v1/template/id/{quoted}")["templateHeader"]["id"] == str(template_id)
    assert tenant.call("GET", f"/v1/template/id/{quoted}/passes")["count"] == 1
    assert tenant.call("DELETE", f"/v1/pass/id/{quoted}")["PassID"] == str(pass_id)


# Read


def test_a_pass_has_every_key_and_its_types(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, externalId="ext", tag="gold", locations=[PLACE])
    whole = read_pass(tenant, pass_id)
    check_keys(whole, READ_KEYS | {"externalId"})
    assert {key: type(whole[key]) for key in ("id", "templateId", "uaEntityId")} == dict.fromkeys(
        ("id", "templateId", "uaEntityId"), str
    )
    assert whole["id"] == str(pass_id)
    assert UUID.fullmatch(whole["serialNumber"])
    assert whole["status"] == "not_been_installed"
    assert whole["tags"] == ["gold"]
    assert MILLISECONDS.fullmatch(whole["createdAt"])
    assert whole["updatedAt"] == whole["createdAt"]
    (location,) = whole["locations"]
    assert {key: value for key, value in location.items() if key != "id"} == PLACE
    assert type(location["id"]) is int


def test_an_installed_pass_says_so(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    install(tenant, pass_id)
    check_keys(read_pass(tenant, pass_id), READ_KEYS, {"installedAt", "platform"})
    assert read_pass(tenant, pass_id)["status"] == "installed"


@pytest.mark.parametrize(("template", "google"), [(TEMPLATE, False), (GOOGLE_TEMPLATE, True)], ids=["Apple", "Google"])
def test_the_official_client_reads_a_fresh_and_a_changed_pass(
    tenant: Tenant, template: dict[str, Any], google: bool
) -> None:
    pass_id = new_pass(tenant, new_template(tenant, **template))
    assert find_faults(read_pass(tenant, pass_id), google=google) == []
    name = next(iter(template["fields"]))
    update = {
        "fields": {name: {"value": "v", "label": "l", "changeMessage": None}, "Unknown": {"value": 3}, "primary7": {}},
        "headers": {"barcode_value": {"value": "123"}, "expirationDate": {"value": "2044-01-01T00:00"}},
    }
    tenant.call("PUT", f"/v1/pass/{pass_id}", json=update)
    assert find_faults(read_pass(tenant, pass_id), google=google) == []


def test_the_official_client_reads_a_pass_of_a_template_with_nulls_and_unknown_keys(tenant: Tenant) -> None:
    field = {"fieldType": "primary", "numberStyle": None, "formatType": None, "textAlignment": None, "colour": "red"}
    template_id = new_template(
        tenant, fields={"Points": field | {"value": 1, "changeMessage": None}}, headers={"logo": {"formatType": None}}
    )
    whole = read_pass(tenant, new_pass(tenant, template_id))
    assert whole["fields"] == {"Points": {"fieldType": "primary", "value": 1, "changeMessage": None}}
    assert find_faults(whole) == []


@pytest.mark.parametrize(
    "update",
    [
        {"headers": {"barcode_type": {"value": None}}},
        {"headers": {"barcode_type": {"value": 5}}},
        {"fields": {"Points": {"body": "a Google key", "uri": "x"}}},
    ],
    ids=str,
)
@pytest.mark.parametrize("moment", ["create", "update"])
def test_no_write_makes_a_pass_that_the_official_client_refuses(
    tenant: Tenant, moment: str, update: dict[str, Any]
) -> None:
    template_id, pass_id = new_template(tenant), 0
    if moment == "update":
        pass_id = new_pass(tenant, template_id)
        answer = tenant.request("PUT", f"/v1/pass/{pass_id}", json=update)
    else:
        answer = tenant.request("POST", f"/v1/pass/{template_id}", json=update)
        pass_id = int(answer.json().get("id", 0))
    if answer.status_code != 200:
        check_error(answer, 400)
    if pass_id:
        assert find_faults(read_pass(tenant, pass_id)) == []


@pytest.mark.parametrize("kind", ["PKBarcodeFormatAztec", "QR_CODE", "UPC_A", "none"])
def test_a_pass_takes_the_barcodes_of_both_vendors_as_a_tag_may_have_passes_of_both(tenant: Tenant, kind: str) -> None:
    pass_id = new_pass(tenant, new_template(tenant), headers={"barcode_type": {"value": kind}})
    assert read_pass(tenant, pass_id)["headers"]["barcode_type"]["value"] == kind


def test_a_barcode_that_nobody_knows_is_refused_with_all_that_are_known(tenant: Tenant) -> None:
    body = {"headers": {"barcode_type": {"value": "x"}}}
    answer = tenant.request("POST", f"/v1/pass/{new_template(tenant)}", json=body)
    check_error(answer, 400, mentions="headers.barcode_type.value: must be one of PKBarcodeFormatPDF417, ")
    check_error(answer, 400, mentions=", CODE_39, none")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tag": " "}, "tag"),
        ({"tags": ["gold", "x" * 256]}, "tags[1]"),
        ({"tag": "gold", "tags": [""]}, "tags[0]"),
        ({"tag": "x" * 256, "tags": ["gold"]}, "tag"),
    ],
)
def test_the_tag_that_cannot_be_is_named(tenant: Tenant, body: dict[str, Any], field: str) -> None:
    answer = tenant.request("POST", f"/v1/pass/{new_template(tenant)}", json=body)
    check_error(answer, 400)
    assert answer.json()["details"].partition(": ")[0] == field


@pytest.mark.parametrize(
    "change",
    [
        {"fields": {"Points": {"fieldType": "primary", "value": "1", "formatType": 1}}},
        {"fields": {"Points": {"fieldType": "primary", "value": "1", "formatType": "number"}}},
        {"headers": {"logo_text": {"value": "Acme", "formatType": "String"}}},
    ],
    ids=str,
)
def test_no_template_makes_a_pass_that_the_official_client_refuses(tenant: Tenant, change: dict[str, Any]) -> None:
    """A format is a word inside `fields` and a number inside `headers`; anything else is refused or put right."""
    answer = tenant.request("POST", "/v1/template", json=TEMPLATE | change)
    if answer.status_code != 200:
        check_error(answer, 400)
        return
    assert find_faults(read_pass(tenant, new_pass(tenant, answer.json()["templateId"]))) == []


# Delete


@pytest.mark.parametrize("form", ["/v1/pass/{id}", "/v1/pass/id/mypass", "/v1/pass/template/{template}/id/mypass"])
def test_a_deleted_pass_is_gone_everywhere(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, externalId="mypass", tag="gold")
    other = new_pass(tenant, template_id, tag="gold")
    answer = tenant.call("DELETE", form.format(id=pass_id, template=template_id))
    assert answer == {"Status": "Deleted", "PassID": str(pass_id)}
    for path in (f"/v1/pass/{pass_id}", "/v1/pass/id/mypass", f"/v1/pass/template/{template_id}/id/mypass"):
        check_error(tenant.request("GET", path), 404)
        check_error(tenant.request("PUT", path, json={"fields": {"Points": {"value": "1"}}}), 404)
        check_error(tenant.request("DELETE", path), 404)
        check_error(tenant.request("GET", f"{path}/tags"), 404)
        check_error(tenant.request("PUT", f"{path}/tags", json={"tags": ["a"]}), 404)
        check_error(tenant.request("POST", f"{path}/locations", json=[PLACE]), 404)
        check_error(tenant.request("DELETE", f"{path}/location/1"), 404)
    for path in ("/v1/pass", f"/v1/template/{template_id}/passes", "/v1/tag/gold/passes"):
        answer = tenant.call("GET", path)
        assert ([int(each["id"]) for each in answer["passes"]], answer["count"]) == ([other], 1)


def test_the_external_id_of_a_deleted_pass_is_free(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    first = new_pass(tenant, template_id, externalId="mypass", tag="gold")
    tenant.call("DELETE", f"/v1/pass/{first}")
    second = new_pass(tenant, template_id, externalId="mypass")
    assert second != first
    assert tenant.call("GET", "/v1/pass/id/mypass")["id"] == str(second)
    assert tags_of(tenant, second) == []


@pytest.mark.parametrize(
    "target", ["/v1/pass", "/v1/pass/", "/v1/pass//", "/v1/pass/id", "/v1/pass/id/", "/v1/pass/template/"]
)
def test_a_delete_without_an_id_is_refused_and_changes_nothing(tenant: Tenant, target: str) -> None:
    new_pass(tenant, externalId="id", tag="gold")
    before = take_snapshot(tenant)
    check_error(tenant.request("DELETE", target), 404, 405)
    assert take_snapshot(tenant) == before
