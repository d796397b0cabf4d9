"""`python -m chalicelib.cli`: what operators do, from a shell. docs/operations.md shows each command at work.

It talks to the tables and queues of one deployment with the caller's own AWS credentials; PASSEL_PREFIX and the region
say which deployment. With `--local` it talks to the stack that runs on this machine.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

# Everything that reads the settings or loads botocore is imported by the command that needs it: --help stays fast, and
# --local can set the environment first.
if TYPE_CHECKING:
    from datetime import datetime

    from chalicelib.domain.projects import Credential, Project
    from chalicelib.domain.tickets import Ticket

_DEFAULT_DATA = ".local"
_STACK_FILE = "stack.json"
"""written by a local run: the environment variables that reach its engines"""

_PROBE_SECONDS = 1.0
_POLL_SECONDS = 0.5

_MISSING = ("ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError")


class _NoLocalStack(click.ClickException):
    """There is nothing to talk to: a wrong call rather than a failure."""

    exit_code = 2


class _Operation(click.Command):
    """A command on one deployment: finds it first, and tells every foreseen failure in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        folder = ctx.find_root().params.get("local")
        if folder is not None:
            _use_local_stack(folder)

        from botocore.exceptions import BotoCoreError, ClientError
        from pynamodb.exceptions import PynamoDBException

        from chalicelib.domain.errors import PasselError
        from chalicelib.settings import SettingsError

        try:
            return super().invoke(ctx)
        except (PasselError, SettingsError, PynamoDBException, ClientError, BotoCoreError) as error:
            raise click.ClickException(_describe(error)) from error


class _Group(click.Group):
    command_class = _Operation
    group_class = type


class _Root(_Group):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ends a bare `--local`, which would otherwise take the command after it for its folder."""
        if args[:1] == ["--local"] and (len(args) == 1 or args[1] in self.commands or args[1].startswith("-")):
            args = [f"--local={_DEFAULT_DATA}", *args[1:]]
        return super().parse_args(ctx, args)


def _use_local_stack(folder: Path) -> None:
    """Points this process at the stack that runs on a data folder, and at nothing else the shell may name."""
    try:
        variables = {str(name): str(value) for name, value in json.loads((folder / _STACK_FILE).read_text()).items()}
    except (OSError, ValueError, AttributeError):
        variables = {}
    if not _answers(variables.get("AWS_ENDPOINT_URL_DYNAMODB", "")):
        raise _NoLocalStack(f"no local stack runs on the data folder {folder}; `make run` starts one")
    for name in [name for name in os.environ if name.startswith(("AWS_", "PASSEL_"))]:
        del os.environ[name]
    os.environ.update(variables)


def _answers(url: str) -> bool:
    """Whether something listens there; a run that was killed leaves its stack.json behind."""
    try:
        address = urlsplit(url)
        socket.create_connection((address.hostname or "", address.port or 0), timeout=_PROBE_SECONDS).close()
    except (OSError, ValueError):
        return False
    return True


def _describe(error: Exception) -> str:
    """One line that says what to do about a failure. Decides by code, never by text."""
    from botocore.exceptions import BotoCoreError, ClientError

    from chalicelib.domain.errors import PasselError

    root = _find_root(error)
    answer = getattr(root, "response", {}).get("Error", {}) if isinstance(root, ClientError) else {}
    code = answer.get("Code") or type(root).__name__
    if code in _MISSING:
        return _describe_missing()
    if code in _NO_CREDENTIALS:
        return "no AWS credentials were found; set AWS_PROFILE or the AWS_ variables, or give --local"
    if isinstance(root, BotoCoreError):
        return f"{error}: {root}" if isinstance(error, PasselError) else str(root)
    if isinstance(error, PasselError) or not answer:
        return str(error)
    return f"AWS refused: {answer.get('Message') or 'no reason given'} ({code})"


def _find_root(error: BaseException) -> BaseException:
    """The error that started it; pynamodb keeps it in an attribute instead of chaining it."""
    cause = error.__cause__ or getattr(error, "cause", None)
    return _find_root(cause) if isinstance(cause, BaseException) else error


def _describe_missing() -> str:
    from chalicelib.settings import get_settings

    settings = get_settings()
    return (
        f"there are no tables or queues named {settings.prefix}... in {settings.region};"
        " check PASSEL_PREFIX and the region, or give --local"
    )


@click.group(cls=_Root, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--local",
    envvar="PASSEL_LOCAL",
    is_flag=False,
    flag_value=_DEFAULT_DATA,
    metavar="[DATA]",
    type=click.Path(path_type=Path),
    help=f"Use the stack that `make run` runs on this data folder ({_DEFAULT_DATA} if none is given).",
)
def command(*, local: Path | None) -> None:
    """Operate Passel: projects, their keys, tickets and redrives.

    Without --local, AWS credentials, region and PASSEL_PREFIX say which deployment is meant.
    """


_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_watch_option = click.option("--watch", is_flag=True, help="Follow it to its end; exit code 1 unless COMPLETED.")
_ticket_argument = click.argument("ticket_id", type=click.IntRange(min=1))
_project_argument = click.argument("project_id", type=click.IntRange(min=1))


@command.group()
def projects() -> None:
    """The tenants of this deployment."""


@projects.command("create")
@click.argument("name")
@_json_option
def create_project(*, name: str, as_json: bool) -> None:
    """Create a project called NAME."""
    from chalicelib import operations

    project = operations.create_project(name=name)
    if as_json:
        _print_json(_project_document(project))
    else:
        click.echo(f"Created project {project.project_id}, {project.name}.")


@projects.command("list")
@_json_option
def list_projects(*, as_json: bool) -> None:
    """List every project, the oldest first."""
    from chalicelib import operations

    _print_rows([_project_document(project) for project in operations.list_projects()], as_json=as_json)


@command.group()
def keys() -> None:
    """The keys that open a project over HTTP."""


@keys.command("issue")
@_project_argument
@click.option("--key", help="Bring a key from elsewhere, so that its clients need not change.")
@click.option("--secret", prompt=True, prompt_required=False, hide_input=True, help="Its secret; asked for if empty.")
@_json_option
def issue_key(*, project_id: int, key: str | None, secret: str | None, as_json: bool) -> None:
    """Issue a new pair of key and secret for a project."""
    from chalicelib import operations

    issued = operations.issue_key(project_id=project_id, key=key, secret=secret)
    if as_json:
        _print_json({"key": issued.key, "secret": issued.secret, "project_id": issued.project_id})
    else:
        click.echo(f"Key:    {issued.key}\nSecret: {issued.secret}")
    click.echo("Keep the secret now: it is not stored and cannot be shown again.", err=True)


@keys.command("list")
@_project_argument
@_json_option
def list_keys(*, project_id: int, as_json: bool) -> None:
    """List a project's keys, revoked ones included."""
    from chalicelib import operations
    from chalicelib.domain.errors import NotFound

    if operations.get_project(project_id=project_id) is None:
        raise NotFound("project", project_id)
    _print_rows([_key_document(each) for each in operations.list_keys(project_id=project_id)], as_json=as_json)


