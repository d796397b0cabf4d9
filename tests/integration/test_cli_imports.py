"""`passes import` and `tags import` on the embedded stack: what becomes of each line, and what people are told."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib import import_operations, operations
from chalicelib.cli import command
from chalicelib.domain import issuing
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.issuing import PassNumbers
from tests.integration.conftest import Consistent
from tests.support.builders import make_template
from tests.support.faults import Call, Fault, LostAnswer, Refusal, Unreachable, inject
from tests.support.stack import Stack, Tenant

ROOT = Path(__file__).resolve().parents[2]
CONTENT = Content(
    fields={
        "Points": Entry({"fieldType": "primary", "label": "Points", "value": 0}),
        "Name": Entry({"fieldType": "back", "label": "Name", "value": ""}),
    },
    headers={"logo_text": Entry({"fieldType": "topLevel", "formatType": 1, "value": "Club"})},
)


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [str(each) for each in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def run_json(*arguments: object, exit_code: int = 0) -> Any:
    return json.loads(run(*arguments, "--json", exit_code=exit_code).stdout)


def write(path: Path, *lines: Sequence[object]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)
    return path


def read_rejects(path: Path) -> list[dict[str, str]]:
    with path.with_name(path.name + ".rejects.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def list_passes(tenant: Tenant, path: str = "/v1/pass") -> list[dict[str, Any]]:
    """All passes of a small list, oldest first."""
    found = tenant.call("GET", f"{path}?pageSize=1000&direction=ASC")
    assert found["count"] == len(found["passes"])
    return list(found["passes"])


def read_pass(tenant: Tenant, external_id: str) -> dict[str, Any]:
    found: dict[str, Any] = tenant.call("GET", f"/v1/pass/id/{external_id}")
    return found


@pytest.fixture
def template_id(tenant: Tenant) -> int:
    return make_template(tenant.project_id, external_id="card", content=CONTENT).template_id


# Passes


def test_each_line_becomes_a_pass_with_its_content_and_tags(
    tenant: Tenant, template_id: int, tmp_path: Path, consistent: Consistent
) -> None:
    file = write(
        tmp_path / "members.csv",
        ["externalId", "tags", "Points", "field:Name", "logo_text", "field.label:Points", "publicUrl", "locations"],
        ["m1", "gold;VIP", 120, "Ann", "", "Score", "multiple", '[{"latitude": 1.5, "longitude": 2}]'],
        ["m2", "", "", 'Bo "the" Ü, jr.', "Other", "", "", ""],
    )
    text = run("passes", "import", tenant.project_id, template_id, file).stdout

    assert text == "2 lines of members.csv: 2 created, 0 updated, 0 unchanged, 0 rejected.\n"
    first, second = read_pass(tenant, "m1"), read_pass(tenant, "m2")
    assert first["tags"] == ["gold", "VIP"]
    assert first["fields"]["Points"] == {"fieldType": "primary", "label": "Score", "value": 120}
    assert first["fields"]["Name"]["value"] == "Ann"
    assert first["headers"]["logo_text"]["value"] == "Club"
    assert first["publicUrl"]["type"] == "Multiple"
    assert first["locations"][0]["latitude"] == 1.5
    assert second["fields"]["Points"] == {"fieldType": "primary", "label": "Points", "value": 0}
    assert second["fields"]["Name"]["value"] == 'Bo "the" Ü, jr.'
    assert second["headers"]["logo_text"]["value"] == "Other"
    assert not (tmp_path / "members.csv.rejects.csv").exists()
    consistent(tenant.project_id)


def test_a_template_is_named_by_its_external_id_as_well(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Name"], ["Ann"])
    run("passes", "import", tenant.project_id, "id/card", file)

    assert [each["templateId"] for each in list_passes(tenant)] == [str(template_id)]
    assert (
        "an external id is written id/card"
        in run("passes", "import", tenant.project_id, "card", file, exit_code=1).stderr
    )


def test_passes_come_in_the_order_of_the_file(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["externalId"], *([f"m{number}"] for number in range(40)))
    run("passes", "import", tenant.project_id, template_id, file, "--batch", 50)

    assert [each["externalId"] for each in list_passes(tenant)] == [f"m{number}" for number in range(40)]


def test_a_line_that_is_refused_stops_no_other_and_can_be_corrected(
    tenant: Tenant, template_id: int, tmp_path: Path, consistent: Consistent
) -> None:
    file = tmp_path / "members.csv"
    columns = ["externalId", "tags", "Name", "expirationDate", "header.label:expirationDate", "locations"]
    write(
        file,
        columns,
        ["good", "gold", "Ann", "", "", ""],
        ["many", ";".join(f"t{number}" for number in range(16)), "", "", "", ""],
        ["tag", "x" * 256, "", "", "", ""],
        ["x" * 256, "", "", "", "", ""],
        ["long", "", "x" * 8193, "", "", ""],
        ["past", "", "", "2001-01-01", "valid", ""],
        ["place", "", "", "", "", '[{"latitude": 91, "longitude": 0}]'],
        ["json", "", "", "", "", "["],
        ["short"],
        ["last", "gold", "", "2099-01-01", "valid", ""],
    )
    with file.open("ab") as stream:
        stream.write(b"latin,,J\xfcrgen,,,\n")
    result = run("passes", "import", tenant.project_id, template_id, file, exit_code=1)

    assert result.stdout == (
        "11 lines of members.csv: 2 created, 0 updated, 0 unchanged, 9 rejected.\n"
        f"What was rejected is in {file}.rejects.csv, with the reasons; correct and import that file.\n"
    )
    assert [each["externalId"] for each in list_passes(tenant)] == ["good", "last"]
    with file.with_name("members.csv.rejects.csv").open(encoding="utf-8", errors="surrogateescape") as stream:
        rejects = list(csv.DictReader(stream))
    assert [(each["externalId"][:5], each["error"]) for each in rejects] == [
        ("many", "tags: a pass has at most 15 tags"),
        ("tag", "tags[0]: a tag has at most 255 characters, this one has 256"),
        ("xxxxx", "externalId: an external id has 1 to 255 characters, this one has 256"),
        ("long", "fields.Name.value: has 8193 characters, the limit is 8192"),
        ("past", "headers.expirationDate.value: a valid pass must expire in the future"),
        ("place", "locations[0].latitude: Input should be less than or equal to 90"),
        ("json", "locations: '[' is no JSON"),
        ("short", "has 1 cell, the first line has 6"),
        ("latin", "is not UTF-8"),
    ]
    consistent(tenant.project_id)

    corrected = write(tmp_path / "again.csv", [*columns, "error"], ["many", "gold", "", "", "", "", "was too many"])
    run("passes", "import", tenant.project_id, template_id, corrected)
    assert [each["externalId"] for each in list_passes(tenant)] == ["good", "last", "many"]


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_of_lines_with_the_same_external_id_the_first_counts(
    tenant: Tenant, template_id: int, tmp_path: Path, batch: int
) -> None:
    ids = ["a", "b", "a", "c", "b", "a"]
    file = write(tmp_path / "x.csv", ["externalId", "Points"], *([each, number] for number, each in enumerate(ids)))
    result = run_json("passes", "import", tenant.project_id, template_id, file, "--batch", batch, exit_code=1)

    assert (result["created"], result["rejected"]) == (3, 3)
    assert [read_pass(tenant, each)["fields"]["Points"]["value"] for each in "abc"] == [0, 1, 3]
    assert [(each["externalId"], each["Points"]) for each in read_rejects(file)] == [("a", "2"), ("b", "4"), ("a", "5")]
    assert "is another line's" in read_rejects(file)[0]["error"]


def test_unknown_columns_are_refused_before_anything_is_done(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Pionts"], [1])

    refused = run("passes", "import", tenant.project_id, template_id, file, exit_code=1)
    assert "the template has no 'Pionts'; its fields are Points, Name" in refused.stderr
    assert list_passes(tenant) == []
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    run("passes", "import", tenant.project_id, template_id, file, "--new-fields")
    (made,) = list_passes(tenant)
    shown = tenant.call("GET", f"/v1/pass/{made['id']}")["fields"]["Pionts"]
    assert shown == {"fieldType": "notAssigned", "value": "1"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("987654321", "1"), "project 987654321 was not found"),
        (("{project}", "987654321"), "template 987654321 was not found"),
        (("{project}", "id/none"), "template with external id none was not found"),
    ],
)
def test_what_is_not_there_is_one_line(tenant: Tenant, tmp_path: Path, arguments: Sequence[str], problem: str) -> None:
    file = write(tmp_path / "x.csv", ["Name"], ["Ann"])
    named = [each.format(project=tenant.project_id) for each in arguments]

    assert run("passes", "import", *named, file, exit_code=1).stderr == f"Error: {problem}\n"


# Passes that are there


def import_again(tenant: Tenant, template_id: int, folder: Path, *options: object, exit_code: int = 0) -> Any:
    """Three passes, then a file that names two of them and a new one."""
    first = write(folder / "first.csv", ["externalId", "tags", "Points"], ["a", "x", 1], ["b", "", 2], ["c", "", 3])
    run("passes", "import", tenant.project_id, template_id, first)
    second = write(
        folder / "second.csv",
        ["externalId", "tags", "Points", "Name"],
        ["a", "x;y", 10, ""],
        ["b", "", 2, ""],
        ["d", "", 4, ""],
    )
    return run_json("passes", "import", tenant.project_id, template_id, second, *options, exit_code=exit_code)


def points(tenant: Tenant) -> dict[str, Any]:
    return {
        each["externalId"]: read_pass(tenant, each["externalId"])["fields"]["Points"]["value"]
        for each in list_passes(tenant)
    }


def test_passes_that_are_there_are_left_alone(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    result = import_again(tenant, template_id, tmp_path)

    assert (result["created"], result["updated"], result["unchanged"], result["rejected"]) == (1, 0, 2, 0)
    assert points(tenant) == {"a": 1, "b": 2, "c": 3, "d": 4}


def test_passes_that_are_there_are_rejected(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    result = import_again(tenant, template_id, tmp_path, "--existing", "reject", exit_code=1)

    assert (result["created"], result["rejected"]) == (1, 2)
    assert result["rejects"] == str(tmp_path / "second.csv.rejects.csv")
    assert read_rejects(tmp_path / "second.csv")[0]["error"] == "externalId: 'a' is already in use in this template"


def test_passes_that_are_there_are_updated_where_they_differ(
    stack: Stack, tenant: Tenant, template_id: int, tmp_path: Path, consistent: Consistent
) -> None:
    result = import_again(tenant, template_id, tmp_path, "--existing", "update")

    assert (result["created"], result["updated"], result["unchanged"]) == (1, 1, 1)
    assert points(tenant) == {"a": 10, "b": 2, "c": 3, "d": 4}
    assert read_pass(tenant, "a")["tags"] == ["x", "y"]
    stack.drain()
    consistent(tenant.project_id)


def test_an_update_that_is_refused_is_rejected(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    import_again(tenant, template_id, tmp_path)
    tags = ";".join(f"t{number}" for number in range(15))
    third = write(tmp_path / "third.csv", ["externalId", "tags", "Points"], ["a", tags, 1], ["b", "z", 7])
    result = run_json("passes", "import", tenant.project_id, template_id, third, "--existing", "update", exit_code=1)

    assert (result["updated"], result["rejected"]) == (1, 1)
    assert "a pass has at most 15 tags" in read_rejects(third)[0]["error"]


@pytest.mark.parametrize("kind", ["passes", "tags"])
def test_what_went_to_other_data_is_not_gone_on_with(
    tenant: Tenant, template_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Another stack has projects and templates of the same numbers, under the same prefix in the same region."""
    file = write(tmp_path / "x.csv", ["externalId", "tags"], ["a", "gold"])
    run("passes", "import", tenant.project_id, template_id, file)
    command_line = [kind, "import", tenant.project_id, *([template_id] if kind == "passes" else []), file]
    if kind == "tags":
        run(*command_line, "--restart")
    assert "was imported" in run(*command_line, exit_code=1).stderr
    find = operations.get_project_or_raise
    elsewhere = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    monkeypatch.setattr(
        operations,
        "get_project_or_raise",
        lambda *, project_id: replace(find(project_id=project_id), created_at=elsewhere),
    )

    assert "it went to other data than is there now" in run(*command_line, exit_code=1).stderr


