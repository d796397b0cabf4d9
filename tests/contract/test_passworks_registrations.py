"""Lists of registrations, as the seed and passworks-v2 (sections 2, 4, 5 and 12) describe them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.passes import Pass
from chalicelib.domain.registrations import Wallet
from tests.contract.campaigns import TYPES, UNKNOWN_IDS, Campaign, make_campaign, walk
from tests.contract.expectations import MILLISECONDS, UUID
from tests.contract.raw_http import RawAnswer, basic, send
from tests.support.stack import Stack, Tenant

KEYS = ["id", "pass_id", "wallet", "device_os", "created_at"]

EXAMPLE = json.loads(
    """[
  {"id":"ed2951b4-1127-4a96-a2b1-8a73adb4b2db","pass_id":"first","wallet":"passbook","device_os":"ios",
   "created_at":"2016-11-09T11:09:00.745Z"},
  {"id":"01ff7401-ba48-4bc4-90ab-714dac0971fd","pass_id":"second","wallet":"passbook","device_os":"ios",
   "created_at":"2016-11-09T11:11:29.498Z"},
  {"id":"fe9c5b7a-fd1e-49fd-8467-cd010c28b481","pass_id":"second","wallet":"wallet_passes","device_os":"android",
   "created_at":"2016-11-09T14:29:11.651Z"}
]"""
)
"""the documented answer; only pass ids are the server's own"""

MOMENT = datetime(2016, 11, 9, 12, tzinfo=UTC)


def install_example(campaign: Campaign) -> tuple[Pass, Pass, list[dict[str, Any]]]:
    """Both passes of the example, and what the campaign must list from then on."""
    passes = {"first": campaign.add_pass(), "second": campaign.add_pass()}
    for number, row in enumerate(EXAMPLE):
        campaign.install(
            passes[row["pass_id"]],
            f"device {number}",
            wallet=Wallet(row["wallet"]),
            now=datetime.fromisoformat(row["created_at"]),
            registration_id=row["id"],
        )
    rows = [row | {"pass_id": passes[row["pass_id"]].serial_number} for row in EXAMPLE]
    return passes["first"], passes["second"], rows


def get(tenant: Tenant, target: str) -> RawAnswer:
    answer = send(tenant, "GET", target, headers={"Authorization": basic(tenant)})
    assert answer.status_code == 200, answer.text
    return answer


def paging_of(answer: RawAnswer) -> dict[str, str]:
    """The paging headers in the letter case in which they came."""
    found = {name.decode(): value.decode() for name, value in answer.headers.raw}
    return {name: value for name, value in found.items() if name.lower().startswith("x-")}


