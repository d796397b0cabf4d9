"""The one typed settings object: credentials, endpoints, names and every limit.

Each value comes from an environment variable named after the field: `PASSEL_` and the field in capitals. AWS's own
variables (region, endpoints, credentials) keep their usual names, so the same code runs on Lambda and on a laptop.

Dataclasses rather than pydantic's models: every function reads its settings, and many a request needs pydantic for
nothing else, which takes as long to import as all of Chalice.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any


class SettingsError(Exception):
    """A setting is missing or unusable; the message names the environment variable."""


def _check(default: Any, **rules: Any) -> Any:
    """A field whose value must obey rules: those of `_BREAKS`."""
    return field(default=default, metadata=rules)


_ADDRESS = r"https?://[^/\s]+(/\S*)?"


def _address(default: str | None = None) -> Any:
    return _check(default, pattern=_ADDRESS)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Upper bounds of what one request may bring, each at least 1. A limit without a contract section is ours."""

    body_bytes: int = 1024 * 1024
    body_depth: int = 32
    """objects and arrays inside each other; no body of a contract has more than six"""
    tags_per_pass: int = 15
    """airship-wallet-v1, section 4"""
    tag_characters: int = 255
    """airship-wallet-v1, section 9.4"""
    external_id_characters: int = 255
    page_size: int = 1000
    """airship-wallet-v1, section 9.9"""
    passes_per_request: int = 1000
    locations: int = 10
    """airship-wallet-v1, section 5"""
    entries: int = 200
    """fields, and as many headers, of one pass or template"""
    name_characters: int = 100
    """of a field or header"""
    value_characters: int = 8192
    template_name_characters: int = 255
    template_description_characters: int = 4000
    location_text_characters: int = 1000
    beacons: int = 10
    """passworks-v2, section 6"""
    content_bytes: int = 64 * 1024
    """of one pass or template, as stored"""
    device_characters: int = 255
    """of a device library identifier"""
    devices_per_pass: int = 10_000
    """of a pass that is for one person: `publicURL` makes it one for many (airship-wallet-v1, section 5)"""
    push_token_characters: int = 1024
    push_service_url_characters: int = 2048
    log_body_bytes: int = 64 * 1024
    """of one report of a device (wallets, section 2.2)"""
    log_lines: int = 100
    log_line_characters: int = 2000
    asset_bytes: int = 1024 * 1024
    """passworks-v2, section 9"""
    asset_pixels: int = 25_000_000
    """so that a small file cannot unpack into more memory than there is"""
    rows_per_page: int = 50
    """passworks-v2, section 4"""
    rows_filtered: int = 100_000
    """members of a list that a filter without an index may read"""
    filters: int = 20
    """of one request"""
    redeem_comment_characters: int = 1000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs between one deployment and another."""

    prefix: str = _check("passel-local-", pattern=r"[a-zA-Z0-9_.-]{3,40}")
    """stands before every table and queue name"""
    region: str = "us-east-1"
    dynamodb_endpoint: str | None = _address()
    sqs_endpoint: str | None = _address()
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None
    public_base_url: str | None = _check(None, pattern=_ADDRESS, not_below="/v1")
    """scheme, host and stage that clients use; without it replies and passes name the address that was asked

    Wallets add `/v1` to it themselves (wallets, section 2.1).
    """

    connect_timeout_seconds: float = 1.0
    read_timeout_seconds: float = 4.0
    request_budget_seconds: float = 10.0
    """how long one request or message keeps retrying conflicts before it answers 503"""
    idempotency_claim_seconds: float = _check(30.0, above=0)
    """longer than any request runs: after a death its Idempotency-Key is free again"""
    credential_cache_seconds: float = 60.0
    rate_limit_per_second: float = _check(0, least=0, most=10_000)
    """requests that a project without a limit of its own may make; 0 for as many as it likes"""
    rate_limit_burst: int = _check(0, least=0, most=1_000_000)
    """how many of them at once; at least, and without this, those of one second"""
    rate_limit_timeout_seconds: float = _check(0.25, above=0)
    """how long a request waits for its limit before it goes on without"""
    stripes: int = _check(16, least=1, most=16)
    """rows that one segment's counter may be spread over"""
    stripe_memory_seconds: float = 5.0
    batch_statements: bool = True
    """write 25 rows a call where each carries its own condition; an engine without PartiQL writes one by one"""
    sweep_delay_seconds: int = _check(60, least=0, most=900)
    """longer than any request, so that a late write to an emptied tag is swept as well"""
    log_level: str = "INFO"

    certificates: str | None = _check(None, pattern=r"(file|ssm|secretsmanager):.+")
    """where the pass certificates are: `file:<folder>`, `ssm:<path>` or `secretsmanager:<prefix>`"""
    certificate_cache_seconds: float = 300.0
    """how long a certificate that was replaced may still sign"""
    assets: str | None = _check(None, pattern=r"(file|s3):.+")
    """where images are: `file:<folder>` or `s3:<bucket>`"""
    ssm_endpoint: str | None = _address()
    secretsmanager_endpoint: str | None = _address()
    s3_endpoint: str | None = _address()
    google_issuer_id: str | None = _check(None, pattern=r"[0-9]{1,40}")
    """whose save and delete callbacks are accepted (wallets, section 4.2)"""
    google_callback_keys_url: str = _address("https://pay.google.com/gp/m/issuer/keys")
    passwallet_push_allow: dict[str, str] = field(
        default_factory=lambda: {"push.passwallet.net": "http://push.passwallet.net"}
    )
    """as JSON: the hosts that a device may name for its pushes, and the base that is really called"""
    passwallet_type_key: str = "passTypeID"
    """the member that names the pass type; the vendor's early sample server had `passTypeId` (wallets, section 3.4)"""
    apns_base_url: str = _address("https://api.push.apple.com")
    wallet_passes_base_url: str = _address("https://walletpasses.appspot.com")
    wallet_passes_api_key: str | None = None
    pass2u_base_url: str = _address("https://api.passesalliance.com")
    pass2u_api_key: str | None = None
    passworks_wallet_base_url: str = _address("https://wallet.passworks.io")
    passworks_wallet_api_key: str | None = None
    google_rest_base_url: str = _address("https://walletobjects.googleapis.com/walletobjects/v1")
    google_token_url: str = _address("https://oauth2.googleapis.com/token")
    google_default_logo_url: str | None = _check(None, pattern=r"https://\S+")
    """for Google's loyalty cards and tickets, which must have a logo, where a campaign names none by its address"""
    google_save_base_url: str = _address("https://pay.google.com/gp/v/save/")
    ca_file: str | None = None
    """a PEM file of further authorities that outgoing calls trust, for local servers and private networks"""
    trusted_networks: tuple[str, ...] = ()
    """as JSON: private networks, such as `10.20.0.0/16`, that addresses named by devices and teams may lead to"""
    push_hours: float = _check(24, above=0)
    """how long a push is tried while its service is busy or down"""
    push_pause_seconds: int = _check(900, least=1)
    """how long a project's pushes to a service rest once it has refused our credentials"""
    callback_hours: float = _check(24, above=0)
    """how long a callback to a team's own system is tried"""
    visitor_hours: int = _check(24, least=1)
    """how long a visitor of a distribution page gets the same pass (passworks-v2, section 6)"""

    limits: Limits = field(default_factory=Limits)

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


