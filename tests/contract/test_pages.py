"""Pages for people: a campaign's distribution and a pass (passworks-v2, sections 6 and 8)."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from io import BytesIO

import httpx
import pytest
from PIL import Image

from chalicelib.api.pages import QR_SCALE
from chalicelib.domain import visiting
from chalicelib.domain.campaign_editing import change_state
from chalicelib.domain.campaigns import CampaignState
from chalicelib.domain.page_addresses import distribution_code, pass_code
from chalicelib.domain.templates import Template
from chalicelib.pages.codes import qr_png
from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.contract.browsers import ANDROID, CRAWLERS, DESKTOP, IPHONE, follow_intent, read_page
from tests.contract.cards import Card, issue_card
from tests.support.phones import PKPASS, read_pass_file, shared_client
from tests.support.stack import Tenant

UNKNOWN_CODES = (
    "nothing",
    "A" * 30,
    "A" * 3000,
    "..%2f..",
    "%00",
    "<script>",
    "%e2%98%83",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.pkpass",
    ".png",
    ".qrcode",
)


FOREIGN_COOKIES = ("{name}=1-x", "{name}=", "{name}", "{name}=\x01", "{name}={other}", ";;=;", "x" * 4000)


@dataclasses.dataclass(frozen=True)
class Distribution:
    """A campaign's page."""

    tenant: Tenant
    template_id: int

    @property
    def template(self) -> Template:
        """The campaign as it is now."""
        template = get_platform().templates.get_template(
            project_id=self.tenant.project_id, template_id=self.template_id
        )
        assert template is not None
        return template

    @property
    def url(self) -> str:
        """Its address."""
        code = distribution_code(self.tenant.project_id, self.template.campaign_id)
        return f"{self.tenant.http.base_url}/p/{code}"

    def pass_url(self, card: Card) -> str:
        """The address of the page of one of its passes."""
        return f"{self.url}/{pass_code(card.pass_id, card.url.partition('token=')[2])}"

    def count_passes(self) -> int:
        """How many passes it has issued."""
        count = self.tenant.call("GET", f"/v1/template/{self.template_id}/passes")["count"]
        assert isinstance(count, int)
        return count

    def set_state(self, state: CampaignState) -> None:
        """Pauses, resumes or archives it."""
        change_state(get_platform(), self.template, state=state)


@pytest.fixture
def distribution(tenant: Tenant) -> Distribution:
    """Of a campaign without passes."""
    return Distribution(tenant, samples.new_template(tenant))


def get(url: str, agent: str = DESKTOP, **headers: str) -> httpx.Response:
    """A visit without cookies, unless they are given."""
    shared_client().cookies.clear()
    return shared_client().get(url, headers={"User-Agent": agent, **headers})


def cookie_of(answer: httpx.Response) -> str:
    """What the browser sends back."""
    return answer.headers["set-cookie"].partition(";")[0]


def check_picture(answer: httpx.Response) -> Image.Image:
    """The picture of an answer that must be one."""
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    return Image.open(BytesIO(answer.content))


def test_a_visitor_gets_a_pass_of_his_own_and_the_page_leads_to_it(distribution: Distribution) -> None:
    answer = get(distribution.url, IPHONE)

    page = read_page(answer)
    assert distribution.count_passes() == 1
    held = read_pass_file(get(page.links["Add to Apple Wallet"], IPHONE))
    (listed,) = distribution.tenant.call("GET", "/v1/pass")["passes"]
    assert listed["serialNumber"] == held.serial_number
    assert read_pass_file(get(listed["url"])).content == held.content


def test_the_same_visitor_gets_the_same_pass(distribution: Distribution) -> None:
    first = get(distribution.url)
    cookie = cookie_of(first)

    again = [get(distribution.url, Cookie=f"other=1; {cookie}; more=2") for _ in range(3)]

    assert distribution.count_passes() == 1
    assert {read_page(answer).links["Add to Apple Wallet"] for answer in (first, *again)} == {
        read_page(first).links["Add to Apple Wallet"]
    }
    assert all("set-cookie" not in answer.headers for answer in again)


def test_the_cookie_is_for_the_server_alone_and_for_a_day(distribution: Distribution) -> None:
    attributes = get(distribution.url).headers["set-cookie"].split("; ")[1:]

    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"} <= set(attributes)


def test_other_visitors_get_other_passes(distribution: Distribution) -> None:
    links = {read_page(get(distribution.url)).links["Add to Apple Wallet"] for _ in range(3)}

    assert len(links) == distribution.count_passes() == 3


