"""Which function serves which queue, for those who play Lambda: the local stack and the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chalicelib.workers import bulk, sweep

HANDLERS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "plan": bulk.plan_bulk_update,
    "segment": bulk.update_segment,
    "sweep": sweep.sweep_collection,
    "plan-dead": bulk.fail_plan,
    "segment-dead": bulk.fail_segment,
}
