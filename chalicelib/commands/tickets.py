"""`ticket`, `redrive` and `resume`: updates on their way, and how they go on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from chalicelib.commands.printing import count, json_option, print_json, show_time
from chalicelib.commands.running import Operation

if TYPE_CHECKING:
    from chalicelib.domain.tickets import Ticket

_POLL_SECONDS = 0.5

_watch_option = click.option("--watch", is_flag=True, help="Follow it to its end; exit code 1 unless COMPLETED.")
_ticket_argument = click.argument("ticket_id", type=click.IntRange(min=1))


@click.command("ticket", cls=Operation)
@_ticket_argument
@_watch_option
@json_option
def show_ticket(*, ticket_id: int, watch: bool, as_json: bool) -> None:
    """Show how far an update is."""
    from chalicelib import operations

    ticket = _watch(ticket_id) if watch else operations.get_ticket(ticket_id=ticket_id)
    _print_ticket(ticket, as_json=as_json)
    if watch:
        _exit_by_status(ticket)


@click.command("redrive", cls=Operation)
@_ticket_argument
@_watch_option
def redrive_ticket(*, ticket_id: int, watch: bool) -> None:
    """Let a FAILED or stuck bulk update go on where it stopped."""
    from chalicelib import operations
    from chalicelib.domain.tickets import UNFINISHED, TicketStatus

    before = operations.redrive(ticket_id=ticket_id)
    if before.status is TicketStatus.COMPLETED:
        click.echo(f"Ticket {ticket_id} is COMPLETED; there is nothing to send.")
        return
    if before.status not in (*UNFINISHED, TicketStatus.FAILED):
        raise click.ClickException(f"ticket {ticket_id} is {before.status} and cannot go on; make the update again")
    click.echo(f"Ticket {ticket_id} was {before.status}; what is left of it was sent again.")
    if watch:
        ticket = _watch(ticket_id)
        _print_ticket(ticket, as_json=False)
        _exit_by_status(ticket)


@click.command("resume", cls=Operation)
@click.option(
    "--minimum-age",
    "minimum_age_seconds",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Leave younger updates alone; they are most likely under way.",
)
@click.option("--queues-lost", is_flag=True, help="Planned updates too: their messages are known to be gone.")
def resume_unfinished(*, minimum_age_seconds: float, queues_lost: bool) -> None:
    """Send again what was accepted but whose message was lost.

    AWS does this every 15 minutes by itself. It does no harm where nothing was lost.
    """
    from chalicelib import operations

    sent = operations.resume_unfinished(minimum_age_seconds=minimum_age_seconds, queues_lost=queues_lost)
    click.echo(f"{count(sent, 'message')} sent.")


def _watch(ticket_id: int) -> Ticket:
    """The ticket once it will not change by itself any more; until then a progress bar, where there is a terminal."""
    from chalicelib import operations
    from chalicelib.domain.tickets import UNFINISHED

    ticket = operations.get_ticket(ticket_id=ticket_id)
    with click.progressbar(
        length=ticket.progress.total,
        label=f"Ticket {ticket_id}",
        show_pos=True,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
    ) as bar:
        while True:
            bar.update(ticket.progress.processed - bar.pos)
            if ticket.status not in UNFINISHED:
                return ticket
            time.sleep(_POLL_SECONDS)
            ticket = operations.get_ticket(ticket_id=ticket_id)


def _exit_by_status(ticket: Ticket) -> None:
    from chalicelib.domain.tickets import TicketStatus

    if ticket.status is not TicketStatus.COMPLETED:
        click.get_current_context().exit(1)


def _print_ticket(ticket: Ticket, *, as_json: bool) -> None:
    progress = ticket.progress
    numbers = {
        "total": progress.total,
        "processed": progress.processed,
        "changed": progress.changed,
        "failed": progress.failed,
    }
    if as_json:
        print_json(
            {
                "id": ticket.ticket_id,
                "project_id": ticket.project_id,
                "status": str(ticket.status),
                "created_at": show_time(ticket.created_at),
                "progress": numbers,
            }
        )
        return
    click.echo(
        f"Ticket {ticket.ticket_id} of project {ticket.project_id}, {show_time(ticket.created_at)}: {ticket.status}"
    )
    click.echo("Passes: " + ", ".join(f"{name} {number}" for name, number in numbers.items()))
