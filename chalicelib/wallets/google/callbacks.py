"""Callbacks from Google: whether Google sent one, and what it says (wallets, sections 4.1 and 4.2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from chalicelib.wallets.google.root_keys import (
    PROTOCOL_VERSION,
    RootKey,
    RootKeys,
    read_base64,
    read_moment,
    read_public_key,
)

Kind = TypeVar("Kind")

SENDER = "GooglePayPasses"

_MEMBERS = {"protocolVersion", "signature", "intermediateSigningKey", "signedMessage"}
_MOST_KEY_SIGNATURES = 10
"""each costs a check by every root key, before anything is known of the sender"""
_LONGEST_NONCE = 256


class BadCallback(Exception):
    """The message is not one that Google signed for this issuer. `reason` is for the log, not for the sender."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownRoot(BadCallback):
    """No root key vouches for the signing key: forged, or vouched for by a root key that we have not seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleEvent:
    """What a verified callback says. `event_type` is `save`, `del`, or a word that Google may add."""

    class_id: str
    object_id: str
    event_type: str
    nonce: str
    """identifies the event, which may arrive several times"""
    expires_at: datetime


def verify_current_callback(document: Any, *, issuer_id: str, root_keys: RootKeys, now: datetime) -> GoogleEvent:
    """As `verify_callback`, with the keys in force; asks for them again if none vouches, but seldom.

    Raises:
        BadCallback: any step fails.
        Busy: no usable root keys can be had.
    """
    tried = root_keys.get()
    try:
        return verify_callback(document, issuer_id=issuer_id, root_keys=tried, now=now)
    except UnknownRoot:
        root_keys.refetch_after_failure()
        fresh = root_keys.get()
        if fresh == tried:
            raise
    return verify_callback(document, issuer_id=issuer_id, root_keys=fresh, now=now)


def verify_callback(document: Any, *, issuer_id: str, root_keys: Sequence[RootKey], now: datetime) -> GoogleEvent:
    """The event of a callback that Google signed for `issuer_id`, which is configured and never taken from the message.

    `document` is the body, decoded once: the strings inside are signed as they are. An unknown `event_type` passes.

    Raises:
        BadCallback: any step of wallets, section 4.2, fails.
    """
    body = _expect(document, dict, "the body")
    if body.keys() != _MEMBERS:
        raise BadCallback("the body must have exactly the four members of the protocol")
    if body["protocolVersion"] != PROTOCOL_VERSION:
        raise BadCallback("the protocol version is another one")
    signing_key = _verify_signing_key(body["intermediateSigningKey"], root_keys=root_keys, now=now)
    message = _expect(body["signedMessage"], str, "signedMessage")
    signed = length_value(SENDER, issuer_id, PROTOCOL_VERSION, message)
    if not _is_signed([signing_key], [body["signature"]], signed):
        raise BadCallback("the signature of the message does not fit")
    return _read_event(message, issuer_id=issuer_id, now=now)


def length_value(*parts: str) -> bytes:
    """Each part's UTF-8 bytes after their number as four bytes, the lowest first, which is what Google signs.

    Raises:
        BadCallback: a part holds half a surrogate pair, and so has no UTF-8 bytes.
    """
    try:
        encoded = [part.encode("utf-8") for part in parts]
    except UnicodeEncodeError as error:
        raise BadCallback("a signed text is not Unicode") from error
    return b"".join(len(part).to_bytes(4, "little") + part for part in encoded)


def _verify_signing_key(value: Any, *, root_keys: Sequence[RootKey], now: datetime) -> EllipticCurvePublicKey:
    """Steps 3 and 4: the key that signs messages, once a root key vouches for it."""
    member = _expect(value, dict, "intermediateSigningKey")
    text = _expect(member.get("signedKey"), str, "signedKey")
    signatures = _expect(member.get("signatures"), list, "signatures")
    if len(signatures) > _MOST_KEY_SIGNATURES or not all(isinstance(one, str) for one in signatures):
        raise BadCallback(f"signatures must be at most {_MOST_KEY_SIGNATURES} strings")
    roots = [key.public_key for key in root_keys if key.expires_at > now]
    if not _is_signed(roots, signatures, length_value(SENDER, PROTOCOL_VERSION, text)):
        raise UnknownRoot("no root key vouches for the signing key")
    signed_key = _parse_object(text, "signedKey")
    _check_not_expired(signed_key.get("keyExpiration"), "the signing key", now=now)
    public_key = read_public_key(signed_key.get("keyValue"))
    if public_key is None:
        raise BadCallback("the signing key is not a key on P-256")
    return public_key


def _read_event(text: str, *, issuer_id: str, now: datetime) -> GoogleEvent:
    """Step 6. `count` may be a number or a string, or missing: it is given no meaning (wallets, section 4.1)."""
    message = _parse_object(text, "signedMessage")
    expires_at = _check_not_expired(message.get("expTimeMillis"), "the message", now=now)
    class_id, object_id, event_type, nonce = (
        _expect(message.get(name), str, name) for name in ("classId", "objectId", "eventType", "nonce")
    )
    if not (class_id.startswith(f"{issuer_id}.") and object_id.startswith(f"{issuer_id}.")):
        raise BadCallback("the class or the object is another issuer's")
    if not 0 < len(nonce) <= _LONGEST_NONCE:
        raise BadCallback(f"the nonce must have 1 to {_LONGEST_NONCE} characters")
    count = message.get("count", 0)
    if isinstance(count, bool) or not isinstance(count, int | float | str):
        raise BadCallback("count must be a number or a string")
    return GoogleEvent(
        class_id=class_id, object_id=object_id, event_type=event_type, nonce=nonce, expires_at=expires_at
    )


def _check_not_expired(milliseconds: Any, what: str, *, now: datetime) -> datetime:
    expires_at = read_moment(milliseconds)
    if expires_at is None or expires_at <= now:
        raise BadCallback(f"{what} has expired, or does not say when it does")
    return expires_at


def _is_signed(keys: Iterable[EllipticCurvePublicKey], signatures: Sequence[Any], signed: bytes) -> bool:
    """Whether one of the keys fits one of the signatures."""
    decoded = [one for one in map(read_base64, signatures) if one is not None]
    return any(_fits(key, signature, signed) for key in keys for signature in decoded)


def _fits(key: EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _parse_object(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
        # an escaped half of a surrogate pair is legal JSON but no text that could be stored
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadCallback(f"{name} is not JSON") from error
    return _expect(document, dict, name)


def _expect(value: Any, kind: type[Kind], name: str) -> Kind:
    if not isinstance(value, kind):
        raise BadCallback(f"{name} has the wrong type")
    return value
