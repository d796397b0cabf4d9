"""Pushes to the wallets of Android, byte by byte, against servers that answer as the vendors document."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.errors import Busy
from chalicelib.domain.push_channels import Outcome, PushBatch, PushChannel, PushResult
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.wallet_services import PushService, WalletServices
from chalicelib.outbound.guarded import ANYWHERE, GuardedClient
from chalicelib.wallets.batch_push import MOST_HALVINGS, BatchPoster, FindServices
from chalicelib.wallets.pass2u import Pass2UChannel
from chalicelib.wallets.passwallet import PassWalletChannel
from chalicelib.wallets.passworks_wallet import PassworksWalletChannel
from chalicelib.wallets.wallet_passes import WalletPassesChannel
from local.wallet_servers import PushAnswer, PushServices, ReceivedRequest

NOW = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
PROJECT = 7
PASS_TYPE = "pass.com.example.caf\u00e9/1"
ANDROID: list[Wallet] = [Wallet.WALLET_PASSES, Wallet.PASS2U, Wallet.PASSWALLET, Wallet.PASSWORKS_WALLET]
BY_OPERATOR: list[Wallet] = [wallet for wallet in ANDROID if wallet is not Wallet.PASSWALLET]
LISTED_HOST = "push.passwallet.net"
LISTED_URL = f"https://{LISTED_HOST}/"
KEYS: dict[Wallet, str] = {wallet: f"key of {wallet}" for wallet in BY_OPERATOR}


@pytest.fixture
def vendors() -> Iterator[PushServices]:
    running = PushServices()
    running.start()
    yield running
    running.stop()


@pytest.fixture
def trap() -> Iterator[PushServices]:
    """Servers inside our network, which nobody may make us call."""
    running = PushServices()
    running.start()
    yield running
    running.stop()


class Deployment:
    """Channels as they are put together for one project. What a test wants otherwise, it changes before it pushes."""

    def __init__(self, vendors: PushServices) -> None:
        self.base_urls = {wallet: vendors.base_url(wallet) for wallet in BY_OPERATOR}
        self.keys: dict[Wallet, str | None] = dict(KEYS)
        self.allow = {LISTED_HOST: vendors.base_url(Wallet.PASSWALLET)}
        self.type_key = "passTypeID"
        self.allowed_networks: Sequence[str] = ("127.0.0.0/8",)
        self.addresses: Sequence[str] | None = None
        """of every host that PassWallet's channel resolves, in place of the real ones"""
        self.timeout_seconds = 30.0

    def push(
        self, wallet: Wallet, tokens: Sequence[str] = ("token a", "token b"), *, url: str | None = LISTED_URL
    ) -> list[PushResult]:
        """The results of one batch."""
        batch = PushBatch(
            project_id=PROJECT,
            wallet=wallet,
            pass_type=PASS_TYPE,
            tokens=tuple(tokens),
            push_service_url=url if wallet is Wallet.PASSWALLET else None,
        )
        plain = GuardedClient(allowed_networks=ANYWHERE, timeout_seconds=self.timeout_seconds)
        options: dict[str, Any] = {} if self.addresses is None else {"resolve": self._resolve}
        guarded = GuardedClient(allowed_networks=self.allowed_networks, timeout_seconds=self.timeout_seconds, **options)
        with closing(plain), closing(guarded):
            return list(_make_channel(wallet, plain, guarded, self.find_services).push(batch))

    def find_services(self, project_id: int) -> WalletServices:
        """What an operator has set."""
        assert project_id == PROJECT
        services = {
            wallet: PushService(base_url=self.base_urls[wallet], api_key=self.keys[wallet]) for wallet in BY_OPERATOR
        }
        return WalletServices(
            apns=PushService(base_url="https://apns.invalid"),
            apple_key=None,
            wallet_passes=services[Wallet.WALLET_PASSES],
            pass2u=services[Wallet.PASS2U],
            passworks_wallet=services[Wallet.PASSWORKS_WALLET],
            passwallet_allow=self.allow,
            passwallet_type_key=self.type_key,
        )

    def _resolve(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(0, 0, 0, "", (address, port)) for address in self.addresses or ()]


