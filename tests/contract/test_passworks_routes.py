"""Rules that hold on each route of lists, reports, certificates and templates (passworks-v2, sections 1, 3 and 12)."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest

from tests.contract.campaigns import UNKNOWN_IDS, make_campaign
from tests.contract.raw_http import RawAnswer, basic, send
from tests.support.stack import Stack, Tenant

CAMPAIGN = "/v2/{type}/{campaign}"
PASS = f"{CAMPAIGN}/passes/{{pass}}"

ROUTES: dict[str, tuple[str, ...]] = {
    f"{CAMPAIGN}/registrations": ("GET",),
    f"{PASS}/registrations": ("GET",),
    f"{CAMPAIGN}/redeems": ("GET",),
    f"{PASS}/redeems": ("GET",),
    f"{CAMPAIGN}/reports": ("GET",),
    f"{CAMPAIGN}/reports/totals": ("GET",),
    "/v2/certificates": ("GET",),
    "/v2/certificates/{certificate}": ("GET",),
    "/v2/templates": ("GET", "POST"),
    "/v2/templates/{template}": ("GET", "DELETE"),
}
"""path to methods"""

CALLS = [(method, path) for path, methods in ROUTES.items() for method in methods]
WITHOUT_BODY = [
    (method, path) for method, path in CALLS if method == "GET" and not path.endswith(("{certificate}", "{template}"))
]
OTHER_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
TARGETS = [
    (path, kind) for path in ROUTES for kind in ("type", "campaign", "pass", "certificate") if f"{{{kind}}}" in path
]


@dataclass(frozen=True)
class Names:
    """What the paths of one account may name."""

    tenant: Tenant
    values: dict[str, str]

    def fill(self, path: str, **instead: str) -> str:
        """A path with names for its parameters."""
        return path.format(**(self.values | instead))


@pytest.fixture(scope="module")
def names(stack: Stack) -> Names:
    """An account with a campaign and a pass."""
    tenant = stack.tenant()
    campaign = make_campaign(tenant)
    values = {
        "type": "coupons",
        "campaign": campaign.template.campaign_id,
        "pass": campaign.add_pass().serial_number,
        "certificate": UNKNOWN_IDS[0],
        "template": UNKNOWN_IDS[0],
    }
    return Names(tenant, values)


def check_refusal(answer: RawAnswer | httpx.Response, status: int, error_code: int) -> None:
    """Asserts the common error body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert list(body) == ["status_code", "error_code", "message", "errors"]
    assert (body["status_code"], body["error_code"]) == (status, error_code)
    assert type(body["errors"]) is dict


def test_each_of_these_routes_is_one_of_the_app(stack: Stack) -> None:
    from app import app

    kinds = {"type": "campaign_type", "campaign": "campaign_id", "pass": "pass_id"}
    kinds |= {"certificate": "certificate_id", "template": "template_id"}
    for path, methods in ROUTES.items():
        route = path.format(**{kind: f"{{{name}}}" for kind, name in kinds.items()})
        assert set(methods) <= set(app.routes[route]), route


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("authorization", [None, "Basic bm9ib2R5Om5vdGhpbmc=", "Bearer abc"])
def test_without_right_credentials_it_is_401(names: Names, method: str, path: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}

    answer = send(names.tenant, method, names.fill(path), headers=headers)

    check_refusal(answer, 401, 10001)
    assert answer.headers["www-authenticate"] == 'Basic realm="Passworks"'


@pytest.mark.parametrize(("method", "path"), WITHOUT_BODY)
@pytest.mark.parametrize("slash", ["", "/"])
def test_it_answers_200_with_and_without_a_trailing_slash(names: Names, method: str, path: str, slash: str) -> None:
    headers = {"Authorization": basic(names.tenant), "Content-Type": "application/json"}

    answer = send(names.tenant, method, names.fill(path) + slash, headers=headers)

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_another_method_is_405(names: Names, path: str, slash: str) -> None:
    headers = {"Authorization": basic(names.tenant)}
    for method in OTHER_METHODS:
        if method not in ROUTES[path]:
            check_refusal(send(names.tenant, method, names.fill(path) + slash, headers=headers), 405, 10005)


@pytest.mark.parametrize(("path", "kind"), TARGETS)
@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_name_is_404(names: Names, path: str, kind: str, unknown: str) -> None:
    answer = names.tenant.request("GET", names.fill(path, **{kind: unknown}))

    check_refusal(answer, 404, 10004)


@pytest.mark.parametrize("path", [path for path in ROUTES if "{type}" in path])
def test_a_stranger_finds_nothing(names: Names, stack: Stack, path: str) -> None:
    check_refusal(stack.tenant().request("GET", names.fill(path)), 404, 10004)


@pytest.mark.parametrize(("path", "kind"), [(path, kind) for path, kind in TARGETS if kind != "certificate"])
def test_a_name_is_percent_decoded_once(names: Names, path: str, kind: str) -> None:
    encoded = "".join(f"%{ord(character):02X}" for character in names.values[kind])
    headers = {"Authorization": basic(names.tenant)}

    once = send(names.tenant, "GET", names.fill(path, **{kind: encoded}), headers=headers)
    twice = send(names.tenant, "GET", names.fill(path, **{kind: encoded.replace("%", "%25")}), headers=headers)

    assert once.status_code == 200
    check_refusal(twice, 404, 10004)
