"""A process that works for all queues, as functions of Lambda would, and may run the schedule; it may be killed.

Time is short here: a message that failed is visible again after a second, the schedule, which one of the workers has,
runs every minute rather than every 15, and a claim of a worker that died is given up after seconds.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from typing import Any

from chalicelib import logs
from chalicelib.domain import delivering, sweeping
from chalicelib.domain.errors import PasselError
from chalicelib.wiring import get_platform
from chalicelib.workers.handlers import HANDLERS
from local.clients import create_client
from local.environment import PREFIX
from local.pump import Pump

SCHEDULE_SECONDS = 60.0
CLAIM_SECONDS = 8
POLL_SECONDS = 8

UNUSED = ("deliver-pass2u", "deliver-passwallet", "deliver-passworks-wallet", "deliver-google-wallet", "callback")
"""queues that no client of a run leads to: to ask them would cost the one queue server more than all the rest"""
THREADS = {"plan": 2, "segment": 2, "push": 2, "sweep": 2}

_log = logging.getLogger("chaos")


def main() -> None:
    """Work, and say so."""
    logs.set_up()
    logs.write_json(sys.stderr)
    delivering.CLAIM_SECONDS = CLAIM_SECONDS
    client = create_client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_SQS"])
    handlers = {queue: handler for queue, handler in HANDLERS.items() if queue not in UNUSED}
    Pump(_PatientClient(client), PREFIX, handlers, THREADS, backoff=lambda _: 1).start()
    print("ready", flush=True)
    if "schedule" not in sys.argv:
        signal.pause()
    while True:
        time.sleep(SCHEDULE_SECONDS)
        _resume()


class _PatientClient:
    """A client of queues whose receivers wait longer: most of them find nothing, and ask the one queue server anew."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def receive_message(self, **arguments: Any) -> Any:
        """A message, or none after a while."""
        return self._client.receive_message(**{**arguments, "WaitTimeSeconds": POLL_SECONDS})


def _resume() -> None:
    try:
        sweeping.resume_unfinished(get_platform(), minimum_age_seconds=SCHEDULE_SECONDS, queues_lost=False)
    except PasselError as error:
        _log.warning("the schedule failed and comes again: %r", error)


if __name__ == "__main__":
    main()
