"""Issuing passes over a store kept in memory: what a pass is made of, who is refused, what others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chalicelib.domain.campaigns import LONGEST_CODE_BYTES, CampaignState, CodeType
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.errors import AlreadyExists, Busy, Conflict, InvalidRequest, NotFound, PasselError, StateRefused
from chalicelib.domain.issuing import Outcome, PassNumbers, create_pass, create_passes, delete_pass
from chalicelib.domain.outgoing import Outgoing
from chalicelib.domain.passes import NewPass, Pass, PassReference, PassStatus
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import PassworksReceiver, Receiver
from chalicelib.domain.tags import Tag, TagReference
from chalicelib.domain.templates import Template, TemplateReference
from tests.support.samples import BOUNDS, MOMENT, sample_tag
from tests.unit.domain.test_campaign_drafts import _template as make_template

LATER = MOMENT.replace(year=2027)
TEMPLATE = make_template(Content(fields={"Points": Entry({"fieldType": "primary", "value": "0"})}))


@dataclass
class Scene:
    """One template and its passes. What happens `before_write` is another request's doing, in between."""

    template: Template | None = TEMPLATE
    tags: dict[str, Tag] = field(default_factory=lambda: {"gold": sample_tag(7, "gold")})
    passes: dict[int, Pass] = field(default_factory=dict)
    taken: dict[str, str] = field(default_factory=dict)
    """external id or code that is in use, and which of the two it is"""
    listens: bool = False
    group: int = 10
    before_write: Callable[[], None] = lambda: None
    told: list[Any] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            templates=self,
            tags=SimpleNamespace(get_tags=self.get_tags),
            passes=self,
            sequences=self,
            receivers=self,
            queues=self,
            registrations=self,
            now=lambda: MOMENT,
            bounds=replace(BOUNDS, tags_per_pass=2),
            new_uuid=lambda number: f"uuid {number}",
            new_token=lambda: f"token {len(self.told)}",
            receipt_for=lambda pass_: f"receipt {pass_.pass_id}",
            withdraw=lambda: self.told.append("withdrawn"),
        )
        return cast(Platform, parts)

    def find_template_id(self, *, project_id: int, reference: TemplateReference) -> int | None:
        return reference.template_id if project_id == 1 else None

    def get_template(self, *, project_id: int, template_id: int) -> Template | None:
        return self.template if (project_id, template_id) == (1, 1) else None

    def allocate_pass_ids(self, *, project_id: int, count: int, now: datetime) -> tuple[list[int], datetime]:
        assert (project_id, now) == (1, MOMENT)
        return list(range(100, 100 + count)), LATER

    def next_values(self, *, name: str, count: int, now: datetime) -> tuple[int, datetime]:
        self.told.append((name, count, now))
        return 50, LATER

    def get_tags(
        self, *, project_id: int, names: Sequence[str] = (), tag_ids: AbstractSet[int] | Sequence[int] = ()
    ) -> tuple[dict[str, Tag], dict[int, Tag]]:
        assert project_id == 1
        by_id = {tag.tag_id: tag for tag in self.tags.values() if tag.tag_id in tag_ids}
        return {name: self.tags[name] for name in names if name in self.tags}, by_id

    def group_new_passes(
        self, passes: Sequence[tuple[Pass, Sequence[str]]], *, new_tag_names: AbstractSet[str]
    ) -> list[int]:
        self.told.append(("grouped", [list(names) for _, names in passes], sorted(new_tag_names)))
        whole, rest = divmod(len(passes), self.group)
        return [self.group] * whole + ([rest] if rest else [])

    def create_passes(
        self,
        passes: Sequence[tuple[Pass, Sequence[Tag]]],
        *,
        new_tags: Sequence[Tag],
        outgoing: Sequence[Outgoing],
        receipt: object,
    ) -> dict[int, str]:
        self.before_write()
        assert receipt == f"receipt {passes[0][0].pass_id}"
        taken = {
            position: self.taken[name]
            for position, (pass_, _) in enumerate(passes)
            for name in (pass_.external_id, pass_.redeem_code)
            if name in self.taken
        }
        if not taken:
            self.tags |= {tag.name: tag for tag in new_tags}
            self.passes |= {pass_.pass_id: pass_ for pass_, _ in passes}
        return taken

    def find_receiver(self, project_id: int) -> Receiver | None:
        return Receiver(project_id=1, secret="s", passworks=PassworksReceiver(url="u")) if self.listens else None

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        self.sent += messages

    def find_pass_id(self, *, project_id: int, reference: PassReference) -> int | None:
        return reference.pass_id if project_id == 1 else None

    def get_pass(self, *, project_id: int, pass_id: int) -> Pass | None:
        return self.passes.get(pass_id) if project_id == 1 else None

    def add_tags(self, pass_: Pass, *, kept: object, added: Sequence[Tag], new_tags: Sequence[Tag]) -> None:
        self.tags |= {tag.name: tag for tag in new_tags}
        references = frozenset(TagReference(tag.tag_id, tag.generation) for tag in added)
        self.passes[pass_.pass_id] = replace(pass_, tags=references)

    def delete_pass(self, pass_: Pass, *, live: object, registrations: Sequence[object], now: datetime) -> None:
        self.before_write()
        self.told.append(("deleted", pass_.pass_id, live, len(registrations), now))
        del self.passes[pass_.pass_id]

    def list_of_pass(self, *, pass_id: int, limit: int) -> list[str]:
        return [f"device {number}" for number in range(min(limit, self.passes[pass_id].registrations))]

    def unregister(
        self, *, before: Pass, after: Pass, registrations: Sequence[object], live: object, now: datetime
    ) -> None:
        assert (live, now) == ([], MOMENT)
        self.told.append(("unregistered", len(registrations)))
        self.passes[before.pass_id] = after

    def create(self, *new: NewPass | InvalidRequest, **more: Any) -> list[Outcome]:
        reference = TemplateReference(template_id=1)
        return create_passes(self.platform, project_id=1, template=reference, new=new, **more)

    def delete(self, **more: Any) -> Pass:
        return delete_pass(self.platform, project_id=1, reference=PassReference(pass_id=100), **more)


