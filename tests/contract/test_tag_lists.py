"""The list of tags and the list of a tag's passes: keys, paging, order, filters (sections 4.5, 4.6, paging rules)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.expectations import (
    MILLISECONDS,
    SECONDS,
    check_error,
    check_keys,
    check_no_fault,
    check_pagination,
    find_error_fault,
)
from tests.contract.raw_http import send_signed
from tests.contract.samples import add_tags, all_tags, install, new_pass, new_passes, new_template, passes_of, uninstall
from tests.support.stack import Tenant

NAMES = [f"tag {number:02}" for number in range(12)]


def names_on(tenant: Tenant, **query: Any) -> list[str]:
    return [tag["tag"] for tag in tenant.call("GET", "/v1/tag", params=query)["tags"]]


@pytest.fixture
def tagged(tenant: Tenant) -> Tenant:
    """A project with twelve tags."""
    add_tags(tenant, new_pass(tenant), *NAMES)
    return tenant


# 4.5


def test_a_project_without_tags_has_an_empty_list(tenant: Tenant) -> None:
    answer = tenant.call("GET", "/v1/tag")
    assert (answer["tags"], answer["count"]) == ([], 0)


def test_the_list_of_tags_has_a_capital_pagination_and_the_total(tagged: Tenant) -> None:
    answer = tagged.call("GET", "/v1/tag")
    check_keys(answer, {"tags", "Pagination", "count"})
    check_pagination(answer["Pagination"], order="ID")
    assert (answer["count"], len(answer["tags"])) == (12, 10)
    for tag in answer["tags"]:
        check_keys(tag, {"id", "tag", "createdAt"})
        assert type(tag["id"]) is int
        assert SECONDS.fullmatch(tag["createdAt"])


@pytest.mark.parametrize("order", ["id", "createdAt", "ID", "CREATEDAT", "createdat"])
@pytest.mark.parametrize(("direction", "expected"), [("ASC", NAMES), ("desc", NAMES[::-1]), ("Asc", NAMES)])
def test_tags_run_by_creation_in_either_direction(
    tagged: Tenant, order: str, direction: str, expected: list[str]
) -> None:
    answer = tagged.call("GET", "/v1/tag", params={"order": order, "direction": direction, "pageSize": 20})
    assert [tag["tag"] for tag in answer["tags"]] == expected
    assert answer["Pagination"]["order"] == ("ID" if order.lower() == "id" else "createdAt")
    assert answer["Pagination"]["direction"] == direction.upper()


def test_pages_of_tags_join_without_gap_or_overlap(tagged: Tenant) -> None:
    assert [names_on(tagged, page=page, pageSize=5, direction="ASC") for page in (1, 2, 3, 4)] == [
        NAMES[:5],
        NAMES[5:10],
        NAMES[10:],
        [],
    ]


# 4.6


def test_the_list_of_passes_has_a_lower_case_pagination_and_the_total(tenant: Tenant) -> None:
    new_passes(tenant, 11, tag="gold")
    answer = tenant.call("GET", "/v1/tag/gold/passes")
    check_keys(answer, {"passes", "pagination", "count"})
    check_pagination(answer["pagination"], direction="desc")
    assert (answer["count"], len(answer["passes"])) == (11, 10)


def test_a_pass_that_was_never_installed_leaves_out_what_does_not_apply(tenant: Tenant) -> None:
    new_pass(tenant, tag="gold")
    (listed,) = tenant.call("GET", "/v1/tag/gold/passes")["passes"]
    check_keys(listed, {"id", "templateId", "url", "serialNumber", "createdAt", "updatedAt", "status"})
    assert (type(listed["id"]), type(listed["templateId"])) == (int, int)
    assert listed["status"] == "not_been_installed"
    assert MILLISECONDS.fullmatch(listed["createdAt"])
    assert MILLISECONDS.fullmatch(listed["updatedAt"])


def test_an_uninstalled_pass_keeps_its_first_installation(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    install(tenant, pass_id, "ios")
    (installed,) = tenant.call("GET", "/v1/tag/gold/passes")["passes"]
    assert "uninstalledAt" not in installed
    uninstall(tenant, pass_id)
    (listed,) = tenant.call("GET", "/v1/tag/gold/passes")["passes"]
    assert listed["status"] == "uninstalled"
    assert listed["installedAt"] == installed["installedAt"]
    assert MILLISECONDS.fullmatch(listed["uninstalledAt"])
    install(tenant, pass_id, "ios")
    (again,) = tenant.call("GET", "/v1/tag/gold/passes")["passes"]
    assert (again["status"], again["installedAt"]) == ("installed", installed["installedAt"])
    assert "uninstalledAt" not in again


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (None, "NIU"),
        ("installed", "I"),
        ("uninstalled", "U"),
        ("been_installed", "IU"),
        ("not_been_installed", "N"),
        ("INSTALLED", "I"),
    ],
)
def test_status_filters_the_list_and_its_total(tenant: Tenant, status: str | None, expected: str) -> None:
    kinds = dict(zip("NIU", new_passes(tenant, 3, tag="gold"), strict=True))
    new_pass(tenant, tag="other")
    for kind in "IU":
        install(tenant, kinds[kind])
    uninstall(tenant, kinds["U"])
    query = {} if status is None else {"status": status}
    answer = tenant.call("GET", "/v1/tag/gold/passes", params=query)
    assert {each["id"] for each in answer["passes"]} == {kinds[kind] for kind in expected}
    assert answer["count"] == len(expected)


@pytest.mark.parametrize("order", ["id", "createdAt", "ID"])
@pytest.mark.parametrize("direction", ["ASC", "DESC", "asc", "desc"])
def test_passes_run_by_id_in_either_direction(tenant: Tenant, order: str, direction: str) -> None:
    passes = new_passes(tenant, 4, tag="gold")
    answer = tenant.call("GET", "/v1/tag/gold/passes", params={"order": order, "direction": direction})
    assert [each["id"] for each in answer["passes"]] == (passes if direction.upper() == "ASC" else passes[::-1])
    check_pagination(
        answer["pagination"], order="id" if order.lower() == "id" else "createdAt", direction=direction.lower()
    )


def test_order_updated_at_follows_the_last_update(tenant: Tenant) -> None:
    first, second, third = new_passes(tenant, 3, tag="gold")
    for pass_id in (third, first, second):
        tenant.call("PUT", f"/v1/pass/{pass_id}", json={"fields": {"Points": {"value": "1"}}})
    assert passes_of(tenant, "gold", order="updatedAt") == [second, first, third]
    assert passes_of(tenant, "gold", order="updatedAt", direction="ASC", pageSize=2) == [third, first]
    assert passes_of(tenant, "gold", order="updatedAt", direction="ASC", pageSize=2, page=2) == [second]


# Paging rules


LISTS = [
    pytest.param("/v1/tag", "tags", "Pagination", id="tags"),
    pytest.param("/v1/tag/tag%2000/passes", "passes", "pagination", id="passes of a tag"),
    pytest.param("/v1/pass", "passes", "pagination", id="passes"),
    pytest.param("/v1/template/{template}/passes", "passes", "pagination", id="passes of a template"),
    pytest.param("/v1/template/headers", "templateHeaders", "pagination", id="templates"),
]


@pytest.fixture
def filled(tenant: Tenant) -> tuple[Tenant, str]:
    """A project with five of everything that is listed, and the id of the template with five passes."""
    template_id = new_template(tenant)
    new_passes(tenant, 5, template_id=template_id, tag="tag 00")
    new_pass(tenant, template_id, tags=NAMES[1:5])
    for _ in range(4):
        tenant.call("POST", f"/v1/template/duplicate/{template_id}")
    return tenant, str(template_id)


@pytest.mark.parametrize(("path", "key", "pagination"), LISTS)
def test_every_list_follows_the_paging_rules(filled: tuple[Tenant, str], path: str, key: str, pagination: str) -> None:
    tenant, template = filled
    path = path.format(template=template)
    whole = tenant.call("GET", path, params={"pageSize": 1000})
    assert whole["count"] == len(whole[key]) >= 5
    assert whole[pagination]["pageSize"] == 1000

    past = tenant.call("GET", path, params={"page": 1000})
    assert (past[key], past["count"]) == ([], whole["count"])
    assert (past[pagination]["page"], past[pagination]["start"]) == (1000, 9990)

    zero, first = (tenant.call("GET", path, params={"page": page, "pageSize": 2}) for page in (0, 1))
    assert zero == first
    assert (first[pagination]["page"], first[pagination]["start"]) == (1, 0)

    odd = tenant.call("GET", path, params={"page": 2, "pageSize": 2, "start": "anything", "unknown": "1"})
    assert odd[key] == whole[key][2:4]
    assert odd[pagination]["start"] == 2

    assert tenant.call("GET", path, params={"pageSize": "", "page": ""})[key] == whole[key][:10]


@pytest.mark.parametrize(("path", "key", "pagination"), LISTS)
@pytest.mark.parametrize("query", [{}, {"order": "createdAt", "direction": "ASC"}], ids=["defaults", "ordered"])
def test_a_client_walks_by_sending_the_pagination_back(
    filled: tuple[Tenant, str], path: str, key: str, pagination: str, query: dict[str, str]
) -> None:
    tenant, template = filled
    path = path.format(template=template)
    whole = tenant.call("GET", path, params=query | {"pageSize": 1000})[key]
    walked = []
    answer = tenant.call("GET", path, params=query | {"pageSize": 2})
    while answer[key]:
        walked += answer[key]
        answer = tenant.call("GET", path, params=answer[pagination] | {"page": answer[pagination]["page"] + 1})
    assert walked == whole


BAD_QUERIES = [
    *["page=-1", "page=abc", "page=1.5", "page=1e3", "page=%EF%BC%91", "page=99999999999999999999", "page=%zz"],
    *["pageSize=0", "pageSize=-1", "pageSize=1001", "pageSize=abc", "pageSize=%00"],
    *["order=foo", "order=id%20desc", "direction=foo", "direction=-1"],
]


@pytest.mark.parametrize(("path", "key", "pagination"), LISTS)
def test_every_list_refuses_a_query_outside_its_bounds(tenant: Tenant, path: str, key: str, pagination: str) -> None:
    new_pass(tenant, tag="tag 00")
    (header,) = tenant.call("GET", "/v1/template/headers")["templateHeaders"]
    path = path.format(template=header["id"])
    check_no_fault(
        {query: find_error_fault(send_signed(tenant, "GET", f"{path}?{query}"), 400) for query in BAD_QUERIES}
    )


@pytest.mark.parametrize("query", ["page=--1", "pageSize=--5"])
def test_a_number_with_two_signs_is_refused(tenant: Tenant, query: str) -> None:
    check_error(tenant.request("GET", f"/v1/tag?{query}"), 400)


@pytest.mark.parametrize(
    "target",
    [
        "/v1/tag/gold/passes?status=foo",
        "/v1/tag/gold/passes?status=all",
        "/v1/tag/gold/passes?order=name",
        "/v1/tag?order=updatedAt",
        "/v1/tag?order=name",
        "/v1/pass?status=foo",
        "/v1/template/headers?order=status",
    ],
)
def test_a_list_refuses_the_choices_of_another_list(tenant: Tenant, target: str) -> None:
    new_pass(tenant, tag="gold")
    check_error(tenant.request("GET", target), 400)


def test_a_page_of_a_thousand_is_the_largest(tenant: Tenant) -> None:
    new_pass(tenant, tag="gold")
    answer = tenant.call("GET", "/v1/tag/gold/passes?pageSize=1000")
    check_pagination(answer["pagination"], direction="desc", pageSize=1000)
    assert len(all_tags(tenant)) == 1
