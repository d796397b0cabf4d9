"""`python -m chalicelib.cli`: what operators do, from a shell. docs/operations.md shows each command at work.

It talks to the tables and queues of one deployment with the caller's own AWS credentials; PASSEL_PREFIX and the region
say which deployment. With `--local` it talks to the stack that runs on this machine.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.callbacks import callbacks
from chalicelib.commands.printing import json_option, print_json, print_rows, project_argument, show_time
from chalicelib.commands.pushes import pushes
from chalicelib.commands.running import DEFAULT_DATA, Root

if TYPE_CHECKING:
    from chalicelib.domain.projects import Credential, Project
    from chalicelib.domain.tickets import Ticket

_POLL_SECONDS = 0.5


@click.group(cls=Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--local",
    envvar="PASSEL_LOCAL",
    is_flag=False,
    flag_value=DEFAULT_DATA,
    metavar="[DATA]",
    type=click.Path(path_type=Path),
    help=f"Use the stack that `make run` runs on this data folder ({DEFAULT_DATA} if none is given).",
)
def command(*, local: Path | None) -> None:
    """Operate Passel: projects, their keys, tickets and redrives.

    Without --local, AWS credentials, region and PASSEL_PREFIX say which deployment is meant.
    """


command.add_command(callbacks)
command.add_command(pushes)

_watch_option = click.option("--watch", is_flag=True, help="Follow it to its end; exit code 1 unless COMPLETED.")
_ticket_argument = click.argument("ticket_id", type=click.IntRange(min=1))


@command.group()
def projects() -> None:
    """The tenants of this deployment."""


@projects.command("create")
@click.argument("name")
@json_option
def create_project(*, name: str, as_json: bool) -> None:
    """Create a project called NAME."""
    from chalicelib import operations

    project = operations.create_project(name=name)
    if as_json:
        print_json(_project_document(project))
    else:
        click.echo(f"Created project {project.project_id}, {project.name}.")


@projects.command("list")
@json_option
def list_projects(*, as_json: bool) -> None:
    """List every project, the oldest first."""
    from chalicelib import operations

    print_rows([_project_document(project) for project in operations.list_projects()], as_json=as_json)


@command.group()
def keys() -> None:
    """The keys that open a project over HTTP."""


@keys.command("issue")
@project_argument
@click.option("--key", help="Bring a key from elsewhere, so that its clients need not change.")
@click.option("--secret", prompt=True, prompt_required=False, hide_input=True, help="Its secret; asked for if empty.")
@json_option
def issue_key(*, project_id: int, key: str | None, secret: str | None, as_json: bool) -> None:
    """Issue a new pair of key and secret for a project."""
    from chalicelib import operations

    issued = operations.issue_key(project_id=project_id, key=key, secret=secret)
    if as_json:
        print_json({"key": issued.key, "secret": issued.secret, "project_id": issued.project_id})
    else:
        click.echo(f"Key:    {issued.key}\nSecret: {issued.secret}")
    click.echo("Keep the secret now: it is not stored and cannot be shown again.", err=True)


@keys.command("list")
@project_argument
@json_option
def list_keys(*, project_id: int, as_json: bool) -> None:
    """List a project's keys, revoked ones included."""
    from chalicelib import operations
    from chalicelib.domain.errors import NotFound

    if operations.get_project(project_id=project_id) is None:
        raise NotFound("project", project_id)
    print_rows([_key_document(each) for each in operations.list_keys(project_id=project_id)], as_json=as_json)


@keys.command("revoke")
@click.argument("key")
def revoke_key(*, key: str) -> None:
    """Revoke KEY for good."""
    from chalicelib import operations

    operations.revoke_key(key=key)
    click.echo(f"Revoked {key}. Processes that have just used it may accept it for a minute more.")


@command.command("certificates")
@json_option
def check_certificates(*, as_json: bool) -> None:
    """Show what passes can be signed with; exit code 1 if anything is wrong, or will be within 30 days."""
    from chalicelib import operations

    report = operations.check_certificates()
    rows = [
        {
            "scope": scope,
            "pass_type": credentials.pass_type_identifier,
            "team": credentials.team_identifier,
            "expires_at": show_time(credentials.expires_at),
            "id": credentials.certificate_id,
        }
        for scope, credentials in report.usable
    ]
    print_rows(rows, as_json=as_json)
    for problem in report.problems:
        click.echo(problem, err=True)
    if report.problems:
        click.get_current_context().exit(1)


@command.command("ticket")
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


@command.command("redrive")
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


@command.command("resume")
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
    click.echo(f"{sent} {'message' if sent == 1 else 'messages'} sent.")


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


def _project_document(project: Project) -> dict[str, Any]:
    return {"id": project.project_id, "name": project.name, "created_at": show_time(project.created_at)}


def _key_document(credential: Credential) -> dict[str, Any]:
    revoked_at = None if credential.revoked_at is None else show_time(credential.revoked_at)
    return {"key": credential.key, "created_at": show_time(credential.created_at), "revoked_at": revoked_at}


if __name__ == "__main__":
    command(prog_name="python -m chalicelib.cli")
