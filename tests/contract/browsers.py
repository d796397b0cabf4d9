"""What people open pages with, and the links that they find there."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import parse_qs

import httpx

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0 Mobile Safari/537.36"
)
DESKTOP = "Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0"
CRAWLERS = (
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "WhatsApp/2.23.20.0",
    "Twitterbot/1.0",
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: dict[str, str] = {}
        self.meta: dict[str, str] = {}
        self.tags: list[str] = []
        self.text = ""
        self._link: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        if tag == "a":
            self._link = attributes.get("href")
        if tag == "meta" and attributes.get("property"):
            self.meta[str(attributes["property"])] = attributes.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._link is not None and data.strip():
            self.links[data.strip()] = self._link


def read_page(response: httpx.Response, status: int = 200) -> _Reader:
    """A page, which must be one and must allow no script."""
    assert response.status_code == status, (response.status_code, response.text[:300])
    assert response.headers["content-type"].startswith("text/html")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy or "script-src 'none'" in policy
    reader = _Reader()
    reader.feed(response.text)
    assert "script" not in reader.tags
    return reader


def follow_intent(link: str) -> str:
    """The address that an Android intent makes an app open."""
    address, _, extras = link.removeprefix("intent:").partition("#Intent;")
    scheme = parse_qs(extras.replace(";", "&"))["scheme"][0]
    return f"{scheme}:{address}"
