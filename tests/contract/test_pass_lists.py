"""Lists of passes (section 5, list), and creating many at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.expectations import MILLISECONDS, check_error, check_keys, check_pagination, find_error_fault
from tests.contract.samples import (
    add_tags,
    all_tags,
    install,
    new_pass,
    new_passes,
    new_template,
    passes_of,
    read_pass,
    uninstall,
)
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Tenant

LISTED_KEYS = {"id", "templateId", "uaEntityId", "serialNumber", "url", "tags", "createdAt", "updatedAt"}


def listed(tenant: Tenant, path: str = "/v1/pass", **query: Any) -> list[int]:
    return [int(each["id"]) for each in tenant.call("GET", path, params=query)["passes"]]


def test_the_list_has_string_ids_capital_direction_and_names_of_tags(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, externalId="ext", tags=["gold", "vip"])
    answer = tenant.call("GET", "/v1/pass")
    check_keys(answer, {"count", "passes", "pagination"})
    check_pagination(answer["pagination"])
    (each,) = answer["passes"]
    check_keys(each, LISTED_KEYS | {"externalId"}, {"status"})
    whole = read_pass(tenant, pass_id)
    assert each == {key: whole[key] for key in each}
    assert each["tags"] == ["gold", "vip"]
    assert MILLISECONDS.fullmatch(each["createdAt"])


def test_an_empty_project_still_has_count_and_pagination(tenant: Tenant) -> None:
    answer = tenant.call("GET", "/v1/pass/?page=1&pageSize=5")
    check_keys(answer, {"count", "passes", "pagination"})
    assert (answer["count"], answer["passes"]) == (0, [])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [3, 2, 1, 0]),
        ({"direction": "ASC"}, [0, 1, 2, 3]),
        ({"direction": "asc", "order": "ID", "pageSize": 2, "page": 2}, [2, 3]),
        ({"order": "createdAt"}, [3, 2, 1, 0]),
        ({"order": "updatedAt"}, [1, 3, 2, 0]),
        ({"order": "updatedAt", "direction": "ASC"}, [0, 2, 3, 1]),
    ],
    ids=str,
)
def test_passes_run_in_the_order_asked_for(tenant: Tenant, query: dict[str, Any], expected: list[int]) -> None:
    passes = new_passes(tenant, 4)
    tenant.call("PUT", f"/v1/pass/{passes[1]}", json={"fields": {"Points": {"value": "1"}}})
    assert listed(tenant, **query) == [passes[position] for position in expected]


def test_order_by_name_holds_every_pass_once(tenant: Tenant) -> None:
    passes = new_passes(tenant, 5)
    answers = [
        tenant.call("GET", "/v1/pass", params={"order": "name", "pageSize": 2, "page": page}) for page in (1, 2, 3)
    ]
    assert sorted(int(each["id"]) for answer in answers for each in answer["passes"]) == passes
    assert answers[0]["pagination"]["order"] == "name"


def test_each_way_to_ask_for_one_template_gives_the_same(tenant: Tenant) -> None:
    template_id = new_template(tenant, externalId="my card")
    own = new_passes(tenant, 3, template_id=template_id)
    new_passes(tenant, 2)
    answers = [
        tenant.call("GET", path)
        for path in (
            f"/v1/pass?templateId={template_id}",
            f"/v1/template/{template_id}/passes",
            "/v1/template/id/my%20card/passes",
            "/v1/template/id/my+card/passes",
        )
    ]
    assert answers == [answers[0]] * 4
    assert ([int(each["id"]) for each in answers[0]["passes"]], answers[0]["count"]) == (own[::-1], 3)


@pytest.mark.parametrize("template", ["99999999", "abc", "-1"])
def test_the_list_of_an_unknown_template_is_refused(tenant: Tenant, template: str) -> None:
    new_pass(tenant)
    check_error(tenant.request("GET", f"/v1/pass?templateId={template}"), 400, 404)
    check_error(tenant.request("GET", f"/v1/template/{template}/passes"), 404)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("all", "NIU"),
        ("installed", "I"),
        ("uninstalled", "U"),
        ("been_installed", "IU"),
        ("not_been_installed", "N"),
        ("ALL", "NIU"),
    ],
)
def test_status_filters_the_project_and_the_template(tenant: Tenant, status: str, expected: str) -> None:
    template_id = new_template(tenant)
    kinds = dict(zip("NIU", new_passes(tenant, 3, template_id=template_id), strict=True))
    for kind in "IU":
        install(tenant, kinds[kind])
    uninstall(tenant, kinds["U"])
    for path in ("/v1/pass?", f"/v1/pass?templateId={template_id}&", f"/v1/template/{template_id}/passes?"):
        answer = tenant.call("GET", f"{path}status={status}")
        assert {int(each["id"]) for each in answer["passes"]} == {kinds[kind] for kind in expected}
        assert answer["count"] == len(expected)


def test_a_pass_in_the_list_shows_only_living_tags(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tags=["emptied", "deleted", "removed", "kept"])
    tenant.call("DELETE", "/v1/tag/emptied/passes")
    tenant.call("DELETE", "/v1/tag/deleted")
    tenant.call("DELETE", f"/v1/tag/removed/pass/{pass_id}")
    assert tenant.call("GET", "/v1/pass")["passes"][0]["tags"] == ["kept"]
    add_tags(tenant, pass_id, "emptied", "deleted")
    assert set(tenant.call("GET", "/v1/pass")["passes"][0]["tags"]) == {"kept", "emptied", "deleted"}


# Many at once: our own addition


def create_many(tenant: Tenant, template_id: int, passes: list[Any]) -> Any:
    return tenant.call("POST", f"/v1/pass/{template_id}/bulk", json={"passes": passes})


def test_many_passes_are_created_in_the_order_of_the_request(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    answer = create_many(tenant, template_id, [{"externalId": f"e{number}", "tag": "gold"} for number in range(40)])
    assert (answer["created"], answer["failed"], len(answer["passes"])) == (40, 0, 40)
    ids = [int(each["id"]) for each in answer["passes"]]
    assert ids == sorted(ids)
    assert passes_of(tenant, "gold", pageSize=50, direction="ASC") == ids
    assert len(all_tags(tenant)) == 1
    for number in (0, 39):
        whole = tenant.call("GET", f"/v1/pass/id/e{number}")
        assert (whole["id"], whole["url"]) == (answer["passes"][number]["id"], answer["passes"][number]["url"])


def test_each_wrong_pass_is_refused_in_its_place_and_the_others_are_created(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    new_pass(tenant, template_id, externalId="taken")
    answer = create_many(
        tenant,
        template_id,
        [
            {"externalId": "first"},
            {"externalId": "taken", "tag": "lost"},
            "no object",
            {"tags": ["x" * 256]},
            {"externalId": "twice", "tag": "kept"},
            {"externalId": "twice", "tag": "lost"},
            {"fields": {"Points": {"value": {}}}},
            None,
            {"tags": [str(number) for number in range(16)]},
            {"locations": [{"latitude": 1, "longitude": 1}] * 11},
            {},
        ],
    )
    assert (answer["created"], answer["failed"]) == (3, 8)
    assert ["id" if "id" in each else "error" for each in answer["passes"]] == [
        *["id", "error", "error", "error", "id", "error", "error", "error", "error", "error", "id"]
    ]
    for each in answer["passes"]:
        if "error" in each:
            check_keys(each["error"], {"code", "description", "details", "error", "error_code"})
            assert each["error"]["code"] == 400
    assert tenant.call("GET", "/v1/pass")["count"] == 4
    assert list(all_tags(tenant)) == ["kept"]
    assert tenant.call("GET", "/v1/pass/id/twice")["id"] == answer["passes"][4]["id"]


def test_an_external_id_whose_first_bearer_was_refused_is_free_for_the_second(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    answer = create_many(tenant, template_id, [{"externalId": "same", "tag": ""}, {"externalId": "same"}])
    assert (answer["created"], answer["failed"]) == (1, 1)
    assert tenant.call("GET", "/v1/pass/id/same")["id"] == answer["passes"][1]["id"]


def test_a_thousand_fit_and_one_more_is_400(tenant: Tenant) -> None:
    template_id = new_template(tenant)
    path = f"/v1/pass/{template_id}/bulk"
    check_error(tenant.request("POST", path, json={"passes": [{}] * 1001}), 400, mentions="passes")
    assert tenant.call("GET", "/v1/pass")["count"] == 0
    answer = create_many(tenant, template_id, [{"tag": "gold"}] * 1000)
    assert (answer["created"], answer["failed"]) == (1000, 0)
    assert len({each["id"] for each in answer["passes"]}) == 1000
    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 1000
    whole = passes_of(tenant, "gold", pageSize=1000, direction="ASC")
    assert whole == [int(each["id"]) for each in answer["passes"]]
    assert passes_of(tenant, "gold", pageSize=7, page=143) == whole[::-1][994:]


@pytest.mark.parametrize("body", [{}, {"passes": []}, {"passes": {}}, {"passes": None}, [], [{}], None], ids=str)
def test_a_bulk_request_without_passes_is_400(tenant: Tenant, body: Any) -> None:
    template_id = new_template(tenant)
    before = take_snapshot(tenant)
    assert find_error_fault(tenant.request("POST", f"/v1/pass/{template_id}/bulk", json=body), 400, 406) is None
    assert take_snapshot(tenant) == before


def test_a_bulk_request_for_an_unknown_template_is_404(tenant: Tenant) -> None:
    check_error(tenant.request("POST", "/v1/pass/99999999/bulk", json={"passes": [{"tag": "gold"}]}), 404)
    assert all_tags(tenant) == {}