def new(external_id: str | None = None, *tag_names: str, code: str | None = None, **more: Any) -> NewPass:
    headers: dict[str, dict[str, Any]] = {} if code is None else {"barcode_value": {"value": code}}
    return NewPass(update=ContentUpdate(headers=headers), external_id=external_id, tag_names=tag_names, **more)


def refusal(outcome: Outcome) -> tuple[str | None, str]:
    assert isinstance(outcome, InvalidRequest)
    return outcome.field, outcome.problem


EXTERNAL_ID_TAKEN = ("externalId", "'a' is already in use in this template")
CODE_TAKEN = ("barcode.message", "(/v1: headers.barcode_value) is taken")
OWN_CODES = replace(TEMPLATE, campaign=replace(TEMPLATE.campaign, code_type=CodeType.PER_PASS))


def test_a_pass_is_made_of_its_template_its_request_and_fresh_numbers() -> None:
    scene = Scene()
    update = ContentUpdate(fields={"Points": {"value": "5"}})

    (issued,) = scene.create(NewPass(update=update, external_id="a", public_type="single", tag_names=("gold", "new")))

    assert isinstance(issued, Pass)
    assert scene.passes == {100: issued}
    assert scene.tags["new"] == Tag(project_id=1, tag_id=50, name="new", generation=1, created_at=LATER)
    assert issued == Pass(
        pass_id=100,
        project_id=1,
        template_id=1,
        serial_number="uuid 100",
        redeem_code=issued.redeem_code,
        has_own_code=False,
        external_id="a",
        authentication_token="token 1",
        download_token="token 1",
        public_type="single",
        status=PassStatus.NOT_BEEN_INSTALLED,
        installed_at=None,
        uninstalled_at=None,
        platform=None,
        tags=frozenset({TagReference(7, 1), TagReference(50, 1)}),
        content=issued.content,
        version=1,
        last_modified=int(LATER.timestamp()),
        changed_ticket=0,
        revision=1,
        created_at=LATER,
        updated_at=LATER,
    )
    assert issued.content.fields["Points"].attributes == {"fieldType": "primary", "value": "5"}
    assert issued.content.lists["description"] == "Card"
    assert [name for name, *_ in scene.told] == ["codes:1", "grouped", "tags:1"]
    assert scene.told[1] == ("grouped", [["gold", "new"]], ["new"])
    assert scene.sent == []


