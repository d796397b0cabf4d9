"""Templates in DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.content import Content
from chalicelib.domain.counted_index import passes_of_template
from chalicelib.domain.errors import AlreadyExists
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.templates import Template, TemplateHeader, TemplateReference
from chalicelib.store import external_ids
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.models import ExternalIdRow, SweepRow, TemplateRow
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt


def _header_values(row: TemplateRow) -> dict[str, Any]:
    return {
        "template_id": int(row.template_id),
        "project_id": int(row.project_id),
        "campaign_id": row.campaign_id,
        "external_id": row.external_id,
        "name": row.name,
        "description": row.description or "",
        "type": row.type,
        "project_type": row.project_type,
        "vendor": row.vendor,
        "created_at": from_milliseconds(int(row.created_at)),
        "updated_at": from_milliseconds(int(row.updated_at)),
    }


def _as_row(template: Template) -> TemplateRow:
    return TemplateRow(
        project_id=template.project_id,
        template_id=template.template_id,
        campaign_id=template.campaign_id,
        external_id=template.external_id,
        name=template.name,
        description=template.description or None,
        type=template.type,
        project_type=template.project_type,
        vendor=template.vendor,
        deleted=False,
        created_at=as_milliseconds(template.created_at),
        updated_at=as_milliseconds(template.updated_at),
        content=template.content.encode(),
        campaign=template.campaign.encode(),
        revision=template.revision,
    )


def _as_template(row: TemplateRow) -> Template:
    return Template(
        **_header_values(row),
        content=Content.decode(row.content or ""),
        campaign=CampaignOptions.decode(row.campaign),
        revision=int(row.revision or 0),
    )


def _external_id_row(template: Template) -> ExternalIdRow | None:
    if template.external_id is None:
        return None
    return ExternalIdRow(
        key=external_ids.template_key(template.project_id, template.external_id),
        parent_id=external_ids.NO_PARENT,
        target_id=template.template_id,
    )


def _name_key(template: Template) -> str:
    return external_ids.campaign_name_key(template.project_id, template.name)


class DynamoTemplateStore:
    """Implements `TemplateStore`. Writes are conditional on the template's revision."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_template(self, template: Template, *, receipt: Receipt | None = None) -> None:
        """See `TemplateStore`."""
        transaction = Transaction(self._database)
        transaction.put(_as_row(template), TemplateRow.template_id.does_not_exist(), label="template")
        self._claim_names(transaction, template)
        transaction.keep(receipt)
        self._commit_claim(transaction)

    def find_template_id(self, *, project_id: int, reference: TemplateReference) -> int | None:
        """See `TemplateStore`."""
        if reference.template_id is not None:
            return reference.template_id
        spellings = (reference.external_id, reference.fallback_external_id)
        found = external_ids.find_first(
            self._database,
            keys=[external_ids.template_key(project_id, spelling) for spelling in spellings if spelling is not None],
            parent_id=external_ids.NO_PARENT,
        )
        return found[0] if found else None

    def get_template(self, *, project_id: int, template_id: int) -> Template | None:
        """See `TemplateStore`."""
        try:
            with translated():
                row = TemplateRow.get(project_id, template_id, consistent_read=True)
        except DoesNotExist:
            return None
        if row.deleted or row.content is None:
            return None
        return _as_template(row)

    def list_templates(self, *, project_id: int) -> list[Template]:
        """See `TemplateStore`."""
        with translated():
            rows = TemplateRow.query(project_id, consistent_read=True)
            return [_as_template(row) for row in rows if not row.deleted and row.content is not None]

    def list_headers(self, *, project_id: int) -> list[TemplateHeader]:
        """See `TemplateStore`."""
        with translated():
            rows = TemplateRow.by_project.query(project_id)
            return [TemplateHeader(**_header_values(row)) for row in rows if not row.deleted]

    def update_template(self, *, before: Template, after: Template) -> None:
        """See `TemplateStore`. One plain write, unless a name that no other campaign may have comes or goes."""
        held = _name_key(before) if before.campaign.has_unique_name else None
        wanted = _name_key(after) if after.campaign.has_unique_name else None
        if held == wanted:
            with translated():
                _as_row(after).save(TemplateRow.revision == before.revision)
            return
        transaction = Transaction(self._database)
        transaction.put(_as_row(after), TemplateRow.revision == before.revision, label="template")
        if held is not None:
            external_ids.release(transaction, held, before.template_id)
        if wanted is not None:
            external_ids.claim(transaction, wanted, after.template_id, label="name")
        self._commit_claim(transaction)

    def delete_template(self, template: Template, *, with_passes: bool = False) -> None:
        """See `TemplateStore`."""
        self._set_deleted(template, deleted=True, revision=template.revision, with_passes=with_passes)

    def restore_template(self, template: Template) -> None:
        """See `TemplateStore`."""
        self._set_deleted(template, deleted=False, revision=template.revision + 1)

    def _set_deleted(self, template: Template, *, deleted: bool, revision: int, with_passes: bool = False) -> None:
        transaction = Transaction(self._database)
        if with_passes:
            transaction.put(SweepRow(collection=passes_of_template(template.template_id).key))
        transaction.update(
            TemplateRow(project_id=template.project_id, template_id=template.template_id),
            [TemplateRow.deleted.set(deleted), TemplateRow.revision.set(revision + 1)],
            TemplateRow.revision == revision,
            label="template",
        )
        if deleted:
            row = _external_id_row(template)
            if row is not None:
                transaction.delete(row)
            if template.campaign.has_unique_name:
                external_ids.release(transaction, _name_key(template), template.template_id)
        else:
            self._claim_names(transaction, template)
        self._commit_claim(transaction)

    def _claim_names(self, transaction: Transaction, template: Template) -> None:
        row = _external_id_row(template)
        if row is not None:
            transaction.put(row, ExternalIdRow.key.does_not_exist(), label="external_id")
        if template.campaign.has_unique_name:
            external_ids.claim(transaction, _name_key(template), template.template_id, label="name")

    def _commit_claim(self, transaction: Transaction) -> None:
        try:
            transaction.commit()
        except ConditionFailed as failure:
            if "external_id" in failure.labels:
                raise AlreadyExists("is already in use", field="externalId") from failure
            if "name" in failure.labels:
                raise AlreadyExists("is taken", field="name") from failure
            raise
