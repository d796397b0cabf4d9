"""Adding tags to a pass, and what a tag's name may be (sections 4.1 to 4.3, 9.4 to 9.6)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.contract.expectations import SECONDS, check_error, check_keys
from tests.contract.samples import add_tags, all_tags, new_pass, new_template, passes_of, tags_of
from tests.support.stack import Tenant

FIFTEEN = [f"tag {number:02}" for number in range(15)]


# 4.1, 4.2: the answer, and repeats


def test_adding_answers_only_the_tags_that_the_pass_lacked(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    assert add_tags(tenant, pass_id, "a", "b") == {"newTags": ["a", "b"], "mappings": 2}
    assert add_tags(tenant, pass_id, "b", "c") == {"newTags": ["c"], "mappings": 1}
    assert tags_of(tenant, pass_id) == ["a", "b", "c"]


def test_a_repeat_adds_nothing(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    add_tags(tenant, pass_id, "gold")
    before = tenant.call("GET", f"/v1/pass/{pass_id}/tags")
    assert add_tags(tenant, pass_id, "gold") == {"newTags": [], "mappings": 0}
    assert tenant.call("GET", f"/v1/pass/{pass_id}/tags") == before
    assert tenant.call("GET", "/v1/tag/gold/passes")["count"] == 1


def test_a_tag_twice_in_one_request_counts_once(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    assert add_tags(tenant, pass_id, "b", "a", "b", " a ") == {"newTags": ["b", "a"], "mappings": 2}
    assert tenant.call("GET", "/v1/tag/a/passes")["count"] == 1


def test_an_empty_list_adds_nothing(tenant: Tenant) -> None:
    assert add_tags(tenant, new_pass(tenant)) == {"newTags": [], "mappings": 0}


def test_an_existing_tag_of_another_pass_is_new_on_this_one(tenant: Tenant) -> None:
    first, second = new_pass(tenant), new_pass(tenant)
    add_tags(tenant, first, "gold")
    assert add_tags(tenant, second, "gold") == {"newTags": ["gold"], "mappings": 1}
    assert len(all_tags(tenant)) == 1
    assert passes_of(tenant, "gold") == [second, first]


@pytest.mark.parametrize("form", ["/v1/pass/{id}", "/v1/pass/id/{ext}", "/v1/pass/template/{template}/id/{ext}"])
def test_each_path_form_adds_reads_and_leaves_the_other_tags(tenant: Tenant, form: str) -> None:
    template_id = new_template(tenant)
    pass_id = new_pass(tenant, template_id, externalId="my pass/1", tag="old")
    path = form.format(id=pass_id, ext="my%20pass%2F1", template=template_id) + "/tags"
    assert tenant.call("PUT", path, json={"tags": ["new"]}) == {"newTags": ["new"], "mappings": 1}
    assert [tag["name"] for tag in tenant.call("GET", path)["tags"]] == ["old", "new"]
    assert tenant.call("GET", path) == tenant.call("GET", f"/v1/pass/{pass_id}/tags")


def test_unknown_keys_of_the_body_are_ignored(tenant: Tenant) -> None:
    path = f"/v1/pass/{new_pass(tenant)}/tags"
    assert tenant.call("PUT", path, json={"id": "5", "tags": ["a"], "x": None}) == {"newTags": ["a"], "mappings": 1}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/pass/99999999/tags",
        "/v1/pass/nobody/tags",
        "/v1/pass/0/tags",
        "/v1/pass/-1/tags",
        "/v1/pass/9007199254740992/tags",
        "/v1/pass/id/nobody/tags",
        "/v1/pass/template/99999999/id/mypass/tags",
        "/v1/pass/template/nobody/id/mypass/tags",
        "/v1/pass/template/{template}/id/nobody/tags",
        "/v1/pass/template/{other}/id/mypass/tags",
    ],
)
def test_unknown_pass_or_template_is_404_for_add_and_read(tenant: Tenant, path: str) -> None:
    template_id = new_template(tenant)
    new_pass(tenant, template_id, externalId="mypass")
    path = path.format(template=template_id, other=new_template(tenant))
    check_error(tenant.request("PUT", path, json={"tags": ["a"]}), 404)
    check_error(tenant.request("GET", path), 404)
    assert all_tags(tenant) == {}


# 4.3: reading


def test_a_pass_without_tags_has_an_empty_list(tenant: Tenant) -> None:
    assert tenant.call("GET", f"/v1/pass/{new_pass(tenant)}/tags") == {"tags": []}


def test_a_tag_of_a_pass_has_an_id_a_name_and_the_time_of_its_creation(tenant: Tenant) -> None:
    first, second = new_pass(tenant, tag="gold"), new_pass(tenant, tag="gold")
    (tag,) = tenant.call("GET", f"/v1/pass/{first}/tags")["tags"]
    check_keys(tag, {"id", "createdAt", "name"})
    assert type(tag["id"]) is int
    assert SECONDS.fullmatch(tag["createdAt"])
    assert tenant.call("GET", f"/v1/pass/{second}/tags")["tags"] == [tag]


# 9.5: at most 15


def test_fifteen_tags_fit(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    assert add_tags(tenant, pass_id, *FIFTEEN) == {"newTags": FIFTEEN, "mappings": 15}
    assert add_tags(tenant, pass_id, *FIFTEEN) == {"newTags": [], "mappings": 0}


@pytest.mark.parametrize(
    ("present", "sent"),
    [(15, ["one more"]), (14, ["one", "two"]), (14, ["tag 00", "one", "two"]), (0, [*FIFTEEN, "one more"])],
)
def test_a_sixteenth_tag_refuses_the_whole_request(tenant: Tenant, present: int, sent: list[str]) -> None:
    pass_id = new_pass(tenant)
    add_tags(tenant, pass_id, *FIFTEEN[:present])
    check_error(tenant.request("PUT", f"/v1/pass/{pass_id}/tags", json={"tags": sent}), 400, mentions="15")
    assert tags_of(tenant, pass_id) == FIFTEEN[:present]
    assert set(all_tags(tenant)) == set(FIFTEEN[:present])


def test_the_limit_counts_distinct_tags_after_the_request(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    add_tags(tenant, pass_id, *FIFTEEN[:14])
    sent = ["tag 00", "tag 01", "new", "new ", "new", *FIFTEEN[:14]]
    assert add_tags(tenant, pass_id, *sent) == {"newTags": ["new"], "mappings": 1}


@pytest.mark.parametrize("free", ["remove", "empty", "delete"])
def test_a_tag_taken_off_makes_room(tenant: Tenant, free: str) -> None:
    pass_id = new_pass(tenant)
    add_tags(tenant, pass_id, *FIFTEEN)
    suffix = {"remove": f"/pass/{pass_id}", "empty": "/passes", "delete": ""}[free]
    tenant.call("DELETE", f"/v1/tag/tag%2003{suffix}")
    assert add_tags(tenant, pass_id, "sixteenth") == {"newTags": ["sixteenth"], "mappings": 1}
    assert len(tags_of(tenant, pass_id)) == 15


# 9.4: names


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("  gold\t\n", "gold"),
        ("\u3000gold\u00a0", "gold"),
        ("Cafe\u0301", "Café"),
        ("Cafe\u0301 ", "Café"),
        ("\u212b", "Å"),
        ("two  words", "two  words"),
    ],
)
def test_a_name_is_kept_as_nfc_and_trimmed_and_found_in_either_form(tenant: Tenant, sent: str, stored: str) -> None:
    pass_id = new_pass(tenant)
    assert add_tags(tenant, pass_id, sent) == {"newTags": [stored], "mappings": 1}
    assert add_tags(tenant, pass_id, stored) == {"newTags": [], "mappings": 0}
    assert passes_of(tenant, quote(sent, safe="")) == passes_of(tenant, quote(stored, safe="")) == [pass_id]


def test_names_differ_by_case(tenant: Tenant) -> None:
    pass_id = new_pass(tenant)
    assert add_tags(tenant, pass_id, "Gold", "gold", "GOLD")["mappings"] == 3
    add_tags(tenant, new_pass(tenant), "gold")
    assert [tenant.call("GET", f"/v1/tag/{name}/passes")["count"] for name in ("Gold", "gold", "GOLD")] == [1, 2, 1]
    check_error(tenant.request("GET", "/v1/tag/gOLD/passes"), 404)


@pytest.mark.parametrize(
    "name",
    ["x", "x" * 255, "é" * 255, "e\u0301" * 255, "😀" * 255, "  " + "x" * 255 + "  "],
    ids=["1", "255", "255 of two bytes", "255 after NFC", "255 of four bytes", "255 after trimming"],
)
def test_a_name_of_1_to_255_characters_is_taken(tenant: Tenant, name: str) -> None:
    pass_id = new_pass(tenant)
    (stored,) = add_tags(tenant, pass_id, name)["newTags"]
    assert len(stored) <= 255
    assert tags_of(tenant, pass_id) == [stored]
    assert all_tags(tenant).keys() == {stored}
    assert passes_of(tenant, quote(stored, safe="")) == [pass_id]


@pytest.mark.parametrize(
    "name",
    ["", " ", "\t\n", "x" * 256, "\ufb2c" * 100, "a\nb", "a\tb", "a\x00b", "a\x7fb", "a\x85b", "\x1b"],
    ids=["empty", "space", "white", "256", "300 after NFC", "LF", "TAB", "NUL", "DEL", "NEL", "ESC"],
)
def test_any_other_name_is_400_and_adds_nothing(tenant: Tenant, name: str) -> None:
    pass_id = new_pass(tenant)
    path = f"/v1/pass/{pass_id}/tags"
    check_error(tenant.request("PUT", path, json={"tags": ["good", name]}), 400, mentions="tags[1]")
    assert tags_of(tenant, pass_id) == []
    assert all_tags(tenant) == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tags": None},
        {"tags": "gold"},
        {"tags": {"gold": 1}},
        {"tags": [1]},
        {"tags": [None]},
        {"tags": [True]},
        {"tags": [["gold"]]},
        {"tags": [{"name": "gold"}]},
        {"Tags": ["gold"]},
        ["gold"],
        "gold",
    ],
    ids=str,
)
def test_tags_must_be_an_array_of_strings(tenant: Tenant, body: Any) -> None:
    check_error(tenant.request("PUT", f"/v1/pass/{new_pass(tenant)}/tags", json=body), 400)
    assert all_tags(tenant) == {}
