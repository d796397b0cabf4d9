"""Storage that refuses, throttles or answers too late: requests succeed or say 503, and everything adds up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import httpx
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError

from chalicelib.domain import bulk_updates, issuing, tagging, template_editing, updating
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import events_of_template
from chalicelib.domain.errors import Busy
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.reporting import Event
from chalicelib.domain.templates import TemplateReference
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import field_value, make_passes, make_spread_passes, make_template, read_ticket, write_field
from tests.support.faults import Call, Fault, LostAnswer, Refusal, Rule, Unreachable, conflict, inject
from tests.support.recount import read_rows
from tests.support.rivals import run_together, with_budget
from tests.support.stack import Stack, Tenant

TRANSACTION = "TransactWriteItems"
STRIPES = 16


@pytest.fixture(autouse=True)
def _patient_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore repeats at once, instead of after seconds."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None, time=time.time))


@pytest.fixture
def short_budget(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests give up on conflicts after 0.3 s."""
    platform = with_budget(get_platform(), 0.3)
    monkeypatch.setattr("chalicelib.api.requests.get_platform", lambda: platform)


def _sometimes(share: float, fault: Callable[[Call], Fault], *, seed: int, operation: str = TRANSACTION) -> Rule:
    chance = random.Random(seed)
    return lambda call: fault(call) if call.operation == operation and chance.random() < share else None


def _always(fault: Callable[[Call], Fault], *, operation: str = TRANSACTION) -> Rule:
    return lambda call: fault(call) if call.operation == operation else None


def _first(count: int, fault: Callable[[Call], Fault], *, operation: str = TRANSACTION) -> Rule:
    remaining = iter(range(count))
    return lambda call: fault(call) if call.operation == operation and next(remaining, None) is not None else None


def _throttled(_: Call) -> Refusal:
    return Refusal("ProvisionedThroughputExceededException")


def _throttled_item(call: Call) -> Refusal:
    items = len(call.body["TransactItems"])
    return Refusal("TransactionCanceledException", ["ThrottlingError", *["None"] * (items - 1)])


def _lost(_: Call) -> LostAnswer:
    return LostAnswer()


def _mixed_writes(project_id: int) -> list[Callable[[], object]]:
    """Writers of every kind, all on the counters of the same segment."""
    platform = get_platform()
    template_id = make_template(project_id).template_id
    tasks: list[Callable[[], object]] = []
    for pass_ in make_passes(project_id, 6, tags=["a", "b"], template_id=template_id):
        reference = PassReference(pass_id=pass_.pass_id)
        tasks += [
            partial(tagging.add_tags, platform, project_id=project_id, reference=reference, names=["c", "d"]),
            partial(tagging.remove_tag, platform, project_id=project_id, segment="a", reference=reference),
            partial(
                devices.install,
                platform,
                project_id=project_id,
                pass_id=pass_.pass_id,
                device_platform="ios",
            ),
            partial(make_passes, project_id, 3, tags=["b"], template_id=template_id),
        ]
    gone = make_passes(project_id, 1, tags=["a"], template_id=template_id)[0]
    reference = PassReference(pass_id=gone.pass_id)
    return [*tasks, partial(issuing.delete_pass, platform, project_id=project_id, reference=reference)]


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("fault", [conflict, _throttled_item], ids=["conflict", "throttled item"])
def test_writers_who_meet_all_succeed_and_totals_are_exact(
    tenant: Tenant, consistent: Consistent, share: float, fault: Callable[[Call], Fault]
) -> None:
    tasks = _mixed_writes(tenant.project_id)

    with inject(_sometimes(share, fault, seed=4)) as injection:
        run_together(tasks)

    assert injection.faults >= 3
    assert tenant.call("GET", "/v1/tag/a/passes")["count"] == 0
    assert tenant.call("GET", "/v1/tag/b/passes")["count"] == 6 + 18
    assert tenant.call("GET", "/v1/tag/c/passes")["count"] == 6
    assert tenant.call("GET", "/v1/pass?status=installed")["count"] == 6
    assert tenant.call("GET", "/v1/pass")["count"] == 24
    consistent(tenant.project_id)


def _stripes(stack: Stack, project_id: int) -> set[int]:
    return {row["slot"] % STRIPES for row in read_rows(stack.dynamodb, project_id).counters}


