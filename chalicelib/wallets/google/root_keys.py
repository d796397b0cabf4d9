"""Google's root keys, which vouch for the keys that sign callbacks (wallets, section 4.2)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from chalicelib.domain.errors import Busy
from chalicelib.domain.passes import from_milliseconds

if TYPE_CHECKING:
    import httpx

PROTOCOL_VERSION = "ECv2SigningOnly"

_LARGEST_LIST_BYTES = 100_000
_FETCH_TIMEOUT_SECONDS = 5
_REFRESH_BEFORE_EXPIRY = timedelta(hours=1)
_PAUSE_AFTER_FAILURE = timedelta(seconds=1)
"""while there are no usable keys at all; it spares a broken key server, and threads that wait for one another"""

_LATEST_MILLISECONDS = 253_402_300_799_000
"""the last second of the year 9999; later is as good as never"""
_LONGEST_NUMBER = 19


@dataclass(frozen=True, slots=True, kw_only=True)
class RootKey:
    """A key of Google's list, on P-256."""

    public_key: EllipticCurvePublicKey
    expires_at: datetime


class RootKeys:
    """The root keys in force, fetched when needed and kept until shortly before the first of them expires.

    One of these serves all threads. `fetch` takes the URL and returns the body, or raises Busy or OSError. Bad
    signatures cannot make it fetch more than once in `minimum_seconds_between_fetches`.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Callable[[str], bytes],
        now: Callable[[], datetime],
        minimum_seconds_between_fetches: float = 300,
    ) -> None:
        self._url = url
        self._fetch = fetch
        self._now = now
        self._minimum_pause = timedelta(seconds=minimum_seconds_between_fetches)
        self._lock = Lock()
        self._keys: list[RootKey] = []
        self._waits_until: datetime | None = None
        """before then, keys that still work are not asked for again"""
        self._failing_until: datetime | None = None

    def get(self) -> list[RootKey]:
        """The keys that have not expired; no call while they are fresh.

        A failed refresh does no harm as long as an older key still works.

        Raises:
            Busy: there is no usable key and none can be had; the same request may succeed later.
        """
        with self._lock:
            usable = self._usable()
            if not usable:
                self._fetch_first()
            elif self._is_due(usable):
                self._fetch_again()
            return self._usable()

    def refetch_after_failure(self) -> None:
        """Asks for the keys again after a signature that none of them fits; `get` gives what came of it.

        Nothing happens if that was done, or a refresh was tried, a short while ago. If it fails, the keys stay.
        """
        with self._lock:
            self._fetch_again()

    def _usable(self) -> list[RootKey]:
        now = self._now()
        return [key for key in self._keys if key.expires_at > now]

    def _is_due(self, usable: list[RootKey]) -> bool:
        return self._now() >= min(key.expires_at for key in usable) - _REFRESH_BEFORE_EXPIRY

    def _fetch_first(self) -> None:
        if self._failing_until is not None and self._now() < self._failing_until:
            raise Busy("Google's root keys could not be had a moment ago")
        try:
            self._replace()
        except Busy:
            self._failing_until = self._now() + _PAUSE_AFTER_FAILURE
            raise

    def _fetch_again(self) -> None:
        if self._waits_until is not None and self._now() < self._waits_until:
            return
        self._waits_until = self._now() + self._minimum_pause
        with suppress(Busy):
            self._replace()

    def _replace(self) -> None:
        """Raises:
        Busy: the answer is missing, or holds no usable key; the keys stay as they were.
        """
        try:
            body = self._fetch(self._url)
        except OSError as error:
            raise Busy("Google's root keys cannot be had") from error
        keys = read_root_keys(body, now=self._now())
        if not keys:
            raise Busy("Google's list holds no usable root key")
        self._keys = keys


def read_root_keys(body: bytes, *, now: datetime) -> list[RootKey]:
    """The usable keys of Google's list; none if it is not one.

    Keys of another version, without expiration, expired, or not on P-256 are ignored (wallets, section 4.2, step 2).
    """
    if len(body) > _LARGEST_LIST_BYTES:
        return []
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return []
    entries = document.get("keys") if isinstance(document, dict) else None
    keys = [_read_root_key(entry) for entry in entries] if isinstance(entries, list) else []
    return [key for key in keys if key is not None and key.expires_at > now]


def _read_root_key(entry: Any) -> RootKey | None:
    if not isinstance(entry, dict) or entry.get("protocolVersion") != PROTOCOL_VERSION:
        return None
    public_key = read_public_key(entry.get("keyValue"))
    expires_at = read_moment(entry.get("keyExpiration"))
    if public_key is None or expires_at is None:
        return None
    return RootKey(public_key=public_key, expires_at=expires_at)


def read_public_key(encoded: Any) -> EllipticCurvePublicKey | None:
    """A key on P-256 from the base64 of its SubjectPublicKeyInfo; None for anything else."""
    der = read_base64(encoded)
    if der is None:
        return None
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1) else None


def read_base64(encoded: Any) -> bytes | None:
    """What standard base64 holds; None for anything else."""
    if not isinstance(encoded, str):
        return None
    try:
        return base64.b64decode(encoded, validate=True)
    except ValueError:
        return None


def read_moment(milliseconds: Any) -> datetime | None:
    """The moment of a number of milliseconds since 1970, which Google writes as a number or a string."""
    if isinstance(milliseconds, str):
        is_number = milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= _LONGEST_NUMBER
        number = int(milliseconds) if is_number else None
    elif isinstance(milliseconds, float):
        number = int(milliseconds) if milliseconds.is_integer() else None
    else:
        number = milliseconds if isinstance(milliseconds, int) and not isinstance(milliseconds, bool) else None
    return None if number is None or number < 0 else from_milliseconds(min(number, _LATEST_MILLISECONDS))


def fetch_keys(url: str, *, transport: httpx.BaseTransport | None = None) -> bytes:
    """The body behind a URL, without following redirects.

    Raises:
        Busy: there is no answer in time, its status is not 200, or it is larger than any list of keys.
    """
    import httpx

    body = b""
    try:
        with (
            httpx.Client(timeout=_FETCH_TIMEOUT_SECONDS, follow_redirects=False, transport=transport) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise Busy(f"the key server answered {response.status_code}")
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST_LIST_BYTES:
                    raise Busy("the key server's answer is too large")
    except httpx.HTTPError as error:
        raise Busy("the key server cannot be reached") from error
    return body