def _make_channel(
    wallet: Wallet, plain: GuardedClient, guarded: GuardedClient, find_services: FindServices
) -> PushChannel:
    poster = BatchPoster(plain, now=lambda: NOW)
    wallet_passes = WalletPassesChannel(poster, find_services=find_services)
    if wallet is Wallet.PASS2U:
        return Pass2UChannel(poster, find_services=find_services)
    if wallet is Wallet.PASSWORKS_WALLET:
        return PassworksWalletChannel(poster, find_services=find_services)
    if wallet is Wallet.PASSWALLET:
        checked = BatchPoster(guarded, now=lambda: NOW)
        return PassWalletChannel(checked, find_services=find_services, wallet_passes=wallet_passes)
    return wallet_passes


@pytest.fixture
def deployment(vendors: PushServices) -> Deployment:
    return Deployment(vendors)


def _outcomes(results: Sequence[PushResult]) -> set[tuple[Outcome, str, float | None]]:
    return {(result.outcome, result.reason, result.retry_after_seconds) for result in results}


def _vendor_headers(request: ReceivedRequest) -> dict[str, str]:
    """Without those that every HTTP request has."""
    usual = {"host", "user-agent", "content-length"}
    return {name: value for name, value in request.headers.items() if name not in usual}


JSON = {"content-type": "application/json"}

REQUESTS = {
    Wallet.WALLET_PASSES: (
        "/api/v1/push",
        JSON | {"authorization": KEYS[Wallet.WALLET_PASSES]},
        {"passTypeIdentifier": PASS_TYPE, "pushTokens": ["token a", "token b"]},
    ),
    Wallet.PASS2U: (
        "/v2/registrations/pass.com.example.caf%C3%A9%2F1/push",
        JSON | {"x-api-key": KEYS[Wallet.PASS2U], "accept": "application/json"},
        {"registrationIds": ["token a", "token b"]},
    ),
    Wallet.PASSWALLET: ("/v1/pushUpdates", JSON, {"passTypeID": PASS_TYPE, "pushTokens": ["token a", "token b"]}),
    Wallet.PASSWORKS_WALLET: (
        "/v1/pushUpdate",
        JSON | {"authorization": KEYS[Wallet.PASSWORKS_WALLET]},
        {"passTypeIdentifier": PASS_TYPE, "pushTokens": ["token a", "token b"]},
    ),
}


@pytest.mark.parametrize("wallet", ANDROID)
def test_a_batch_is_one_request_as_the_vendor_documents_it(
    vendors: PushServices, deployment: Deployment, wallet: Wallet
) -> None:
    results = deployment.push(wallet)

    (request,) = vendors.requests
    assert request.wallet is wallet
    assert (request.path, _vendor_headers(request), request.body) == REQUESTS[wallet]
    assert [result.token for result in results] == ["token a", "token b"]
    assert _outcomes(results) == {(Outcome.SENT, "200", None)}


@pytest.mark.parametrize("wallet", BY_OPERATOR)
def test_a_single_token_is_an_array_of_one(vendors: PushServices, deployment: Deployment, wallet: Wallet) -> None:
    deployment.push(wallet, ["only"])

    body = vendors.requests[0].body
    assert body.get("pushTokens", body.get("registrationIds")) == ["only"]


def test_passwallet_has_another_request_for_a_single_token(vendors: PushServices, deployment: Deployment) -> None:
    assert _outcomes(deployment.push(Wallet.PASSWALLET, ["only"])) == {(Outcome.SENT, "200", None)}

    assert vendors.requests[0].path == "/v1/pushUpdate"
    assert vendors.requests[0].body == {"passTypeID": PASS_TYPE, "pushToken": "only"}


