"""`certificates`: what passes are signed with, and the documents that say how wallets are reached."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.asking import ask_unseen
from chalicelib.commands.printing import json_option, print_json, print_rows, show_time
from chalicelib.commands.running import Group

if TYPE_CHECKING:
    from chalicelib.certificate_operations import (
        Certificate,
        CertificateFiles,
        CertificateReport,
        Installation,
        Removal,
    )

PASSWORD_VARIABLE = "P12_PASSWORD"
"""not one of ours by its name: `--local` forgets those"""

_LARGEST_BYTES = 1_000_000
"""of any file here; the real ones have some thousand"""


class ListingGroup(Group):
    """A group that lists if it is told nothing else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `list` where no command is named."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=ListingGroup)
def certificates() -> None:
    """What passes are signed with. Without a command: list."""


@certificates.command("list")
@json_option
def list_certificates(*, as_json: bool) -> None:
    """Show what passes can be signed with; exit code 1 if anything is wrong, or will be within 30 days."""
    from chalicelib import certificate_operations

    report = certificate_operations.check_certificates()
    print_rows([_as_row(certificate) for certificate in report.usable], as_json=as_json)
    _tell_problems(report)


@certificates.command("check")
@json_option
def check_certificates(*, as_json: bool) -> None:
    """Show more: the kind of each key, and who issued the certificate, until when that is valid."""
    from chalicelib import certificate_operations

    report = certificate_operations.check_certificates()
    rows = [{**_as_row(certificate), **_as_chain(certificate)} for certificate in report.usable]
    print_rows(rows, as_json=as_json)
    _tell_problems(report)


def _project_option(command: Callable[..., None]) -> Callable[..., None]:
    text = "For one project alone; without it for all that have none of their own."
    return click.option("--project", "project_id", type=click.IntRange(min=1), help=text)(command)


_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@certificates.command("install")
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--p12",
    type=_file,
    help=f"A .p12 file in place of FOLDER; its password comes from {PASSWORD_VARIABLE}, or is asked for.",
)
@click.option(
    "--wwdr", type=_file, help="Apple's intermediate, PEM or DER, if FOLDER has no wwdr.pem or the .p12 none."
)
@_project_option
@click.option("--name", default="default", show_default=True, help="What campaigns call it.")
@click.option("--change-pass-type", is_flag=True, help="Even if phones will take all passes for new ones.")
@click.option("--kms-key", help="Encrypt with this KMS key; without it the present one, or else AWS's own.")
@json_option
def install_certificate(
    *,
    folder: Path | None,
    p12: Path | None,
    wwdr: Path | None,
    project_id: int | None,
    name: str,
    change_pass_type: bool,
    kms_key: str | None,
    as_json: bool,
) -> None:
    """Check a certificate and put it where PASSEL_CERTIFICATES says, in the place of the one with its name.

    FOLDER holds certificate.pem, key.pem and wwdr.pem. Nothing is written unless key, certificate and intermediate
    belong together, are valid and strong enough, and the pass type is the one that passes have now.
    """
    if (folder is None) == (p12 is None):
        raise click.UsageError("give either FOLDER or --p12 FILE")
    from chalicelib import certificate_operations

    installation = certificate_operations.install_certificate(
        _read_files(folder, p12, wwdr),
        ask_password=_ask_password,
        project_id=project_id,
        name=name,
        change_pass_type=change_pass_type,
        kms_key=kms_key,
    )
    _tell_installed(installation, as_json=as_json)


def _read_files(folder: Path | None, p12: Path | None, wwdr: Path | None) -> CertificateFiles:
    from chalicelib.certificate_operations import CertificateFiles

    if folder is None:
        assert p12 is not None
        return CertificateFiles(p12=_read_file(p12), authorities=None if wwdr is None else _read_file(wwdr))
    return CertificateFiles(
        certificate=_read_file(folder / "certificate.pem"),
        key=_read_file(folder / "key.pem"),
        authorities=_read_file(wwdr or folder / "wwdr.pem"),
    )


def _read_file(file: Path) -> bytes:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise click.ClickException(f"{file} is too large for what it is to be")
        return file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}") from error


def _ask_password() -> str:
    """From the environment or the terminal, never from the command line, which others can see."""
    given = os.environ.get(PASSWORD_VARIABLE)
    if given is not None:
        return given
    return ask_unseen("Password", instead=f"set {PASSWORD_VARIABLE}, or pipe it in", may_be_empty=True)


