"""The one place where the parts are put together; routes, workers and the command line all start here."""

from __future__ import annotations

import secrets
import time
import uuid
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.domain.authenticating import CredentialCache
from chalicelib.domain.identifiers import uuid_carrying
from chalicelib.domain.ports import Bounds, Platform
from chalicelib.settings import Settings, get_settings
from chalicelib.store.connection import Database
from chalicelib.store.parts import Stores, later

if TYPE_CHECKING:
    from chalicelib.domain.assets import AssetType, ConvertedImage
    from chalicelib.domain.dead_letters import DeadLetters
    from chalicelib.domain.google_ports import GoogleParts
    from chalicelib.domain.push_channels import PushChannel
    from chalicelib.domain.rate_limiting import RateLimiter
    from chalicelib.domain.registrations import Wallet
    from chalicelib.domain.wallet_services import WalletServiceSource
    from chalicelib.outbound.callbacks import GuardedCallbackSender
    from chalicelib.outbound.guarded import GuardedClient
    from chalicelib.store.certificate_writing import SecretsWriter
    from chalicelib.store.certificates import SecretsSource
    from chalicelib.store.image_cache import ImageCache
    from chalicelib.wallets.apple.keyring import Keyring
    from chalicelib.wallets.apple.push import AppleChannel
    from chalicelib.wallets.google.client import GoogleRestClient
    from chalicelib.wallets.google.root_keys import RootKeys


_GOOGLE_TIMEOUT_SECONDS = 5
"""people wait for save links, and other objects for their turn"""


def build_platform(settings: Settings, database: Database) -> Platform:
    """The real parts over one database connection."""
    limits = settings.limits
    stores = Stores(settings, database)
    return Platform(
        projects=later(lambda: stores.projects),
        sequences=later(lambda: stores.sequences),
        counts=later(lambda: stores.counts),
        passes=later(lambda: stores.passes),
        registrations=later(lambda: stores.registrations),
        redeems=later(lambda: stores.redeems),
        looks=later(lambda: stores.looks),
        assets=later(lambda: stores.assets),
        images=later(lambda: stores.images),
        tags=later(lambda: stores.tags),
        sweeps=later(lambda: stores.sweeps),
        templates=later(lambda: stores.templates),
        tickets=later(lambda: stores.tickets),
        queues=later(lambda: stores.queues),
        outbox=later(lambda: stores.outbox),
        deliveries=later(lambda: stores.deliveries),
        google_objects=later(lambda: stores.google_objects),
        receivers=later(lambda: stores.receivers),
        idempotency=later(lambda: stores.idempotency),
        bounds=Bounds(
            tags_per_pass=limits.tags_per_pass,
            tag_characters=limits.tag_characters,
            locations=limits.locations,
            content_bytes=limits.content_bytes,
            budget_seconds=settings.request_budget_seconds,
            rows_filtered=limits.rows_filtered,
            push_seconds=settings.push_hours * 3600,
            push_pause_seconds=settings.push_pause_seconds,
            callback_seconds=settings.callback_hours * 3600,
            devices_per_pass=limits.devices_per_pass,
            claim_seconds=settings.idempotency_claim_seconds,
        ),
        now=lambda: datetime.now(UTC),
        new_uuid=lambda number: uuid_carrying(number, random=uuid.uuid4()),
        new_token=lambda: secrets.token_urlsafe(32),
        pass_type_of=_pass_type_of,
        convert_image=_convert_image,
        judge_host=_judge_host,
    )


def _convert_image(data: bytes, *, asset_type: AssetType) -> ConvertedImage:
    from chalicelib.wallets.images import convert_image

    return convert_image(data, asset_type=asset_type, maximum_pixels=get_settings().limits.asset_pixels)


def _judge_host(host: str) -> str | None:
    from chalicelib.outbound.hosts import judge_host

    return judge_host(host, allowed_networks=get_settings().trusted_networks)


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
def get_secrets_source() -> SecretsSource:
    """Where this deployment's certificates and wallet documents are read; nothing of it is remembered."""
    from chalicelib.store.certificates import make_source

    return make_source(get_settings(), get_database().create_client)


def make_secrets_writer(*, kms_key: str | None = None) -> SecretsWriter:
    """What writes them, for operators; see `make_writer`.

    Raises:
        SettingsError: no place is set.
    """
    from chalicelib.store.certificate_writing import make_writer

    return make_writer(get_settings(), get_database().create_client, kms_key=kms_key)


@lru_cache(maxsize=1)
def get_keyring() -> Keyring:
    """This process's signing certificates, read on first use. Whoever signs nothing does not pay for the library."""
    from chalicelib.wallets.apple.keyring import Keyring

    settings = get_settings()
    return Keyring(
        get_secrets_source(), now=lambda: datetime.now(UTC), cache_seconds=settings.certificate_cache_seconds
    )


@lru_cache(maxsize=1)
def get_wallet_services() -> WalletServiceSource:
    """This process's memory of where each project's wallets are reached."""
    from chalicelib.store.wallet_services import StoredWalletServices

    return StoredWalletServices(get_settings(), get_secrets_source(), now=lambda: datetime.now(UTC))


@lru_cache(maxsize=1)
def get_guarded_client() -> GuardedClient:
    """This process's connections to addresses that devices and teams name."""
    from chalicelib.outbound.guarded import GuardedClient

    settings = get_settings()
    return GuardedClient(allowed_networks=settings.trusted_networks, ca_file=settings.ca_file)


@lru_cache(maxsize=1)
def get_open_client() -> GuardedClient:
    """This process's connections to addresses that operators alone name: any will do."""
    from chalicelib.outbound.guarded import ANYWHERE, GuardedClient

    return GuardedClient(allowed_networks=ANYWHERE, ca_file=get_settings().ca_file)


