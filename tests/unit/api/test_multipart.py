"""Reading multipart forms as the two official clients and others write them, and refusing what is none."""

from __future__ import annotations

import base64
import binascii
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.multipart import Part, read_multipart
from chalicelib.domain.errors import InvalidRequest, UnreadableBody

TYPE = "multipart/form-data; boundary=----RubyFormBoundaryA1"
IMAGE = bytes(range(256)) + b"\r\n--\r\n----RubyFormBoundaryA\r\n"


def part(data: bytes, *headers: str) -> bytes:
    return b"------RubyFormBoundaryA1\r\n" + "".join(f"{line}\r\n" for line in headers).encode() + b"\r\n" + data


def form(*parts: bytes) -> bytes:
    return b"\r\n".join([*parts, b"------RubyFormBoundaryA1--\r\n"])


FILE = 'Content-Disposition: form-data; name="asset[file]"; filename="icon.png"'
KIND = part(b"icon", 'Content-Disposition: form-data; name="asset[asset_type]"')


def read(body: bytes, content_type: str = TYPE, *, limit: int = 10_000) -> dict[str, Part]:
    return read_multipart(body, content_type, maximum_file_bytes=limit)


def test_parts_are_read_in_either_order() -> None:
    file = part(IMAGE, FILE, "Content-Type: image/png")

    one, other = read(form(file, KIND)), read(form(KIND, file))

    assert one == other
    assert one["asset[file]"] == Part(data=IMAGE, filename="icon.png", content_type="image/png")
    assert one["asset[asset_type]"].text == "icon"
    assert one["asset[asset_type]"].filename is None


def test_a_parts_own_length_is_not_believed() -> None:
    file = part(IMAGE, FILE, "Content-Length: 3", "Content-Type: image/png", "Content-Transfer-Encoding: binary")

    assert read(form(file))["asset[file]"].data == IMAGE


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("binary", IMAGE),
        ("8bit", IMAGE),
        ("7bit", IMAGE),
        ("base64", base64.encodebytes(IMAGE)),
        ("BASE64", base64.b64encode(IMAGE)),
        ("quoted-printable", binascii.b2a_qp(IMAGE, istext=False)),
    ],
)
def test_transfer_encodings_are_undone(encoding: str, encoded: bytes) -> None:
    assert read(form(part(encoded, FILE, f"Content-Transfer-Encoding: {encoding}")))["asset[file]"].data == IMAGE


@pytest.mark.parametrize("header", ["Content-Transfer-Encoding: base64", "Content-Transfer-Encoding: x-gzip"])
def test_an_encoding_that_cannot_be_undone_is_refused(header: str) -> None:
    with pytest.raises(UnreadableBody, match="asset"):
        read(form(part(b"!?", FILE, header)))


@pytest.mark.parametrize(
    "disposition",
    ['form-data; name="asset[file]"', "form-data; name=asset[file]", 'form-data; filename="x"; name="asset[file]"'],
)
def test_names_with_brackets_may_be_quoted_or_not(disposition: str) -> None:
    assert list(read(form(part(b"x", f"Content-Disposition: {disposition}")))) == ["asset[file]"]


def test_names_of_headers_and_the_boundary_may_be_written_differently() -> None:
    body = form(part(b"x", 'CONTENT-disposition:form-data;name="a"'))

    assert read(body, 'Multipart/Form-Data; charset=utf-8; boundary="----RubyFormBoundaryA1"')["a"].data == b"x"


def test_a_file_name_is_utf_8() -> None:
    assert read(form(part(b"x", 'Content-Disposition: form-data; name="a"; filename="ü.png"')))["a"].filename == "ü.png"


def test_the_last_of_a_name_counts() -> None:
    parts = (part(text, 'Content-Disposition: form-data; name="a"') for text in (b"1", b"2"))

    assert read(form(*parts))["a"].data == b"2"


def test_a_form_without_parts_is_empty() -> None:
    assert read(form()) == {}


def test_the_limit_of_a_file_is_exact_and_named() -> None:
    body = form(part(b"x" * 100, FILE))

    read(body, limit=100)
    with pytest.raises(InvalidRequest, match=r"asset\[file\]: has 100 bytes, the limit is 99"):
        read(body, limit=99)


def test_the_limit_is_that_of_the_decoded_file() -> None:
    body = form(part(base64.encodebytes(b"x" * 100), FILE, "Content-Transfer-Encoding: base64"))

    read(body, limit=100)
    with pytest.raises(InvalidRequest):
        read(body, limit=99)


def test_the_number_of_parts_is_bounded() -> None:
    parts = [part(b"x", f'Content-Disposition: form-data; name="{number}"') for number in range(17)]

    assert len(read(form(*parts[:16]))) == 16
    with pytest.raises(UnreadableBody, match="more than 16 parts"):
        read(form(*parts))


def test_the_headers_of_a_part_are_bounded() -> None:
    with pytest.raises(UnreadableBody):
        read(form(part(b"x", FILE, *[f"X-{number}: a" for number in range(17)])))
    with pytest.raises(UnreadableBody):
        read(form(part(b"x", FILE, "X-Long: " + "a" * 10_000)))


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/mixed; boundary=----RubyFormBoundaryA1",
        "multipart/form-data; boundary=" + "a" * 300,
        "multipart/form-data; boundary=€",
    ],
)
def test_a_type_without_a_usable_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(UnreadableBody):
        read(form(KIND), content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        form(KIND)[:-5],
        form(KIND)[:60],
        form(KIND).replace(b"A1", b"B2"),
        form(part(b"x")),
        form(part(b"x", "Content-Type: image/png")),
        form(part(b"x", 'Content-Disposition: form-data; name=""')),
        form(part(b"x", "Content Disposition: form-data")),
    ],
    ids=["empty", "json", "no end", "cut", "other boundary", "no headers", "no name", "empty name", "bad header"],
)
def test_a_body_that_is_no_whole_form_is_unreadable(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        read(body)


@given(st.binary(max_size=300), st.integers(0, 400), st.integers(0, 400))
def test_a_damaged_form_is_read_or_refused_and_nothing_else(noise: bytes, start: int, end: int) -> None:
    body = form(KIND, part(IMAGE[:100], FILE, "Content-Transfer-Encoding: base64"))

    with suppress(InvalidRequest, UnreadableBody):
        read(body[:start] + noise + body[end:])


@given(st.binary(max_size=2000))
def test_any_bytes_of_a_file_arrive_as_they_are(data: bytes) -> None:
    assert read(form(part(data, FILE), KIND))["asset[file]"].data == data
