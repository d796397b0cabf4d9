"""Every example of the vendor's tag documentation, sent as printed and compared key by key.

The examples are in `examples/`: ids that only the server can give stand as `{passId}` and `{templateId}`; dates that
the vendor's listing prints with a space have their `T` (section 4.3).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.expectations import MILLISECONDS, SECONDS, UUID
from tests.contract.raw_http import RawAnswer, basic, send
from tests.contract.samples import (
    add_tags,
    all_tags,
    install,
    new_pass,
    new_passes,
    new_template,
    passes_of,
    read_pass,
    tags_of,
)
from tests.support.stack import Stack, Tenant

EXAMPLES = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in Path(__file__).parent.glob("examples/*.json")
}
REQUESTS = [
    pytest.param(name, request, id=f"{name}-{number}")
    for name, example in sorted(EXAMPLES.items())
    for number, request in enumerate(example["requests"], start=1)
]

Ids = dict[str, int]


def untagged(tenant: Tenant) -> Ids:
    """A pass that every printed path leads to, but for the one with external id 123."""
    template_id = new_template(tenant)
    return {"templateId": template_id, "passId": new_pass(tenant, template_id, externalId="mypass")}


def with_the_listed_tags(tenant: Tenant) -> Ids:
    ids = untagged(tenant)
    add_tags(tenant, ids["passId"], *[tag["name"] for tag in EXAMPLES["list_tags_of_pass"]["response"]["body"]["tags"]])
    return ids


def with_the_four_tags(tenant: Tenant) -> Ids:
    ids = untagged(tenant)
    add_tags(tenant, ids["passId"], *[tag["tag"] for tag in EXAMPLES["list_tags"]["response"]["body"]["tags"]])
    return ids


def with_two_installed_passes(tenant: Tenant) -> Ids:
    for device_platform in ("ios", "android"):
        install(tenant, new_pass(tenant, tag="tag-name"), device_platform)
    return {}


def with_external_id_123(tenant: Tenant) -> Ids:
    return {"passId": new_pass(tenant, externalId="123", tag="tag-name")}


def with_93_passes(tenant: Tenant) -> Ids:
    new_passes(tenant, 93, tag="tag-name")
    return {}


def with_38_passes(tenant: Tenant) -> Ids:
    new_passes(tenant, 38, tag="tag-name")
    return {}


SETTINGS: dict[str, Callable[[Tenant], Ids]] = {
    "add_tags": untagged,
    "update_tags_by_external_id": untagged,
    "list_tags_of_pass": with_the_listed_tags,
    "list_tags_of_pass_by_external_id": with_the_listed_tags,
    "list_tags": with_the_four_tags,
    "list_passes_of_tag": with_two_installed_passes,
    "update_passes_by_tag": with_two_installed_passes,
    "remove_tag_from_pass": with_external_id_123,
    "remove_tag_from_all_passes": with_38_passes,
    "delete_tag": with_93_passes,
}


def play(tenant: Tenant, request: Any, ids: Ids) -> RawAnswer:
    """Sends a printed request, with the real credentials and ids in the places held for them."""
    headers = {
        name: basic(tenant) if value == "Basic <Base64 key>" else value for name, value in request["headers"].items()
    }
    body = json.dumps(request["body"], indent=4) if "body" in request else None
    return send(tenant, request["method"], request["path"].format(**ids), headers=headers, body=body)


def play_first(tenant: Tenant, name: str) -> tuple[Any, Ids]:
    """The JSON that answers an example's first request, in its setting."""
    ids = SETTINGS[name](tenant)
    return play(tenant, EXAMPLES[name]["requests"][0], ids).json(), ids


