"""Removing devices that a push service knows no longer (wallets, section 2.5)."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from chalicelib.domain.ports import Platform
from chalicelib.domain.registering import remove_registration
from chalicelib.domain.retrying import retry_conflicts


def remove_token(platform: Platform, *, pass_type: str, push_token: str, gone_since: datetime) -> int:
    """Removes all registrations with a push token of a pass type, whatever the device; how many. Statuses follow.

    One that was renewed after `gone_since` stays: the service spoke of what was before.

    Raises:
        Busy
    """

    def attempt(device: str, pass_id: int) -> bool:
        pass_, registration = platform.registrations.find(device=device, pass_id=pass_id)
        if pass_ is None or registration is None:
            return False
        is_same = registration.pass_type == pass_type and registration.push_token == push_token
        if not is_same or registration.registered_at > gone_since:
            return False
        remove_registration(platform, pass_, registration)
        return True

    found = platform.registrations.list_of_token(pass_type=pass_type, push_token=push_token)
    removed = [
        retry_conflicts(partial(attempt, device, pass_id), budget_seconds=platform.bounds.budget_seconds)
        for device, pass_id in found
    ]
    return sum(removed)
