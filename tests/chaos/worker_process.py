"""A process that works for all queues, as functions of Lambda would, and may run the schedule; it may be killed.

Time is short here: a message that failed is visible again after a second, the schedule, which one of the workers has,
runs every 15 seconds rather than minutes, and a claim of a worker that died is given up after seconds.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time

from chalicelib import logs
from chalicelib.domain import delivering, sweeping
from chalicelib.domain.errors import PasselError
from chalicelib.wiring import get_platform
from chalicelib.workers.handlers import HANDLERS
from local.clients import create_client
from local.environment import PREFIX
from local.pump import Pump

SCHEDULE_SECONDS = 15.0
CLAIM_SECONDS = 8
THREADS = {"segment": 2, "push": 2, "sweep": 2}

_log = logging.getLogger("chaos")


def main() -> None:
    """Work, and say so."""
    logs.set_up()
    logs.write_json(sys.stderr)
    delivering.CLAIM_SECONDS = CLAIM_SECONDS
    client = create_client("sqs", endpoint_url=os.environ["AWS_ENDPOINT_URL_SQS"])
    Pump(client, PREFIX, HANDLERS, THREADS, backoff=lambda _: 1).start()
    print("ready", flush=True)
    if "schedule" not in sys.argv:
        signal.pause()
    while True:
        time.sleep(SCHEDULE_SECONDS)
        _resume()


def _resume() -> None:
    try:
        sweeping.resume_unfinished(get_platform(), minimum_age_seconds=SCHEDULE_SECONDS, queues_lost=False)
    except PasselError as error:
        _log.warning("the schedule failed and comes again: %r", error)


if __name__ == "__main__":
    main()
