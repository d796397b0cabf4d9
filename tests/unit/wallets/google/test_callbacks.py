from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA512
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors import Busy
from chalicelib.wallets.google.callbacks import (
    BadCallback,
    GoogleEvent,
    UnknownRoot,
    length_value,
    verify_callback,
    verify_current_callback,
)
from chalicelib.wallets.google.root_keys import RootKey, RootKeys
from tests.unit.wallets.google.signing import (
    ISSUER,
    NOW,
    Google,
    encode_public,
    milliseconds,
    new_key,
    root_entry,
    root_list,
    sign,
)

OTHER_ISSUER = "3388000000099999999"
GOOGLE = Google()
"""for tests that change the callback after it was signed"""


def _trust(*keys: ec.EllipticCurvePrivateKey, days: float = 1) -> list[RootKey]:
    return [RootKey(public_key=key.public_key(), expires_at=NOW + timedelta(days=days)) for key in keys]


def _verify(google: Google, document: Any = None, *, roots: list[RootKey] | None = None) -> GoogleEvent:
    return verify_callback(
        google.callback() if document is None else document,
        issuer_id=ISSUER,
        root_keys=_trust(google.root) if roots is None else roots,
        now=NOW,
    )


def _refuse(google: Google, document: Any = None, *, roots: list[RootKey] | None = None) -> BadCallback:
    with pytest.raises(BadCallback) as caught:
        _verify(google, document, roots=roots)
    return caught.value


# valid ones


def test_a_message_that_google_signed_says_what_happened() -> None:
    assert _verify(Google()) == GoogleEvent(
        class_id=f"{ISSUER}.class",
        object_id=f"{ISSUER}.object",
        event_type="save",
        nonce="af9ee8b5-3a1e-4a2a-9a3c-0e8c5f0b5a11",
        expires_at=NOW + timedelta(seconds=60),
    )


@pytest.mark.parametrize("event_type", ["save", "del", "rename"])
def test_any_event_type_is_verified_also_one_that_google_may_add(event_type: str) -> None:
    assert _verify(Google(message={"eventType": event_type})).event_type == event_type


def test_the_same_message_is_verified_again() -> None:
    google = Google()
    document = google.callback()

    assert _verify(google, document) == _verify(google, document)


@pytest.mark.parametrize(
    "message",
    [
        {"expTimeMillis": str(milliseconds(after_now=60)), "count": "1"},
        {"expTimeMillis": milliseconds(after_now=60), "count": 1},
        {"expTimeMillis": float(milliseconds(after_now=60)), "count": 1.5},
        {"count": None},
    ],
)
def test_numbers_may_be_strings(message: dict[str, Any]) -> None:
    assert _verify(Google(message=message)).expires_at == NOW + timedelta(seconds=60)


@pytest.mark.parametrize("form", [int, str])
def test_the_expiration_of_the_signing_key_may_be_a_number_or_a_string(form: type) -> None:
    google = Google()
    google.signed_key = json.dumps(google.usual_signed_key() | {"keyExpiration": form(milliseconds(after_now=1))})

    assert _verify(google).event_type == "save"


def test_expirations_beyond_all_calendars_are_later_than_now() -> None:
    google = Google(message={"expTimeMillis": 2**63 - 1})
    google.signed_key = json.dumps(google.usual_signed_key() | {"keyExpiration": str(2**63 - 1)})

    assert _verify(google).expires_at.year == 9999


def test_escapes_inside_the_signed_key_are_signed_as_they_stand() -> None:
    google = Google()
    google.signed_key = json.dumps(google.usual_signed_key()).replace("=", "\\u003d")
    received = json.loads(json.dumps(google.callback()))

    assert "\\u003d" in received["intermediateSigningKey"]["signedKey"]
    assert _verify(google, received).event_type == "save"


def test_a_message_beyond_ascii_is_measured_in_bytes() -> None:
    google = Google()
    google.signed_message = json.dumps(
        google.usual_message() | {"objectId": f"{ISSUER}.Kärtchen-卡-🎟"}, ensure_ascii=False
    )

    assert _verify(google).object_id == f"{ISSUER}.Kärtchen-卡-🎟"


def test_spaces_and_order_inside_the_signed_texts_do_not_matter() -> None:
    google = Google()
    google.signed_message = json.dumps(dict(reversed(google.usual_message().items())), indent=3)

    assert _verify(google).event_type == "save"


