"""One worker process: takes plans and segments from the queue, one at a time, as one environment of Lambda would.

`python -m benchmarks.bulk_worker` works until its input ends, and tells for each line what it has spent since the last.
"""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from benchmarks.bulk_processes import answer, requests
from chalicelib.wiring import get_database, get_platform
from chalicelib.workers.handlers import HANDLERS
from local.clients import create_client
from local.environment import PREFIX
from local.pump import Pump

QUEUES = ("plan", "segment")


class _Spent:
    """DynamoDB calls, units and processor time of this process."""

    def __init__(self) -> None:
        self._since = time.process_time()
        self._calls = self._statements = 0
        self._units = 0.0
        events = get_database().connection.client.meta.events
        events.register("after-call.dynamodb", self._note)

    def _note(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        self._calls += 1
        consumed = parsed.get("ConsumedCapacity") or []
        self._units += sum(each["CapacityUnits"] for each in (consumed if isinstance(consumed, list) else [consumed]))

    def take(self) -> dict[str, float]:
        """What was spent since it was asked for last."""
        now = time.process_time()
        spent = {"calls": self._calls, "units": self._units, "cpu_seconds": now - self._since}
        self._since, self._calls, self._units = now, 0, 0.0
        return spent


def main() -> None:
    """Work until the input ends."""
    logging.getLogger("passel").setLevel(logging.WARNING)
    get_platform().projects.list_projects()  # as warm as an environment that has worked before
    spent = _Spent()
    client = create_client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_SQS"])
    handlers = {queue: HANDLERS[queue] for queue in QUEUES}
    pump = Pump(client, PREFIX, handlers, threads={})
    pump.start()
    answer("ready")
    for _ in requests():
        answer(spent.take())
    pump.stop()


if __name__ == "__main__":
    main()
