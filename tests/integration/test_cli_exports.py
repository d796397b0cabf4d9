"""`passes export` and `registrations export`, and what an export becomes when it is imported again."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.cli import command
from chalicelib.domain import issuing, updating
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.counted_index import passes_of_template
from chalicelib.domain.exporting import PASSES_AT_ONCE
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, make_spread_passes, make_template, write_field
from tests.support.faults import Call, Fault, Unreachable, inject
from tests.support.stack import Stack, Tenant

CONTENT = Content(
    fields={
        "Points": Entry({"fieldType": "primary", "label": "Points", "value": 0}),
        "Name": Entry({"fieldType": "back", "label": "Name", "value": ""}),
        "tags": Entry({"fieldType": "back", "label": "Tags", "value": "=none"}),
        " a:b ": Entry({"fieldType": "back", "label": "spaced", "value": "x"}),
    },
    headers={"logo_text": Entry({"fieldType": "topLevel", "formatType": 1, "value": "Club"})},
)
SHOWN = [
    ContentUpdate(),
    ContentUpdate(fields={"Points": {"value": 120, "label": "Score"}, "Name": {"value": 'Ann "A", B;C\r\nD\rE 😀'}}),
    ContentUpdate(fields={"Points": {"value": "120"}, "Name": {"value": "json:1"}, "tags": {"value": None}}),
    ContentUpdate(fields={"New": {"value": 1.5}, "primary1": {"label": "x"}}, headers={"own": {"value": True}}),
    ContentUpdate(
        headers={"expirationDate": {"value": "2099-01-01", "label": "voided"}, "logo_text": {"value": ""}},
        lists={"locations": [{"latitude": 1.5, "longitude": -2.5, "relevantText": "here"}], "beacons": [{"major": 1}]},
    ),
]
TAGS = [(), ("gold",), ("gold", "a;b|c\\"), ("=1+1",), ("größe", "gold")]


def run(*arguments: object, exit_code: int = 0) -> Result:
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(command, [str(each) for each in arguments])
    assert result.exit_code == exit_code, (result.output, result.exception)
    return result


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def make_shown(project_id: int, template_id: int) -> list[Pass]:
    new = [
        NewPass(update=update, external_id=f"x{number}" if number % 2 else None, tag_names=TAGS[number])
        for number, update in enumerate(SHOWN)
    ]
    template = TemplateReference(template_id=template_id)
    outcomes = issuing.create_passes(get_platform(), project_id=project_id, template=template, new=new)
    passes = [outcome for outcome in outcomes if isinstance(outcome, Pass)]
    assert len(passes) == len(SHOWN)
    return passes


def read_all(tenant: Tenant, template_id: int) -> list[dict[str, Any]]:
    """What passes of a template show, without what is theirs alone."""
    found = tenant.call("GET", f"/v1/template/{template_id}/passes?direction=ASC&pageSize=1000")["passes"]
    whole = [tenant.call("GET", f"/v1/pass/{each['id']}") for each in found]
    own = ("id", "serialNumber", "uaEntityId", "url", "publicUrl", "templateId", "createdAt", "updatedAt")
    for document in whole:
        for location in document["locations"]:
            location.pop("id")
    return [{name: value for name, value in document.items() if name not in own} for document in whole]


def test_what_is_exported_and_imported_again_is_the_same(
    stack: Stack, tenant: Tenant, tmp_path: Path, consistent: Consistent
) -> None:
    template_id = make_template(tenant.project_id, content=CONTENT).template_id
    passes = make_shown(tenant.project_id, template_id)
    # a pass that was written since, and one that a device holds
    reference = PassReference(pass_id=passes[0].pass_id)
    update = write_field("Points", 7)
    updating.update_pass(get_platform(), project_id=tenant.project_id, reference=reference, update=update)
    file = tmp_path / "passes.csv"
    told = run("passes", "export", tenant.project_id, "--template", template_id, "-o", file)
    assert told.stderr == f"{len(SHOWN)} passes in {file}.\n"
    assert told.stdout == ""

    names = [(row["field:Name"], row["header:logo_text"]) for row in read_csv(file.read_bytes().decode())]
    assert [names[0], names[4]] == [("", "Club"), ("", 'json:""')]

    other = stack.tenant()
    copy_id = make_template(other.project_id, content=CONTENT).template_id
    run("passes", "import", other.project_id, copy_id, file)

    assert read_all(other, copy_id) == read_all(tenant, template_id)
    again = tmp_path / "again.csv"
    run("passes", "export", other.project_id, "--template", copy_id, "-o", again)
    own = ("id", "serialNumber", "templateId", "createdAt", "updatedAt")
    first, second = (read_csv(each.read_bytes().decode()) for each in (file, again))
    assert [{k: v for k, v in row.items() if k not in own} for row in first] == [
        {k: v for k, v in row.items() if k not in own} for row in second
    ]
    consistent(other.project_id)


def test_a_project_is_exported_with_all_its_templates(tenant: Tenant) -> None:
    first = make_template(tenant.project_id, external_id="first", content=CONTENT)
    second = make_template(tenant.project_id, content=Content(fields={"Level": Entry({"value": "1"})}))
    make_passes(tenant.project_id, 1, template_id=first.template_id, tags=["gold"])
    make_passes(tenant.project_id, 1, template_id=second.template_id, tags=["gold"])

    rows = read_csv(run("passes", "export", tenant.project_id).stdout)

    assert [(row["templateId"], row["field:Points"], row["field:Level"]) for row in rows] == [
        (str(first.template_id), "0", ""),
        (str(second.template_id), "", "1"),
    ]
    only = read_csv(run("passes", "export", tenant.project_id, "--template", "id/first").stdout)
    assert [row["templateId"] for row in only] == [str(first.template_id)]
    assert "field:Level" not in only[0]


def test_passes_of_a_tag_are_exported_also_of_one_template(tenant: Tenant) -> None:
    first, second = (make_template(tenant.project_id).template_id for _ in range(2))
    make_passes(tenant.project_id, 2, template_id=first, tags=["a;b"])
    make_passes(tenant.project_id, 1, template_id=second, tags=["a;b"])
    make_passes(tenant.project_id, 1, template_id=second)

    def templates(*options: object) -> list[str]:
        return [row["templateId"] for row in read_csv(run("passes", "export", tenant.project_id, *options).stdout)]

    assert templates("--tag", "a;b") == [str(first), str(first), str(second)]
    assert templates("--tag", "a;b", "--template", second) == [str(second)]
    tag_id = tenant.call("GET", "/v1/tag")["tags"][0]["id"]
    assert "was not found" in run("passes", "export", tenant.project_id, "--tag", tag_id, exit_code=1).stderr


def test_json_lines_keep_values_as_they_are(tenant: Tenant, tmp_path: Path) -> None:
    template_id = make_template(tenant.project_id, content=CONTENT).template_id
    passes = make_shown(tenant.project_id, template_id)
    file = tmp_path / "passes.jsonl"
    run("passes", "export", tenant.project_id, "--format", "jsonl", "-o", file)

    documents = [json.loads(line) for line in file.read_text().splitlines()]
    assert [document["id"] for document in documents] == [str(pass_.pass_id) for pass_ in passes]
    assert [document["fields"]["Points"]["value"] for document in documents] == [0, 120, "120", 0, 0]
    assert documents[2]["tags"] == ["gold", "a;b|c\\"]
    assert documents[4]["locations"][0]["relevantText"] == "here"


def test_lists_of_many_segments_are_exported_whole_and_in_order(tenant: Tenant) -> None:
    passes = make_spread_passes(tenant.project_id, segments=3, per_segment=PASSES_AT_ONCE + 1)
    get = get_platform()
    template_id = passes[0].template_id
    assert len(get.counts.read_counts(passes_of_template(template_id))) == 3

    rows = read_csv(run("passes", "export", tenant.project_id, "--template", template_id).stdout)

    assert [row["id"] for row in rows] == [str(pass_.pass_id) for pass_ in passes]


def test_nothing_that_opens_a_pass_or_a_device_is_exported(tenant: Tenant) -> None:
    template_id = make_template(tenant.project_id).template_id
    (pass_,) = make_passes(tenant.project_id, 1, template_id=template_id)
    devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device_platform="ios")
    for form in ("csv", "jsonl"):
        exported = run("passes", "export", tenant.project_id, "--format", form).stdout
        exported += run("registrations", "export", tenant.project_id, template_id, "--format", form).stdout
        assert str(pass_.pass_id) in exported
        for secret in (pass_.authentication_token, pass_.download_token, tenant.secret):
            assert secret not in exported
        assert "token" not in exported.lower()
        assert "http" not in exported


def test_registrations_are_exported_oldest_first(tenant: Tenant) -> None:
    template_id = make_template(tenant.project_id).template_id
    passes = make_passes(tenant.project_id, 3, template_id=template_id)
    for pass_ in (passes[2], passes[0]):
        devices.install(get_platform(), project_id=tenant.project_id, pass_id=pass_.pass_id, device_platform="ios")

    rows = read_csv(run("registrations", "export", tenant.project_id, template_id).stdout)
    assert [(row["passId"], row["wallet"], row["deviceOs"]) for row in rows] == [
        (str(passes[2].pass_id), "passbook", "ios"),
        (str(passes[0].pass_id), "passbook", "ios"),
    ]
    lines = run("registrations", "export", tenant.project_id, template_id, "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["serialNumber"] for line in lines] == [passes[2].serial_number, passes[0].serial_number]


def test_passes_of_a_deleted_template_are_gone(tenant: Tenant) -> None:
    kept, deleted = (make_template(tenant.project_id).template_id for _ in range(2))
    make_passes(tenant.project_id, 1, template_id=kept)
    make_passes(tenant.project_id, 1, template_id=deleted)
    template = get_platform().templates.get_template(project_id=tenant.project_id, template_id=deleted)
    assert template is not None
    get_platform().templates.delete_template(template, with_passes=True)

    rows = read_csv(run("passes", "export", tenant.project_id).stdout)
    assert [row["templateId"] for row in rows] == [str(kept)]


def test_for_spreadsheets_no_cell_is_a_formula(tenant: Tenant) -> None:
    make_shown(tenant.project_id, make_template(tenant.project_id, content=CONTENT).template_id)

    plain = run("passes", "export", tenant.project_id).stdout
    guarded = run("passes", "export", tenant.project_id, "--for-spreadsheets").stdout

    assert guarded.startswith("\ufeff")
    assert read_csv(plain)[3]["tags"] == "=1+1"
    rows = read_csv(guarded.removeprefix("\ufeff"))
    assert rows[3]["tags"] == "'=1+1"
    assert rows[0]["field:tags"] == "'=none"
    assert [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))] == []
    refused = run("passes", "export", tenant.project_id, "--for-spreadsheets", "--format", "jsonl", exit_code=2)
    assert "is for CSV alone" in refused.stderr


def test_an_export_that_fails_leaves_the_old_file(tenant: Tenant, tmp_path: Path) -> None:
    make_passes(tenant.project_id, 2)
    file = tmp_path / "passes.csv"
    file.write_text("old")

    def rule(call: Call) -> Fault | None:
        return Unreachable() if call.operation == "BatchGetItem" else None

    with inject(rule):
        run("passes", "export", tenant.project_id, "-o", file, exit_code=1)
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["passes.csv"]
    run("passes", "export", tenant.project_id, "-o", file)
    assert file.read_text() != "old"
    assert file.stat().st_mode & 0o777 == 0o600
    missing = tmp_path / "none" / "passes.csv"
    assert (
        "cannot be written: No such file"
        in run("passes", "export", tenant.project_id, "-o", missing, exit_code=1).stderr
    )


def test_an_empty_list_is_a_line_of_columns(tenant: Tenant) -> None:
    template_id = make_template(tenant.project_id).template_id

    assert run("passes", "export", tenant.project_id).stdout.startswith("id,externalId,tags,")
    assert run("passes", "export", tenant.project_id, "--format", "jsonl").stdout == ""
    text = run("registrations", "export", tenant.project_id, template_id).stdout
    assert text == "registrationId,passId,externalId,serialNumber,wallet,deviceOs,createdAt\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("passes", "export", "987654321"), "project 987654321 was not found"),
        (("registrations", "export", "987654321", "1"), "project 987654321 was not found"),
    ],
)
def test_what_is_not_there_is_one_line(stack: Stack, arguments: tuple[str, ...], problem: str) -> None:
    assert run(*arguments, exit_code=1).stderr == f"Error: {problem}\n"
