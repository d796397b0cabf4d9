"""A process that stands before storage and queues, and plays their faults.

It prints the two addresses as JSON, then obeys one command a line: `on`, or `off`, which is answered with what was
played, as JSON, once nothing is under way any more.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, replace
from random import Random

from tests.chaos.faults import QUEUE_FAULTS, TABLE_FAULTS, Rule, Weather
from tests.support.aws_proxy import run_proxy

QUEUE_FACTOR = 4
"""calls of queues fail so much more often: there are far fewer of them"""

_QUIET_SECONDS = 15.0


def main() -> None:
    """Serve until the other end of standard input is closed."""
    options = json.loads(sys.argv[1])
    weather = Weather(**{**options["weather"], "storm_seconds": tuple(options["weather"]["storm_seconds"])})
    rules = [
        Rule(TABLE_FAULTS, weather=weather, random=Random(f"{options['seed']} tables")),
        Rule(
            QUEUE_FAULTS,
            weather=replace(weather, chance=QUEUE_FACTOR * weather.chance),
            random=Random(f"{options['seed']} queues"),
        ),
    ]
    with run_proxy(options["dynamodb"], rules[0]) as tables, run_proxy(options["sqs"], rules[1]) as queues:
        print(json.dumps({"dynamodb": tables.url, "sqs": queues.url}), flush=True)
        for line in sys.stdin:
            for rule in rules:
                rule.is_on = line.strip() == "on"
            if not rules[0].is_on:
                _await_quiet(rules[0])
                print(json.dumps({fault: times for rule in rules for fault, times in rule.counts.items()}), flush=True)


def _await_quiet(rule: Rule) -> None:
    deadline = time.monotonic() + _QUIET_SECONDS
    while rule.under_way and time.monotonic() < deadline:
        time.sleep(0.01)


def describe(weather: Weather, *, seed: int, dynamodb: str, sqs: str) -> str:
    """The argument of this process."""
    return json.dumps({"weather": asdict(weather), "seed": seed, "dynamodb": dynamodb, "sqs": sqs})


if __name__ == "__main__":
    main()
