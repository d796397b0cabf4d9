"""`callbacks`: who is told of a project's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.asking import UnseenOption
from chalicelib.commands.printing import count, json_option, print_json, project_argument, show_time
from chalicelib.commands.running import Group

if TYPE_CHECKING:
    from chalicelib.domain.receivers import Receiver


@click.group(cls=Group)
def callbacks() -> None:
    """Where a project's own systems are told of installs, redeems and the like."""


@callbacks.command("show")
@project_argument
@json_option
def show_receivers(*, project_id: int, as_json: bool) -> None:
    """Show who is told. Of headers the names alone, since their values may be secret."""
    from chalicelib import callback_operations

    document = _as_document(callback_operations.get_receiver(project_id=project_id))
    if as_json:
        print_json(document)
        return
    airship, passworks = document["airship"], document["passworks"]
    if airship is not None:
        names = ", ".join(airship["headers"]) or "none"
        click.echo(f"Airship callbacks: {airship['base_url']}, headers: {names}")
    if passworks is not None:
        key = "with" if passworks["authorization"] else "without"
        click.echo(f"Passworks webhooks: {passworks['url']}, {key} Authorization")
    if document["rotated_at"] is not None:
        click.echo(f"Signing secret of {document['rotated_at']}")


@callbacks.command("set")
@project_argument
@click.argument("base_url")
@click.option(
    "--header", "headers", multiple=True, metavar="'NAME: VALUE'", help="Sent with each callback; may repeat."
)
def set_airship(*, project_id: int, base_url: str, headers: tuple[str, ...]) -> None:
    """Send Airship's install, uninstall and personalize callbacks to addresses below BASE_URL."""
    from chalicelib import callback_operations

    receiver, is_new = callback_operations.set_airship_receiver(
        project_id=project_id, base_url=base_url, headers=dict(map(_split_header, headers))
    )
    click.echo(f"Callbacks of project {project_id} go to {base_url}. Running processes know within a minute.")
    _tell_new_secret(receiver, is_new=is_new)


@callbacks.command("passworks")
@project_argument
@click.option("--url", required=True, help="Gets every webhook of the project.")
@click.option(
    "--authorization",
    cls=UnseenOption,
    help="The API key that the Authorization header is to hold; asked for if empty.",
)
def set_passworks(*, project_id: int, url: str, authorization: str | None) -> None:
    """Send Passworks webhooks to one address."""
    from chalicelib import callback_operations

    receiver, is_new = callback_operations.set_passworks_receiver(
        project_id=project_id, url=url, authorization=authorization
    )
    click.echo(f"Webhooks of project {project_id} go to {url}. Running processes know within a minute.")
    if authorization is None:
        click.echo("They carry no Authorization header; --authorization gives them one.", err=True)
    _tell_new_secret(receiver, is_new=is_new)


@callbacks.command("secret")
@project_argument
@click.option("--rotate", is_flag=True, help="Make a new one; for a week callbacks are signed with both.")
def show_secret(*, project_id: int, rotate: bool) -> None:
    """Show what callbacks are signed with."""
    from chalicelib import callback_operations

    if rotate:
        receiver = callback_operations.rotate_secret(project_id=project_id)
    else:
        receiver = callback_operations.get_receiver(project_id=project_id)
    click.echo(receiver.secret)


@callbacks.command("remove")
@project_argument
@click.argument("dialect", type=click.Choice(["airship", "passworks"]))
def remove_receiver(*, project_id: int, dialect: str) -> None:
    """Tell nobody any more; what still waits to be told is dropped."""
    from chalicelib import callback_operations

    callback_operations.remove_receiver(project_id=project_id, dialect=dialect)
    click.echo(f"Nobody is told of project {project_id} in the words of {dialect.capitalize()} any more.")


@callbacks.command("redrive")
@click.option("--project", "project_id", type=click.IntRange(min=1), help="Only what one project was to be told.")
def redrive_callbacks(*, project_id: int | None) -> None:
    """Give what was given up another day. Receivers know by the event id what they have already."""
    from chalicelib import callback_operations

    sent, left = callback_operations.redrive(project_id=project_id)
    click.echo(f"{count(sent, 'callback')} sent again, {left} left.")


def _split_header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r} is not 'NAME: VALUE'", param_hint="--header")
    return name.strip(), value.strip()


def _tell_new_secret(receiver: Receiver, *, is_new: bool) -> None:
    if is_new:
        click.echo(f"They are signed with the secret {receiver.secret}")


def _as_document(receiver: Receiver) -> dict[str, Any]:
    airship, passworks = receiver.airship, receiver.passworks
    return {
        "project_id": receiver.project_id,
        "airship": airship and {"base_url": airship.base_url, "headers": sorted(airship.headers)},
        "passworks": passworks and {"url": passworks.url, "authorization": passworks.authorization is not None},
        "rotated_at": None if receiver.rotated_at is None else show_time(receiver.rotated_at),
    }
