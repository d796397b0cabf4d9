"""`projects`: the tenants of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.printing import json_option, print_json, print_rows, project_argument, show_time
from chalicelib.commands.rate_limits import NOTICED, describe_limit, limit_options, read_limit, show_limit
from chalicelib.commands.running import Group

if TYPE_CHECKING:
    from chalicelib.domain.projects import Project


@click.group(cls=Group)
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
        print_json(_as_document(project, as_json=True))
    else:
        click.echo(f"Created project {project.project_id}, {project.name}.")


@projects.command("list")
@json_option
def list_projects(*, as_json: bool) -> None:
    """List every project, the oldest first."""
    from chalicelib import operations

    rows = [_as_document(project, as_json=as_json) for project in operations.list_projects()]
    print_rows(rows, as_json=as_json)


@projects.command("rename")
@project_argument
@click.argument("name")
def rename_project(*, project_id: int, name: str) -> None:
    """Call a project NAME from now on. Its keys and passes stay as they are."""
    from chalicelib import operations

    operations.rename_project(project_id=project_id, name=name)
    click.echo(f"Project {project_id} is called {name.strip()} now.")


_DEFAULT = "the limit of all projects"


@projects.command("limit")
@project_argument
@limit_options(_DEFAULT)
def limit_project(*, project_id: int, **options: Any) -> None:
    """Say how many requests a project may make: all its keys together, but for those with a limit of their own."""
    from chalicelib import operations

    limit = read_limit(**options)
    operations.limit_project(project_id=project_id, limit=limit)
    click.echo(f"Project {project_id} {describe_limit(limit, default=_DEFAULT)}. {NOTICED}")


def _as_document(project: Project, *, as_json: bool) -> dict[str, Any]:
    return {
        "id": project.project_id,
        "name": project.name,
        "created_at": show_time(project.created_at),
        "limit": show_limit(project.limit, as_json=as_json),
    }
