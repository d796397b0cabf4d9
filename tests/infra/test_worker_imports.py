"""What an entry module imports: a worker not the app, and neither of them what few requests need.

Lambda imports a worker by its own module and never sees `app.py`.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from infra.stages import PROJECT

MODULES = sorted(
    f"chalicelib.workers.{path.stem}"
    for path in (PROJECT / "chalicelib" / "workers").glob("*.py")
    if path.stem != "__init__"
)
HEAVY = (
    "PIL",
    "cryptography",
    "google.auth",
    "h2",
    "httpcore",
    "httpx",
    "jinja2",
    "python_multipart",
    "segno",
)
"""imported by the routes that use them, so that no other request waits for them in a cold start"""


def imported_by(module: str, names: tuple[str, ...]) -> list[str]:
    """Which of `names` are loaded once `module` is."""
    code = f"import sys, {module}; print(*(name for name in {names!r} if name in sys.modules))"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.split()


def test_there_are_workers() -> None:
    assert {"chalicelib.workers.bulk", "chalicelib.workers.sweep"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_worker_module_needs_no_app(module: str) -> None:
    assert imported_by(module, ("app",)) == []


@pytest.mark.parametrize("module", ["app", *MODULES])
def test_a_cold_start_loads_nothing_heavy(module: str) -> None:
    assert imported_by(module, HEAVY) == []


@pytest.mark.parametrize("module", HEAVY)
def test_what_must_not_be_loaded_is_spelt_as_python_spells_it(module: str) -> None:
    assert imported_by(module, (module,)) == [module]
