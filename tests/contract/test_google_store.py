"""What both stores of Google's classes and objects hold to: the real one, and the one that tests use."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.errors import Conflict
from chalicelib.domain.google_ports import GoogleObjectStore, GoogleType, SentClass, SentObject
from chalicelib.store.google_objects import DynamoGoogleObjectStore
from chalicelib.wiring import get_database
from tests.support.fake_google_store import FakeGoogleStore
from tests.support.google_issuer import START, make_content

SPACING = timedelta(milliseconds=50)
HOUR = timedelta(hours=1)

_numbers = itertools.count(800_000)


@pytest.fixture(params=["fake", "real"])
def store(request: pytest.FixtureRequest) -> GoogleObjectStore:
    """The store in question."""
    if request.param == "fake":
        return FakeGoogleStore()
    request.getfixturevalue("stack")
    return DynamoGoogleObjectStore(get_database())


def new_class() -> SentClass:
    return SentClass(
        template_id=next(_numbers),
        google_type=GoogleType.LOYALTY,
        shared=make_content({"points": {"value": "é"}}, {"logo_text": "Café"}, description="Card"),
        announced={"points": "0123456789ab"},
        notified_at=(START, START + HOUR),
    )


def new_object() -> SentObject:
    return SentObject(
        pass_id=next(_numbers),
        object_id="33.serial",
        google_type=GoogleType.GENERIC,
        pass_revision=7,
        digest="digest",
        announced={"points": "0123456789ab"},
        notified_at=(START,),
    )


def test_what_was_stored_is_read_whole(store: GoogleObjectStore) -> None:
    of_template, of_pass = store.save_class(new_class()), store.save_object(new_object())

    assert store.read(template_ids=[of_template.template_id], pass_ids=[of_pass.pass_id, 1]) == (
        {of_template.template_id: of_template},
        {of_pass.pass_id: of_pass},
    )
    assert (of_template.revision, of_pass.revision) == (1, 1)
    assert store.read() == ({}, {})


def test_more_can_be_read_than_one_call_holds(store: GoogleObjectStore) -> None:
    stored = [store.save_object(new_object()) for _ in range(101)]

    _, objects = store.read(pass_ids=[one.pass_id for one in stored])

    assert objects == {one.pass_id: one for one in stored}


def test_each_write_takes_the_next_revision_and_an_old_one_loses(store: GoogleObjectStore) -> None:
    first = store.save_object(new_object())
    second = store.save_object(replace(first, digest=""))

    assert second.revision == 2
    for old in (first, replace(first, revision=0), replace(first, revision=3)):
        with pytest.raises(Conflict):
            store.save_object(old)
    assert store.read(pass_ids=[first.pass_id])[1] == {first.pass_id: second}


def test_classes_are_written_so_too(store: GoogleObjectStore) -> None:
    first = store.save_class(new_class())
    assert store.save_class(replace(first, digest="x")).revision == 2

    with pytest.raises(Conflict):
        store.save_class(first)


def test_turns_follow_each_other_and_never_lie_in_the_past(store: GoogleObjectStore) -> None:
    account = f"account {next(_numbers)}"

    def reserve(count: int, *, after: timedelta = timedelta()) -> timedelta:
        moment = store.reserve(account=account, count=count, spacing=SPACING, now=START + after, horizon=HOUR)
        return moment - START

    assert reserve(2) == timedelta()
    assert reserve(1) == 2 * SPACING
    assert reserve(3, after=HOUR) == HOUR
    assert reserve(1, after=HOUR) == HOUR + 3 * SPACING


def test_a_turn_beyond_the_horizon_is_told_but_not_taken(store: GoogleObjectStore) -> None:
    account = f"account {next(_numbers)}"
    store.hold_off(account=account, until=START + HOUR)
    for horizon in (timedelta(), HOUR - SPACING, HOUR):
        assert store.reserve(account=account, count=1, spacing=SPACING, now=START, horizon=horizon) == START + HOUR

    assert store.reserve(account=account, count=1, spacing=SPACING, now=START, horizon=2 * HOUR) == (
        START + HOUR + SPACING
    )
