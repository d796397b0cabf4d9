"""What `make` says of a Python that it cannot use, before it makes an environment with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.stages import PROJECT, RUNTIMES


def run_make(goal: str, interpreter: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs a goal with an interpreter that is a shell script, and with an environment that is not there."""
    interpreter.write_text(f"#!/bin/sh\n{script}\n")
    interpreter.chmod(0o755)
    command = ["make", "--no-print-directory", goal, f"PYTHON3={interpreter}", f"VENV={interpreter.parent / 'none'}"]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)


def pretend(major: int, minor: int) -> str:
    """An interpreter that judges as another version would, and makes no environment."""
    version = f"({major}, {minor}, 1)"
    setting = f"import sys; sys.version_info = {version}; exec(sys.argv[2])"
    return f'[ "$1" = -m ] && {{ echo made; exit 1; }}; exec {sys.executable} -c "{setting}" "$@"'


def test_an_interpreter_that_does_not_start_says_why_itself(tmp_path: Path) -> None:
    result = run_make("package", tmp_path / "python3.13", "echo pyenv: python3.13: command not found >&2; exit 127")
    said = result.stderr.splitlines()
    assert said[0] == "pyenv: python3.13: command not found"
    assert said[1].startswith(f"{tmp_path / 'python3.13'} does not start; name another with PYTHON3=")
    assert "needs Python" not in result.stderr


@pytest.mark.parametrize("goal", ["package", "deploy"])
def test_what_cannot_package_is_refused_before_its_environment_is_made(goal: str, tmp_path: Path) -> None:
    result = run_make(goal, tmp_path / "python", pretend(3, 12))
    assert result.stderr.startswith("Passel is packaged with Python 3.11 or 3.13; name one with PYTHON3=")
    assert "made" not in result.stdout


@pytest.mark.parametrize("version", RUNTIMES)
def test_what_may_package_may_make_its_environment(version: tuple[int, int], tmp_path: Path) -> None:
    assert "made" in run_make("package", tmp_path / "python", pretend(*version)).stdout


def test_other_commands_take_versions_between(tmp_path: Path) -> None:
    assert "made" in run_make("style", tmp_path / "python", pretend(3, 12)).stdout


def test_a_python_that_is_too_old_is_named(tmp_path: Path) -> None:
    result = run_make("style", tmp_path / "python", pretend(3, 10))
    assert result.stderr.startswith("Passel needs Python 3.11 or later; name one with PYTHON3=")
