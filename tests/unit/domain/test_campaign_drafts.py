"""What Passworks clients write, as changes of content (passworks-v2, sections 6 to 8 and 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.campaign_drafts import (
    OWN_HEADERS,
    OWN_PARTS,
    PUSH_MESSAGE,
    ContentDraft,
    as_update,
    is_same_look,
    look_of,
    merge_update,
    push_message_update,
    restart_update,
    with_look,
    write_into,
)
from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.content import Content, ContentUpdate, Entry, apply_update, overlay
from chalicelib.domain.templates import APPLE, Template

KEYS = ("offer", "points", "terms")
GROUPS = ("header", "primary", "secondary", "auxiliary", "back")

_values = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "b", 0.5])
_sent = st.fixed_dictionaries(
    {"fieldType": st.sampled_from(GROUPS)},
    optional={"value": _values, "label": _values, "behaviour": st.sampled_from(["fixed", "dynamic"])},
)
_fields = st.dictionaries(st.sampled_from(KEYS), _sent, max_size=3)
_headers = st.dictionaries(
    st.sampled_from(["logo_text", "background_color", "barcode_value"]),
    st.fixed_dictionaries({"value": st.sampled_from(["", "x", "y"])}),
    max_size=2,
)
_parts = st.fixed_dictionaries(
    {},
    optional={
        "locations": st.lists(st.just({"latitude": 1, "longitude": 2}), max_size=2),
        "beacons": st.lists(st.just({"major": 1}), max_size=1),
        "user_info": st.dictionaries(st.just("email"), st.just("a@example.com")),
        "logo_id": st.sampled_from([None, "an-id"]),
    },
)
_drafts = st.builds(
    ContentDraft,
    fields=_fields,
    emptied=st.frozensets(st.sampled_from(GROUPS), max_size=2),
    headers=_headers,
    parts=_parts,
)
_contents = st.lists(_drafts, max_size=3).map(
    lambda drafts: _write_all(Content(lists={"style": "coupon"}), drafts),
)
_options = st.builds(CampaignOptions, sync_locations_on_merge=st.booleans(), sync_beacons_on_merge=st.booleans())


def _write_all(content: Content, drafts: list[ContentDraft]) -> Content:
    for draft in drafts:
        content = write_into(content, draft)
    return content


def _template(content: Content, **options: Any) -> Template:
    moment = datetime(2016, 1, 1, tzinfo=UTC)
    return Template(
        template_id=1,
        project_id=1,
        campaign_id="4e0551fb-1127-4a96-a2b1-8a73adb4b2db",
        external_id=None,
        name="Card",
        description="",
        type="Coupon",
        project_type="coupon",
        vendor=APPLE,
        created_at=moment,
        updated_at=moment,
        content=content,
        revision=1,
        campaign=CampaignOptions(**options),
    )


def _shown(content: Content) -> Any:
    """What v2 shows: fields by place, headers and parts."""
    fields = {
        name: [entry.attributes.get(key) for key in ("fieldType", "value", "label")]
        + [entry.attributes.get("behaviour", "fixed")]
        for name, entry in content.fields.items()
        if entry.attributes.get("fieldType") in GROUPS and name != PUSH_MESSAGE
    }
    return fields, {name: entry.attributes.get("value") for name, entry in content.headers.items()}, content.lists


def _merged(content: Content, *updates: tuple[int, ContentUpdate]) -> Content:
    written = Content.decode(content.encode())
    for ticket_id, update in updates:
        apply_update(written, update, ticket_id=ticket_id)
    return written


def _value(content: Content, name: str) -> Any:
    return content.fields[name].attributes.get("value")


@given(_contents, _drafts)
def test_a_draft_does_the_same_to_a_campaign_and_to_a_pass(content: Content, draft: ContentDraft) -> None:
    updated = _merged(content, (7, as_update(draft, current=content)))

    assert _shown(updated) == _shown(write_into(content, draft))


@given(_contents, _drafts)
def test_a_draft_does_the_same_to_a_new_pass(content: Content, draft: ContentDraft) -> None:
    created = overlay(content, as_update(draft, current=content))

    assert _shown(created) == _shown(write_into(content, draft))


@given(_contents, _drafts)
def test_writing_a_draft_leaves_what_it_was_written_on(content: Content, draft: ContentDraft) -> None:
    before = content.encode()

    written = write_into(content, draft)
    for entry in (*written.fields.values(), *written.headers.values()):
        entry.attributes["value"] = "spoilt"

    assert content.encode() == before


@given(_contents, _drafts)
def test_a_draft_written_twice_is_a_draft_written_once(content: Content, draft: ContentDraft) -> None:
    once = write_into(content, draft)

    assert _shown(write_into(once, draft)) == _shown(once)


@st.composite
def _histories(draw: st.DrawFn) -> tuple[Content, list[tuple[int, ContentUpdate]], list[tuple[int, ContentUpdate]]]:
    """A pass; merges, pushes and single updates in the order of their tickets; and the same shuffled and repeated."""
    current = draw(_contents)
    updates: list[ContentUpdate] = []
    for draft in draw(st.lists(_drafts, min_size=1, max_size=5)):
        kind = draw(st.sampled_from(["merge", "merge", "single", "push"]))
        if kind == "merge":
            template = replace(_template(_write_all(Content(), [draft])), campaign=draw(_options))
            updates.append(merge_update(template, message=draw(st.sampled_from([None, "first", "second"]))))
        elif kind == "single":
            updates.append(as_update(draft, current=current))
        else:
            updates.append(ContentUpdate(fields=push_message_update("third")))
    history = list(enumerate(updates, start=1))
    repeated = draw(st.lists(st.sampled_from(history), max_size=4))
    return current, history, draw(st.permutations(history + repeated))


@given(_histories())
def test_merges_and_updates_in_any_order_end_as_in_the_order_of_their_tickets(
    history: tuple[Content, list[tuple[int, ContentUpdate]], list[tuple[int, ContentUpdate]]],
) -> None:
    content, in_order, shuffled = history

    assert _merged(content, *shuffled) == _merged(content, *in_order)


@given(_contents, _contents, _options)
def test_a_merge_twice_changes_nothing_the_second_time(
    pass_content: Content, content: Content, options: CampaignOptions
) -> None:
    update = merge_update(replace(_template(content), campaign=options))
    merged = _merged(pass_content, (1, update))

    assert not apply_update(merged, update, ticket_id=2).changed


@given(_contents, _contents, _options)
def test_a_merge_keeps_what_is_the_pass_own(pass_content: Content, content: Content, options: CampaignOptions) -> None:
    merged = _merged(pass_content, (1, merge_update(replace(_template(content), campaign=options))))

    for name in OWN_PARTS:
        assert merged.lists.get(name) == pass_content.lists.get(name)
    for name in OWN_HEADERS:
        assert merged.headers.get(name) == pass_content.headers.get(name)
    assert ("locations" in merged.lists and merged.lists["locations"] == content.lists.get("locations", [])) or (
        not options.sync_locations_on_merge and merged.lists.get("locations") == pass_content.lists.get("locations")
    )


@given(_contents, _contents)
def test_a_merge_overwrites_fixed_fields_and_keeps_dynamic_values(pass_content: Content, content: Content) -> None:
    merged = _merged(pass_content, (1, merge_update(_template(content))))

    for name, entry in content.fields.items():
        is_kept = entry.attributes.get("behaviour") == "dynamic" and name in pass_content.fields
        assert _value(merged, name) == _value(pass_content if is_kept else content, name)
        assert merged.fields[name].attributes["label"] == entry.attributes["label"]
        assert merged.fields[name].attributes["fieldType"] == entry.attributes["fieldType"]


@given(_contents, _contents, _drafts)
def test_a_pass_that_begins_anew_shows_the_campaign_and_the_draft(
    pass_content: Content, content: Content, draft: ContentDraft
) -> None:
    update = restart_update(_template(content), draft, current=pass_content)

    fields, _, parts = _shown(_merged(pass_content, (1, update)))

    expected, _, expected_parts = _shown(write_into(content, draft))
    assert fields == expected
    for name, empty in (("locations", []), ("beacons", []), ("user_info", {}), ("logo_id", None)):
        if name != "logo_id" or name in expected_parts:
            assert (parts.get(name) or empty) == (expected_parts.get(name) or empty)


def test_a_pass_that_begins_anew_keeps_its_own_code_unless_the_draft_brings_one() -> None:
    entries = {name: Entry({"value": name}) for name in ("barcode_value", "barcodeAltText", "logo_text")}
    campaign = _template(Content(headers=entries))
    own_code = ContentDraft(headers={"barcode_value": {"value": "12"}})

    kept = restart_update(campaign, ContentDraft(), current=Content())
    brought = restart_update(campaign, own_code, current=Content())

    assert kept.headers == {"logo_text": {"value": "logo_text"}}
    assert brought.headers == {"logo_text": {"value": "logo_text"}, "barcode_value": {"value": "12"}}


def test_of_two_merges_the_first_gives_a_new_dynamic_field_its_value() -> None:
    def merge(value: str) -> ContentUpdate:
        attributes = {"fieldType": "back", "value": value, "label": value, "behaviour": "dynamic"}
        return merge_update(_template(Content(fields={"points": Entry(attributes)})))

    for order in ([(1, merge("1")), (2, merge("2"))], [(2, merge("2")), (1, merge("1"))]):
        merged = _merged(Content(), *order)
        assert (_value(merged, "points"), merged.fields["points"].attributes["label"]) == ("1", "2")


def test_any_write_wins_over_the_value_that_a_merge_began_with() -> None:
    attributes = {"fieldType": "back", "value": "0", "behaviour": "dynamic"}
    merge = merge_update(_template(Content(fields={"points": Entry(attributes)})))
    write = ContentUpdate(fields={"points": {"value": "7"}})

    for order in (
        [(1, write), (2, merge)],
        [(2, merge), (1, write)],
        [(1, merge), (2, write)],
        [(2, write), (1, merge)],
    ):
        assert _value(_merged(Content(), *order), "points") == "7"


def test_a_message_is_written_where_a_wallet_shows_it_and_nowhere_without_one() -> None:
    assert push_message_update(None) == push_message_update("") == {}
    written = {"value": "Hello", "label": "", "changeMessage": "%@", "fieldType": "back"}
    assert push_message_update("Hello") == {PUSH_MESSAGE: written}
    assert PUSH_MESSAGE in merge_update(_template(Content()), message="Hello").fields


def test_emptying_the_back_leaves_the_message_there() -> None:
    content = Content(fields={PUSH_MESSAGE: Entry(dict(push_message_update("Hello")[PUSH_MESSAGE]))})

    assert as_update(ContentDraft(emptied=frozenset({"back"})), current=content).fields == {}


def test_a_look_replaces_the_whole_look_and_nothing_else() -> None:
    content = _write_all(
        Content(lists={"style": "coupon"}),
        [
            ContentDraft(
                fields={"offer": {"fieldType": "primary", "value": "1"}},
                headers={"background_color": {"value": "#000000"}, "barcode_value": {"value": "12"}},
                parts={"logo_id": "a-logo", "locations": [{"latitude": 1, "longitude": 2}]},
            )
        ],
    )
    look = Content(headers={"logo_text": Entry({"value": "Acme"})}, lists={"style": "coupon", "icon_id": "an-icon"})

    changed = with_look(content, look)

    assert is_same_look(changed, look)
    assert not is_same_look(changed, content)
    assert changed.fields == content.fields
    assert changed.headers["barcode_value"] == content.headers["barcode_value"]
    shown = {name: entry.attributes["value"] for name, entry in changed.headers.items()}
    assert shown == {"barcode_value": "12", "logo_text": "Acme", "background_color": None}
    assert changed.lists["locations"] == content.lists["locations"]


@given(_contents)
def test_a_content_looks_like_its_look(content: Content) -> None:
    assert is_same_look(content, look_of(content))
    assert look_of(content).fields == {}