_FLAGS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}


def _parse_number(text: str) -> float:
    number = float(text)
    if number - number != 0:
        raise ValueError("infinite, or none")
    return number


def _parse_object(text: str) -> dict[str, str]:
    document = json.loads(text)
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        raise ValueError("no object of texts")
    return document


def _parse_array(text: str) -> tuple[str, ...]:
    document = json.loads(text)
    if not isinstance(document, list) or not all(isinstance(value, str) for value in document):
        raise ValueError("no array of texts")
    return tuple(document)


_PARSERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "str": (str, "a text"),
    "str | None": (str, "a text"),
    "int": (int, "a whole number"),
    "float": (_parse_number, "a number"),
    "bool": (lambda text: _FLAGS[text.strip().lower()], "true or false"),
    "dict[str, str]": (_parse_object, "a JSON object of texts"),
    "tuple[str, ...]": (_parse_array, "a JSON array of texts"),
}
"""by a field's annotation: what makes its value of a text, and what the text must be"""

_BREAKS: Mapping[str, tuple[Callable[[Any, Any], bool], str]] = {
    "pattern": (lambda value, pattern: re.fullmatch(pattern, value) is None, "must look like {}"),
    "not_below": (
        lambda value, end: value.rstrip("/").endswith(end),
        "must not end in {}, which wallets add themselves",
    ),
    "least": (lambda value, least: value < least, "must be at least {}"),
    "above": (lambda value, bound: value <= bound, "must be more than {}"),
    "most": (lambda value, most: value > most, "must be at most {}"),
}
"""by the name of a rule: what breaks it, and what to say then"""

_OF_LIMITS: Mapping[str, Any] = {"least": 1}


def _read(variable: str, text: str, *, annotation: str, rules: Mapping[str, Any]) -> Any:
    parse, description = _PARSERS[annotation]
    try:
        value = parse(text)
    except (ValueError, LookupError, RecursionError) as error:
        raise SettingsError(f"{variable}: must be {description}") from error
    for name, bound in rules.items():
        is_broken, problem = _BREAKS[name]
        if is_broken(value, bound):
            raise SettingsError(f"{variable}: {problem.format(bound)}")
    return value


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `environment`; limits are read from `PASSEL_LIMIT_<NAME>`. An empty variable is as good as none.

    Raises:
        SettingsError: a value does not fit; the message names the variable.
    """
    limits = {}
    for each in fields(Limits):
        variable = f"PASSEL_LIMIT_{each.name.upper()}"
        if text := environment.get(variable):
            limits[each.name] = _read(variable, text, annotation=str(each.type), rules=_OF_LIMITS)
    values = {}
    for each in fields(Settings):
        variable = f"PASSEL_{each.name.upper()}"
        names = (variable, *_AWS_NAMES.get(each.name, ()))
        text = next((environment[name] for name in names if environment.get(name)), None)
        if text is not None and each.name != "limits":
            values[each.name] = _read(variable, text, annotation=str(each.type), rules=each.metadata)
    return Settings(**values, limits=Limits(**limits))


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once from its environment."""
    return read_settings(os.environ)
