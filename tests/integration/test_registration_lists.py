"""Lists of registrations against a plain filter and sort over everything there is (passworks-v2, sections 2, 5, 12)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.campaign_lists import REGISTRATION_ATTRIBUTES, list_registrations
from chalicelib.domain.errors import InvalidFilter
from chalicelib.domain.filtering import Condition, Ordering, Predicate, Query, make_condition
from chalicelib.domain.paging import Page, Window
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import RegistrationSummary, Wallet, device_key
from chalicelib.domain.templates import Template
from chalicelib.wiring import get_platform
from tests.support import devices
from tests.support.builders import make_passes, make_template
from tests.support.stack import Stack

MOMENT = datetime(2016, 11, 9, 11, tzinfo=UTC)
WALLETS = tuple(Wallet)
Row = dict[str, str]


@dataclass(frozen=True)
class Crowd:
    """A campaign whose registrations lie in three segments, and its rows as a list shows them, oldest first."""

    template: Template
    passes: list[Pass]
    rows: list[Row]

    def list(self, pass_: Pass | None, query: Query, window: Window) -> Page[Row]:
        """What the server lists."""
        page = list_registrations(get_platform(), self.template, pass_=pass_, query=query, window=window)
        return page.map(show)


def show(registration: RegistrationSummary) -> Row:
    """A row in the words of the contract, without a function of the server's."""
    milliseconds = registration.created_at.microsecond // 1000
    return {
        "id": registration.registration_id,
        "pass_id": registration.serial_number,
        "wallet": registration.wallet.value,
        "device_os": "ios" if registration.wallet is Wallet.PASSBOOK else "android",
        "created_at": f"{registration.created_at:%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z",
    }


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> Crowd:
    """66 installations on five passes, of which six are gone again and six changed their wallet."""
    platform = get_platform()
    project_id = stack.tenant().project_id
    template = make_template(project_id)
    passes = make_passes(project_id, 5, template_id=template.template_id)
    held: list[tuple[Pass, str]] = []
    for number in range(66):
        if number in (20, 45):
            # the next registrations fall into another segment
            platform.sequences.next_values(
                name=f"registrations:{template.template_id}", count=990, now=MOMENT, apart=True
            )
        pass_, device = passes[number * number % 5], f"device {number}"
        devices.install(
            platform_at(MOMENT + timedelta(seconds=1500 + number // 3)),
            project_id=project_id,
            pass_id=pass_.pass_id,
            device=device,
            wallet=WALLETS[number % 4],
        )
        held.append((pass_, device))
    for pass_, device in held[3::11]:
        devices.remove(platform, project_id=project_id, pass_id=pass_.pass_id, device=device)
    for pass_, device in held[5::11]:
        change_wallet(pass_, device)
    rows = [row for pass_, device in held if (row := find_row(pass_, device)) is not None]
    assert len(rows) == 60
    assert len({row["created_at"] for row in rows}) == 60
    return Crowd(template, passes, sorted(rows, key=lambda row: (row["created_at"], row["id"])))


def platform_at(moment: datetime) -> Platform:
    """The platform, whose clock stands still."""
    return replace(get_platform(), now=lambda: moment)


def find_row(pass_: Pass, device: str) -> Row | None:
    """The row of one device, read by its own key instead of by a list."""
    key = device_key(device_id=device, pass_type=devices.PASS_TYPE)
    registration = get_platform().registrations.find(device=key, pass_id=pass_.pass_id)[1]
    return None if registration is None else show(registration)


def change_wallet(pass_: Pass, device: str) -> None:
    """The device registers again from the other wallet app."""
    platform = get_platform()
    key = device_key(device_id=device, pass_type=devices.PASS_TYPE)
    before = platform.registrations.find(device=key, pass_id=pass_.pass_id)[1]
    assert before is not None
    after = replace(before, wallet=Wallet.PASSWALLET, registered_at=platform.now())
    platform.registrations.renew(before=before, after=after)


# The plain way: every value is compared as the text that a list shows. Times sort as they are written.

COMPARISONS: dict[Predicate, Callable[[str, str], bool]] = {
    Predicate.EQ: lambda shown, value: shown == value,
    Predicate.NOT_EQ: lambda shown, value: shown != value,
    Predicate.LT: lambda shown, value: shown < value,
    Predicate.LTEQ: lambda shown, value: shown <= value,
    Predicate.GT: lambda shown, value: shown > value,
    Predicate.GTEQ: lambda shown, value: shown >= value,
    Predicate.CONT: lambda shown, value: value.lower() in shown.lower(),
    Predicate.MATCHES: lambda shown, value: (
        re.fullmatch(re.escape(value).replace("%", ".*").replace("_", "."), shown, re.IGNORECASE) is not None
    ),
}


@dataclass(frozen=True)
class Asked:
    """A query as a client writes it: attribute, predicate and value of each condition, the order, and the rows."""

    conditions: tuple[tuple[str, Predicate, str], ...]
    order: str | None
    descending: bool
    window: Window

    def as_query(self) -> Query:
        """For the server."""
        conditions: tuple[Condition, ...] = tuple(
            make_condition(attribute=name, kind=REGISTRATION_ATTRIBUTES[name], predicate=predicate, text=value)
            for name, predicate, value in self.conditions
        )
        if self.order is None:
            return Query(conditions=conditions)
        kind = REGISTRATION_ATTRIBUTES[self.order]
        return Query(
            conditions=conditions, ordering=Ordering(attribute=self.order, kind=kind, descending=self.descending)
        )

    def answer(self, rows: list[Row]) -> Page[Row]:
        """In the plain way."""
        found = [
            row
            for row in rows
            if all(COMPARISONS[predicate](row[name], value) for name, predicate, value in self.conditions)
        ]
        order = self.order
        if order is not None:
            found.sort(key=lambda row: row[order], reverse=self.descending)
        return Page(items=found[self.window.offset :][: self.window.size], total=len(found))


@st.composite
def asked(draw: st.DrawFn, rows: list[Row]) -> Asked:
    """A query about these rows, whose values are often those of a row."""
    conditions = []
    for _ in range(draw(st.integers(0, 3))):
        name = draw(st.sampled_from(sorted(REGISTRATION_ATTRIBUTES)))
        predicate = draw(st.sampled_from(Predicate))
        value = draw(st.sampled_from(rows))[name]
        if predicate in (Predicate.CONT, Predicate.MATCHES):
            start, end = sorted((draw(st.integers(0, len(value))), draw(st.integers(0, len(value)))))
            value = value[start:end].upper()
            if predicate is Predicate.MATCHES:
                value = draw(st.sampled_from([f"%{value}%", f"{value}%", f"%{value}", f"_{value}%", value]))
        elif name != "created_at":
            value = draw(st.sampled_from([value, value[:3], value.upper(), "", "q"]))
        conditions.append((name, predicate, value))
    return Asked(
        conditions=tuple(conditions),
        order=draw(st.none() | st.sampled_from(sorted(REGISTRATION_ATTRIBUTES))),
        descending=draw(st.booleans()),
        window=Window(offset=draw(st.integers(0, 70)), size=draw(st.integers(1, 50))),
    )


@settings(max_examples=300)
@given(data=st.data())
def test_any_page_of_any_query_is_that_of_the_plain_way(crowd: Crowd, data: st.DataObject) -> None:
    position = data.draw(st.none() | st.integers(0, 4), label="pass")
    pass_ = None if position is None else crowd.passes[position]
    query = data.draw(asked(crowd.rows), label="query")
    rows = [row for row in crowd.rows if pass_ is None or row["pass_id"] == pass_.serial_number]

    assert crowd.list(pass_, query.as_query(), query.window) == query.answer(rows)


@pytest.mark.parametrize("wallet", [None, Wallet.PASSBOOK, Wallet.PASSWALLET])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_in_order_of_creation_join_without_gap_or_repeat(
    crowd: Crowd, wallet: Wallet | None, descending: bool, size: int
) -> None:
    wanted = [row for row in crowd.rows if wallet is None or row["wallet"] == wallet]
    conditions = () if wallet is None else (("wallet", Predicate.EQ, wallet.value),)
    seen: list[Row] = []
    for offset in range(0, len(wanted) + size, size):
        window = Window(offset=offset, size=size)
        query = Asked(conditions, "created_at", descending, window)
        page = crowd.list(None, query.as_query(), window)
        assert page.total == len(wanted)
        seen += page.items

    assert wanted
    assert seen == (wanted[::-1] if descending else wanted)


def test_only_a_query_that_reads_more_rows_than_the_limit_is_refused(crowd: Crowd) -> None:
    """Wallet, system and creation are counted, so they read no more than their page."""
    platform = get_platform()
    bounded = replace(platform, bounds=replace(platform.bounds, rows_filtered=59))
    window = Window(offset=0, size=50)
    ios = ("device_os", Predicate.EQ, "ios")
    by_id = ("id", Predicate.GT, "8")

    for asked_ in (
        Asked((), None, False, window),
        Asked((), "created_at", True, window),
        Asked((ios,), None, False, window),
        Asked((ios, by_id), "id", False, window),
    ):
        page = list_registrations(bounded, crowd.template, query=asked_.as_query(), window=window)
        assert page.map(show) == asked_.answer(crowd.rows)
    for asked_ in (Asked((by_id,), None, False, window), Asked((), "wallet", False, window)):
        with pytest.raises(InvalidFilter, match=r"60 rows would have to be read, the limit is 59"):
            list_registrations(bounded, crowd.template, query=asked_.as_query(), window=window)
