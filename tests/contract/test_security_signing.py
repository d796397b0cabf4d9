"""What a stranger can have signed with the certificate of passes: his pass as it is, and no other."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest

from tests.contract.cards import Card, issue_card, look
from tests.support.phones import PassFile, Phone, base_of, shared_client, token_of
from tests.support.stack import Stack, Tenant


@pytest.fixture
def card(stack: Stack, tenant: Tenant) -> Card:
    return issue_card(tenant)


@pytest.fixture
def held(card: Card) -> PassFile:
    """What anybody has who was given a pass."""
    return Phone().add(card.url)


def forge(held: PassFile) -> str:
    """The manifest of a pass that we never issued, of our pass type."""
    forged = json.dumps({**held.document, "serialNumber": "1", "webServiceURL": "https://evil.example"}).encode()
    digests = {"pass.json": hashlib.sha1(forged, usedforsecurity=False).hexdigest()}
    digests["icon.png"] = hashlib.sha1(held.members["icon.png"], usedforsecurity=False).hexdigest()
    return json.dumps(digests)


def ask_for_a_signature(held: PassFile, token: str) -> httpx.Response:
    return shared_client().post(
        f"{base_of(held)}/v1/passes/{held.path}/personalize",
        json={"personalizationToken": token, "requiredPersonalizationInfo": {"givenName": "Eve"}},
        headers={"Authorization": f"ApplePass {token_of(held)}"},
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("before", ["", " \r\n\t", "\x00", "// a comment\n", "["])
def test_the_manifest_of_a_pass_is_no_token(
    stack: Stack, tenant: Tenant, held: PassFile, before: str, encoding: str
) -> None:
    """Whoever personalizes a pass gets a signature over his own token. Over a manifest it would make any pass ours."""
    token = (before + forge(held)).encode(encoding).decode("utf-8")
    rows = look(stack, tenant)
    answer = ask_for_a_signature(held, token)
    assert answer.status_code == 400
    assert b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02" not in answer.content  # PKCS#7, signed data
    assert look(stack, tenant) == rows


@pytest.mark.parametrize("token", ["3f2b8c1e-token", "YWJj+/==", "a.b.c", "\N{SNOWMAN}", "x" * 4096])
def test_a_token_that_can_be_no_manifest_is_signed(held: PassFile, token: str) -> None:
    assert ask_for_a_signature(held, token).status_code == 200
