"""docs/tutorial.md does what it says: every command is run on a new stack, and every answer compared."""

from __future__ import annotations

import doctest
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.local_run import ROOT, LocalRun
from tests.e2e.pages import FLAGS, read_blocks, read_session

TUTORIAL = ROOT / "docs" / "tutorial.md"
SECONDS = 120

BETWEEN = "---- the next block ----"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a stack runs with its data where `make run` puts them."""
    place = tmp_path_factory.mktemp("tutorial")
    running = LocalRun(place / ".local", errors=place / "errors.txt")
    try:
        running.await_ready()
        yield place
    finally:
        running.stop()


def pair_commands() -> list[tuple[str, str]]:
    """Commands for the shell, each with what is expected of it; nothing is where nothing stands."""
    blocks = read_blocks(TUTORIAL)
    following = [*blocks[1:], ("", "")]
    return [
        (text, after if kind == "output" else "")
        for (language, text), (kind, after) in zip(blocks, following, strict=True)
        if language == "bash"
    ]


def test_every_block_is_of_a_kind_that_is_tried() -> None:
    kinds = [language for language, _ in read_blocks(TUTORIAL)]
    assert set(kinds) == {"console", "bash", "output", "pycon"}
    assert kinds.count("console") == 1  # the start of the stack
    assert kinds.count("output") == kinds.count("bash") - 1  # the first one prints nothing


def test_the_tutorial_runs(folder: Path) -> None:
    """The shell first, then Python, in one session each, as a reader would."""
    if shutil.which("bash") is None or shutil.which("curl") is None:
        pytest.skip("the tutorial needs bash and curl")
    commands = pair_commands()
    before = set(folder.iterdir())
    temporary = folder / "temporary"
    temporary.mkdir()
    script = f"\necho '{BETWEEN}'\n".join(text for text, _ in commands)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PASSEL_"))}
    environment["TMPDIR"] = str(temporary)
    ran = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    said = ran.stdout.split(f"{BETWEEN}\n")
    assert len(said) == len(commands), ran.stderr
    checker = doctest.OutputChecker()
    for (text, expected), output in zip(commands, said, strict=True):
        assert checker.check_output(expected, output, FLAGS), f"{text}\nexpected:\n{expected}\nsaid:\n{output}"
    assert (ran.returncode, ran.stderr) == (0, "")
    _run_python(folder)
    assert set(folder.iterdir()) == {*before, temporary}, "a reader's working tree stays clean"


def _run_python(folder: Path) -> None:
    example = read_session(TUTORIAL)
    told: list[str] = []
    before = Path.cwd()
    os.chdir(folder)
    try:
        results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=told.append, clear_globs=False)
    finally:
        os.chdir(before)
        if "passel" in example.globs:
            example.globs["passel"].close()
        example.globs.clear()
    assert results.failed == 0, "".join(told)
    assert results.attempted > 20