def test_a_template_of_the_same_number_is_another_one(
    tenant: Tenant, template_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "x.csv", ["externalId"], ["a"])
    run("passes", "import", tenant.project_id, template_id, file)
    find = operations.get_named_template_or_raise
    monkeypatch.setattr(
        operations, "get_named_template_or_raise", lambda **named: replace(find(**named), campaign_id="another")
    )

    assert "it went to other data" in run("passes", "import", tenant.project_id, template_id, file, exit_code=1).stderr


def test_one_line_is_told_as_one(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["externalId"], ["a"])
    assert run("passes", "import", tenant.project_id, template_id, file).stdout.startswith("1 line of x.csv: ")


def test_the_same_external_id_in_another_template_is_another_pass(tenant: Tenant, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["externalId"], ["a"])
    for name in ("one", "two"):
        template = make_template(tenant.project_id, external_id=name, content=CONTENT)
        run("passes", "import", tenant.project_id, template.template_id, file, "--restart")

    assert len(list_passes(tenant)) == 2


# Storage that is busy


def test_what_storage_refuses_for_now_is_tried_again_and_never_rejected(
    tenant: Tenant, template_id: int, tmp_path: Path, consistent: Consistent
) -> None:
    file = write(tmp_path / "x.csv", ["Points"], *([number] for number in range(20)))
    refused: dict[str, int] = {}

    def rule(call: Call) -> Fault | None:
        """Each kind of call fails a few times once project and template are found, writes after they took effect."""
        count = refused[call.operation] = refused.get(call.operation, 0) + 1
        if call.operation == "TransactWriteItems":
            return LostAnswer() if count <= 6 else None
        return Refusal("ThrottlingException") if 3 < count <= 9 else None

    with inject(rule) as injection:
        result = run_json("passes", "import", tenant.project_id, template_id, file, "--batch", 5)

    assert injection.faults > 12
    assert result["created"] == 20
    assert sorted(
        tenant.call("GET", f"/v1/pass/{each['id']}")["fields"]["Points"]["value"] for each in list_passes(tenant)
    ) == list(range(20))
    consistent(tenant.project_id)


