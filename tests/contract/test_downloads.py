"""The pass as a file, and as Apple's JSON (airship-wallet-v1, section 5)."""

from __future__ import annotations

import json
import re

import httpx
import pytest

from tests.contract.browsers import ANDROID, CRAWLERS, DESKTOP, IPHONE, follow_intent, read_page
from tests.contract.cards import Card, issue_card, look
from tests.contract.expectations import check_error
from tests.support.phones import PKPASS, open_pass_file, read_pass_file, shared_client
from tests.support.stack import Stack, Tenant


@pytest.fixture
def card(tenant: Tenant) -> Card:
    """A pass with an external id, in a template with one."""
    return issue_card(tenant, externalId="member 1/2")


def get(url: str, agent: str = IPHONE, **headers: str) -> httpx.Response:
    return shared_client().get(url, headers={"User-Agent": agent, **headers})


def paths(card: Card) -> list[str]:
    return [
        f"/v1/pass/{card.pass_id}",
        "/v1/pass/id/member%201%2F2",
        f"/v1/pass/template/{card.template_id}/id/member%201%2F2",
    ]


def test_whoever_has_the_link_gets_the_pass(card: Card) -> None:
    answer = get(card.url)

    held = read_pass_file(answer)
    assert held.serial_number == card.serial_number
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-disposition"] == f'attachment; filename="{card.serial_number}.pkpass"'
    assert answer.headers["last-modified"]


@pytest.mark.parametrize("agent", [IPHONE, DESKTOP, "", "WalletPasses/4.3 (Linux; U; Android 14)", *CRAWLERS])
def test_everybody_but_a_browser_on_android_gets_the_file(card: Card, agent: str) -> None:
    assert read_pass_file(get(card.url, agent)).serial_number == card.serial_number


@pytest.mark.parametrize(
    "token", ["", "wrong", "x" * 43, "%00", "..", "x" * 5000, "{own}x", "{own_cut}", "\N{SNOWMAN}", "{other}"]
)
def test_a_token_that_is_not_the_passs_own_is_404(card: Card, token: str) -> None:
    own = card.url.partition("token=")[2]
    other = issue_card(card.tenant, card.template_id).url.partition("token=")[2]
    wrong = token.format(own=own, own_cut=own[:-1], other=other)

    answer = get(f"{card.tenant.http.base_url}/v1/pass/{card.pass_id}/download?token={wrong}")

    check_error(answer, 404)


@pytest.mark.parametrize("identifier", ["0", "999999999", "-1", "nobody", "%00", "9" * 2000, "1.0"])
def test_the_token_opens_no_other_pass(card: Card, identifier: str) -> None:
    own = card.url.partition("token=")[2]

    answers = [
        get(f"{card.tenant.http.base_url}/v1/pass/{identifier}/download?token={own}"),
        card.tenant.request("GET", f"/v1/pass/{identifier}/download"),
    ]
    for answer in answers:
        check_error(answer, 404)


def test_without_token_and_credentials_it_is_401(card: Card) -> None:
    for path in paths(card):
        check_error(get(f"{card.tenant.http.base_url}{path}/download"), 401)


def test_with_credentials_no_token_is_needed_in_any_of_the_forms(card: Card) -> None:
    expected = get(card.url).content

    for path in paths(card):
        answer = card.tenant.request("GET", f"{path}/download")
        assert (answer.status_code, answer.headers["content-type"]) == (200, PKPASS)
        assert answer.content == expected


def test_a_wrong_token_is_not_made_good_by_credentials(card: Card) -> None:
    check_error(card.tenant.request("GET", f"/v1/pass/{card.pass_id}/download?token=wrong"), 404)


def test_the_pass_of_another_project_is_404(card: Card, stack: Stack) -> None:
    stranger = stack.tenant()

    for path in paths(card):
        for suffix in ("download", "viewJSONPass"):
            check_error(stranger.request("GET", f"{path}/{suffix}"), 404)


def test_a_deleted_pass_is_404(card: Card) -> None:
    url = card.url
    card.delete()

    check_error(get(url), 404)


def test_the_revision_is_not_looked_at(card: Card) -> None:
    """A person's browser sends none."""
    assert get(card.url, **{"Api-Revision": "7"}).status_code == 200


def test_a_browser_on_android_gets_a_page_whose_links_lead_to_the_pass(card: Card) -> None:
    expected = get(card.url).content
    for answer in (
        get(card.url, ANDROID),
        card.tenant.request("GET", f"/v1/pass/{card.pass_id}/download", headers={"User-Agent": ANDROID}),
    ):
        page = read_page(answer)
        links = {name: follow_intent(url) if url.startswith("intent:") else url for name, url in page.links.items()}
        assert set(links) == {"WalletPasses", "Pass2U", "PassWallet", "Download the pass"}
        for url in links.values():
            # the browser itself downloads, or the app that it opens
            for agent in (ANDROID, "WalletPasses/4.3 (Linux; U; Android 14)"):
                fetched = get(url, agent)
                assert fetched.headers["content-type"] == PKPASS
                assert fetched.content == expected


def test_downloads_change_nothing_but_the_count_of_downloads(card: Card, stack: Stack) -> None:
    before = look(stack, card.tenant)

    get(card.url)
    get(card.url, ANDROID)

    assert look(stack, card.tenant) == before


def test_the_json_is_what_the_file_holds(card: Card) -> None:
    card.update("Grüße & <b>")
    document = open_pass_file(get(card.url).content).document

    for path in paths(card):
        answer = card.tenant.request("GET", f"{path}/viewJSONPass")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.json() == document
    assert json.dumps(document, ensure_ascii=False).count("Grüße & <b>") == 1


def test_the_json_needs_credentials(card: Card) -> None:
    token = card.url.partition("token=")[2]
    for path in paths(card):
        url = f"{card.tenant.http.base_url}{path}/viewJSONPass"
        check_error(get(url), 401)
        check_error(get(f"{url}?token={token}"), 401)


@pytest.mark.parametrize("agent", [IPHONE, ANDROID])
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example/v1"},
        {"Host": "evil.example/api/v1/"},
        {"Host": "/"},
        {"Host": "["},
        {"X-Forwarded-Proto": "ftp"},
        {"X-Forwarded-Proto": "javascript"},
    ],
    ids=str,
)
def test_an_address_that_cannot_be_asked_at_is_in_no_pass(card: Card, headers: dict[str, str], agent: str) -> None:
    """Without a setting the address in the pass is the one that the client asked at, if it is one."""
    signed = {"User-Agent": agent, **headers}

    assert get(card.url, agent, **headers).status_code == 200
    shown = card.tenant.call("GET", f"/v1/pass/{card.pass_id}/viewJSONPass", headers=signed)["webServiceURL"]
    assert re.fullmatch(r"http://(localhost|127\.0\.0\.1:\d+)", shown)
