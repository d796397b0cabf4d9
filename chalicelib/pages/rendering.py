"""The public pages as HTML, each with the headers that it must be sent with.

A page has no script and loads nothing but our own images. Its one style sheet stands inside it, and the policy names
that sheet by its hash, so the two are made together.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.clients import Client
from chalicelib.pages.codes import qr_svg
from chalicelib.pages.views import CardView
from chalicelib.pages.wallet_links import WalletLink

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE_SHEET = "pages.css"


@dataclass(frozen=True, slots=True)
class Page:
    """A page and the headers that belong to it."""

    html: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpenGraph:
    """What a message that links to the page shows of it (ogp.me)."""

    title: str
    description: str
    image_url: str


def describe_link(card: CardView, options: CampaignOptions, *, image_url: str) -> OpenGraph | None:
    """What others may show of a link to the page; None if the campaign does not want that (passworks-v2, section 6)."""
    if not options.open_graph:
        return None
    return OpenGraph(card.title, options.open_graph_description or card.organization, image_url)


def render_pass_page(
    card: CardView,
    *,
    pkpass_url: str,
    page_url: str,
    platform: Client,
    wallets: Sequence[WalletLink] = (),
    google_save_url: str | None = None,
    open_graph: OpenGraph | None = None,
) -> Page:
    """The page of a pass: the card, and how to get it into a wallet.

    An iPhone is offered the pass, an Android phone the `wallets`, and any other screen a QR code of the page as well.
    `pkpass_url` must lead to the pass itself, whoever opens it.
    """
    return _render(
        "pass.html",
        title=card.title,
        card=card,
        barcode_svg=_barcode_svg(card),
        page_svg=Markup(qr_svg(page_url)) if platform in ("desktop", "unknown") else None,  # drawn by us
        pkpass_url=pkpass_url,
        page_url=page_url,
        platform=platform,
        wallets=wallets,
        google_save_url=google_save_url,
        open_graph=open_graph,
    )


def render_android_page(
    card: CardView, *, pkpass_url: str, wallets: Sequence[WalletLink], google_save_url: str | None = None
) -> Page:
    """What a browser on Android gets in place of a pass: the wallets to choose from."""
    return _render(
        "android.html",
        title=card.title,
        card=card,
        pkpass_url=pkpass_url,
        wallets=wallets,
        google_save_url=google_save_url,
    )


def render_message_page(title: str, text: str) -> Page:
    """A page that only says something: there is no such pass, or no passes are issued now."""
    return _render("message.html", title=title, text=text, card=None)


def _barcode_svg(card: CardView) -> Markup | None:
    """The pass's own code; None if it is not a QR code or holds more than one can."""
    if card.barcode is None or card.barcode.format != "qr":
        return None
    try:
        return Markup(qr_svg(card.barcode.message))  # drawn by us: it holds no text
    except ValueError:
        return None


def _render(template: str, *, card: CardView | None, **values: object) -> Page:
    style = _style_sheet() + (_colours(card) if card else "")
    html = (
        _environment()
        .get_template(template)
        .render(
            card=card,
            style=Markup(style),  # ours, and colours that are numbers
            icon_url=card.images["icon"].url if card and "icon" in card.images else "data:,",
            **{"open_graph": None, "page_url": None} | values,
        )
    )
    return Page(html, _headers(style))


def _colours(card: CardView) -> str:
    return f":root{{--card:{card.background.css};--text:{card.foreground.css};--label:{card.label.css}}}\n"


def _headers(style: str) -> dict[str, str]:
    """Page addresses hold tokens, so nobody keeps the page and no other site learns where a visitor came from."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        "img-src 'self' data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
        "Cache-Control": "private, no-store",
        "Vary": "User-Agent",
    }


@cache
def _style_sheet() -> str:
    return (_TEMPLATES / _STYLE_SHEET).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
