"""What columns mean, and what a line asks for."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.importing import Action, make_document, read_tagged, resolve_columns, resolve_tag_columns
from chalicelib.domain.passes import PassReference

TEMPLATE = Content(
    fields={
        "Points": Entry({"fieldType": "primary", "value": 0}),
        "Name": Entry({"fieldType": "back", "value": "x"}),
        "tags": Entry({"fieldType": "back"}),
        "status": Entry({"fieldType": "back"}),
        "both": Entry({"fieldType": "back"}),
        "a:b": Entry({"fieldType": "back"}),
    },
    headers={"logo_text": Entry({"value": "Club"}), "both": Entry({"value": "x"}), "own": Entry({"value": "x"})},
)


def read(columns: list[str], cells: list[str], *, new_entries: bool = False) -> dict[str, Any]:
    return make_document(resolve_columns(columns, TEMPLATE, new_entries=new_entries), cells)


def test_a_line_is_the_body_of_a_request() -> None:
    columns = [
        "externalId",
        "tags",
        "field:tags",
        "publicUrl",
        "Points",
        "field:Name",
        "header:own",
        "expirationDate",
        "locations",
    ]
    cells = ["0815", "gold;VIP", "", "multiple", "120", "Ann", "x", "2030-01-01", '[{"latitude": 1, "longitude": 2}]']

    assert read(columns, cells) == {
        "externalId": "0815",
        "tags": ["gold", "VIP"],
        "publicUrl": {"type": "multiple"},
        "fields": {"Points": {"value": 120}, "Name": {"value": "Ann"}},
        "headers": {"own": {"value": "x"}, "expirationDate": {"value": "2030-01-01"}},
        "locations": [{"latitude": 1, "longitude": 2}],
    }


def test_an_empty_cell_says_nothing() -> None:
    assert read(["externalId", "Points", "locations", "more"], ["", "", "", ""]) == {}


def test_other_attributes_than_the_value_have_columns_of_their_own() -> None:
    columns = ["field.label:Points", "Points", "header.label:expirationDate", "field.changeMessage:a:b"]

    assert read(columns, ["Score", "1", "voided", "%@"]) == {
        "fields": {"Points": {"label": "Score", "value": 1}, "a:b": {"changeMessage": "%@"}},
        "headers": {"expirationDate": {"label": "voided"}},
    }


def test_a_name_that_is_a_column_of_ours_needs_its_kind() -> None:
    assert read(["tags", "field:tags"], ["gold", "x"]) == {"tags": ["gold"], "fields": {"tags": {"value": "x"}}}


def test_what_an_export_adds_says_nothing_here() -> None:
    columns = ["id", "status", "field:status", "serialNumber", "createdAt", "redeemCode", "error", "Name"]

    assert read(columns, ["1", "installed", "", "x", "x", "x", "was refused", "Ann"]) == {
        "fields": {"Name": {"value": "Ann"}}
    }


def test_more_holds_what_has_no_column_and_a_column_counts_more() -> None:
    more = '{"fields": {"New": {"value": 1}, "Name": {"value": "less", "label": "N"}}, "headers": {}}'
    expected = {"New": {"value": 1}, "Name": {"value": "Ann", "label": "N"}}

    assert read(["Name", "more"], ["Ann", more])["fields"] == expected
    assert read(["more", "Name"], [more, "Ann"])["fields"] == expected


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (["Pionts"], "the template has no 'Pionts'; its fields are Points, Name"),
        (["field:x", "header:y"], "the template has no 'field:x', 'header:y'"),
        (["both"], "is a field and a header; write field:both or header:both"),
        (["field.fieldType:Points"], "names no attribute that can be written"),
        (["Name", ""], "a column has no name"),
        (["Name", "field:Name"], "the columns 'Name' and 'field:Name' are the same"),
        (["tags", "tags"], "the columns 'tags' and 'tags' are the same"),
        (["status"], "'status' is also a field of the template; add field:status, or rename"),
        (["tags"], "'tags' is also a field of the template"),
        (["External ID"], "the template has no 'External ID'"),
    ],
)
def test_columns_that_mean_nothing_are_refused(columns: list[str], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        resolve_columns(columns, TEMPLATE, new_entries=False)


def test_who_names_what_an_empty_template_has_not_is_told_that_it_has_nothing() -> None:
    with pytest.raises(InvalidRequest, match=r"the template has no 'x'; its fields are none, its headers none$"):
        resolve_columns(["x"], Content(), new_entries=False)


def test_new_entries_must_be_meant() -> None:
    assert read(["Level", "header:x"], ["7", "y"], new_entries=True) == {
        "fields": {"Level": {"value": "7"}},
        "headers": {"x": {"value": "y"}},
    }


@pytest.mark.parametrize(
    ("column", "cell", "problem"),
    [
        ("locations", "x", "locations: 'x' is no JSON"),
        ("Points", "json:x", "Points: 'x' is no JSON"),
        ("more", "[]", "more: must be a JSON object with fields, headers or both"),
        ("more", '{"tags": []}', "more: must be a JSON object with fields, headers or both"),
        ("more", '{"fields": {"a": 1}}', "more: fields must be an object of objects"),
    ],
)
def test_a_cell_that_cannot_be_read_names_its_column(column: str, cell: str, problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read([column], [cell])
    assert str(refused.value) == problem


# Tags


def test_a_line_names_a_pass_its_tags_and_what_to_do() -> None:
    names = ["externalId", "tag", "tags", "action"]

    added = read_tagged(names, ["A 1", "x;y", "u|v", ""], template_id=None)
    assert (added.reference, added.names, added.action) == (
        PassReference(external_id="A 1"),
        ("x;y", "u", "v"),
        Action.ADD,
    )
    removed = read_tagged(names, ["A 1", "x", "", " Remove "], template_id=7)
    assert removed.action is Action.REMOVE
    assert removed.reference == PassReference(external_id="A 1", template_id=7)


@pytest.mark.parametrize("name", ["passId", "id"])
def test_a_pass_id_counts_more_than_an_external_id(name: str) -> None:
    tagged = read_tagged(["externalId", name, "tag"], ["A", "12", "x"], template_id=None)
    assert tagged.reference == PassReference(pass_id=12)
    assert read_tagged(["externalId", name, "tag"], ["A", "", "x"], template_id=None).reference.external_id == "A"


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        (["", "", "x", ""], "externalId: names no pass"),
        (["", "x1", "x", ""], "passId: 'x1' is no pass id"),
        (["A", "", " ", ""], "tag: names no tag"),
        (["A", "", "x", "put"], "action: 'put' is neither add nor remove"),
    ],
)
def test_a_line_that_asks_for_nothing_is_refused(cells: list[str], problem: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_tagged(["externalId", "passId", "tag", "action"], cells, template_id=None)
    assert str(refused.value) == problem


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        (["externalId", "tagg"], "'tagg' means nothing here"),
        (["externalId", "tag", "tag"], "a column is there twice"),
        (["tag"], "must name the passes"),
        (["externalId"], "must name the tags"),
    ],
)
def test_columns_of_tags_must_say_enough(columns: list[str], problem: str) -> None:
    with pytest.raises(InvalidRequest, match=problem):
        resolve_tag_columns(columns)