def test_it_is_enough_that_the_second_root_fits() -> None:
    google = Google()

    assert _verify(google, roots=_trust(new_key(), google.root)).event_type == "save"


@pytest.mark.parametrize("first", ["another key's", "no base64", "no DER", "empty"])
def test_it_is_enough_that_the_second_signature_fits(first: str) -> None:
    google = Google()
    document = google.callback()
    signatures = document["intermediateSigningKey"]["signatures"]
    wrong = {
        "another key's": sign(
            new_key(), google.sender, google.version, document["intermediateSigningKey"]["signedKey"]
        ),
        "no base64": "*",
        "no DER": base64.b64encode(b"no DER").decode(),
        "empty": "",
    }
    signatures.insert(0, wrong[first])

    assert _verify(google, document).event_type == "save"


def test_parts_are_measured_in_utf8_bytes_lowest_first() -> None:
    assert length_value("ä", "x" * 258) == b"\x02\x00\x00\x00\xc3\xa4" + b"\x02\x01\x00\x00" + b"x" * 258


# what a stranger may try


def test_a_changed_message_is_refused() -> None:
    google = Google()
    document = google.callback()
    document["signedMessage"] = document["signedMessage"].replace("save", "del")

    assert "signature of the message" in _refuse(google, document).reason


def test_a_message_that_was_parsed_and_written_anew_is_refused() -> None:
    google = Google()
    document = google.callback()
    document["signedMessage"] = json.dumps(json.loads(document["signedMessage"]), separators=(",", ":"))

    _refuse(google, document)


@pytest.mark.parametrize("sender", ["Google", "GooglePayWallet", "GoogleWalletPasses", ""])
def test_another_sender_is_refused(sender: str) -> None:
    _refuse(Google(sender=sender))


def test_another_sender_of_the_message_alone_is_refused() -> None:
    google = Google()
    document = google.callback()
    parts = ("GoogleWalletPasses", ISSUER, google.version, document["signedMessage"])
    document["signature"] = sign(google.signing_key, *parts)

    assert "signature of the message" in _refuse(google, document).reason


def test_a_message_that_google_signed_for_another_issuer_is_refused() -> None:
    message = {"classId": f"{OTHER_ISSUER}.class", "objectId": f"{OTHER_ISSUER}.object"}

    assert "signature of the message" in _refuse(Google(issuer_id=OTHER_ISSUER, message=message)).reason


def test_a_message_for_another_issuer_is_refused_even_if_it_names_our_class() -> None:
    assert "signature of the message" in _refuse(Google(issuer_id=OTHER_ISSUER)).reason


@pytest.mark.parametrize("name", ["classId", "objectId"])
@pytest.mark.parametrize("value", [f"{OTHER_ISSUER}.x", f"{ISSUER}9.x", ISSUER, f"x{ISSUER}.x", f" {ISSUER}.x"])
def test_a_class_or_object_of_another_issuer_is_refused(name: str, value: str) -> None:
    assert "another issuer" in _refuse(Google(message={name: value})).reason


def test_an_unknown_root_is_refused() -> None:
    assert isinstance(_refuse(Google(), roots=_trust(new_key())), UnknownRoot)


def test_no_roots_at_all_refuse_everything() -> None:
    assert isinstance(_refuse(Google(), roots=[]), UnknownRoot)


@pytest.mark.parametrize("days", [0, -1])
def test_an_expired_root_is_refused(days: float) -> None:
    google = Google()

    assert isinstance(_refuse(google, roots=_trust(google.root, days=days)), UnknownRoot)


def test_a_signing_key_that_only_vouches_for_itself_is_refused() -> None:
    google = Google()
    google.root = google.signing_key

    assert isinstance(_refuse(google, roots=_trust(new_key())), UnknownRoot)


def test_a_message_signed_by_the_root_itself_is_refused() -> None:
    google = Google()
    document = google.callback()
    document["signature"] = sign(google.root, google.sender, ISSUER, google.version, document["signedMessage"])

    assert "signature of the message" in _refuse(google, document).reason


def test_a_changed_signed_key_is_refused() -> None:
    google, stranger = Google(), Google()
    document = google.callback()
    document["intermediateSigningKey"]["signedKey"] = stranger.callback()["intermediateSigningKey"]["signedKey"]

    assert isinstance(_refuse(google, document), UnknownRoot)


