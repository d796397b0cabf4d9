"""What one project may learn of another: nothing, on any route, not even that a name of it exists."""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from chalicelib.domain.projects import hash_secret
from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import add_image, create_campaign, create_pass, post_campaign
from tests.contract.cards import look
from tests.contract.every_route import CALLS, NEW, WALLET_ROUTES, Project, fill_in, furnish, perform, routes_of_the_app
from tests.contract.expectations import check_no_fault
from tests.contract.raw_http import RawAnswer, basic, send
from tests.support.stack import Stack, Tenant

OPEN_TO_ALL = {
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/{version}/{asset}",
    "GET /v2/ping",
    "GET /p/{distribution}",
    "GET /p/{distribution}/{code}",
    "GET /uploads/asset/{asset_id}/{file_name}",
}
"""beside those under `/v1`; whoever has the address may look"""

CAMPAIGN_TYPE = "coupons"
V2_IDS = ("campaign_id", "pass_id", "asset_id", "template_id", "certificate_id", "redeem_code")
V2_BODY = {ROOTS[CAMPAIGN_TYPE]: {"redeem_code": "00000002"}, "pass": {}, "template": {}, "push_message": "hello"}
"""that no route of `/v2` would refuse for itself"""

MISSING_NUMBERS = {"project": "9007199254740991"}
VARYING_HEADERS = ("date", "content-length")

_serials = itertools.count(1)


def routes_of_passworks() -> list[str]:
    """`GET /v2/{campaign_type}` and so on."""
    from app import app

    paths = {path: methods for path, methods in app.routes.items() if path.startswith("/v2/")}
    return sorted(f"{method} {path}" for path, methods in paths.items() for method in methods)


def parameters_of(path: str) -> list[str]:
    return re.findall(r"{([^}]*)}", path)


@dataclass(frozen=True)
class Account:
    """A project with one of everything that a path of `/v2` can name, by the names of the parameters."""

    tenant: Tenant
    names: Mapping[str, str]


def furnish_account(tenant: Tenant, *, passes: int) -> Account:
    """Redeem codes are counted in a campaign, so that the last one differs where the number of passes does."""
    campaign = create_campaign(tenant)
    pass_ = [create_pass(tenant, campaign) for _ in range(passes)][-1]
    names = {
        "campaign_type": CAMPAIGN_TYPE,
        "campaign_id": campaign["id"],
        "pass_id": pass_["id"],
        "redeem_code": pass_["redeem_code"],
        "asset_id": add_image(tenant),
        "template_id": campaign["template_id"],
        "certificate_id": str(uuid.uuid4()),
    }
    return Account(tenant, names)


@pytest.fixture(scope="module")
def own(stack: Stack) -> Account:
    return furnish_account(stack.tenant(), passes=1)


@pytest.fixture(scope="module")
def foreign(stack: Stack) -> Account:
    return furnish_account(stack.tenant(), passes=2)


@pytest.fixture(scope="module")
def pair(stack: Stack) -> tuple[Project, Project]:
    """Two projects of the other dialect."""
    return furnish(stack.tenant()), furnish(stack.tenant())


def missing_uuid(like: str) -> Iterator[str]:
    """Ids of nothing: one with another number in it, and one with the number of what is there but else random."""
    yield str(uuid.uuid4())[:24] + "0000003b9aca"
    yield str(uuid.uuid4())[:24] + like[24:]


def missing_name(kind: str, like: str) -> Iterator[str]:
    """Names of nothing that look like that one."""
    if like.isdigit():
        yield str(int(like) + 10**12)
    elif kind == "redeem_code":
        yield "00099999"
    elif re.fullmatch(r"[0-9a-f-]{36}", like):
        yield from missing_uuid(like)
    else:
        yield f"{like.rpartition('%20')[0]}%20{10**6 + next(_serials)}"


Description = tuple[int, str, tuple[tuple[str, str], ...]]


def describe(answer: httpx.Response | RawAnswer, *names: str) -> Description:
    """An answer without the names that were asked for, and without what differs from one moment to the next."""
    text = answer.text
    if answer.headers.get("content-type", "").startswith("application/json") and text:
        text = json.dumps(_leave_out(answer.json(), [name.replace("%20", " ") for name in names]))
    headers = sorted(item for item in answer.headers.items() if item[0].lower() not in VARYING_HEADERS)
    return answer.status_code, text, tuple(headers)


def _leave_out(document: Any, names: list[str]) -> Any:
    """The document with three dots for the names in its texts; a number of another one's stays."""
    if isinstance(document, dict):
        return {key: _leave_out(value, names) for key, value in document.items()}
    if isinstance(document, list):
        return [_leave_out(each, names) for each in document]
    if not isinstance(document, str):
        return document
    for name in names:
        document = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "...", document)
    return document


def call(account: Account, route: str, **instead: str) -> httpx.Response:
    method, path = route.split(" ")
    names = {**account.names, **instead}
    target = path.format(**{kind: names[kind] for kind in parameters_of(path)})
    body = None if method == "GET" else V2_BODY
    return account.tenant.request(method, target, json=body)


