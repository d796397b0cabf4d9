"""The same web service behind a stage, as API Gateway serves it: each address that is given out has the stage in it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from chalice.local import LambdaEventConverter, RouteMatcher

from tests.contract.cards import Card, issue_card
from tests.support.google_wallet import changed_settings
from tests.support.phones import Phone, base_of
from tests.support.stack import Tenant

HOST = "wallet.example.com"
STAGE = "/api"


class Gateway(httpx.BaseTransport):
    """Hands requests to the app as API Gateway does: the route's path alone, and the whole one in the context."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._converter = LambdaEventConverter(RouteMatcher(list(app.routes)))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode()
        if not target.startswith(f"{STAGE}/"):
            return httpx.Response(403, json={"message": "Forbidden"})
        event = self._converter.create_lambda_event(
            method=request.method,
            path=target.removeprefix(STAGE),
            headers={**request.headers, "x-forwarded-proto": "https"},
            body=request.read(),
        )
        event["requestContext"]["path"] = target.partition("?")[0]
        answer = self._app(event, None)
        body = answer["body"]
        if answer.get("isBase64Encoded"):
            body = base64.b64decode(body)
        return httpx.Response(answer["statusCode"], headers=answer["headers"], content=body)


@pytest.fixture
def gateway(tenant: Tenant) -> Iterator[httpx.Client]:
    """A client that reaches the app over the stage."""
    from app import app

    with httpx.Client(transport=Gateway(app)) as client:
        yield client


@pytest.mark.parametrize("configured", [False, True], ids=["as the client asks", "as configured"])
def test_a_phone_lives_behind_a_stage(tenant: Tenant, gateway: httpx.Client, configured: bool) -> None:
    card, phone = issue_card(tenant), Phone(http=gateway)
    public = f"https://{HOST}{STAGE}"
    with changed_settings({"PASSEL_PUBLIC_BASE_URL": f"{public}/" if configured else ""}):
        held = phone.install(card.url.replace(str(tenant.http.base_url).rstrip("/"), public))
        assert base_of(held) == held.document["webServiceURL"] == public
        phone.poll()

        _update_and_check(phone, card)

        phone.remove(phone.passes[card.serial_number])
    assert card.list_registrations() == []


def _update_and_check(phone: Phone, card: Card) -> None:
    card.update(1)
    assert phone.poll(pushed=True) == [card.serial_number]
    assert phone.passes[card.serial_number].shows("Points") == "1"
    assert phone.poll() == []
    assert phone.complaints == []
    assert len(card.list_registrations()) == 1
