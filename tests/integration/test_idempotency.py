"""One key, one effect: under many requests at once, when processes die and answers are lost, and as time passes."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner

from app import app
from benchmarks.gateway import basic, gateway_event
from chalicelib.api import requests
from chalicelib.commands.checks import check
from chalicelib.domain.errors import Busy
from chalicelib.domain.idempotency import KEPT, Answer, Claim, claim_key, finish_key
from chalicelib.domain.ports import Platform
from chalicelib.wiring import get_platform
from tests.contract.campaigns import add_image, create_campaign, create_pass, pass_path, path_of
from tests.contract.samples import TEMPLATE, new_pass, new_template
from tests.integration.conftest import Consistent
from tests.support.faults import Call, Fault, Killed, LostAnswer, Unreachable, conflict, inject, kill_at
from tests.support.functions import working_as
from tests.support.rivals import run_together, with_rival
from tests.support.stack import Stack, Tenant
from tests.support.units import measure_units

MANY, MANY_PASSES = 16, 40
WORKING = 409
CLAIM = timedelta(seconds=31)


class Clock:
    """The time of requests, which tests move on; and what else of their platform is not as usual."""

    def __init__(self) -> None:
        self.passed = timedelta()
        self.change: Callable[[Platform], Platform] = lambda platform: platform

    def platform(self) -> Platform:
        """What a request finds."""
        real = get_platform()
        return self.change(replace(real, now=lambda: real.now() + self.passed))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Of all requests of this process."""
    clock = Clock()
    monkeypatch.setattr(requests, "get_platform", clock.platform)
    return clock


@dataclass
class Scene:
    """A request to make again and again, and how many things it has made."""

    tenant: Tenant
    method: str
    route: str
    parameters: dict[str, Any]
    body: Any
    count: Callable[[], int]

    def send(self, key: str) -> tuple[int, Any, bool]:
        """Status, document, and whether it is a repeat of an answer; as Lambda would be called, in this thread."""
        headers = {"Api-Revision": "1.2", "Idempotency-Key": key, **basic(self.tenant.key, self.tenant.secret)}
        event = gateway_event(self.method, self.route, headers=headers, body=self.body, **self.parameters)
        answer = app(event, None)
        replayed = answer["headers"].get("Idempotency-Replayed") == "true"
        return answer["statusCode"], json.loads(answer["body"]), replayed


def _counter(tenant: Tenant, path: str, header: str | None = None) -> Callable[[], int]:
    def count() -> int:
        answer = tenant.request("GET", path)
        return int(answer.headers[header] if header else answer.json()["count"])

    return count


def _create(tenant: Tenant) -> Scene:
    parameters = {"identifier": str(new_template(tenant))}
    body = {"tag": "gold", "externalId": "card"}
    return Scene(tenant, "POST", "/v1/pass/{identifier}", parameters, body, _counter(tenant, "/v1/pass"))


def _create_many(tenant: Tenant) -> Scene:
    """Two transactions."""
    parameters = {"identifier": str(new_template(tenant))}
    body = {"passes": [{"externalId": str(number), "tag": "gold"} for number in range(MANY_PASSES)]}
    return Scene(tenant, "POST", "/v1/pass/{identifier}/bulk", parameters, body, _counter(tenant, "/v1/pass"))


def _create_template(tenant: Tenant) -> Scene:
    return Scene(tenant, "POST", "/v1/template", {}, TEMPLATE, _counter(tenant, "/v1/template/headers"))


def _create_campaign(tenant: Tenant) -> Scene:
    body = {"coupon": {"name": "Helloworld", "icon_id": add_image(tenant)}}
    count = _counter(tenant, "/v2/coupons", "X-Total")
    return Scene(tenant, "POST", "/v2/{campaign_type}", {"campaign_type": "coupons"}, body, count)


def _create_pass_of_campaign(tenant: Tenant) -> Scene:
    path = path_of(create_campaign(tenant))
    parameters = {"campaign_type": "coupons", "campaign_id": path.rpartition("/")[2]}
    count = _counter(tenant, f"{path}/passes", "X-Total")
    return Scene(tenant, "POST", "/v2/{campaign_type}/{campaign_id}/passes", parameters, {}, count)


def _redeem(tenant: Tenant) -> Scene:
    """As often as one likes: only the key keeps it from being done twice."""
    campaign = create_campaign(tenant, allow_multiple_redeems=True)
    path = pass_path(campaign, create_pass(tenant, campaign))
    route = "/v2/{campaign_type}/{campaign_id}/passes/{pass_id}/redeem"
    names = ("campaign_type", "campaign_id", "pass_id")
    parameters = dict(zip(names, path.split("/")[2::1][:2] + path.split("/")[5:], strict=True))
    return Scene(tenant, "POST", route, parameters, {}, _counter(tenant, f"{path}/redeems", "X-Total"))


