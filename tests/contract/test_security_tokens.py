"""Each token opens one thing: a pass's own, its link's, a project's. Nothing is told of what is wrong with one."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import pytest

from chalicelib.domain.page_addresses import distribution_code
from chalicelib.wiring import get_platform
from tests.contract.cards import Card, issue_card, issue_cards, look
from tests.contract.raw_http import basic
from tests.contract.test_security_isolation import describe, stored_texts
from tests.support.phones import PassFile, Phone, shared_client, token_of
from tests.support.stack import Stack, Tenant

LEAST_CHARACTERS = 43
"""of 256 random bits in base64"""


@dataclass(frozen=True)
class Held:
    """A pass, its file, and every token around it."""

    card: Card
    file: PassFile

    @property
    def own(self) -> str:
        """What wallets show."""
        return token_of(self.file)

    @property
    def link(self) -> str:
        """What stands in the address of the download."""
        return self.card.url.partition("token=")[2]

    @property
    def address(self) -> str:
        """Pass type and serial number in a path."""
        return self.file.path


def hold(card: Card) -> Held:
    return Held(card, Phone().add(card.url))


@pytest.fixture
def held(stack: Stack, tenant: Tenant) -> Held:
    return hold(issue_card(tenant))


@pytest.fixture
def other(stack: Stack) -> Held:
    """Another project's; both sign with the same certificate."""
    return hold(issue_card(stack.tenant()))


def wrong_tokens(held: Held, other: Held) -> dict[str, str]:
    """What could be shown in place of a pass's own token."""
    tenant = held.card.tenant
    return {
        "none": "",
        "another pass's": other.own,
        "the link's": held.link,
        "cut": held.own[:-1],
        "longer": held.own + "A",
        "in other letters": held.own.swapcase(),
        "the serial number": held.card.serial_number,
        "the project's secret": tenant.secret,
        "the project's key": tenant.key,
    }


def wrong_paths(held: Held, other: Held) -> dict[str, str]:
    """Pass type and serial number that fit no token of ours."""
    serial = held.card.serial_number
    pass_type = held.file.pass_type
    deleted = hold(issue_card(held.card.tenant))
    deleted.card.delete()
    return {
        "another pass": other.address,
        "a deleted pass": deleted.address,
        "an unknown number": f"{pass_type}/{str(uuid.uuid4())[:24]}0000003b9aca",
        "a known number": f"{pass_type}/{str(uuid.uuid4())[:24]}{serial[24:]}",
        "in capitals": f"{pass_type}/{serial.upper()}",
        "no UUID": f"{pass_type}/1",
        "another pass type": f"pass.com.example/{serial}",
    }


DEVICE = "/v1/devices/a-device"
ASKED_WITH_A_TOKEN = (
    ("POST", f"{DEVICE}/registrations"),
    ("DELETE", f"{DEVICE}/registrations"),
    ("POST", f"{DEVICE}/registrations_attido"),
    ("DELETE", f"{DEVICE}/registrations_attido"),
    ("GET", "/v1/passes"),
)
"""method, and what stands before pass type and serial number"""

NO_TOKEN = ("none", "the project's credentials", "another scheme")


def test_what_is_wrong_with_a_wallets_request_is_not_told(stack: Stack, held: Held, other: Held) -> None:
    """An unknown pass, a wrong token, another pass's: the same 401, and nothing is changed (wallets, section 2.1)."""
    headers = {name: f"ApplePass {token}".strip() for name, token in wrong_tokens(held, other).items()}
    headers |= {"the project's credentials": basic(held.card.tenant), "another scheme": f"Bearer {held.own}"}
    right = f"ApplePass {held.own}"
    wrong = {name: (held.address, header) for name, header in headers.items()}
    wrong |= {name: (path, right) for name, path in wrong_paths(held, other).items()}
    before = [look(stack, each.card.tenant) for each in (held, other)]
    answers = {
        (method, prefix, name): describe(
            shared_client().request(
                method,
                f"{stack.url}{prefix}/{path}",
                headers={"Authorization": header},
                content=b"{" if method == "POST" else b"",
            )
        )
        for method, prefix in ASKED_WITH_A_TOKEN
        for name, (path, header) in wrong.items()
    }
    assert {status for status, _, _ in answers.values()} == {401}
    about_the_pass = {case: answer for case, answer in answers.items() if case[2] not in NO_TOKEN}
    assert len(set(about_the_pass.values())) == 1, about_the_pass
    assert [look(stack, each.card.tenant) for each in (held, other)] == before


def test_a_token_registers_its_own_pass_on_any_device_and_no_other(stack: Stack, tenant: Tenant) -> None:
    """Replayed for another pass it is worth nothing; on another device it is the pass itself that was handed on."""
    one, two = (hold(card) for card in issue_cards(tenant, 2))
    for phone in (Phone(), Phone()):
        assert phone.register(one.file).status_code == 201
        stolen = {"Authorization": f"ApplePass {one.own}"}
        assert phone.register(two.file, headers=stolen).status_code == 401
        assert phone.unregister(two.file, headers=stolen).status_code == 401
        assert phone.fetch(two.file, headers=stolen).status_code == 401
    assert len(one.card.list_own_registrations()) == 2
    assert two.card.list_own_registrations() == []