def test_stripes_appear_only_once_writers_have_met(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    template_id = make_template(tenant.project_id).template_id
    for _ in range(5):
        make_passes(tenant.project_id, 1, tags=["a"], template_id=template_id)
    assert _stripes(stack, tenant.project_id) == {0}

    with inject(_first(1, conflict)):
        for _ in range(15):
            make_passes(tenant.project_id, 1, tags=["a"], template_id=template_id)

    assert len(_stripes(stack, tenant.project_id)) > 3
    assert tenant.call("GET", "/v1/tag/a/passes")["count"] == 20
    consistent(tenant.project_id)


Request = Callable[[Tenant, Pass], httpx.Response]

REQUESTS: dict[str, Request] = {
    "add a tag": lambda tenant, pass_: tenant.request(
        "PUT", f"/v1/pass/{pass_.pass_id}/tags", json={"tags": ["a", "new"]}
    ),
    "remove a tag": lambda tenant, pass_: tenant.request("DELETE", f"/v1/tag/flag/pass/{pass_.pass_id}"),
    "empty a tag": lambda tenant, _: tenant.request("DELETE", "/v1/tag/flag/passes"),
    "delete a tag": lambda tenant, _: tenant.request("DELETE", "/v1/tag/flag"),
    "create a pass": lambda tenant, pass_: tenant.request(
        "POST", f"/v1/pass/{pass_.template_id}/id/mine", json={"tag": "flag"}
    ),
    "update a pass": lambda tenant, pass_: tenant.request(
        "PUT", f"/v1/pass/{pass_.pass_id}", json={"fields": {"Points": {"value": "9"}}}
    ),
    "update a tag's passes": lambda tenant, _: tenant.request(
        "PUT", "/v1/tag/flag/passes", json={"fields": {"Points": {"value": "9"}}}
    ),
    "delete a pass": lambda tenant, pass_: tenant.request("DELETE", f"/v1/pass/{pass_.pass_id}"),
}

NEVER_ENDING: dict[str, Callable[[Call], Fault]] = {
    "conflicts": conflict,
    "throttling": _throttled,
    "throttled items": _throttled_item,
    "refused connections": lambda _: Unreachable(EndpointConnectionError),
    "slow connections": lambda _: Unreachable(ConnectTimeoutError),
}


@pytest.mark.parametrize("trouble", NEVER_ENDING)
@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.usefixtures("short_budget")
def test_trouble_that_never_ends_is_503_and_nothing_is_written(
    stack: Stack, tenant: Tenant, name: str, trouble: str
) -> None:
    pass_ = make_passes(tenant.project_id, 1, tags=["flag"])[0]
    tenant.call("GET", "/v1/tag")
    before = read_rows(stack.dynamodb, tenant.project_id)

    with inject(_always(NEVER_ENDING[trouble])) as injection:
        reply = REQUESTS[name](tenant, pass_)

    assert injection.faults > 0
    assert (reply.status_code, int(reply.headers.get("Retry-After", 0)) > 0) == (503, True), reply.text
    assert reply.json()["code"] == 503
    assert read_rows(stack.dynamodb, tenant.project_id) == before


@pytest.mark.parametrize("name", REQUESTS)
def test_a_lost_answer_is_asked_for_again_and_counts_once(
    stack: Stack, tenant: Tenant, consistent: Consistent, name: str
) -> None:
    pass_ = make_passes(tenant.project_id, 1, tags=["flag"])[0]

    with inject(_first(1, _lost)) as injection:
        reply = REQUESTS[name](tenant, pass_)

    assert injection.faults == 1
    assert reply.status_code == 200, reply.text
    assert reply.json().get("mappings", 2) == 2
    assert reply.json().get("count", 1) == 1
    stack.drain()
    consistent(tenant.project_id)


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.usefixtures("short_budget")
def test_a_write_whose_answers_are_all_lost_is_503_and_whole_and_may_be_repeated(
    stack: Stack, tenant: Tenant, consistent: Consistent, name: str
) -> None:
    pass_ = make_passes(tenant.project_id, 1, tags=["flag"])[0]

    with inject(_always(_lost)):
        reply = REQUESTS[name](tenant, pass_)
    assert reply.status_code == 503
    assert "Retry-After" in reply.headers
    get_platform().queues.send_plan(ticket_id=10**9)  # a message for nothing must do no harm either
    _resume(stack)
    consistent(tenant.project_id)

    repeated = REQUESTS[name](tenant, pass_)

    assert repeated.status_code in (200, 400, 404)
    _resume(stack)
    consistent(tenant.project_id)


def _resume(stack: Stack) -> None:
    """What the schedule does once messages may have been lost."""
    from chalicelib import operations

    operations.resume_unfinished(minimum_age_seconds=0)
    stack.drain()


@pytest.mark.parametrize("external_id", [None, "mine"])
def test_a_create_that_storage_is_still_busy_with_is_not_taken_for_anothers(
    tenant: Tenant, consistent: Consistent, external_id: str | None
) -> None:
    """The first answer is lost, the client's repeats meet the write in progress, and then it has taken effect."""
    template = TemplateReference(template_id=make_template(tenant.project_id).template_id)
    faults: Iterator[Fault] = iter([LostAnswer(), *[Refusal("TransactionInProgressException")] * 2])

    with inject(lambda call: next(faults, None) if call.operation == TRANSACTION else None):
        outcome = issuing.create_passes(
            with_budget(get_platform(), 0.5),
            project_id=tenant.project_id,
            template=template,
            new=[NewPass(update=ContentUpdate(), external_id=external_id)],
        )[0]

    consistent(tenant.project_id)
    assert tenant.call("GET", "/v1/pass")["count"] == 1
    assert isinstance(outcome, Pass), f"the pass is stored, but its creator was told: {outcome!r}"


def test_a_bulk_update_whose_write_answers_are_lost_counts_each_pass_once(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    passes = make_passes(tenant.project_id, 60, tags=["flag"])
    ticket_id = tenant.call("PUT", "/v1/tag/flag/passes", json={"fields": {"Points": {"value": "9"}}})["ticketId"]
    lost = iter([True] * 4)

    def rule(call: Call) -> Fault | None:
        return LostAnswer() if call.operation == "BatchExecuteStatement" and next(lost, False) else None

    with inject(rule) as injection:
        stack.drain()

    assert injection.faults == 4
    progress = read_ticket(ticket_id).progress
    assert (progress.total, progress.processed, progress.changed, progress.failed) == (60, 60, 60, 0)
    assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}
    consistent(tenant.project_id)


def test_the_last_worker_of_a_bulk_update_ends_it_though_it_meets_another(
    stack: Stack, tenant: Tenant, consistent: Consistent, caplog: pytest.LogCaptureFixture
) -> None:
    """Who completes a segment writes the ticket's head in a transaction, and the end of the ticket is a plain write."""
    make_spread_passes(tenant.project_id, segments=3, tags=["flag"])
    ticket_id = tenant.call("PUT", "/v1/tag/flag/passes", json={"fields": {"Points": {"value": "9"}}})["ticketId"]
    refusals = iter([True] * 4)

    def rule(call: Call) -> Fault | None:
        is_head = call.operation == "UpdateItem" and call.body["TableName"] == f"{PREFIX}tickets"
        return Refusal("TransactionConflictException") if is_head and next(refusals, False) else None

    with inject(rule) as injection:
        while stack.pump.handle_visible(["plan", "segment"]):
            pass
        assert injection.faults == 4
    assert read_ticket(ticket_id).status is TicketStatus.COMPLETED
    assert "will be tried again" not in caplog.text, "on AWS a message comes again after six minutes"
    consistent(tenant.project_id)


def test_a_view_is_counted_though_a_transaction_is_in_the_way(tenant: Tenant) -> None:
    template_id = make_template(tenant.project_id).template_id
    pass_ = make_passes(tenant.project_id, 1, template_id=template_id)[0]
    refused = _first(3, lambda _: Refusal("TransactionConflictException"), operation="UpdateItem")

    with inject(refused) as injection:
        get_platform().counts.count_event(template_id=template_id, event=Event.VIEWS, at=pass_.created_at, times=2)

    assert injection.count("UpdateItem") == 4
    counted = get_platform().counts.read_counts(events_of_template(template_id))
    assert [count.facets.get(Event.VIEWS) for count in counted] == [2]


def test_a_bulk_update_under_throttling_is_finished_by_redelivery(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    passes = make_passes(tenant.project_id, 30, tags=["flag"])
    ticket_id = tenant.call("PUT", "/v1/tag/flag/passes", json={"fields": {"Points": {"value": "9"}}})["ticketId"]
    chance = random.Random(2)
    refused = ("BatchExecuteStatement", "UpdateItem", "BatchGetItem", "GetItem")

    def rule(call: Call) -> Fault | None:
        return _throttled(call) if call.operation in refused and chance.random() < 0.4 else None

    with inject(rule) as injection:
        stack.drain()

    assert injection.faults > 3
    ticket = read_ticket(ticket_id)
    if ticket.status is TicketStatus.FAILED:
        bulk_updates.redrive(get_platform(), ticket_id=ticket_id)
        stack.drain()
        ticket = read_ticket(ticket_id)
    assert (ticket.status, ticket.progress.processed, ticket.progress.failed) == (TicketStatus.COMPLETED, 30, 0)
    assert {field_value(pass_, "Points") for pass_ in passes} == {"9"}
    consistent(tenant.project_id)


def test_a_single_update_keeps_its_number_through_conflicts(tenant: Tenant, consistent: Consistent) -> None:
    pass_ = make_passes(tenant.project_id, 1)[0]
    platform = get_platform()

    with inject(_first(5, conflict)) as injection:
        ticket = updating.update_pass(
            platform,
            project_id=tenant.project_id,
            reference=PassReference(pass_id=pass_.pass_id),
            update=write_field("Points", "5"),
        )

    assert injection.count(TRANSACTION) == 6
    following, _ = updating.take_ticket(platform)
    assert following == ticket.ticket_id + 1
    assert field_value(pass_, "Points") == "5"
    consistent(tenant.project_id)


def test_deleting_a_template_under_conflicts_leaves_it_or_removes_it(tenant: Tenant, consistent: Consistent) -> None:
    template = make_template(tenant.project_id, external_id="mine")
    reference = TemplateReference(external_id="mine")

    with inject(_always(conflict)), pytest.raises(Busy):
        template_editing.delete_template(
            with_budget(get_platform(), 0.2), project_id=tenant.project_id, reference=reference
        )
    consistent(tenant.project_id)

    with inject(_first(3, conflict)):
        deleted = template_editing.delete_template(get_platform(), project_id=tenant.project_id, reference=reference)
    assert deleted.template_id == template.template_id
    consistent(tenant.project_id)
