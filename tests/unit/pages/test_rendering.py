"""The pages as a browser gets them: nothing a pass says becomes markup, and nothing comes from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from chalicelib.domain.assets import STYLE_IMAGES
from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.clients import Client
from chalicelib.pages.codes import qr_svg
from chalicelib.pages.rendering import (
    OpenGraph,
    Page,
    describe_link,
    render_android_page,
    render_message_page,
    render_pass_page,
)
from chalicelib.pages.views import CardView
from chalicelib.pages.wallet_links import wallet_links
from tests.unit.pages.cards import BASE_URL, LOGO_ID, PAGE_URL, field, make_card

HOSTILE = "\"'><script>alert(1)</script><img src=//evil.example onerror=x>{{ 7*7 }}</style>"
PKPASS_URL = f"{PAGE_URL}.pkpass?as=file"
GOOGLE_URL = "https://pay.google.com/gp/v/save/abc"


class Elements(HTMLParser):
    """Every element of a page with its attributes, and the text of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def full_card(style: str, text: str = "text") -> CardView:
    """A card with something in every place that its style has."""
    groups = ("header", "primary", "secondary", "auxiliary", "back")
    fields = {f"{group}{number}": field(group, text, text) for group in groups for number in (1, 2)}
    headers = {"logo_text": text, "barcode_value": text, "barcodeAltText": text, "background_color": text}
    images = {f"{kind}_id": LOGO_ID for kind in ("icon", "logo", "strip", "thumbnail", "background", "footer")}
    return make_card(
        fields, headers, style=style, organization_name=text, description=text, transit_type="air", **images
    )


def render(card: CardView, platform: Client = "desktop", open_graph: OpenGraph | None = None) -> Page:
    return render_pass_page(
        card,
        pkpass_url=PKPASS_URL,
        page_url=PAGE_URL,
        platform=platform,
        wallets=wallet_links(PKPASS_URL),
        google_save_url=GOOGLE_URL,
        open_graph=open_graph,
    )


def every_page(text: str) -> list[Page]:
    """Every kind of page in every style, with the text wherever a text can stand."""
    graph = OpenGraph(text, text, f"{PAGE_URL}.png")
    cards = [full_card(style, text) for style in STYLE_IMAGES]
    pages = [render(card, platform, graph) for card in cards for platform in ("ios", "android", "desktop", "unknown")]
    android = render_android_page(
        cards[0], pkpass_url=PKPASS_URL, wallets=wallet_links(PKPASS_URL), google_save_url=GOOGLE_URL
    )
    return [*pages, android, render_message_page(text, text)]


def test_nothing_that_a_pass_says_becomes_markup() -> None:
    hostile, harmless = every_page(HOSTILE), every_page("x" * len(HOSTILE))

    for page, other in zip(hostile, harmless, strict=True):
        elements, expected = Elements(page.html), Elements(other.html)
        assert [tag for tag, _ in elements.found if tag != "path"] == [
            tag for tag, _ in expected.found if tag != "path"
        ]
        assert [sorted(attributes) for _, attributes in elements.found] == [
            sorted(attributes) for _, attributes in expected.found
        ]
        assert HOSTILE in elements.text


def test_no_page_runs_a_script_or_loads_anything_from_elsewhere() -> None:
    for page in every_page("text"):
        elements = Elements(page.html)
        for tag, attributes in elements.found:
            assert tag not in ("script", "iframe", "object", "embed", "form", "base", "video", "audio")
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "srcset")]
        loaded = [attributes["src"] for attributes in elements.named("img")]
        loaded += [attributes["href"] for attributes in elements.named("link")]
        for address in loaded:
            assert address is not None
            assert address == "data:," or address.startswith(f"{BASE_URL}/uploads/asset/")
        assert "url(" not in page.html
        assert "@import" not in page.html


