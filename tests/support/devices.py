"""Devices that hold passes, at the level of the domain: no certificate and no HTTP is needed."""

from __future__ import annotations

from chalicelib.domain.finding import get_pass_or_raise
from chalicelib.domain.passes import Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.registering import add_registration, remove_registration, take_number
from chalicelib.domain.registrations import Installation, Wallet, device_key
from chalicelib.domain.retrying import retry_conflicts
from local import certificates

PASS_TYPE = certificates.PASS_TYPE
WALLETS = {"ios": Wallet.PASSBOOK, "android": Wallet.WALLET_PASSES}


def install(
    platform: Platform,
    *,
    project_id: int,
    pass_id: int,
    device_platform: str = "ios",
    device: str = "a-device",
    wallet: Wallet | None = None,
) -> Pass:
    """A device holds a pass, if it did not already; the pass after that. A `wallet` is one instead of the platform's
    usual one."""
    key = device_key(device_id=device, pass_type=PASS_TYPE)
    installation = Installation(wallet=wallet or WALLETS[device_platform], push_token=f"token of {device}")

    def attempt() -> Pass:
        pass_ = get_pass_or_raise(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))
        if platform.registrations.find(device=key, pass_id=pass_id)[1] is None:
            numbered = take_number(platform, pass_)
            add_registration(
                platform, pass_, device=key, pass_type=PASS_TYPE, installation=installation, numbered=numbered
            )
        return get_pass_or_raise(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def remove(platform: Platform, *, project_id: int, pass_id: int, device: str = "a-device") -> Pass:
    """A device holds a pass no longer, if it did; the pass after that."""
    key = device_key(device_id=device, pass_type=PASS_TYPE)

    def attempt() -> Pass:
        pass_ = get_pass_or_raise(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))
        registration = platform.registrations.find(device=key, pass_id=pass_id)[1]
        if registration is not None:
            remove_registration(platform, pass_, registration)
        return get_pass_or_raise(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
