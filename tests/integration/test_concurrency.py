"""Many writers at once: nothing is lost, nothing is counted twice, limits hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from chalicelib.domain import issuing, tagging, template_editing
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import InUse, NotFound, PasselError
from chalicelib.domain.passes import NewPass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_passes, make_template
from tests.support.recount import read_rows
from tests.support.rivals import run_together, with_rival
from tests.support.stack import Stack, Tenant

WRITERS = 20
LARGEST_TAGS = 15


def _requests(tenant: Tenant, *requests: tuple[str, str, Any]) -> list[httpx.Response]:
    return run_together([partial(tenant.request, method, path, json=body) for method, path, body in requests])


def test_parallel_adds_of_different_tags_leave_at_most_fifteen(tenant: Tenant, consistent: Consistent) -> None:
    pass_id = make_passes(tenant.project_id, 1)[0].pass_id
    names = [f"tag {number}" for number in range(WRITERS)]

    replies = _requests(tenant, *[("PUT", f"/v1/pass/{pass_id}/tags", {"tags": [name]}) for name in names])

    accepted = [name for name, reply in zip(names, replies, strict=True) if reply.status_code == 200]
    assert Counter(reply.status_code for reply in replies) == {200: LARGEST_TAGS, 400: WRITERS - LARGEST_TAGS}
    assert sum(reply.json()["mappings"] for reply in replies if reply.status_code == 200) == LARGEST_TAGS
    held = {tag["name"] for tag in tenant.call("GET", f"/v1/pass/{pass_id}/tags")["tags"]}
    assert held == set(accepted)
    listed = tenant.call("GET", "/v1/tag?pageSize=100")
    assert listed["count"] == LARGEST_TAGS, "a refused request created its tag"
    assert {tag["tag"] for tag in listed["tags"]} == held
    assert [tenant.call("GET", f"/v1/tag/{name}/passes")["count"] for name in accepted] == [1] * LARGEST_TAGS
    consistent(tenant.project_id)


def test_parallel_adds_of_several_tags_are_refused_whole_or_done_whole(tenant: Tenant, consistent: Consistent) -> None:
    pass_id = make_passes(tenant.project_id, 1)[0].pass_id
    requests = [[f"{writer}.{number}" for number in range(4)] for writer in range(8)]

    replies = _requests(tenant, *[("PUT", f"/v1/pass/{pass_id}/tags", {"tags": names}) for names in requests])

    assert Counter(reply.status_code for reply in replies) == {200: 3, 400: 5}
    expected = {
        name for names, reply in zip(requests, replies, strict=True) if reply.status_code == 200 for name in names
    }
    assert {tag["name"] for tag in tenant.call("GET", f"/v1/pass/{pass_id}/tags")["tags"]} == expected
    consistent(tenant.project_id)


def test_parallel_adds_of_the_same_tag_put_it_on_once(tenant: Tenant, consistent: Consistent) -> None:
    pass_id = make_passes(tenant.project_id, 1)[0].pass_id

    replies = _requests(tenant, *[("PUT", f"/v1/pass/{pass_id}/tags", {"tags": ["same"]})] * WRITERS)

    assert sorted(reply.json()["mappings"] for reply in replies) == [0] * (WRITERS - 1) + [1]
    assert tenant.call("GET", "/v1/tag/same/passes")["count"] == 1
    consistent(tenant.project_id)


def test_parallel_adds_of_a_new_tag_to_many_passes_create_one_tag(tenant: Tenant, consistent: Consistent) -> None:
    passes = make_passes(tenant.project_id, WRITERS)

    replies = _requests(tenant, *[("PUT", f"/v1/pass/{pass_.pass_id}/tags", {"tags": ["new"]}) for pass_ in passes])

    assert [reply.json() for reply in replies] == [{"newTags": ["new"], "mappings": 1}] * WRITERS
    assert tenant.call("GET", "/v1/tag")["count"] == 1
    assert tenant.call("GET", "/v1/tag/new/passes")["count"] == WRITERS
    consistent(tenant.project_id)


@pytest.mark.parametrize("path", ["/v1/tag/flag/passes", "/v1/tag/flag"], ids=["empty", "delete"])
def test_parallel_adds_and_clears_leave_lists_that_agree(
    stack: Stack, tenant: Tenant, consistent: Consistent, path: str
) -> None:
    passes = make_passes(tenant.project_id, WRITERS, tags=["flag"])
    adds: list[tuple[str, str, Any]] = [
        ("PUT", f"/v1/pass/{pass_.pass_id}/tags", {"tags": ["flag"]}) for pass_ in passes
    ]

    replies = _requests(tenant, *adds[::2], *[("DELETE", path, None)] * 3, *adds[1::2])

    assert {reply.status_code for reply in replies} <= {200, 404}
    consistent(tenant.project_id, swept=False)
    stack.drain()
    consistent(tenant.project_id)
    listed = tenant.request("GET", "/v1/tag/flag/passes?pageSize=100")
    members = {each["id"] for each in listed.json().get("passes", [])}
    holders = {pass_.pass_id for pass_ in passes if tenant.call("GET", f"/v1/pass/{pass_.pass_id}/tags")["tags"]}
    assert members == holders


def test_a_tag_added_while_it_is_emptied_is_either_counted_as_lost_or_kept(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    project_id = tenant.project_id
    lost: list[int] = []
    make_passes(project_id, 1, tags=["flag"])
    late = make_passes(project_id, 1)[0]
    platform = with_rival(
        get_platform(),
        "passes",
        "add_tags",
        lambda: lost.append(tagging.empty_tag(get_platform(), project_id=project_id, segment="flag").count),
    )

    added = tagging.add_tags(
        platform, project_id=project_id, reference=PassReference(pass_id=late.pass_id), names=["flag"]
    )

    stack.drain()
    consistent(project_id)
    left = tenant.call("GET", "/v1/tag/flag/passes")["count"]
    assert added == ["flag"]
    assert lost[0] + left == 2, f"2 passes got the tag, {lost[0]} are said to have lost it, {left} have it"


def test_parallel_creates_under_one_external_id_make_one_pass(tenant: Tenant, consistent: Consistent) -> None:
    template_id = make_template(tenant.project_id).template_id
    body = {"fields": {}, "tag": "made"}

    replies = _requests(tenant, *[("POST", f"/v1/pass/{template_id}/id/only", body)] * WRITERS)

    assert Counter(reply.status_code for reply in replies) == {200: 1, 400: WRITERS - 1}
    assert tenant.call("GET", "/v1/pass")["count"] == 1
    assert tenant.call("GET", "/v1/tag/made/passes")["count"] == 1
    consistent(tenant.project_id)


def test_parallel_bulk_creates_with_shared_external_ids_make_each_pass_once(
    tenant: Tenant, consistent: Consistent
) -> None:
    template_id = make_template(tenant.project_id).template_id
    shared = [{"externalId": f"shared {number}", "tag": "made"} for number in range(10)]
    own = [[{"externalId": f"{writer}.{number}", "tag": "made"} for number in range(10)] for writer in range(6)]

    replies = _requests(
        tenant, *[("POST", f"/v1/pass/{template_id}/bulk", {"passes": [*shared, *mine]}) for mine in own]
    )

    assert all(reply.status_code == 200 for reply in replies)
    assert sum(reply.json()["created"] for reply in replies) == 10 + 60
    assert tenant.call("GET", "/v1/pass")["count"] == 70
    assert tenant.call("GET", "/v1/tag/made/passes")["count"] == 70
    consistent(tenant.project_id)


def test_parallel_deletes_of_one_pass_delete_it_once(tenant: Tenant, consistent: Consistent) -> None:
    passes = make_passes(tenant.project_id, 2, tags=["a", "b"])

    replies = _requests(tenant, *[("DELETE", f"/v1/pass/{passes[0].pass_id}", None)] * WRITERS)

    assert Counter(reply.status_code for reply in replies) == {200: 1, 404: WRITERS - 1}
    assert tenant.call("GET", "/v1/pass")["count"] == 1
    assert tenant.call("GET", "/v1/tag/a/passes")["count"] == 1
    consistent(tenant.project_id)


def test_parallel_removals_of_one_tag_remove_it_once(tenant: Tenant, consistent: Consistent) -> None:
    passes = make_passes(tenant.project_id, 2, tags=["a", "b"])

    replies = _requests(tenant, *[("DELETE", f"/v1/tag/a/pass/{passes[0].pass_id}", None)] * WRITERS)

    assert Counter(reply.status_code for reply in replies) == {200: 1, 404: WRITERS - 1}
    assert tenant.call("GET", "/v1/tag/a/passes")["count"] == 1
    consistent(tenant.project_id)


def test_parallel_empties_count_each_pass_once(stack: Stack, tenant: Tenant, consistent: Consistent) -> None:
    make_passes(tenant.project_id, WRITERS, tags=["flag"])

    replies = _requests(tenant, *[("DELETE", "/v1/tag/flag/passes", None)] * 5)

    assert sorted(reply.json()["count"] for reply in replies) == [0, 0, 0, 0, WRITERS]
    stack.drain()
    consistent(tenant.project_id)


def test_parallel_status_changes_tagging_and_deletes_keep_every_counter_right(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    project_id = tenant.project_id
    passes = make_passes(project_id, 8, tags=["a", "b"])
    platform = get_platform()
    tasks: list[Callable[[], object]] = []
    for position, pass_ in enumerate(passes):
        here: dict[str, Any] = {"project_id": project_id, "pass_id": pass_.pass_id}
        reference = PassReference(pass_id=pass_.pass_id)
        tasks += [
            partial(devices.install, platform, **here, device_platform="ios"),
            partial(devices.remove, platform, **here),
            partial(devices.install, platform, **here, device_platform="android"),
            partial(tagging.add_tags, platform, project_id=project_id, reference=reference, names=["c", "a"]),
            partial(tagging.remove_tag, platform, project_id=project_id, segment="b", reference=reference),
        ]
        if position == 0:
            tasks.append(partial(tagging.empty_tag, platform, project_id=project_id, segment="a"))
        if position == 1:
            tasks.append(partial(issuing.delete_pass, platform, project_id=project_id, reference=reference))

    run_together([partial(_tolerate_missing, task) for task in tasks])

    stack.drain()
    consistent(project_id)


def _tolerate_missing(task: Callable[[], object]) -> None:
    try:
        task()
    except NotFound:
        return


def test_a_pass_issued_while_its_template_is_deleted_is_refused_or_keeps_the_template(
    tenant: Tenant, consistent: Consistent
) -> None:
    project_id = tenant.project_id
    template = TemplateReference(template_id=make_template(project_id).template_id)
    outcomes: list[object] = []

    def delete_template() -> None:
        try:
            template_editing.delete_template(get_platform(), project_id=project_id, reference=template)
        except InUse as refusal:
            outcomes.append(refusal)

    platform = with_rival(get_platform(), "passes", "create_passes", delete_template)
    try:
        new = NewPass(update=ContentUpdate())
        outcomes.append(issuing.create_pass(platform, project_id=project_id, template=template, new=new))
    except PasselError as error:
        outcomes.append(error)

    consistent(project_id)


def test_a_refused_request_changes_nothing_but_numbers(stack: Stack, tenant: Tenant) -> None:
    names = [f"tag {number}" for number in range(LARGEST_TAGS)]
    pass_ = make_passes(tenant.project_id, 1, tags=names)[0]
    before = read_rows(stack.dynamodb, tenant.project_id)

    reply = tenant.request("PUT", f"/v1/pass/{pass_.pass_id}/tags", json={"tags": ["one too many"]})

    assert reply.status_code == 400
    assert read_rows(stack.dynamodb, tenant.project_id) == before
