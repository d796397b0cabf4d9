"""What the requests of devices cost (DESIGN, section 9): DynamoDB calls, at 100 and at 10,000 registrations.

`pytest -s` prints the measured table.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from chalicelib.domain.passes import Pass
from tests.contract.cards import Card, campaign_path
from tests.contract.samples import new_template
from tests.support.builders import make_passes
from tests.support.google_wallet import run_google_wallet
from tests.support.loading import load_registrations
from tests.support.phones import PassFile, Phone, WalletPassesPhone
from tests.support.recount import recount
from tests.support.stack import Stack, Tenant

SMALL, LARGE = 100, 10_000
SIZES = (SMALL, LARGE)
DEVICES = 50
PASSES_PER_BATCH = 100
TAGS = ("gold", "vip", "berlin")
SPARE = 6
"""passes that no device holds"""

pytestmark = pytest.mark.xdist_group("budgets")

Costs = dict[str, tuple[int, int]]
"""calls and budget, by what was asked"""


@dataclass(frozen=True)
class Scene:
    """A campaign with many registrations; `phone` is one of its devices and holds every pass of it."""

    stack: Stack
    tenant: Tenant
    template_id: int
    phone: Phone
    held: PassFile
    spare: list[PassFile]
    costs: Costs

    def measure(self, name: str, most: int, send: Callable[[], httpx.Response], *statuses: int) -> None:
        """Notes the calls of one request, with credentials that have just been read."""
        self.tenant.call("GET", "/v1/tag")
        with self.stack.count_calls() as calls:
            answer = send()
        assert answer.status_code in statuses, (name, answer.status_code, answer.text)
        self.costs[name] = (calls.total, most)


def _make_scene(stack: Stack, size: int) -> Scene:
    tenant = stack.tenant()
    template_id = new_template(tenant)
    passes = make_passes(tenant.project_id, size // DEVICES + SPARE, template_id=template_id, tags=TAGS)
    phone = Phone()
    files = [phone.add(Card(tenant, template_id, pass_.pass_id).url) for pass_ in (passes[0], *passes[-SPARE:])]
    _fill(passes[:-SPARE], phone, files[0])
    assert recount(stack.dynamodb, tenant.project_id) == [], "the loader makes what real devices make"
    return Scene(stack, tenant, template_id, phone, files[0], files[1:], {})


def _fill(passes: list[Pass], phone: Phone, file: PassFile) -> None:
    start = time.perf_counter()
    device_ids = [phone.device_id, *(f"device {number}" for number in range(1, DEVICES))]
    load_registrations(passes, device_ids=device_ids, pass_type=file.pass_type)
    seconds = time.perf_counter() - start
    sys.stdout.write(f"\n{len(passes) * DEVICES} registrations loaded in {seconds:.1f} s\n")


@pytest.fixture(scope="module")
def costs(stack: Stack) -> dict[int, Costs]:
    """Calls and budget of every request, by number of registrations; printed as a table."""
    if stack.engine_name == "moto":
        pytest.skip("COSTS ARE NOT CHECKED: moto does not count what DynamoDB would")
    costs = {}
    for size in SIZES:
        with _quiet_google(stack) as save:
            scene = _make_scene(stack, size)
            _measure_devices(scene, size)
            _measure_google(scene, save)
            _measure_lists(scene, size)
        costs[size] = scene.costs
    sys.stdout.write(f"\n{'DynamoDB calls':<62} {'budget':>6} {SMALL:>6} {LARGE:>6}\n")
    for name, (large, most) in costs[LARGE].items():
        small = costs[SMALL].get(name, ("-", most))[0]
        sys.stdout.write(f"{name:<62} {most:>6} {small:>6} {large:>6}\n")
    return costs


@contextmanager
def _quiet_google(stack: Stack) -> Iterator[Callable[[str, str], httpx.Response]]:
    with run_google_wallet(stack.url) as google:
        yield lambda serial_number, event: google.post(google.sign(serial_number, event=event))


def _measure_devices(scene: Scene, size: int) -> None:
    phone, newcomer, spare = scene.phone, WalletPassesPhone(), scene.spare[0]
    installed = scene.held
    tag = phone.ask(installed).json()["lastUpdated"]

    scene.measure("register, a pass never installed, with 3 tags", 4, lambda: newcomer.register(spare), 201)
    scene.measure("register, one more device", 4, lambda: newcomer.register(installed), 201)
    scene.measure("register again, nothing new", 2, lambda: newcomer.register(installed), 200)
    newcomer.push_token = "rotated"
    scene.measure("register again, with another push token", 2, lambda: newcomer.register(installed), 200)
    again = Phone(device_id=newcomer.device_id)
    scene.measure("register again, from another wallet", 2, lambda: again.register(installed), 200)
    scene.measure("unregister, others stay", 4, lambda: newcomer.unregister(installed), 200)
    scene.measure("unregister, nothing there", 1, lambda: newcomer.unregister(installed), 200)
    scene.measure("unregister, the last one, with 3 tags", 4, lambda: newcomer.unregister(spare), 200)
    scene.measure("register, uninstalled before, with 3 tags", 4, lambda: newcomer.register(spare), 201)
    scene.measure("list changed passes of 1, all", 3, lambda: newcomer.ask(spare), 200)
    batches = -(-size // DEVICES // PASSES_PER_BATCH)
    scene.measure("list changed passes, none changed", 2 + batches, lambda: phone.ask(installed, tag), 204)
    scene.measure("list changed passes, unknown device", 1, lambda: Phone().ask(installed), 204)
    scene.measure("latest pass", 3, lambda: phone.fetch(installed), 200)
    scene.measure("latest pass, unchanged", 2, lambda: phone.fetch(installed, since=installed.last_modified), 304)
    scene.measure(
        "any request with a wrong token",
        1,
        lambda: phone.fetch(installed, headers={"Authorization": "ApplePass x"}),
        401,
    )


def _measure_google(scene: Scene, post: Callable[[str, str], httpx.Response]) -> None:
    serial_number = scene.spare[1].serial_number
    post(serial_number, "view")  # from here on Google's keys are known
    scene.measure("Google, save, a pass never installed, with 3 tags", 5, lambda: post(serial_number, "save"), 200)
    scene.measure("Google, delete, the last one, with 3 tags", 4, lambda: post(serial_number, "del"), 200)


def _page(name: str, query: str, *, segments: int) -> tuple[str, str, int]:
    return f"GET /v2/../registrations, {name}", query, 3 + segments


def _measure_lists(scene: Scene, size: int) -> None:
    path = f"{campaign_path(scene.tenant, scene.template_id)}/registrations"
    middle = size // 50 + 3
    # numbers begin with 1, so the ten-thousandth registration and what came after it are in a segment of their own
    newest = 2 if size == LARGE else 1
    pages = [
        _page("page 1", "page=1", segments=1),
        _page("page 1, newest first", "q[s]=created_at+desc", segments=newest),
        _page("a page in the middle", f"page={middle // 2}", segments=1),
        _page("the last full page", f"page={size // 25}", segments=newest),
        _page("past the end", "page=5000", segments=0),
        _page("page 1, one wallet", "q[wallet_eq]=pass2u", segments=1),
        _page("a deep page, one wallet", f"q[wallet_eq]=pass2u&per_page=10&page={size // 100}", segments=1),
        _page("page 1, one operating system", "q[device_os_eq]=ios", segments=1),
    ]
    if size == LARGE:
        pages.append(_page("over the edge of a segment", "per_page=50&offset=975", segments=2))
    for name, query, most in pages:
        scene.measure(name, most, lambda query=query: scene.tenant.request("GET", f"{path}?{query}"), 200)  # type: ignore[misc]
    own = Card(scene.tenant, scene.template_id, 0)
    assert own.list_registrations("?per_page=1")
    pass_path = path.replace("registrations", f"passes/{scene.held.serial_number}/registrations")
    scene.measure("GET /v2/../passes/{id}/registrations", 5, lambda: scene.tenant.request("GET", pass_path), 200)


def test_every_request_stays_within_its_budget(costs: dict[int, Costs]) -> None:
    over = {f"{name}, {size}": cost for size in SIZES for name, cost in costs[size].items() if cost[0] > cost[1]}
    assert over == {}


def test_a_request_costs_no_more_at_10_000_registrations_than_its_parts_allow(costs: dict[int, Costs]) -> None:
    """One call more for each segment that a page touches, and for each 100 passes of a device; nothing else grows."""
    spared = {size: {name: most - calls for name, (calls, most) in costs[size].items()} for size in SIZES}

    assert {name: spared[LARGE][name] for name in spared[SMALL]} == spared[SMALL]
