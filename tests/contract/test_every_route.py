"""Rules that hold on every route: slashes, revision, credentials, and nothing of another project (sections 1, 2, 9)."""

from __future__ import annotations

import pytest

from tests.contract.every_route import (
    CALLS,
    DELETES_TEMPLATE,
    NEW,
    WALLET_ROUTES,
    Project,
    fill_in,
    furnish,
    perform,
    routes_of_the_app,
)
from tests.contract.expectations import check_no_fault, find_error_fault
from tests.contract.raw_http import RawAnswer, basic, send
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Stack, Tenant

UNKNOWN = ["9007199254740991", "nobody", "-1", "%00", "9" * 2000]


@pytest.fixture
def project(tenant: Tenant) -> Project:
    """A furnished project."""
    return furnish(tenant)


def send_bare(project: Project, route: str, headers: dict[str, str]) -> RawAnswer:
    """The call of a route with these headers only."""
    body = None if CALLS[route].body is None else "{}"
    more = {} if body is None else {"Content-Type": "application/json"}
    path = fill_in(route, project.names)
    return send(project.tenant, route.split(" ")[0], path, headers=headers | more, body=body)


def test_every_route_of_the_app_is_known_here(stack: Stack) -> None:
    assert routes_of_the_app() == set(CALLS) | WALLET_ROUTES
    assert not set(CALLS) & WALLET_ROUTES


def test_no_wallet_route_asks_for_an_account_or_speaks_the_dialect(stack: Stack, project: Project) -> None:
    """Their error answers have no body of section 9.7, with credentials or without."""
    for route in WALLET_ROUTES:
        method, path = route.split(" ")
        for headers in ({}, {"Authorization": basic(project.tenant), "Api-Revision": "7"}):
            answer = send(project.tenant, method, path.format("a", "b", "c"), headers=headers)
            assert answer.status_code in (200, 204, 400, 401), (route, answer.status_code)
            assert b"error_code" not in answer.content


@pytest.mark.parametrize("slash", ["", "/"], ids=["without slash", "with slash"])
def test_every_route_answers_200_with_and_without_a_trailing_slash(stack: Stack, slash: str) -> None:
    tenant = stack.tenant()
    project, faults = furnish(tenant), {}
    for route in sorted(CALLS, key=lambda route: route.startswith("DELETE ")):
        if route.startswith("DELETE "):
            project = furnish(tenant, with_pass=route not in DELETES_TEMPLATE)
        answer = perform(tenant, route, fill_in(route, project.names) + slash, follow_redirects=False)
        if answer.status_code != 200 or not answer.headers["content-type"].startswith(CALLS[route].content_type):
            faults[route] = f"{answer.status_code} {answer.text}"
    check_no_fault(faults)


def test_every_route_without_credentials_is_401(project: Project) -> None:
    before = take_snapshot(project.tenant)
    check_no_fault(
        {
            route: find_error_fault(send_bare(project, route, {"Api-Revision": "1.2"}), 401)
            for route, call in CALLS.items()
            if not call.open_to_all
        }
    )
    assert take_snapshot(project.tenant) == before


def test_every_route_refuses_another_revision(project: Project) -> None:
    before, own = take_snapshot(project.tenant), {"Authorization": basic(project.tenant)}
    check_no_fault(
        {
            f"{route}, {revision}": find_error_fault(send_bare(project, route, own | {"Api-Revision": revision}), 400)
            for route, call in CALLS.items()
            for revision in ("1.1", "1.20", "2", "v1.2", "", "1.2, 1.2")
            if not call.any_revision
        }
    )
    assert take_snapshot(project.tenant) == before


def test_every_reading_route_takes_a_missing_revision_for_1_2(project: Project) -> None:
    headers = {"Authorization": basic(project.tenant)}
    for route in CALLS:
        if route.startswith("GET "):
            assert send_bare(project, route, headers).status_code == 200, route


def test_a_missing_revision_is_accepted_for_writes(project: Project) -> None:
    headers = {"Authorization": basic(project.tenant), "Content-Type": "application/json"}
    target = f"/v1/pass/{project.names['pass']}/tags"
    answer = send(project.tenant, "PUT", target, headers=headers, body='{"tags": ["vip"]}')
    assert answer.json() == {"newTags": ["vip"], "mappings": 1}
    assert send(project.tenant, "DELETE", "/v1/tag/vip", headers=headers).status_code == 200


def test_every_name_of_another_project_is_404_and_nothing_changes(stack: Stack, project: Project) -> None:
    """Each parameter in turn is another project's, and the others are the caller's own."""
    stranger = furnish(stack.tenant())
    before = take_snapshot(project.tenant), take_snapshot(stranger.tenant)
    faults = {}
    for route, call in CALLS.items():
        for kind in set(call.kinds) - NEW:
            path = fill_in(route, project.names, **{kind: stranger.names[kind]})
            faults[f"{route}, {kind}"] = find_error_fault(perform(project.tenant, route, path), 404)
        if set(call.kinds) - NEW:
            everything = fill_in(route, stranger.names)
            faults[f"{route}, all"] = find_error_fault(perform(project.tenant, route, everything), 404)
    check_no_fault(faults)
    assert (take_snapshot(project.tenant), take_snapshot(stranger.tenant)) == before


def test_every_unknown_name_is_404_and_nothing_changes(project: Project) -> None:
    before = take_snapshot(project.tenant)
    check_no_fault(
        {
            f"{route}, {kind}: {unknown[:20]}": find_error_fault(
                perform(project.tenant, route, fill_in(route, project.names, **{kind: unknown})), 404
            )
            for route, call in CALLS.items()
            for kind in sorted(set(call.kinds) - NEW)
            for unknown in UNKNOWN
        }
    )
    assert take_snapshot(project.tenant) == before


def test_no_list_shows_anything_of_another_project(stack: Stack, tenant: Tenant) -> None:
    stranger = furnish(stack.tenant())
    for path, key in (("/v1/tag", "tags"), ("/v1/pass", "passes"), ("/v1/template/headers", "templateHeaders")):
        answer = tenant.call("GET", path)
        assert (answer[key], answer["count"]) == ([], 0)
    answer = tenant.request("GET", f"/v1/pass?templateId={stranger.names['template']}")
    assert find_error_fault(answer, 400, 404) is None


def test_the_tag_id_of_another_project_finds_nothing(stack: Stack, tenant: Tenant) -> None:
    """Tag ids may repeat over projects: an id beyond the caller's own must not reach the other's tag."""
    stranger = furnish(stack.tenant())
    tag_id = stranger.tenant.call("GET", "/v1/tag")["tags"][0]["id"]
    for method, path in (("GET", f"/v1/tag/{tag_id}/passes"), ("DELETE", f"/v1/tag/{tag_id}")):
        assert find_error_fault(tenant.request(method, path), 404) is None
    assert stranger.tenant.call("GET", "/v1/tag")["count"] == 1


def test_external_ids_are_the_projects_own(stack: Stack, tenant: Tenant) -> None:
    """Two projects may use the same external ids; neither sees the other's."""
    ids = []
    for each in (tenant, stack.tenant()):
        answer = each.call("POST", "/v1/template", json={"name": "Card", "externalId": "card"})
        created = each.call("POST", "/v1/pass/id/card/id/mypass", json={"tag": "gold"})
        assert each.call("GET", "/v1/template/id/card")["templateHeader"]["id"] == str(answer["templateId"])
        assert each.call("GET", "/v1/pass/id/mypass")["id"] == created["id"]
        assert each.call("GET", "/v1/tag/gold/passes")["count"] == 1
        ids.append(created["id"])
    assert ids[0] != ids[1]
