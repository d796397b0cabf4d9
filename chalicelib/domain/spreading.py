"""From changed passes to the devices that hold them: one delivery for each wallet, cut to what its service takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.announcing import PUSH_QUEUE, push_document
from chalicelib.domain.campaign_ports import PushCursor
from chalicelib.domain.deliveries import Delivery, as_document
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Registration, Wallet
from chalicelib.domain.tickets import UNFINISHED

REGISTRATIONS_PER_MESSAGE = 5000
"""that one message reads; the rest is handed to the next"""

TOKENS_PER_DELIVERY = {Wallet.PASSBOOK: 250, Wallet.GOOGLE_WALLET: 100}
"""so that a worker is done well within its minute: Google is asked at 18 a second, and lost devices are removed"""

MOST_TOKENS = 1000
"""of other wallets: the limit of Pass2U (wallets, section 3.3)"""

LONGEST_WAIT = timedelta(hours=1)
"""for the end of a bulk update: one that takes longer is stuck, and its devices are told of what it has done"""

_LONGEST_DELAY_SECONDS = 10

MOST_CHARACTERS = 150_000
"""of the tokens of one message, which SQS bounds"""


def spread_push(
    platform: Platform,
    *,
    ticket_id: int,
    project_id: int,
    pass_ids: Sequence[int],
    after: PushCursor | None,
    asked_at: datetime,
    outbox: str | None = None,
) -> int:
    """Asks for a push to every device that holds one of the passes; how many deliveries were asked for.

    A device that holds several stands in one delivery once, and `deliveries` sees to it across messages. The devices of
    a bulk update of several segments are told at its end: asked to look earlier they would miss what changes later. A
    message handled twice asks twice, which does no harm. The `outbox` row stays until every delivery was asked for.

    Raises:
        Busy: try the message again.
    """
    if _is_under_way(platform, ticket_id, asked_at):
        document = push_document(ticket_id, project_id, pass_ids, asked_at, after=after, outbox=outbox)
        _wait(platform, document, asked_at)
        return 0
    registrations, following = platform.registrations.list_of_passes(
        pass_ids, after=after, limit=REGISTRATIONS_PER_MESSAGE
    )
    found = list(_cut(registrations, ticket_id=ticket_id, project_id=project_id, asked_at=asked_at))
    for queue in sorted({delivery.queue for delivery in found}):
        documents = [as_document(delivery) for delivery in found if delivery.queue == queue]
        platform.queues.send_documents(queue, documents)
    if following is not None:
        left = [pass_id for pass_id in pass_ids if pass_id >= following[0]]
        document = push_document(ticket_id, project_id, left, asked_at, after=following, outbox=outbox)
        platform.queues.send_documents(PUSH_QUEUE, [document])
    elif outbox is not None:
        platform.outbox.remove(outbox)
    return len(found)


def _is_under_way(platform: Platform, ticket_id: int, asked_at: datetime) -> bool:
    """Whether other segments of the same bulk update may still change passes of the same devices."""
    ticket = platform.tickets.get_ticket(ticket_id=ticket_id)
    if ticket is None or ticket.status not in UNFINISHED or ticket.segments_total == 1:
        return False
    return platform.now() - asked_at < LONGEST_WAIT


def _wait(platform: Platform, document: dict[str, object], asked_at: datetime) -> None:
    waited_seconds = (platform.now() - asked_at).total_seconds()
    delay_seconds = min(_LONGEST_DELAY_SECONDS, max(1, round(waited_seconds / 2)))
    platform.queues.send_documents(PUSH_QUEUE, [document], delay_seconds=delay_seconds)


def _cut(
    registrations: Sequence[Registration], *, ticket_id: int, project_id: int, asked_at: datetime
) -> Iterator[Delivery]:
    groups: dict[tuple[int, Wallet, str, str | None], dict[str, None]] = {}
    for one in registrations:
        # in place of a set, so that the same registrations are always cut in the same way
        own = groups.setdefault((one.template_id, one.wallet, one.pass_type, one.push_service_url), {})
        own[one.push_token] = None
    for (template_id, wallet, pass_type, url), tokens in groups.items():
        for portion in _portions(list(tokens), most=TOKENS_PER_DELIVERY.get(wallet, MOST_TOKENS)):
            yield Delivery(
                ticket_id=ticket_id,
                project_id=project_id,
                template_id=template_id,
                wallet=wallet,
                pass_type=pass_type,
                tokens=tuple(portion),
                push_service_url=url,
                asked_at=asked_at,
            )


def _portions(tokens: Sequence[str], *, most: int) -> Iterator[list[str]]:
    portion: list[str] = []
    characters = 0
    for token in tokens:
        if portion and (len(portion) == most or characters + len(token) > MOST_CHARACTERS):
            yield portion
            portion, characters = [], 0
        portion.append(token)
        characters += len(token)
    if portion:
        yield portion
