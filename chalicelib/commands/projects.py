"""`projects`: the tenants of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chalicelib.commands.printing import json_option, print_json, print_rows, project_argument, show_time
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
        print_json(_as_document(project))
    else:
        click.echo(f"Created project {project.project_id}, {project.name}.")


@projects.command("list")
@json_option
def list_projects(*, as_json: bool) -> None:
    """List every project, the oldest first."""
    from chalicelib import operations

    print_rows([_as_document(project) for project in operations.list_projects()], as_json=as_json)


@projects.command("rename")
@project_argument
@click.argument("name")
def rename_project(*, project_id: int, name: str) -> None:
    """Call a project NAME from now on. Its keys and passes stay as they are."""
    from chalicelib import operations

    operations.rename_project(project_id=project_id, name=name)
    click.echo(f"Project {project_id} is called {name.strip()} now.")


def _as_document(project: Project) -> dict[str, Any]:
    return {"id": project.project_id, "name": project.name, "created_at": show_time(project.created_at)}