@keys.command("revoke")
@click.argument("key")
def revoke_key(*, key: str) -> None:
    """Revoke KEY for good."""
    from chalicelib import operations

    operations.revoke_key(key=key)
    click.echo(f"Revoked {key}. Processes that have just used it may accept it for a minute more.")


@command.command("certificates")
@_json_option
def check_certificates(*, as_json: bool) -> None:
    """Show what passes can be signed with; exit code 1 if anything is wrong, or will be within 30 days."""
    from chalicelib import operations

    report = operations.check_certificates()
    rows = [
        {
            "scope": scope,
            "pass_type": credentials.pass_type_identifier,
            "team": credentials.team_identifier,
            "expires_at": _time(credentials.expires_at),
            "id": credentials.certificate_id,
        }
        for scope, credentials in report.usable
    ]
    _print_rows(rows, as_json=as_json)
    for problem in report.problems:
        click.echo(problem, err=True)
    if report.problems:
        click.get_current_context().exit(1)


@command.command("ticket")
@_ticket_argument
@_watch_option
@_json_option
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
        _print_json(
            {
                "id": ticket.ticket_id,
                "project_id": ticket.project_id,
                "status": str(ticket.status),
                "created_at": _time(ticket.created_at),
                "progress": numbers,
            }
        )
        return
    click.echo(f"Ticket {ticket.ticket_id} of project {ticket.project_id}, {_time(ticket.created_at)}: {ticket.status}")
    click.echo("Passes: " + ", ".join(f"{name} {number}" for name, number in numbers.items()))


def _project_document(project: Project) -> dict[str, Any]:
    return {"id": project.project_id, "name": project.name, "created_at": _time(project.created_at)}


def _key_document(credential: Credential) -> dict[str, Any]:
    revoked_at = None if credential.revoked_at is None else _time(credential.revoked_at)
    return {"key": credential.key, "created_at": _time(credential.created_at), "revoked_at": revoked_at}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _print_json(document: object) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_rows(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Columns as wide as their content, or a JSON array."""
    if as_json:
        _print_json(rows)
        return
    if not rows:
        click.echo("None.")
        return
    table = [[name.replace("_", " ").upper() for name in rows[0]]]
    table += [["-" if value is None else str(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for line in table:
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


if __name__ == "__main__":
    command(prog_name="python -m chalicelib.cli")