def test_the_policy_names_exactly_the_style_of_the_page() -> None:
    for page in every_page("text"):
        (style,) = re.findall(r"<style>(.*?)</style>", page.html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
        assert policy == {
            "default-src": "'none'",
            "img-src": "'self' data:",
            "style-src": f"'sha256-{digest}'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
        }


def test_pages_are_kept_by_nobody_and_tell_no_other_site() -> None:
    for page in every_page("text"):
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Cache-Control"] == "private, no-store"
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        assert {"name": "robots", "content": "noindex"} in Elements(page.html).named("meta")


def test_every_page_has_a_language_a_title_one_heading_and_texts_for_its_images() -> None:
    for page in every_page("text"):
        elements = Elements(page.html)
        assert elements.named("html") == [{"lang": "en"}]
        assert len(elements.named("title")) == len(elements.named("h1")) == len(elements.named("main")) == 1
        assert all("alt" in attributes for attributes in elements.named("img"))
        for attributes in elements.named("svg"):
            assert attributes.get("aria-hidden") == "true" or attributes.get("aria-label")


def test_the_colours_of_the_pass_are_those_of_the_card() -> None:
    page = render(make_card(headers={"background_color": "#010203", "label_color": "rgb(4,5,6)"}))

    assert ":root{--card:rgb(1, 2, 3);--text:rgb(255, 255, 255);--label:rgb(4, 5, 6)}" in page.html


def links(page: Page) -> list[str | None]:
    return [attributes["href"] for attributes in Elements(page.html).named("a")]


@pytest.mark.parametrize("platform", ["ios", "desktop", "unknown"])
def test_a_phone_or_a_computer_is_offered_the_pass_for_apple_wallet(platform: Client) -> None:
    page = render(make_card(), platform)

    assert links(page) == [PKPASS_URL, GOOGLE_URL]
    assert "Add to Apple Wallet" in page.html


def test_an_android_phone_is_offered_wallets_and_the_file() -> None:
    wallets = [link.url for link in wallet_links(PKPASS_URL)]
    page = render(make_card(), "android")
    small = render_android_page(make_card(), pkpass_url=PKPASS_URL, wallets=wallet_links(PKPASS_URL))

    assert links(page) == [GOOGLE_URL, *wallets, PKPASS_URL]
    assert links(small) == [*wallets, PKPASS_URL]
    assert "Apple" not in page.html + small.html


@pytest.mark.parametrize(
    ("platform", "shown"), [("desktop", True), ("unknown", True), ("ios", False), ("android", False)]
)
def test_only_a_screen_that_is_no_phone_shows_the_address_as_a_code(platform: Client, shown: bool) -> None:
    assert (qr_svg(PAGE_URL) in render(make_card(), platform).html) is shown


def test_a_pass_shows_its_own_qr_code() -> None:
    card = make_card(headers={"barcode_value": "00000001", "barcodeAltText": "number one"})

    page = render(card, "ios")

    assert qr_svg("00000001") in page.html
    assert "number one" in page.html


@pytest.mark.parametrize("kind", ["PKBarcodeFormatPDF417", "PKBarcodeFormatAztec", "PKBarcodeFormatCode128", "EAN_13"])
def test_a_code_of_another_kind_is_shown_as_text(kind: str) -> None:
    page = render(make_card(headers={"barcode_type": kind, "barcode_value": "00000001"}), "ios")

    assert 'class="qr"' not in page.html
    assert "00000001" in Elements(page.html).text


def test_a_message_too_long_for_a_qr_code_is_shown_as_text() -> None:
    page = render(make_card(headers={"barcode_value": "x" * 5000}), "ios")

    assert 'class="qr"' not in page.html
    assert "x" * 5000 in Elements(page.html).text


def test_a_pass_that_is_no_longer_valid_says_so_and_is_not_offered() -> None:
    expired = make_card(headers={"expirationDate": "2020-01-01"})

    page = render(expired, "ios")

    assert "This pass has expired." in page.html
    assert links(page) == []


def test_a_campaign_decides_what_a_link_to_its_page_shows() -> None:
    card, image = make_card(), f"{PAGE_URL}.png"

    assert describe_link(card, CampaignOptions(open_graph=False), image_url=image) is None
    assert describe_link(card, CampaignOptions(), image_url=image) == OpenGraph("Membership", "Paw Planet", image)
    graph = describe_link(card, CampaignOptions(open_graph_description="Join"), image_url=image)
    shown = {
        meta["property"]: meta["content"]
        for meta in Elements(render(card, "ios", graph).html).named("meta")
        if "property" in meta
    }
    assert shown == {
        "og:type": "website",
        "og:title": "Membership",
        "og:description": "Join",
        "og:image": image,
        "og:url": PAGE_URL,
    }
    assert "og:" not in render(card).html


def test_an_intent_names_the_file_the_app_and_where_to_find_the_app() -> None:
    names = [link.name for link in wallet_links(PKPASS_URL)]
    address = wallet_links("https://host.example:8443/p/a/1-b.pkpass?as=file")[0].url

    assert names == ["WalletPasses", "Pass2U", "PassWallet"]
    assert address == (
        "intent://host.example:8443/p/a/1-b.pkpass?as=file#Intent;scheme=https;type=application/vnd.apple.pkpass;"
        "package=io.walletpasses.android;S.browser_fallback_url="
        "https%3A%2F%2Fplay.google.com%2Fstore%2Fapps%2Fdetails%3Fid%3Dio.walletpasses.android;end"
    )


def test_nothing_in_an_address_ends_a_part_of_the_intent() -> None:
    address = wallet_links("https://host.example/a;package=evil/b?c=d;end")[0].url

    assert address.split("#")[0] == "intent://host.example/a%3Bpackage%3Devil/b?c=d%3Bend"
    assert urlsplit(address).fragment.split(";")[0] == "Intent"
