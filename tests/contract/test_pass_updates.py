"""Updates of a pass, its locations and its expiration (section 5)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.contract.expectations import check_error, check_no_fault, find_error_fault
from tests.contract.samples import PLACE, TEMPLATE, add_tags, new_pass, new_template, passes_of, read_pass
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Tenant

FORMS = ["/v1/pass/{id}", "/v1/pass/id/mypass", "/v1/pass/template/{template}/id/mypass"]
OTHER_PLACE = {"latitude": 48, "longitude": 11, "city": "Munich", "country": "Germany"}


def update(tenant: Tenant, pass_id: int, **body: Any) -> int:
    ticket_id = tenant.call("PUT", f"/v1/pass/{pass_id}", json=body)["ticketId"]
    assert type(ticket_id) is int
    return ticket_id


def places(tenant: Tenant, pass_id: int) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in location.items() if key != "id"}
        for location in read_pass(tenant, pass_id)["locations"]
    ]


# Partial updates


@pytest.mark.parametrize("form", FORMS)
def test_each_path_form_updates_and_answers_a_ticket(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, externalId="mypass")
    body = {"fields": {"Points": {"value": "34"}}}
    answer = tenant.call("PUT", form.format(id=pass_id, template=template_id), json=body)
    assert set(answer) == {"ticketId"}
    assert type(answer["ticketId"]) is int
    assert tenant.call("GET", f"/v1/ticket/{answer['ticketId']}")["Status"] == "COMPLETED"
    assert read_pass(tenant, pass_id)["fields"]["Points"]["value"] == "34"


def test_an_update_merges_and_leaves_the_rest(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold", locations=[PLACE])
    before = read_pass(tenant, pass_id)
    update(tenant, pass_id, fields={"Points": {"value": "34"}}, headers={"logo_text": {"value": "New"}})
    update(tenant, pass_id, fields={"Points": {"label": "Score"}, "Tier": {"changeMessage": "Now %@"}})
    after = read_pass(tenant, pass_id)
    fields = TEMPLATE["fields"]
    assert after["fields"] == {
        "Points": fields["Points"] | {"value": "34", "label": "Score"},
        "Tier": fields["Tier"] | {"changeMessage": "Now %@"},
    }
    assert after["headers"] == before["headers"] | {"logo_text": before["headers"]["logo_text"] | {"value": "New"}}
    # the picture's address changes with the pass, once a second at most
    kept = set(before) - {"fields", "headers", "updatedAt", "publicUrl"}
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}
    assert after["publicUrl"]["path"] == before["publicUrl"]["path"]


def test_an_entry_takes_only_value_label_and_change_message(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    entry = {"value": "1", "fieldType": "back", "order": 9, "formatType": "Date", "unknown": [1]}
    update(tenant, pass_id, fields={"Points": entry})
    assert read_pass(tenant, pass_id)["fields"]["Points"] == TEMPLATE["fields"]["Points"] | {"value": "1"}


@pytest.mark.parametrize(
    "value", ["", "żółć 👍", "a\nb", 0, -1.5, True, None, 2**53, "<b>&amp;</b>", "\u0000"], ids=repr
)
def test_a_value_comes_back_as_it_was_sent(tenant: Tenant, value: Any) -> None:
    pass_id = new_pass(tenant)
    update(tenant, pass_id, fields={"Points": {"value": value}})
    shown = read_pass(tenant, pass_id)["fields"]["Points"]["value"]
    assert (shown, type(shown)) == (value, type(value))


def test_created_at_stays_and_updated_at_moves(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    before = read_pass(tenant, pass_id)
    time.sleep(0.002)
    update(tenant, pass_id, fields={"Points": {"value": "34"}})
    after = read_pass(tenant, pass_id)
    assert after["createdAt"] == before["createdAt"]
    assert after["updatedAt"] > before["updatedAt"]
    for path in ("/v1/pass", "/v1/tag/gold/passes"):
        (listed,) = tenant.call("GET", path)["passes"]
        assert (listed["createdAt"], listed["updatedAt"]) == (after["createdAt"], after["updatedAt"])


def test_tags_do_not_count_as_a_change_of_content(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    before = read_pass(tenant, pass_id)
    add_tags(tenant, pass_id, "gold")
    assert read_pass(tenant, pass_id) == before | {"tags": ["gold"]}


def test_an_updated_pass_keeps_its_place_in_the_list_by_id(tenant: Tenant) -> None:
    first, second = new_pass(tenant, tag="gold"), new_pass(tenant, tag="gold")
    update(tenant, first, fields={"Points": {"value": "34"}})
    assert passes_of(tenant, "gold") == [second, first]


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("beacons", [{"proximityUUID": "u", "major": 1}], []),
        ("semantics", {"seats": [{"seatRow": "1"}]}, {"venueName": "Hall"}),
        ("universalLinks", ["https://example.com/a"], {"other": "form"}),
    ],
)
def test_other_parts_are_replaced_whole(tenant: Tenant, name: str, first: Any, second: Any) -> None:
    pass_id = new_pass(tenant)
    for value in (first, second):
        update(tenant, pass_id, **{name: value})
        assert read_pass(tenant, pass_id)[name] == value
    update(tenant, pass_id, fields={"Points": {"value": "1"}})
    assert read_pass(tenant, pass_id)[name] == second


WRONG: list[Any] = [
    {"fields": []},
    {"fields": "Points"},
    {"fields": {"Points": 1}},
    {"fields": {"Points": None}},
    {"fields": {"Points": {"value": []}}},
    {"fields": {"Points": {"label": {}}}},
    {"fields": {"x" * 101: {"value": "1"}}},
    {"fields": {str(number): {"value": "1"} for number in range(201)}},
    {"fields": {str(number): {"value": "x" * 8000} for number in range(20)}},
    {"headers": {"logo": {"value": [1]}}},
    {"locations": [PLACE] * 11},
    {"locations": [{"latitude": 0}]},
    {"locations": [{"latitude": 0, "longitude": 181}]},
    {"locations": "here"},
    {"beacons": {}},
    {"beacons": ["x"]},
    {"semantics": "x"},
    {"universalLinks": "x" * 70_000},
]


@pytest.mark.parametrize("path", ["/v1/pass/{id}", "/v1/tag/gold/passes"])
def test_a_wrong_update_is_400_and_changes_nothing(tenant: Tenant, path: str) -> None:
    pass_id = new_pass(tenant, tag="gold")
    before = take_snapshot(tenant)
    good, path = {"fields": {"Tier": {"value": "Gold"}}}, path.format(id=pass_id)
    check_no_fault(
        {str(body)[:99]: find_error_fault(tenant.request("PUT", path, json=good | body), 400) for body in WRONG}
    )
    assert take_snapshot(tenant) == before


@pytest.mark.parametrize("path", ["99999999", "nobody", "id/nobody", "template/99999999/id/mypass"])
def test_updating_an_unknown_pass_is_404(tenant: Tenant, path: str) -> None:
    new_pass(tenant, externalId="mypass")
    check_error(tenant.request("PUT", f"/v1/pass/{path}", json={"fields": {"Points": {"value": "1"}}}), 404)


# Locations


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "bare array"])
def test_locations_are_added_wrapped_or_as_a_bare_array(tenant: Tenant, form: str, wrapped: bool) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, externalId="mypass")
    path = form.format(id=pass_id, template=template_id)
    sent = [PLACE, OTHER_PLACE]
    answer = tenant.call("POST", f"{path}/locations", json={"locations": sent} if wrapped else sent)
    assert [set(each) for each in answer] == [{"passLocationId", "value"}] * 2
    assert [each["value"] for each in answer] == sent
    ids = [each["passLocationId"] for each in answer]
    assert {type(each) for each in ids} == {int}
    assert [location["id"] for location in read_pass(tenant, pass_id)["locations"]] == ids
    tenant.call("DELETE", f"{path}/location/{ids[0]}")
    assert places(tenant, pass_id) == [OTHER_PLACE]
    check_error(tenant.request("DELETE", f"{path}/location/{ids[0]}"), 404)


def test_whole_coordinates_and_every_documented_key_are_kept(tenant: Tenant) -> None:
    place = {"latitude": -90, "longitude": 180, "relevantText": "r", "streetAddress1": "s", "streetAddress2": "t"}
    place |= {"city": "c", "region": "g", "regionCode": "h", "country": "y"}
    pass_id = new_pass(tenant)
    (added,) = tenant.call("POST", f"/v1/pass/{pass_id}/locations", json=[place | {"unknown": 1}])
    assert added["value"] == place
    assert places(tenant, pass_id) == [place]


def test_a_pass_takes_ten_locations(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, locations=[PLACE] * 7)
    before = read_pass(tenant, pass_id)
    check_error(tenant.request("POST", f"/v1/pass/{pass_id}/locations", json=[OTHER_PLACE] * 4), 400, mentions="10")
    assert read_pass(tenant, pass_id) == before
    tenant.call("POST", f"/v1/pass/{pass_id}/locations", json=[OTHER_PLACE] * 3)
    ids = [location["id"] for location in read_pass(tenant, pass_id)["locations"]]
    assert len(set(ids)) == 10
    check_error(tenant.request("POST", f"/v1/pass/{pass_id}/locations", json=[OTHER_PLACE]), 400)


def test_sent_locations_replace_all(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, locations=[PLACE, PLACE])
    update(tenant, pass_id, fields={"Points": {"value": "1"}})
    assert places(tenant, pass_id) == [PLACE, PLACE]
    update(tenant, pass_id, locations=[OTHER_PLACE])
    assert places(tenant, pass_id) == [OTHER_PLACE]
    update(tenant, pass_id, locations=[])
    assert places(tenant, pass_id) == []


def test_a_change_of_locations_moves_updated_at(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    before = read_pass(tenant, pass_id)["updatedAt"]
    time.sleep(0.002)
    tenant.call("POST", f"/v1/pass/{pass_id}/locations", json=[PLACE])
    assert read_pass(tenant, pass_id)["updatedAt"] > before


@pytest.mark.parametrize("body", [{}, [], {"locations": []}, {"locations": None}, ["x"], [{}], "x", 5], ids=str)
def test_locations_that_are_none_are_400(tenant: Tenant, body: Any) -> None:
    pass_id = new_pass(tenant)
    before = take_snapshot(tenant)
    check_error(tenant.request("POST", f"/v1/pass/{pass_id}/locations", json=body), 400)
    assert take_snapshot(tenant) == before


@pytest.mark.parametrize("location", ["999", "0", "abc", "-1", "1.0", "%31%30%30"])
def test_removing_an_unknown_location_is_404(tenant: Tenant, location: str) -> None:
    pass_id = new_pass(tenant, locations=[PLACE])
    check_error(tenant.request("DELETE", f"/v1/pass/{pass_id}/location/{location}"), 404)
    assert places(tenant, pass_id) == [PLACE]


# Expiration


@pytest.mark.parametrize(
    ("value", "label"),
    [
        ("2044-08-20T09:41-08:00", "valid"),
        ("2044-08-20T09:41", "valid"),
        ("2044-08-20T09:41:30.000Z", "valid"),
        ("2044-08-20T9:41-08:00", "valid"),
        ("2013-12-31T23:59", "voided"),
        ("2044-12-31T23:59", "voided"),
        ("2014-08-20T9:41-08:00", None),
    ],
)
def test_an_expiration_is_stored_as_sent(tenant: Tenant, value: str, label: str | None) -> None:
    pass_id = new_pass(tenant)
    entry = {"value": value} | ({} if label is None else {"label": label})
    update(tenant, pass_id, headers={"expirationDate": entry})
    assert read_pass(tenant, pass_id)["headers"]["expirationDate"].items() >= entry.items()


@pytest.mark.parametrize(
    "value",
    ["2013-12-31T23:59", "2013-12-31T23:59:00Z", "0001-01-01T00:00+23:59", "soon", "", None, 5, True, "2044-13-01"],
)
def test_a_valid_pass_must_expire_at_a_date_ahead(tenant: Tenant, value: Any) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, tag="gold")
    before = take_snapshot(tenant)
    body = {"headers": {"expirationDate": {"value": value, "label": "valid"}}}
    check_error(tenant.request("PUT", f"/v1/pass/{pass_id}", json=body), 400, mentions="expirationDate")
    check_error(tenant.request("POST", f"/v1/pass/{template_id}", json=body), 400, mentions="expirationDate")
    check_error(tenant.request("PUT", "/v1/tag/gold/passes", json=body), 400, mentions="expirationDate")
    assert take_snapshot(tenant) == before


def test_a_voided_pass_comes_alive_again(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    for value, label in (("2013-12-31T23:59", "voided"), ("2044-12-31T23:59", "valid")):
        update(tenant, pass_id, headers={"expirationDate": {"value": value, "label": label}})
        entry = read_pass(tenant, pass_id)["headers"]["expirationDate"]
        assert (entry["value"], entry["label"]) == (value, label)
