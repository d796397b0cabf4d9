"""Addresses of pages say where to look, and are read back strictly."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identifiers import LARGEST_NUMBER
from chalicelib.domain.page_addresses import (
    PageUrls,
    distribution_code,
    distribution_urls,
    parse_distribution_code,
    parse_pass_code,
    pass_code,
    pass_urls,
    split_suffix,
)

NUMBERS = st.integers(0, LARGEST_NUMBER)
TOKENS = st.text("ABCabc019_-", min_size=1, max_size=128)
CAMPAIGN = "4e0551fb-1111-4222-8333-000000000007"
MOMENT = datetime(2016, 12, 19, 16, 46, 33, 273_000, tzinfo=UTC)


@given(NUMBERS, st.uuids())
def test_a_distribution_code_is_read_back(project_id: int, campaign_id: uuid.UUID) -> None:
    code = distribution_code(project_id, str(campaign_id))

    assert parse_distribution_code(code) == (project_id, str(campaign_id))
    assert len(code) == 30
    assert set(code) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text(max_size=40) | st.binary(max_size=30).map(lambda raw: raw.hex()))
def test_a_distribution_code_that_is_read_is_one_that_is_written(text: str) -> None:
    parsed = parse_distribution_code(text)

    assert parsed is None or distribution_code(*parsed) == text


CODE = distribution_code(1, CAMPAIGN)


@pytest.mark.parametrize(
    "code",
    ["", CODE[:-1], CODE + "A", CODE + "==", CODE + "\n", CODE[:4] + "!" + CODE[4:], CODE[:-1] + "9", CODE[:-1] + "é"],
)
def test_a_distribution_code_written_otherwise_is_refused(code: str) -> None:
    assert parse_distribution_code(CODE) == (1, CAMPAIGN)
    assert parse_distribution_code(code) is None


@pytest.mark.parametrize(("project_id", "campaign_id"), [(-1, CAMPAIGN), (2**48, CAMPAIGN), (1, "campaign")])
def test_a_distribution_code_needs_ids_that_fit(project_id: int, campaign_id: str) -> None:
    with pytest.raises(ValueError, match=r"fit|UUID"):
        distribution_code(project_id, campaign_id)


@given(st.integers(1, LARGEST_NUMBER), TOKENS)
def test_a_pass_code_is_read_back(pass_id: int, token: str) -> None:
    assert parse_pass_code(pass_code(pass_id, token)) == (pass_id, token)


@pytest.mark.parametrize(
    "code",
    ["", "12", "12-", "-token", "0-token", "012-token", "+1-token", "1-to ken", "1-token\n", "\u0661-token", "1-tökén",
     f"{LARGEST_NUMBER + 1}-token", "1-" + "a" * 129],
)  # fmt: skip
def test_a_pass_code_written_otherwise_is_refused(code: str) -> None:
    assert parse_pass_code(code) is None


@pytest.mark.parametrize(
    ("segment", "split"),
    [
        ("code", ("code", "")),
        ("code.pkpass", ("code", ".pkpass")),
        ("code.png", ("code", ".png")),
        ("code.qrcode", ("code", ".qrcode")),
        ("code.exe", ("code.exe", "")),
        ("code.png.pkpass", ("code.png", ".pkpass")),
        (".pkpass", ("", ".pkpass")),
    ],
)
def test_a_suffix_says_what_of_a_page_is_asked_for(segment: str, split: tuple[str, str]) -> None:
    assert split_suffix(segment) == split


def test_the_addresses_of_a_campaign_and_a_pass() -> None:
    campaign = distribution_urls("https://passes.example/api/", code="dist", updated_at=MOMENT)
    pass_ = pass_urls("https://passes.example", distribution="dist", code="1-token", updated_at=MOMENT)

    page = "https://passes.example/api/p/dist"
    assert campaign == PageUrls(
        page_url=page,
        pkpass_url=f"{page}.pkpass",
        pkpass_file_url=f"{page}.pkpass?as=file",
        preview_url=f"{page}.png?updated_at=1482165993",
        qrcode_url=f"{page}.qrcode",
        google_url=f"{page}.google",
    )
    assert pass_.page_url == "https://passes.example/p/dist/1-token"
    assert pass_.pkpass_url == f"{pass_.page_url}.pkpass"
