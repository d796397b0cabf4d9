"""The fast loader's file is what requests would have stored: it adds up, and lists show what was loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from benchmarks.loaded_file import main, remove_abandoned
from local.clients import create_client
from local.engine import Engine, find_or_install, start_dynoxide
from local.environment import PREFIX, build_environment
from tests.e2e.local_run import ROOT
from tests.support.recount import recount

PASSES, TAGS, OTHERS = 2300, 2, 400
NOWHERE = "http://127.0.0.1:9"
DEADLINE_SECONDS = 600


def load(folder: Path) -> dict[str, Any]:
    """Runs the loader, and gives what it printed."""
    command = [sys.executable, "-m", "benchmarks.loaded_file", f"{PASSES}x{TAGS}", f"{OTHERS}x1"]
    command += ["--folder", str(folder)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert ran.returncode == 0, ran.stderr
    document: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return document


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if find_or_install() is None:
        pytest.skip("no dynoxide for this machine")
    return load(tmp_path_factory.mktemp("loaded"))


@pytest.fixture(scope="module")
def engine(loaded: dict[str, Any]) -> Iterator[Engine]:
    binary = find_or_install()
    assert binary is not None
    running = start_dynoxide(binary, Path(loaded["database"]))
    yield running
    running.stop()


def test_everything_adds_up(loaded: dict[str, Any], engine: Engine) -> None:
    with closing(create_client("dynamodb", endpoint_url=engine.url)) as client:
        assert [recount(client, project_id) for project_id in loaded["projects"]] == [[], []]


def test_all_passes_are_there_with_mixed_statuses(engine: Engine) -> None:
    with closing(create_client("dynamodb", endpoint_url=engine.url)) as client:
        pages = client.get_paginator("scan").paginate(TableName=f"{PREFIX}passes")
        statuses = Counter(item["status"]["S"] for page in pages for item in page["Items"])

    assert statuses.total() == PASSES + OTHERS
    assert statuses.keys() == {"installed", "uninstalled", "not_been_installed"}


def test_the_check_finds_nothing(loaded: dict[str, Any], engine: Engine, tmp_path: Path) -> None:
    environment = os.environ | build_environment(dynamodb_url=engine.url, sqs_url=NOWHERE)
    command = [sys.executable, "-m", "chalicelib.cli", "check", "--rate", "1000000", "--patience", "0"]
    command += ["--state", str(tmp_path / "state.json")]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Nothing is damaged." in ran.stdout


def test_the_plain_table_has_the_passes_of_single_tags(loaded: dict[str, Any], engine: Engine) -> None:
    with closing(create_client("dynamodb", endpoint_url=engine.url)) as client:
        counted = client.scan(TableName=f"{PREFIX}bench-plain", Select="COUNT")

    assert counted["Count"] == OTHERS


def test_a_second_run_takes_the_file_as_it_is(loaded: dict[str, Any]) -> None:
    database = Path(loaded["database"])
    before = database.stat().st_ino

    again = load(database.parent)

    assert again["database"] == loaded["database"]
    assert database.stat().st_ino == before


def test_a_file_without_its_facts_is_not_taken_for_whole(tmp_path: Path) -> None:
    if find_or_install() is None:
        pytest.skip("no dynoxide for this machine")
    command = [sys.executable, "-m", "benchmarks.loaded_file", "10x1", "--folder", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=DEADLINE_SECONDS, check=True)
    (database,) = tmp_path.glob("*.db")
    database.with_suffix(".json").unlink()
    database.write_bytes(b"half of it")

    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=DEADLINE_SECONDS, check=True)

    assert database.stat().st_size > 1000


@pytest.mark.parametrize("wish", ["axb", "20000x2x3", "-5x1", "0x1", "1500x0", "10x51", ""])
def test_a_wish_that_makes_no_sense_is_refused_with_words(wish: str, tmp_path: Path) -> None:
    refused = CliRunner().invoke(main, ["--folder", str(tmp_path), "--", wish])
    assert refused.exit_code == 2
    assert "such as 20000x3" in refused.output
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left, own = tmp_path / f"process-{int(ended.stdout)}-x", tmp_path / f"process-{os.getpid()}-x"
    for folder in (left, own):
        folder.mkdir()
        (folder / "bench.db").write_text("half of it")
    remove_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == [own]
