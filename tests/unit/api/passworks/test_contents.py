"""Bodies of campaigns and passes as changes of content (passworks-v2, sections 6, 8 and 13)."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.api.passworks import contents
from chalicelib.domain.campaign_drafts import PUSH_MESSAGE, CampaignDraft, ContentDraft
from chalicelib.domain.errors import InvalidRequest
from chalicelib.schemas.passworks import GROUPS, CampaignBody, PassBody
from chalicelib.schemas.reading import read_model

UUID = "74278bda-b644-4520-8f0c-720eaf059935"
DOCUMENTS: list[dict[str, Any]] = [{}, {"unknown": 1, "foreground_color": 5, "state": "archived"}]


def read_pass(document: dict[str, Any]) -> ContentDraft:
    return contents.read_pass(read_model(PassBody, document))


def read_campaign(document: dict[str, Any]) -> CampaignDraft:
    return contents.read_campaign(read_model(CampaignBody, document))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_not_sent_is_not_written(document: dict[str, Any]) -> None:
    assert read_pass(document) == ContentDraft()
    assert read_campaign(document) == CampaignDraft()


@pytest.mark.parametrize(("key", "group"), GROUPS.items())
def test_a_field_is_written_with_what_was_sent_of_it_and_its_group(key: str, group: str) -> None:
    draft = read_pass({key: [{"key": "a", "value": None, "data_type": "text"}, {"key": 7, "label": "x"}]})

    assert draft.fields == {"a": {"value": None, "fieldType": group}, "7": {"label": "x", "fieldType": group}}
    assert draft.emptied == frozenset()


@pytest.mark.parametrize("empty", [[], None, {}])
def test_an_empty_array_empties_its_group(empty: Any) -> None:
    assert read_pass({"back_fields": empty}) == ContentDraft(emptied=frozenset({"back"}))


def test_values_keep_their_types() -> None:
    values: list[Any] = ["", "1", 1, 1.0, True, False, None]

    draft = read_pass({"back_fields": [{"key": f"k{number}", "value": each} for number, each in enumerate(values)]})

    read = [attributes["value"] for attributes in draft.fields.values()]
    assert [(type(each), each) for each in read] == [(type(each), each) for each in values]


def test_locations_and_beacons_are_written_as_both_dialects_keep_them() -> None:
    draft = read_pass(
        {
            "locations": [{"latitude": 1, "longitude": 2.5, "altitude": None, "relevant_text": "Near", "name": "n"}],
            "beacons": [{"proximity_uuid": UUID, "major": 1, "minor": None, "relevant_text": "Near"}],
        }
    )

    assert draft.parts == {
        "locations": [{"latitude": 1, "longitude": 2.5, "relevantText": "Near", "name": "n"}],
        "beacons": [{"proximityUUID": UUID, "major": 1, "relevantText": "Near"}],
    }
    assert type(draft.parts["locations"][0]["latitude"]) is int


def test_a_barcode_writes_headers_of_the_other_dialect() -> None:
    draft = read_pass({"barcode": {"format": "ean128", "message": 12, "alt_text_type": None}})

    assert {name: attributes["value"] for name, attributes in draft.headers.items()} == {
        "barcode_type": "PKBarcodeFormatCode128",
        "barcode_value": "12",
    }
    assert draft.parts == {"alt_text_type": "mirror"}


def test_further_barcodes_are_filled_with_defaults() -> None:
    assert read_pass({"barcodes": [{}]}).parts == {
        "barcodes": [{"format": "qrcode", "message": "", "alt_text": "", "alt_text_type": "mirror"}]
    }


@pytest.mark.parametrize(
    ("sent", "changes"),
    [
        ({"background_color": "#fff"}, True),
        ({"logo_text": None}, True),
        ({"icon_id": "x"}, True),
        ({"barcode": {"format": "aztec"}}, True),
        ({"barcode": {"message": "12"}}, False),
        ({"description": "x", "locations": [], "primary_fields": [], "user_info": {}}, False),
    ],
)
def test_some_keys_belong_to_the_look(sent: dict[str, Any], changes: bool) -> None:
    assert read_campaign(sent).content.changes_look is changes


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        ({"og": False}, {"open_graph": False}),
        ({"og_description": "x"}, {"open_graph_description": "x"}),
        ({"code_type": "per_pass"}, {"code_type": "per_pass"}),
        ({"sync_beacons_on_merge": False}, {"sync_beacons_on_merge": False}),
        ({"javascript": None}, {"javascript": None}),
    ],
)
def test_options_are_not_content(sent: dict[str, Any], options: dict[str, Any]) -> None:
    draft = read_campaign(sent)

    assert (draft.options, draft.content) == (options, ContentDraft())


@pytest.mark.parametrize(("sent", "name"), [({}, None), ({"name": "x"}, "x")])
def test_a_name_may_be_left_out(sent: dict[str, Any], name: str | None) -> None:
    assert read_campaign(sent).name == name


@pytest.mark.parametrize("name", [None, "", " "])
def test_a_name_of_null_is_blank_and_not_left_out(name: str | None) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_campaign({"name": name})
    assert (caught.value.field, caught.value.problem) == ("name", "can't be blank")


@pytest.mark.parametrize(
    ("field", "sent"),
    [
        ("primary_fields[1].key", {"primary_fields": [{"key": "a"}, {"key": "a"}]}),
        ("back_fields[0].key", {"primary_fields": [{"key": "a"}], "back_fields": [{"key": "a"}]}),
        ("back_fields[0].key", {"back_fields": [{"key": PUSH_MESSAGE}]}),
        ("back_fields[0].key", {"back_fields": [{"key": "k" * 101}]}),
        ("back_fields[0].value", {"back_fields": [{"key": "k", "value": "v" * 8193}]}),
        ("back_fields", {"back_fields": [{"key": f"{number}"} for number in range(201)]}),
        ("user_info", {"user_info": {"a": "v" * 70_000}}),
        ("max_distance", {"max_distance": -0.5}),
        ("max_distance", {"max_distance": False}),
        ("locations[0].longitude", {"locations": [{"latitude": 0, "longitude": 180.5}]}),
        ("locations[0].altitude", {"locations": [{"latitude": 0, "longitude": 0, "altitude": "high"}]}),
        ("barcodes[0].alt_text", {"barcodes": [{"alt_text": []}]}),
        ("expiration_date", {"expiration_date": "2016-13-01"}),
    ],
)
def test_what_does_not_fit_is_refused_under_its_path(field: str, sent: dict[str, Any]) -> None:
    for read in (read_pass, read_campaign):
        with pytest.raises(InvalidRequest) as caught:
            read(sent)
        assert caught.value.field == field
