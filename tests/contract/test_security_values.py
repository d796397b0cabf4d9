"""Values made to break who reads them: none is a fault of ours, whatever a client writes and wherever it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.contract.campaigns import create_campaign, create_pass, open_pass, pass_path, path_of
from tests.contract.samples import add_tags, all_tags, new_pass, new_template, tags_of
from tests.support.phones import read_pass_file, shared_client
from tests.support.stack import Stack, Tenant

HOSTILE: Mapping[str, str] = {
    "markup": "\"'><script>alert(1)</script><img src=x onerror=alert(1)>",
    "a template of ours": "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}#{7*7}",
    "a format of Python": "{0.__class__.__mro__}%(secret)s%n%s",
    "a null byte": "a\x00b",
    "line ends": "a\r\nSet-Cookie: evil=1\r\n\r\nb\u2028c",
    "marks of direction": "\u202egro.elgoog\u202c\u2066x\u2069",
    "a formula of a spreadsheet": '=HYPERLINK("https://evil.example","a")',
    "no characters": "\ufffe\uffff\U0010ffff",
    "combining marks": "a" + "\u0301" * 500,
    "one long word": "W" * 4000,
    "a table's own words": 'a", "b": {"S": "c"} #value :value attribute_exists(key)',
}

TOO_LARGE = ("9" * 309, "9" * 400, "-" + "9" * 400, "1" + "0" * 4000, "9" * 5000, "1e309", "-1e9999")
"""numbers that no double holds, and what Python would take seconds to read or refuse to write"""

LARGE = (2**53, 2**63, 2**64, 10**38, -(10**308), 1e308, 5e-324, -0.0)
"""odd but sound"""


def places(value: object) -> dict[str, Any]:
    """A pass of Airship's dialect with the value wherever one can stand."""
    header = {"value": value}
    return {
        "fields": {"Points": {"value": value, "label": value, "changeMessage": value}, "New": {"value": value}},
        "headers": {"logo_text": header, "barcode_value": header, "expirationDate": header, "background_color": header},
        "semantics": {"a": {"b": [value]}},
    }


def addresses_of(tenant: Tenant, created: Mapping[str, Any]) -> list[str]:
    """Where a pass is read, shown and downloaded."""
    page, link = urlsplit(created["publicUrl"]["path"]).path, urlsplit(created["url"])
    paths = [f"/v1/pass/{created['id']}", f"/v1/pass/{created['id']}/viewJSONPass", "/v1/pass"]
    return [*paths, f"{link.path}?{link.query}", page, f"{page}.png", f"{page}.qrcode", f"{page}.pkpass"]


def read_all(tenant: Tenant, created: Mapping[str, Any]) -> dict[str, httpx.Response]:
    answers = {path: tenant.request("GET", path) for path in addresses_of(tenant, created)}
    assert {answer.status_code for answer in answers.values()} == {200}, answers
    return answers


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is(stack: Stack, tenant: Tenant, kind: str) -> None:
    text = HOSTILE[kind]
    created = tenant.call("POST", f"/v1/pass/{new_template(tenant, name=text[:255])}", json=places(text))
    answers = read_all(tenant, created)
    document = answers[f"/v1/pass/{created['id']}"].json()
    assert document["fields"]["Points"]["value"] == text
    assert document["semantics"] == {"a": {"b": [text]}}
    page = answers[urlsplit(created["publicUrl"]["path"]).path]
    assert "<script" not in page.text
    assert ("7*7" in page.text) == ("7*7" in text)
    assert "set-cookie" not in page.headers


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_is_shown_as_it_is_in_the_other_dialect(stack: Stack, tenant: Tenant, kind: str) -> None:
    text = HOSTILE[kind]
    campaign = create_campaign(tenant, name=text[:200], description=text, logo_text=text, javascript=text)
    fields = [{"key": "a", "value": text, "label": text}]
    created = create_pass(tenant, campaign, primary_fields=fields, back_fields=[{"key": "b", "value": text}])
    shown = tenant.call("GET", pass_path(campaign, created))
    assert shown["primary_fields"][0]["value"] == text
    assert tenant.call("GET", path_of(campaign))["javascript"] == text
    for member in ("page_url", "preview_url", "pkpass_url"):
        answer = shared_client().get(created[member])
        assert answer.status_code == 200
        assert b"<script" not in answer.content or member == "pkpass_url"
    assert open_pass(tenant, created)["coupon"]["primaryFields"][0]["value"] == text


