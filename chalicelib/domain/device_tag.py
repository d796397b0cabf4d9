"""The tag of the list call: which version of each pass a device has been told about (wallets, section 2.4).

It needs no clock and no global sequence. Whatever commits between two lists makes an entry of the vector differ, so it
is listed, in any order of commits. A tag grants nothing: only passes that the device holds are ever listed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_VECTOR_PREFIX = "v1."
_HASH_PREFIX = "h1."
_LONGEST_VECTOR_CHARACTERS = 4_000
"""a longer one is sent as a hash"""
_LONGEST_TAG_CHARACTERS = 8_000
"""a longer one is not read"""
_KEY_BYTES = 5
_HASH_BYTES = 16
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPass:
    """A pass that a device holds, and its version in the same read. Versions start at 1."""

    registration_id: str
    serial_number: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The answer to a list call: what to fetch, and the tag to bring next time. Never empty."""

    serial_numbers: list[str]
    tag: str


def list_changes(held: Sequence[HeldPass], tag: str | None) -> Changes | None:
    """What a device that brings `tag` has to fetch; None if nothing, and then it keeps its tag.

    `held` is everything the device holds of one pass type, from one consistent read. The new tag differs from the one
    sent (wallets, section 2.3, code 6). A tag that cannot be used counts as none, and so lists everything.
    """
    keys = [_key(one.registration_id) for one in held]
    versions: dict[bytes, list[int]] = {}
    for key, one in zip(keys, held, strict=True):
        versions.setdefault(key, []).append(one.version)
    entries = b"".join(key + _encode_number(sum(versions[key])) for key in sorted(versions))
    news = _find_news(versions, entries=entries, tag=tag)
    if not news:
        return None
    serial_numbers = [one.serial_number for key, one in zip(keys, held, strict=True) if key in news]
    return Changes(serial_numbers=serial_numbers, tag=_make_tag(entries))


def _find_news(versions: Mapping[bytes, list[int]], *, entries: bytes, tag: str | None) -> set[bytes]:
    """The keys of what to list. Registrations with one key are listed together."""
    told = _read_vector(tag or "")
    if told is not None:
        return {key for key, group in versions.items() if _is_news(group, told.get(key))}
    if tag == _make_hash(entries):
        return set()
    return set(versions)


def _is_news(group: list[int], told: int | None) -> bool:
    # of a pass that is still at version 1 the device cannot hold anything older
    return max(group) > 1 if told is None else sum(group) != told


def _make_tag(entries: bytes) -> str:
    vector = _VECTOR_PREFIX + _encode_base64(entries)
    return vector if len(vector) <= _LONGEST_VECTOR_CHARACTERS else _make_hash(entries)


def _make_hash(entries: bytes) -> str:
    return _HASH_PREFIX + _encode_base64(hashlib.sha256(entries).digest()[:_HASH_BYTES])


def _read_vector(tag: str) -> dict[bytes, int] | None:
    """The entries of a vector; None for anything that `_make_tag` does not make."""
    if len(tag) > _LONGEST_TAG_CHARACTERS or not tag.startswith(_VECTOR_PREFIX):
        return None
    encoded = _decode_base64(tag.removeprefix(_VECTOR_PREFIX))
    return None if encoded is None else _read_entries(encoded)


def _read_entries(encoded: bytes) -> dict[bytes, int] | None:
    entries: dict[bytes, int] = {}
    position, previous = 0, b""
    while position < len(encoded):
        key = encoded[position : position + _KEY_BYTES]
        number_end = _find_number_end(encoded, start=position + _KEY_BYTES)
        if number_end is None or key <= previous:
            return None
        entries[key] = _decode_number(encoded[position + _KEY_BYTES : number_end])
        position, previous = number_end, key
    return entries


def _find_number_end(encoded: bytes, *, start: int) -> int | None:
    """Where the number that starts here ends; None if it is cut off, longer than it need be, or 0."""
    for position in range(start, len(encoded)):
        if encoded[position] < 0x80:
            return position + 1 if encoded[position] else None
    return None


def _encode_number(number: int) -> bytes:
    """Unsigned LEB128: seven bits a byte, the lowest first, the high bit set in all but the last."""
    length = max(1, -(-number.bit_length() // 7))
    groups = [number >> 7 * index & 0x7F for index in range(length)]
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def _decode_number(encoded: bytes) -> int:
    return sum((byte & 0x7F) << 7 * index for index, byte in enumerate(encoded))


def _key(registration_id: str) -> bytes:
    return hashlib.sha256(registration_id.encode()).digest()[:_KEY_BYTES]


def _encode_base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode_base64(text: str) -> bytes | None:
    if not _ALPHABET.fullmatch(text):
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return data if _encode_base64(data) == text else None