@cache
def get_push_channel(wallet: Wallet) -> PushChannel:
    """The push service of a wallet; its connections stay open."""
    from chalicelib.domain.registrations import Wallet

    if wallet is Wallet.PASSBOOK:
        return get_apple_channel()
    if wallet is Wallet.GOOGLE_WALLET:
        return _make_google_channel()
    return _make_android_channel(wallet)


def _ca_file() -> Path | None:
    settings = get_settings()
    return None if settings.ca_file is None else Path(settings.ca_file)


@lru_cache(maxsize=1)
def get_apple_channel() -> AppleChannel:
    """This process's connections to Apple's push service."""
    from chalicelib.wallets.apple.push import AppleChannel

    services, keyring = get_wallet_services(), get_keyring()
    return AppleChannel(
        find_service=lambda project_id: services.get_services(project_id).apns,
        find_credentials=keyring.find_by_pass_type,
        find_key=lambda project_id: services.get_services(project_id).apple_key,
        ca_file=_ca_file(),
        now=lambda: datetime.now(UTC),
    )


def _make_google_channel() -> PushChannel:
    from chalicelib.domain.google_passes import GooglePassChannel

    platform = get_platform()
    return GooglePassChannel(
        get_google_parts(),
        read_passes=partial(platform.passes.get_passes, consistent=True),
        read_template=lambda project_id, template_id: platform.templates.get_template(
            project_id=project_id, template_id=template_id
        ),
    )


@lru_cache(maxsize=1)
def get_google_client() -> GoogleRestClient:
    """This process's connections to Google, at the pace that all processes share."""
    from chalicelib.domain.google_pacing import Pacer
    from chalicelib.wallets.google.client import GoogleRestClient

    pacer = Pacer(get_platform().google_objects, now=lambda: datetime.now(UTC), sleep=time.sleep)
    return GoogleRestClient(pacer, timeout_seconds=_GOOGLE_TIMEOUT_SECONDS, ca_file=_ca_file())


@lru_cache(maxsize=1)
def get_google_parts() -> GoogleParts:
    """What passes at Google need."""
    from chalicelib.domain.google_ports import GoogleParts
    from chalicelib.wallets.google.rendering import GooglePassRenderer

    settings, services, store = get_settings(), get_wallet_services(), get_platform().google_objects
    return GoogleParts(
        client=get_google_client(),
        renderer=GooglePassRenderer(
            public_base_url=settings.public_base_url, default_logo_url=settings.google_default_logo_url
        ),
        store=store,
        now=lambda: datetime.now(UTC),
        find_account=services.get_google,
    )


def _make_android_channel(wallet: Wallet) -> PushChannel:
    from chalicelib.domain.registrations import Wallet
    from chalicelib.wallets.batch_push import BatchPoster
    from chalicelib.wallets.pass2u import Pass2UChannel
    from chalicelib.wallets.passwallet import PassWalletChannel
    from chalicelib.wallets.passworks_wallet import PassworksWalletChannel
    from chalicelib.wallets.wallet_passes import WalletPassesChannel

    find = get_wallet_services().get_services
    poster = BatchPoster(get_open_client(), now=lambda: datetime.now(UTC))
    if wallet is Wallet.PASS2U:
        return Pass2UChannel(poster, find_services=find)
    if wallet is Wallet.PASSWORKS_WALLET:
        return PassworksWalletChannel(poster, find_services=find)
    wallet_passes = WalletPassesChannel(poster, find_services=find)
    if wallet is Wallet.WALLET_PASSES:
        return wallet_passes
    guarded = BatchPoster(get_guarded_client(), now=lambda: datetime.now(UTC))
    return PassWalletChannel(guarded, find_services=find, wallet_passes=wallet_passes)


@lru_cache(maxsize=1)
def get_google_root_keys() -> RootKeys:
    """This process's copy of the keys that Google's callbacks are checked with."""
    from chalicelib.wallets.google.root_keys import RootKeys, fetch_keys

    return RootKeys(get_settings().google_callback_keys_url, fetch=fetch_keys, now=lambda: datetime.now(UTC))


@lru_cache(maxsize=1)
def get_image_cache() -> ImageCache:
    """This process's memory of images, from which passes are built."""
    from chalicelib.store.image_cache import ImageCache

    return ImageCache(get_platform().images)


@lru_cache(maxsize=1)
def get_callback_sender() -> GuardedCallbackSender:
    """This process's client for callbacks, which keeps connections open."""
    from chalicelib.outbound.callbacks import GuardedCallbackSender

    return GuardedCallbackSender(get_guarded_client())


@lru_cache(maxsize=1)
def get_dead_letters() -> DeadLetters:
    """Messages that were given up, for operators."""
    from chalicelib.store.dead_letters import SqsDeadLetters

    return SqsDeadLetters(get_database())


@lru_cache(maxsize=1)
def get_credential_cache() -> CredentialCache:
    """This process's memory of credentials."""
    return CredentialCache(seconds=get_settings().credential_cache_seconds)


@lru_cache(maxsize=1)
def get_rate_limiter() -> RateLimiter:
    """This process's memory of rate limits. Where nothing is limited nobody asks for it."""
    from chalicelib.domain.rate_limiting import RateLimiter
    from chalicelib.store.rate_limits import DynamoRateLimitStore

    return RateLimiter(DynamoRateLimitStore(get_database()), now=time.time)


def close_connections() -> None:
    """Closes what this process keeps open to the outside, and forgets it: as a local run ends, and between tests."""
    for get in (get_guarded_client, get_open_client, get_apple_channel, get_google_client):
        if get.cache_info().currsize:
            get().close()
        get.cache_clear()
    for made in (get_google_parts, get_push_channel, get_callback_sender):
        made.cache_clear()
