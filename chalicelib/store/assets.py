"""What is known about uploaded images, in DynamoDB. Their bytes are in `images`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pynamodb.exceptions import DoesNotExist

from chalicelib.domain.assets import Asset, AssetType
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.store.campaign_models import AssetRow
from chalicelib.store.connection import Database
from chalicelib.store.failures import ConditionFailed, translated
from chalicelib.store.transactions import Transaction

if TYPE_CHECKING:
    from chalicelib.domain.idempotency import Receipt


def _as_asset(row: AssetRow) -> Asset:
    return Asset(
        asset_id=row.asset_id,
        number=int(row.number),
        project_id=int(row.project_id),
        asset_type=AssetType(row.asset_type),
        created_at=from_milliseconds(int(row.created_at)),
        size_bytes=int(row.size_bytes),
    )


class DynamoAssetStore:
    """Implements `AssetStore`. The models must be bound to a connection, so one has to be at hand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create_asset(self, asset: Asset, *, receipt: Receipt | None = None) -> None:
        """See `AssetStore`."""
        row = AssetRow(
            project_id=asset.project_id,
            number=asset.number,
            asset_id=asset.asset_id,
            asset_type=asset.asset_type.value,
            created_at=as_milliseconds(asset.created_at),
            size_bytes=asset.size_bytes,
        )
        if receipt is not None:
            transaction = Transaction(self._database)
            transaction.put(row, AssetRow.number.does_not_exist(), label="asset")
            transaction.keep(receipt)
            transaction.commit()
            return
        with translated():
            row.save(AssetRow.number.does_not_exist())

    def get_asset(self, *, project_id: int, number: int) -> Asset | None:
        """See `AssetStore`."""
        try:
            with translated():
                return _as_asset(AssetRow.get(project_id, number, consistent_read=True))
        except DoesNotExist:
            return None

    def list_assets(self, *, project_id: int) -> list[Asset]:
        """See `AssetStore`."""
        with translated():
            return [_as_asset(row) for row in AssetRow.query(project_id, consistent_read=True)]

    def delete_asset(self, asset: Asset) -> bool:
        """See `AssetStore`."""
        row = AssetRow(project_id=asset.project_id, number=asset.number)
        try:
            with translated():
                row.delete(AssetRow.asset_id == asset.asset_id)
        except ConditionFailed:
            return False
        return True
