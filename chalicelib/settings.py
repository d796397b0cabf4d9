"""The one typed settings object: credentials, endpoints, names and every limit.

Each value comes from an environment variable named after the field: `PASSEL_` and the field in capitals. AWS's own
variables (region, endpoints, credentials) keep their usual names, so the same code runs on Lambda and on a laptop.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

_ADDRESS = r"^https?://[^/\s]+(/\S*)?$"


class SettingsError(Exception):
    """A setting is missing or unusable; the message names the environment variable."""


Limit = Annotated[int, Field(ge=1)]


class Limits(BaseModel):
    """Upper bounds of what one request may bring. A limit without a contract section is ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    body_bytes: Limit = 1024 * 1024
    body_depth: Limit = 32
    """objects and arrays inside each other; no body of a contract has more than six"""
    tags_per_pass: Limit = 15
    """airship-wallet-v1, section 4"""
    tag_characters: Limit = 255
    """airship-wallet-v1, section 9.4"""
    external_id_characters: Limit = 255
    page_size: Limit = 1000
    """airship-wallet-v1, section 9.9"""
    passes_per_request: Limit = 1000
    locations: Limit = 10
    """airship-wallet-v1, section 5"""
    entries: Limit = 200
    """fields, and as many headers, of one pass or template"""
    name_characters: Limit = 100
    """of a field or header"""
    value_characters: Limit = 8192
    template_name_characters: Limit = 255
    template_description_characters: Limit = 4000
    location_text_characters: Limit = 1000
    beacons: Limit = 10
    """passworks-v2, section 6"""
    content_bytes: Limit = 64 * 1024
    """of one pass or template, as stored"""
    device_characters: Limit = 255
    """of a device library identifier"""
    devices_per_pass: Limit = 10_000
    """of a pass that is for one person: `publicURL` makes it one for many (airship-wallet-v1, section 5)"""
    push_token_characters: Limit = 1024
    push_service_url_characters: Limit = 2048
    log_body_bytes: Limit = 64 * 1024
    """of one report of a device (wallets, section 2.2)"""
    log_lines: Limit = 100
    log_line_characters: Limit = 2000
    asset_bytes: Limit = 1024 * 1024
    """passworks-v2, section 9"""
    asset_pixels: Limit = 25_000_000
    """so that a small file cannot unpack into more memory than there is"""
    rows_per_page: Limit = 50
    """passworks-v2, section 4"""
    rows_filtered: Limit = 100_000
    """members of a list that a filter without an index may read"""
    filters: Limit = 20
    """of one request"""
    redeem_comment_characters: Limit = 1000