def _update_tag(tenant: Tenant) -> Scene:
    """Tickets have no list: what is counted are rows."""
    new_pass(tenant, tag="gold")

    def count() -> int:
        from chalicelib.store.models import TicketRow

        return sum(1 for row in TicketRow.scan(TicketRow.project_id == tenant.project_id))

    body = {"fields": {"Points": {"value": "3"}}}
    return Scene(tenant, "PUT", "/v1/tag/{tag}/passes", {"tag": "gold"}, body, count)


SCENES = {
    scene.__name__.strip("_"): scene
    for scene in (_create, _create_template, _create_campaign, _create_pass_of_campaign, _redeem, _update_tag)
}
every_scene = pytest.mark.parametrize("build", SCENES.values(), ids=SCENES)


# Many at once


def test_of_many_requests_at_once_one_creates_and_the_others_wait_or_get_its_answer(
    tenant: Tenant, consistent: Consistent
) -> None:
    path, headers = f"/v1/pass/{new_template(tenant)}", {"Idempotency-Key": "k"}
    send = partial(tenant.request, "POST", path, json={"tag": "gold"}, headers=headers)

    replies = run_together([send] * MANY)

    assert {reply.status_code for reply in replies} <= {200, WORKING}
    bodies = {reply.text for reply in replies if reply.status_code == 200}
    assert len(bodies) == 1
    assert send().text == bodies.pop()
    assert tenant.call("GET", "/v1/pass")["count"] == 1
    consistent(tenant.project_id)


def test_of_many_redeems_at_once_with_one_key_one_takes_place(tenant: Tenant) -> None:
    scene = _redeem(tenant)

    answers = run_together([partial(scene.send, "k")] * MANY)

    assert {status for status, _, _ in answers} <= {200, 503}
    assert {document["redeemed_count"] for status, document, _ in answers if status == 200} == {1}
    assert scene.count() == 1


def test_of_many_writes_that_saw_the_same_pass_one_is_taken(tenant: Tenant) -> None:
    path = f"/v1/pass/{new_pass(tenant)}"
    seen = tenant.request("GET", path).headers["ETag"]

    def write(number: int) -> httpx.Response:
        body = {"fields": {"Points": {"value": str(number)}}}
        return tenant.request("PUT", path, json=body, headers={"If-Match": seen})

    replies = run_together([partial(write, number) for number in range(1, MANY + 1)])

    assert Counter(reply.status_code for reply in replies) == {200: 1, 412: MANY - 1}
    (winner,) = [number for number, reply in enumerate(replies, start=1) if reply.status_code == 200]
    assert tenant.call("GET", path)["fields"]["Points"]["value"] == str(winner)


# Deaths and lost answers


def _repeat(scene: Scene, key: str, clock: Clock) -> tuple[int, Any]:
    """The answer to whoever repeats the request until its claim has ended."""
    status, document, _ = scene.send(key)
    if status in (WORKING, 503):
        clock.passed += CLAIM
        status, document, _ = scene.send(key)
    return status, document


@every_scene
def test_a_process_that_dies_at_any_call_has_done_it_once_after_a_repeat(
    stack: Stack, clock: Clock, consistent: Consistent, build: Callable[[Tenant], Scene]
) -> None:
    number, died = 0, True
    while died:
        number, died = number + 1, False
        scene = build(stack.tenant())
        before = scene.count()
        with inject(kill_at(number, after=True)):
            try:
                scene.send("k")
            except Killed:
                died = True
        made_at_death = scene.count()
        status, document = _repeat(scene, "k", clock)
        assert status in (200, 201), document
        assert (scene.send("k")[1], scene.count()) == (document, before + 1)
        assert made_at_death <= before + 1
    consistent(scene.tenant.project_id, swept=False)
    assert number > 3


def test_passes_in_several_transactions_are_made_once_by_all_tries_together(
    stack: Stack, clock: Clock, consistent: Consistent
) -> None:
    number, died = 3, True  # what comes before is as with one pass
    while died:
        number, died = number + 1, False
        scene = _create_many(stack.tenant())
        with inject(kill_at(number, after=True)):
            try:
                scene.send("k")
            except Killed:
                died = True
        status, document = _repeat(scene, "k", clock)
        assert (status, document["created"], document["failed"]) == (200, MANY_PASSES, 0)
        assert scene.count() == MANY_PASSES
        assert scene.send("k") == (200, document, True)
    consistent(scene.tenant.project_id)
    assert number > 6