def test_each_stands_alone_and_keeps_its_place() -> None:
    unreadable = InvalidRequest("is no object", field="passes")
    scene = Scene(group=1)

    outcomes = scene.create(unreadable, new("a"), new("a"), new("b"), new(None), new(None, "x", "y", "z"))

    assert outcomes[0] is unreadable
    assert refusal(outcomes[2]) == EXTERNAL_ID_TAKEN
    assert refusal(outcomes[5]) == ("tags", "a pass has at most 2 tags")
    issued = [outcomes[place] for place in (1, 3, 4)]
    assert issued == list(scene.passes.values())
    assert [pass_.pass_id for pass_ in scene.passes.values()] == [100, 101, 102]
    assert len({pass_.redeem_code for pass_ in scene.passes.values()}) == 3


def test_two_with_one_tag_less_than_the_limit_or_as_many_are_issued() -> None:
    assert all(isinstance(each, Pass) for each in Scene().create(new(None, "x"), new(None, "x", "y")))


def test_numbers_that_were_taken_before_are_used_by_place() -> None:
    scene = Scene()

    outcomes = scene.create(InvalidRequest("x"), new(), numbers=PassNumbers([7, 8], MOMENT))

    (issued,) = scene.passes.values()
    assert outcomes[1] == issued
    assert (issued.pass_id, issued.created_at) == (8, MOMENT)


def test_an_external_id_or_a_code_that_is_taken_refuses_nobody_else() -> None:
    scene = Scene(OWN_CODES, taken={"a": "external id", "12": "code"})

    outcomes = scene.create(new("a", code="10"), new("b", code="12"), new("c", code="11"), new("d", code="11"))

    assert [refusal(outcomes[place]) for place in (0, 1, 3)] == [EXTERNAL_ID_TAKEN, CODE_TAKEN, CODE_TAKEN]
    assert all(isinstance(outcomes[place], AlreadyExists) for place in (0, 1, 3))
    (issued,) = scene.passes.values()
    assert outcomes[2] == issued
    assert (issued.redeem_code, issued.has_own_code, issued.external_id) == ("11", True, "c")


@pytest.mark.parametrize("code", [None, "", "x" * 1025])
def test_where_each_pass_brings_its_own_code_one_without_is_refused(code: str | None) -> None:
    (outcome,) = Scene(OWN_CODES).create(new(code=code))

    assert refusal(outcome) == (
        "barcode.message",
        f"(/v1: headers.barcode_value) is required, 1 to {LONGEST_CODE_BYTES} bytes: each pass's own code",
    )
    assert isinstance(Scene(OWN_CODES).create(new(code="x" * LONGEST_CODE_BYTES))[0], Pass)


def test_receivers_are_told_of_a_group_in_one_message_once_it_is_stored() -> None:
    scene = Scene(listens=True, taken={"a": "external id"})

    scene.create(new("a"), new("b"), new("c"))

    (message,) = scene.sent
    assert len(cast(Sequence[Any], message.document["events"])) == 2


def test_one_pass_is_issued_or_its_refusal_raised() -> None:
    reference = TemplateReference(template_id=1)

    assert create_pass(Scene().platform, project_id=1, template=reference, new=new("a")).external_id == "a"
    with pytest.raises(AlreadyExists):
        create_pass(Scene(taken={"a": "external id"}).platform, project_id=1, template=reference, new=new("a"))