@certificates.command("remove")
@click.argument("name")
@_project_option
@click.option("--yes", is_flag=True, help="Do not ask; needed for what signs for all projects.")
def remove_certificate(*, name: str, project_id: int | None, yes: bool) -> None:
    """Take away the certificate called NAME, with its key, from where PASSEL_CERTIFICATES says."""
    from chalicelib import certificate_operations

    removal = certificate_operations.plan_removal(project_id=project_id, name=name)
    if not yes:
        click.echo(_describe_removal(removal), err=True)
        if removal.is_shared_default:
            raise click.ClickException(f"{removal.place} signs for all projects; --yes removes it nevertheless")
        _confirm(f"Remove {removal.place}?")
    certificate_operations.remove_certificate(project_id=project_id, name=name)
    click.echo(f"Removed {removal.place}. Running processes sign with it for five minutes more.")


def _confirm(question: str) -> None:
    try:
        click.confirm(question, abort=True, err=True)
    except click.Abort as error:
        if isinstance(error.__context__, EOFError):
            raise click.ClickException("there is no terminal to ask; --yes removes it without a question") from error
        raise


def _describe_removal(removal: Removal) -> str:
    text = f"{removal.place} signs passes of type {removal.pass_type or 'unknown'}"
    if not removal.is_default:
        return f"{text}: those of campaigns that name it cannot be signed any more."
    if removal.next_place is None:
        return f"{text}: nothing signs in its place, and these passes cannot be fetched any more."
    following = f"{removal.next_place} with type {removal.next_pass_type or 'unknown'} signs in its place"
    if removal.next_pass_type == removal.pass_type:
        return f"{text}: {following}."
    return f"{text}: {following}, and phones take all of them for new ones."


@certificates.command("install-wallets")
@click.argument("file", type=click.File(encoding="utf-8"))
@_project_option
def install_wallets(*, file: Any, project_id: int | None) -> None:
    """Check the JSON document FILE that says how wallets are reached, and put it beside the certificates."""
    from chalicelib import certificate_operations

    services = certificate_operations.install_wallets(_read_text(file), project_id=project_id)
    what = ", ".join(services) or "nothing, which leaves all to the settings"
    click.echo(f"Installed for {_describe_scope(project_id)}: {what}. It counts within five minutes.")


@certificates.command("install-google")
@click.argument("file", type=click.File(encoding="utf-8"))
@_project_option
def install_google(*, file: Any, project_id: int | None) -> None:
    """Check FILE, the key file of a Google service account, and put it beside the certificates."""
    from chalicelib import certificate_operations

    email = certificate_operations.install_google(_read_text(file), project_id=project_id)
    click.echo(f"Installed for {_describe_scope(project_id)}: {email}. It counts within five minutes.")


def _read_text(file: Any) -> str:
    try:
        return str(file.read(_LARGEST_BYTES))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file.name} cannot be read as text") from error


def _describe_scope(project_id: int | None) -> str:
    return "all projects" if project_id is None else f"project {project_id}"


def _tell_installed(installation: Installation, *, as_json: bool) -> None:
    certificate = installation.certificate
    if as_json:
        more = {"is_new": installation.is_new, "warnings": installation.warnings}
        print_json({**_as_row(certificate), **_as_chain(certificate), **more})
    else:
        verb = "Installed" if installation.is_new else "Nothing to do, this is installed already:"
        place = f"{certificate.scope}/{certificate.name}"
        click.echo(f"{verb} {certificate.pass_type} of team {certificate.team} as {place}.")
        ends = (show_time(certificate.expires_at), show_time(certificate.issuer_expires_at))
        click.echo(f"It is valid until {ends[0]}, its issuer {certificate.issuer} until {ends[1]}.")
        if installation.is_new:
            click.echo("Running processes sign with it within five minutes.")
    for warning in installation.warnings:
        click.echo(f"Warning: {warning}", err=True)


def _tell_problems(report: CertificateReport) -> None:
    for problem in report.problems:
        click.echo(problem, err=True)
    if report.problems:
        click.get_current_context().exit(1)


def _as_row(certificate: Certificate) -> dict[str, Any]:
    return {
        "scope": certificate.scope,
        "name": certificate.name,
        "pass_type": certificate.pass_type,
        "team": certificate.team,
        "expires_at": show_time(certificate.expires_at),
        "id": certificate.certificate_id,
    }


def _as_chain(certificate: Certificate) -> dict[str, Any]:
    return {
        "key": certificate.key,
        "issuer": certificate.issuer,
        "issuer_expires_at": show_time(certificate.issuer_expires_at),
    }
