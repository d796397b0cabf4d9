from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.device_logs import bound_log, classify_log_line, without_people

TASK = "[2024-01-01 10:00:00 +0000] Get pass task (pass type pass.example, serial number 7; with web service url x)"

LINES = {
    f"{TASK}: The server listed the serial number but the pass was unchanged.": "UnchangedPass",
    f"{TASK}: Response did not provide a 'last-modified' header.": "NoLastModified",
    f"{TASK}: Server ignored the 'if-modified-since' header (x) and returned the full pass.": "IgnoredIfModifiedSince",
    f"{TASK}: Received a spurious push. The device has already processed it.": "SpuriousPush",
    f"{TASK}: Server returned an unregistered serial number (7).": "UnregisteredSerial",
    f"{TASK}: Response omitted a lastUpdated tag.": "NoTag",
    f"{TASK}: The lastUpdated tag (x) remained the same.": "SameTag",
    "Too many pushes too fast for pass.example": "PushRateLimited",
    "pass.example is subject to severe rate limiting": "PushRateLimited",
    "Wallet Passes for Android not supported": "WalletPassesRefused",
}


@pytest.mark.parametrize(("line", "name"), LINES.items(), ids=range(len(LINES)))
def test_a_known_complaint_is_named_by_its_fragment(line: str, name: str) -> None:
    assert classify_log_line(line) == name
    assert classify_log_line(line.upper()) == name


def test_curly_quotation_marks_are_as_good_as_straight_ones() -> None:
    assert classify_log_line("did not provide a \u2018last-modified\u2019 header") == "NoLastModified"


@pytest.mark.parametrize("line", ["", "Web service error: timeout", "the pass was unchanged", "unregistered serial"])
def test_any_other_line_has_no_name(line: str) -> None:
    assert classify_log_line(line) is None


@pytest.mark.parametrize("name", LINES.values())
def test_names_can_be_dimensions_of_a_metric(name: str) -> None:
    assert re.fullmatch(r"([A-Z][a-z]+)+", name)


@pytest.mark.parametrize(
    "document",
    [None, [], "logs", 7, {}, {"logs": None}, {"logs": "a line"}, {"logs": {"0": "a line"}}, {"log": ["a line"]}],
)
def test_a_body_of_another_shape_gives_no_lines(document: Any) -> None:
    assert bound_log(document, lines=10, characters=100) == []


def test_lines_are_counted_and_cut() -> None:
    document = {"logs": ["first", "second", "third"], "other": 1}

    assert bound_log(document, lines=2, characters=4) == ["firs", "seco"]


def test_what_is_no_line_is_left_out_and_does_not_count() -> None:
    document = {"logs": [None, 7, ["x"], {"a": "b"}, "first", True, "second"]}

    assert bound_log(document, lines=2, characters=100) == ["first", "second"]


@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\ud800"])
def test_what_could_forge_or_hide_a_line_becomes_a_space(character: str) -> None:
    assert bound_log({"logs": [f"a{character}b"]}, lines=1, characters=100) == ["a b"]


def test_text_of_other_languages_stays() -> None:
    assert bound_log({"logs": ["K\u00e4rtchen \u5361"]}, lines=1, characters=100) == ["K\u00e4rtchen \u5361"]


@given(st.lists(st.text(st.characters(codec=None, categories=None))))
def test_lines_are_always_one_printable_line_that_can_be_stored(logs: list[str]) -> None:
    for line in bound_log({"logs": logs}, lines=5, characters=20):
        assert len(line) <= 20
        assert line.isprintable()
        line.encode()


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("ask ann.lee+x@mail.example.com, please", "ask ..., please"),
        ("<bo@localhost>", "<...>"),
        ("Register task (for device my-phone, pass type x)", "Register task (for device ..., pass type x)"),
        ("device my-phone-0 said no", "device ... said no"),
        (
            "Device: A1B2; deviceLibraryIdentifier=abc, device id 'x'",
            "Device: ...; deviceLibraryIdentifier=..., device id '...'",
        ),
        (
            "GET https://x.example/v1/devices/my-phone/registrations/p",
            "GET https://x.example/v1/devices/.../registrations/p",
        ),
        (f"{TASK}: The device has already processed it.", f"{TASK}: The device has already processed it."),
        ("@ alone, and device", "@ alone, and device"),
    ],
)
def test_people_and_devices_are_left_out(line: str, left: str) -> None:
    assert without_people(line) == left


@pytest.mark.parametrize(
    "part", ["a", "a@", "@", "device ", "for device ", "device" + "=" * 9, "/devices/", "device x-"]
)
def test_a_line_made_to_be_slow_is_not(part: str) -> None:
    """In proportion to the length: a hundred times as much would take minutes otherwise."""
    without_people(part * (200_000 // len(part)))
