"""An import that dies anywhere, and the same command again: every line once, every reject once."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.cli import command
from chalicelib.commands.csv_files import RejectsFile
from chalicelib.commands.journal import Journal
from chalicelib.domain import issuing
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import make_template
from tests.support.faults import Call, Death, Fault, Killed, LostAnswer, Unreachable, inject, kill_at
from tests.support.stack import Stack, Tenant

ROOT = Path(__file__).resolve().parents[2]
LINES: list[list[object]] = [
    ["first", "gold", 0],
    ["", "gold;new", 1],
    ["", "", 2],
    ["", "x" * 300, "is refused"],
    ["first", "", "is the first line's"],
    ["", "gold", 3],
    ["second", "gold", 4],
]
CREATED, REJECTED = 5, 2


def write(path: Path, columns: Sequence[str], lines: Sequence[Sequence[object]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([columns, *lines])
    return path


def read_points(tenant: Tenant) -> list[int]:
    """What all passes of a small project show."""
    found = tenant.call("GET", "/v1/pass?pageSize=1000")
    passes = get_platform().passes.get_passes([int(each["id"]) for each in found["passes"]], consistent=True)
    assert found["count"] == len(passes)
    return sorted(int(pass_.content.fields["Points"].attributes["value"]) for pass_ in passes.values())


class Import:
    """One file for a project of its own."""

    columns: Sequence[str] = ("externalId", "tags", "Points")
    lines: Sequence[Sequence[object]] = LINES
    created, rejected = CREATED, REJECTED
    first_options: Sequence[str] = ("--batch", "3", "--workers", "2")
    second_options: Sequence[str] = ("--batch", "2")
    """batches that were begun stay as they were"""

    def __init__(self, tenant: Tenant, folder: Path) -> None:
        self.tenant = tenant
        self.file = write(folder / f"{tenant.project_id}.csv", self.columns, self.lines)
        template = make_template(tenant.project_id)
        self.arguments = ["passes", "import", str(tenant.project_id), str(template.template_id), str(self.file)]

    def run(self) -> None:
        """Dies if it is to."""
        CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [*self.arguments, *self.first_options])

    def dies_at(self, number: int) -> bool:
        """Whether it makes so many calls. It dies after the last."""
        with inject(kill_at(number, after=True)):
            try:
                self.run()
            except Killed:
                return True
        return False

    def finish(self) -> None:
        """The command again, to its end, and a look at what there is then."""
        arguments = [*self.arguments, *self.second_options, "--json"]
        result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, arguments)
        assert result.exit_code == int(self.rejected > 0), (result.output, result.exception)
        summary = json.loads(result.stdout)
        assert (summary["created"], summary["rejected"]) == (self.created, self.rejected)
        assert summary["lines"] == len(self.lines)
        assert read_points(self.tenant) == list(range(self.created))
        self.check()

    def check(self) -> None:
        """What else must be true."""
        with Path(f"{self.file}.rejects.csv").open(newline="") as stream:
            assert [row["Points"] for row in csv.DictReader(stream)] == ["is refused", "is the first line's"]
        assert self.tenant.call("GET", "/v1/tag/gold/passes")["count"] == 4


class ManyTags(Import):
    """One batch in several transactions, which are cut otherwise once some of its tags are known.

    So a transaction of a later try may hold passes that are made and passes that are not.
    """

    columns = ("tags", "Points")
    lines = tuple((";".join(f"{number}.{tag}" for tag in range(4)), number) for number in range(12))
    created, rejected = len(lines), 0
    first_options = second_options = ()

    def check(self) -> None:
        assert not Path(f"{self.file}.rejects.csv").exists()
        assert self.tenant.call("GET", "/v1/tag")["count"] == 48


@pytest.mark.parametrize("first", [1, 2])
def test_an_import_that_dies_at_any_call_makes_each_pass_once(
    stack: Stack, consistent: Consistent, tmp_path: Path, first: int
) -> None:
    """At every second call, from the first or from the second one."""
    scenes: list[Import] = []
    died = True
    while died:
        scenes.append(Import(stack.tenant(), tmp_path))
        died = scenes[-1].dies_at(first + 2 * len(scenes))
        if died:
            scenes[-1].finish()
    assert len(scenes) > 10, "the import makes few calls"
    for scene in scenes[::10]:  # whole tables are recounted
        consistent(scene.tenant.project_id)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("deadly", range(1, 7))
def test_an_import_that_dies_around_a_note_makes_each_pass_once(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deadly: int, after: bool
) -> None:
    """What is noted is noted before the passes of a batch are made, and after its rejects are written."""
    notes, save = 0, Journal._save

    def save_or_die(journal: Journal) -> None:
        nonlocal notes
        notes += 1
        if notes > deadly or (notes == deadly and not after):
            raise Killed
        save(journal)
        if notes == deadly:
            raise Killed

    scene = Import(stack.tenant(), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(Journal, "_save", save_or_die)
        with pytest.raises(Killed):
            scene.run()
    scene.finish()


def test_an_import_that_dies_once_its_rejects_are_written_writes_them_once(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = RejectsFile.append

    def append_and_die(rejects: RejectsFile, rejected: Any) -> int:
        append(rejects, rejected)
        raise Killed

    scene = Import(stack.tenant(), tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(RejectsFile, "append", append_and_die)
        with pytest.raises(Killed):
            scene.run()
    scene.finish()


def test_of_a_batch_that_was_made_in_part_the_rest_is_made(
    stack: Stack, tmp_path: Path, consistent: Consistent
) -> None:
    scene = ManyTags(stack.tenant(), tmp_path)

    def die_after_first_write(call: Call) -> Fault | None:
        return Death(after=True) if call.operation == "TransactWriteItems" else None

    with inject(die_after_first_write), pytest.raises(Killed):
        scene.run()
    assert 0 < len(read_points(scene.tenant)) < scene.created
    scene.finish()
    consistent(scene.tenant.project_id)


def test_of_a_batch_whose_answers_were_lost_in_part_the_rest_is_made(
    stack: Stack, tmp_path: Path, consistent: Consistent
) -> None:
    scene = ManyTags(stack.tenant(), tmp_path)
    faults: list[Fault] = [*[LostAnswer()] * 3, *[Unreachable()] * 3]  # a call is made three times

    def rule(call: Call) -> Fault | None:
        return faults.pop(0) if call.operation == "TransactWriteItems" and faults else None

    with inject(rule):
        scene.finish()
    assert faults == []
    consistent(scene.tenant.project_id)


def test_a_write_that_arrives_after_its_process_died_makes_no_pass_twice_and_hides_none(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, consistent: Consistent
) -> None:
    """The transaction of the dead process is written just after the next one has looked, and found nothing."""
    scene = ManyTags(stack.tenant(), tmp_path)
    late: list[Any] = []

    def die_with_first_write(call: Call) -> Fault | None:
        if call.operation == "TransactWriteItems":
            late.append(call.body)
            return Death(after=False)
        return None

    with inject(die_with_first_write), pytest.raises(Killed):
        scene.run()
    make = issuing.create_passes

    def arrive_first(*arguments: Any, **more: Any) -> Any:
        while late:
            stack.dynamodb.transact_write_items(**late.pop())
        return make(*arguments, **more)

    monkeypatch.setattr(issuing, "create_passes", arrive_first)
    scene.finish()
    consistent(scene.tenant.project_id)


def test_an_import_that_is_killed_goes_on_where_it_was(stack: Stack, tenant: Tenant, tmp_path: Path) -> None:
    """A process of its own and a real signal, without external ids."""
    total = 400
    file = write(tmp_path / "members.csv", ["Points"], [[number] for number in range(total)])
    template = make_template(tenant.project_id)
    arguments = ["passes", "import", str(tenant.project_id), str(template.template_id), str(file), "--batch", "20"]
    environment = {name: value for name, value in os.environ.items() if name != "PASSEL_LOCAL"}
    process = subprocess.Popen(
        [sys.executable, "-m", "chalicelib.cli", *arguments],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    progress = Path(f"{file}.progress")
    deadline = time.monotonic() + 60
    while not (progress.exists() and json.loads(progress.read_text())["position"]["row"] >= 40):
        assert process.poll() is None, "it came to its end"
        assert time.monotonic() < deadline, "nothing was noted"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = json.loads(progress.read_text())["position"]["row"]
    assert 40 <= before < total

    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["created"] == total
    assert read_points(tenant) == list(range(total))
