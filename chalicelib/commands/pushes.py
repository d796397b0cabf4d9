"""`pushes`: where changes are pushed to, and what rests or was given up."""

from __future__ import annotations

import click

from chalicelib.commands.printing import count, json_option, print_rows, project_argument, show_time
from chalicelib.commands.running import Group


@click.group(cls=Group)
def pushes() -> None:
    """How devices are told of changed passes."""


@pushes.command("services")
@project_argument
@json_option
def show_services(*, project_id: int, as_json: bool) -> None:
    """Show where each wallet's pushes go, with what credentials, and whether they rest."""
    from chalicelib import push_operations

    rows = [
        {
            "wallet": str(service.wallet),
            "address": service.address,
            "credentials": service.credentials,
            "paused_until": None if service.paused_until is None else show_time(service.paused_until),
        }
        for service in push_operations.list_services(project_id=project_id)
    ]
    print_rows(rows, as_json=as_json)


@pushes.command("pauses")
@json_option
def show_pauses(*, as_json: bool) -> None:
    """Show which services are left alone, since they refuse a project or do not answer."""
    from chalicelib import push_operations

    rows = [
        {"service": pause.service, "until": show_time(pause.until), "reason": pause.reason}
        for pause in push_operations.list_pauses()
    ]
    print_rows(rows, as_json=as_json)


@pushes.command("resume")
@project_argument
def end_pauses(*, project_id: int) -> None:
    """End a project's pauses, once what its services refused is mended."""
    from chalicelib import push_operations

    ended = push_operations.end_pauses(project_id=project_id)
    click.echo(f"{count(ended, 'pause')} ended. What waits already comes within 15 minutes.")


@pushes.command("redrive")
def redrive_pushes() -> None:
    """Give what was given up another day. No device is told twice of the same ticket."""
    from chalicelib import push_operations

    sent, left = push_operations.redrive()
    click.echo(f"{count(sent, 'message')} sent again, {left} left.")
