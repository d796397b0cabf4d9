"""Which function serves which queue, for those who play Lambda: the local stack and the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chalicelib.workers import bulk, callbacks, push, sweep

HANDLERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "plan": bulk.plan_bulk_update,
    "segment": bulk.update_segment,
    "sweep": sweep.sweep_collection,
    "push": push.spread_push,
    "deliver-passbook": push.deliver_passbook,
    "deliver-wallet-passes": push.deliver_wallet_passes,
    "deliver-pass2u": push.deliver_pass2u,
    "deliver-passwallet": push.deliver_passwallet,
    "deliver-passworks-wallet": push.deliver_passworks_wallet,
    "deliver-google-wallet": push.deliver_google_wallet,
    "callback": callbacks.send_callback,
    "plan-dead": bulk.fail_plan,
    "segment-dead": bulk.fail_segment,
}
