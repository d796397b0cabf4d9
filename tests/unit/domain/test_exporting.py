"""A pass as a line of CSV: a template and that line make the same content and tags again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.content import Content, ContentUpdate, Entry, overlay
from chalicelib.domain.exporting import (
    PassTable,
    make_pass_document,
    make_registration_cells,
    make_registration_document,
)
from chalicelib.domain.importing import make_document, resolve_columns
from chalicelib.domain.passes import Pass, PassStatus
from chalicelib.domain.registrations import Registration, Wallet

NOW = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
TEMPLATE = 7
SECRETS = ("authentication secret", "download secret", "push secret", "device secret")


def make_pass(content: Content, **changes: Any) -> Pass:
    pass_ = Pass(
        pass_id=1001,
        project_id=1,
        template_id=TEMPLATE,
        serial_number="serial",
        redeem_code="000001",
        external_id="A 1",
        authentication_token=SECRETS[0],
        download_token=SECRETS[1],
        public_type="multiple",
        status=PassStatus.INSTALLED,
        installed_at=NOW,
        uninstalled_at=None,
        platform="ios",
        tags=frozenset(),
        content=content,
        version=1,
        last_modified=0,
        changed_ticket=0,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(pass_, **changes)


def cells_of(pass_: Pass, tags: list[str], template: Content) -> dict[str, str]:
    table = PassTable({TEMPLATE: template}, given={TEMPLATE: template})
    return dict(zip(table.columns, table.make_cells(pass_, tags), strict=True))


def make_again(pass_: Pass, tags: list[str], template: Content) -> tuple[Content, dict[str, Any]]:
    """What a template and the line of a pass make, and the request that the line is."""
    cells = cells_of(pass_, tags, template)
    document = make_document(resolve_columns(list(cells), template, new_entries=False), list(cells.values()))
    lists: dict[str, Any] = {name: document[name] for name in ("locations", "beacons") if name in document}
    update = ContentUpdate(fields=document.get("fields", {}), headers=document.get("headers", {}), lists=lists)
    return overlay(template, update), document


NAMES = st.sampled_from(["Points", "Name", "tags", "more", "a:b", "field:x", "=1", "Größe", "New", "primary1"])
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from(["", "5", "json:1", "a;b", "\r\n", "x"])
)
ENTRIES = st.dictionaries(
    NAMES, st.dictionaries(st.sampled_from(["value", "label", "changeMessage"]), VALUES, max_size=3), max_size=5
)


def as_entries(entries: dict[str, dict[str, Any]]) -> dict[str, Entry]:
    return {name: Entry({"fieldType": "back", **attributes}) for name, attributes in entries.items()}


@given(ENTRIES, ENTRIES, ENTRIES, ENTRIES)
def test_a_template_and_a_line_make_the_same_pass_again(
    fields: dict[str, Any], headers: dict[str, Any], own_fields: dict[str, Any], own_headers: dict[str, Any]
) -> None:
    template = Content(fields=as_entries(fields), headers=as_entries(headers))
    shown = overlay(template, ContentUpdate(fields=own_fields, headers=own_headers))

    again, _ = make_again(make_pass(shown), [], template)

    assert again.encode() == shown.encode()


def test_the_line_of_a_pass_names_what_it_is_and_what_it_shows() -> None:
    template = Content(fields={"Points": Entry({"fieldType": "primary", "value": 0})}, headers={"logo_text": Entry({})})
    shown = overlay(template, ContentUpdate(fields={"Points": {"value": 12, "label": "Score"}, "New": {"value": "x"}}))
    shown.lists["locations"] = [{"id": 17, "latitude": 1.5, "longitude": 2}]

    cells = cells_of(make_pass(shown), ["gold", "a;b"], template)

    assert cells == {
        "id": "1001",
        "externalId": "A 1",
        "tags": r"gold;a\;b",
        "status": "installed",
        "platform": "ios",
        "publicUrl": "multiple",
        "templateId": "7",
        "serialNumber": "serial",
        "redeemCode": "000001",
        "redeemedCount": "0",
        "createdAt": "2026-01-02T03:04:05.678Z",
        "updatedAt": "2026-01-02T03:04:05.678Z",
        "installedAt": "2026-01-02T03:04:05.678Z",
        "uninstalledAt": "",
        "field:Points": "12",
        "header:logo_text": "",
        "locations": '[{"latitude":1.5,"longitude":2}]',
        "beacons": "",
        "semantics": "",
        "universalLinks": "",
        "more": '{"fields":{"Points":{"label":"Score"},"New":{"value":"x"}}}',
    }


def test_what_a_pass_has_not_is_an_empty_cell() -> None:
    bare = make_pass(Content(), external_id=None, platform=None, public_type=None, installed_at=None)

    cells = cells_of(bare, [], Content())

    empty = ("externalId", "tags", "platform", "publicUrl", "installedAt", "uninstalledAt", "more")
    assert {name: cells[name] for name in empty} == dict.fromkeys(empty, "")


def test_what_a_template_learned_or_changed_since_is_not_taken_for_the_passes_own() -> None:
    before = Content(fields={"Points": Entry({"fieldType": "primary", "value": "0", "label": "Points"})})
    shown = overlay(before, ContentUpdate())
    after = Content(fields={"Points": Entry({"fieldType": "primary", "value": "0", "label": "Score"})})

    again, document = make_again(make_pass(shown), [], after)

    assert document["fields"] == {"Points": {"value": "0", "label": "Points"}}
    assert again.fields["Points"].attributes["label"] == "Points"


def test_modules_have_columns_for_what_they_show() -> None:
    template = Content(fields={"text": Entry({"fieldType": "textModule", "header": "H", "body": "B", "label": "L"})})
    shown = overlay(template, ContentUpdate(fields={"text": {"body": "own"}}))

    cells = cells_of(make_pass(shown), [], template)

    assert {name: text for name, text in cells.items() if name.startswith("field")} == {
        "field.body:text": "own",
        "field.header:text": "H",
    }
    assert make_again(make_pass(shown), [], template)[0].encode() == shown.encode()


def test_what_cannot_be_written_is_left_to_the_template() -> None:
    template = Content(headers={"icon": Entry({"value": {"url": "x"}})})

    assert cells_of(make_pass(overlay(template, ContentUpdate())), [], template)["header:icon"] == ""


def test_what_every_new_pass_gets_is_not_its_own() -> None:
    template = Content()
    given = Content(headers={"barcode_type": Entry({"fieldType": "barcode", "value": "QR"})})
    table = PassTable({TEMPLATE: template}, given={TEMPLATE: given})

    def more(value: str) -> str:
        shown = Content(headers={"barcode_type": Entry({"fieldType": "barcode", "value": value})})
        return table.make_cells(make_pass(shown), [])[-1]

    assert "header:barcode_type" not in table.columns
    assert more("QR") == ""
    assert more("Aztec") == '{"headers":{"barcode_type":{"value":"Aztec"}}}'


def test_several_templates_share_a_table() -> None:
    first = Content(fields={"Points": Entry({"value": 0})})
    second = Content(fields={"Points": Entry({"value": "0"}), "Name": Entry({"value": ""})})
    table = PassTable({TEMPLATE: first, 8: second}, given={TEMPLATE: first, 8: second})

    assert [name for name in table.columns if name.startswith("field")] == ["field:Points", "field:Name"]
    shown = Content(fields={"Points": Entry({"value": 5})})
    for template_id, cell in ((TEMPLATE, "5"), (8, "json:5")):
        cells = dict(zip(table.columns, table.make_cells(make_pass(shown, template_id=template_id), []), strict=True))
        assert cells["field:Points"] == cell


def test_a_pass_as_json_keeps_its_values() -> None:
    shown = Content(fields={"Points": Entry({"value": 12, "label": None})}, lists={"style": "generic", "beacons": []})

    document = make_pass_document(make_pass(shown, external_id=None), ["gold"])

    assert document["fields"] == {"Points": {"value": 12, "label": None}}
    assert document["tags"] == ["gold"]
    assert document["beacons"] == []
    told = "id tags status platform publicUrl templateId serialNumber redeemCode redeemedCount"
    assert list(document) == [*told.split(), "createdAt", "updatedAt", "installedAt", "fields", "headers", "beacons"]
    assert "style" not in document
    assert "externalId" not in document


def test_nothing_that_opens_anything_is_exported() -> None:
    shown = Content(fields={"Points": Entry({"value": 12})})
    template = Content(fields={"Points": Entry({"value": 0})})
    registration = Registration(
        registration_id="registration",
        number=1,
        pass_id=1001,
        serial_number="serial",
        wallet=Wallet.PASSBOOK,
        created_at=NOW,
        project_id=1,
        template_id=TEMPLATE,
        device=SECRETS[3],
        pass_type="pass.x",
        push_token=SECRETS[2],
        registered_at=NOW,
    )

    written = [
        str(cells_of(make_pass(shown), [], template)),
        str(make_pass_document(make_pass(shown), [])),
        str(make_registration_cells(registration, "A 1")),
        str(make_registration_document(registration, None)),
    ]

    assert [secret for secret in SECRETS if any(secret in text for text in written)] == []
    assert make_registration_cells(registration, None) == [
        "registration",
        "1001",
        "",
        "serial",
        "passbook",
        "ios",
        "2026-01-02T03:04:05.678Z",
    ]