@every_scene
@pytest.mark.parametrize("fault", [LostAnswer(), Unreachable()], ids=["lost answers", "unreachable"])
def test_a_failure_that_was_answered_may_be_repeated_at_once(
    stack: Stack, build: Callable[[Tenant], Scene], fault: Fault
) -> None:
    """From one call on, to the end of the request: its client is told 503, or that it succeeded after all."""
    for first in range(2, 9, 3):
        scene = build(stack.tenant())
        before = scene.count()
        with inject(lambda call, first=first: fault if call.number >= first else None):  # type: ignore[misc]
            status, document, _ = scene.send("k")
        assert status in (200, 201, 503), document
        with inject(lambda _: None):
            status, again = _repeat_soon(scene, "k")
        assert status in (200, 201), again
        assert scene.count() == before + 1


def _repeat_soon(scene: Scene, key: str) -> tuple[int, Any]:
    """The answer, if the claim could be given up; otherwise it ends by itself."""
    status, document, _ = scene.send(key)
    if status in (WORKING, 503):
        with working_as(None):
            _end_claim(scene.tenant, key)
        status, document, _ = scene.send(key)
    return status, document


def _end_claim(tenant: Tenant, key: str) -> None:
    from chalicelib.store.idempotency_models import IdempotencyRow

    row = IdempotencyRow(key=f"{tenant.project_id}#{key}")
    row.update(actions=[IdempotencyRow.until.set(0)])


def test_a_failure_gives_its_key_up(tenant: Tenant, clock: Clock) -> None:
    scene = _create(tenant)
    clock.change = lambda platform: with_budget_spent(platform)
    with inject(lambda call: conflict(call) if call.operation == "TransactWriteItems" else None):
        assert scene.send("k")[0] == 503
    clock.change = lambda platform: platform
    assert scene.send("k")[0::2] == (200, False)
    assert scene.count() == 1


def with_budget_spent(platform: Platform) -> Platform:
    """One that retries no conflict."""
    return replace(platform, bounds=replace(platform.bounds, budget_seconds=0))


def test_a_bulk_create_that_storage_stopped_goes_on_where_it_stood(tenant: Tenant, clock: Clock) -> None:
    scene = _create_many(tenant)
    clock.change = with_budget_spent
    written: list[int] = []

    def stop(call: Call) -> Fault | None:
        if call.operation == "TransactWriteItems":
            written.append(call.number)
        return conflict(call) if call.operation == "TransactWriteItems" and len(written) > 1 else None

    with inject(stop):
        status, partly, _ = scene.send("k")
    assert (status, 0 < partly["created"] < MANY_PASSES) == (200, True)
    clock.change = lambda platform: platform

    status, whole, replayed = scene.send("k")
    assert (status, whole["created"], replayed) == (200, MANY_PASSES, False)
    made = [each["id"] for each in partly["passes"] if "id" in each]
    assert made == [each["id"] for each in whole["passes"]][: len(made)]
    assert scene.count() == MANY_PASSES
    assert scene.send("k") == (200, whole, True)


def test_an_update_that_could_not_be_queued_is_forgotten_with_its_ticket(tenant: Tenant) -> None:
    scene = _update_tag(tenant)
    with inject(lambda call: Unreachable() if call.operation.startswith("SendMessage") else None):
        assert scene.send("k")[0] == 503
    status, document, replayed = scene.send("k")
    assert (status, replayed) == (200, False)
    assert tenant.call("GET", f"/v1/ticket/{document['ticketId']}")["Status"] == "PREQUED"


# Time


def test_a_request_whose_claim_has_ended_writes_nothing_and_gets_its_successors_answer(
    tenant: Tenant, clock: Clock, consistent: Consistent
) -> None:
    scene = _create(tenant)
    successor: list[tuple[int, Any, bool]] = []

    def overtake() -> None:
        clock.change = lambda platform: platform
        clock.passed += CLAIM
        successor.append(scene.send("k"))

    clock.change = lambda platform: with_rival(platform, "passes", "create_passes", overtake)

    status, document, replayed = scene.send("k")

    assert successor == [(200, document, False)]
    assert (status, replayed) == (200, True)
    assert scene.count() == 1
    consistent(tenant.project_id)


def test_a_bulk_create_whose_claim_has_ended_makes_no_pass_more(tenant: Tenant, clock: Clock) -> None:
    scene = _create_many(tenant)

    def overtake() -> None:
        clock.change = lambda platform: platform
        clock.passed += CLAIM
        assert scene.send("k")[0] == 200

    clock.change = lambda platform: with_rival(platform, "passes", "create_passes", overtake)

    status, document, _ = scene.send("k")

    assert (status, document["created"]) == (200, 0)
    assert scene.count() == MANY_PASSES
    assert scene.send("k")[1]["created"] == MANY_PASSES