def test_a_message_signed_by_another_key_than_the_one_vouched_for_is_refused() -> None:
    google, stranger = Google(), Google()
    document = google.callback() | {"signature": stranger.callback()["signature"]}

    assert "signature of the message" in _refuse(google, document).reason


def test_another_hash_is_refused() -> None:
    _refuse(Google(algorithm=SHA512()))


def test_the_version_inside_the_signatures_counts() -> None:
    _refuse(Google(version="ECv2"))


# time


@pytest.mark.parametrize("after_now", [0, -0.001, -86_400])
def test_an_expired_message_is_refused(after_now: float) -> None:
    message = {"expTimeMillis": milliseconds(after_now=after_now)}

    assert "the message has expired" in _refuse(Google(message=message)).reason


def test_a_message_with_a_millisecond_left_is_taken() -> None:
    assert _verify(Google(message={"expTimeMillis": milliseconds(after_now=0.001)})).event_type == "save"


@pytest.mark.parametrize("after_now", [0, -0.001, -86_400])
def test_an_expired_signing_key_is_refused(after_now: float) -> None:
    google = Google()
    google.signed_key = json.dumps(
        google.usual_signed_key() | {"keyExpiration": str(milliseconds(after_now=after_now))}
    )

    assert "the signing key has expired" in _refuse(google).reason


# shapes

NOT_NUMBERS: list[Any] = [None, True, "", "soon", "-1", "1e20", "٣" * 13, " 1", "9" * 20, -1, 1.5, [], {}]


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_a_message_without_a_proper_expiration_is_refused(value: Any) -> None:
    assert "the message has expired" in _refuse(Google(message={"expTimeMillis": value})).reason


@pytest.mark.parametrize("value", NOT_NUMBERS, ids=repr)
def test_a_signing_key_without_a_proper_expiration_is_refused(value: Any) -> None:
    google = Google()
    google.signed_key = json.dumps(google.usual_signed_key() | {"keyExpiration": value})

    assert "the signing key has expired" in _refuse(google).reason


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5_000], ids=lambda text: text[:9])
def test_numbers_that_are_none_are_refused(text: str) -> None:
    google = Google()
    google.signed_message = json.dumps(google.usual_message() | {"expTimeMillis": 0}).replace(": 0", f": {text}")

    assert text in google.signed_message
    _refuse(google)


@pytest.mark.parametrize("name", ["classId", "objectId", "eventType", "nonce"])
@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": "y"}, True])
def test_a_message_without_a_proper_name_is_refused(name: str, value: Any) -> None:
    assert f"{name} has the wrong type" in _refuse(Google(message={name: value})).reason


@pytest.mark.parametrize("nonce", ["", "x" * 257])
def test_a_nonce_that_cannot_be_kept_is_refused(nonce: str) -> None:
    assert "nonce" in _refuse(Google(message={"nonce": nonce})).reason


@pytest.mark.parametrize("count", [True, ["1"], {"1": 1}])
def test_a_count_of_the_wrong_type_is_refused(count: Any) -> None:
    assert "count" in _refuse(Google(message={"count": count})).reason


@pytest.mark.parametrize("name", ["protocolVersion", "signature", "intermediateSigningKey", "signedMessage"])
def test_a_missing_member_is_refused(name: str) -> None:
    google = Google()
    document = google.callback()
    del document[name]

    assert "exactly the four members" in _refuse(google, document).reason


@pytest.mark.parametrize("value", [None, "", {}])
def test_an_extra_member_is_refused(value: Any) -> None:
    google = Google()

    assert "exactly the four members" in _refuse(google, google.callback() | {"extra": value}).reason


@pytest.mark.parametrize("document", ["", "text", 7, 1.5, True, [], [{}], {}, {"signedMessage": "{}"}], ids=repr)
def test_a_body_of_another_shape_is_refused(document: Any) -> None:
    _refuse(Google(), document)


def test_no_body_is_refused() -> None:
    with pytest.raises(BadCallback):
        verify_callback(None, issuer_id=ISSUER, root_keys=[], now=NOW)


@pytest.mark.parametrize("version", ["ECv1", "ECv2", "ecv2signingonly", "", None, 2, ["ECv2SigningOnly"]])
def test_another_protocol_version_is_refused(version: Any) -> None:
    google = Google()

    assert "protocol version" in _refuse(google, google.callback() | {"protocolVersion": version}).reason


