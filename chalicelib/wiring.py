"""The one place where the parts are put together; routes, workers and the command line all start here."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from chalicelib.domain.assets import AssetType, ConvertedImage
from chalicelib.domain.authenticating import CredentialCache
from chalicelib.domain.identifiers import uuid_carrying
from chalicelib.domain.ports import Bounds, Platform
from chalicelib.settings import Settings, get_settings
from chalicelib.store.assets import DynamoAssetStore
from chalicelib.store.connection import Database
from chalicelib.store.counts import DynamoCountStore
from chalicelib.store.deliveries import DynamoDeliveryStore
from chalicelib.store.image_cache import ImageCache
from chalicelib.store.images import make_image_store
from chalicelib.store.looks import DynamoLookStore
from chalicelib.store.outbox import DynamoOutboxStore
from chalicelib.store.passes import DynamoPassStore
from chalicelib.store.projects import DynamoProjectStore
from chalicelib.store.queues import SqsQueueSender
from chalicelib.store.redeems import DynamoRedeemStore
from chalicelib.store.registrations import DynamoRegistrationStore
from chalicelib.store.sequences import DynamoSequenceStore
from chalicelib.store.sweeps import DynamoSweepStore
from chalicelib.store.tags import DynamoTagStore
from chalicelib.store.templates import DynamoTemplateStore
from chalicelib.store.tickets import DynamoTicketStore

if TYPE_CHECKING:
    from chalicelib.wallets.apple.keyring import Keyring
    from chalicelib.wallets.google.root_keys import RootKeys


def build_platform(settings: Settings, database: Database) -> Platform:
    """The real parts over one database connection."""
    limits = settings.limits
    return Platform(
        projects=DynamoProjectStore(database),
        sequences=DynamoSequenceStore(database),
        counts=DynamoCountStore(database),
        passes=DynamoPassStore(database),
        registrations=DynamoRegistrationStore(database),
        redeems=DynamoRedeemStore(database),
        looks=DynamoLookStore(database),
        assets=DynamoAssetStore(database),
        images=make_image_store(settings, database.create_client),
        tags=DynamoTagStore(database),
        sweeps=DynamoSweepStore(database),
        templates=DynamoTemplateStore(database),
        tickets=DynamoTicketStore(database),
        queues=SqsQueueSender(database),
        outbox=DynamoOutboxStore(database),
        deliveries=DynamoDeliveryStore(database),
        bounds=Bounds(
            tags_per_pass=limits.tags_per_pass,
            tag_characters=limits.tag_characters,
            locations=limits.locations,
            content_bytes=limits.content_bytes,
            budget_seconds=settings.request_budget_seconds,
            rows_filtered=limits.rows_filtered,
        ),
        now=lambda: datetime.now(UTC),
        new_uuid=lambda number: uuid_carrying(number, random=uuid.uuid4()),
        new_token=lambda: secrets.token_urlsafe(32),
        pass_type_of=_pass_type_of,
        convert_image=_convert_image,
    )


def _convert_image(data: bytes, *, asset_type: AssetType) -> ConvertedImage:
    from chalicelib.wallets.images import convert_image

    return convert_image(data, asset_type=asset_type, maximum_pixels=get_settings().limits.asset_pixels)


def _pass_type_of(project_id: int, certificate_id: str | None) -> str | None:
    credentials = get_keyring().get_credentials(project_id, certificate_id)
    return None if credentials is None else credentials.pass_type_identifier


@lru_cache(maxsize=1)
def get_database() -> Database:
    """This process's connection."""
    return Database(get_settings())


@lru_cache(maxsize=1)
def get_platform() -> Platform:
    """This process's platform, made on first use."""
    return build_platform(get_settings(), get_database())


@lru_cache(maxsize=1)
def get_keyring() -> Keyring:
    """This process's signing certificates, read on first use. Whoever signs nothing does not pay for the library."""
    from chalicelib.store.certificates import make_source
    from chalicelib.wallets.apple.keyring import Keyring

    settings = get_settings()
    source = make_source(settings, get_database().create_client)
    return Keyring(source, now=lambda: datetime.now(UTC), cache_seconds=settings.certificate_cache_seconds)


@lru_cache(maxsize=1)
def get_google_root_keys() -> RootKeys:
    """This process's copy of the keys that Google's callbacks are checked with."""
    from chalicelib.wallets.google.root_keys import RootKeys, fetch_keys

    return RootKeys(get_settings().google_callback_keys_url, fetch=fetch_keys, now=lambda: datetime.now(UTC))


@lru_cache(maxsize=1)
def get_image_cache() -> ImageCache:
    """This process's memory of images, from which passes are built."""
    return ImageCache(get_platform().images)


@lru_cache(maxsize=1)
def get_credential_cache() -> CredentialCache:
    """This process's memory of credentials."""
    return CredentialCache(seconds=get_settings().credential_cache_seconds)
