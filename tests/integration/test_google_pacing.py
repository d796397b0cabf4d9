"""Turns at Google: one rate for all workers of an account (wallets, section 4.4). No test here waits for a clock."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from chalicelib.domain.google_pacing import BLOCK, REQUESTS_PER_SECOND, SPACING, Pacer, TurnIsFar
from chalicelib.domain.google_ports import Pace, RateStore
from chalicelib.store.google_objects import DynamoGoogleObjectStore
from chalicelib.wiring import get_database
from local.google_api import Received
from tests.support.fake_google_store import FakeGoogleStore
from tests.support.google_issuer import EMAIL, START, Clock, make_pass, make_template, run_issuer

SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
PUBLISHED_PER_SECOND = 20
PATIENT = Pace(ahead=BLOCK, patience_seconds=3600)

_accounts = itertools.count(1)


@pytest.fixture(params=["fake", "real"])
def rates(request: pytest.FixtureRequest) -> RateStore:
    """Where the pace of accounts is kept."""
    if request.param == "fake":
        return FakeGoogleStore()
    request.getfixturevalue("stack")
    return DynamoGoogleObjectStore(get_database())


@pytest.fixture
def account() -> str:
    """An account of its own."""
    return f"account-{next(_accounts)}@example.com"


def most_in_a_second(moments: list[datetime]) -> int:
    """The most moments that any second holds."""
    ordered = sorted(moments)
    return max(sum(first <= one < first + SECOND for one in ordered) for first in ordered)


def test_two_workers_together_never_exceed_the_rate(rates: RateStore, account: str) -> None:
    def work(_: int) -> list[datetime]:
        # a clock that stands still makes every turn lie ahead, so that the moments themselves are what is checked
        pacer = Pacer(rates, now=lambda: START, sleep=lambda _: None)
        return [pacer.wait(account, PATIENT) for _ in range(100)]

    with ThreadPoolExecutor(max_workers=2) as workers:
        moments = sorted(moment for own in workers.map(work, range(2)) for moment in own)

    gaps = [after - before for before, after in itertools.pairwise(moments)]
    assert len(moments) == 200
    assert min(gaps) >= SPACING - MICROSECOND
    assert most_in_a_second(moments) <= REQUESTS_PER_SECOND + 1 <= PUBLISHED_PER_SECOND
    # and none is wasted: the rate is used up
    assert moments[-1] - moments[0] < 200 * SPACING + SECOND


def test_every_request_of_two_workers_over_the_wire_has_its_own_turn() -> None:
    store = FakeGoogleStore()
    with run_issuer(store) as issuer:
        times: list[datetime] = []

        def note(received: Received) -> None:
            if received.path != "token":
                times.append(issuer.clock.now())

        issuer.api.answer = note
        template = make_template()
        passes = [make_pass(template, pass_id) for pass_id in range(1, 61)]
        issuer.add(*passes, template=template)
        issuer.deliver(registered={pass_.pass_id: f"token {pass_.pass_id}" for pass_ in passes})

    assert len(times) == 61
    assert min(after - before for before, after in itertools.pairwise(times)) >= SPACING - MICROSECOND
    assert most_in_a_second(times) <= PUBLISHED_PER_SECOND


def test_a_worker_reserves_several_turns_at_a_time(account: str) -> None:
    class Counting(FakeGoogleStore):
        reserved: list[int]

        def reserve(
            self, *, account: str, count: int, spacing: timedelta, now: datetime, horizon: timedelta
        ) -> datetime:
            self.reserved.append(count)
            return super().reserve(account=account, count=count, spacing=spacing, now=now, horizon=horizon)

    store, clock = Counting(), Clock()
    store.reserved = []
    pacer = Pacer(store, now=clock.now, sleep=clock.sleep)
    for left in range(20, 0, -1):
        pacer.wait(account, Pace(ahead=left))

    assert store.reserved == [BLOCK, BLOCK, 2]


def test_turns_that_were_missed_are_not_made_up_for(rates: RateStore, account: str) -> None:
    clock = Clock()
    pacer = Pacer(rates, now=clock.now, sleep=clock.sleep)
    pacer.wait(account, Pace(ahead=BLOCK))
    clock.advance(seconds=60)

    moments = [pacer.wait(account, Pace(ahead=BLOCK)) for _ in range(30)]

    assert moments[0] == clock.moment - 29 * SPACING
    assert most_in_a_second(moments) <= REQUESTS_PER_SECOND + 1


def test_a_worker_that_overslept_takes_another_turn(account: str) -> None:
    clock, overslept = Clock(), [timedelta(seconds=5)]

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if overslept:
            clock.moment += overslept.pop()

    pacer = Pacer(FakeGoogleStore(), now=clock.now, sleep=sleep)
    pacer.wait(account, PATIENT)

    moment = pacer.wait(account, PATIENT)

    assert moment <= clock.now() < moment + SPACING


def test_nobody_waits_longer_than_his_patience_and_reserves_nothing_then(rates: RateStore, account: str) -> None:
    rates.hold_off(account=account, until=START + timedelta(seconds=21))
    clock = Clock()
    pacer = Pacer(rates, now=clock.now, sleep=clock.sleep)

    for _ in range(3):
        with pytest.raises(TurnIsFar) as far:
            pacer.wait(account, Pace(ahead=BLOCK, patience_seconds=20))
        assert far.value.retry_after_seconds == pytest.approx(21)

    assert clock.slept == []
    assert pacer.wait(account, Pace(patience_seconds=22)) == START + timedelta(seconds=21)


def test_holding_off_never_shortens_what_another_asked_for(rates: RateStore, account: str) -> None:
    clock = Clock()
    pacer = Pacer(rates, now=clock.now, sleep=clock.sleep)
    pacer.hold_off(account, seconds=30)
    pacer.hold_off(account, seconds=10)

    assert pacer.wait(account, PATIENT) == START + timedelta(seconds=30)


def test_accounts_do_not_wait_for_each_other(rates: RateStore, account: str) -> None:
    rates.hold_off(account=account, until=START + timedelta(hours=1))
    clock = Clock()

    assert Pacer(rates, now=clock.now, sleep=clock.sleep).wait(f"another {EMAIL} {account}", Pace()) == START
