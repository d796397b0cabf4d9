from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chalicelib
from chalicelib.domain.assets import AssetType
from chalicelib.domain.content import (
    IMAGE_KINDS,
    NOTHING_DONE,
    SHOWN_HEADERS,
    UNSHOWN_LISTS,
    Content,
    ContentUpdate,
    Entry,
    Merge,
    apply_update,
    is_shown_header,
    overlay,
)
from chalicelib.wallets.apple.pass_json import _COLOURS as COLOUR_HEADERS

CODE = Path(chalicelib.__file__).parent

LISTS = ("locations", "beacons", "semantics", "universalLinks")

_values = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", 0.5])
_attributes = st.dictionaries(
    st.sampled_from(["value", "label", "changeMessage", "body", "uri", "behaviour"]), _values, max_size=3
)
_entries = st.dictionaries(st.sampled_from(["primary1", "Points", "barcode_value", "module"]), _attributes, max_size=3)
_lists = st.dictionaries(st.sampled_from(LISTS), st.lists(_values, max_size=2), max_size=2)
_headers = st.dictionaries(st.sampled_from(["barcode_value", "logo_image", "unknown"]), _attributes, max_size=3)
_updates = st.builds(ContentUpdate, fields=_entries, headers=_headers, lists=_lists)
_contents = st.builds(
    overlay, st.just(Content(fields={"Points": Entry({"fieldType": "primary", "value": "0"})})), _updates
)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[list[tuple[int, ContentUpdate]], list[tuple[int, ContentUpdate]]]:
    """Updates in the order of their tickets; and the same ones shuffled, each at least once."""
    history = list(enumerate(draw(st.lists(_updates, min_size=1, max_size=5)), start=1))
    repeated = draw(st.lists(st.sampled_from(history), max_size=5))
    return history, draw(st.permutations(history + repeated))


def _apply_all(content: Content, history: list[tuple[int, ContentUpdate]]) -> Any:
    written = Content.decode(content.encode())
    for ticket_id, update in history:
        apply_update(written, update, ticket_id=ticket_id)
    return _normal(written)


def _normal(content: Content) -> Any:
    return (content.fields, content.headers, content.lists, content.list_tickets)


@given(_contents, _histories())
def test_updates_in_any_order_and_number_end_as_in_the_order_of_their_tickets(
    content: Content, histories: tuple[list[tuple[int, ContentUpdate]], list[tuple[int, ContentUpdate]]]
) -> None:
    in_order, shuffled = histories

    assert _apply_all(content, shuffled) == _apply_all(content, in_order)


@given(_contents, _updates)
def test_an_update_applied_twice_writes_nothing_the_second_time(content: Content, update: ContentUpdate) -> None:
    apply_update(content, update, ticket_id=7)
    before = content.encode()

    assert apply_update(content, update, ticket_id=7) == NOTHING_DONE
    assert content.encode() == before


@given(_contents, _updates, _updates)
def test_content_and_updates_survive_storage(content: Content, update: ContentUpdate, other: ContentUpdate) -> None:
    apply_update(content, update, ticket_id=3)

    assert Content.decode(content.encode()) == content
    assert ContentUpdate.decode(other.encode()) == other


@given(_contents, _updates)
def test_a_copy_for_an_update_takes_it_without_touching_the_original(content: Content, update: ContentUpdate) -> None:
    before = content.encode()
    copied = content.copy_for(update)

    apply_update(copied, update, ticket_id=9)

    assert content.encode() == before


@given(_contents, _updates)
def test_what_a_merge_reports_is_what_it_did(content: Content, update: ContentUpdate) -> None:
    def told(of: Content) -> Any:
        return (
            {name: entry.attributes for name, entry in of.fields.items()},
            {name: entry.attributes for name, entry in of.headers.items()},
            {name: values for name, values in of.lists.items() if values},
        )

    def shown(of: Content) -> Any:
        fields, headers, lists = told(of)
        places = {name: attributes.get("fieldType", "notAssigned") for name, attributes in fields.items()}
        on_card = {name: fields[name] for name, place in places.items() if place != "notAssigned"}
        known = sorted(headers.keys() & {"barcode_value", "logo_image"})
        return (
            {name: _without(attributes, "behaviour") for name, attributes in on_card.items()},
            [(name, value) for name in known if (value := headers[name].get("value")) not in (None, "")],
            {name: lists[name] for name in lists.keys() - {"universalLinks"}},
        )

    before = Content.decode(content.encode())
    merge = apply_update(content, update, ticket_id=5)

    assert merge.written == (content.encode() != before.encode())
    # 1 and True are equal in Python and differ on the wire
    assert merge.changed == (repr(told(content)) != repr(told(before)))
    assert merge.shown == (repr(shown(content)) != repr(shown(before)))


