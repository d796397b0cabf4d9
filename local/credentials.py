"""The demo project's credentials: made at the first start, the same at every later one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from local.data_folder import DataFolder
from local.errors import StackError

_FILE = "credentials.json"
_PROJECT_NAME = "Demo"


@dataclass(frozen=True)
class DemoCredentials:
    """What a client needs to call the local stack."""

    key: str
    secret: str
    project_id: int


def prepare_credentials(folder: DataFolder, *, lasting: bool) -> DemoCredentials:
    """The saved credentials, with a project behind them; made anew where either is missing.

    A new project takes over the saved key and secret, so commands that were pasted somewhere keep working. With
    `lasting` False (an engine that forgets) the project is always new, and the file keeps naming the lasting one.

    Raises:
        StackError: the credentials file is damaged.
    """
    from chalicelib import operations  # it reads the settings, which exist only from here on

    saved = _read(folder)
    if saved is not None and lasting and operations.get_project(project_id=saved.project_id) is not None:
        keys = operations.list_keys(project_id=saved.project_id)
        now = datetime.now(UTC)
        if any(key.key == saved.key and key.is_in_force(now) for key in keys):
            return saved
        pair, project_id = None, saved.project_id  # it has ended, and such a pair cannot be issued again
    else:
        pair, project_id = saved, operations.create_project(name=_PROJECT_NAME).project_id
    issued = operations.issue_key(
        project_id=project_id, key=pair.key if pair else None, secret=pair.secret if pair else None
    )
    credentials = DemoCredentials(key=issued.key, secret=issued.secret, project_id=project_id)
    if lasting or saved is None:
        folder.write_json(_FILE, asdict(credentials))
    return credentials


def _read(folder: DataFolder) -> DemoCredentials | None:
    content = folder.read_json(_FILE)
    match content:
        case None:
            return None
        case {"key": str(key), "secret": str(secret), "project_id": int(project_id)}:
            return DemoCredentials(key=key, secret=secret, project_id=project_id)
    raise StackError(f"{folder.path / _FILE} does not hold credentials; delete it and start again")
