"""Random histories over HTTP agree with the model after every step (`make model` for many).

`--hypothesis-seed=N` repeats a run, `MODEL_EXAMPLES=N` takes so many histories, of which `make test` has a few.
"""

from __future__ import annotations

import logging
import os
import secrets
from typing import cast

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from chalicelib import logs
from tests.model.machine import WholeSystem
from tests.support.google_wallet import run_google_wallet
from tests.support.profiles import WITHOUT_SHRINKING
from tests.support.stack import Stack

EXAMPLES, STEPS = 6, 25
SEED = 7
"""of the few"""


@pytest.mark.timeout(900)  # half a minute of processor time, on a machine that others may keep busy
def test_the_whole_system_behaves_like_the_model(stack: Stack, pytestconfig: pytest.Config) -> None:
    wanted = os.environ.get("MODEL_EXAMPLES")
    number = _seed(pytestconfig.getoption("hypothesis_seed"), is_long=wanted is not None)
    print(f"--hypothesis-seed={number}")
    stack.drain()
    with run_google_wallet(stack.url) as google:

        @seed(number)
        class Machine(WholeSystem):
            pass

        Machine.stack, Machine.google = stack, google
        logs.set_up()  # the first worker would, and set the level
        logging.getLogger("passel").setLevel(logging.WARNING)  # thousands of requests; the level is put back
        run_state_machine_as_test(
            cast(type[RuleBasedStateMachine], Machine),
            settings=settings(
                max_examples=int(wanted or EXAMPLES),
                stateful_step_count=STEPS,
                database=None,
                deadline=None,
                derandomize=False,
                phases=(*WITHOUT_SHRINKING, Phase.shrink) if os.environ.get("MODEL_SHRINK") else WITHOUT_SHRINKING,
                suppress_health_check=list(HealthCheck),
                print_blob=False,
            ),
        )


def _seed(given: str | None, *, is_long: bool) -> int:
    """The one that was given; else a new one for a long run, and the same as ever for a short one."""
    if given is not None and given != "random":
        return int(given)
    return secrets.randbelow(2**32) if is_long or given == "random" else SEED