def _without(attributes: dict[str, Any], left: str) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != left}


def test_an_equal_value_is_written_down_so_that_a_lower_ticket_still_loses() -> None:
    content = Content(fields={"Points": Entry({"fieldType": "primary", "value": "5"})})

    assert apply_update(content, _write("5"), ticket_id=9) == Merge(written=True, changed=False, shown=False)
    assert apply_update(content, _write("4"), ticket_id=8) == NOTHING_DONE
    assert content.fields["Points"].attributes["value"] == "5"


def test_a_field_without_a_place_changes_nothing_that_a_wallet_shows() -> None:
    content = Content(fields={"Points": Entry({"fieldType": "notAssigned", "value": "5"})})

    assert apply_update(content, _write("6"), ticket_id=2) == Merge(written=True, changed=True, shown=False)
    assert apply_update(content, _write("1", name="Unknown"), ticket_id=3) == Merge(True, True, shown=False)
    assert apply_update(content, _write("1", name="back1"), ticket_id=4) == Merge(True, True, shown=True)
    given_a_place = ContentUpdate(fields={"Points": {"fieldType": "back"}})
    assert apply_update(content, given_a_place, ticket_id=5).shown
    taken_off = ContentUpdate(fields={"Points": {"fieldType": "notAssigned", "value": "7"}})
    assert apply_update(content, taken_off, ticket_id=6).shown


def test_what_a_renderer_reads_counts_as_shown() -> None:
    """Else a change of it would never reach a phone."""
    read = set(COLOUR_HEADERS.values())
    for source in [*CODE.glob("wallets/**/*.py"), *CODE.glob("pages/*.py")]:
        read |= set(re.findall(r"""header\((?:content, )?f?"([^"]+)""", source.read_text(encoding="utf-8")))
        lists = re.findall(r"""(?:lists\.get\(|_read_part\(\w+, )"(\w+)""", source.read_text(encoding="utf-8"))
        assert not set(UNSHOWN_LISTS) & set(lists), source
    read = read - {"{kind}_image"} | {f"{kind}_image" for kind in IMAGE_KINDS}
    assert {name for name in read if not is_shown_header(name)} == set()
    assert {name for name in read if not name.endswith("_image")} == set(SHOWN_HEADERS)
    assert set(IMAGE_KINDS) == set(AssetType)


def test_a_header_that_nobody_knows_changes_nothing_that_a_wallet_shows() -> None:
    content = Content()
    unknown = ContentUpdate(headers={"foo": {"value": "1"}}, lists={"universalLinks": ["x"]})
    assert apply_update(content, unknown, ticket_id=1) == Merge(written=True, changed=True, shown=False)


@pytest.mark.parametrize(
    "update",
    [
        ContentUpdate(fields={"Points": {"behaviour": "dynamic"}}),
        ContentUpdate(headers={"barcode_value": {"label": "Code"}}),
        ContentUpdate(headers={"expirationDate": {"label": "valid"}}),
        ContentUpdate(headers={"label_color": {"value": None}}),
        ContentUpdate(headers={"foo_image": {"value": "1"}}),
        ContentUpdate(lists={"alt_text_type": "none"}),
        ContentUpdate(lists={"locations": [{"latitude": 1, "longitude": 2, "name": "Shop", "city": "Porto"}]}),
        ContentUpdate(lists={"beacons": [{"proximityUUID": "x", "name": "Door"}]}),
    ],
    ids=str,
)
def test_what_is_for_merges_or_clients_alone_changes_nothing_that_a_wallet_shows(update: ContentUpdate) -> None:
    content = Content(
        fields={"Points": Entry({"fieldType": "primary", "value": "0", "behaviour": "fixed"})},
        headers={"barcode_value": Entry({"value": "12"}), "expirationDate": Entry({"value": "2030-01-01"})},
        lists={"locations": [{"latitude": 1, "longitude": 2, "name": "Old"}], "beacons": [{"proximityUUID": "x"}]},
    )
    assert apply_update(content, update, ticket_id=1) == Merge(written=True, changed=True, shown=False)


