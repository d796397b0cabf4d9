"""`keys`: what opens a project over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.asking import UnseenOption
from chalicelib.commands.durations import Duration
from chalicelib.commands.printing import json_option, print_json, print_rows, project_argument, show_time
from chalicelib.commands.rate_limits import NOTICED, describe_limit, limit_options, read_limit, show_limit
from chalicelib.commands.running import Group, drop_output

if TYPE_CHECKING:
    from chalicelib.domain.projects import Credential
    from chalicelib.operations import IssuedKey


@click.group(cls=Group)
def keys() -> None:
    """The keys that open a project over HTTP."""


def _brought_along(command: Callable[..., None]) -> Callable[..., None]:
    """The options of a pair that a team has already."""
    key = click.option("--key", help="Bring a key from elsewhere, so that its clients need not change.")
    secret = click.option("--secret", cls=UnseenOption, help="Its secret; asked for if empty, and not printed.")
    return key(secret(command))


@keys.command("issue")
@project_argument
@_brought_along
@json_option
def issue_key(*, project_id: int, key: str | None, secret: str | None, as_json: bool) -> None:
    """Issue a new pair of key and secret for a project."""
    from chalicelib import operations

    issued = operations.issue_key(project_id=project_id, key=key, secret=secret)
    with _showing(issued, is_own=secret is not None):
        if as_json:
            print_json(_as_pair(issued, is_own=secret is not None))
        else:
            _print_pair(issued, is_own=secret is not None)


@keys.command("rotate")
@click.argument("name", metavar="PROJECT|KEY")
@click.option(
    "--overlap",
    type=Duration(),
    default="7d",
    show_default=True,
    help="How long the old pair goes on working, such as 30m, 12h, 7d or 0.",
)
@click.option("--as", "named", type=click.Choice(["project", "key"]), help="What a number is, if it could be both.")
@_brought_along
@json_option
def rotate_key(
    *, name: str, overlap: timedelta, named: str | None, key: str | None, secret: str | None, as_json: bool
) -> None:
    """Issue a new pair in the place of an old one, which ends by itself after the overlap.

    A project can be named if it has one key; of several, name the key.
    """
    from chalicelib import operations

    rotation = operations.rotate_key(
        name=name, named=operations.Named(named) if named else None, overlap=overlap, key=key, secret=secret
    )
    ends_at, is_own = show_time(rotation.old_expires_at), secret is not None
    with _showing(rotation.issued, is_own=is_own):
        if as_json:
            pair = _as_pair(rotation.issued, is_own=is_own)
            print_json({**pair, "old_key": rotation.old_key, "old_expires_at": ends_at})
        else:
            _print_pair(rotation.issued, is_own=is_own)
            click.echo(f"The old key {rotation.old_key} ends at {ends_at}.")


@keys.command("list")
@project_argument
@json_option
def list_keys(*, project_id: int, as_json: bool) -> None:
    """List a project's keys, those that ended included. Which of them clients use is not recorded."""
    from chalicelib import operations

    operations.get_project_or_raise(project_id=project_id)
    now = datetime.now(UTC)
    rows = [
        _as_document(credential, now, as_json=as_json) for credential in operations.list_keys(project_id=project_id)
    ]
    print_rows(rows, as_json=as_json)


@keys.command("revoke")
@click.argument("key")
def revoke_key(*, key: str) -> None:
    """Revoke KEY at once and for good."""
    from chalicelib import operations

    revocation = operations.revoke_key(key=key)
    click.echo(f"Revoked {key}. Processes that have just used it may accept it for a minute more.")
    if not revocation.keys_left:
        project_id = revocation.project_id
        click.echo(
            f"Project {project_id} has no key now and cannot be reached; `keys issue {project_id}` makes one.", err=True
        )


_DEFAULT = "the limit of its project"


@keys.command("limit")
@click.argument("key")
@limit_options(_DEFAULT)
def limit_key(*, key: str, **options: Any) -> None:
    """Say how many requests may be made with KEY. They are not counted among those of its project then."""
    from chalicelib import operations

    limit = read_limit(**options)
    operations.limit_key(key=key, limit=limit)
    click.echo(f"Key {key} {describe_limit(limit, default=_DEFAULT)}. {NOTICED}")


@contextmanager
def _showing(issued: IssuedKey, *, is_own: bool) -> Iterator[None]:
    """Around what shows a new pair. A secret that nobody has seen opens nothing, and the pair is of no use."""
    try:
        yield
    except OSError as error:
        advice = "" if is_own else f" Its secret is lost: `keys revoke {issued.key}`, and issue another."
        problem = f"key {issued.key} was issued, but that cannot be printed: {error.strerror}.{advice}"
        drop_output()
        raise click.ClickException(problem) from error
    if not is_own:
        click.echo("Keep the secret now: it is not stored and cannot be shown again.", err=True)


def _print_pair(issued: IssuedKey, *, is_own: bool) -> None:
    click.echo(f"Key:    {issued.key}\nSecret: {'as you gave it' if is_own else issued.secret}")


def _as_pair(issued: IssuedKey, *, is_own: bool) -> dict[str, Any]:
    """A secret that was brought along is known already, and was perhaps typed unseen."""
    return {"key": issued.key, "secret": None if is_own else issued.secret, "project_id": issued.project_id}


def _as_document(credential: Credential, now: datetime, *, as_json: bool) -> dict[str, Any]:
    return {
        "key": credential.key,
        "state": _describe_state(credential, now),
        "created_at": show_time(credential.created_at),
        "expires_at": _show_optional(credential.expires_at),
        "revoked_at": _show_optional(credential.revoked_at),
        "limit": show_limit(credential.limit, as_json=as_json),
    }


def _describe_state(credential: Credential, now: datetime) -> str:
    if credential.revoked_at is not None:
        return "revoked"
    if not credential.is_in_force(now):
        return "expired"
    return "in force" if credential.expires_at is None else "ending"


def _show_optional(moment: datetime | None) -> str | None:
    return None if moment is None else show_time(moment)
