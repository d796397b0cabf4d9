"""A push channel to a local server, and certificates that are good today."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.wallet_services import AppleKey, PushService
from chalicelib.wallets.apple.credentials import SigningCredentials, check_credentials
from chalicelib.wallets.apple.push import AppleChannel
from local.apns import ApnsServer
from tests.support import certificates

TOPIC = "pass.test.push"
PROJECT = 7

_DEADLINE_SECONDS = 30.0
_PAUSE_SECONDS = 0.005


def todays_life() -> certificates.Life:
    """Valid when the tests' certificates are checked, and by the clock that servers look at."""
    return certificates.Life(end=datetime.now(UTC) + timedelta(days=2))


def make_credentials() -> SigningCredentials:
    """A pass certificate that `write_authority` vouches for; another one with each call."""
    life = todays_life()
    bundle = certificates.make_bundle(
        certificate=certificates.make_certificate(life=life), wwdr=certificates.make_wwdr(life=life)
    )
    return check_credentials(bundle, scope="shared", now=certificates.NOW)


def write_authority(file: Path) -> Path:
    """The root of pass certificates, for servers."""
    root = certificates.issue(
        certificates.ROOT_NAME,
        key=certificates.authority_key(),
        issuer=certificates.ROOT_NAME,
        is_authority=True,
        life=todays_life(),
    )
    file.write_bytes(certificates.as_pem(root))
    return file


def make_key(key_id: str = "KEYID12345") -> AppleKey:
    """A fresh .p8 key."""
    pem = certificates.as_pem(ec.generate_private_key(ec.SECP256R1())).decode()
    return AppleKey(key_id=key_id, team_id="TEAMID1234", private_key=pem)


class Clock:
    """The real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(kw_only=True)
class Pusher:
    """A channel whose settings a test may change at any time."""

    base_url: str
    ca_file: Path
    credentials: SigningCredentials | None = None
    key: AppleKey | None = None
    project_id: int = PROJECT
    deadline_seconds: float = 20.0
    clock: Clock = field(default_factory=Clock)
    channel: AppleChannel = field(init=False)

    def __post_init__(self) -> None:
        self.channel = AppleChannel(
            find_service=lambda _: PushService(base_url=self.base_url),
            find_credentials=lambda _project_id, _pass_type: self.credentials,
            find_key=lambda _: self.key,
            ca_file=self.ca_file,
            now=self.clock,
            deadline_seconds=self.deadline_seconds,
        )

    def push(self, *tokens: str) -> dict[str, PushResult]:
        """The results by token; exactly one for each."""
        results = list(self.channel.push(make_batch(tokens, project_id=self.project_id)))
        assert Counter(result.token for result in results) == Counter(tokens)
        return {result.token: result for result in results}

    def push_one(self, token: str) -> PushResult:
        """The result of one push."""
        return self.push(token)[token]


def make_batch(tokens: Iterable[str], *, project_id: int = PROJECT) -> PushBatch:
    """A batch for iPhones."""
    return PushBatch(project_id=project_id, wallet=Wallet.PASSBOOK, pass_type=TOPIC, tokens=tuple(tokens))


def make_tokens(count: int, *, prefix: str = "") -> list[str]:
    """Tokens in Apple's shape, or with a prefix that tells them apart."""
    return [f"{prefix}{number:064x}" for number in range(count)]


def outcomes(results: dict[str, PushResult]) -> Counter[Outcome]:
    """How often each came."""
    return Counter(result.outcome for result in results.values())


def times_received(server: ApnsServer) -> Counter[str]:
    """How often the server processed a push to each token."""
    return Counter(push.token for push in server.received)


def wait_until(condition: Callable[[], bool], *, what: str) -> None:
    """Waits for something that another thread does."""
    ends_at = time.monotonic() + _DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < ends_at, f"waited in vain for {what}"
        time.sleep(_PAUSE_SECONDS)