@pytest.mark.parametrize(
    "update",
    [
        ContentUpdate(headers={"expirationDate": {"label": "voided"}}),
        ContentUpdate(lists={"locations": [{"latitude": 1, "longitude": 3}]}),
        ContentUpdate(lists={"locations": [{"latitude": 1, "longitude": 2, "relevantText": "Near"}]}),
        ContentUpdate(lists={"locations": []}),
        ContentUpdate(lists={"barcodes": [{"message": "1", "alt_text_type": "mirror"}]}),
    ],
    ids=str,
)
def test_beside_it_everything_is_shown(update: ContentUpdate) -> None:
    content = Content(lists={"locations": [{"latitude": 1, "longitude": 2}], "barcodes": [{"message": "1"}]})
    assert apply_update(content, update, ticket_id=1) == Merge(written=True, changed=True, shown=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [(1, True), (1, 1.0), (0, False), ([1], [True]), ({"x": 0}, {"x": False}), ({"x": 1, "y": 2}, {"y": 2, "x": 1})],
)
@pytest.mark.parametrize("wrap", [lambda value: value, lambda value: {"a": [value]}, lambda value: [{"b": value}]])
def test_what_python_calls_equal_is_another_value_as_json(before: Any, after: Any, wrap: Callable[[Any], Any]) -> None:
    content = Content(lists={"semantics": wrap(before), "locations": [{"latitude": before}]})
    update = ContentUpdate(lists={"semantics": wrap(after)})
    assert apply_update(content, update, ticket_id=1) == Merge(written=True, changed=True, shown=True)
    assert apply_update(content, ContentUpdate(lists={"locations": [{"latitude": after}]}), ticket_id=1).shown
    assert apply_update(content, update, ticket_id=2) == Merge(written=True, changed=False, shown=False)


def _write(value: object, *, name: str = "Points") -> ContentUpdate:
    return ContentUpdate(fields={name: {"value": value}})


def test_a_higher_ticket_wins_attribute_by_attribute() -> None:
    content = Content(fields={"Points": Entry({"value": "0", "label": "none"})})

    apply_update(content, ContentUpdate(fields={"Points": {"value": "2"}}), ticket_id=2)
    apply_update(content, ContentUpdate(fields={"Points": {"value": "1", "label": "one"}}), ticket_id=1)

    assert content.fields["Points"].attributes == {"value": "2", "label": "one"}


def test_a_field_that_the_template_does_not_know_is_placed_by_its_name() -> None:
    content = Content()

    apply_update(content, ContentUpdate(fields={"secondary2": {"value": "x"}, "Other": {"value": "y"}}), ticket_id=1)

    assert content.fields["secondary2"].attributes == {"fieldType": "secondary", "value": "x"}
    assert content.fields["Other"].attributes == {"fieldType": "notAssigned", "value": "y"}


def test_a_new_pass_shows_the_template_with_its_own_values_on_top_and_shares_nothing() -> None:
    template = Content(fields={"Points": Entry({"fieldType": "primary", "value": "0", "label": "Points"})})

    own = overlay(template, _write("7"))

    assert own.fields["Points"].attributes == {"fieldType": "primary", "value": "7", "label": "Points"}
    assert own.fields["Points"].tickets == {}
    assert template.fields["Points"].attributes["value"] == "0"


def test_an_older_write_of_a_list_loses_whatever_was_written_in_between() -> None:
    content = Content()
    for ticket_id, update in (
        (3, ContentUpdate(lists={"locations": [{"latitude": 3}]})),
        (4, ContentUpdate(fields={"Points": {"value": "4"}})),
        (2, ContentUpdate(lists={"locations": [{"latitude": 2}]})),
    ):
        content = content.copy_for(update)
        apply_update(content, update, ticket_id=ticket_id)

    assert content.lists == {"locations": [{"latitude": 3}]}
    assert content.fields["Points"].attributes["value"] == "4"


def test_a_copy_takes_an_update_without_touching_what_it_was_made_of() -> None:
    before = Content(fields={"Points": Entry({"value": "1"})}, lists={"locations": []}, list_tickets={"locations": 1})
    update = ContentUpdate(fields={"Points": {"value": "2"}}, lists={"locations": [{"latitude": 2}]})

    apply_update(before.copy_for(update), update, ticket_id=2)

    assert (before.fields["Points"].attributes, before.lists, before.list_tickets) == (
        {"value": "1"},
        {"locations": []},
        {"locations": 1},
    )
