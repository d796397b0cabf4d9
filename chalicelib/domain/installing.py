"""What wallets report: a pass is on a device, or no longer. Row, status and counters change in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.domain.finding import get_live_references, get_pass_or_raise
from chalicelib.domain.passes import Pass, PassReference, install, uninstall
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts


def record_installation(platform: Platform, *, project_id: int, pass_id: int, device_platform: str) -> Pass:
    """Makes a pass `installed`; `device_platform` is `ios` or `android` (airship-wallet-v1, section 4.6).

    Raises:
        NotFound, Busy
    """
    return _record(
        platform, project_id, pass_id, lambda pass_: install(pass_, platform=device_platform, now=platform.now())
    )


def record_removal(platform: Platform, *, project_id: int, pass_id: int) -> Pass:
    """Makes a pass `uninstalled`.

    Raises:
        NotFound, Busy
    """
    return _record(platform, project_id, pass_id, lambda pass_: uninstall(pass_, now=platform.now()))


def _record(platform: Platform, project_id: int, pass_id: int, change: Callable[[Pass], Pass]) -> Pass:
    def attempt() -> Pass:
        before = get_pass_or_raise(platform, project_id=project_id, reference=PassReference(pass_id=pass_id))
        after = change(before)
        platform.passes.change_status(before=before, after=after, live=get_live_references(platform, before))
        return after

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