WRONG_TYPES: list[Any] = [None, 7, 1.5, True, [], ["x"], {}, {"x": "y"}]
BROKEN_TEXTS = ["", "*", "====", "AAA", "AAAA", "MEUCIQ==", "é", "\ud800", "\x00"]


@pytest.mark.parametrize("value", WRONG_TYPES + BROKEN_TEXTS, ids=repr)
@pytest.mark.parametrize("member", ["signature", "signedMessage", "intermediateSigningKey"])
def test_members_of_any_other_type_or_content_are_refused(member: str, value: Any) -> None:
    google = Google()

    _refuse(google, google.callback() | {member: value})


@pytest.mark.parametrize("value", WRONG_TYPES + BROKEN_TEXTS, ids=repr)
def test_a_signed_key_of_any_other_type_or_content_is_refused(value: Any) -> None:
    google = Google()
    document = google.callback()
    document["intermediateSigningKey"]["signedKey"] = value

    _refuse(google, document)


@pytest.mark.parametrize("value", [*WRONG_TYPES, *BROKEN_TEXTS, *[[text] for text in BROKEN_TEXTS]], ids=repr)
def test_key_signatures_of_any_other_type_or_content_are_refused(value: Any) -> None:
    google = Google()
    document = google.callback()
    document["intermediateSigningKey"]["signatures"] = value

    _refuse(google, document)


@pytest.mark.parametrize("value", [None, 7, {}])
def test_a_key_signature_of_another_type_is_refused_also_beside_a_good_one(value: Any) -> None:
    google = Google()
    document = google.callback()
    document["intermediateSigningKey"]["signatures"].append(value)

    assert "strings" in _refuse(google, document).reason


def test_ten_key_signatures_are_tried_and_more_are_refused_unread() -> None:
    google = Google()
    document = google.callback()
    signatures = document["intermediateSigningKey"]["signatures"]
    signatures[:0] = ["AAAA"] * 9

    assert _verify(google, document).event_type == "save"
    signatures.append("AAAA")
    assert "at most 10" in _refuse(google, document).reason


@pytest.mark.parametrize("name", ["signedKey", "signatures"])
def test_a_missing_part_of_the_signing_key_is_refused(name: str) -> None:
    google = Google()
    document = google.callback()
    del document["intermediateSigningKey"][name]

    assert f"{name} has the wrong type" in _refuse(google, document).reason


def _raw_signature(document: Any) -> None:
    """The same signature without DER: the two numbers in 32 bytes each."""
    first, second = decode_dss_signature(base64.b64decode(document["signature"]))
    document["signature"] = base64.b64encode(first.to_bytes(32, "big") + second.to_bytes(32, "big")).decode()


def _url_safe(document: Any) -> None:
    document["signature"] = "-_" + document["signature"][2:]


def _line_break(document: Any) -> None:
    document["signature"] = document["signature"][:40] + "\n" + document["signature"][40:]


def _cut_off(document: Any) -> None:
    document["signature"] = document["signature"][:40]


def _more_after_der(document: Any) -> None:
    document["signature"] = base64.b64encode(base64.b64decode(document["signature"]) + b"\x00").decode()


@pytest.mark.parametrize("spoil", [_raw_signature, _url_safe, _line_break, _cut_off, _more_after_der])
def test_signatures_are_der_in_standard_base64(spoil: Callable[[Any], None]) -> None:
    google = Google()
    document = google.callback()
    spoil(document)

    assert "signature of the message" in _refuse(google, document).reason


SIGNING_KEYS: dict[str, Callable[[], Any]] = {
    "missing": lambda: None,
    "a number": lambda: 7,
    "no base64": lambda: "*",
    "no DER": lambda: base64.b64encode(b"no DER").decode(),
    "cut off": lambda: base64.b64encode(base64.b64decode(encode_public(new_key()))[:-1]).decode(),
    "PEM": lambda: base64.b64encode(b"-----BEGIN PUBLIC KEY-----").decode(),
    "P-384": lambda: encode_public(ec.generate_private_key(ec.SECP384R1())),
    "secp256k1": lambda: encode_public(ec.generate_private_key(ec.SECP256K1())),
    "RSA": lambda: encode_public(rsa.generate_private_key(65_537, 2_048)),
    "Ed25519": lambda: encode_public(ed25519.Ed25519PrivateKey.generate()),
}


