"""How commands end: interrupted, without a terminal, and where what they print cannot be written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from chalicelib.commands import asking
from chalicelib.commands.asking import UnseenOption
from chalicelib.commands.running import Root

ROOT = Path(__file__).resolve().parents[3]


@click.group(cls=Root)
def command() -> None:
    """Some commands."""


@command.group()
def part() -> None:
    """Others."""


@part.command(cls=click.Command)
def interrupted() -> None:
    """Meets Ctrl-C."""
    raise KeyboardInterrupt


@command.command(cls=click.Command)
@click.option("--secret", cls=UnseenOption)
def ask(*, secret: str | None) -> None:
    """Takes a secret."""
    click.echo(f"{len(secret or '')} characters")


def in_shell(line: str) -> subprocess.CompletedProcess[str]:
    """A command that needs no deployment, with whatever the shell does to its output."""
    program = f"{sys.executable} -m chalicelib.cli cost --size small {line}"
    return subprocess.run(["/bin/sh", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_ctrl_c_is_130_in_every_command() -> None:
    result = CliRunner().invoke(command, ["part", "interrupted"])

    assert (result.exit_code, result.stderr) == (130, "\nStopped.\n")


def test_ctrl_c_at_a_question_is_130_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object, **__: object) -> str:
        raise click.Abort from None

    def interrupt(*_: object, **__: object) -> str:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            return press()

    monkeypatch.setattr(asking, "ask_unseen", interrupt)
    result = CliRunner().invoke(command, ["ask", "--secret"])

    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def test_without_a_terminal_a_secret_is_read_from_the_input() -> None:
    result = CliRunner().invoke(command, ["ask", "--secret"], input="four\n")

    assert (result.exit_code, result.output) == (0, "4 characters\n")


def test_without_a_terminal_and_an_input_one_line_says_what_is_needed() -> None:
    result = CliRunner().invoke(command, ["ask", "--secret"])

    problem = "there is no terminal to ask for the secret; give --secret a value, or pipe it in"
    assert (result.exit_code, result.output) == (1, f"Error: {problem}\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    result = in_shell("> /dev/full")

    assert result.returncode == 1
    assert result.stderr == "Error: what is printed cannot be written: No space left on device\n"


def test_a_closed_output_is_one_line() -> None:
    result = in_shell(">&-")

    assert result.returncode == 1
    assert result.stderr == "Error: standard output is closed; send it to /dev/null if nobody is to read it\n"