def test_a_campaign_lists_the_three_rows_of_the_documented_example(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    *_, rows = install_example(campaign)

    answer = get(tenant, f"{campaign.path}/registrations")

    assert answer.json() == rows
    assert [list(row) for row in answer.json()] == [KEYS] * 3
    assert answer.headers["content-type"] == "application/json"
    assert paging_of(answer) == {
        "X-Total": "3",
        "X-Total-Pages": "1",
        "X-Page": "1",
        "X-Per-Page": "25",
        "X-Offset": "0",
    }


def test_a_pass_lists_its_own_rows_of_the_documented_example(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    first, second, rows = install_example(campaign)

    assert get(tenant, f"{campaign.pass_path(first)}/registrations").json() == rows[:1]
    answer = get(tenant, f"{campaign.pass_path(second)}/registrations")
    assert answer.json() == rows[1:]
    assert paging_of(answer)["X-Total"] == "2"


def test_what_the_server_makes_itself_has_the_documented_form(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()
    # a whole second, which must show its three zeros
    campaign.install(pass_, "phone", now=MOMENT)

    (row,) = tenant.call("GET", f"{campaign.path}/registrations")

    assert UUID.fullmatch(row["id"])
    assert row["pass_id"] == pass_.serial_number
    assert MILLISECONDS.fullmatch(row["created_at"])
    assert row["created_at"] == "2016-11-09T12:00:00.000Z"


@pytest.mark.parametrize("wallet", Wallet)
def test_each_wallet_shows_its_id_and_system(tenant: Tenant, wallet: Wallet) -> None:
    campaign = make_campaign(tenant)
    campaign.install(campaign.add_pass(), "phone", wallet=wallet)

    (row,) = tenant.call("GET", f"{campaign.path}/registrations")

    system = "ios" if wallet == "passbook" else "android"
    assert (row["wallet"], row["device_os"]) == (wallet.value, system)


def test_no_installations_are_an_empty_array_with_headers(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()

    for path in (campaign.path, campaign.pass_path(pass_)):
        answer = get(tenant, f"{path}/registrations")
        assert answer.json() == []
        assert paging_of(answer) == {
            "X-Total": "0",
            "X-Total-Pages": "0",
            "X-Page": "1",
            "X-Per-Page": "25",
            "X-Offset": "0",
        }


def test_a_removed_row_is_gone_and_a_new_installation_is_a_new_row(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()
    campaign.install(pass_, "phone")
    campaign.install(pass_, "tablet")
    phone, tablet = tenant.call("GET", f"{campaign.path}/registrations")

    campaign.remove(pass_, "phone")
    assert tenant.call("GET", f"{campaign.path}/registrations") == [tablet]

    campaign.install(pass_, "phone")
    kept, again = tenant.call("GET", f"{campaign.path}/registrations")
    assert kept == tablet
    assert again["id"] != phone["id"]
    assert tenant.call("GET", f"{campaign.pass_path(pass_)}/registrations") == [tablet, again]


@pytest.mark.parametrize("campaign_type", TYPES)
def test_every_type_has_both_lists_and_only_its_own(tenant: Tenant, campaign_type: str) -> None:
    campaign = make_campaign(tenant, campaign_type)
    first, _, rows = install_example(campaign)
    campaign_id = campaign.template.campaign_id

    for suffix in ("registrations", f"passes/{first.serial_number}/registrations"):
        assert get(tenant, f"{campaign.path}/{suffix}").json() == rows[: 3 if suffix == "registrations" else 1]
        for other in (*TYPES, "event_tickers", "coupon", "templates", "Coupons"):
            answer = tenant.request("GET", f"/v2/{other}/{campaign_id}/{suffix}")
            is_own = other == campaign_type or (other, campaign_type) == ("event_tickers", "event_tickets")
            assert answer.status_code == (200 if is_own else 404), other


def test_nothing_of_another_account_is_found(tenant: Tenant, stack: Stack) -> None:
    campaign = make_campaign(tenant)
    first, _, rows = install_example(campaign)
    stranger = stack.tenant()
    own = make_campaign(stranger)

    for path in (campaign.path, campaign.pass_path(first), f"{own.path}/passes/{first.serial_number}"):
        answer = stranger.request("GET", f"{path}/registrations")
        assert (answer.status_code, answer.json()["error_code"]) == (404, 10004)
    assert tenant.call("GET", f"{campaign.path}/registrations") == rows


def test_a_pass_of_another_campaign_is_404(tenant: Tenant) -> None:
    campaign, other = make_campaign(tenant), make_campaign(tenant)
    pass_ = other.add_pass()

    answer = tenant.request("GET", f"{campaign.path}/passes/{pass_.serial_number}/registrations")

    assert answer.status_code == 404
    assert answer.json() == {
        "status_code": 404,
        "error_code": 10004,
        "message": "Pass not found.",
        "errors": {"pass": "Pass not found."},
    }


@pytest.mark.parametrize("unknown", UNKNOWN_IDS)
def test_an_unknown_campaign_or_pass_is_404(tenant: Tenant, unknown: str) -> None:
    campaign = make_campaign(tenant)

    for path in (f"/v2/coupons/{unknown}", f"{campaign.path}/passes/{unknown}"):
        assert tenant.request("GET", f"{path}/registrations").status_code == 404


def test_an_id_in_capitals_is_another(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)

    path = f"/v2/coupons/{campaign.template.campaign_id.upper()}/registrations"
    assert tenant.request("GET", path).status_code == 404


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q[wallet_eq]=passbook", [0, 1]),
        ("q[wallet_not_eq]=passbook", [2]),
        ("q[wallet_eq]=foo", []),
        ("q[wallet_eq]=Passbook", []),
        ("q[wallet_cont]=PASS", [0, 1, 2]),
        ("q[wallet_matches]=wallet%25", [2]),
        ("q[wallet_match]=pass_ook", [0, 1]),
        ("q[device_os_eq]=android", [2]),
        ("q[device_os_eq]=ios&q[wallet_eq]=wallet_passes", []),
        ("q[created_at_gteq]=2016-11-09T11:10:00Z", [1, 2]),
        ("q[created_at_gteq]=2016-11-09T11:11:29.498Z", [1, 2]),
        ("q[created_at_gt]=2016-11-09T11:11:29.498Z", [2]),
        ("q[created_at_lt]=2016-11-09T11:11:29.498Z", [0]),
        ("q[created_at_lteq]=2016-11-09T12:11:29.498%2B01:00", [0, 1]),
        ("q[created_at_eq]=2016-11-09T14:29:11.651Z", [2]),
        ("q[created_at_gteq]=2016-11-09", [0, 1, 2]),
        ("q[created_at_lt]=2016-11-09", []),
        ("q[created_at_gteq]=2016-11-09T11:10:00Z&q[created_at_lt]=2016-11-09T12:00:00Z", [1]),
        ("q[id_eq]=01ff7401-ba48-4bc4-90ab-714dac0971fd", [1]),
        ("q[id_eq]=nothing", []),
        ("q[id_lt]=ed", [1]),
        ("q[id_not_eq]=01ff7401-ba48-4bc4-90ab-714dac0971fd&q[id_not_eq]=fe9c5b7a-fd1e-49fd-8467-cd010c28b481", [0]),
        ("q[pass_id_eq]=nothing", []),
        ("q[wallet_eq]=passbook&q[created_at_gteq]=2016-11-09T11:10:00Z&q[s]=created_at+desc", [1]),
        ("q%5Bwallet_eq%5D=passbook&q%5Bs%5D=created_at%20desc", [1, 0]),
        ("q[s]=created_at+desc", [2, 1, 0]),
        ("q[s]=created_at+asc", [0, 1, 2]),
        ("q[s]=created_at", [0, 1, 2]),
        ("q[s]=wallet+desc", [2, 0, 1]),
        ("q[s]=device_os+asc", [2, 0, 1]),
        ("q[s]=id+asc", [1, 0, 2]),
        ("per_page=1&q[wallet_eq]=passbook&page=2&q[s]=created_at+desc", [0]),
        ("offset=1", [1, 2]),
        ("offset=1&q[s]=created_at+desc", [1, 0]),
        ("offset=9", []),
        ("page=2&per_page=2", [2]),
        ("page=2&per_page=1&offset=1", [2]),
        ("page=99", []),
        ("page=0&per_page=0", [0]),
        ("page=x&per_page=x&offset=-1", [0, 1, 2]),
    ],
)
def test_a_query_filters_orders_and_cuts(tenant: Tenant, query: str, shown: list[int]) -> None:
    campaign = make_campaign(tenant)
    *_, rows = install_example(campaign)

    assert get(tenant, f"{campaign.path}/registrations?{query}").json() == [rows[number] for number in shown]
    assert get(tenant, f"{campaign.path}/registrations/?{query}").json() == [rows[number] for number in shown]


def test_filters_by_pass_id_find_the_rows_of_that_pass(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    first, second, rows = install_example(campaign)
    target = f"{campaign.path}/registrations?q[pass_id_"

    assert get(tenant, f"{target}eq]={second.serial_number}").json() == rows[1:]
    assert get(tenant, f"{target}eq]={second.serial_number}&q[wallet_eq]=passbook").json() == rows[1:2]
    assert get(tenant, f"{target}eq]={first.serial_number}&q[pass_id_eq]={second.serial_number}").json() == []
    assert get(tenant, f"{target}not_eq]={second.serial_number}").json() == rows[:1]
    own = f"{campaign.pass_path(second)}/registrations?q[pass_id_eq]="
    assert get(tenant, own + second.serial_number).json() == rows[1:]
    assert get(tenant, own + first.serial_number).json() == []


def test_the_list_of_a_pass_is_filtered_and_ordered_too(tenant: Tenant) -> None:
    campaign = make_campaign(tenant)
    _, second, rows = install_example(campaign)
    target = f"{campaign.pass_path(second)}/registrations"

    assert get(tenant, f"{target}?q[s]=created_at+desc").json() == rows[:0:-1]
    assert get(tenant, f"{target}?q[wallet_eq]=passbook").json() == rows[1:2]
    answer = get(tenant, f"{target}?per_page=1&page=2")
    assert answer.json() == rows[2:]
    assert paging_of(answer) == {
        "X-Total": "2",
        "X-Total-Pages": "2",
        "X-Page": "2",
        "X-Per-Page": "1",
        "X-Prev-Page": "1",
        "X-Offset": "0",
    }


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            "q[walet_eq]=passbook",
            "Unknown filter 'walet_eq'. Attributes: id, pass_id, wallet, device_os, created_at. "
            "Predicates: eq, not_eq, matches, cont, lt, lteq, gt, gteq.",
        ),
        ("q[wallet_is]=passbook", "Unknown filter 'wallet_is'. "),
        ("q[wallet]=passbook", "Unknown filter 'wallet'. "),
        ("q[push_token_eq]=1", "Unknown filter 'push_token_eq'. "),
        ("q[s]=walet+desc", "Unknown order 'walet desc'. "),
        ("q[s]=wallet+down", "Unknown order 'wallet down'. "),
        ("q[created_at_lt]=yesterday", "The value of 'created_at_lt' is no time. "),
    ],
)
def test_a_query_that_cannot_be_understood_is_422(tenant: Tenant, query: str, message: str) -> None:
    campaign = make_campaign(tenant)
    pass_ = campaign.add_pass()

    for path in (campaign.path, campaign.pass_path(pass_)):
        answer = tenant.request("GET", f"{path}/registrations?{query}")
        assert answer.status_code == 422
        body = answer.json()
        assert (body["status_code"], body["error_code"]) == (422, 10101)
        assert body["message"] == message if message.endswith("gteq.") else body["message"].startswith(message)
        assert body["errors"] == {"q": message.partition(". ")[0]}


@pytest.fixture(scope="module")
def crowd(stack: Stack) -> Campaign:
    """A campaign with 130 registrations on three passes; each tenth is Android's."""
    campaign = make_campaign(stack.tenant())
    passes = [campaign.add_pass() for _ in range(3)]
    for number in range(130):
        campaign.install(
            passes[number % 3],
            f"device {number}",
            wallet=Wallet.PASS2U if number % 10 == 0 else Wallet.PASSBOOK,
            now=MOMENT + timedelta(milliseconds=number),
        )
    return campaign


@pytest.mark.parametrize(
    ("query", "sizes"),
    [
        ("", [25, 25, 25, 25, 25, 5]),
        ("?per_page=50", [50, 50, 30]),
        ("?per_page=51", [50, 50, 30]),
        ("?per_page=1000&q[s]=created_at+desc", [50, 50, 30]),
        ("?per_page=40&offset=20", [40, 40, 30]),
        ("?per_page=50&offset=30", [50, 50]),
        ("?per_page=50&q[device_os_eq]=ios", [50, 50, 17]),
        ("?per_page=50&q[s]=id+asc", [50, 50, 30]),
        ("?per_page=50&q[created_at_gteq]=2016-11-09T12:00:00.010Z", [50, 50, 20]),
        ("?per_page=5&q[wallet_eq]=pass2u", [5, 5, 3]),
    ],
)
def test_walking_by_the_next_page_sees_every_row_once(crowd: Campaign, query: str, sizes: list[int]) -> None:
    pages = list(walk(crowd.tenant, f"{crowd.path}/registrations{query}"))

    assert [len(page) for page in pages] == sizes
    ids = [row["id"] for page in pages for row in page]
    assert len(set(ids)) == sum(sizes)


def test_a_walk_is_in_order_of_creation(crowd: Campaign) -> None:
    times = [row["created_at"] for page in walk(crowd.tenant, f"{crowd.path}/registrations") for row in page]
    newest_first = f"{crowd.path}/registrations?q[s]=created_at+desc"

    assert times == [f"2016-11-09T12:00:00.{number:03d}Z" for number in range(130)]
    assert [row["created_at"] for page in walk(crowd.tenant, newest_first) for row in page] == times[::-1]


def test_the_headers_of_a_middle_page_are_exact(crowd: Campaign) -> None:
    answer = get(crowd.tenant, f"{crowd.path}/registrations?page=2&per_page=51&offset=1")

    assert paging_of(answer) == {
        "X-Total": "130",
        "X-Total-Pages": "3",
        "X-Page": "2",
        "X-Per-Page": "50",
        "X-Next-Page": "3",
        "X-Prev-Page": "1",
        "X-Offset": "1",
    }


@pytest.mark.parametrize(("query", "previous"), [("page=3&per_page=50", "2"), ("page=4&per_page=50", "3")])
def test_there_is_no_next_page_on_the_last_one_and_past_it(crowd: Campaign, query: str, previous: str) -> None:
    found = paging_of(get(crowd.tenant, f"{crowd.path}/registrations?{query}"))

    assert "X-Next-Page" not in found
    assert (found["X-Prev-Page"], found["X-Total"], found["X-Total-Pages"]) == (previous, "130", "3")


def test_the_total_is_that_of_the_filtered_rows(crowd: Campaign) -> None:
    for query, total in (("wallet_eq]=pass2u", "13"), ("wallet_eq]=foo", "0"), ("created_at_lt]=2016-11-10", "130")):
        answer = get(crowd.tenant, f"{crowd.path}/registrations?per_page=1&q[{query}")
        assert paging_of(answer)["X-Total"] == total


@pytest.mark.parametrize("query", ["", "?page=3&per_page=50", "?q[wallet_eq]=pass2u", "?q[s]=created_at+desc"])
def test_a_page_costs_three_calls_and_one_for_each_segment(crowd: Campaign, stack: Stack, query: str) -> None:
    get(crowd.tenant, f"{crowd.path}/registrations")

    with stack.count_calls() as calls:
        get(crowd.tenant, f"{crowd.path}/registrations{query}")

    assert calls.total <= 4