def shape_of(value: Any) -> Any:
    """Keys and types all the way down; texts by their kind, and a list as the distinct shapes of its items."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, list):
        shapes = [shape_of(item) for item in value]
        return [shape for position, shape in enumerate(shapes) if shape not in shapes[:position]]
    if isinstance(value, str):
        kinds = {"second": SECONDS, "millisecond": MILLISECONDS, "uuid": UUID}
        return next((kind for kind, pattern in kinds.items() if pattern.fullmatch(value)), "text")
    return type(value).__name__


def test_every_example_has_its_setting() -> None:
    assert set(EXAMPLES) == set(SETTINGS)


@pytest.mark.parametrize(("name", "request_"), REQUESTS)
def test_printed_request_gets_the_printed_answer(tenant: Tenant, name: str, request_: Any) -> None:
    expected = EXAMPLES[name]["response"]
    answer = play(tenant, request_, SETTINGS[name](tenant))
    assert (answer.status_code, answer.text) == (expected["status"], answer.text)
    assert shape_of(answer.json()) == shape_of(expected["body"] | EXAMPLES[name].get("sent_as_well", {}))
    assert answer.headers["Content-Type"] == expected["headers"]["Content-Type"]


@pytest.mark.parametrize(
    ("name", "request_"), [case for case in REQUESTS if case.values[0] in ("add_tags", "update_tags_by_external_id")]
)
def test_adding_answers_the_very_body_and_puts_the_tag_on(tenant: Tenant, name: str, request_: Any) -> None:
    ids = untagged(tenant)
    assert play(tenant, request_, ids).json() == EXAMPLES[name]["response"]["body"]
    assert tags_of(tenant, ids["passId"]) == ["tag-name"]


@pytest.mark.parametrize("name", ["list_tags_of_pass", "list_tags_of_pass_by_external_id"])
def test_the_listed_tags_have_their_ids_and_names_ascending(tenant: Tenant, name: str) -> None:
    answer, _ = play_first(tenant, name)
    expected = EXAMPLES[name]["response"]["body"]["tags"]
    assert [tag["name"] for tag in answer["tags"]] == [tag["name"] for tag in expected]
    assert {tag["name"]: tag["id"] for tag in answer["tags"]} == all_tags(tenant)


def test_list_of_tags_has_the_printed_pagination_and_count(tenant: Tenant) -> None:
    answer, _ = play_first(tenant, "list_tags")
    expected = EXAMPLES["list_tags"]["response"]["body"]
    assert answer["Pagination"] == expected["Pagination"]
    assert answer["count"] == expected["count"]
    assert [tag["tag"] for tag in answer["tags"]] == [tag["tag"] for tag in reversed(expected["tags"])]


def test_list_of_passes_has_the_printed_pagination(tenant: Tenant) -> None:
    with_two_installed_passes(tenant)
    answer = tenant.call("GET", "/v1/tag/tag-name/passes?pageSize=2")
    assert answer["pagination"] == EXAMPLES["list_passes_of_tag"]["response"]["body"]["pagination"]
    assert answer["count"] == 2


def test_list_of_passes_shows_the_newest_first_with_its_own_values(tenant: Tenant) -> None:
    answer, _ = play_first(tenant, "list_passes_of_tag")
    assert [(each["status"], each["platform"]) for each in answer["passes"]] == [
        ("installed", "android"),
        ("installed", "ios"),
    ]
    for listed in answer["passes"]:
        whole = read_pass(tenant, listed["id"])
        assert listed["templateId"] == int(whole["templateId"])
        for key in ("serialNumber", "url", "createdAt", "updatedAt", "status"):
            assert listed[key] == whole[key], key
        assert f"/v1/pass/{listed['id']}/download" in listed["url"]
        assert listed["installedAt"] >= listed["createdAt"]


@pytest.mark.parametrize("number", [0, 1])
def test_removing_answers_the_internal_ids(tenant: Tenant, number: int) -> None:
    ids = with_external_id_123(tenant)
    answer = play(tenant, EXAMPLES["remove_tag_from_pass"]["requests"][number], ids).json()
    assert answer == {"passId": ids["passId"], "status": "success", "tagId": all_tags(tenant)["tag-name"]}
    assert tags_of(tenant, ids["passId"]) == []


def test_removing_from_all_passes_counts_38_and_keeps_the_tag(tenant: Tenant) -> None:
    answer, _ = play_first(tenant, "remove_tag_from_all_passes")
    assert answer == {"count": 38, "status": "success", "tagId": all_tags(tenant)["tag-name"]}
    assert passes_of(tenant, "tag-name") == []


def test_deleting_counts_93_and_ends_the_tag(tenant: Tenant) -> None:
    with_93_passes(tenant)
    tag_id = all_tags(tenant)["tag-name"]
    answer = play(tenant, EXAMPLES["delete_tag"]["requests"][0], {}).json()
    assert answer == {"status": "success", "tagId": tag_id, "count": 93}
    assert all_tags(tenant) == {}


def test_updating_changes_the_printed_fields_of_both_passes(stack: Stack, tenant: Tenant) -> None:
    answer, _ = play_first(tenant, "update_passes_by_tag")
    stack.drain()
    assert tenant.call("GET", f"/v1/ticket/{answer['ticketId']}")["Status"] == "COMPLETED"
    for pass_id in passes_of(tenant, "tag-name"):
        fields = read_pass(tenant, pass_id)["fields"]
        assert fields["secondary1"]["value"] == "12/31/2013"
        assert fields["primary1"]["value"] == "$2 Off"
