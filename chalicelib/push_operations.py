"""What operators do about pushes: where they go, which of them rest, and another chance for what was given up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from chalicelib.domain.announcing import PUSH_QUEUE
from chalicelib.domain.deliveries import Pause, as_document
from chalicelib.domain.errors import NotFound
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.wallet_services import GoogleAccount, WalletServices
from chalicelib.schemas.messages import DeliveryMessage, PushMessage
from chalicelib.wiring import get_dead_letters, get_keyring, get_platform, get_wallet_services

_DEAD_PUSHES, _DEAD_DELIVERIES = "push-dead", "deliver-dead"

Redirected = tuple[str, Mapping[str, Any]]
"""a queue and the message for it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Where one wallet's pushes of a project go. `credentials` says with what, never the secret itself."""

    wallet: Wallet
    address: str
    credentials: str
    paused_until: datetime | None


def list_services(*, project_id: int) -> list[Service]:
    """Where each wallet's pushes go now.

    Raises:
        NotFound: no such project.
        Busy: the settings cannot be read.
    """
    _check_project(project_id)
    source = get_wallet_services()
    services, google = source.get_services(project_id), source.get_google(project_id)
    pauses = {pause.service: pause for pause in list_pauses()}
    return [
        Service(
            wallet=wallet,
            address=address,
            credentials=credentials,
            paused_until=pauses[key].until if (key := f"{project_id}#{wallet}") in pauses else None,
        )
        for wallet, address, credentials in _describe(project_id, services, google)
    ]


def _describe(project_id: int, services: WalletServices, google: GoogleAccount | None) -> list[tuple[Wallet, str, str]]:
    certificates = ", ".join(one.pass_type_identifier for one in get_keyring().list_credentials(project_id))
    apple = f"key {services.apple_key.key_id}" if services.apple_key else f"certificates: {certificates or 'none'}"
    return [
        (Wallet.PASSBOOK, services.apns.base_url, apple),
        (Wallet.WALLET_PASSES, services.wallet_passes.base_url, _key(services.wallet_passes.api_key)),
        (Wallet.PASS2U, services.pass2u.base_url, _key(services.pass2u.api_key)),
        (Wallet.PASSWALLET, ", ".join(sorted(services.passwallet_allow)) or "nobody", "needs none"),
        (Wallet.PASSWORKS_WALLET, services.passworks_wallet.base_url, _key(services.passworks_wallet.api_key)),
        (
            Wallet.GOOGLE_WALLET,
            google.rest_base_url if google else "nobody",
            (google.email or f"issuer {google.issuer_id}, no service account") if google else "no issuer",
        ),
    ]


def _key(api_key: str | None) -> str:
    return "a key" if api_key else "no key"


def list_pauses() -> list[Pause]:
    """Services that are left alone for a while, of all projects."""
    return get_platform().deliveries.list_pauses(now=datetime.now(UTC))


def end_pauses(*, project_id: int) -> int:
    """Lets a project's pushes go on; how many services rested. What waits already comes at the end of its pause.

    Raises:
        NotFound: no such project.
    """
    _check_project(project_id)
    own = [pause for pause in list_pauses() if pause.service.partition("#")[0] == str(project_id)]
    return sum(get_platform().deliveries.end_pause(pause.service) for pause in own)


def _check_project(project_id: int) -> None:
    if get_platform().projects.get_project(project_id=project_id) is None:
        raise NotFound("project", project_id)


def redrive() -> tuple[int, int]:
    """Gives pushes that were given up another day; how many messages, and how many that cannot be read were left."""
    pushes = _redrive(_DEAD_PUSHES, _read_push)
    deliveries = _redrive(_DEAD_DELIVERIES, _read_delivery)
    return pushes[0] + deliveries[0], pushes[1] + deliveries[1]


def _redrive(dead_queue: str, read: Callable[[str], Redirected]) -> tuple[int, int]:
    platform, letters = get_platform(), get_dead_letters()
    sent, left = 0, []
    while taken := letters.take(dead_queue):
        for letter in taken:
            try:
                queue, document = read(letter.body)
            except ValidationError:
                left.append(letter)
                continue
            # first sent, then removed: a device that was told is not told again
            platform.queues.send_documents(queue, [document])
            letters.remove(dead_queue, letter)
            sent += 1
    for letter in left:
        letters.put_back(dead_queue, letter)
    return sent, len(left)


def _read_push(body: str) -> Redirected:
    message = PushMessage.model_validate_json(body)
    return PUSH_QUEUE, {**message.model_dump(mode="json"), "asked_at": datetime.now(UTC).isoformat()}


def _read_delivery(body: str) -> Redirected:
    delivery = DeliveryMessage.model_validate_json(body).as_delivery()
    again = replace(delivery, attempt=0, asked_at=datetime.now(UTC), not_before=None)
    return again.queue, as_document(again)