@pytest.mark.parametrize("hours", [23, 25])
def test_after_a_day_a_visitor_gets_another_pass(distribution: Distribution, hours: int) -> None:
    code = cookie_of(get(distribution.url)).partition("=")[2]
    platform = get_platform()
    later = dataclasses.replace(platform, now=lambda: platform.now() + timedelta(hours=hours))

    _, is_new = visiting.take_pass(later, distribution.template, visitor=code, hours=24)

    assert is_new is (hours > 24)


@pytest.mark.parametrize(
    "cookie", ["{name}=1-x", "{name}=", "{name}", "{name}=\x01", "{name}={other}", ";;=;", "x" * 4000]
)
def test_a_cookie_that_names_no_pass_of_the_campaign_counts_for_nothing(
    distribution: Distribution, cookie: str
) -> None:
    name = cookie_of(get(distribution.url)).partition("=")[0]
    foreign = issue_card(distribution.tenant)
    other = pass_code(foreign.pass_id, foreign.url.partition("token=")[2])

    answer = get(distribution.url, Cookie=cookie.format(name=name, other=other))

    read_page(answer)
    assert distribution.count_passes() == 2


@pytest.mark.parametrize("agent", CRAWLERS)
def test_a_crawler_sees_the_card_and_gets_no_pass(distribution: Distribution, agent: str) -> None:
    for suffix in ("", ".png", ".qrcode"):
        answer = get(distribution.url + suffix, agent)
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers

    page = read_page(get(distribution.url, agent))
    assert page.meta["og:title"]
    check_picture(get(page.meta["og:image"], agent))
    assert distribution.count_passes() == 0


def test_an_android_visitor_is_offered_wallets_and_each_link_leads_to_his_pass(distribution: Distribution) -> None:
    page = read_page(get(distribution.url, ANDROID))

    links = {name: follow_intent(url) if url.startswith("intent:") else url for name, url in page.links.items()}
    assert {"WalletPasses", "Pass2U", "PassWallet"} < set(links)
    assert len({read_pass_file(get(url, ANDROID)).serial_number for url in links.values()}) == 1
    assert distribution.count_passes() == 1


def test_the_picture_and_the_code_of_a_campaign_issue_no_pass(distribution: Distribution) -> None:
    check_picture(get(f"{distribution.url}.png"))
    code = get(f"{distribution.url}.qrcode")

    check_picture(code)
    assert code.content == qr_png(distribution.url, scale=QR_SCALE)
    assert distribution.count_passes() == 0


def test_the_file_of_a_campaign_is_the_visitors_own_pass(distribution: Distribution) -> None:
    first = get(f"{distribution.url}.pkpass", IPHONE)

    held = read_pass_file(first)
    again = read_pass_file(get(f"{distribution.url}.pkpass", IPHONE, Cookie=cookie_of(first)))
    assert again.serial_number == held.serial_number
    assert read_pass_file(get(f"{distribution.url}.pkpass", IPHONE)).serial_number != held.serial_number


def test_a_pass_has_a_page_a_file_a_picture_and_a_code(distribution: Distribution) -> None:
    card = issue_card(distribution.tenant, distribution.template_id)
    card.update("seventeen")
    url = distribution.pass_url(card)

    page = read_page(get(url, IPHONE))
    assert "seventeen" in page.text
    assert read_pass_file(get(page.links["Add to Apple Wallet"], IPHONE)).serial_number == card.serial_number
    for agent in (IPHONE, DESKTOP):
        answer = get(f"{url}.pkpass", agent)
        assert answer.headers["content-type"] == PKPASS
        assert read_pass_file(answer).serial_number == card.serial_number
    assert set(read_page(get(f"{url}.pkpass", ANDROID)).links) > {"WalletPasses", "Pass2U", "PassWallet"}
    check_picture(get(f"{url}.png"))
    assert get(f"{url}.qrcode").content == qr_png(url, scale=QR_SCALE)
    assert distribution.count_passes() == 1


@pytest.mark.parametrize("code", UNKNOWN_CODES)
def test_an_unknown_address_is_a_page_with_404(distribution: Distribution, code: str) -> None:
    base = distribution.tenant.http.base_url
    card = issue_card(distribution.tenant, distribution.template_id)
    own = distribution.pass_url(card).rpartition("/")[2]

    for url in (f"{base}/p/{code}", f"{distribution.url}/{code}", f"{base}/p/{code}/{own}"):
        page = read_page(get(url), 404)
        assert "There is no pass" in page.text
        assert "<script>" not in get(url).text
    assert distribution.count_passes() == 1