@pytest.mark.parametrize("make", SIGNING_KEYS.values(), ids=SIGNING_KEYS.keys())
def test_a_signing_key_that_is_not_on_p256_is_refused(make: Callable[[], Any]) -> None:
    google = Google()
    google.signed_key = json.dumps(google.usual_signed_key() | {"keyValue": make()})

    assert "not a key on P-256" in _refuse(google).reason


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", '"text"', "[" * 100_000], ids=lambda text: text[:9])
def test_signed_texts_that_are_no_json_objects_are_refused(text: str) -> None:
    assert "signedKey" in _refuse(Google(signed_key=text)).reason
    assert "signedMessage" in _refuse(Google(signed_message=text)).reason


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None, categories=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries(dict.fromkeys(GOOGLE.callback(), _json)) | _json)
def test_whatever_a_stranger_posts_is_a_bad_callback_and_nothing_else(document: Any) -> None:
    with pytest.raises(BadCallback):
        verify_callback(document, issuer_id=ISSUER, root_keys=_trust(GOOGLE.root), now=NOW)


@given(st.dictionaries(st.sampled_from(sorted(GOOGLE.usual_message())), _json, min_size=1))
def test_whatever_google_signs_is_an_event_or_a_bad_callback(changes: dict[str, Any]) -> None:
    google = Google(root=GOOGLE.root, signing_key=GOOGLE.signing_key, message=changes)
    try:
        event = verify_callback(google.callback(), issuer_id=ISSUER, root_keys=_trust(GOOGLE.root), now=NOW)
    except BadCallback:
        return
    assert event.class_id.startswith(f"{ISSUER}.")
    assert asdict(event).keys() == {"class_id", "object_id", "event_type", "nonce", "expires_at"}


# with the keys in force


class _KeyServer:
    def __init__(self, *keys: ec.EllipticCurvePrivateKey) -> None:
        self.keys = keys
        self.is_down = False
        self.calls = 0

    def fetch(self, url: str) -> bytes:
        self.calls += 1
        if self.is_down:
            raise Busy("down")
        return root_list(*(root_entry(key) for key in self.keys))

    def root_keys(self) -> RootKeys:
        return RootKeys("https://keys.example", fetch=self.fetch, now=lambda: NOW)


def _receive(google: Google, root_keys: RootKeys) -> GoogleEvent:
    return verify_current_callback(google.callback(), issuer_id=ISSUER, root_keys=root_keys, now=NOW)


def test_many_good_callbacks_fetch_the_keys_once() -> None:
    google = Google()
    server = _KeyServer(google.root)
    root_keys = server.root_keys()

    assert {_receive(google, root_keys).event_type for _ in range(5)} == {"save"}
    assert server.calls == 1


def test_many_bad_signatures_cause_at_most_one_more_fetch() -> None:
    server = _KeyServer(new_key())
    root_keys = server.root_keys()
    for _ in range(5):
        with pytest.raises(UnknownRoot):
            _receive(Google(), root_keys)

    assert server.calls == 2


def test_a_new_root_key_is_found_by_the_first_callback_that_needs_it() -> None:
    google = Google()
    server = _KeyServer(new_key())
    root_keys = server.root_keys()
    root_keys.get()
    server.keys = (google.root,)

    assert _receive(google, root_keys).event_type == "save"
    assert server.calls == 2


def test_what_fails_for_another_reason_than_its_root_asks_for_no_keys() -> None:
    google = Google(message={"expTimeMillis": 0})
    server = _KeyServer(google.root)
    root_keys = server.root_keys()
    with pytest.raises(BadCallback):
        _receive(google, root_keys)

    assert server.calls == 1


def test_without_a_key_server_google_has_to_come_again() -> None:
    server = _KeyServer()
    server.is_down = True

    with pytest.raises(Busy):
        _receive(Google(), server.root_keys())


def test_a_bad_signature_stays_one_when_the_key_server_fails_afterwards() -> None:
    server = _KeyServer(new_key())
    root_keys = server.root_keys()
    root_keys.get()
    server.is_down = True

    with pytest.raises(UnknownRoot):
        _receive(Google(), root_keys)
