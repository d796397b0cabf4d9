"""Requests beyond a limit, in both dialects: status, body, headers, and what a client has to do to be heard again."""

from __future__ import annotations

import re

import httpx
import pytest

from chalicelib import operations
from chalicelib.api import rate_limits
from chalicelib.domain.rate_limits import UNLIMITED
from chalicelib.settings import get_settings
from chalicelib.wiring import get_credential_cache
from tests.contract.samples import new_pass
from tests.support.limits import Clock, limit_tenant, make_limiter
from tests.support.log_lines import metric_values, run_as_lambda
from tests.support.stack import Tenant

AIRSHIP, PASSWORKS = "/v1/tag", "/v2/certificates"
DIALECTS = pytest.mark.parametrize(("path", "status"), [(AIRSHIP, 429), (PASSWORKS, 503)])

POLICY = re.compile(r'"(project|key)";q=(\d+);w=(\d+)')
LIMIT = re.compile(r'"(project|key)";r=(\d+);t=(\d+)')


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which limits are kept, which stands still."""
    clock = Clock()
    limiter = make_limiter(clock)
    monkeypatch.setattr(rate_limits, "get_rate_limiter", lambda: limiter)
    return clock


def told(answer: httpx.Response) -> tuple[str, int, int, int, int]:
    """Policy, quota, window, what is left and for how long, as the headers of revision 11 of the draft say it."""
    policy = POLICY.fullmatch(answer.headers["RateLimit-Policy"])
    limit = LIMIT.fullmatch(answer.headers["RateLimit"])
    assert policy
    assert limit
    assert policy[1] == limit[1]
    return policy[1], int(policy[2]), int(policy[3]), int(limit[2]), int(limit[3])


def exhaust(tenant: Tenant, path: str) -> httpx.Response:
    """The first answer that is a refusal."""
    for _ in range(20):
        answer = tenant.request("GET", path)
        if "Retry-After" in answer.headers:
            return answer
    raise AssertionError("nothing was refused")


@DIALECTS
def test_every_answer_says_what_is_left(tenant: Tenant, clock: Clock, path: str, status: int) -> None:
    limit_tenant(tenant, per_second=0.5, burst=4)
    answers = [tenant.request("GET", path), tenant.request("GET", f"{path}/nobody/passes")]
    answers += [tenant.request("GET", path) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 404, 200, 200, status]
    assert [told(answer) for answer in answers] == [("project", 4, 8, left, 2) for left in (3, 2, 1, 0, 0)]


def test_airship_clients_read_429_in_their_error_body(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.5, burst=2)
    answer = exhaust(tenant, AIRSHIP)

    assert answer.status_code == 429
    assert answer.json() == {
        "code": 429,
        "description": "Too Many Requests",
        "details": "the project may make 0.5 requests a second, 2 at once",
        "error": "Too Many Requests",
        "error_code": 429,
    }
    assert answer.headers["Retry-After"] == "2"
    assert answer.headers["Content-Type"].startswith("application/json")


def test_passworks_clients_read_a_status_that_they_take_for_an_error(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.5, burst=2)
    answer = exhaust(tenant, PASSWORKS)

    assert answer.status_code == 503
    assert answer.json() == {
        "status_code": 503,
        "error_code": 10429,
        "message": "the project may make 0.5 requests a second, 2 at once",
        "errors": {},
    }
    assert answer.headers["Retry-After"] == "2"


@DIALECTS
def test_a_client_that_waits_as_told_is_heard(tenant: Tenant, clock: Clock, path: str, status: int) -> None:
    limit_tenant(tenant, per_second=0.4, burst=2)
    for _ in range(3):
        refused = exhaust(tenant, path)
        *_, remaining, wait_seconds = told(refused)
        assert (refused.status_code, remaining) == (status, 0)
        assert refused.headers["Retry-After"] == str(wait_seconds)
        assert wait_seconds in (2, 3)  # two and a half
        clock.now += wait_seconds
        assert tenant.request("GET", path).status_code == 200


def test_a_wait_is_a_second_at_least(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=8, burst=8)
    assert exhaust(tenant, AIRSHIP).headers["Retry-After"] == "1"


def test_what_is_refused_does_nothing(tenant: Tenant, clock: Clock) -> None:
    pass_id = new_pass(tenant)
    limit_tenant(tenant, per_second=0.01, burst=1)
    assert tenant.request("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": ["first"]}).status_code == 200
    assert tenant.request("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": ["second"]}).status_code == 429
    assert tenant.request("DELETE", f"/v1/pass/{pass_id}").status_code == 429
    clock.now += 100
    assert [tag["name"] for tag in tenant.call("GET", f"/v1/pass/{pass_id}/tags")["tags"]] == ["first"]


def test_a_body_that_cannot_be_read_takes_a_token_and_tells(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.5, burst=3)
    answer = tenant.request("POST", "/v1/template", content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 406
    assert told(answer)[3] == 2
    answer = tenant.request("GET", AIRSHIP, headers={"Api-Revision": "7"})
    assert answer.status_code == 400
    assert told(answer)[3] == 1


def test_both_dialects_and_all_keys_of_a_project_share_its_bucket(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.01, burst=3)
    other = operations.issue_key(project_id=tenant.project_id)
    answers = [
        tenant.request("GET", AIRSHIP),
        tenant.request("GET", PASSWORKS),
        tenant.request("GET", AIRSHIP, auth=(other.key, other.secret)),
        tenant.request("GET", f"{AIRSHIP}?api_key={other.secret}", auth=lambda request: request),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_a_key_with_a_limit_of_its_own_takes_nothing_from_its_project(tenant: Tenant, clock: Clock) -> None:
    own, free = (operations.issue_key(project_id=tenant.project_id) for _ in range(2))
    operations.limit_key(key=own.key, limit=limit_tenant(tenant, per_second=0.01, burst=1))
    operations.limit_key(key=free.key, limit=UNLIMITED)
    get_credential_cache.cache_clear()
    first, second = (tenant.request("GET", AIRSHIP, auth=(own.key, own.secret)) for _ in range(2))

    assert (first.status_code, second.status_code) == (200, 429)
    assert told(first) == ("key", 1, 100, 0, 100)
    assert "the key may make 0.01 requests a second" in second.json()["details"]
    assert tenant.request("GET", AIRSHIP).status_code == 200
    assert tenant.request("GET", AIRSHIP).status_code == 429
    for _ in range(3):
        answer = tenant.request("GET", AIRSHIP, auth=(free.key, free.secret))
        assert answer.status_code == 200
        assert "RateLimit-Policy" not in answer.headers


def test_all_projects_have_the_limit_of_the_settings_but_those_that_say_otherwise(
    tenant: Tenant, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = get_settings()
    monkeypatch.setitem(settings.__dict__, "rate_limit_per_second", 0.5)
    monkeypatch.setitem(settings.__dict__, "rate_limit_burst", 2)
    answer = tenant.request("GET", AIRSHIP)
    assert told(answer) == ("project", 2, 4, 1, 2)

    operations.limit_project(project_id=tenant.project_id, limit=UNLIMITED)
    get_credential_cache.cache_clear()
    assert "RateLimit" not in tenant.request("GET", AIRSHIP).headers


def test_without_a_limit_no_answer_speaks_of_one(tenant: Tenant) -> None:
    for path in (AIRSHIP, PASSWORKS, "/v1/pass/nobody"):
        headers = tenant.request("GET", path).headers
        assert [name for name in headers if name.startswith(("ratelimit", "retry-after", "x-ratelimit"))] == []


def test_who_is_not_let_in_takes_nothing_and_is_told_nothing(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.01, burst=2)
    for _ in range(5):
        answer = tenant.request("GET", AIRSHIP, auth=(tenant.key, "wrong"))
        assert answer.status_code == 401
        assert "RateLimit-Policy" not in answer.headers
    for path in ("/v1/system/status", "/v2/ping"):
        assert "RateLimit-Policy" not in tenant.request("GET", path).headers
    assert told(tenant.request("GET", AIRSHIP))[3] == 1


def test_refusals_are_counted_and_their_line_says_what_they_are(tenant: Tenant, clock: Clock) -> None:
    limit_tenant(tenant, per_second=0.01, burst=1)
    with run_as_lambda() as lines:
        for _ in range(3):
            tenant.request("GET", AIRSHIP)

    assert [(line["status"], line.get("error")) for line in lines.all] == [
        (200, None),
        (429, "RateLimited"),
        (429, "RateLimited"),
    ]
    assert [metric_values(line).get("RequestsLimited") for line in lines.all] == [None, 1, 1]
    assert {line["project_id"] for line in lines.all} == {tenant.project_id}