def test_a_pass_is_found_only_with_its_own_token_and_campaign(distribution: Distribution) -> None:
    card = issue_card(distribution.tenant, distribution.template_id)
    other = Distribution(distribution.tenant, samples.new_template(distribution.tenant))
    url = distribution.pass_url(card)

    for wrong in (url[:-1], f"{url}x", url.replace(distribution.url, other.url), f"{distribution.url}/{card.pass_id}-"):
        for suffix in ("", ".pkpass", ".png", ".qrcode"):
            read_page(get(wrong + suffix, IPHONE), 404)


def test_a_deleted_pass_or_campaign_is_404(distribution: Distribution) -> None:
    card = issue_card(distribution.tenant, distribution.template_id)
    url, campaign = distribution.pass_url(card), distribution.url

    card.delete()
    read_page(get(url), 404)
    distribution.tenant.call("DELETE", f"/v1/template/{distribution.template_id}")
    read_page(get(campaign), 404)


def test_a_campaign_that_is_paused_is_410_until_it_goes_on(distribution: Distribution) -> None:
    mine = cookie_of(get(distribution.url))
    card = issue_card(distribution.tenant, distribution.template_id)
    distribution.set_state(CampaignState.PAUSED)

    for suffix in ("", ".pkpass"):
        answer = get(distribution.url + suffix, IPHONE)
        page = read_page(answer, 410)
        assert "No passes are issued" in page.text
        assert "set-cookie" not in answer.headers
    assert distribution.count_passes() == 2
    read_page(get(distribution.url, Cookie=mine))
    read_page(get(distribution.pass_url(card)))

    distribution.set_state(CampaignState.PUBLISHED)
    read_page(get(distribution.url))
    assert distribution.count_passes() == 3


def test_an_archived_campaign_issues_nothing_more(distribution: Distribution) -> None:
    distribution.set_state(CampaignState.ARCHIVED)

    read_page(get(distribution.url), 410)
    assert distribution.count_passes() == 0


HOSTILE = "</title><script>alert('x')</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"


def test_whatever_a_pass_says_is_shown_as_text(tenant: Tenant) -> None:
    fields = {
        name: {"fieldType": kind, "label": HOSTILE, "value": HOSTILE, "formatType": "String"}
        for name, kind in (("Points", "primary"), ("More", "back"))
    }
    headers = {"logo_text": {"fieldType": "topLevel", "formatType": 1, "value": HOSTILE}}
    template_id = samples.new_template(
        tenant, name=HOSTILE, description=HOSTILE, fields=fields, headers=samples.TEMPLATE["headers"] | headers
    )
    distribution = Distribution(tenant, template_id)
    for agent in (DESKTOP, IPHONE, ANDROID, CRAWLERS[0]):
        answer = get(distribution.url, agent)
        page = read_page(answer)
        assert "<script" not in answer.text.lower()
        assert "onerror=alert(1)>" not in answer.text
        assert "img" not in page.tags
        assert "49" not in page.text
        assert "<script>alert('x')</script>" in page.text


def test_an_address_in_a_field_is_a_link_only_if_it_leads_to_the_web(tenant: Tenant) -> None:
    fields = {
        "Site": {"fieldType": "back", "label": "Site", "value": "https://example.com/a", "formatType": "URL"},
        "Trap": {"fieldType": "back", "label": "Trap", "value": "javascript:alert(1)", "formatType": "URL"},
    }
    distribution = Distribution(tenant, samples.new_template(tenant, fields=fields))

    page = read_page(get(distribution.url))

    assert "https://example.com/a" in page.links.values()
    assert not [url for url in page.links.values() if url.startswith("javascript:")]


def test_the_public_address_of_a_pass_is_its_page_and_the_image_a_picture_of_it(tenant: Tenant) -> None:
    pass_id = samples.new_pass(tenant)
    public = tenant.call("GET", f"/v1/pass/{pass_id}")["publicUrl"]

    assert read_page(get(public["path"], IPHONE))
    assert check_picture(get(public["image"])).size[0] == 640
    assert read_pass_file(get(public["path"] + ".pkpass", IPHONE))


def test_a_page_that_names_no_distribution_still_needs_the_token(tenant: Tenant) -> None:
    pass_id = samples.new_pass(tenant)
    path = tenant.call("GET", f"/v1/pass/{pass_id}")["publicUrl"]["path"]
    other = path[:-1] + ("b" if path.endswith("a") else "a")

    assert (get(path).status_code, get(other).status_code) == (200, 404)
