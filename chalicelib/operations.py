"""What operators do: projects, keys, redrives. The command line and the local stack both call these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from chalicelib.domain import authenticating, bulk_updates, sweeping
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.projects import Credential, Project
from chalicelib.domain.tickets import Ticket
from chalicelib.wiring import get_keyring, get_platform

if TYPE_CHECKING:
    from chalicelib.wallets.apple.credentials import SigningCredentials


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new pair. The secret is shown here and never again."""

    key: str
    secret: str
    project_id: int


def create_project(*, name: str) -> Project:
    """A new tenant.

    Raises:
        InvalidRequest: the name is empty.
    """
    if not name.strip():
        raise InvalidRequest("must not be empty", field="name")
    platform = get_platform()
    return platform.projects.create_project(name=name.strip(), now=platform.now())


def get_project(*, project_id: int) -> Project | None:
    """The project of that id."""
    return get_platform().projects.get_project(project_id=project_id)


def list_projects() -> list[Project]:
    """Every project, ascending by id."""
    return get_platform().projects.list_projects()


def issue_key(*, project_id: int, key: str | None = None, secret: str | None = None) -> IssuedKey:
    """A new pair for a project, random unless a team brings its own.

    Raises:
        NotFound, InvalidRequest
    """
    key, secret = authenticating.issue_key(get_platform(), project_id=project_id, key=key, secret=secret)
    return IssuedKey(key=key, secret=secret, project_id=project_id)


def list_keys(*, project_id: int) -> list[Credential]:
    """A project's keys, oldest first."""
    return get_platform().projects.list_credentials(project_id=project_id)


def revoke_key(*, key: str) -> None:
    """Revokes a key; containers that remember it accept it for up to a minute more.

    Raises:
        NotFound
    """
    platform = get_platform()
    if not platform.projects.revoke_credential(key=key, now=platform.now()):
        raise NotFound("key", key)


def get_ticket(*, ticket_id: int) -> Ticket:
    """Any project's ticket.

    Raises:
        NotFound
    """
    ticket = get_platform().tickets.get_ticket(ticket_id=ticket_id)
    if ticket is None:
        raise NotFound("ticket", ticket_id)
    return ticket


def redrive(*, ticket_id: int) -> Ticket:
    """Sends what is left of a FAILED or stuck bulk update again.

    Raises:
        NotFound
    """
    return bulk_updates.redrive(get_platform(), ticket_id=ticket_id)


def resume_unfinished(*, minimum_age_seconds: float = 0, queues_lost: bool = True) -> int:
    """Sends again what a lost message left undone; how many messages."""
    return sweeping.resume_unfinished(get_platform(), minimum_age_seconds=minimum_age_seconds, queues_lost=queues_lost)


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """What can sign passes now, by scope, and everything that is wrong or soon will be."""

    usable: list[tuple[str, SigningCredentials]]
    problems: list[str]


def check_certificates() -> CertificateReport:
    """Reads the certificates of every project anew, and the shared ones.

    Raises:
        Busy: the place where they are kept cannot be reached.
    """
    from chalicelib.domain.certificates import SHARED

    keyring = get_keyring()
    scopes = [SHARED, *(str(project.project_id) for project in list_projects())]
    usable = [(scope, credentials) for scope in scopes for credentials in keyring.list_scope(scope)]
    problems = keyring.check_all(scopes)
    if not usable and not problems:
        problems = ["there is no certificate; PASSEL_CERTIFICATES says where they are read from"]
    return CertificateReport(usable=usable, problems=problems)
