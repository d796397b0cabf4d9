"""The phones' part in the demo: they install, are pushed, ask what changed, fetch it, and give their passes up."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

import click
import httpx

from local.demo_cast import TAGGED, Cast, Update
from local.demo_client import Api, Pushes, expect
from local.demo_progress import Watch
from local.phones import IPHONE, PASS2U, PASSWALLET, PASSWORKS_WALLET, WALLET_PASSES, Model, Phone

ROWS_PER_PAGE = 10
"""of registrations"""
PATIENCE_SECONDS = 20.0
"""for pushes, once the update is done"""


@dataclass(frozen=True)
class Role:
    """A phone of the story, and how many passes it installs."""

    name: str
    model: Model
    tagged: int
    untagged: int = 0


ROLES = (
    Role("iPhone", IPHONE, tagged=16, untagged=1),
    Role("Android phone", WALLET_PASSES, tagged=8),
    Role("second iPhone", IPHONE, tagged=2),
    Role("Pass2U phone", PASS2U, tagged=2),
    Role("PassWallet phone", PASSWALLET, tagged=2),
    Role("Passworks phone", PASSWORKS_WALLET, tagged=2),
    Role("third iPhone", IPHONE, tagged=0, untagged=2),
)
"""one pass with the tag is on the first two"""


@dataclass(frozen=True)
class Holding:
    """The passes that a phone holds."""

    phone: Phone
    serial_numbers: dict[int, str]
    """by pass id"""

    def list_changed_by(self, update: Update) -> list[int]:
        """Ids of its passes that an update is for."""
        return [pass_id for pass_id in self.serial_numbers if pass_id in update.pass_ids]


def deal_passes(cast: Cast) -> list[list[int]]:
    """The ids of each role's passes. Those of one phone are spread over the whole run, and so over segments."""
    tagged, untagged = list(cast.tagged), list(cast.untagged)
    count = sum(role.tagged for role in ROLES) - 1
    left = tagged[:: TAGGED // count][:count]
    hands: list[list[int]] = []
    for role in ROLES:
        shared = hands[0][:1] if len(hands) == 1 else []
        own = _spread(left, role.tagged - len(shared))
        left = [pass_id for pass_id in left if pass_id not in own]
        hands.append([*shared, *own, *_spread(untagged, role.untagged)])
        untagged = [pass_id for pass_id in untagged if pass_id not in hands[-1]]
    return hands


def _spread(pass_ids: Sequence[int], count: int) -> list[int]:
    return [pass_ids[number * len(pass_ids) // count] for number in range(count)]


def find_shared(holdings: Sequence[Holding]) -> int:
    """The pass that is on several phones."""
    holders = Counter(pass_id for holding in holdings for pass_id in holding.serial_numbers)
    return min(pass_id for pass_id, count in holders.items() if count > 1)


def install_passes(cast: Cast, *, air: httpx.Client) -> list[Holding]:
    """Passes spread over the run go to the phones, one of them to two. Each phone then knows what it holds."""

    def install(role: Role, pass_ids: Sequence[int]) -> Holding:
        phone = Phone(role.model, name=role.name, http=air)
        serial_numbers = {pass_id: phone.install(cast.links[pass_id]).serial_number for pass_id in pass_ids}
        holding = Holding(phone, serial_numbers)
        _expect_shown(cast, holding, updates=())
        expect(f"first list of the {phone.name}", sorted(phone.list_changed()), sorted(phone.passes))
        _expect_nothing_newer(holding)
        return holding

    watch = Watch()
    with ThreadPoolExecutor(len(ROLES)) as threads:
        holdings = list(threads.map(install, ROLES, deal_passes(cast)))
    total = _count_passes(holdings)
    click.echo(f"Installed {total} passes on {len(holdings)} phones of five wallets, one on two, {watch.rate(total)}")
    return holdings


def receive_update(
    cast: Cast,
    holdings: Sequence[Holding],
    updates: Sequence[Update],
    *,
    pushes: Pushes | None,
    ask: Callable[[], None],
    patience_seconds: float = PATIENCE_SECONDS,
) -> None:
    """Calls `ask`, which is to ask for the last of the updates and to see it done; meanwhile the phones follow it.

    Each phone that holds a pass of it is pushed once, at once asks what changed, and fetches exactly that; no other
    phone is pushed. Where pushes cannot be heard the phones ask once it is done.

    Raises:
        DemoError
    """
    update = updates[-1]
    holders = [holding for holding in holdings if holding.list_changed_by(update)]
    if pushes is None:
        ask()
        watch = Watch()
        for holding in holders:
            _fetch_changed(holding, update)
        came = f"Nobody hears pushes here, so {len(holders)} of {len(holdings)} phones polled"
        when = f"in {watch.seconds:.1f} s"
    else:
        seconds = _await_pushes(holders, updates, pushes=pushes, ask=ask, patience_seconds=patience_seconds)
        came = f"Pushed {len(holders)} of {len(holdings)} phones once"
        when = f"{seconds:.1f} s after the request"
    for holding in holdings:
        _expect_nothing_newer(holding)
        _expect_shown(cast, holding, updates=updates)
    if pushes is not None:
        expect_pushes(holdings, updates, pushes)
    changed = sum(len(holding.list_changed_by(update)) for holding in holders)
    fetched = "1 changed pass each" if changed == len(holders) else f"their {changed} changed passes"
    click.echo(f"{came}; they fetched {fetched} and show {update.values['Points']} points {when}")


def _await_pushes(
    holders: Sequence[Holding],
    updates: Sequence[Update],
    *,
    pushes: Pushes,
    ask: Callable[[], None],
    patience_seconds: float,
) -> float:
    """Seconds from the request to the last phone's last fetch. Each phone waits for itself."""
    enough = threading.Event()

    def follow(holding: Holding) -> float | None:
        """Seconds to this phone's last fetch; None if it was not pushed."""
        token, right = holding.phone.push_token, _count_pushes(holding, updates)
        if not pushes.await_push(token, than=right - 1, enough=enough):
            return None
        _fetch_changed(holding, updates[-1])
        return watch.seconds

    with ThreadPoolExecutor(len(holders)) as threads:
        watch = Watch()
        futures = [threads.submit(follow, holding) for holding in holders]
        try:
            ask()
            done, _ = wait(futures, timeout=patience_seconds, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        finally:
            enough.set()
    seconds = {holding.phone.name: future.result() for holding, future in zip(holders, futures, strict=True)}
    missing = [name for name, passed in seconds.items() if passed is None]
    expect(f"phones not pushed {patience_seconds:g} s after the update was done", missing, [])
    return max(passed for passed in seconds.values() if passed is not None)


def _count_pushes(holding: Holding, updates: Sequence[Update]) -> int:
    """How often a phone is to be pushed: once for each update of any of its passes."""
    return sum(1 for update in updates if holding.list_changed_by(update))


def expect_pushes(holdings: Sequence[Holding], updates: Sequence[Update], pushes: Pushes) -> None:
    """Each phone was pushed exactly once for each update of its passes, however many changed; others never.

    Raises:
        DemoError
    """
    actual = {holding.phone.name: pushes.count(holding.phone.push_token) for holding in holdings}
    right = {holding.phone.name: _count_pushes(holding, updates) for holding in holdings}
    for name, count in right.items():
        expect(f"pushes to the {name}", actual[name], count)


def _fetch_changed(holding: Holding, update: Update) -> None:
    """A phone is told of exactly those of its passes that changed, and gets a newer version of each."""
    phone, changed = holding.phone, holding.list_changed_by(update)
    listed = set(phone.list_changed())
    right = {holding.serial_numbers[pass_id] for pass_id in changed}
    # apart, since a push that comes before the last of a phone's passes has changed leaves that pass old for good
    expect(f"changed passes that the {phone.name} is not told of as it asks", right - listed, set())
    expect(f"passes that the {phone.name} is told of for nothing", listed - right, set())
    for pass_id in changed:
        what = f"a newer version of pass {pass_id} for the {phone.name}"
        expect(what, phone.fetch(holding.serial_numbers[pass_id]), True)


def _expect_nothing_newer(holding: Holding) -> None:
    """Nothing is left to tell a phone, and it has the newest version of all it holds."""
    phone = holding.phone
    for pass_id, serial_number in holding.serial_numbers.items():
        expect(f"a newer version of pass {pass_id} for the {phone.name}", phone.fetch(serial_number), False)
    expect(f"next list of the {phone.name}", phone.list_changed(), [])


def _expect_shown(cast: Cast, holding: Holding, *, updates: Sequence[Update]) -> None:
    phone = holding.phone
    for pass_id, serial_number in holding.serial_numbers.items():
        shown = phone.passes[serial_number].values
        expect(f"pass {pass_id} on the {phone.name}", shown, cast.values_of(pass_id, updates))


def find_registrations(api: Api, cast: Cast, holdings: Sequence[Holding]) -> None:
    """The campaign's registrations are exactly what the phones hold now; so are those of the pass on several."""
    campaigns = api.list_rows("/v2/store_cards", page_size=ROWS_PER_PAGE, query={"q[name_eq]": cast.name})
    expect("campaigns of the template's name", [each["name"] for each in campaigns], [cast.name])
    path = f"/v2/store_cards/{campaigns[0]['id']}"
    watch = Watch()
    rows = api.list_rows(f"{path}/registrations", page_size=ROWS_PER_PAGE)
    held = [(serial, holding.phone.model) for holding in holdings for serial in holding.phone.passes]
    right = sorted((serial, model.wallet, model.device_os) for serial, model in held)
    expect("registrations", sorted((row["pass_id"], row["wallet"], row["device_os"]) for row in rows), right)
    expect("different registration ids", len({row["id"] for row in rows}), len(rows))
    shared = find_shared(holdings)
    serial_number = next(each.serial_numbers[shared] for each in holdings if shared in each.serial_numbers)
    rows_of_pass = api.list_rows(f"{path}/passes/{serial_number}/registrations", page_size=ROWS_PER_PAGE)
    right_rows = [row for row in rows if row["pass_id"] == serial_number]
    expect("registrations of the pass on two phones", rows_of_pass, right_rows)
    click.echo(f"Found {len(rows)} registrations, exactly what the phones hold, in {watch.seconds * 1000:.0f} ms")


def remove_passes(holdings: Sequence[Holding]) -> None:
    """The phones give up all their passes, and have nothing to ask for any more."""

    def remove(holding: Holding) -> None:
        for serial_number in holding.serial_numbers.values():
            holding.phone.remove(serial_number)
        expect(f"last list of the {holding.phone.name}", holding.phone.list_changed(), [])

    watch = Watch()
    with ThreadPoolExecutor(len(holdings)) as threads:
        list(threads.map(remove, holdings))
    total = _count_passes(holdings)
    click.echo(f"Removed all {total} from the phones {watch.rate(total)}")


def _count_passes(holdings: Sequence[Holding]) -> int:
    return sum(len(holding.serial_numbers) for holding in holdings)
