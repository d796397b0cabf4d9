"""Redeeming passes, and making them redeemable again (passworks-v2, sections 8 and 12)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from chalicelib.domain import redeeming
from chalicelib.domain.passes import parse_moment
from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.contract.campaigns import (
    TYPES,
    check_refusal,
    create_campaign,
    create_pass,
    open_pass,
    pass_path,
    path_of,
    stored_pass,
    stored_template,
)
from tests.contract.raw_http import basic, send
from tests.support.rivals import run_together, with_rival
from tests.support.stack import Stack, Tenant

WRITERS = 16


def redeems(tenant: Tenant, campaign: dict[str, Any]) -> list[tuple[str, str, str | None]]:
    rows = tenant.call("GET", f"{path_of(campaign)}/redeems?per_page=50")
    return [(row["pass_id"], row["redeem_code"], row["comment"]) for row in rows]


def redeem_count(tenant: Tenant, campaign: dict[str, Any]) -> int:
    shown = tenant.call("GET", path_of(campaign))["redeem_count"]
    assert tenant.call("GET", f"/v2/{campaign['campaign_type']}")[0]["redeem_count"] == shown
    return int(shown)


@pytest.mark.parametrize("campaign_type", TYPES)
def test_a_redeemed_pass_is_voided_counted_and_listed(tenant: Tenant, campaign_type: str) -> None:
    campaign = create_campaign(tenant, campaign_type)
    pass_, other = create_pass(tenant, campaign), create_pass(tenant, campaign)
    before = stored_pass(tenant, pass_)

    redeemed = tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem", json={"pass": {"comment": "at the till"}})

    assert (redeemed["voided"], redeemed["redeemed_count"], redeemed["redeem_code"]) == (True, 1, "00000001")
    moment = parse_moment(redeemed["redeemed_at"])
    assert moment is not None
    assert abs(datetime.now(UTC) - moment) < timedelta(minutes=1)
    assert tenant.call("GET", pass_path(campaign, pass_)) == redeemed
    assert tenant.call("GET", pass_path(campaign, other)) == other
    assert redeems(tenant, campaign) == [(pass_["id"], "00000001", "at the till")]
    assert redeem_count(tenant, campaign) == 1
    after = stored_pass(tenant, pass_)
    assert (after.version, after.last_modified > before.last_modified) == (2, True)


@pytest.mark.parametrize(
    "body", [None, "", "{}", "null", "[]", '{"pass":{}}', '{"pass":[]}', '{"pass":{"comment":null}}']
)
def test_a_redeem_by_pass_needs_no_body(tenant: Tenant, body: str | None) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    answer = send(
        tenant, "POST", f"{pass_path(campaign, pass_)}/redeem/", headers={"Authorization": basic(tenant)}, body=body
    )

    assert (answer.status_code, answer.json()["voided"]) == (200, True)
    assert redeems(tenant, campaign) == [(pass_["id"], "00000001", None)]


def test_a_redeem_by_code_finds_the_pass_of_its_campaign(tenant: Tenant) -> None:
    campaign, other = create_campaign(tenant, name="Own"), create_campaign(tenant, "generics", name="Other")
    create_pass(tenant, other)
    pass_ = create_pass(tenant, campaign)
    body = {"pass": {"redeem_code": "00000001", "comment": "optional"}}

    redeemed = tenant.call("POST", f"{path_of(campaign)}/redeem", json=body)

    assert (redeemed["id"], redeemed["voided"]) == (pass_["id"], True)
    assert redeems(tenant, campaign) == [(pass_["id"], "00000001", "optional")]
    assert redeems(tenant, other) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "pass"),
        (None, "pass"),
        ({"pass": {}}, "redeem_code"),
        ({"pass": {"redeem_code": ""}}, "redeem_code"),
        ({"pass": {"redeem_code": []}}, "redeem_code"),
        ({"pass": {"redeem_code": "00000001", "comment": 5}}, "comment"),
        ({"pass": {"redeem_code": "00000001", "comment": "n" * 1001}}, "comment"),
    ],
)
def test_a_redeem_by_code_without_a_proper_one_is_422(tenant: Tenant, body: Any, field: str) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    check_refusal(tenant.request("POST", f"{path_of(campaign)}/redeem", json=body), 422, 10100, field)

    assert tenant.call("GET", pass_path(campaign, pass_)) == pass_
    assert redeems(tenant, campaign) == []


def test_an_unknown_code_is_404(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    create_pass(tenant, campaign)

    for code in ("00000002", "1", 1):
        answer = tenant.request("POST", f"{path_of(campaign)}/redeem", json={"pass": {"redeem_code": code}})
        check_refusal(answer, 404, 10004, "pass")


def test_a_second_redeem_is_412_and_leaves_no_trace(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    redeemed = tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")

    for path, body in (
        (pass_path(campaign, pass_), None),
        (path_of(campaign), {"pass": {"redeem_code": "00000001"}}),
    ):
        check_refusal(tenant.request("POST", f"{path}/redeem", json=body), 412, 10105)
    assert tenant.call("GET", pass_path(campaign, pass_)) == redeemed
    assert redeem_count(tenant, campaign) == len(redeems(tenant, campaign)) == 1


def test_a_pass_may_be_redeemed_again_where_the_campaign_allows_it(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, allow_multiple_redeems=True)
    pass_ = create_pass(tenant, campaign)

    shown = [tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem") for _ in range(3)]

    assert [(each["voided"], each["redeemed_count"]) for each in shown] == [(False, 1), (False, 2), (False, 3)]
    assert redeem_count(tenant, campaign) == len(redeems(tenant, campaign)) == 3
    assert "voided" not in open_pass(tenant, pass_)


def test_of_sixteen_redeems_at_once_one_succeeds(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    answers = run_together([partial(tenant.request, "POST", f"{pass_path(campaign, pass_)}/redeem")] * WRITERS)

    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: WRITERS - 1}
    assert tenant.call("GET", pass_path(campaign, pass_))["redeemed_count"] == 1
    assert redeems(tenant, campaign) == [(pass_["id"], "00000001", None)]
    assert redeem_count(tenant, campaign) == 1


def test_sixteen_redeems_at_once_all_count_where_the_campaign_allows_it(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, allow_multiple_redeems=True)
    pass_ = create_pass(tenant, campaign)

    answers = run_together([partial(tenant.request, "POST", f"{pass_path(campaign, pass_)}/redeem")] * WRITERS)

    counted = sum(answer.status_code == 200 for answer in answers)
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert tenant.call("GET", pass_path(campaign, pass_))["redeemed_count"] == counted
    assert redeem_count(tenant, campaign) == len(redeems(tenant, campaign)) == counted


def test_a_reset_makes_the_pass_redeemable_and_keeps_what_was_counted(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, expiration_date="2016-01-01")
    pass_ = create_pass(tenant, campaign)
    redeemed = tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")

    reset = tenant.call("POST", f"{pass_path(campaign, pass_)}/reset_redeem")

    assert (reset["voided"], reset["redeemed_count"], reset["redeemed_at"]) == (False, 1, redeemed["redeemed_at"])
    assert reset["expiration_date"] == pass_["expiration_date"]
    assert "voided" not in open_pass(tenant, pass_)
    assert len(redeems(tenant, campaign)) == 1
    again = tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
    assert (again["voided"], again["redeemed_count"]) == (True, 2)
    assert redeem_count(tenant, campaign) == 2


def test_a_reset_of_a_valid_pass_changes_nothing(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    assert tenant.call("POST", f"{pass_path(campaign, pass_)}/reset_redeem") == pass_
    assert stored_pass(tenant, pass_).version == 1


def test_a_redeem_that_is_late_voids_a_pass_that_was_reset_meanwhile(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)

    def redeem_and_reset() -> None:
        tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")
        tenant.call("POST", f"{pass_path(campaign, pass_)}/reset_redeem")

    # after our ticket and before our write somebody else redeems and resets with later tickets
    late = with_rival(get_platform(), "passes", "update_pass", redeem_and_reset)
    template = stored_template(tenant, campaign)
    redeeming.redeem_pass(late, template, serial_number=pass_["id"], comment=None)

    shown = tenant.call("GET", pass_path(campaign, pass_))
    assert (shown["voided"], shown["redeemed_count"]) == (True, 2)


def test_voided_is_in_the_file_and_in_the_other_dialect(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    pass_id = stored_pass(tenant, pass_).pass_id

    tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")

    assert open_pass(tenant, pass_)["voided"] is True
    assert samples.read_pass(tenant, pass_id)["headers"]["expirationDate"]["label"] == "voided"
    tenant.call("POST", f"{pass_path(campaign, pass_)}/reset_redeem")
    assert samples.read_pass(tenant, pass_id)["headers"]["expirationDate"]["label"] == "valid"


def test_a_pass_voided_in_the_other_dialect_cannot_be_redeemed_before_a_reset(tenant: Tenant) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    path = f"/v1/pass/{stored_pass(tenant, pass_).pass_id}"
    tenant.call("PUT", path, json={"headers": {"expirationDate": {"value": "2030-01-01", "label": "voided"}}})

    assert tenant.call("GET", pass_path(campaign, pass_))["voided"] is True
    check_refusal(tenant.request("POST", f"{pass_path(campaign, pass_)}/redeem"), 412, 10105)
    assert tenant.call("POST", f"{pass_path(campaign, pass_)}/reset_redeem")["voided"] is False
    assert tenant.call("POST", f"{pass_path(campaign, pass_)}/redeem")["voided"] is True


def test_a_code_that_a_pass_brings_is_its_own_in_both_dialects_also_among_rivals(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, code_type="per_pass")
    template_id = stored_template(tenant, campaign).template_id
    barcode = {"pass": {"barcode": {"message": "ABC"}}}
    headers = {"headers": {"barcode_value": {"value": "ABC"}}}

    answers = run_together(
        [lambda: tenant.request("POST", f"{path_of(campaign)}/passes", json=barcode)] * 6
        + [lambda: tenant.request("POST", f"/v1/pass/{template_id}", json=headers)] * 6
    )

    assert sum(answer.status_code in (200, 201) for answer in answers) == 1
    assert {answer.status_code for answer in answers} <= {200, 201, 400, 422}
    (pass_,) = tenant.call("GET", f"{path_of(campaign)}/passes?q[redeem_code_eq]=ABC")
    tenant.call("POST", f"{path_of(campaign)}/redeem", json={"pass": {"redeem_code": "ABC"}})
    tenant.call("DELETE", pass_path(campaign, pass_))
    assert tenant.request("POST", f"{path_of(campaign)}/passes", json=barcode).status_code == 201


def test_a_code_that_a_pass_brought_does_not_change(tenant: Tenant) -> None:
    campaign = create_campaign(tenant, code_type="per_pass")
    pass_ = create_pass(tenant, campaign, barcode={"message": "ABC"})
    other = {"pass": {"barcode": {"message": "DEF"}}}

    check_refusal(tenant.request("PATCH", pass_path(campaign, pass_), json=other), 422, 10100)
    pass_id = stored_pass(tenant, pass_).pass_id
    update = {"headers": {"barcode_value": {"value": "DEF"}}}
    assert tenant.request("PUT", f"/v1/pass/{pass_id}", json=update).status_code == 400
    assert tenant.call("GET", pass_path(campaign, pass_))["barcode"]["message"] == "ABC"
    for code_type, status in (("sequencial", 422), ("per_pass", 200)):
        change = {"coupon": {"code_type": code_type}}
        assert tenant.request("PATCH", path_of(campaign), json=change).status_code == status


def test_a_stranger_redeems_nothing(tenant: Tenant, stack: Stack) -> None:
    campaign = create_campaign(tenant)
    pass_ = create_pass(tenant, campaign)
    stranger = stack.tenant()

    for path in (path_of(campaign), pass_path(campaign, pass_)):
        answer = stranger.request("POST", f"{path}/redeem", json={"pass": {"redeem_code": "00000001"}})
        check_refusal(answer, 404, 10004)
    check_refusal(stranger.request("POST", f"{pass_path(campaign, pass_)}/reset_redeem"), 404, 10004)
    assert tenant.call("GET", pass_path(campaign, pass_)) == pass_