def test_a_key_is_new_again_after_a_day(tenant: Tenant, clock: Clock) -> None:
    scene = _create(tenant)
    scene.body = {}
    first = scene.send("k")
    clock.passed = KEPT - timedelta(seconds=30)
    assert scene.send("k") == (200, first[1], True)
    clock.passed = KEPT + timedelta(seconds=1)
    second = scene.send("k")
    assert (second[0], second[2], scene.count()) == (200, False, 2)
    assert second[1]["id"] != first[1]["id"]
    assert scene.send("k") == (200, second[1], True)


# Storage


@pytest.mark.parametrize("characters", [0, 1024, 1025, 50_000, 1_200_000])
def test_an_answer_of_any_size_is_kept(tenant: Tenant, characters: int) -> None:
    """The letters are such that nothing can be left out of them."""
    platform, key = get_platform(), str(uuid4())
    letters = random.Random(characters)
    body = "".join(chr(letters.randrange(0x20, 0xD000)) for _ in range(characters))
    answer = Answer(status=201, headers={"Content-Type": "application/json"}, body=body)
    claim = claim_key(platform, project_id=tenant.project_id, key=key, fingerprint="f")
    assert isinstance(claim, Claim)
    finish_key(platform, claim, answer)
    assert claim_key(platform, project_id=tenant.project_id, key=key, fingerprint="f") == answer


def test_a_claim_whose_answer_was_lost_is_ones_own(tenant: Tenant) -> None:
    """The database's client sends it again, and is told that the key is taken."""
    scene = _create(tenant)
    lost: list[Call] = []

    def lose(call: Call) -> Fault | None:
        if call.operation == "PutItem" and not lost:
            lost.append(call)
            return LostAnswer()
        return None

    with inject(lose):
        assert scene.send("k")[0::2] == (200, False)
    assert scene.count() == 1


def test_without_storage_for_keys_nothing_is_done(tenant: Tenant) -> None:
    with inject(lambda _: Unreachable()), pytest.raises(Busy):
        claim_key(get_platform(), project_id=tenant.project_id, key="k", fingerprint="f")


def test_what_a_key_costs(stack: Stack, tenant: Tenant) -> None:
    """One call, and its part in the transaction; a repeat costs two calls in place of all."""
    scene = _create(tenant)
    scene.body = {}
    path = f"/v1/pass/{scene.parameters['identifier']}"
    tenant.call("POST", path, json={})  # which also leases ids
    with stack.count_calls() as plain:
        tenant.call("POST", path, json={})
    with stack.count_calls() as keyed:
        tenant.request("POST", path, json={}, headers={"Idempotency-Key": "k"})
    with stack.count_calls() as repeated:
        tenant.request("POST", path, json={}, headers={"Idempotency-Key": "k"})
    assert Counter(keyed.operations) - Counter(plain.operations) == {"PutItem": 1}
    assert keyed.total == plain.total + 1
    assert Counter(repeated.operations) == {"PutItem": 1, "GetItem": 1}
    assert not plain.tables.keys() & {name for name in keyed.tables if name.endswith("idempotency")}


@pytest.mark.parametrize("build", [_create, _update_tag, _redeem], ids=["create", "bulk", "redeem"])
def test_what_a_key_costs_in_units(tenant: Tenant, build: Callable[[Tenant], Scene]) -> None:
    """docs/cost.md: one for the claim and two for its part in the transaction; a repeat writes one and reads one."""
    scene = build(tenant)
    with measure_units() as first:
        assert scene.send("k")[0] == 200
    with measure_units() as repeated:
        assert scene.send("k")[2]
    assert first.of("PutItem", table="idempotency") == 1
    assert first.of("TransactWriteItems", table="idempotency") == 2
    assert (repeated.calls["PutItem"], repeated.of("GetItem", table="idempotency")) == (1, 1)


def test_a_check_of_everything_stored_knows_nothing_of_keys(tenant: Tenant, tmp_path: Path) -> None:
    scene = _create(tenant)
    assert scene.send("k")[0] == 200
    claim_key(get_platform(), project_id=tenant.project_id, key="at work", fingerprint="f")
    options = ["--project", tenant.project_id, "--patience", 0, "--rate", 1e9, "--state", tmp_path / "state.json"]
    result = CliRunner(env={"PASSEL_LOCAL": None}).invoke(check, [str(each) for each in options])
    assert (result.exit_code, "Nothing is damaged." in result.output) == (0, True), result.output