@pytest.mark.parametrize("state", [state for state in CampaignState if state is not CampaignState.PUBLISHED])
def test_a_campaign_that_is_paused_or_archived_makes_no_passes(state: CampaignState) -> None:
    scene = Scene(replace(TEMPLATE, campaign=replace(TEMPLATE.campaign, state=state)))

    with pytest.raises(StateRefused, match=f"Can't create a pass while {state}"):
        scene.create(new())


def test_without_its_template_there_is_no_pass() -> None:
    with pytest.raises(NotFound, match=r"^template .* was not found"):
        Scene(None).create(new())


@pytest.mark.parametrize("error", [Busy("later"), RuntimeError("unforeseen")])
def test_a_group_that_cannot_be_stored_stops_no_other(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(group=2)
    calls = iter([error, None])

    def fail() -> None:
        if (problem := next(calls)) is not None:
            raise problem

    scene.before_write = fail

    outcomes = scene.create(new("a"), new("b"), new("c"))

    assert outcomes[:2] == [error, error]
    assert [pass_.external_id for pass_ in scene.passes.values()] == ["c"]
    assert caplog.messages == ([] if isinstance(error, PasselError) else ["group 0 of new passes could not be stored"])


def test_a_template_that_is_deleted_meanwhile_takes_its_new_passes_along() -> None:
    scene = Scene()

    def delete() -> None:
        scene.template = None
        scene.before_write = lambda: None

    scene.before_write = delete

    outcomes = scene.create(new("a"), InvalidRequest("x"))

    assert str(outcomes[0]) == "template 1 was not found"
    assert (scene.passes, scene.told[-1]) == ({}, "withdrawn")


def test_a_tag_that_is_emptied_meanwhile_is_put_on_again() -> None:
    scene = Scene()
    scene.before_write = lambda: scene.tags.update(gold=sample_tag(7, "gold", generation=2))

    scene.create(new("a", "gold"), new("b"))

    assert scene.passes[100].tags == {TagReference(7, 2)}
    assert scene.passes[101].tags == frozenset()


# Deleting


def held(devices: int) -> Scene:
    scene = Scene()
    scene.create(new("a", "gold"))
    scene.passes[100] = replace(scene.passes[100], registrations=devices, status=PassStatus.INSTALLED)
    scene.told.clear()
    return scene


@pytest.mark.parametrize(("devices", "portions", "last"), [(0, [], 0), (20, [], 20), (21, [20], 1), (45, [20, 20], 5)])
def test_a_pass_goes_with_its_devices_which_go_before_it_where_they_are_many(
    devices: int, portions: list[int], last: int
) -> None:
    scene = held(devices)

    assert scene.delete().external_id == "a"
    assert scene.passes == {}
    assert scene.told == [
        *(("unregistered", portion) for portion in portions),
        ("deleted", 100, [TagReference(7, 1)], last, MOMENT),
    ]


def test_what_is_expected_is_asked_before_anything_is_removed_and_not_again() -> None:
    scene = held(25)
    seen: list[int] = []

    scene.delete(expect=lambda pass_: seen.append(pass_.registrations))

    assert seen == [25]


@pytest.mark.parametrize(("may_be_written", "found"), [(True, True), (False, False)])
def test_who_finds_gone_what_its_own_try_may_have_deleted_has_deleted_it(may_be_written: bool, found: bool) -> None:
    scene = held(0)

    def vanish() -> None:
        del scene.passes[100]
        raise Conflict(may_be_written=may_be_written)

    scene.before_write = vanish

    if found:
        assert scene.delete().pass_id == 100
    else:
        with pytest.raises(NotFound):
            scene.delete()


def test_a_list_of_devices_that_is_behind_is_read_again() -> None:
    scene = held(2)
    listed = iter([[], ["a device", "another"]])
    scene.list_of_pass = lambda **_: next(listed)  # type: ignore[method-assign]

    scene.delete()

    assert scene.told == [("deleted", 100, [TagReference(7, 1)], 2, MOMENT)]
