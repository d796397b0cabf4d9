"""Google's side of a callback: root keys, signing keys and signed messages, all made at run time."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NOW = datetime(2024, 5, 17, 12, 0, 0, tzinfo=UTC)
ISSUER = "3388000000012345678"


def milliseconds(*, after_now: float) -> int:
    """A moment, in seconds after NOW, as Google writes it."""
    return round((NOW + timedelta(seconds=after_now)).timestamp() * 1000)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh key on P-256."""
    return ec.generate_private_key(ec.SECP256R1())


def encode_public(key: Any) -> str:
    """The base64 of a key's SubjectPublicKeyInfo."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def sign(key: ec.EllipticCurvePrivateKey, *parts: str, algorithm: HashAlgorithm | None = None) -> str:
    """The base64 of a signature over parts, each after the number of its UTF-8 bytes."""
    encoded = [part.encode() for part in parts]
    signed = b"".join(bytes([len(one) & 255, len(one) >> 8 & 255, len(one) >> 16, 0]) + one for one in encoded)
    return base64.b64encode(key.sign(signed, ec.ECDSA(algorithm or SHA256()))).decode()


def root_entry(key: Any, **changes: Any) -> dict[str, Any]:
    """A root key as Google's list has it; a change to None takes a member out."""
    entry = {
        "keyValue": encode_public(key),
        "protocolVersion": "ECv2SigningOnly",
        "keyExpiration": str(milliseconds(after_now=30 * 86_400)),
    }
    return {name: value for name, value in (entry | changes).items() if value is not None}


def root_list(*entries: Any) -> bytes:
    """Google's list of root keys."""
    return json.dumps({"keys": entries}).encode()


@dataclass
class Google:
    """Signs callbacks. Whatever a test wants wrong, it changes here before `callback` signs it."""

    root: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    signing_key: ec.EllipticCurvePrivateKey = field(default_factory=new_key)
    sender: str = "GooglePayPasses"
    issuer_id: str = ISSUER
    version: str = "ECv2SigningOnly"
    algorithm: HashAlgorithm = field(default_factory=SHA256)
    signed_key: str | None = None
    """in place of the usual text"""
    signed_message: str | None = None
    """in place of the usual text"""
    message: dict[str, Any] = field(default_factory=dict)
    """members of the message in place of the usual ones; None takes one out"""

    def usual_message(self) -> dict[str, Any]:
        """What an untouched callback says."""
        return {
            "classId": f"{ISSUER}.class",
            "objectId": f"{ISSUER}.object",
            "eventType": "save",
            "expTimeMillis": milliseconds(after_now=60),
            "count": 1,
            "nonce": "af9ee8b5-3a1e-4a2a-9a3c-0e8c5f0b5a11",
        }

    def usual_signed_key(self) -> dict[str, Any]:
        """What an untouched signing key says."""
        return {"keyValue": encode_public(self.signing_key), "keyExpiration": str(milliseconds(after_now=86_400))}

    def callback(self) -> dict[str, Any]:
        """The body of the request, decoded."""
        members = self.usual_message() | self.message
        usual = json.dumps({name: value for name, value in members.items() if value is not None})
        message = usual if self.signed_message is None else self.signed_message
        signed_key = json.dumps(self.usual_signed_key()) if self.signed_key is None else self.signed_key
        parts = (self.sender, self.issuer_id, self.version, message)
        return {
            "protocolVersion": "ECv2SigningOnly",
            "signature": sign(self.signing_key, *parts, algorithm=self.algorithm),
            "intermediateSigningKey": {
                "signedKey": signed_key,
                "signatures": [sign(self.root, self.sender, self.version, signed_key, algorithm=self.algorithm)],
            },
            "signedMessage": message,
        }
