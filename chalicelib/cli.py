"""`python -m chalicelib.cli`: what operators do, from a shell. docs/operations.md shows each command at work.

It talks to the tables and queues of one deployment with the caller's own AWS credentials; PASSEL_PREFIX and the region
say which deployment. With `--local` it talks to the stack that runs on this machine.
"""

from __future__ import annotations

from pathlib import Path

import click

from chalicelib.commands.callbacks import callbacks
from chalicelib.commands.certificates import certificates
from chalicelib.commands.checks import check
from chalicelib.commands.cost import cost
from chalicelib.commands.exports import export_passes, export_registrations
from chalicelib.commands.imports import import_passes, import_tags
from chalicelib.commands.keys import keys
from chalicelib.commands.projects import projects
from chalicelib.commands.pushes import pushes
from chalicelib.commands.running import DEFAULT_DATA, Root
from chalicelib.commands.tickets import redrive_ticket, resume_unfinished, show_ticket


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
    """Operate Passel: projects and keys, certificates, imports and exports, tickets and redrives.

    Without --local, AWS credentials, region and PASSEL_PREFIX say which deployment is meant.
    """


@command.group()
def passes() -> None:
    """Passes in bulk: from files, and into files."""


@command.group()
def registrations() -> None:
    """Which passes are on which kinds of devices."""


@command.group()
def tags() -> None:
    """Tags of passes in bulk."""


passes.add_command(import_passes)
passes.add_command(export_passes)
registrations.add_command(export_registrations)
tags.add_command(import_tags)

for part in (
    callbacks,
    certificates,
    check,
    cost,
    keys,
    projects,
    pushes,
    redrive_ticket,
    resume_unfinished,
    show_ticket,
):
    command.add_command(part)

if __name__ == "__main__":
    command(prog_name="python -m chalicelib.cli")