def test_what_is_wrong_with_a_link_is_not_told(stack: Stack, held: Held, other: Held) -> None:
    number = held.card.pass_id
    tokens = wrong_tokens(held, other) | {"another link's": other.link, "the pass's own": held.own}
    del tokens["the link's"]
    places = {name: (number, token) for name, token in tokens.items()}
    places |= {"an unknown pass": (number + 10**12, held.link), "another pass": (other.card.pass_id, held.link)}
    for form in ("/v1/pass/{}/download?token={}", "/p/pass/{}-{}", "/p/pass/{}-{}.pkpass", "/p/pass/{}-{}.png"):
        answers = {
            name: describe(shared_client().get(stack.url + form.format(*place)), str(place[0]))
            for name, place in places.items()
        }
        assert {status for status, _, _ in answers.values()} == {404}
        assert len(set(answers.values())) == 1, answers


def test_the_page_of_a_pass_needs_its_own_campaign(stack: Stack, held: Held, other: Held) -> None:
    def page(template_of: Held) -> httpx.Response:
        template = get_platform().templates.get_template(
            project_id=template_of.card.tenant.project_id, template_id=template_of.card.template_id
        )
        assert template is not None
        code = distribution_code(template.project_id, template.campaign_id)
        return shared_client().get(f"{stack.url}/p/{code}/{held.card.pass_id}-{held.link}")

    assert page(held).status_code == 200
    assert describe(page(other)) == describe(shared_client().get(f"{stack.url}/p/pass/1-x"))


def test_a_visitors_cookie_opens_no_pass_of_another_campaign(stack: Stack, held: Held, other: Held) -> None:
    template = get_platform().templates.get_template(
        project_id=held.card.tenant.project_id, template_id=held.card.template_id
    )
    assert template is not None
    url = f"{stack.url}/p/{distribution_code(template.project_id, template.campaign_id)}"
    cookie = f"passel_{template.template_id}={other.card.pass_id}-{other.link}"

    answer = shared_client().get(url, headers={"Cookie": cookie, "User-Agent": "Firefox"})

    assert answer.status_code == 200
    assert other.link not in answer.text
    assert held.link not in answer.text


def test_tokens_are_256_random_bits_and_none_stands_for_another(stack: Stack, tenant: Tenant) -> None:
    cards = issue_cards(tenant, 50)
    read = [get_platform().passes.get_pass(project_id=tenant.project_id, pass_id=card.pass_id) for card in cards]
    stored = [pass_ for pass_ in read if pass_ is not None]
    tokens = [token for pass_ in stored for token in (pass_.authentication_token, pass_.download_token)]
    tokens += [tenant.secret, get_platform().new_token()]
    assert len(set(tokens)) == len(tokens) == 102
    assert all(len(token) == LEAST_CHARACTERS for token in tokens)
    random_parts = {pass_.serial_number[:24] for pass_ in stored}
    assert len(random_parts) == 50


def test_the_token_of_a_pass_is_shown_to_who_holds_it_and_to_its_project_alone(stack: Stack, held: Held) -> None:
    """The page and the lists of both dialects show the link, never what a wallet proves itself with."""
    tenant, card = held.card.tenant, held.card
    phone = Phone()
    phone.register(held.file)
    link = urlsplit(card.url)
    seen = [
        tenant.request("GET", path)
        for path in ("/v1/pass", f"/v1/pass/{card.pass_id}", f"/v1/template/{card.template_id}/passes")
    ]
    seen += [shared_client().get(f"{stack.url}/p/pass/{card.pass_id}-{held.link}"), phone.ask(held.file)]
    assert all(answer.status_code == 200 for answer in seen)
    assert not [answer.url for answer in seen if held.own in answer.text]
    assert held.own in tenant.request("GET", f"/v1/pass/{card.pass_id}/viewJSONPass").text
    assert link.path == f"/v1/pass/{card.pass_id}/download"


def test_a_device_id_is_stored_nowhere(stack: Stack, held: Held) -> None:
    """It is all that a device proves itself with when it asks for its list (wallets, section 2.2)."""
    phone = Phone(device_id="device-" + str(uuid.uuid4()))
    assert phone.register(held.file).status_code == 201
    stored = stored_texts(stack, "registrations")
    assert phone.push_token in stored
    assert phone.device_id not in stored


def test_another_device_id_lists_nothing(stack: Stack, held: Held) -> None:
    phone = Phone()
    phone.register(held.file)
    assert phone.ask(held.file).json()["serialNumbers"] == [held.card.serial_number]
    for guess in (phone.device_id[:-1], phone.device_id + "0", "%25", "*", ""):
        url = f"{stack.url}/v1/devices/{guess}/registrations/{held.file.pass_type}"
        assert shared_client().get(url).status_code in (204, 404)