@pytest.mark.parametrize("tokens", [["only"], ["a", "b"]])
def test_the_name_of_passwallets_pass_type_is_a_setting(
    vendors: PushServices, deployment: Deployment, tokens: list[str]
) -> None:
    deployment.type_key = "passTypeId"
    deployment.push(Wallet.PASSWALLET, tokens)

    assert vendors.requests[0].body.keys() - {"pushToken", "pushTokens"} == {"passTypeId"}


def test_walletpasses_is_called_without_a_key(vendors: PushServices, deployment: Deployment) -> None:
    deployment.keys[Wallet.WALLET_PASSES] = None

    assert _outcomes(deployment.push(Wallet.WALLET_PASSES)) == {(Outcome.SENT, "200", None)}
    assert _vendor_headers(vendors.requests[0]) == JSON


@pytest.mark.parametrize("wallet", [Wallet.PASS2U, Wallet.PASSWORKS_WALLET])
@pytest.mark.parametrize("key", [None, ""])
def test_the_others_are_not_called_without_a_key(
    vendors: PushServices, deployment: Deployment, wallet: Wallet, key: str | None
) -> None:
    deployment.keys[wallet] = key

    results = deployment.push(wallet)

    assert [result.token for result in results] == ["token a", "token b"]
    assert _outcomes(results) == {(Outcome.MISCONFIGURED, "no key", None)}
    assert vendors.requests == []


@pytest.mark.parametrize(("count", "sizes"), [(1_000, [1_000]), (1_001, [1_000, 1]), (2_500, [1_000, 1_000, 500])])
def test_pass2u_gets_at_most_1000_ids_a_call_and_each_once(
    vendors: PushServices, deployment: Deployment, count: int, sizes: list[int]
) -> None:
    tokens = [f"id {number}" for number in range(count)]

    results = deployment.push(Wallet.PASS2U, tokens)

    assert [len(request.tokens) for request in vendors.requests] == sizes
    assert [token for request in vendors.requests for token in request.tokens] == tokens
    assert [result.token for result in results] == tokens
    assert _outcomes(results) == {(Outcome.SENT, "200", None)}


@pytest.mark.parametrize(("status", "outcome", "calls"), [(503, Outcome.RETRY, 2), (401, Outcome.MISCONFIGURED, 2)])
def test_pass2u_is_left_alone_once_it_is_busy_or_refuses_the_key(
    vendors: PushServices, deployment: Deployment, status: int, outcome: Outcome, calls: int
) -> None:
    vendors.answer = lambda _: PushAnswer(status=200 if len(vendors.requests) == 1 else status)
    tokens = [f"id {number}" for number in range(2_500)]

    results = deployment.push(Wallet.PASS2U, tokens)

    assert len(vendors.requests) == calls
    assert [result.token for result in results] == tokens
    assert [result.outcome for result in results] == [Outcome.SENT] * 1_000 + [outcome] * 1_500


def refuse(*bad: str) -> Callable[[ReceivedRequest], PushAnswer]:
    return lambda request: PushAnswer(status=400 if set(bad) & set(request.tokens) else 200)


@pytest.mark.parametrize("wallet", ANDROID)
def test_a_token_that_is_refused_keeps_nobody_else_from_being_told(
    vendors: PushServices, deployment: Deployment, wallet: Wallet
) -> None:
    vendors.answer = refuse("id 0", "id 777")
    tokens = [f"id {number}" for number in range(1_000)]

    results = deployment.push(wallet, tokens)

    assert [result.token for result in results] == tokens
    assert {result.token for result in results if result.outcome is Outcome.REFUSED} == {"id 0", "id 777"}
    told = [
        token for request in vendors.requests for token in request.tokens if not {"id 0", "id 777"} & {*request.tokens}
    ]
    assert sorted(told) == sorted({*tokens} - {"id 0", "id 777"}), "each is told once"


