"""Taking tags off: from one pass, from all passes, for good (sections 4.8 to 4.10)."""

from __future__ import annotations

import pytest

from tests.contract.expectations import check_error
from tests.contract.samples import add_tags, all_tags, new_pass, new_passes, new_template, passes_of, read_pass, tags_of
from tests.support.stack import Tenant

# 4.8


def test_removing_from_one_pass_leaves_the_tag_and_its_other_passes(tenant: Tenant) -> None:
    first, second = new_pass(tenant, tags=["gold", "vip"]), new_pass(tenant, tags=["gold"])
    tags = all_tags(tenant)
    answer = tenant.call("DELETE", f"/v1/tag/gold/pass/{first}")
    assert answer == {"passId": first, "status": "success", "tagId": tags["gold"]}
    assert tags_of(tenant, first) == read_pass(tenant, first)["tags"] == ["vip"]
    assert passes_of(tenant, "gold") == [second]
    assert all_tags(tenant) == tags


def test_the_last_removal_leaves_an_empty_tag(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    tags = all_tags(tenant)
    tenant.call("DELETE", f"/v1/tag/gold/pass/{pass_id}")
    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 0
    assert all_tags(tenant) == tags


def test_removing_by_external_id_answers_the_internal_id(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, externalId="4711", tag="gold")
    assert tenant.call("DELETE", "/v1/tag/gold/pass/id/4711")["passId"] == pass_id


def test_removing_twice_is_404(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, externalId="mypass", tag="gold")
    tenant.call("DELETE", f"/v1/tag/gold/pass/{pass_id}")
    check_error(tenant.request("DELETE", f"/v1/tag/gold/pass/{pass_id}"), 404)
    check_error(tenant.request("DELETE", "/v1/tag/gold/pass/id/mypass"), 404)


@pytest.mark.parametrize("reference", ["99999999", "nobody", "id/nobody"])
def test_removing_from_an_unknown_pass_is_404(tenant: Tenant, reference: str) -> None:
    pass_id = new_pass(tenant, tag="gold")
    check_error(tenant.request("DELETE", f"/v1/tag/gold/pass/{reference}"), 404)
    assert passes_of(tenant, "gold") == [pass_id]


def test_a_removed_tag_can_be_added_again(tenant: Tenant) -> None:
    pass_id = new_pass(tenant, tag="gold")
    tags = all_tags(tenant)
    tenant.call("DELETE", f"/v1/tag/gold/pass/{pass_id}")
    assert add_tags(tenant, pass_id, "gold") == {"newTags": ["gold"], "mappings": 1}
    assert passes_of(tenant, "gold") == [pass_id]
    assert all_tags(tenant) == tags


# 4.9


def test_emptying_takes_the_tag_off_all_passes_and_keeps_it(tenant: Tenant) -> None:
    passes = new_passes(tenant, 12, tags=["gold", "vip"])
    tags = all_tags(tenant)
    assert tenant.call("DELETE", "/v1/tag/gold/passes") == {"count": 12, "status": "success", "tagId": tags["gold"]}
    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 0
    assert passes_of(tenant, "gold") == []
    assert {tuple(tags_of(tenant, pass_id)) for pass_id in passes} == {("vip",)}
    assert {tuple(each["tags"]) for each in tenant.call("GET", "/v1/pass?pageSize=50")["passes"]} == {("vip",)}
    assert all_tags(tenant) == tags
    assert tenant.call("GET", "/v1/tag/vip/passes")["count"] == 12


def test_emptying_again_counts_nothing(tenant: Tenant) -> None:
    new_passes(tenant, 3, tag="gold")
    tenant.call("DELETE", "/v1/tag/gold/passes")
    assert tenant.call("DELETE", "/v1/tag/gold/passes")["count"] == 0


def test_emptied_then_tagged_again_holds_only_the_new_passes(tenant: Tenant) -> None:
    first, second, third = new_passes(tenant, 3, tag="gold")
    tags = all_tags(tenant)
    tenant.call("DELETE", "/v1/tag/gold/passes")
    check_error(tenant.request("DELETE", f"/v1/tag/gold/pass/{first}"), 404)
    assert add_tags(tenant, second, "gold") == {"newTags": ["gold"], "mappings": 1}
    newest = new_pass(tenant, tag="gold")
    assert passes_of(tenant, "gold") == [newest, second]
    assert tags_of(tenant, third) == []
    assert all_tags(tenant) == tags
    assert tenant.call("DELETE", "/v1/tag/gold")["count"] == 2


# 4.10


def test_deleting_takes_the_tag_off_all_passes_and_ends_it(tenant: Tenant) -> None:
    passes = new_passes(tenant, 4, tags=["gold", "vip"])
    gold = all_tags(tenant)["gold"]
    assert tenant.call("DELETE", "/v1/tag/gold") == {"status": "success", "tagId": gold, "count": 4}
    assert list(all_tags(tenant)) == ["vip"]
    assert {tuple(tags_of(tenant, pass_id)) for pass_id in passes} == {("vip",)}
    for tag in ("gold", gold):
        check_error(tenant.request("GET", f"/v1/tag/{tag}/passes"), 404)
        check_error(tenant.request("DELETE", f"/v1/tag/{tag}"), 404)


def test_a_tag_deleted_and_created_again_is_another_one(tenant: Tenant) -> None:
    first, second = new_passes(tenant, 2, tag="gold")
    old = all_tags(tenant)["gold"]
    tenant.call("DELETE", "/v1/tag/gold")
    assert add_tags(tenant, second, "gold") == {"newTags": ["gold"], "mappings": 1}
    assert all_tags(tenant)["gold"] > old
    assert passes_of(tenant, "gold") == [second]
    assert tags_of(tenant, first) == []
    check_error(tenant.request("GET", f"/v1/tag/{old}/passes"), 404)


def test_deleting_an_emptied_tag_counts_nothing(tenant: Tenant) -> None:
    new_passes(tenant, 2, tag="gold")
    tenant.call("DELETE", "/v1/tag/gold/passes")
    assert tenant.call("DELETE", "/v1/tag/gold")["count"] == 0


def test_a_deleted_pass_leaves_its_tags_lists_and_counts(tenant: Tenant) -> None:
    first, second = new_passes(tenant, 2, tags=["gold", "vip"])
    tenant.call("DELETE", f"/v1/pass/{first}")
    assert passes_of(tenant, "gold") == [second]
    assert tenant.call("GET", "/v1/tag/vip/passes")["count"] == 1
    check_error(tenant.request("DELETE", f"/v1/tag/gold/pass/{first}"), 404)
    assert tenant.call("DELETE", "/v1/tag/gold")["count"] == 1


# 9.8: an external id in two templates


def test_an_ambiguous_external_id_is_400_and_the_template_form_is_not(tenant: Tenant) -> None:
    first, second = new_template(tenant), new_template(tenant)
    for template_id in (first, second):
        new_pass(tenant, template_id, externalId="mypass", tag="gold")
    hint = "/pass/template/{templateId}/id/{passExternalId}"
    check_error(tenant.request("PUT", "/v1/pass/id/mypass/tags", json={"tags": ["vip"]}), 400, mentions=hint)
    check_error(tenant.request("GET", "/v1/pass/id/mypass/tags"), 400, mentions=hint)
    check_error(tenant.request("DELETE", "/v1/tag/gold/pass/id/mypass"), 400, mentions=hint)
    assert list(all_tags(tenant)) == ["gold"]
    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 2
    path = f"/v1/pass/template/{second}/id/mypass/tags"
    assert tenant.call("PUT", path, json={"tags": ["vip"]})["mappings"] == 1
    assert [tag["name"] for tag in tenant.call("GET", path)["tags"]] == ["gold", "vip"]


def test_an_external_id_is_clear_again_once_one_of_two_passes_is_gone(tenant: Tenant) -> None:
    first, second = (new_pass(tenant, externalId="mypass", tag="gold") for _ in range(2))
    tenant.call("DELETE", f"/v1/pass/{second}")
    assert tenant.call("DELETE", "/v1/tag/gold/pass/id/mypass")["passId"] == first