class Settings(BaseModel):
    """Everything that differs between one deployment and another."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = Field(default="passel-local-", pattern=r"^[a-zA-Z0-9_.-]{3,40}$")
    """stands before every table and queue name"""
    region: str = "us-east-1"
    dynamodb_endpoint: str | None = Field(default=None, pattern=_ADDRESS)
    sqs_endpoint: str | None = Field(default=None, pattern=_ADDRESS)
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    public_base_url: str | None = Field(default=None, pattern=_ADDRESS)
    """scheme, host and stage that clients use; without it replies and passes name the address that was asked

    Wallets add `/v1` to it themselves (wallets, section 2.1).
    """

    connect_timeout_seconds: float = 1.0
    read_timeout_seconds: float = 4.0
    request_budget_seconds: float = 10.0
    """how long one request or message keeps retrying conflicts before it answers 503"""
    credential_cache_seconds: float = 60.0
    stripes: int = Field(default=16, ge=1, le=16)
    """rows that one segment's counter may be spread over"""
    stripe_memory_seconds: float = 5.0
    batch_statements: bool = True
    """write 25 rows a call where each carries its own condition; an engine without PartiQL writes one by one"""
    sweep_delay_seconds: int = Field(default=60, ge=0, le=900)
    """longer than any request, so that a late write to an emptied tag is swept as well"""
    log_level: str = "INFO"

    certificates: str | None = Field(default=None, pattern=r"^(file|ssm|secretsmanager):.+$")
    """where the pass certificates are: `file:<folder>`, `ssm:<path>` or `secretsmanager:<prefix>`"""
    certificate_cache_seconds: float = 300.0
    """how long a certificate that was replaced may still sign"""
    assets: str | None = Field(default=None, pattern=r"^(file|s3):.+$")
    """where images are: `file:<folder>` or `s3:<bucket>`"""
    ssm_endpoint: str | None = Field(default=None, pattern=_ADDRESS)
    secretsmanager_endpoint: str | None = Field(default=None, pattern=_ADDRESS)
    s3_endpoint: str | None = Field(default=None, pattern=_ADDRESS)
    google_issuer_id: str | None = Field(default=None, pattern=r"^[0-9]{1,40}$")
    """whose save and delete callbacks are accepted (wallets, section 4.2)"""
    google_callback_keys_url: str = Field(default="https://pay.google.com/gp/m/issuer/keys", pattern=_ADDRESS)
    passwallet_push_allow: dict[str, str] = {"push.passwallet.net": "http://push.passwallet.net"}
    """as JSON: the hosts that a device may name for its pushes, and the base that is really called"""
    passwallet_type_key: str = "passTypeID"
    """the member that names the pass type; the vendor's early sample server had `passTypeId` (wallets, section 3.4)"""
    apns_base_url: str = Field(default="https://api.push.apple.com", pattern=_ADDRESS)
    wallet_passes_base_url: str = Field(default="https://walletpasses.appspot.com", pattern=_ADDRESS)
    wallet_passes_api_key: str | None = None
    pass2u_base_url: str = Field(default="https://api.passesalliance.com", pattern=_ADDRESS)
    pass2u_api_key: str | None = None
    passworks_wallet_base_url: str = Field(default="https://wallet.passworks.io", pattern=_ADDRESS)
    passworks_wallet_api_key: str | None = None
    google_rest_base_url: str = Field(default="https://walletobjects.googleapis.com/walletobjects/v1", pattern=_ADDRESS)
    google_token_url: str = Field(default="https://oauth2.googleapis.com/token", pattern=_ADDRESS)
    google_default_logo_url: str | None = Field(default=None, pattern=r"^https://\S+$")
    """for Google's loyalty cards and tickets, which must have a logo, where a campaign names none by its address"""
    google_save_base_url: str = Field(default="https://pay.google.com/gp/v/save/", pattern=_ADDRESS)
    ca_file: str | None = None
    """a PEM file of further authorities that outgoing calls trust, for local servers and private networks"""
    trusted_networks: tuple[str, ...] = ()
    """as JSON: private networks, such as `10.20.0.0/16`, that addresses named by devices and teams may lead to"""
    push_hours: float = Field(default=24, gt=0)
    """how long a push is tried while its service is busy or down"""
    push_pause_seconds: int = Field(default=900, ge=1)
    """how long a project's pushes to a service rest once it has refused our credentials"""
    callback_hours: float = Field(default=24, gt=0)
    """how long a callback to a team's own system is tried"""
    visitor_hours: int = Field(default=24, ge=1)
    """how long a visitor of a distribution page gets the same pass (passworks-v2, section 6)"""

    limits: Limits = Limits()

    @field_validator("public_base_url")
    @classmethod
    def _check_public_base_url(cls, value: str | None) -> str | None:
        if value is not None and value.rstrip("/").endswith("/v1"):
            raise ValueError("must not end in /v1, which wallets add themselves")
        return value

    def table_name(self, name: str) -> str:
        """Full name of a table of `infra/resources.yaml`, for example `passes`."""
        return self.prefix + name

    def queue_name(self, name: str) -> str:
        """Full name of a queue of `infra/resources.yaml`, for example `segment` or `segment-dead`."""
        return self.prefix + name


_AWS_NAMES = {
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION"),
    "dynamodb_endpoint": ("AWS_ENDPOINT_URL_DYNAMODB",),
    "sqs_endpoint": ("AWS_ENDPOINT_URL_SQS",),
    "ssm_endpoint": ("AWS_ENDPOINT_URL_SSM",),
    "secretsmanager_endpoint": ("AWS_ENDPOINT_URL_SECRETS_MANAGER",),
    "s3_endpoint": ("AWS_ENDPOINT_URL_S3",),
    "access_key_id": ("AWS_ACCESS_KEY_ID",),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
    "session_token": ("AWS_SESSION_TOKEN",),
}


_JSON_KINDS: Mapping[Any, str] = {dict[str, str]: "object", tuple[str, ...]: "array"}


def _read(field: str, environment: Mapping[str, str]) -> Any:
    for name in (f"PASSEL_{field.upper()}", *_AWS_NAMES.get(field, ())):
        if environment.get(name):
            return _parse(field, environment[name])
    return None


def _parse(field: str, text: str) -> Any:
    kind = _JSON_KINDS.get(Settings.model_fields[field].annotation)
    if kind is None:
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise SettingsError(f"PASSEL_{field.upper()}: must be a JSON {kind}") from error


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`; limits are read from `PASSEL_LIMIT_<NAME>`.

    Raises:
        SettingsError: a value does not fit; the message names the variable.
    """
    values = {name: _read(name, environment) for name in Settings.model_fields if name != "limits"}
    limits = {name: environment.get(f"PASSEL_LIMIT_{name.upper()}") for name in Limits.model_fields}
    try:
        return Settings.model_validate(
            {name: value for name, value in values.items() if value is not None}
            | {"limits": {name: value for name, value in limits.items() if value}}
        )
    except ValidationError as error:
        first = error.errors()[0]
        path = [str(part) for part in first["loc"]]
        variable = f"PASSEL_LIMIT_{path[1].upper()}" if path[0] == "limits" else f"PASSEL_{path[0].upper()}"
        raise SettingsError(f"{variable}: {first['msg']}") from error


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once from its environment."""
    return read_settings(os.environ)
