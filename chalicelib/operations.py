"""What operators do: projects, keys, redrives. The command line and the local stack both call these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from chalicelib.domain import authenticating, bulk_updates, sweeping
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.finding import get_template_or_raise, parse_id
from chalicelib.domain.projects import Credential, Project
from chalicelib.domain.rate_limits import RateLimit
from chalicelib.domain.templates import Template, TemplateReference
from chalicelib.domain.tickets import Ticket
from chalicelib.wiring import get_platform


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A new pair. The secret is shown here and never again."""

    key: str
    secret: str
    project_id: int


@dataclass(frozen=True, slots=True)
class Rotation:
    """A new pair, and until when the old one works beside it."""

    issued: IssuedKey
    old_key: str
    old_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Revocation:
    """Whose key was revoked, and how many the project has left that are in force."""

    project_id: int
    keys_left: int


class Named(Enum):
    """What a name on the command line is meant to be, where it could be both."""

    PROJECT = "project"
    KEY = "key"


LONGEST_NAME = 200
"""characters of a project's name"""


def create_project(*, name: str) -> Project:
    """A new tenant.

    Raises:
        InvalidRequest: the name is empty, too long or not printable.
    """
    platform = get_platform()
    return platform.projects.create_project(name=_check_name(name), now=platform.now())


def rename_project(*, project_id: int, name: str) -> None:
    """Gives a project another name; nothing else depends on it.

    Raises:
        InvalidRequest: the name is empty, too long or not printable.
        NotFound
    """
    if not get_platform().projects.rename_project(project_id=project_id, name=_check_name(name)):
        raise NotFound("project", project_id)


def _check_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise InvalidRequest("must not be empty", field="name")
    if len(name) > LONGEST_NAME:
        raise InvalidRequest(f"has {len(name)} characters, the limit is {LONGEST_NAME}", field="name")
    if not name.isprintable():
        raise InvalidRequest("must be one line without control characters", field="name")
    return name


def get_project(*, project_id: int) -> Project | None:
    """The project of that id."""
    return get_platform().projects.get_project(project_id=project_id)


def get_project_or_raise(*, project_id: int) -> Project:
    """The project of that id.

    Raises:
        NotFound
    """
    project = get_project(project_id=project_id)
    if project is None:
        raise NotFound("project", project_id)
    return project


def get_named_template_or_raise(*, project_id: int, name: str) -> Template:
    """The template that the command line names: by its id, or by `id/` and its external id, as paths of the API do.

    Raises:
        InvalidRequest: the name is neither.
        NotFound
    """
    get_project_or_raise(project_id=project_id)
    template_id = parse_id(name)
    if name.startswith("id/"):
        reference = TemplateReference(external_id=name.removeprefix("id/"))
    elif template_id is not None:
        reference = TemplateReference(template_id=template_id)
    else:
        raise InvalidRequest(f"{name!r} is no template id; an external id is written id/{name}")
    return get_template_or_raise(get_platform(), project_id=project_id, reference=reference)


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


def rotate_key(
    *, name: str, named: Named | None = None, overlap: timedelta, key: str | None = None, secret: str | None = None
) -> Rotation:
    """A new pair in the place of an old one, which ends by itself after `overlap`.

    `name` is a key, or a project that has one key without an end.

    Raises:
        NotFound, InvalidRequest
    """
    old = _find_key_to_rotate(name, named)
    new, new_secret, expires_at = authenticating.rotate_key(
        get_platform(), old=old, overlap=overlap, key=key, secret=secret
    )
    return Rotation(IssuedKey(new.key, new_secret, new.project_id), old.key, expires_at)


def _find_key_to_rotate(name: str, named: Named | None) -> Credential:
    projects = get_platform().projects
    credential = None if named is Named.PROJECT else projects.get_credential(key=name)
    project_id = None if named is Named.KEY else parse_id(name)
    if project_id is None or projects.get_project(project_id=project_id) is None:
        if credential is None:
            raise NotFound("key or project" if named is None else named.value, name)
        return credential
    if credential is not None:
        problem = f"{name} is a project and also a key of project {credential.project_id}; say which with --as"
        raise InvalidRequest(problem)
    now = get_platform().now()
    lasting = [each for each in list_keys(project_id=project_id) if each.is_in_force(now) and each.expires_at is None]
    if len(lasting) != 1:
        keys = ", ".join(each.key for each in lasting)
        problem = f"{len(lasting)} keys without an end: {keys}; name one" if lasting else "no key to rotate; issue one"
        raise InvalidRequest(f"project {project_id} has {problem}")
    return lasting[0]


def list_keys(*, project_id: int) -> list[Credential]:
    """A project's keys, oldest first."""
    return get_platform().projects.list_credentials(project_id=project_id)


def limit_project(*, project_id: int, limit: RateLimit | None) -> None:
    """Limits a project's requests; None for what all projects may. Processes notice within a minute.

    Raises:
        NotFound
    """
    if not get_platform().projects.limit_project(project_id=project_id, limit=limit):
        raise NotFound("project", project_id)


def limit_key(*, key: str, limit: RateLimit | None) -> None:
    """Limits the requests with one key; None for what its project may. Processes notice within a minute.

    Raises:
        NotFound
    """
    if not get_platform().projects.limit_credential(key=key, limit=limit):
        raise NotFound("key", key)


def revoke_key(*, key: str) -> Revocation:
    """Revokes a key; containers that remember it accept it for up to a minute more.

    Raises:
        NotFound
    """
    platform = get_platform()
    credential = platform.projects.get_credential(key=key)
    if credential is None or not platform.projects.revoke_credential(key=key, now=platform.now()):
        raise NotFound("key", key)
    now, others = platform.now(), list_keys(project_id=credential.project_id)
    left = [each for each in others if each.key != key and each.is_in_force(now)]
    return Revocation(credential.project_id, len(left))


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
