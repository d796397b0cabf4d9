"""A pass in Google Wallet from its link to an update, through queues and workers, against a played Google."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.google_api import GoogleApi
from tests.support.google_issuer import make_key_file, read_claims, service_key
from tests.support.google_wallet import ISSUER, GoogleWallet, changed_settings, run_google_wallet
from tests.support.phones import shared_client
from tests.support.stack import Stack, Tenant

BROWSER = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36"
TEMPLATE = {
    "name": "Card",
    "vendor": "Apple",
    "type": "Generic",
    "projectType": "generic",
    "fields": {"Points": {"fieldType": "primary", "label": "Points", "value": "0", "changeMessage": "Now %@"}},
}


@pytest.fixture
def api() -> Iterator[GoogleApi]:
    with GoogleApi(issuer_id=ISSUER, public_key=service_key().public_key()) as running:
        yield running


@pytest.fixture
def project(stack: Stack, tenant: Tenant, api: GoogleApi, tmp_path: Path) -> Iterator[Tenant]:
    """A project with an issuer of its own at Google."""
    folder = tmp_path / str(tenant.project_id)
    folder.mkdir()
    google = {"issuer_id": ISSUER, "rest_base_url": api.rest_base_url, "token_url": api.token_url}
    (folder / "wallets.json").write_text(json.dumps({"google": google}))
    account = make_key_file(token_uri=api.token_url, client_email=f"{tenant.project_id}@passes.example")
    (folder / "google.json").write_text(json.dumps(account))
    with changed_settings({"PASSEL_CERTIFICATES": f"file:{tmp_path}"}):
        yield tenant


@pytest.fixture
def google(stack: Stack, project: Tenant) -> Iterator[GoogleWallet]:
    with run_google_wallet(stack.url) as running:
        yield running


def _make_passes(tenant: Tenant, count: int) -> tuple[int, list[dict[str, Any]]]:
    template_id = tenant.call("POST", "/v1/template", json=TEMPLATE)["templateId"]
    body = {"passes": [{"tags": ["all"]}] * count}
    answer = tenant.call("POST", f"/v1/pass/{template_id}/bulk", json=body)
    return template_id, [tenant.call("GET", f"/v1/pass/{each['id']}") for each in answer["passes"]]


def _save(tenant: Tenant, google: GoogleWallet, pass_: dict[str, Any]) -> None:
    """Somebody follows the link and Google tells that the pass was saved."""
    page = shared_client().get(_page(pass_, ".google"), headers={"User-Agent": BROWSER})
    assert page.status_code == 302, page.text
    assert google.save(_serial_number(pass_), project_id=tenant.project_id).status_code == 200


def _page(pass_: dict[str, Any], suffix: str) -> str:
    return str(pass_["publicUrl"]["path"]) + suffix


def _serial_number(pass_: dict[str, Any]) -> str:
    return str(pass_["serialNumber"])


def _objects(api: GoogleApi, passes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [api.resources["genericObject"][f"{ISSUER}.{_serial_number(pass_)}"] for pass_ in passes]


def _show(api: GoogleApi, pass_: dict[str, Any]) -> str:
    """What Google shows of the points: the object's own value, else the one of its class."""
    (document,) = _objects(api, [pass_])
    places = (document, api.resources["genericClass"][document["classId"]])
    modules = [module for place in places for module in place.get("textModulesData") or []]
    return str(next(module["body"] for module in modules if module["header"] == "Points"))


def _methods(api: GoogleApi) -> list[str]:
    return [f"{each.method} {each.path.split('/')[0]}" for each in api.received if each.path != "token"]


def test_the_link_leads_to_google_once_the_object_is_there(project: Tenant, api: GoogleApi) -> None:
    _, (pass_,) = _make_passes(project, 1)
    answer = shared_client().get(_page(pass_, ".google"), headers={"User-Agent": BROWSER})

    assert answer.status_code == 302
    _, claims = read_claims(answer.headers["location"])
    (entry,) = claims["payload"]["genericObjects"]
    assert entry["id"] == f"{ISSUER}.{_serial_number(pass_)}"
    assert _show(api, pass_) == "0"


def test_the_page_offers_google_where_a_project_has_an_account(project: Tenant, stack: Stack, api: GoogleApi) -> None:
    other = stack.tenant()
    (_, (mine,)), (_, (others,)) = _make_passes(project, 1), _make_passes(other, 1)
    pages = {
        pass_["id"]: shared_client().get(_page(pass_, ""), headers={"User-Agent": BROWSER}).text
        for pass_ in (mine, others)
    }

    assert f'href="{_page(mine, ".google")}"' in pages[mine["id"]]
    assert _page(others, ".google") not in pages[others["id"]]
    assert shared_client().get(_page(others, ".google")).status_code == 404
    assert api.received == []