def test_tokens_that_are_all_refused_do_not_keep_us_busy(vendors: PushServices, deployment: Deployment) -> None:
    vendors.answer = lambda _: PushAnswer(status=400)
    tokens = [f"id {number}" for number in range(2_000)]

    results = deployment.push(Wallet.PASS2U, tokens)

    assert [result.token for result in results] == tokens
    assert _outcomes(results) == {(Outcome.REFUSED, "400", None)}
    assert len(vendors.requests) == 2 + 2 * MOST_HALVINGS


def test_a_service_that_gets_busy_meanwhile_is_left_alone(vendors: PushServices, deployment: Deployment) -> None:
    vendors.answer = lambda _: PushAnswer(status=400 if len(vendors.requests) == 1 else 503)

    results = deployment.push(Wallet.WALLET_PASSES, ["a", "b", "c", "d"])

    assert [result.token for result in results] == ["a", "b", "c", "d"]
    assert _outcomes(results) == {(Outcome.RETRY, "503", None)}
    assert len(vendors.requests) == 2


JUDGEMENTS = {
    200: Outcome.SENT,
    202: Outcome.SENT,
    204: Outcome.SENT,
    400: Outcome.REFUSED,
    401: Outcome.MISCONFIGURED,
    403: Outcome.MISCONFIGURED,
    404: Outcome.REFUSED,
    413: Outcome.REFUSED,
    429: Outcome.RETRY,
    500: Outcome.RETRY,
    502: Outcome.RETRY,
    503: Outcome.RETRY,
}


@pytest.mark.parametrize("wallet", ANDROID)
@pytest.mark.parametrize(("status", "outcome"), JUDGEMENTS.items())
def test_what_a_status_means(
    vendors: PushServices, deployment: Deployment, wallet: Wallet, status: int, outcome: Outcome
) -> None:
    vendors.answer = lambda _: PushAnswer(status=status, body={"details": "as it is"})

    assert _outcomes(deployment.push(wallet, ["only"])) == {(outcome, str(status), None)}
    assert len(vendors.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sun, 06 Nov 1994 08:48:37 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("9" * 50, None),
    ],
)
def test_a_busy_service_says_how_long_to_wait(
    vendors: PushServices, deployment: Deployment, status: int, header: str, seconds: float | None
) -> None:
    vendors.answer = lambda _: PushAnswer(status=status, headers={"Retry-After": header})

    assert _outcomes(deployment.push(Wallet.WALLET_PASSES)) == {(Outcome.RETRY, str(status), seconds)}


def test_only_who_is_told_to_repeat_is_told_when(vendors: PushServices, deployment: Deployment) -> None:
    vendors.answer = lambda _: PushAnswer(status=400, headers={"Retry-After": "120"})

    assert _outcomes(deployment.push(Wallet.WALLET_PASSES)) == {(Outcome.REFUSED, "400", None)}


@pytest.mark.parametrize("wallet", ANDROID)
def test_a_service_that_hangs_is_tried_again(vendors: PushServices, deployment: Deployment, wallet: Wallet) -> None:
    vendors.answer = lambda _: PushAnswer(hangs=True)
    deployment.timeout_seconds = 0.3

    assert _outcomes(deployment.push(wallet)) == {(Outcome.RETRY, "unreachable", None)}


@pytest.mark.parametrize("wallet", ANDROID)
def test_a_service_that_hangs_up_is_tried_again(vendors: PushServices, deployment: Deployment, wallet: Wallet) -> None:
    vendors.answer = lambda _: PushAnswer(closes=True)

    assert _outcomes(deployment.push(wallet)) == {(Outcome.RETRY, "unreachable", None)}


