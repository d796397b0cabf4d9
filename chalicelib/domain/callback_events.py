"""What receivers are told, in each dialect's words (airship-wallet-v1, section 8; passworks-v2, section 11).

A document shows the pass as it was when the event happened. An event has one id, however often it is told.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.errors import PasselError
from chalicelib.domain.filtering import Kind, show
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.page_addresses import distribution_id
from chalicelib.domain.passes import Pass, as_milliseconds
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import Dialect
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.registrations import Registration, Wallet

CALLBACK_QUEUE = "callback"

_EVENTS = uuid.UUID("6f1c2a52-7f3d-4b0e-9d59-2f6a5b7c1e83")
"""the namespace of event ids (RFC 9562, section 5.5); never to be changed, since receivers remember ids"""

_log = logging.getLogger("passel")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackEvent:
    """One thing to tell in one dialect."""

    event_id: str
    dialect: Dialect
    name: str
    """such as `installed`"""
    template_id: int
    path: str
    """below an Airship receiver's address; empty for Passworks"""
    body: Mapping[str, Any]
    happened_at: datetime


def as_document(event: CallbackEvent) -> dict[str, Any]:
    """JSON for a queue; `CallbackMessage` reads it."""
    return {
        "event_id": event.event_id,
        "dialect": str(event.dialect),
        "name": event.name,
        "template_id": event.template_id,
        "path": event.path,
        "body": dict(event.body),
        "happened_at": event.happened_at.isoformat(),
    }


def hears(platform: Platform, project_id: int, dialect: Dialect | None = None) -> bool:
    """Whether anybody is told of a project's events, in that dialect or in any; known for a minute."""
    receiver = platform.receivers.find_receiver(project_id)
    return receiver is not None and (dialect is None or dialect in receiver.dialects)


def tell_installed(
    platform: Platform, pass_: Pass, registration: Registration, *, campaign_id: str | None, ip: str | None
) -> list[Outgoing]:
    """A device took a pass, or holds it in another wallet now. Both dialects tell of each registration (section 13)."""
    return _tell_of_registration(
        platform, pass_, registration, "installed", at=registration.registered_at, campaign_id=campaign_id, ip=ip
    )


def tell_uninstalled(
    platform: Platform,
    pass_: Pass,
    registration: Registration,
    *,
    campaign_id: str | None,
    now: datetime,
    ip: str | None,
) -> list[Outgoing]:
    """A registration ended: its device, or the push service, said so."""
    return _tell_of_registration(platform, pass_, registration, "uninstalled", at=now, campaign_id=campaign_id, ip=ip)


def _tell_of_registration(
    platform: Platform,
    pass_: Pass,
    registration: Registration,
    name: str,
    *,
    at: datetime,
    campaign_id: str | None,
    ip: str | None,
) -> list[Outgoing]:
    # a registration begins anew with each wallet, and ends once
    key = f"{registration.registration_id}/{as_milliseconds(registration.registered_at)}"
    events = []
    if hears(platform, pass_.project_id, Dialect.AIRSHIP):
        body = _airship_document(pass_) | {"platform": registration.wallet.device_os}
        path = f"/v1/pass/{name.removesuffix('ed')}"
        events.append(_event(Dialect.AIRSHIP, name, key, pass_, path=path, body=body, at=at))
    if hears(platform, pass_.project_id, Dialect.PASSWORKS):
        extra = {
            "pass_id": pass_.serial_number,
            "registration_id": registration.registration_id,
            "device_os": registration.wallet.device_os,
            "device_app_vendor": str(registration.wallet),
            "wallet_type": "apple_wallet" if registration.wallet is Wallet.PASSBOOK else str(registration.wallet),
            "ip": ip,
        }
        body = _passworks_document(pass_, name, at=at, campaign_id=campaign_id) | {"event_extra": extra}
        events.append(_event(Dialect.PASSWORKS, name, key, pass_, body=body, at=at))
    return [_outgoing(pass_.project_id, [event]) for event in events]


def tell_personalized(
    platform: Platform, pass_: Pass, *, token: str, info: Mapping[str, str], now: datetime
) -> list[Outgoing]:
    """Somebody gave his name to a pass; `token` is what Wallet calls this personalization (wallets, section 2.6).

    Ids are strings here (airship-wallet-v1, section 1), and what was given stands beside the usual members.
    """
    if not hears(platform, pass_.project_id, Dialect.AIRSHIP):
        return []
    ids = {"passId": str(pass_.pass_id), "templateId": str(pass_.template_id)}
    own = {"platform": pass_.platform or "ios", "requiredPersonalizationInfo": dict(info)}
    event = _event(
        Dialect.AIRSHIP,
        "personalized",
        f"{pass_.serial_number}/{token}",
        pass_,
        path=f"/v1/pass/{pass_.pass_id}/personalize",
        body=_airship_document(pass_) | ids | own,
        at=now,
    )
    return [_outgoing(pass_.project_id, [event])]


