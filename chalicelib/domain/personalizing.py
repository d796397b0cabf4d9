"""A person gives name and address to a pass in Wallet (wallets, section 2.6)."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.domain.announcing import announce_change, send_waiting
from chalicelib.domain.callback_events import tell_personalized
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.finding import get_pass_or_raise
from chalicelib.domain.passes import Pass, PassReference, apply_ticket
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.tickets import Progress, Ticket, TicketStatus
from chalicelib.domain.updating import take_ticket

USER_INFO = "user_info"


def personalize_pass(platform: Platform, pass_: Pass, *, token: str, info: Mapping[str, str]) -> None:
    """Stores what was given on the pass, beside what a client has stored there, and has receivers told.

    The e-mail address stands under `email` as well, by which Passworks clients filter (passworks-v2, section 12). A
    repeat with the same token is told under the same event id.

    Raises:
        NotFound: the pass is gone by now.
        InvalidRequest: the pass would outgrow its limit.
        Busy
    """

    def attempt() -> None:
        before = get_pass_or_raise(
            platform, project_id=pass_.project_id, reference=PassReference(pass_id=pass_.pass_id)
        )
        # a fresh ticket for each attempt, since it builds on what it has read
        ticket_id, created_at = take_ticket(platform)
        now = platform.now()
        after, merge = apply_ticket(
            before,
            ContentUpdate(lists={USER_INFO: _add(before.content.lists.get(USER_INFO), info)}),
            ticket_id=ticket_id,
            now=now,
            maximum_bytes=platform.bounds.content_bytes,
        )
        ticket = Ticket(
            ticket_id=ticket_id,
            project_id=before.project_id,
            status=TicketStatus.COMPLETED,
            created_at=created_at,
            target=None,
            progress=Progress(total=1, processed=1, changed=int(merge.shown)),
        )
        outgoing = announce_change(after, ticket_id=ticket_id, now=now)
        outgoing += tell_personalized(platform, after, token=token, info=info, now=now)
        platform.passes.update_pass(before=before, after=after, ticket=ticket, outgoing=outgoing)
        send_waiting(platform, outgoing)

    retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _add(stored: object, info: Mapping[str, str]) -> dict[str, object]:
    known = dict(stored) if isinstance(stored, dict) else {}
    email = {"email": info["emailAddress"]} if "emailAddress" in info else {}
    return known | dict(info) | email
