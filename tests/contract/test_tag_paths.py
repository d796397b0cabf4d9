"""A tag in a path: encoded, by name before id, `+` for older clients, unknown (sections 1, 9.2, 9.3)."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.contract.expectations import check_error, check_no_fault, find_error_fault
from tests.contract.raw_http import send_signed
from tests.contract.samples import add_tags, all_tags, new_pass, passes_of, tags_of
from tests.contract.snapshot import take_snapshot
from tests.support.stack import Tenant

AWKWARD_NAMES = [
    "two words",
    "50%",
    "%2F",
    "a+b",
    "a/b",
    "/",
    "..",
    "a?b=c&d#e",
    "a:b;c,d@e",
    "id",
    "passes",
    "pass",
    "{tag}",
    "quote\"'\\",
    "żółć",
    "日本語",
    "👩‍👩‍👧‍👦",
    "<b>",
    "null",
    "007",
    "-1",
    "1.5",
]


def test_any_name_can_be_listed_removed_emptied_and_deleted(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    for name in AWKWARD_NAMES:
        use_everywhere(tenant, pass_id, name)
    assert all_tags(tenant) == {}


def use_everywhere(tenant: Tenant, pass_id: int, name: str) -> None:
    path = f"/v1/tag/{quote(name, safe='')}"
    assert add_tags(tenant, pass_id, name)["newTags"] == [name]
    tag_id = all_tags(tenant)[name]

    def ask(method: str, suffix: str) -> object:
        answer = send_signed(tenant, method, path + suffix)
        assert answer.status_code == 200, (name, answer.text)
        return answer.json()

    listing = ask("GET", "/passes")
    assert isinstance(listing, dict)
    assert [each["id"] for each in listing["passes"]] == [pass_id]
    assert ask("DELETE", f"/pass/{pass_id}") == {"passId": pass_id, "status": "success", "tagId": tag_id}
    add_tags(tenant, pass_id, name)
    assert ask("DELETE", "/passes") == {"count": 1, "status": "success", "tagId": tag_id}
    assert ask("DELETE", "") == {"status": "success", "tagId": tag_id, "count": 0}


# 9.3: by name first, then by id


def test_a_tag_is_found_by_its_id(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    tag_id = all_tags(tenant)["gold"]
    assert passes_of(tenant, str(tag_id)) == [pass_id]
    assert tenant.call("DELETE", f"/v1/tag/{tag_id}/pass/{pass_id}")["tagId"] == tag_id
    assert tenant.call("DELETE", f"/v1/tag/{tag_id}/passes")["tagId"] == tag_id
    assert tenant.call("PUT", f"/v1/tag/{tag_id}/passes", json={"fields": {}})["ticketId"] > 0
    assert tenant.call("DELETE", f"/v1/tag/{tag_id}")["tagId"] == tag_id


def test_a_name_of_digits_wins_over_the_tag_of_that_id(tenant: Tenant) -> None:
    by_id = new_pass(tenant, tag="gold")
    gold = all_tags(tenant)["gold"]
    by_name = new_pass(tenant, tag=str(gold))
    namesake = all_tags(tenant)[str(gold)]
    assert gold != namesake
    assert passes_of(tenant, str(gold)) == [by_name]
    assert passes_of(tenant, str(namesake)) == [by_name]
    check_error(tenant.request("DELETE", f"/v1/tag/{gold}/pass/{by_id}"), 404)
    assert tenant.call("DELETE", f"/v1/tag/{gold}") == {"status": "success", "tagId": namesake, "count": 1}
    assert passes_of(tenant, str(gold)) == [by_id]
    assert tenant.call("DELETE", f"/v1/tag/{gold}") == {"status": "success", "tagId": gold, "count": 1}


def test_an_emptied_name_of_digits_still_wins(tenant: Tenant) -> None:
    new_pass(tenant, tag="gold")
    gold = all_tags(tenant)["gold"]
    new_pass(tenant, tag=str(gold))
    tenant.call("DELETE", f"/v1/tag/{gold}/passes")
    assert passes_of(tenant, str(gold)) == []


# section 1: `+` for a space


def test_plus_is_read_as_a_space_where_no_such_name_exists(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="two words")
    assert send_signed(tenant, "GET", "/v1/tag/two+words/passes").json()["count"] == 1
    assert send_signed(tenant, "PUT", "/v1/tag/two+words/passes", body='{"fields":{}}').status_code == 200
    assert send_signed(tenant, "DELETE", f"/v1/tag/two+words/pass/{pass_id}").json()["passId"] == pass_id
    assert send_signed(tenant, "DELETE", "/v1/tag/two+words/passes").json()["count"] == 0
    assert send_signed(tenant, "DELETE", "/v1/tag/two+words").status_code == 200


def test_a_name_with_a_plus_wins_over_the_one_with_a_space(tenant: Tenant) -> None:
    new_pass(tenant, tag="two words")
    plus = new_pass(tenant, tag="two+words")
    answer = send_signed(tenant, "GET", "/v1/tag/two+words/passes").json()
    assert [each["id"] for each in answer["passes"]] == [plus]


def test_an_encoded_plus_is_only_a_plus(tenant: Tenant) -> None:
    new_pass(tenant, tag="two words")
    check_error(send_signed(tenant, "GET", "/v1/tag/two%2Bwords/passes"), 404)


def test_plus_is_read_as_a_space_in_an_external_id(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, externalId="my pass", tag="gold")
    assert send_signed(tenant, "GET", "/v1/pass/id/my+pass/tags").json()["tags"][0]["name"] == "gold"
    assert send_signed(tenant, "DELETE", "/v1/tag/gold/pass/id/my+pass").json()["passId"] == pass_id
    check_error(send_signed(tenant, "GET", "/v1/pass/id/my%2Bpass/tags"), 404)


def test_an_external_id_with_a_plus_wins_over_the_one_with_a_space(tenant: Tenant) -> None:
    new_pass(tenant, externalId="my pass", tag="space")
    new_pass(tenant, externalId="my+pass", tag="plus")
    assert send_signed(tenant, "GET", "/v1/pass/id/my+pass/tags").json()["tags"][0]["name"] == "plus"


def test_an_encoded_slash_stays_inside_the_name(tenant: Tenant) -> None:
    whole = new_pass(tenant, tag="a/passes")
    new_pass(tenant, tag="a")
    answer = send_signed(tenant, "GET", "/v1/tag/a%2Fpasses/passes").json()
    assert [each["id"] for each in answer["passes"]] == [whole]


def test_a_name_is_decoded_once(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tags=["%2F", "/"])
    assert send_signed(tenant, "DELETE", f"/v1/tag/%252F/pass/{pass_id}").status_code == 200
    assert tags_of(tenant, pass_id) == ["/"]


# 9.2: unknown


UNKNOWN = ["nothing", "99999999", "0", "%20", "%00", "x" * 256, "%F0%9F%98%80", "9" * 300, "%zz", "%FF", "x" * 8000]


@pytest.mark.parametrize(
    ("method", "suffix"),
    [
        ("GET", "/passes"),
        ("PUT", "/passes"),
        ("DELETE", "/passes"),
        ("DELETE", ""),
        ("DELETE", "/pass/{pass_id}"),
        ("DELETE", "/pass/id/mypass"),
    ],
)
def test_an_unknown_tag_is_404_and_changes_nothing(tenant: Tenant, method: str, suffix: str) -> None:
    pass_id = new_pass(tenant, externalId="mypass", tag="gold")
    before = take_snapshot(tenant)
    body = '{"fields":{"Points":{"value":"1"}}}' if method == "PUT" else None
    targets = {tag: f"/v1/tag/{tag}{suffix.format(pass_id=pass_id)}" for tag in UNKNOWN}
    check_no_fault(
        {tag: find_error_fault(send_signed(tenant, method, target, body=body), 404) for tag, target in targets.items()}
    )
    assert take_snapshot(tenant) == before