def test_a_saved_pass_is_patched_by_an_update_and_one_never_saved_is_not(
    project: Tenant, stack: Stack, api: GoogleApi, google: GoogleWallet
) -> None:
    _, (saved, looked_at, unknown) = _make_passes(project, 3)
    _save(project, google, saved)
    shared_client().get(_page(looked_at, ".google"))
    api.received.clear()
    for pass_ in (saved, looked_at, unknown):
        project.call("PUT", f"/v1/pass/{pass_['id']}", json={"fields": {"Points": {"value": "7"}}})
    stack.drain()

    assert _methods(api) == ["PATCH genericObject"]
    assert (_show(api, saved), _show(api, looked_at)) == ("7", "0")
    shared_client().get(_page(looked_at, ".google"))
    assert _show(api, looked_at) == "7"


def test_an_update_of_all_passes_of_the_project_is_one_request_for_the_class(
    project: Tenant, stack: Stack, api: GoogleApi, google: GoogleWallet
) -> None:
    _, passes = _make_passes(project, 12)
    for pass_ in passes:
        _save(project, google, pass_)
    api.received.clear()
    project.call("PUT", "/v1/tag/all/passes", json={"fields": {"Points": {"value": "50"}}})
    stack.drain()

    assert _methods(api).count("PATCH genericClass") == 1
    assert "PATCH genericObject" not in _methods(api)
    assert {_show(api, pass_) for pass_ in passes} == {"50"}


def test_an_update_of_some_passes_changes_these_alone(
    project: Tenant, stack: Stack, api: GoogleApi, google: GoogleWallet
) -> None:
    template_id, passes = _make_passes(project, 3)
    untagged = project.call("POST", f"/v1/pass/{template_id}", json={})
    untagged = project.call("GET", f"/v1/pass/{untagged['id']}")
    for pass_ in (*passes, untagged):
        _save(project, google, pass_)
    api.received.clear()
    project.call("PUT", "/v1/tag/all/passes", json={"fields": {"Points": {"value": "50"}}})
    stack.drain()

    assert _methods(api) == ["PATCH genericObject"] * 3
    assert [_show(api, pass_) for pass_ in (*passes, untagged)] == ["50"] * 3 + ["0"]


def test_a_campaign_s_message_is_one_request_for_the_class(
    project: Tenant, stack: Stack, api: GoogleApi, google: GoogleWallet
) -> None:
    _, passes = _make_passes(project, 5)
    for pass_ in passes:
        _save(project, google, pass_)
    api.received.clear()
    (campaign,) = project.http.get("/v2/generics").json()
    answer = project.http.post(f"/v2/generics/{campaign['id']}/push", json={"push_message": "Sale!"})
    assert answer.status_code == 200, answer.text
    stack.drain()

    assert "PATCH genericObject" not in _methods(api)
    (document,) = api.resources["genericClass"].values()
    assert "Sale!" in [module["body"] for module in document["textModulesData"]]


def test_a_callback_for_one_project_says_nothing_about_another_s_pass(
    project: Tenant, stack: Stack, google: GoogleWallet
) -> None:
    """Whoever has an issuer may make an object with any name, and Google signs what happens to it."""
    with changed_settings({"PASSEL_GOOGLE_ISSUER_ID": ""}):
        other = stack.tenant()
        _, (pass_,) = _make_passes(other, 1)
        assert google.save(_serial_number(pass_), project_id=project.project_id).status_code == 200

        assert other.call("GET", f"/v1/pass/{pass_['id']}")["status"] == "not_been_installed"
        assert google.save(_serial_number(pass_), project_id=other.project_id).status_code == 400


def test_an_object_that_is_deleted_is_not_written_any_more(
    project: Tenant, stack: Stack, api: GoogleApi, google: GoogleWallet
) -> None:
    _, (pass_, _) = _make_passes(project, 2)
    _save(project, google, pass_)
    assert google.delete(_serial_number(pass_)).status_code == 200
    api.received.clear()
    project.call("PUT", f"/v1/pass/{pass_['id']}", json={"fields": {"Points": {"value": "7"}}})
    stack.drain()

    assert api.received == []
