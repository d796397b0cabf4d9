"""docs/client.md does what it says: a public generator makes a client, and with it the README's story is played."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openapi.document import list_operations
from tests.e2e.local_run import ROOT, LocalRun
from tests.e2e.pages import FLAGS, read_blocks, read_session

PAGE = ROOT / "docs" / "client.md"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which a stack runs with its data where `make run` puts them."""
    place = tmp_path_factory.mktemp("client")
    stack = LocalRun(place / ".local", errors=place / "errors.txt")
    try:
        stack.await_ready()
        yield place
    finally:
        stack.end()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make client` makes, which fails at the first warning of the generator."""
    made = tmp_path_factory.mktemp("made") / "client"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "client", f"CLIENT={made}", f"PYTHON={sys.executable}", "READY="]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return made


def test_the_page_tells_the_command() -> None:
    assert [text for language, text in read_blocks(PAGE) if language == "bash"] == ["make client\n"]


def test_every_operation_is_a_function(client: Path) -> None:
    made = {path.stem for path in (client / "passel_client" / "api").glob("*/*.py") if path.stem != "__init__"}
    assert made == {operation.name for operation in list_operations()}


def test_the_story_of_the_page_runs(running: Path, client: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(running)
    monkeypatch.syspath_prepend(client)
    example = read_session(PAGE)
    told: list[str] = []
    try:
        results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=told.append, clear_globs=False)
    finally:
        for name in ("passel", "phone"):
            if name in example.globs:
                example.globs[name].get_httpx_client().close()
    assert results.failed == 0, "".join(told)
    assert results.attempted > 40
