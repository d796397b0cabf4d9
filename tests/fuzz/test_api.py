"""Every operation answers as it is described, takes what the description allows and refuses what it forbids.

A run of a minute; `make fuzz` looks for longer, and elsewhere each time.
"""

from __future__ import annotations

import logging

import pytest

from openapi.document import list_operations
from tests.fuzz.run import SHORT, run
from tests.fuzz.world import World
from tests.support.stack import Stack

SEED = 7

NEVER_TAKEN = {"POST /v1/google/callback", "POST /v1/google/callback/{project_id}"}
"""only Google can sign what these take"""


# the server runs in this process, and draws at random while requests are made up
@pytest.mark.filterwarnings("ignore:Do not use the .random. module:hypothesis.errors.HypothesisDeprecationWarning")
@pytest.mark.timeout(900)  # half a minute of processor time, on a machine that others may keep busy
def test_the_api_is_as_it_is_described(stack: Stack) -> None:
    world = World(stack)
    logging.getLogger("passel").setLevel(logging.WARNING)  # thousands of requests; the level is put back
    outcome = run(world, url=stack.url, seed=SEED, extent=SHORT)

    assert not outcome.errors
    assert not outcome.findings, "\n\n".join(str(each[0]) for each in outcome.kinds().values())
    described = {f"{operation.method} {operation.path}" for operation in list_operations()}
    assert outcome.tried == described
    assert described - outcome.succeeded == NEVER_TAKEN