def tell_created(platform: Platform, passes: Sequence[Pass], *, campaign_id: str) -> list[Outgoing]:
    """New passes of one campaign: one message for all, which a worker takes apart."""
    if not passes or not hears(platform, passes[0].project_id, Dialect.PASSWORKS):
        return []
    return [
        _outgoing(
            passes[0].project_id,
            [
                _passworks_event(pass_, "created", pass_.serial_number, at=pass_.created_at, campaign_id=campaign_id)
                for pass_ in passes
            ],
        )
    ]


def tell_redeemed(platform: Platform, pass_: Pass, redeem: Redeem, *, campaign_id: str) -> list[Outgoing]:
    """A pass was redeemed; `pass_` is as it is after that."""
    if not hears(platform, pass_.project_id, Dialect.PASSWORKS):
        return []
    event = _passworks_event(pass_, "redeemed", redeem.redeem_id, at=redeem.created_at, campaign_id=campaign_id)
    return [_outgoing(pass_.project_id, [event])]


def report_delivery(platform: Platform, pass_: Pass, *, name: str, campaign_id: str | None) -> None:
    """Tells that a pass was `downloaded` by a person or `fetched` by a device.

    Nothing is written when that happens, so the event goes straight to the queue. One that is lost keeps nobody from
    his pass.
    """
    try:
        if not hears(platform, pass_.project_id, Dialect.PASSWORKS):
            return
        key = f"{pass_.serial_number}/{platform.new_token()}"
        event = _passworks_event(pass_, name, key, at=platform.now(), campaign_id=campaign_id)
        platform.queues.send_documents(CALLBACK_QUEUE, [_outgoing(pass_.project_id, [event]).document])
    except PasselError as error:
        _log.warning("nobody is told that pass %d was %s: %r", pass_.pass_id, name, error)


def _airship_document(pass_: Pass) -> dict[str, Any]:
    """What every Airship callback has; serial number and dates are those of the pass object."""
    document: dict[str, Any] = {
        "passId": pass_.pass_id,
        "templateId": pass_.template_id,
        "serialNumber": pass_.serial_number,
        "createdAt": show(Kind.PRECISE_TIME, pass_.created_at),
        "updatedAt": show(Kind.PRECISE_TIME, pass_.updated_at),
    }
    return document if pass_.external_id is None else document | {"externalId": pass_.external_id}


def _passworks_document(pass_: Pass, name: str, *, at: datetime, campaign_id: str | None) -> dict[str, Any]:
    event_at = show(Kind.TIME, at)
    return {
        "event": name,
        "context": "pass",
        "campaign_id": campaign_id,
        "distribution_id": None if campaign_id is None else distribution_id(campaign_id),
        "pass_id": pass_.serial_number,
        "voided": pass_.is_voided,
        "serial_number": pass_.serial_number,
        "redeemed_count": pass_.redeemed_count,
        "redeemed_at": None if pass_.redeemed_at is None else show(Kind.TIME, pass_.redeemed_at),
        "created_at": show(Kind.TIME, pass_.created_at),
        "updated_at": show(Kind.TIME, pass_.updated_at),
        # earlier fetches are counted, not dated
        "last_fetched_at": event_at if name == "fetched" else None,
        "event_at": event_at,
        "metadata": {},
        "event_extra": {},
    }


def _passworks_event(pass_: Pass, name: str, key: str, *, at: datetime, campaign_id: str | None) -> CallbackEvent:
    body = _passworks_document(pass_, name, at=at, campaign_id=campaign_id)
    return _event(Dialect.PASSWORKS, name, key, pass_, body=body, at=at)


def _event(
    dialect: Dialect, name: str, key: str, pass_: Pass, *, path: str = "", body: Mapping[str, Any], at: datetime
) -> CallbackEvent:
    return CallbackEvent(
        event_id=str(uuid.uuid5(_EVENTS, f"{dialect}/{name}/{key}")),
        dialect=dialect,
        name=name,
        template_id=pass_.template_id,
        path=path,
        body=body,
        happened_at=at,
    )


def _outgoing(project_id: int, events: Sequence[CallbackEvent]) -> Outgoing:
    """One message; its key is the first event's, which stands in no other."""
    return Outgoing(
        key=f"callback#{events[0].event_id}",
        queue=CALLBACK_QUEUE,
        document={"project_id": project_id, "events": [as_document(event) for event in events]},
        created_at=events[0].happened_at,
    )
