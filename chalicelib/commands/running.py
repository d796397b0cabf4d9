"""How a command of the command line runs: on which deployment, and what it says when that fails.

Everything that reads the settings or loads botocore is imported by the command that needs it: --help stays fast, and
--local can set the environment first.
"""

from __future__ import annotations

import errno
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

DEFAULT_DATA = ".local"
_STACK_FILE = "stack.json"
"""written by a local run: the environment variables that reach its engines"""

_PROBE_SECONDS = 1.0

INTERRUPTED = 130
"""exit code after Ctrl-C, as shells have it"""

_MISSING = ("ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
_NO_CREDENTIALS = ("NoCredentialsError", "PartialCredentialsError")


class _NoLocalStack(click.ClickException):
    """There is nothing to talk to: a wrong call rather than a failure."""

    exit_code = 2


class Operation(click.Command):
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


class Group(click.Group):
    """Commands on one deployment, and groups of them."""

    command_class = Operation
    group_class = type


class Root(Group):
    """The command line as a whole."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Ends a bare `--local`, which would otherwise take the command after it for its folder."""
        if args[:1] == ["--local"] and (len(args) == 1 or args[1] in self.commands or args[1].startswith("-")):
            args = [f"--local={DEFAULT_DATA}", *args[1:]]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command that is named, questions of its options included; ends with one line whatever happens."""
        if sys.stdout is None:
            raise click.ClickException("standard output is closed; send it to /dev/null if nobody is to read it")
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            click.echo("\nStopped.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from error
        except click.Abort as error:
            if not isinstance(error.__context__, KeyboardInterrupt):  # else Ctrl-C at a question
                raise
            click.echo("Stopped.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read has had enough, as `head` does; click ends then
                raise
            drop_output()
            raise click.ClickException(_describe_failure(error)) from error


def drop_output() -> None:
    """What could not be written is still buffered, and would fail once more when the process ends."""
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):
        return  # not the process's own
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _describe_failure(error: OSError) -> str:
    problem = error.strerror or str(error)
    return f"{error.filename}: {problem}" if error.filename else f"what is printed cannot be written: {problem}"


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
