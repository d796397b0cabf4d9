"""Lambda imports a worker by its own module and never sees `app.py`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.package import PROJECT

MODULES = sorted(
    f"chalicelib.workers.{path.stem}"
    for path in (PROJECT / "chalicelib" / "workers").glob("*.py")
    if path.stem != "__init__"
)


def test_there_are_workers() -> None:
    assert {"chalicelib.workers.bulk", "chalicelib.workers.sweep"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_worker_module_needs_no_app(module: str) -> None:
    code = f"import sys, {module}; sys.exit('it imported app.py' if 'app' in sys.modules else 0)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
