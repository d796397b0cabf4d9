"""What every collection of both dialects does, by the table of routes, so that a new one is in by itself."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

import pytest

from tests.contract.campaigns import make_campaign
from tests.contract.samples import add_tags, new_pass
from tests.drills.wire import WireAnswer, exchange
from tests.support.stack import Stack, Tenant

FAR = 5000
"""a page that no list here has"""


@dataclass(frozen=True)
class Account:
    """An account with one of everything, and what the parameters of paths name."""

    tenant: Tenant
    names: dict[str, str]

    def get(self, target: str) -> WireAnswer:
        """A request in the account's name."""
        pair = base64.b64encode(f"{self.tenant.key}:{self.tenant.secret}".encode()).decode()
        return exchange(self.tenant, "GET", target, headers={"Authorization": f"Basic {pair}"})


@pytest.fixture(scope="module")
def account(stack: Stack) -> Account:
    tenant = stack.tenant()
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()
    other = new_pass(tenant, campaign.template.template_id, externalId="member")
    add_tags(tenant, pass_.pass_id, "gold")
    add_tags(tenant, other, "gold")
    template_name = "card"
    return Account(
        tenant,
        {
            "tag": "gold",
            "identifier": str(campaign.template.template_id),
            "external_id": template_name,
            "campaign_type": campaign.template.campaign_type,
            "campaign_id": campaign.template.campaign_id,
            "pass_id": pass_.serial_number,
        },
    )


def list_collections() -> list[str]:
    """The paths of GET routes that take pages: those whose last word names many things."""
    from app import app

    last_words = re.compile(
        r"/(tag|pass|passes|headers|registrations|redeems|assets|templates|certificates|\{campaign_type\})$"
    )
    not_ours = ("/v1/devices/", "/v1/template/id/")
    return sorted(
        path
        for path, methods in app.routes.items()
        if "GET" in methods and last_words.search(path) and not path.startswith(not_ours)
    )


def test_these_are_the_collections(stack: Stack) -> None:
    """So that the rule by which they are found cannot find nothing."""
    assert list_collections() == [
        "/v1/pass",
        "/v1/tag",
        "/v1/tag/{tag}/passes",
        "/v1/template/headers",
        "/v1/template/{identifier}/passes",
        "/v2/assets",
        "/v2/certificates",
        "/v2/templates",
        "/v2/{campaign_type}",
        "/v2/{campaign_type}/{campaign_id}/passes",
        "/v2/{campaign_type}/{campaign_id}/passes/{pass_id}/redeems",
        "/v2/{campaign_type}/{campaign_id}/passes/{pass_id}/registrations",
        "/v2/{campaign_type}/{campaign_id}/redeems",
        "/v2/{campaign_type}/{campaign_id}/registrations",
    ]


def test_a_slash_at_the_end_changes_nothing_and_redirects_nobody(account: Account) -> None:
    for route in list_collections():
        path = route.format(**account.names)
        plain, slashed, asked = account.get(path), account.get(f"{path}/"), account.get(f"{path}/?page=1")
        assert (plain.status, slashed.status, asked.status) == (200, 200, 200), route
        assert plain.document() == slashed.document() == asked.document(), route


def test_a_page_past_the_end_is_an_empty_one(account: Account) -> None:
    for route in list_collections():
        answer = account.get(f"{route.format(**account.names)}?page={FAR}")
        assert answer.status == 200, route
        document = answer.document()
        if route.startswith("/v2"):
            assert document == [], route
            assert (answer.exactly("X-Page"), answer.exactly("X-Next-Page")) == (str(FAR), None), route
        else:
            (rows,) = (value for value in document.values() if isinstance(value, list))
            paging = document["Pagination" if route == "/v1/tag" else "pagination"]
            assert (rows, paging["page"]) == ([], FAR), route


def test_paging_headers_have_the_letters_of_the_contract(account: Account) -> None:
    """The PHP client finds them in no other spelling; an empty X-Next-Page would make it run for ever."""
    always = {"X-Total", "X-Total-Pages", "X-Page", "X-Per-Page", "X-Offset"}
    for route in (path for path in list_collections() if path.startswith("/v2")):
        answer = account.get(f"{route.format(**account.names)}?per_page=1")
        names = {name for name, _ in answer.headers if name.lower().startswith("x-")}
        assert always <= names, route
        assert names - always <= {"X-Next-Page", "X-Content-Type-Options"}, (route, names)
        assert all(value != "" for name, value in answer.headers if name.startswith("X-")), route
