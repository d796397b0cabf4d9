"""The bounded run of `make test`, with one seed; `make chaos` does the same for longer, and draws one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.chaos.processes import ROOT

SEED = 2026
MOST_SECONDS = 900
"""it takes about 40 on an idle machine with two processors"""


@pytest.mark.timeout(MOST_SECONDS + 60)
def test_everything_holds_amid_faults_and_kills() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short", f"--seed={SEED}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
