"""The bounded run of `make test`; `make chaos` does the same for longer."""

from __future__ import annotations

import subprocess
import sys

from tests.chaos.processes import ROOT

MOST_SECONDS = 600
"""it takes about 40 on an idle machine with two processors"""


def test_everything_holds_amid_faults_and_kills() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--short"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
