"""What an operator reads of a check, and how one that was stopped goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chalicelib.commands.checks import check
from chalicelib.domain.checking import Kind
from chalicelib.domain.checking_kinds import KINDS
from chalicelib.store.checking_pass_stage import PassStage
from tests.support.checking_world import World, run_check


def test_text_names_place_and_outcome_and_says_what_to_do(world: World, tmp_path: Path) -> None:
    world.count(f"project-passes:{world.project_id}", installed=2)

    text = run_check(world, tmp_path, exit_code=1).stdout

    place = f"project {world.project_id}, project-passes:{world.project_id} segment {world.segment}"
    assert f"found: counter: {place}: installed: there are 1, the counter says 3\n" in text
    assert "Found: 1 counter.\n" in text
    assert "--repair mends" in text
    assert "Mended: 1 counter.\n" in run_check(world, tmp_path, "--repair").stdout
    assert "Nothing is damaged.\n" in run_check(world, tmp_path).stdout
    world.raw.forget()


def test_names_and_devices_are_not_shown(world: World, tmp_path: Path) -> None:
    device = str(world.registration()["device"])
    world.raw.delete("external-ids", **world.name(1))
    world.raw.change("registrations", world.registration(), template_segment="elsewhere")

    text = run_check(world, tmp_path, exit_code=1).output

    assert "name#1" not in text
    assert device not in text
    assert str(world.named[1].pass_id) in text


def test_kinds_are_explained_without_a_deployment() -> None:
    text = CliRunner().invoke(check, ["--kinds"]).stdout

    assert all(f"{kind}\n    {KINDS[kind].means}\n    mend: {KINDS[kind].mend}\n" in text for kind in Kind)


def test_a_check_that_is_stopped_says_how_it_goes_on(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        result = run_check(world, tmp_path, exit_code=130)
    assert f"Stopped. The same command goes on from {tmp_path / 'state.json'}.\n" in result.stderr

    other = run_check(world, tmp_path, "--repair", exit_code=2)
    assert "give the same options, another --state, or --fresh" in " ".join(other.stderr.split())
    again = run_check(world, tmp_path)
    assert "Going on with the check of 2" in again.stderr
    assert "Nothing is damaged." in again.stdout
    assert "Going on" not in run_check(world, tmp_path, "--repair").stderr


def test_what_was_found_before_a_stop_counts_at_the_end(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.raw.delete("tags", **world.tag_row("gold", by="name"))

    def stop(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        result = run_check(world, tmp_path, exit_code=1)
    assert isinstance(result.exception, RuntimeError)
    world.raw.put_back()

    again = run_check(world, tmp_path, exit_code=1)

    assert "Found: 1 tag-rows." in again.stdout
    assert "What was written since" in again.stderr


def _change_state(state_file: Path, **values: Any) -> None:
    state_file.write_text(json.dumps({**json.loads(state_file.read_text()), **values}))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"saved_at": "2020-01-01T00:00:00+00:00"}, "was stopped at 2020-01-01 00:00 UTC"),
        ({"table": "another"}, "is of a check with table another"),
        ({"progress": {}}, "is not the state of a check"),
        ({"format": 1}, "is not the state of a check of this version"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], said: str
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PassStage, "_screen", stop)
        run_check(world, tmp_path, exit_code=130)
    _change_state(tmp_path / "state.json", **values)

    refused = run_check(world, tmp_path, exit_code=2)

    assert said in " ".join(refused.stderr.split())
    assert "--fresh" in refused.stderr
    run_check(world, tmp_path, "--fresh")


def test_a_state_that_cannot_be_written_is_refused_before_anything_is_read(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "nowhere", tmp_path / "file"):
        result = run_check(world, tmp_path, "--state", folder / "state.json", exit_code=2)
        assert "cannot be" in result.stderr
        assert result.stdout == ""


def test_a_state_that_cannot_be_written_any_more_is_told_in_a_line(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fill)

    result = run_check(world, tmp_path, exit_code=1)

    assert f"Error: {tmp_path / 'state.json'} cannot be written: No space left on device\n" in result.stderr


def test_an_unknown_project_is_refused(world: World, tmp_path: Path) -> None:
    result = run_check(world, tmp_path, "--project", 987654321, exit_code=1)

    assert "project 987654321 was not found" in result.stderr
