"""Reading `multipart/form-data`, which only the upload of an image uses (passworks-v2, section 9).

Import it where a body is read, not at start.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.multipart import MultipartParser, parse_options_header

from chalicelib.domain.errors import InvalidRequest, UnreadableBody

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAXIMUM_HEADERS = 16
"""of one part"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a form, decoded."""

    data: bytes
    filename: str | None
    content_type: str | None

    @property
    def text(self) -> str:
        """The part as a plain value."""
        return self.data.decode("utf-8", errors="replace").strip()


def read_multipart(
    body: bytes, content_type: str, *, maximum_file_bytes: int, maximum_parts: int = 16
) -> dict[str, Part]:
    """Parts by name, in whatever order they came; the last of a name counts.

    `content_type` is the header of the request. What a part says about its own length is not looked at; its
    `Content-Transfer-Encoding` is undone.

    Raises:
        UnreadableBody: this is no such form, or not all of it.
        InvalidRequest: a part is larger than `maximum_file_bytes`; the field is its name.
    """
    collector = _Collector(maximum_parts=maximum_parts)
    try:
        parser = MultipartParser(_boundary(content_type), collector.callbacks(), max_header_count=MAXIMUM_HEADERS)
        parser.write(body)
    except ValueError as error:
        raise UnreadableBody("the body is not the multipart form that its content type promises") from error
    if not collector.is_complete:
        raise UnreadableBody("the multipart form ends too early")
    return dict(_finish(part, maximum_file_bytes) for part in collector.parts)


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise UnreadableBody("a body of multipart/form-data with a boundary is required")
    return boundary


@dataclass(slots=True)
class _RawPart:
    """One part as it comes in."""

    headers: dict[str, str] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)


class _Collector:
    """What the parser calls while it goes through the body."""

    def __init__(self, *, maximum_parts: int) -> None:
        self.parts: list[_RawPart] = []
        self.is_complete = False
        self._maximum_parts = maximum_parts
        self._name = bytearray()
        self._value = bytearray()

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._begin_part,
            "on_part_data": self._add_data,
            "on_header_begin": self._begin_header,
            "on_header_field": self._add_name,
            "on_header_value": self._add_value,
            "on_header_end": self._end_header,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        if len(self.parts) == self._maximum_parts:
            raise UnreadableBody(f"the multipart form has more than {self._maximum_parts} parts")
        self.parts.append(_RawPart())

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1].data += data[start:end]

    def _begin_header(self) -> None:
        self._name.clear()
        self._value.clear()

    def _add_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _add_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self.parts[-1].headers[self._name.decode("latin-1").lower()] = self._value.decode("latin-1").strip()

    def _end(self) -> None:
        self.is_complete = True


def _finish(raw: _RawPart, maximum_bytes: int) -> tuple[str, Part]:
    _, options = parse_options_header(raw.headers.get("content-disposition"))
    name = _text(options.get(b"name"))
    if not name:
        raise UnreadableBody("a part of the multipart form has no name")
    data = _decode(raw, name)
    if len(data) > maximum_bytes:
        raise InvalidRequest(f"has {len(data)} bytes, the limit is {maximum_bytes}", field=name)
    return name, Part(
        data=data, filename=_text(options.get(b"filename")), content_type=raw.headers.get("content-type") or None
    )


def _text(value: bytes | None) -> str | None:
    """Names and file names are UTF-8, whatever the letters of a header are."""
    return None if value is None else value.decode("utf-8", errors="replace")


def _decode(raw: _RawPart, name: str) -> bytes:
    encoding = raw.headers.get("content-transfer-encoding", "binary").lower()
    if encoding in ("binary", "8bit", "7bit", ""):
        return bytes(raw.data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw.data)
    if encoding != "base64":
        raise UnreadableBody(f"the transfer encoding of the part {name} is unknown")
    try:
        return binascii.a2b_base64(bytes(raw.data).translate(None, b" \t\r\n"), strict_mode=True)
    except ValueError as error:
        raise UnreadableBody(f"the part {name} is not the base64 that it claims to be") from error