def test_an_import_that_loses_patience_stops_and_goes_on_later(
    tenant: Tenant, template_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_operations, "PATIENCE_SECONDS", 0.2)
    file = write(tmp_path / "x.csv", ["Points"], *([number] for number in range(20)))
    arguments = ("passes", "import", tenant.project_id, template_id, file, "--batch", 5)

    def rule(call: Call) -> Fault | None:
        return Unreachable() if call.operation == "TransactWriteItems" and call.number > 8 else None

    with inject(rule):
        stopped = run(*arguments, exit_code=1)
    told, error = stopped.stderr.splitlines()
    assert told.endswith("of 20 lines of x.csv are done. The same command goes on from there.")
    assert error == "Error: storage cannot be reached" or error.startswith("Error: storage cannot be reached: ")
    assert run_json(*arguments)["created"] == 20
    assert len(list_passes(tenant)) == 20


def test_what_storage_refuses_for_good_stops_the_import(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Points"], *([number] for number in range(4)))
    arguments = ("passes", "import", tenant.project_id, template_id, file)

    def rule(call: Call) -> Fault | None:
        return Refusal("AccessDeniedException") if call.operation == "TransactWriteItems" else None

    with inject(rule):
        refused = run(*arguments, exit_code=1)
    assert "Stopped: 0 of 4 lines of x.csv are done." in refused.stderr
    assert "(AccessDeniedException)" in refused.stderr
    assert not (tmp_path / "x.csv.rejects.csv").exists()
    assert run_json(*arguments)["created"] == 4


def test_a_template_that_is_deleted_meanwhile_stops_the_import(
    tenant: Tenant, template_id: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "x.csv", ["Points"], *([number] for number in range(4)))
    take_pass_numbers = issuing.take_pass_numbers

    def delete_first(*arguments: Any, **more: Any) -> PassNumbers:
        tenant.call("DELETE", f"/v1/template/{template_id}")
        return take_pass_numbers(*arguments, **more)

    monkeypatch.setattr(issuing, "take_pass_numbers", delete_first)
    stopped = run("passes", "import", tenant.project_id, template_id, file, exit_code=1)

    assert f"Error: template {template_id} was not found" in stopped.stderr
    assert not (tmp_path / "x.csv.rejects.csv").exists()
    assert list_passes(tenant) == []


# The file and what stands beside it


def test_a_file_is_imported_once_unless_it_is_meant(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Points"], [1])
    arguments = ("passes", "import", tenant.project_id, template_id, file)
    run(*arguments)

    assert "--restart imports it once more" in run(*arguments, exit_code=1).stderr
    assert len(list_passes(tenant)) == 1
    run(*arguments, "--restart")
    assert len(list_passes(tenant)) == 2


def test_a_file_that_changed_is_another_file(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Points"], [1])
    arguments = ("passes", "import", tenant.project_id, template_id, file)
    run(*arguments)
    write(file, ["Points"], [1], [2])

    assert "does not fit: the file has changed since" in run(*arguments, exit_code=1).stderr
    os.utime(write(file, ["Points"], [1]))
    assert "--restart imports it once more" in run(*arguments, exit_code=1).stderr


def test_rejects_of_another_import_are_not_written_over(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Points"], [1])
    rejects = tmp_path / "x.csv.rejects.csv"
    rejects.write_text("precious")
    arguments = ("passes", "import", tenant.project_id, template_id, file)

    assert "is there from another import" in run(*arguments, exit_code=1).stderr
    assert rejects.read_text() == "precious"
    run(*arguments, "--restart")
    assert not rejects.exists()


def test_a_file_is_imported_by_one_process_at_a_time(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    file = write(tmp_path / "x.csv", ["Points"], [1])
    with file.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = run("passes", "import", tenant.project_id, template_id, file, exit_code=1)
    assert "is being imported by another process" in refused.stderr
    run("passes", "import", tenant.project_id, template_id, file)


@pytest.mark.parametrize(
    ("content", "problem"),
    [("", "is empty"), ('Points\n"1', "line 2: unexpected end of data"), ("Points\n" + "\x00", "")],
)
def test_a_file_that_cannot_be_read_is_one_line(
    tenant: Tenant, template_id: int, tmp_path: Path, content: str, problem: str
) -> None:
    file = tmp_path / "x.csv"
    file.write_text(content)
    result = run("passes", "import", tenant.project_id, template_id, file, exit_code=1 if problem else 0)
    assert problem in result.stderr
    assert result.stderr.count("\n") == (1 if problem else 0)


def test_a_delimiter_is_one_character(tenant: Tenant, tmp_path: Path) -> None:
    file = write(tmp_path / "x.csv", ["Points"], [1])
    assert "--delimiter" in run("passes", "import", 1, 1, file, "--delimiter", ";;", exit_code=2).stderr


def test_a_terminal_shows_how_far_it_is(tenant: Tenant, template_id: int, tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    file = write(tmp_path / "x.csv", ["externalId", "Points"], *([f"m{number % 90}", number] for number in range(100)))
    command_line = ["passes", "import", str(tenant.project_id), str(template_id), str(file), "--batch", "10"]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "chalicelib.cli", *command_line],
        cwd=ROOT,
        env=environment({"TERM": "xterm", "COLUMNS": "160"}),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = read_terminal(ours)
    out, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert out.startswith("100 lines of x.csv: 90 created, 0 updated, 0 unchanged, 10 rejected.")
    assert "100/100" in shown
    assert "lines/s, 10 rejected" in shown


def environment(more: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name != "PASSEL_LOCAL"}
    return {**inherited, "PYTHONPATH": str(ROOT), **more}


def read_terminal(handle: int) -> str:
    """All that is written to the other end of a terminal until it is closed."""
    parts = []
    try:
        while part := os.read(handle, 65536):
            parts.append(part)
    except OSError:  # how Linux says that nobody has the other end any more
        pass
    finally:
        os.close(handle)
    return b"".join(parts).decode()


# Tags


def tags_of(tenant: Tenant) -> dict[str, list[str]]:
    return {each["externalId"]: each["tags"] for each in list_passes(tenant)}


@pytest.fixture
def members(tenant: Tenant, template_id: int, tmp_path: Path) -> Path:
    """A folder; and passes a (x), b, c."""
    file = write(tmp_path / "members.csv", ["externalId", "tags"], ["a", "x"], ["b", ""], ["c", ""])
    run("passes", "import", tenant.project_id, template_id, file)
    return tmp_path


@pytest.mark.parametrize("batch", [1, 100])
def test_tags_are_put_on_and_taken_off_in_the_order_of_the_file(
    tenant: Tenant, members: Path, batch: int, consistent: Consistent
) -> None:
    b = read_pass(tenant, "b")["id"]
    file = write(
        members / "tags.csv",
        ["externalId", "passId", "tag", "tags", "action"],
        ["a", "", "x", "", "remove"],
        ["a", "", "one;tag", "p|q", ""],
        ["", b, "x", "", "add"],
        ["", b, "y", "", "add"],
        ["", b, "y", "", "remove"],
        ["c", "", "x", "", "remove"],
        ["a", "", "p", "", "add"],
    )
    result = run_json("tags", "import", tenant.project_id, file, "--batch", batch)

    assert (result["updated"], result["unchanged"], result["rejected"]) == (5, 2, 0)
    assert {name: sorted(tags) for name, tags in tags_of(tenant).items()} == {
        "a": ["one;tag", "p", "q"],
        "b": ["x"],
        "c": [],
    }
    consistent(tenant.project_id)


def test_lines_of_tags_that_are_refused_are_rejected(tenant: Tenant, members: Path) -> None:
    number = tenant.call("GET", "/v1/tag")["tags"][0]["id"]
    file = write(
        members / "tags.csv",
        ["externalId", "tags", "action"],
        ["nobody", "x", ""],
        ["a", "nothing", "remove"],
        ["a", number, "remove"],
        ["a", ";".join(f"t{number}" for number in range(15)), ""],
        ["a", "", ""],
        ["a", "y", "put"],
        ["b", "y", ""],
    )
    result = run_json("tags", "import", tenant.project_id, file, exit_code=1)

    assert (result["updated"], result["rejected"]) == (1, 6)
    assert [each["error"] for each in read_rejects(file)] == [
        "pass with external id nobody was not found",
        "tag nothing was not found",
        f"tag {number} was not found",
        "tags: a pass has at most 15 tags; this one has 1 and 15 would be added",
        "tag: names no tag",
        "action: 'put' is neither add nor remove",
    ]
    assert tags_of(tenant) == {"a": ["x"], "b": ["y"], "c": []}


def test_tags_can_be_imported_again_without_effect(tenant: Tenant, members: Path) -> None:
    file = write(members / "tags.csv", ["externalId", "tag"], ["a", "y"], ["b", "y"])
    assert run_json("tags", "import", tenant.project_id, file)["updated"] == 2
    assert run_json("tags", "import", tenant.project_id, file, "--restart")["unchanged"] == 2


def test_external_ids_of_several_templates_need_the_template(tenant: Tenant, template_id: int, members: Path) -> None:
    other = make_template(tenant.project_id, external_id="other", content=CONTENT)
    run("passes", "import", tenant.project_id, other.template_id, members / "members.csv", "--restart")
    file = write(members / "tags.csv", ["externalId", "tag"], ["b", "y"])

    assert run_json("tags", "import", tenant.project_id, file, exit_code=1)["rejected"] == 1
    assert "matches passes in more than one template" in read_rejects(file)[0]["error"]
    assert run_json("tags", "import", tenant.project_id, file, "--template", "id/other", "--restart")["updated"] == 1
    tagged = tenant.call("GET", "/v1/tag/y/passes")["passes"]
    assert [each["templateId"] for each in tagged] == [other.template_id]