def send_number(tenant: Tenant, path: str, number: str) -> httpx.Response:
    """A body with the number in each place where one might be taken."""
    fields = '{"Points": {"value": 0}, "More": {"fieldType": "primary", "value": 0, "order": 0, "currencyCode": "EUR"}}'
    info = '"pass": {"user_info": {"a": 0}, "max_distance": 0, "primary_fields": [{"key": "a", "value": 0}]}'
    places = f'"fields": {fields}, "headers": {{"maxDistance": {{"value": 0}}}}, "semantics": {{"a": 0}}, {info}'
    body = f'{{"name": "a", {places}}}'.replace(" 0", f" {number}")
    return tenant.request("POST", path, content=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("number", TOO_LARGE, ids=lambda number: f"{number[:8]} of {len(number)}")
def test_a_number_that_nobody_can_hold_is_refused_or_shown_everywhere(
    stack: Stack, tenant: Tenant, number: str
) -> None:
    """Once kept, it must keep nobody from his pass."""
    answer = send_number(tenant, f"/v1/pass/{new_template(tenant)}", number)
    assert answer.status_code in (200, 400, 406), answer.text
    if answer.status_code == 200:
        read_all(tenant, answer.json())
    template = send_number(tenant, "/v1/template", number)
    assert template.status_code in (200, 400, 406), template.text
    if template.status_code == 200:
        read_all(tenant, tenant.call("POST", f"/v1/pass/{template.json()['templateId']}", json={}))


@pytest.mark.parametrize("number", TOO_LARGE, ids=lambda number: f"{number[:8]} of {len(number)}")
def test_a_number_that_nobody_can_hold_is_refused_or_shown_in_the_other_dialect(
    stack: Stack, tenant: Tenant, number: str
) -> None:
    campaign = create_campaign(tenant)
    answer = send_number(tenant, f"{path_of(campaign)}/passes", number)
    assert answer.status_code in (201, 400, 422), answer.text
    if answer.status_code == 201:
        for member in ("page_url", "preview_url", "pkpass_url"):
            assert shared_client().get(answer.json()[member]).status_code == 200
        tenant.call("GET", f"{path_of(campaign)}/passes?q[redeemed_count_gteq]={number}&q[s]=created_at")


@pytest.mark.parametrize("number", LARGE, ids=lambda number: str(number)[:20])
def test_a_large_number_is_shown_as_it_is(stack: Stack, tenant: Tenant, number: float) -> None:
    created = tenant.call("POST", f"/v1/pass/{new_template(tenant)}", json=places(number))
    document = read_all(tenant, created)[f"/v1/pass/{created['id']}"].json()
    assert document["fields"]["Points"]["value"] == number


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_names_are_names(stack: Stack, tenant: Tenant, kind: str) -> None:
    """External ids, names of fields, tags and templates: kept and found as they are, or refused."""
    name = HOSTILE[kind][:100]
    template_id = new_template(tenant, externalId=name, fields={name: {"fieldType": "primary", "value": "0"}})
    pass_id = new_pass(tenant, template_id, externalId=name)
    found = tenant.call("GET", f"/v1/pass/id/{quote(name, safe='')}")
    assert (found["id"], found["externalId"]) == (str(pass_id), name)
    assert name in found["fields"]
    page = shared_client().get(found["publicUrl"]["path"])
    assert page.status_code == 200
    assert "<script" not in page.text
    assert read_pass_file(shared_client().get(found["url"])).shows(name) == "0"


CONTROLS = [chr(code) for code in (0, 7, 10, 13, 27, 127, 133)]


def test_no_tag_holds_a_control_character(stack: Stack, tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    for control in CONTROLS:
        answer = tenant.request("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": [f"a{control}b"]})
        assert answer.status_code == 400, repr(control)
        assert tenant.request("GET", f"/v1/tag/a{quote(control)}b/passes").status_code == 404
    assert all_tags(tenant) == {}


def test_a_tag_is_one_tag_however_its_letters_are_composed_and_look_alikes_are_others(
    stack: Stack, tenant: Tenant
) -> None:
    """Spellings of one text are one (airship-wallet-v1, section 9.4); what only looks the same is not."""
    pass_id = new_pass(tenant)
    add_tags(tenant, pass_id, "caf\u00e9", "cafe\u0301", " caf\u00e9 ")
    assert tags_of(tenant, pass_id) == ["caf\u00e9"]
    alike = ["vip", "v\u0456p", "\uff56\uff49\uff50", "vi\u200bp", "VIP"]
    add_tags(tenant, pass_id, *alike)
    assert set(tags_of(tenant, pass_id)) == {"caf\u00e9", *alike}
    assert tenant.call("GET", "/v1/tag/vip/passes")["count"] == 1


def test_a_body_that_is_deep_or_repeats_itself_is_refused_or_read_at_once(stack: Stack, tenant: Tenant) -> None:
    template_id = new_template(tenant)
    deep = '{"semantics":' * 5000 + "1" + "}" * 5000
    twice = '{"fields": {"Points": {"value": "1"}}, "fields": {"Points": {"value": "2"}}}'
    many = json.dumps({"tags": ["a"] * 100_000})
    for body, statuses in ((deep, (406,)), (twice, (200,)), (many, (200, 400))):
        answer = tenant.request(
            "POST", f"/v1/pass/{template_id}", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in statuses, answer.text[:200]
