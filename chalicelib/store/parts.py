"""The stores over one database. Each is imported and made when it is first used: few requests need more than three."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from chalicelib.domain.asset_ports import AssetStore, ImageStore
    from chalicelib.domain.campaign_ports import LookStore, RedeemStore, RegistrationStore
    from chalicelib.domain.deliveries import DeliveryStore
    from chalicelib.domain.google_ports import GoogleObjectStore
    from chalicelib.domain.idempotency import IdempotencyStore
    from chalicelib.domain.outgoing import OutboxStore
    from chalicelib.domain.ports import (
        CountStore,
        PassStore,
        QueueSender,
        SequenceStore,
        SweepStore,
        TagStore,
        TemplateStore,
        TicketStore,
    )
    from chalicelib.domain.projects import ProjectStore
    from chalicelib.settings import Settings
    from chalicelib.store.connection import Database
    from chalicelib.store.receivers import DynamoReceiverStore

Part = TypeVar("Part")


class _Later:
    """Stands in for a part until something of it is asked for, and passes everything on from then."""

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def later(make: Callable[[], Part]) -> Part:
    """A part that is made on first use; `make` may be called often, and must then return the same one."""
    return cast(Part, _Later(make))


class Stores:
    """Every store of this process, one of each."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    @cached_property
    def projects(self) -> ProjectStore:
        from chalicelib.store.projects import DynamoProjectStore

        return DynamoProjectStore(self._database)

    @cached_property
    def sequences(self) -> SequenceStore:
        from chalicelib.store.sequences import DynamoSequenceStore

        return DynamoSequenceStore(self._database)

    @cached_property
    def counts(self) -> CountStore:
        from chalicelib.store.counts import DynamoCountStore

        return DynamoCountStore(self._database)

    @cached_property
    def passes(self) -> PassStore:
        from chalicelib.store.passes import DynamoPassStore

        return DynamoPassStore(self._database)

    @cached_property
    def registrations(self) -> RegistrationStore:
        from chalicelib.store.registrations import DynamoRegistrationStore

        return DynamoRegistrationStore(self._database, self.receivers)

    @cached_property
    def redeems(self) -> RedeemStore:
        from chalicelib.store.redeems import DynamoRedeemStore

        return DynamoRedeemStore(self._database)

    @cached_property
    def looks(self) -> LookStore:
        from chalicelib.store.looks import DynamoLookStore

        return DynamoLookStore(self._database)

    @cached_property
    def assets(self) -> AssetStore:
        from chalicelib.store.assets import DynamoAssetStore

        return DynamoAssetStore(self._database)

    @cached_property
    def images(self) -> ImageStore:
        from chalicelib.store.images import make_image_store

        return make_image_store(self._settings, self._database.create_client)

    @cached_property
    def tags(self) -> TagStore:
        from chalicelib.store.tags import DynamoTagStore

        return DynamoTagStore(self._database)

    @cached_property
    def sweeps(self) -> SweepStore:
        from chalicelib.store.sweeps import DynamoSweepStore

        return DynamoSweepStore(self._database)

    @cached_property
    def templates(self) -> TemplateStore:
        from chalicelib.store.templates import DynamoTemplateStore

        return DynamoTemplateStore(self._database)

    @cached_property
    def tickets(self) -> TicketStore:
        from chalicelib.store.tickets import DynamoTicketStore

        return DynamoTicketStore(self._database)

    @cached_property
    def queues(self) -> QueueSender:
        from chalicelib.store.queues import SqsQueueSender

        return SqsQueueSender(self._database)

    @cached_property
    def outbox(self) -> OutboxStore:
        from chalicelib.store.outbox import DynamoOutboxStore

        return DynamoOutboxStore(self._database)

    @cached_property
    def deliveries(self) -> DeliveryStore:
        from chalicelib.store.deliveries import DynamoDeliveryStore

        return DynamoDeliveryStore(self._database)

    @cached_property
    def google_objects(self) -> GoogleObjectStore:
        from chalicelib.store.google_objects import DynamoGoogleObjectStore

        return DynamoGoogleObjectStore(self._database)

    @cached_property
    def receivers(self) -> DynamoReceiverStore:
        from chalicelib.store.receivers import DynamoReceiverStore

        return DynamoReceiverStore(self._database)

    @cached_property
    def idempotency(self) -> IdempotencyStore:
        from chalicelib.store.idempotency import DynamoIdempotencyStore

        return DynamoIdempotencyStore(self._database)
