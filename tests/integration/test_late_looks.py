"""Writes that look once more at what they were built on, after the fact: nothing acknowledged is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from botocore.exceptions import ReadTimeoutError
from pynamodb.exceptions import QueryError, TransactWriteError

from chalicelib.domain import issuing, listing, tagging, template_editing
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.counted_index import count_members, passes_of_template
from chalicelib.domain.errors import Busy, NotFound
from chalicelib.domain.paging import PageRequest
from chalicelib.domain.passes import NewPass, Pass, PassReference
from chalicelib.domain.templates import TemplateReference
from chalicelib.store.failures import translated
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support.builders import make_passes, make_template
from tests.support.rivals import with_rival
from tests.support.stack import Stack, Tenant


def test_a_pass_issued_while_its_template_is_deleted_is_taken_back(tenant: Tenant, consistent: Consistent) -> None:
    template = make_template(tenant.project_id)
    reference = TemplateReference(template_id=template.template_id)

    def hide_unseen() -> None:
        # the deleting request has hidden the template and counted no pass before ours is stored
        platform.templates.delete_template(template)

    platform = get_platform()
    late = with_rival(platform, "passes", "create_passes", hide_unseen)

    with pytest.raises(NotFound):
        issuing.create_pass(late, project_id=tenant.project_id, template=reference, new=NewPass(update=ContentUpdate()))
    assert count_members(platform.counts.read_counts(passes_of_template(template.template_id))) == 0
    consistent(tenant.project_id)


def test_deleting_a_template_is_undone_if_a_pass_appears_beside_it(tenant: Tenant) -> None:
    template = make_template(tenant.project_id, external_id="card")
    reference = TemplateReference(template_id=template.template_id)
    platform = get_platform()
    late = with_rival(
        platform,
        "templates",
        "delete_template",
        lambda: issuing.create_pass(
            platform, project_id=tenant.project_id, template=reference, new=NewPass(update=ContentUpdate())
        ),
    )

    with pytest.raises(Exception, match="still has 1 passes"):
        template_editing.delete_template(late, project_id=tenant.project_id, reference=reference)

    assert tenant.call("GET", "/v1/template/id/card")["templateHeader"]["id"] == str(template.template_id)
    assert tenant.call("GET", f"/v1/template/{template.template_id}/passes")["count"] == 1


@pytest.mark.parametrize("removal", [tagging.empty_tag, tagging.delete_tag])
def test_a_tag_removed_everywhere_while_it_is_put_on_is_put_on_again(
    stack: Stack, tenant: Tenant, consistent: Consistent, removal: Any
) -> None:
    make_passes(tenant.project_id, 1, tags=["gold"])
    pass_ = make_passes(tenant.project_id, 1)[0]
    platform = get_platform()
    late = with_rival(
        platform, "passes", "add_tags", lambda: removal(platform, project_id=tenant.project_id, segment="gold")
    )

    names = tagging.add_tags(
        late, project_id=tenant.project_id, reference=PassReference(pass_id=pass_.pass_id), names=["gold"]
    )

    assert names == ["gold"]
    page = listing.list_passes_of_tag(
        platform, project_id=tenant.project_id, segment="gold", facets=None, request=PageRequest()
    )
    assert [found.pass_id for found in page.items] == [pass_.pass_id]
    stack.drain()
    consistent(tenant.project_id)


def test_a_new_pass_keeps_the_tag_that_was_emptied_while_it_was_issued(
    stack: Stack, tenant: Tenant, consistent: Consistent
) -> None:
    make_passes(tenant.project_id, 1, tags=["gold"])
    template = make_template(tenant.project_id)
    platform = get_platform()
    late = with_rival(
        platform,
        "passes",
        "create_passes",
        lambda: tagging.empty_tag(platform, project_id=tenant.project_id, segment="gold"),
    )

    pass_ = issuing.create_pass(
        late,
        project_id=tenant.project_id,
        template=TemplateReference(template_id=template.template_id),
        new=NewPass(update=ContentUpdate(), tag_names=("gold",)),
    )

    assert tenant.call("GET", f"/v1/pass/{pass_.pass_id}")["tags"] == ["gold"]
    stack.drain()
    consistent(tenant.project_id)


def test_what_was_stored_is_told_even_if_a_later_group_fails(tenant: Tenant) -> None:
    template = make_template(tenant.project_id)
    platform = get_platform()

    class FailsAfterTheFirst:
        calls = 0

        def __getattr__(self, name: str) -> Any:
            if name == "create_passes":
                self.calls += 1
                if self.calls > 1:
                    raise RuntimeError("a fault of ours")
            return getattr(platform.passes, name)

    outcomes = issuing.create_passes(
        replace(platform, passes=cast(Any, FailsAfterTheFirst())),
        project_id=tenant.project_id,
        template=TemplateReference(template_id=template.template_id),
        new=[NewPass(update=ContentUpdate())] * 200,
    )

    stored = [outcome for outcome in outcomes if isinstance(outcome, Pass)]
    assert 0 < len(stored) < 200
    assert tenant.call("GET", "/v1/pass")["count"] == len(stored)


@pytest.mark.parametrize("kind", [TransactWriteError, QueryError])
def test_an_answer_that_never_comes_is_busy_whatever_the_call(kind: Any) -> None:
    with pytest.raises(Busy), translated():
        raise kind("no answer", ReadTimeoutError(endpoint_url="http://storage"))
