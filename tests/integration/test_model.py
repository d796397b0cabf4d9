"""Random histories of a project, compared with a plain model: every total, every page, every filter, every order."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chalicelib.domain import issuing, listing, tagging
from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.paging import PageRequest
from chalicelib.domain.passes import NewPass, Pass, PassReference, PassStatus
from chalicelib.domain.templates import TemplateReference
from chalicelib.wiring import get_platform
from tests.integration.conftest import Consistent
from tests.support import devices
from tests.support.builders import make_template, skip_pass_ids
from tests.support.profiles import WITHOUT_SHRINKING, examples
from tests.support.project_model import FILTERS, LARGEST_TAGS, ORDERS, Model, ModelPass
from tests.support.stack import Stack, Tenant

NAMES = [f"tag {number}" for number in range(18)]
TEMPLATES = 2
SEGMENTS = 3
"""in which every history begins"""

_names = st.lists(st.sampled_from(NAMES[:5]), max_size=4)
_many_names = st.lists(st.sampled_from(NAMES), min_size=1, max_size=9)
_which = st.integers(0, 10_000)
_pages = st.builds(
    PageRequest,
    page=st.integers(1, 4),
    size=st.integers(1, 7),
    order=st.sampled_from(ORDERS),
    descending=st.booleans(),
)


class ProjectMachine(RuleBasedStateMachine):
    """One project, made anew for each history."""

    def __init__(self, stack: Stack, consistent: Consistent) -> None:
        super().__init__()
        self.stack = stack
        self.consistent = consistent
        self.platform = get_platform()
        self.model = Model()

    @initialize()
    def begin(self) -> None:
        self.tenant: Tenant = self.stack.tenant()
        self.project_id = self.tenant.project_id
        self.templates = [make_template(self.project_id).template_id for _ in range(TEMPLATES)]
        for segment in range(SEGMENTS):
            self.create_in_bulk(template=segment % TEMPLATES, groups=[[NAMES[0]], [NAMES[0], NAMES[1]]])
            self.go_on_in_another_segment()

    def _some_pass(self, which: int) -> ModelPass:
        return list(self.model.passes.values())[which % len(self.model.passes)]

    def _note_created(self, pass_id: int, template_id: int, names: list[str]) -> None:
        stored = self._read(pass_id)
        self.model.passes[pass_id] = ModelPass(
            pass_id, template_id, stored.created_at, stored.updated_at, tags=set(names)
        )
        self._learn_tags(names)

    def _learn_tags(self, names: list[str]) -> None:
        """Tags that the model has not met get their ids; one known already must keep its own."""
        by_name, _ = self.platform.tags.get_tags(project_id=self.project_id, names=list(dict.fromkeys(names)))
        for name in names:
            assert self.model.tags.setdefault(name, by_name[name].tag_id) == by_name[name].tag_id

    def _read(self, pass_id: int) -> Pass:
        found = self.platform.passes.get_pass(project_id=self.project_id, pass_id=pass_id)
        assert found is not None
        return found

    @rule(template=st.integers(0, TEMPLATES - 1), names=_names)
    def create_over_http(self, template: int, names: list[str]) -> None:
        template_id = self.templates[template]
        body = {"tag": names[0]} if names else {}
        created = self.tenant.call("POST", f"/v1/pass/{template_id}", json=body)
        self._note_created(int(created["id"]), template_id, names[:1])

    @rule(template=st.integers(0, TEMPLATES - 1), groups=st.lists(_names, min_size=1, max_size=6))
    def create_in_bulk(self, template: int, groups: list[list[str]]) -> None:
        template_id = self.templates[template]
        outcomes = issuing.create_passes(
            self.platform,
            project_id=self.project_id,
            template=TemplateReference(template_id=template_id),
            new=[NewPass(update=ContentUpdate(), tag_names=tuple(names)) for names in groups],
        )
        for outcome, names in zip(outcomes, groups, strict=True):
            assert isinstance(outcome, Pass)
            self._note_created(outcome.pass_id, template_id, names)

    @rule()
    def go_on_in_another_segment(self) -> None:
        skip_pass_ids(self.project_id)

    @precondition(lambda self: self.model.passes)
    @rule(which=_which, names=_many_names, over_http=st.booleans())
    def tag(self, which: int, names: list[str], over_http: bool) -> None:
        pass_ = self._some_pass(which)
        expected = self.model.would_add(pass_.pass_id, names)
        fits = len(pass_.tags) + len(expected) <= LARGEST_TAGS
        if over_http:
            reply = self.tenant.request("PUT", f"/v1/pass/{pass_.pass_id}/tags", json={"tags": names})
            assert reply.status_code == (200 if fits else 400)
            added = reply.json().get("newTags")
        elif fits:
            added = tagging.add_tags(
                self.platform,
                project_id=self.project_id,
                reference=PassReference(pass_id=pass_.pass_id),
                names=names,
            )
        else:
            with pytest.raises(InvalidRequest):
                tagging.add_tags(
                    self.platform,
                    project_id=self.project_id,
                    reference=PassReference(pass_id=pass_.pass_id),
                    names=names,
                )
        if fits:
            assert added == expected
            pass_.tags |= set(expected)
            self._learn_tags(expected)

    @precondition(lambda self: self.model.passes)
    @rule(which=_which, name=st.sampled_from(NAMES))
    def untag(self, which: int, name: str) -> None:
        pass_ = self._some_pass(which)
        name = sorted(pass_.tags)[which % len(pass_.tags)] if pass_.tags and which % 4 else name
        arguments: dict[str, Any] = {
            "project_id": self.project_id,
            "segment": name.replace(" ", "%20"),
            "reference": PassReference(pass_id=pass_.pass_id),
        }
        if name in pass_.tags:
            assert tagging.remove_tag(self.platform, **arguments) == (self.model.tags[name], pass_.pass_id)
            pass_.tags.remove(name)
        else:
            with pytest.raises(NotFound):
                tagging.remove_tag(self.platform, **arguments)

    @precondition(lambda self: self.model.tags)
    @rule(which=_which, delete=st.booleans())
    def clear_a_tag(self, which: int, delete: bool) -> None:
        name = list(self.model.tags)[which % len(self.model.tags)]
        path = f"/v1/tag/{name}" if delete else f"/v1/tag/{name}/passes"
        cleared = self.tenant.call("DELETE", path)
        members = self.model.tagged(name)
        assert cleared == {"status": "success", "tagId": self.model.tags[name], "count": len(members)}
        for pass_ in members:
            pass_.tags.remove(name)
        if delete:
            del self.model.tags[name]

    @precondition(lambda self: self.model.passes)
    @rule(which=_which)
    def delete_a_pass(self, which: int) -> None:
        pass_ = self._some_pass(which)
        issuing.delete_pass(self.platform, project_id=self.project_id, reference=PassReference(pass_id=pass_.pass_id))
        del self.model.passes[pass_.pass_id]

    @precondition(lambda self: self.model.passes)
    @rule(which=_which)
    def install_or_remove(self, which: int) -> None:
        self._install_or_remove(which)

    @rule(which=_which, others=st.lists(_which, max_size=4))
    @precondition(lambda self: self.model.passes)
    def install_or_remove_several(self, which: int, others: list[int]) -> None:
        for each in (which, *others):
            self._install_or_remove(each)

    def _install_or_remove(self, which: int) -> None:
        pass_ = self._some_pass(which)
        here: dict[str, Any] = {"project_id": self.project_id, "pass_id": pass_.pass_id}
        if pass_.status is PassStatus.INSTALLED and which % 5:
            devices.remove(self.platform, **here)
            pass_.status = PassStatus.UNINSTALLED
        else:
            devices.install(self.platform, **here, device_platform="ios")
            pass_.status = PassStatus.INSTALLED

    @precondition(lambda self: self.model.passes)
    @rule(which=_which, value=st.sampled_from("012"))
    def update(self, which: int, value: str) -> None:
        pass_ = self._some_pass(which)
        self.tenant.call("PUT", f"/v1/pass/{pass_.pass_id}", json={"fields": {"Points": {"value": value}}})
        self._note_update(pass_, value)

    @precondition(lambda self: self.model.tags)
    @rule(which=_which, value=st.sampled_from("012"))
    def update_all_of_a_tag(self, which: int, value: str) -> None:
        name = list(self.model.tags)[which % len(self.model.tags)]
        self.tenant.call("PUT", f"/v1/tag/{name}/passes", json={"fields": {"Points": {"value": value}}})
        self.stack.drain()
        for pass_ in self.model.tagged(name):
            self._note_update(pass_, value)

    def _note_update(self, pass_: ModelPass, value: str) -> None:
        stored = self._read(pass_.pass_id)
        assert stored.content.fields["Points"].attributes["value"] == value
        if value == pass_.value:
            assert stored.updated_at == pass_.updated_at
        else:
            assert stored.updated_at >= pass_.updated_at
        pass_.value, pass_.updated_at = value, stored.updated_at

    @rule()
    def handle_every_message(self) -> None:
        self.stack.drain()

    @rule(which=_which, status=st.sampled_from(FILTERS), request=_pages)
    def look_at_a_page(self, which: int, status: str | None, request: PageRequest) -> None:
        lists = self._lists()
        path, passes = lists[which % len(lists)]
        self._compare(path, passes, status, request)

    def _lists(self) -> list[tuple[str, list[ModelPass]]]:
        """Every list of passes: its path, and the model's passes."""
        everything = list(self.model.passes.values())
        of_templates = [
            (f"/v1/template/{template_id}/passes", [each for each in everything if each.template_id == template_id])
            for template_id in self.templates
        ]
        of_tags = [(f"/v1/tag/{name}/passes", self.model.tagged(name)) for name in self.model.tags]
        return [("/v1/pass", everything), *of_templates, *of_tags]

    def _compare(self, path: str, passes: list[ModelPass], status: str | None, request: PageRequest) -> None:
        parameters: dict[str, Any] = {
            "page": request.page,
            "pageSize": request.size,
            "order": request.order,
            "direction": "DESC" if request.descending else "ASC",
        }
        if status is not None:
            parameters["status"] = status
        answer = self.tenant.call("GET", path, params=parameters)
        found = [int(each["id"]) for each in answer["passes"]]
        assert (found, answer["count"]) == self.model.page(passes, status, request), (path, status, request)

    def teardown(self) -> None:
        if not hasattr(self, "tenant"):
            return
        turn = 0
        for path, passes in self._lists():
            for status in FILTERS:
                turn += 1
                order, descending = ORDERS[turn % 3], turn % 2 == 0
                self._compare(path, passes, status, PageRequest(1, 1000, order, descending))
                self._compare(path, passes, status, PageRequest(2, 3, ORDERS[(turn + 1) % 3], not descending))
        self._compare_tags()
        self.consistent(self.project_id, swept=False)
        self.stack.drain()
        self.consistent(self.project_id)

    def _compare_tags(self) -> None:
        by_id = {tag_id: name for name, tag_id in self.model.tags.items()}
        for descending in (False, True):
            names = [by_id[tag_id] for tag_id in sorted(by_id, reverse=descending)]
            for page in (1, 2, 3):
                request = PageRequest(page, 4, "id", descending)
                found = listing.list_tags(self.platform, project_id=self.project_id, request=request)
                expected = names[request.offset : request.offset + request.size]
                assert ([tag.name for tag in found.items], found.total) == (expected, len(names))
        for pass_ in self.model.passes.values():
            listed = self.tenant.call("GET", f"/v1/pass/{pass_.pass_id}/tags")["tags"]
            assert [tag["id"] for tag in listed] == sorted(self.model.tags[name] for name in pass_.tags)


@pytest.mark.parametrize("gather_limit", [1000, 0], ids=["small lists sorted", "index by time walked"])
def test_a_project_behaves_like_the_model(
    stack: Stack, consistent: Consistent, monkeypatch: pytest.MonkeyPatch, gather_limit: int
) -> None:
    monkeypatch.setattr(listing, "GATHER_LIMIT", gather_limit)

    def build() -> ProjectMachine:
        return ProjectMachine(stack, consistent)

    run_state_machine_as_test(
        cast(type[RuleBasedStateMachine], build),
        settings=settings(max_examples=examples(3), stateful_step_count=40, phases=WITHOUT_SHRINKING),
    )