@pytest.mark.parametrize("wallet", ANDROID)
def test_a_service_that_is_down_is_tried_again(vendors: PushServices, deployment: Deployment, wallet: Wallet) -> None:
    vendors.stop()

    assert _outcomes(deployment.push(wallet)) == {(Outcome.RETRY, "unreachable", None)}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("wallet", ANDROID)
def test_no_redirect_is_followed(
    vendors: PushServices,
    trap: PushServices,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
    wallet: Wallet,
    status: int,
) -> None:
    place = f"{trap.base_url(wallet)}/v1/pushUpdates"
    vendors.answer = lambda _: PushAnswer(status=status, headers={"Location": place})

    outcome = Outcome.REFUSED if wallet is Wallet.PASSWALLET else Outcome.MISCONFIGURED
    assert _outcomes(deployment.push(wallet)) == {(outcome, "redirect", None)}
    assert (len(vendors.requests), len(trap.requests)) == (1, 0)
    assert place in caplog.text


def test_a_redirect_to_the_metadata_service_is_refused_and_logged(
    vendors: PushServices, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    place = "http://169.254.169.254/latest/meta-data"
    vendors.answer = lambda _: PushAnswer(status=302, headers={"Location": place})

    assert _outcomes(deployment.push(Wallet.PASSWALLET)) == {(Outcome.REFUSED, "redirect", None)}
    assert len(vendors.requests) == 1
    assert place in caplog.text


REFUSED_URLS = {
    "none": (None, "no URL", ""),
    "this machine": ("https://127.0.0.1:{port}/passwallet", "not listed", "127.0.0.1"),
    "this machine by name": ("https://localhost:{port}/passwallet", "not listed", "localhost"),
    "metadata": ("https://169.254.169.254/latest", "not listed", "169.254.169.254"),
    "a private network": ("https://10.0.0.1/", "not listed", "10.0.0.1"),
    "IPv6": ("https://[::1]:{port}/", "not listed", "::1"),
    "a stranger": ("https://evil.example/", "not listed", "evil.example"),
    "http": (f"http://{LISTED_HOST}/", "not https", LISTED_HOST),
    "http at this machine": ("http://127.0.0.1:{port}/passwallet", "not https", "127.0.0.1"),
    "credentials": (f"https://{LISTED_HOST}@127.0.0.1/", "unusable URL", ""),
    "another scheme": ("gopher://127.0.0.1/", "unusable URL", ""),
    "a way out of the path": (f"https://{LISTED_HOST}/../x", "misleading path", LISTED_HOST),
}


@pytest.mark.parametrize(("url", "reason", "host"), REFUSED_URLS.values(), ids=REFUSED_URLS.keys())
def test_a_url_that_a_device_may_not_name_is_refused_and_logged_without_tokens(
    vendors: PushServices,
    trap: PushServices,
    deployment: Deployment,
    caplog: pytest.LogCaptureFixture,
    url: str | None,
    reason: str,
    host: str,
) -> None:
    results = deployment.push(Wallet.PASSWALLET, url=url and url.replace("{port}", trap.url.rpartition(":")[2]))

    assert _outcomes(results) == {(Outcome.REFUSED, reason, None)}
    assert [result.token for result in results] == ["token a", "token b"]
    assert (vendors.requests, trap.requests) == ([], [])
    (record,) = caplog.records
    assert record.levelno >= logging.WARNING
    assert repr(host) in record.getMessage()
    assert reason in record.getMessage()
    assert "token a" not in caplog.text


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["169.254.169.254"], ["10.1.2.3"], ["fd00::1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "127.0.0.1"]],
)
def test_a_listed_name_that_resolves_into_our_network_is_refused_and_logged(
    vendors: PushServices, deployment: Deployment, caplog: pytest.LogCaptureFixture, addresses: list[str]
) -> None:
    port = vendors.url.rpartition(":")[2]
    deployment.allow = {LISTED_HOST: f"http://{LISTED_HOST}:{port}/passwallet"}
    deployment.allowed_networks, deployment.addresses = (), addresses

    assert _outcomes(deployment.push(Wallet.PASSWALLET)) == {(Outcome.REFUSED, "address", None)}
    assert vendors.requests == []
    assert f"{LISTED_HOST} is at {addresses[-1]}" in caplog.text


def test_a_listed_name_in_a_network_that_the_operator_allows_is_called(
    vendors: PushServices, deployment: Deployment
) -> None:
    port = vendors.url.rpartition(":")[2]
    deployment.allow = {LISTED_HOST: f"http://{LISTED_HOST}:{port}/passwallet"}
    deployment.addresses = ["127.0.0.1"]

    assert _outcomes(deployment.push(Wallet.PASSWALLET)) == {(Outcome.SENT, "200", None)}
    assert vendors.requests[0].headers["host"] == f"{LISTED_HOST}:{port}"


def test_the_listed_base_is_called_with_the_path_of_the_device(vendors: PushServices, deployment: Deployment) -> None:
    deployment.push(Wallet.PASSWALLET, url=f"https://{LISTED_HOST}:9/a/b/?c=d#e")

    assert vendors.requests[0].path == "/a/b/v1/pushUpdates"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_walletpasses_behind_passwallet_gets_the_request_of_walletpasses(
    vendors: PushServices, deployment: Deployment, scheme: str
) -> None:
    results = deployment.push(Wallet.PASSWALLET, url=f"{scheme}://walletpasses.appspot.com/api/attido/")

    (request,) = vendors.requests
    assert request.wallet is Wallet.WALLET_PASSES
    assert (request.path, _vendor_headers(request), request.body) == REQUESTS[Wallet.WALLET_PASSES]
    assert _outcomes(results) == {(Outcome.SENT, "200", None)}


@pytest.mark.parametrize("wallet", BY_OPERATOR)
@pytest.mark.parametrize("base_url", ["push.example", "ftp://push.example", "https://a:b@push.example", "https://"])
def test_a_base_that_is_no_url_is_the_operators_mistake(
    vendors: PushServices, deployment: Deployment, wallet: Wallet, base_url: str
) -> None:
    deployment.base_urls[wallet] = base_url

    assert _outcomes(deployment.push(wallet)) == {(Outcome.MISCONFIGURED, "address", None)}


@pytest.mark.parametrize("wallet", BY_OPERATOR)
def test_a_key_that_no_header_can_hold_is_the_operators_mistake(
    vendors: PushServices, deployment: Deployment, caplog: pytest.LogCaptureFixture, wallet: Wallet
) -> None:
    deployment.keys[wallet] = "secret\r\nX-Other: 1"

    assert _outcomes(deployment.push(wallet)) == {(Outcome.MISCONFIGURED, "key", None)}
    assert vendors.requests == []
    assert "secret" not in caplog.text


def test_the_answer_is_logged_shortly_and_without_tokens(
    vendors: PushServices, deployment: Deployment, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="passel")
    vendors.answer = lambda _: PushAnswer(body={"dead": ["token b"], "more": "line\n" * 10_000})

    deployment.push(Wallet.WALLET_PASSES)

    (record,) = [record for record in caplog.records if record.name == "passel"]
    message = record.getMessage()
    assert "WalletPasses" in message
    assert "dead" in message
    assert "token b" not in message
    assert KEYS[Wallet.WALLET_PASSES] not in message
    assert "\n" not in message
    assert len(message) < 1_000


@pytest.mark.parametrize("wallet", ANDROID)
def test_services_that_cannot_be_read_stop_the_batch(
    vendors: PushServices, deployment: Deployment, monkeypatch: pytest.MonkeyPatch, wallet: Wallet
) -> None:
    def fail(_: int) -> WalletServices:
        raise Busy

    monkeypatch.setattr(deployment, "find_services", fail)

    with pytest.raises(Busy):
        deployment.push(wallet)
    assert vendors.requests == []
