"""Which client a user agent is, and which are link previews."""

from __future__ import annotations

import pytest

from chalicelib.domain.clients import is_crawler, recognise_client

IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
    "Mobile/15E148 Safari/604.1"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
    "Safari/537.36"
)
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0"
CUBOT = ANDROID.replace("Pixel 8", "CUBOT_X19")


@pytest.mark.parametrize(
    ("user_agent", "client"),
    [
        (IPHONE, "ios"),
        (IPHONE.replace("iPhone;", "iPod touch;"), "ios"),
        ("Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "ios"),
        (MAC.replace("Safari/", "Mobile/15E148 Safari/"), "ios"),
        (ANDROID, "android"),
        ("Mozilla/5.0 (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0", "android"),
        (MAC, "desktop"),
        (WINDOWS, "desktop"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36", "desktop"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/126.0.0.0", "desktop"),
        ("Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Microsoft; Lumia 950) Mobile", "unknown"),
        ("Mozilla/5.0 (Mobile; Windows Phone 8.1; Android 4.0; like iPhone OS 7_0_3) IEMobile/11.0", "unknown"),
        ("Dalvik/2.1.0 (Linux; U; Android 14; Pixel 8 Build/AP1A)", "unknown"),
        ("okhttp/4.12.0", "unknown"),
        ("WalletPasses/4.5 (Android 14)", "unknown"),
        ("passd/1.0 CFNetwork/1496.0.7 Darwin/23.5.0", "unknown"),
        ("curl/8.5.0", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_client_is_known_by_its_user_agent(user_agent: str | None, client: str) -> None:
    assert recognise_client(user_agent) == client


@pytest.mark.parametrize(
    "user_agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        ANDROID + " (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        MAC + " facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "WhatsApp/2.24.13.78 A",
        "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
        "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        MAC + " (Applebot/0.1; +http://www.apple.com/go/applebot)",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/126.0.0.0 Safari/537.36",
    ],
)
def test_link_previews_and_search_engines_are_crawlers(user_agent: str) -> None:
    assert is_crawler(user_agent)


@pytest.mark.parametrize(
    "user_agent",
    [
        IPHONE, ANDROID, MAC, WINDOWS, CUBOT, IPHONE + " [Pinterest/iOS]", IPHONE + " [FBAN/FBIOS;FBAV/450.0]",
        IPHONE + " Instagram 330.0", "okhttp/4.12.0", "curl/8.5.0", "", None,
    ],
)  # fmt: skip
def test_people_and_their_apps_are_no_crawlers(user_agent: str | None) -> None:
    assert not is_crawler(user_agent)
