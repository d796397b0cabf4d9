"""Rate limits on a real engine: processes share a bucket, a request writes once at most, and nothing waits for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from chalicelib.api import rate_limits
from chalicelib.domain.cost_prices import LIST, Item
from chalicelib.domain.rate_limiting import REST_SECONDS, RateLimiter
from chalicelib.domain.rate_limits import SLOTS_PER_SECOND, Asking, Bucket, RateLimit, RateLimitUnknown, Tally
from chalicelib.settings import get_settings
from chalicelib.store.rate_limits import DynamoRateLimitStore
from local.embedded import Calls
from tests.support.aws_proxy import Call, Dropped, Forward, Outcome, Proxy, Rule, refuse, run_proxy
from tests.support.limits import Clock, Elsewhere, limit_tenant, make_limiter
from tests.support.log_lines import metric_values, run_as_lambda
from tests.support.stack import Stack, Tenant

ROOT = Path(__file__).resolve().parents[2]
THREADS = 32
PATH = "/v1/tag"


@pytest.fixture
def proxy(stack: Stack) -> Iterator[Proxy]:
    """Before DynamoDB, for those who are sent there."""
    endpoint = get_settings().dynamodb_endpoint
    assert endpoint
    with run_proxy(endpoint) as running:
        yield running


def use(monkeypatch: pytest.MonkeyPatch, limiter: RateLimiter) -> None:
    """The server's limiter from now on."""
    monkeypatch.setattr(rate_limits, "get_rate_limiter", lambda: limiter)


def bucket_of(tenant: Tenant, *, per_second: float, burst: int) -> Bucket:
    limit = RateLimit(per_second=per_second, burst=burst)
    return Bucket(name=f"project:{tenant.project_id}", policy="project", limit=limit)


# One bucket


def test_processes_with_nothing_in_common_share_a_bucket_to_the_token(tenant: Tenant) -> None:
    clock, bucket = Clock(), bucket_of(tenant, per_second=1, burst=10)
    first, second = make_limiter(clock), make_limiter(clock)
    granted = [(first, second)[turn % 2].take(bucket).granted for turn in range(14)]
    assert granted == [True] * 10 + [False] * 4

    clock.now += 3
    granted = [(second, first)[turn % 2].take(bucket).granted for turn in range(5)]
    assert granted == [True] * 3 + [False] * 2


