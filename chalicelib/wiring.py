"""The one place where the parts are put together; routes, workers and the command line all start here."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from functools import lru_cache

from chalicelib.domain.authenticating import CredentialCache
from chalicelib.domain.identifiers import uuid_carrying
from chalicelib.domain.ports import Bounds, Platform
from chalicelib.settings import Settings, get_settings
from chalicelib.store.connection import Database
from chalicelib.store.counts import DynamoCountStore
from chalicelib.store.passes import DynamoPassStore
from chalicelib.store.projects import DynamoProjectStore
from chalicelib.store.queues import SqsQueueSender
from chalicelib.store.sequences import DynamoSequenceStore
from chalicelib.store.sweeps import DynamoSweepStore
from chalicelib.store.tags import DynamoTagStore
from chalicelib.store.templates import DynamoTemplateStore
from chalicelib.store.tickets import DynamoTicketStore


def build_platform(settings: Settings, database: Database) -> Platform:
    """The real parts over one database connection."""
    limits = settings.limits
    return Platform(
        projects=DynamoProjectStore(database),
        sequences=DynamoSequenceStore(database),
        counts=DynamoCountStore(database),
        passes=DynamoPassStore(database),
        tags=DynamoTagStore(database),
        sweeps=DynamoSweepStore(database),
        templates=DynamoTemplateStore(database),
        tickets=DynamoTicketStore(database),
        queues=SqsQueueSender(database),
        bounds=Bounds(
            tags_per_pass=limits.tags_per_pass,
            tag_characters=limits.tag_characters,
            locations=limits.locations,
            content_bytes=limits.content_bytes,
            budget_seconds=settings.request_budget_seconds,
        ),
        now=lambda: datetime.now(UTC),
        new_uuid=lambda number: uuid_carrying(number, random=uuid.uuid4()),
        new_token=lambda: secrets.token_urlsafe(32),
    )


@lru_cache(maxsize=1)
def get_database() -> Database:
    """This process's connection."""
    return Database(get_settings())


@lru_cache(maxsize=1)
def get_platform() -> Platform:
    """This process's platform, made on first use."""
    return build_platform(get_settings(), get_database())


@lru_cache(maxsize=1)
def get_credential_cache() -> CredentialCache:
    """This process's memory of credentials."""
    return CredentialCache(seconds=get_settings().credential_cache_seconds)