def test_every_route_of_the_app_is_looked_at_here(stack: Stack) -> None:
    """A route with a parameter of a new name has to say what stands behind it."""
    from app import app

    everything = {f"{method} {path}" for path, methods in app.routes.items() for method in methods}
    rest = everything - {route for route in everything if " /v1/" in route} - set(routes_of_passworks())
    assert rest | {"GET /v2/ping"} == OPEN_TO_ALL
    assert routes_of_the_app() == set(CALLS) | WALLET_ROUTES
    named = {name for route in routes_of_passworks() for name in parameters_of(route)}
    assert named == {"campaign_type", *V2_IDS}


def test_the_name_of_another_project_is_answered_as_one_of_nothing(stack: Stack, pair: tuple[Project, Project]) -> None:
    """Airship's dialect: each parameter in turn, and all of them."""
    project, stranger = pair
    before = [look(stack, each.tenant) for each in pair]
    faults: dict[str, str | None] = {}
    for route, known in CALLS.items():
        kinds = sorted(set(known.kinds) - NEW)
        for chosen in [[kind] for kind in kinds] + ([kinds] if len(kinds) > 1 else []):
            theirs = {kind: stranger.names[kind] for kind in chosen}
            nothing = {
                kind: MISSING_NUMBERS.get(kind) or next(missing_name(kind, name)) for kind, name in theirs.items()
            }
            seen = [
                describe(perform(project.tenant, route, fill_in(route, project.names, **names)), *names.values())
                for names in (theirs, nothing)
            ]
            if seen[0] != seen[1] or seen[0][0] != 404:
                faults[f"{route}, {chosen}"] = f"{seen[0]} where nothing is {seen[1]}"
    check_no_fault(faults)
    assert [look(stack, each.tenant) for each in pair] == before


@pytest.mark.parametrize("route", [route for route in routes_of_passworks() if set(parameters_of(route)) & set(V2_IDS)])
def test_an_id_of_another_account_is_answered_as_one_of_nothing(
    stack: Stack, own: Account, foreign: Account, route: str
) -> None:
    """Passworks' dialect: each parameter in turn, and all of them."""
    before = [look(stack, each.tenant) for each in (own, foreign)]
    kinds = [kind for kind in parameters_of(route) if kind in V2_IDS]
    for chosen in [[kind] for kind in kinds] + ([kinds] if len(kinds) > 1 else []):
        theirs = {kind: foreign.names[kind] for kind in chosen}
        answer = call(own, route, **theirs)
        assert answer.status_code in (404, 412 if route.startswith("DELETE ") else 404), (chosen, answer.text)
        for nothing in zip(*(missing_name(kind, name) for kind, name in theirs.items()), strict=False):
            names = dict(zip(chosen, nothing, strict=True))
            assert describe(answer, *theirs.values()) == describe(call(own, route, **names), *nothing)
    assert [look(stack, each.tenant) for each in (own, foreign)] == before


@pytest.mark.parametrize("route", [route for route in routes_of_passworks() if set(parameters_of(route)) & set(V2_IDS)])
def test_the_right_number_in_an_id_is_not_enough(stack: Stack, own: Account, route: str) -> None:
    """An id carries the number of its row, and everything else of it is random: nobody finds a row by counting."""
    before = look(stack, own.tenant)
    for kind in set(parameters_of(route)) & set(V2_IDS) - {"redeem_code", "certificate_id"}:
        guesses = [next(itertools.islice(missing_uuid(own.names[kind]), 1, None)), own.names[kind].upper()]
        for guess in guesses:
            answer = call(own, route, **{kind: guess})
            assert answer.status_code in (404, 412 if route.startswith("DELETE ") else 404), (kind, answer.text)
    assert look(stack, own.tenant) == before


def test_a_pass_is_found_in_its_own_campaign_alone(stack: Stack, own: Account) -> None:
    other = create_campaign(own.tenant, name="Another campaign")
    for route in routes_of_passworks():
        if "{pass_id}" in route:
            answer = call(own, route, campaign_id=str(other["id"]))
            assert answer.status_code in (404, 412 if route.startswith("DELETE ") else 404), (route, answer.text)


def test_routes_that_name_nothing_show_nothing_of_another_account(own: Account, foreign: Account) -> None:
    secret = [foreign.names[kind] for kind in V2_IDS if kind != "redeem_code"]
    for route in routes_of_passworks():
        if route.startswith("GET ") and not set(parameters_of(route)) & set(V2_IDS):
            answer = call(own, route)
            assert answer.status_code == 200, route
            assert not [name for name in secret if name in answer.text], route


IMAGES = ("icon_id", "logo_id", "strip_id", "thumbnail_id", "background_id", "footer_id")
REFERENCES: dict[str, str] = {"template_id": "template_id", "certificate_id": "certificate_id"} | dict.fromkeys(
    IMAGES, "asset_id"
)
"""members of a campaign's body, and what they name"""


