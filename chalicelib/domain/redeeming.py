"""Redeeming passes, and making them redeemable again (passworks-v2, sections 8 and 12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.announcing import announce_change, send_waiting
from chalicelib.domain.callback_events import tell_redeemed
from chalicelib.domain.campaign_lists import find_passes_by_code, get_pass_of_campaign_or_raise
from chalicelib.domain.content import EXPIRATION, VOIDED, ContentUpdate
from chalicelib.domain.errors import NotFound, RedeemRefused
from chalicelib.domain.passes import Expectation, Pass, PassReference, apply_ticket
from chalicelib.domain.ports import Platform
from chalicelib.domain.redeems import Redeem
from chalicelib.domain.retrying import Unheard, retry_conflicts
from chalicelib.domain.templates import Template
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from chalicelib.domain.updating import take_ticket, update_pass


def get_pass_by_code_or_raise(platform: Platform, template: Template, redeem_code: str) -> Pass:
    """The pass of a campaign with that redeem code.

    Raises:
        NotFound: there is none.
        RedeemRefused: callers gave the code to several passes.
    """
    found = find_passes_by_code(platform, template, redeem_code)
    if not found:
        raise NotFound("pass", f"with redeem code {redeem_code[:40]}")
    if len(found) > 1:
        raise RedeemRefused("Several passes have this redeem code; redeem by pass id")
    return found[0]


def redeem_pass(
    platform: Platform,
    template: Template,
    *,
    serial_number: str,
    comment: str | None,
    expect: Expectation | None = None,
) -> Pass:
    """Redeems a pass: counts it, and voids the pass unless the campaign allows several redeems.

    Of two redeems at the same time the second sees what the first did. A try of whose end nothing was heard is not
    repeated if it was written.

    Raises:
        NotFound, Busy
        RedeemRefused: the pass is voided already.
        PreconditionFailed: the pass is not what was expected.
    """
    numbered: tuple[int, datetime] | None = None
    unheard = Unheard[int]()

    def attempt() -> Pass:
        nonlocal numbered
        before = get_pass_of_campaign_or_raise(platform, template, serial_number)
        if unheard.thing is not None and platform.redeems.is_stored(pass_id=before.pass_id, number=unheard.thing):
            return before
        if expect is not None:
            expect(before)
        if before.is_voided:
            raise RedeemRefused("Pass already redeemed")
        numbered = numbered or _take_number(platform, template)
        number, redeemed_at = numbered
        # a fresh ticket for each attempt, since it builds on what it has read
        ticket_id, created_at = take_ticket(platform)
        update = ContentUpdate()
        if not template.campaign.allow_multiple_redeems:
            update = ContentUpdate(headers={EXPIRATION: {"label": VOIDED}})
        content_after, merge = apply_ticket(
            before,
            update,
            ticket_id=ticket_id,
            now=platform.now(),
            maximum_bytes=platform.bounds.content_bytes,
        )
        after = replace(
            content_after,
            revision=before.revision + 1,
            redeemed_count=before.redeemed_count + 1,
            redeemed_at=redeemed_at,
        )
        ticket = Ticket(
            ticket_id=ticket_id,
            project_id=before.project_id,
            status=TicketStatus.COMPLETED,
            created_at=created_at,
            target=None,
            progress=Progress(total=1, processed=1, changed=int(merge.shown)),
        )
        redeem = _make_redeem(before, platform.new_uuid(number), number, comment, redeemed_at)
        outgoing = announce_change(after, ticket_id=ticket_id, now=platform.now())
        outgoing += tell_redeemed(platform, after, redeem, campaign_id=template.campaign_id)
        receipt = platform.receipt_for(after)
        with unheard.noting(number):
            platform.passes.update_pass(
                before=before, after=after, ticket=ticket, redeem=redeem, outgoing=outgoing, receipt=receipt
            )
        send_waiting(platform, outgoing)
        return after

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _make_redeem(of: Pass, redeem_id: str, number: int, comment: str | None, now: datetime) -> Redeem:
    return Redeem(
        redeem_id=redeem_id,
        number=number,
        template_id=of.template_id,
        pass_id=of.pass_id,
        serial_number=of.serial_number,
        redeem_code=of.redeem_code,
        comment=comment,
        created_at=now,
    )


def _take_number(platform: Platform, template: Template) -> tuple[int, datetime]:
    return platform.sequences.next_values(
        name=f"redeems:{template.template_id}", count=1, now=platform.now(), apart=True
    )


def reset_redeem(platform: Platform, template: Template, pass_: Pass, *, expect: Expectation | None = None) -> Pass:
    """Makes a voided pass valid again; what was counted stays. A valid pass stays as it is.

    Raises:
        PreconditionFailed: the pass is not what was expected.
        NotFound, Busy
    """
    if not pass_.is_voided:
        if expect is not None:
            expect(pass_)
        return pass_
    update = ContentUpdate(headers={EXPIRATION: {"label": "valid"}})
    reference = PassReference(pass_id=pass_.pass_id)
    update_pass(platform, project_id=pass_.project_id, reference=reference, update=update, expect=expect)
    return get_pass_of_campaign_or_raise(platform, template, pass_.serial_number)
