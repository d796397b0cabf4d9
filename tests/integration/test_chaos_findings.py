"""What runs of `make chaos` found broken, each played once by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chalicelib.domain import bulk_updates
from chalicelib.domain.counted_index import events_of_template
from chalicelib.domain.errors import Busy
from chalicelib.domain.reporting import Event
from chalicelib.domain.tickets import TicketStatus
from chalicelib.wiring import get_database, get_platform
from tests.contract.campaigns import create_campaign, create_pass, pass_path
from tests.support.builders import make_passes, make_spread_passes, make_template, read_ticket, write_field
from tests.support.faults import Call, Fault, LostAnswer, Refusal, conflict, inject
from tests.support.stack import Stack, Tenant


def test_a_segment_given_up_at_its_very_last_step_finishes_the_ticket(stack: Stack, tenant: Tenant) -> None:
    """All was written and marked; only "done = total?" was never asked. Nobody would ask it again."""
    passes = make_passes(tenant.project_id, 3, tags=["flag"])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment="flag", update=write_field("Points", "9")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)

    def refuse_the_last_step(call: Call) -> Fault | None:
        is_last = call.operation == "UpdateItem" and call.body["TableName"].endswith("-tickets")
        return Refusal("ProvisionedThroughputExceededException") if is_last else None

    segment = passes[0].pass_id // 1000
    with inject(refuse_the_last_step), pytest.raises(Busy):
        bulk_updates.update_segment(platform, ticket_id=ticket.ticket_id, segment=segment)
    assert read_ticket(ticket.ticket_id).status is TicketStatus.QUEUED

    assert bulk_updates.fail_segment(platform, ticket_id=ticket.ticket_id, segment=segment) is None

    latest = read_ticket(ticket.ticket_id)
    assert (latest.status, latest.progress.processed, latest.progress.failed) == (TicketStatus.COMPLETED, 3, 0)


def test_what_was_done_after_all_does_not_count_as_failed(stack: Stack, tenant: Tenant) -> None:
    """The plan's message failed after it had sent all segments, and theirs came after the plan was given up."""
    make_spread_passes(tenant.project_id, segments=2, per_segment=2, tags=["flag"])
    platform = get_platform()
    ticket = bulk_updates.start_bulk_update(
        platform, project_id=tenant.project_id, segment="flag", update=write_field("Points", "9")
    )
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    bulk_updates.fail_plan(platform, ticket_id=ticket.ticket_id)
    given_up = read_ticket(ticket.ticket_id)
    assert (given_up.status, given_up.progress.failed) == (TicketStatus.FAILED, 4)

    stack.drain()

    latest = read_ticket(ticket.ticket_id)
    assert (latest.status, latest.progress.processed, latest.progress.failed) == (TicketStatus.COMPLETED, 4, 0)
    assert latest.segments_failed == 0


@pytest.mark.usefixtures("stack")
def test_an_event_is_counted_though_a_transaction_counts_on_the_same_row(tenant: Tenant) -> None:
    template_id = make_template(tenant.project_id).template_id
    platform = get_platform()

    refused: list[Call] = []

    def refuse_once(call: Call) -> Fault | None:
        if call.operation != "UpdateItem" or refused:
            return None
        refused.append(call)
        return Refusal("TransactionConflictException")

    with inject(refuse_once):
        platform.counts.count_event(template_id=template_id, event=Event.PUSHES, at=datetime.now(UTC), times=7)

    assert refused
    (count,) = platform.counts.read_counts(events_of_template(template_id))
    assert count.facets[Event.PUSHES] == 7


REPEATED: dict[str, Callable[[Call], Fault]] = {
    "of a conflict": conflict,
    "that its condition fails": lambda call: Refusal(
        "TransactionCanceledException", ["ConditionalCheckFailed", *["None"] * (len(call.body["TransactItems"]) - 1)]
    ),
    "that it is under way": lambda _: Refusal("TransactionInProgressException"),
}
"""what the repeat of a transaction is told, though the first try took effect"""


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("told", REPEATED)
@pytest.mark.parametrize("what", ["pass", "tag", "tag on a pass"])
def test_what_an_earlier_try_deleted_after_all_was_there(tenant: Tenant, what: str, told: str) -> None:
    """The write takes effect, nobody hears of it, and its repeat is refused: a read then finds nothing."""
    (pass_,) = make_passes(tenant.project_id, 1, tags=["flag"])
    path = {
        "pass": f"/v1/pass/{pass_.pass_id}",
        "tag": "/v1/tag/flag",
        "tag on a pass": f"/v1/tag/flag/pass/{pass_.pass_id}",
    }[what]
    writes: list[Call] = []

    def lose_the_answer(call: Call) -> Fault | None:
        if call.operation != "TransactWriteItems":
            return None
        writes.append(call)
        return LostAnswer() if len(writes) == 1 else REPEATED[told](call)

    with inject(lose_the_answer):
        answers = [tenant.request("DELETE", path).status_code for _ in range(2)]

    assert len({call.body["ClientRequestToken"] for call in writes}) == 1
    assert len(writes) > 1
    assert answers == [200, 404]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("told", REPEATED)
@pytest.mark.parametrize("several", [False, True], ids=["once", "several times"])
def test_a_redeem_of_which_nothing_was_heard_counts_once(tenant: Tenant, several: bool, told: str) -> None:
    campaign = create_campaign(tenant, allow_multiple_redeems=several)
    path = pass_path(campaign, create_pass(tenant, campaign))
    lost: list[str] = []

    def lose_the_answer(call: Call) -> Fault | None:
        if call.operation != "TransactWriteItems":
            return None
        if not lost:
            lost.append(call.body["ClientRequestToken"])
            return LostAnswer()
        return REPEATED[told](call) if call.body["ClientRequestToken"] in lost else None

    with inject(lose_the_answer):
        answer = tenant.request("POST", f"{path}/redeem")

    assert (answer.status_code, answer.json()["redeemed_count"]) == (200, 1)
    assert len(tenant.call("GET", f"{path}/redeems")) == 1
    assert tenant.call("GET", path)["redeemed_count"] == 1


@pytest.mark.usefixtures("stack")
def test_what_was_written_is_not_taken_for_a_conflict_when_its_note_meets_one(tenant: Tenant) -> None:
    """Who avoids other writers by a stripe has it folded later; the note of that is no part of the write."""
    (pass_,) = make_passes(tenant.project_id, 1, tags=["flag"])
    get_database().stripes.note_conflict()
    refused: list[Call] = []

    def refuse_the_note(call: Call) -> Fault | None:
        if call.operation != "PutItem" or not call.body["TableName"].endswith("-sweeps"):
            return None
        refused.append(call)
        return Refusal("TransactionConflictException")

    with inject(refuse_the_note):
        answer = tenant.request("DELETE", f"/v1/pass/{pass_.pass_id}")

    assert refused
    assert answer.status_code == 200