@pytest.mark.parametrize("member", REFERENCES)
def test_a_campaign_cannot_refer_to_what_is_another_accounts(own: Account, foreign: Account, member: str) -> None:
    kind = REFERENCES[member]
    theirs = foreign.names[kind]
    nothing = next(missing_uuid(theirs))
    icon = {} if member in ("icon_id", "template_id") else {"icon_id": own.names["asset_id"]}
    path = f"/v2/{CAMPAIGN_TYPE}/{own.names['campaign_id']}"

    for name in (theirs, nothing):
        created = post_campaign(own.tenant, name=f"A coupon {name}", **icon, **{member: name})
        changed = own.tenant.request("PATCH", path, json={ROOTS[CAMPAIGN_TYPE]: {member: name}})
        assert [answer.status_code for answer in (created, changed)] == [422, 422], (created.text, changed.text)
        assert list(created.json()["errors"]) == list(changed.json()["errors"]) == [member]


def test_a_look_cannot_show_what_is_another_accounts(own: Account, foreign: Account) -> None:
    body = {"name": "A look", "pass_type": "coupon", "icon_id": own.names["asset_id"]}
    for member in ("icon_id", "logo_id", "strip_id"):
        answer = own.tenant.request(
            "POST", "/v2/templates", json={"template": body | {member: foreign.names["asset_id"]}}
        )
        assert (answer.status_code, list(answer.json()["errors"])) == (422, [member]), answer.text


def test_a_filter_finds_nothing_of_another_account(own: Account, foreign: Account) -> None:
    campaign = f"/v2/{CAMPAIGN_TYPE}/{own.names['campaign_id']}"
    for target in (f"/v2/{CAMPAIGN_TYPE}", f"{campaign}/passes", f"{campaign}/registrations", f"{campaign}/redeems"):
        for attribute, kind in (("id", "campaign_id"), ("id", "pass_id"), ("pass_id", "pass_id")):
            answer = own.tenant.request("GET", f"{target}?q[{attribute}_eq]={foreign.names[kind]}")
            assert answer.status_code in (200, 422), answer.text
            assert answer.status_code == 422 or answer.json() == []


def refused_keys(stack: Stack, tenant: Tenant) -> dict[str, str]:
    """Credentials that open nothing, as Authorization headers, by what is wrong with them."""
    from chalicelib import operations

    other, revoked = stack.tenant(), stack.tenant()
    operations.revoke_key(key=revoked.key)
    wrong = "A" * len(tenant.secret)

    def header(key: str, secret: str) -> str:
        return basic(replace(tenant, key=key, secret=secret))

    return {
        "unknown key": header("0" * len(tenant.key), wrong),
        "wrong secret": header(tenant.key, wrong),
        "another project's secret": header(tenant.key, other.secret),
        "a revoked key": header(revoked.key, revoked.secret),
        "a revoked key and a wrong secret": header(revoked.key, wrong),
        "the secret as the key": header(tenant.secret, tenant.secret),
        "the hash of the secret": header(tenant.key, hash_secret(tenant.secret)),
    }


@pytest.mark.parametrize("path", ["/v1/tag", "/v2/coupons", "/v1/pass/1/download"])
def test_what_is_wrong_with_credentials_is_not_told(stack: Stack, path: str) -> None:
    tenant = stack.tenant()
    answers = {
        name: describe(send(tenant, "GET", path, headers={"Authorization": header}))
        for name, header in refused_keys(stack, tenant).items()
    }
    assert {status for status, _, _ in answers.values()} == {401}
    assert len(set(answers.values())) == 1, answers


def test_a_secret_alone_opens_its_own_project_and_no_hash_of_it_does(stack: Stack) -> None:
    """`api_key` in an address: what is stored of a secret is of no use to whoever reads the table."""
    tenant = stack.tenant()
    furnish(tenant)
    opened = send(tenant, "GET", f"/v1/tag?api_key={tenant.secret}")
    assert opened.json()["count"] == 1
    for stored in (hash_secret(tenant.secret), tenant.key):
        assert send(tenant, "GET", f"/v1/tag?api_key={stored}").status_code == 401


def stored_texts(stack: Stack, table: str) -> str:
    """Everything that a table holds, as text."""
    from chalicelib.settings import get_settings

    pages: Any = stack.dynamodb.get_paginator("scan").paginate(TableName=get_settings().table_name(table))
    return "\n".join(str(item) for page in pages for item in page["Items"])


def test_no_table_holds_the_secret_of_a_key(stack: Stack) -> None:
    tenant = stack.tenant()
    stored = stored_texts(stack, "credentials")
    assert tenant.key in stored
    assert tenant.secret not in stored


def test_these_names_do_open_what_is_their_own(own: Account, foreign: Account) -> None:
    """Without which the tests above would be worth nothing."""
    for account in (own, foreign):
        for route in routes_of_passworks():
            if route.startswith("GET ") and "certificate_id" not in route:
                assert call(account, route).status_code == 200, route
