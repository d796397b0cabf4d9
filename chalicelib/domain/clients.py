"""Who asks for a page, as far as a user agent tells."""

from __future__ import annotations

import re
from typing import Literal

Client = Literal["ios", "android", "desktop", "unknown"]

_IOS = re.compile(r"iPhone|iPod|iPad|Macintosh.* Mobile/")
"""an iPad that asks for desktop pages calls itself a Macintosh; only some of its apps still say Mobile"""
_ANDROID_BROWSER = re.compile(r"^(Mozilla|Opera)/.*\bAndroid\b")
_DESKTOP = re.compile(r"^(Mozilla|Opera)/.*(Windows NT|Macintosh|X11|CrOS|Linux)")
_OTHER_PHONE = re.compile(r"Windows Phone|IEMobile|Tizen|KAIOS")
"""these claim to be an iPhone or an Android, and are neither"""

_CRAWLER = re.compile(
    r"(?<!cu)bot\b|(?<!cu)bot[/_-]|crawler|spider|slurp|facebookexternalhit|facebookcatalog|meta-external|whatsapp/"
    r"|preview|google-pagerenderer|googleimageproxy|google-inspectiontool|mediapartners-google|feedfetcher|embedly"
    r"|iframely|vkshare|snap url|ia_archiver|headlesschrome|lighthouse|validator|archive\.org|^pinterest/|^viber/",
    re.IGNORECASE,
)
"""Cubot makes phones. The browser inside WhatsApp does not name itself, its link preview does."""


def recognise_client(user_agent: str | None) -> Client:
    """What to offer: the pass to an iPhone, a page with wallets to a browser on Android.

    A wallet app on Android that fetches a pass is no browser and so `unknown`: it must get the pass, not a page. An
    iPad that asks for desktop pages cannot be told from a Mac.
    """
    if not user_agent or _OTHER_PHONE.search(user_agent):
        return "unknown"
    if _IOS.search(user_agent):
        return "ios"
    if _ANDROID_BROWSER.search(user_agent):
        return "android"
    return "desktop" if _DESKTOP.search(user_agent) else "unknown"


def is_crawler(user_agent: str | None) -> bool:
    """Whether a link preview or a search engine asks: it is shown the card, but gets no pass of its own."""
    return bool(user_agent and _CRAWLER.search(user_agent))
