"""Devices report which passes they hold (wallets, sections 2 and 3). Row, status and counters change together."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from chalicelib.domain.announcing import send_waiting
from chalicelib.domain.callback_events import hears, tell_installed, tell_uninstalled
from chalicelib.domain.campaign_ports import Standing
from chalicelib.domain.errors import InvalidRequest, Unauthorized
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import Pass, hold, release
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Installation, Registration, device_key
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.tags import TagReference


class Registered(Enum):
    """What a register call came to."""

    NEW = "new"
    RENEWED = "renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPass:
    """A pass as a wallet names it, with the token that proves that it holds it."""

    pass_type: str
    serial_number: str
    token: str


def get_held_pass(platform: Platform, held: HeldPass) -> tuple[Pass, Standing]:
    """The pass that a wallet asks for, and what there is around it. Two calls.

    Raises:
        Unauthorized: wrong token, unknown serial number or pass type, or deleted with its template; which of these is
            not told (wallets, 2.1).
    """
    pass_ = _check_token(held, _get_pass(platform, held.serial_number))
    return _check_standing(platform, pass_, held.pass_type)


def get_named_pass(platform: Platform, *, pass_type: str, serial_number: str) -> tuple[Pass, Standing]:
    """The same for a wallet that may come without a token (wallets, 2.6): a serial number cannot be guessed. Two calls.

    Raises:
        Unauthorized: as above.
    """
    pass_ = _get_pass(platform, serial_number)
    if pass_ is None:
        raise _unauthorized()
    return _check_standing(platform, pass_, pass_type)


def register(
    platform: Platform,
    held: HeldPass,
    *,
    device_id: str,
    read_installation: Callable[[Pass], Installation],
    ip: str | None = None,
) -> Registered:
    """Notes that a device holds a pass; a repeat takes over the wallet and the push token (wallets, section 2.2).

    `read_installation` is called with the pass once the token is right, so that nobody else learns what is wrong with
    his body.
    At most four calls: pass and registration, number, template and tags, transaction. One more for another wallet, and
    a message, where somebody is told of it.

    Raises:
        Unauthorized, InvalidRequest, Busy
    """
    device = device_key(device_id=device_id, pass_type=held.pass_type)
    numbered: tuple[int, datetime] | None = None
    installation: Installation | None = None

    def attempt() -> Registered:
        nonlocal numbered, installation
        pass_, registration = _find(platform, held, device)
        installation = installation or read_installation(pass_)
        if registration is not None:
            _renew(platform, pass_, registration, installation, ip=ip)
            return Registered.RENEWED
        _check_room(platform, pass_)
        numbered = numbered or take_number(platform, pass_)
        add_registration(
            platform,
            pass_,
            device=device,
            pass_type=held.pass_type,
            installation=installation,
            numbered=numbered,
            ip=ip,
        )
        return Registered.NEW

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _check_room(platform: Platform, pass_: Pass) -> None:
    """Whoever has a pass can invent devices, and each is pushed to at every change. Two at once may pass the limit."""
    limit = platform.bounds.devices_per_pass
    if pass_.registrations >= limit and not pass_.is_for_many:
        raise InvalidRequest(f"the pass is on {pass_.registrations} devices, the limit is {limit}")


def _renew(
    platform: Platform, pass_: Pass, before: Registration, installation: Installation, *, ip: str | None
) -> None:
    """Takes over what a device says anew. Of another wallet receivers are told as of an installation."""
    after = replace(
        before,
        wallet=installation.wallet,
        push_token=installation.push_token,
        push_service_url=installation.push_service_url,
        registered_at=platform.now(),
    )
    outgoing: list[Outgoing] = []
    if after.wallet != before.wallet and hears(platform, pass_.project_id):
        standing = platform.registrations.read_standing(pass_, with_tags=False)
        outgoing = tell_installed(platform, pass_, after, campaign_id=standing.campaign_id, ip=ip)
    platform.registrations.renew(before=before, after=after, outgoing=outgoing)
    send_waiting(platform, outgoing)


def unregister(
    platform: Platform,
    held: HeldPass,
    *,
    device_id: str,
    note: Callable[[Pass], None] | None = None,
    ip: str | None = None,
) -> bool:
    """Notes that a device holds a pass no longer; whether it did until now. At most three calls, and one a minute.

    `note` is called with the pass once the token is right.

    Raises:
        Unauthorized, Busy
    """
    device = device_key(device_id=device_id, pass_type=held.pass_type)

    def attempt() -> bool:
        pass_, registration = _find(platform, held, device)
        if note is not None:
            note(pass_)
        if registration is None:
            return False
        remove_registration(platform, pass_, registration, ip=ip)
        return True

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def take_number(platform: Platform, pass_: Pass) -> tuple[int, datetime]:
    """The next registration number of a template, and its time."""
    return platform.sequences.next_values(
        name=f"registrations:{pass_.template_id}", count=1, now=platform.now(), apart=True
    )


def add_registration(
    platform: Platform,
    pass_: Pass,
    *,
    device: str,
    pass_type: str,
    installation: Installation,
    numbered: tuple[int, datetime],
    event: tuple[str, int] | None = None,
    ip: str | None = None,
) -> Registration:
    """Stores a registration that is not there, counts it, and has receivers told.

    Raises:
        Unauthorized: the pass goes, since its template was deleted.
        Conflict: it is there by now, or the pass has changed.
    """
    number, created_at = numbered
    registration = Registration(
        registration_id=platform.new_uuid(number),
        number=number,
        project_id=pass_.project_id,
        template_id=pass_.template_id,
        pass_id=pass_.pass_id,
        serial_number=pass_.serial_number,
        device=device,
        pass_type=pass_type,
        wallet=installation.wallet,
        push_token=installation.push_token,
        push_service_url=installation.push_service_url,
        created_at=created_at,
        registered_at=created_at,
    )
    after = hold(pass_, platform=installation.wallet.device_os, now=created_at)
    standing = platform.registrations.read_standing(pass_, with_tags=after.status != pass_.status)
    if not standing.stands:
        raise _unauthorized()
    outgoing = tell_installed(platform, after, registration, campaign_id=standing.campaign_id, ip=ip)
    platform.registrations.register(
        before=pass_, after=after, registration=registration, live=standing.live, event=event, outgoing=outgoing
    )
    send_waiting(platform, outgoing)
    return registration


def remove_registration(
    platform: Platform,
    pass_: Pass,
    registration: Registration,
    *,
    event: tuple[str, int] | None = None,
    ip: str | None = None,
) -> None:
    """Removes one registration, counts that, and has receivers told.

    Raises:
        Conflict: it has changed, or the pass has.
    """
    now = platform.now()
    after = release(pass_, now=now)
    live: Sequence[TagReference] = ()
    outgoing: list[Outgoing] = []
    # the tags' lists have to follow only a status that moves
    moves = after.status != pass_.status
    if moves or hears(platform, pass_.project_id):
        standing = platform.registrations.read_standing(pass_, with_tags=moves)
        live = standing.live
        outgoing = tell_uninstalled(platform, after, registration, campaign_id=standing.campaign_id, now=now, ip=ip)
    platform.registrations.unregister(
        before=pass_,
        after=after,
        registrations=[registration],
        live=live,
        now=now,
        event=event,
        outgoing=outgoing,
    )
    send_waiting(platform, outgoing)


def _find(platform: Platform, held: HeldPass, device: str) -> tuple[Pass, Registration | None]:
    pass_id = number_in(held.serial_number)
    if pass_id is None:
        raise _unauthorized()
    found, registration = platform.registrations.find(device=device, pass_id=pass_id)
    pass_ = _check_token(held, found)
    _check_pass_type(platform, pass_, held.pass_type)
    return pass_, registration


def _get_pass(platform: Platform, serial_number: str) -> Pass | None:
    pass_id = number_in(serial_number)
    found = None if pass_id is None else platform.passes.get_pass(project_id=None, pass_id=pass_id)
    return found if found is not None and found.serial_number == serial_number else None


def _check_token(held: HeldPass, pass_: Pass | None) -> Pass:
    if pass_ is None or pass_.serial_number != held.serial_number:
        raise _unauthorized()
    if not hmac.compare_digest(pass_.authentication_token.encode(), held.token.encode()):
        raise _unauthorized()
    return pass_


def _check_pass_type(platform: Platform, pass_: Pass, pass_type: str) -> None:
    if platform.pass_type_of(pass_.project_id, pass_.certificate_id) != pass_type:
        raise _unauthorized()


def _check_standing(platform: Platform, pass_: Pass, pass_type: str) -> tuple[Pass, Standing]:
    _check_pass_type(platform, pass_, pass_type)
    standing = platform.registrations.read_standing(pass_, with_tags=False)
    if not standing.stands:
        raise _unauthorized()
    return pass_, standing


def _unauthorized() -> Unauthorized:
    return Unauthorized("the pass or its token is unknown")