def test_32_processes_that_know_nothing_and_ask_at_once_get_the_burst_and_no_more(tenant: Tenant) -> None:
    clock, bucket = Clock(), bucket_of(tenant, per_second=1, burst=10)
    limiters = [make_limiter(clock) for _ in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        granted = list(pool.map(lambda limiter: limiter.take(bucket).granted, limiters))
    assert sum(granted) == 10


def test_32_threads_of_a_process_get_the_burst_and_what_comes_meanwhile(tenant: Tenant) -> None:
    bucket, limiter = bucket_of(tenant, per_second=20, burst=30), make_limiter()

    def hammer(_: int) -> int:
        return sum(limiter.take(bucket).granted for _ in range(60))

    limiter.take(bucket)
    began = time.time()
    with ThreadPoolExecutor(THREADS) as pool:
        granted = 1 + sum(pool.map(hammer, range(THREADS)))
    seconds = time.time() - began
    assert 30 <= granted <= 30 + 20 * (seconds + 1 / SLOTS_PER_SECOND)


def test_32_clients_at_once_over_http(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, make_limiter(Clock()))  # in one moment: what is taken in advance would be lost with it
    limit_tenant(tenant, per_second=0.01, burst=20)
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = list(pool.map(lambda _: tenant.request("GET", PATH).status_code, range(THREADS)))
    assert (statuses.count(200), statuses.count(429)) == (20, THREADS - 20)


PROCESS = """
import json, sys, time
from chalicelib.domain.rate_limits import Bucket, RateLimit
from chalicelib.wiring import get_rate_limiter

bucket = Bucket(name=sys.argv[1], policy="project", limit=RateLimit(per_second=50, burst=60))
limiter, granted = get_rate_limiter(), []
print("ready", flush=True)
sys.stdin.readline()
begin, refused = time.time(), 0
while time.time() < begin + 1 or (not refused and time.time() < begin + 20):
    began = time.time()
    if limiter.take(bucket).granted:
        granted.append((began, time.time()))
    else:
        refused += 1
        time.sleep(0.002)
print(json.dumps([refused, granted]))
"""


def test_twin_processes_in_a_hurry_exceed_nothing_together(tenant: Tenant) -> None:
    twins = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, f"project:{tenant.project_id}"],
            cwd=ROOT,
            env={**os.environ, "PASSEL_RATE_LIMIT_TIMEOUT_SECONDS": "20"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for twin in twins:
        assert twin.stdout
        assert twin.stdout.readline() == "ready\n"
    for twin in twins:
        assert twin.stdin
        twin.stdin.write("go\n")
        twin.stdin.flush()
    answers = [json.loads(twin.communicate(timeout=60)[0]) for twin in twins]
    granted = sorted(tuple(times) for _, own in answers for times in own)

    assert [twin.returncode for twin in twins] == [0, 0]
    assert all(refused for refused, _ in answers), "the burst was used up"
    assert len(granted) >= 60
    for first, (began, _) in enumerate(granted):
        for last in range(first, len(granted)):
            seconds = max(ended for _, ended in granted[first : last + 1]) - began
            assert last - first + 1 <= 60 + 50 * (seconds + 1 / SLOTS_PER_SECOND)


# What it costs


def test_a_limited_request_makes_one_call_more_and_reads_nothing(
    stack: Stack, tenant: Tenant, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, make_limiter(Clock(), dynamodb_endpoint=proxy.url))
    tenant.call("GET", PATH)
    with stack.count_calls() as free:
        tenant.call("GET", PATH)
    limit_tenant(tenant, per_second=100, burst=1000)
    tenant.call("GET", PATH)
    before = dict(proxy.counts)
    with stack.count_calls() as limited:
        for _ in range(10):
            tenant.call("GET", PATH)

    assert limited.operations == free.operations * 10
    assert before == {("UpdateItem", "passed"): 1}
    assert dict(proxy.counts) == {("UpdateItem", "passed"): 11}


def test_without_a_limit_nobody_asks(
    stack: Stack, tenant: Tenant, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, make_limiter(dynamodb_endpoint=proxy.url))
    tenant.call("GET", PATH)
    assert proxy.counts == {}


def test_refusals_of_a_process_that_knows_cost_nothing(
    tenant: Tenant, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, make_limiter(dynamodb_endpoint=proxy.url))
    limit_tenant(tenant, per_second=0.01, burst=2)
    statuses = [tenant.request("GET", PATH).status_code for _ in range(12)]
    assert statuses == [200] * 2 + [429] * 10
    assert proxy.count("passed") == 2


def test_a_token_takes_one_write_unit_whatever_the_row_has_seen(stack: Stack, tenant: Tenant) -> None:
    if stack.engine_name == "moto":
        pytest.skip("COSTS ARE NOT CHECKED: moto does not count what DynamoDB would")
    elsewhere: Any = Elsewhere()
    store, clock, calls = DynamoRateLimitStore(elsewhere), Clock(), Calls()

    def measure(params: dict[str, object], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def note(parsed: dict[str, dict[str, float]], **_: object) -> None:
        calls.units += parsed["ConsumedCapacity"]["CapacityUnits"]

    store.client.meta.events.register("provide-client-params.dynamodb", measure)
    store.client.meta.events.register("after-call.dynamodb", note)
    limiters = [RateLimiter(store, now=clock) for _ in range(5)]
    bucket = bucket_of(tenant, per_second=1000, burst=1000)
    for turn in range(100):
        assert limiters[turn % 5].take(bucket).granted
        clock.now += 0.3
    assert calls.units == 100
    assert LIST.prices[Item.WRITES].first * 1_000_000 / LIST.prices[Item.WRITES].per == pytest.approx(0.625)


# What happens if nobody knows


async def throttle(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "ProvisionedThroughputExceededException")


async def fail(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "InternalServerError", status=500)


async def conflict(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "TransactionConflictException")


async def find_no_table(call: Call, forward: Forward) -> Outcome:
    return refuse(call, "ResourceNotFoundException")


async def stay_silent(call: Call, forward: Forward) -> Outcome:
    return Dropped(60)


async def hang_up(call: Call, forward: Forward) -> Outcome:
    await forward()
    return Dropped()


RULES = [throttle, fail, conflict, find_no_table, stay_silent, hang_up]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_requests_go_on_when_storage_does_not_say(
    tenant: Tenant, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, rule: Rule
) -> None:
    clock = Clock()
    use(monkeypatch, make_limiter(clock, dynamodb_endpoint=proxy.url, rate_limit_timeout_seconds=0.1))
    monkeypatch.setattr(rate_limits._Said, "silent_until", 0.0)
    limit_tenant(tenant, per_second=0.01, burst=1)
    proxy.rule = rule
    with run_as_lambda() as lines:
        answers = [tenant.request("GET", PATH) for _ in range(5)]
        clock.now += REST_SECONDS
        answers.append(tenant.request("GET", PATH))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"project";q=1;w=100'}
    assert not any("RateLimit" in answer.headers for answer in answers)
    assert sum(proxy.counts.values()) == 2, "no call is repeated, and after a failure storage has a rest"
    assert sum(metric_values(line).get("RateLimitsUnknown", 0) for line in lines.all) == 6
    warnings = [line for line in lines.all if line["level"] == "WARNING"]
    assert len(warnings) == 1
    assert warnings[0]["message"].startswith("requests go on without their rate limit: ")


def test_a_missing_table_is_such_a_reason(tenant: Tenant) -> None:
    with pytest.raises(RateLimitUnknown, match="ResourceNotFoundException"):
        make_limiter(prefix="passel-nowhere-").take(bucket_of(tenant, per_second=1, burst=1))


def test_a_refusal_of_storage_names_its_reason(tenant: Tenant, proxy: Proxy) -> None:
    proxy.rule = throttle
    limiter = make_limiter(dynamodb_endpoint=proxy.url)
    with pytest.raises(RateLimitUnknown, match="ProvisionedThroughputExceededException"):
        limiter.take(bucket_of(tenant, per_second=1, burst=1))


def test_a_row_says_what_was_written_into_it(tenant: Tenant) -> None:
    elsewhere: Any = Elsewhere()
    store, name = DynamoRateLimitStore(elsewhere), f"project:{tenant.project_id}"
    assert store.ask(name, Asking(slot=7, tokens=2, expires_at=1)) == Tally({7: 2})
    assert store.ask(name, Asking(slot=7, tokens=1, expires_at=1)) == Tally({7: 3})
    settled = Asking(slot=9, tokens=1, level=(8, 5), obsolete=Tally({7: 3, 6: 1}, {2: 1}), expires_at=1)
    assert store.ask(name, settled) == Tally({9: 1}, {8: 5})
