"""Projects and credentials in DynamoDB."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pynamodb.attributes import NumberAttribute
from pynamodb.exceptions import DoesNotExist
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model

from chalicelib.domain.errors import AlreadyExists, NumberTaken
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.projects import Credential, Project
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import CredentialRow, ProjectRow
from chalicelib.store.sequences import DynamoSequenceStore, explain_taken
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.rate_limits import RateLimit

_NEVER = float("inf")


def _as_project(row: ProjectRow) -> Project:
    return Project(
        project_id=int(row.project_id),
        name=row.name,
        created_at=from_milliseconds(int(row.created_at)),
        limit=_as_limit(row.limit_per_second, row.limit_burst),
    )


def _as_credential(row: CredentialRow) -> Credential:
    return Credential(
        key=row.key,
        secret_hash=row.secret_hash,
        project_id=int(row.project_id),
        created_at=from_milliseconds(int(row.created_at)),
        revoked_at=None if row.revoked_at is None else from_milliseconds(int(row.revoked_at)),
        expires_at=None if row.expires_at is None else from_milliseconds(int(row.expires_at)),
        limit=_as_limit(row.limit_per_second, row.limit_burst),
        project_limit=_as_limit(row.project_limit_per_second, row.project_limit_burst),
    )


def _as_limit(per_second: float | None, burst: float | None) -> RateLimit | None:
    if per_second is None or burst is None:
        return None
    # few deployments limit anything, and the others need not import it
    from chalicelib.domain.rate_limits import RateLimit

    return RateLimit(per_second=per_second, burst=int(burst))


def _write_limit(per_second: NumberAttribute, burst: NumberAttribute, limit: RateLimit | None) -> Sequence[Action]:
    if limit is None:
        return per_second.remove(), burst.remove()
    return per_second.set(limit.per_second), burst.set(limit.burst)


def _as_row(credential: Credential) -> CredentialRow:
    """The row of a new credential, which has no end yet."""
    return CredentialRow(
        key=credential.key,
        secret_hash=credential.secret_hash,
        project_id=credential.project_id,
        created_at=as_milliseconds(credential.created_at),
        limit_per_second=None if credential.limit is None else credential.limit.per_second,
        limit_burst=None if credential.limit is None else credential.limit.burst,
        project_limit_per_second=None if credential.project_limit is None else credential.project_limit.per_second,
        project_limit_burst=None if credential.project_limit is None else credential.project_limit.burst,
    )


def _rank(credential: Credential) -> tuple[bool, float]:
    """Orders credentials with the same secret: what is not revoked first, then what ends last."""
    ends_at = _NEVER if credential.expires_at is None else credential.expires_at.timestamp()
    return credential.revoked_at is None, ends_at


def _update(model: type[Model], key: str | int, actions: Sequence[Action], condition: Condition) -> bool:
    """Changes a row; False if there is none."""
    try:
        with translated():
            model._get_connection().update_item(str(key), actions=actions, condition=condition)
    except ConditionFailed:
        return False
    return True


class DynamoProjectStore:
    """Implements `ProjectStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sequences = DynamoSequenceStore(database)

    def create_project(self, *, name: str, now: datetime) -> Project:
        """See `ProjectStore`."""
        project_id, created_at = self._sequences.next_values(name="projects", count=1, now=now)
        project = Project(project_id=project_id, name=name, created_at=created_at)
        row = ProjectRow(project_id=project_id, name=name, created_at=as_milliseconds(created_at))
        try:
            with translated():
                row.save(ProjectRow.project_id.does_not_exist())
        except ConditionFailed as failure:
            # written by an earlier try whose answer was lost
            if self.get_project(project_id=project_id) != project:
                raise NumberTaken(explain_taken("project", project_id)) from failure
        return project

    def get_project(self, *, project_id: int) -> Project | None:
        """See `ProjectStore`."""
        try:
            with translated():
                return _as_project(ProjectRow.get(project_id))
        except DoesNotExist:
            return None

    def rename_project(self, *, project_id: int, name: str) -> bool:
        """See `ProjectStore`."""
        return _update(ProjectRow, project_id, [ProjectRow.name.set(name)], ProjectRow.project_id.exists())

    def list_projects(self) -> list[Project]:
        """See `ProjectStore`."""
        with translated():
            return sorted(map(_as_project, ProjectRow.scan()), key=lambda project: project.project_id)

    def create_credential(self, credential: Credential) -> None:
        """See `ProjectStore`."""
        try:
            with translated():
                _as_row(credential).save(CredentialRow.key.does_not_exist())
        except ConditionFailed as failure:
            raise AlreadyExists("is already in use", field="key") from failure

    def get_credential(self, *, key: str) -> Credential | None:
        """See `ProjectStore`."""
        try:
            with translated():
                return _as_credential(CredentialRow.get(key))
        except DoesNotExist:
            return None

    def get_credential_by_secret(self, *, secret_hash: str) -> Credential | None:
        """See `ProjectStore`. A secret that a team brought along may stand under several keys."""
        with translated():
            found = [_as_credential(row) for row in CredentialRow.by_secret.query(secret_hash)]
        return max(found, key=_rank, default=None)

    def list_credentials(self, *, project_id: int) -> list[Credential]:
        """See `ProjectStore`."""
        with translated():
            rows = CredentialRow.scan(CredentialRow.project_id == project_id, consistent_read=True)
            return sorted(map(_as_credential, rows), key=lambda credential: credential.created_at)

    def replace_credential(self, *, old_key: str, expires_at: datetime, new: Credential) -> None:
        """See `ProjectStore`."""
        lasting = (
            CredentialRow.key.exists()
            & CredentialRow.revoked_at.does_not_exist()
            & CredentialRow.expires_at.does_not_exist()
        )
        transaction = Transaction(self._database)
        transaction.put(_as_row(new), CredentialRow.key.does_not_exist(), label="new")
        actions: list[Action] = [CredentialRow.expires_at.set(as_milliseconds(expires_at))]
        transaction.update(CredentialRow(key=old_key), actions, lasting, label="old")
        try:
            transaction.commit()
        except ConditionFailed as failure:
            if "old" in failure.labels:
                raise
            raise AlreadyExists("is already in use", field="key") from failure

    def limit_project(self, *, project_id: int, limit: RateLimit | None) -> bool:
        """See `ProjectStore`. First the project, so that a key that is issued meanwhile has the new limit."""
        actions = _write_limit(ProjectRow.limit_per_second, ProjectRow.limit_burst, limit)
        if not _update(ProjectRow, project_id, actions, ProjectRow.project_id.exists()):
            return False
        actions = _write_limit(CredentialRow.project_limit_per_second, CredentialRow.project_limit_burst, limit)
        for credential in self.list_credentials(project_id=project_id):
            _update(CredentialRow, credential.key, actions, CredentialRow.key.exists())
        return True

    def limit_credential(self, *, key: str, limit: RateLimit | None) -> bool:
        """See `ProjectStore`."""
        actions = _write_limit(CredentialRow.limit_per_second, CredentialRow.limit_burst, limit)
        return _update(CredentialRow, key, actions, CredentialRow.key.exists())

    def revoke_credential(self, *, key: str, now: datetime) -> bool:
        """See `ProjectStore`. The first revocation's time stays."""
        revoke = CredentialRow.revoked_at.set(CredentialRow.revoked_at | as_milliseconds(now))
        return _update(CredentialRow, key, [revoke], CredentialRow.key.exists())
