"""Campaigns and their looks over a store kept in memory: which rules are broken by what, and what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from chalicelib.domain.campaign_drafts import CampaignDraft, ContentDraft
from chalicelib.domain.campaign_editing import create_campaign, update_campaign
from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.content import Content, Entry
from chalicelib.domain.errors import AlreadyExists, InvalidRequest, Refused
from chalicelib.domain.look_editing import create_look, create_look_for_campaign
from chalicelib.domain.looks import Look
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import APPLE, Template, TemplateReference
from tests.support.samples import BOUNDS, MOMENT

ICON, STRIP = ("8a2f6a3e-8a5b-4a0e-9d1f-00000000000" + digit for digit in "12")
LOOK = Content(headers={"logo_text": Entry({"value": "Acme"})}, lists={"style": "eventTicket", "icon_id": ICON})


@dataclass
class Scene:
    """Images, names and looks of project 1. The writes that are in `failing` are refused."""

    images: list[str] = field(default_factory=lambda: [ICON, STRIP])
    names: list[str] = field(default_factory=lambda: ["Taken"])
    looks_: dict[str, Look] = field(default_factory=dict)
    templates_: list[Template] = field(default_factory=list)
    failing: list[Exception] = field(default_factory=list)
    loses_images: bool = False
    told: list[Any] = field(default_factory=list)
    numbers: int = 40

    @property
    def platform(self) -> Platform:
        parts: Any = SimpleNamespace(
            assets=self,
            looks=self,
            templates=self,
            sequences=self,
            now=lambda: MOMENT,
            bounds=replace(BOUNDS, locations=2),
            new_uuid=lambda number: str(UUID(int=number)),
            receipt_for=self.receipt_for,
            withdraw=lambda: self.told.append("withdrawn"),
        )
        return cast(Platform, parts)

    def receipt_for(self, made: object) -> str:
        self.told.append(f"receipt of a {type(made).__name__}")
        return "receipt"

    def get_asset(self, *, project_id: int, number: int) -> Any:
        found = [image for image in self.images if image.endswith(str(number))] if project_id == 1 else []
        return SimpleNamespace(asset_id=found[0]) if found else None

    def list_headers(self, *, project_id: int) -> list[Any]:
        return [SimpleNamespace(name=name) for name in self.names] if project_id == 1 else []

    def list_looks(self, *, project_id: int) -> list[Look]:
        return list(self.looks_.values()) if project_id == 1 else []

    def next_values(self, *, name: str, count: int, now: datetime) -> tuple[int, datetime]:
        assert (name in ("looks:1", "templates"), count, now) == (True, 1, MOMENT)
        self.numbers += 1
        return self.numbers, MOMENT

    def create_look(self, look: Look, *, receipt: object) -> None:
        if look.name in {each.name for each in self.looks_.values()}:
            raise AlreadyExists("is taken", field="name")
        self.told.append((look.name, receipt))
        self.looks_[look.look_id] = look
        if self.loses_images:
            self.images.clear()

    def delete_look(self, look: Look) -> bool:
        return self.looks_.pop(look.look_id, None) is not None

    def create_template(self, template: Template, *, receipt: object) -> None:
        if self.failing:
            raise self.failing.pop()
        self.templates_.append(template)

    def find_template_id(self, *, project_id: int, reference: TemplateReference) -> int | None:
        return reference.template_id if project_id == 1 else None

    def get_template(self, *, project_id: int, template_id: int) -> Template | None:
        return {each.template_id: each for each in self.templates_}.get(template_id) if project_id == 1 else None

    def update_template(self, *, before: Template, after: Template) -> None:
        assert before in self.templates_
        self.templates_ = [after if each == before else each for each in self.templates_]

    def create(self, campaign_type: str = "event_tickets", **parts: Any) -> Template:
        options = parts.pop("options", {})
        name, fields = parts.pop("name", "Ball"), parts.pop("fields", {})
        content = ContentDraft(fields=fields, parts={"icon_id": ICON, **parts})
        draft = CampaignDraft(name=name, description=None, content=content, options=options)
        return create_campaign(self.platform, project_id=1, campaign_type=campaign_type, draft=draft)


def refusal(call: Callable[[], object]) -> tuple[str | None, str]:
    with pytest.raises(InvalidRequest) as refused:
        call()
    return refused.value.field, refused.value.problem


def test_a_campaign_is_stored_with_a_look_of_its_own() -> None:
    scene = Scene()

    template = scene.create(fields={"Seat": {"fieldType": "primary", "value": "1"}}, locations=[{"latitude": 1}])

    (look,) = scene.looks_.values()
    assert (look.name, look.source, look.description) == ("Template for Ball", "campaign", "")
    assert (look.look_id, look.number, look.project_id, look.created_at) == (str(UUID(int=41)), 41, 1, MOMENT)
    assert (look.content.fields, look.style, look.content.lists["icon_id"]) == ({}, "eventTicket", ICON)
    assert scene.templates_ == [template]
    assert template == Template(
        template_id=42,
        project_id=1,
        campaign_id=str(UUID(int=42)),
        external_id=None,
        name="Ball",
        description="",
        type="Event Ticket",
        project_type="eventTicket",
        vendor=APPLE,
        created_at=MOMENT,
        updated_at=MOMENT,
        content=template.content,
        revision=1,
        # no other campaign can have its name, even one that is made at the same time
        campaign=CampaignOptions(codes_in_barcodes=True, has_unique_name=True, look_id=str(UUID(int=41))),
    )
    assert template.content.fields["Seat"].attributes["value"] == "1"
    assert template.content.lists["locations"] == [{"id": 1, "latitude": 1}]
    # the request is answered with the campaign, so its repeat is too
    assert scene.told == [("Template for Ball", None), "receipt of a Template"]


@pytest.mark.parametrize(
    ("campaign_type", "parts", "field", "problem"),
    [
        ("coupons", {"name": None}, "name", "can't be blank"),
        ("coupons", {"name": " "}, "name", "can't be blank"),
        ("coupons", {"name": "Taken"}, "name", "is taken"),
        ("coupons", {"icon_id": None}, "icon_id", "can't be blank, unless there is a template_id"),
        ("coupons", {"strip_id": ICON[:-1] + "3"}, "strip_id", "is not an asset of this account"),
        ("coupons", {"strip_id": "x"}, "strip_id", "is not an asset of this account"),
        ("coupons", {"locations": [{}, {}, {}]}, "locations", "has more than 2 entries"),
        ("coupons", {"max_distance": 101}, "max_distance", "must be at most 100 metres"),
        ("boarding_passes", {}, "transit_type", "must be one of air, boat, train, bus, generic"),
        ("boarding_passes", {"transit_type": "car"}, "transit_type", "must be one of air, boat, train, bus, generic"),
        (
            "event_tickets",
            {"background_id": STRIP, "strip_id": STRIP},
            "background_id",
            "can't be used together with strip_id",
        ),
        (
            "coupons",
            {"options": {"code_type": "fixed"}},
            "code_fixed_value",
            "can't be blank with code_type fixed",
        ),
    ],
)
def test_a_campaign_that_breaks_a_rule_is_refused(
    campaign_type: str, parts: dict[str, Any], field: str, problem: str
) -> None:
    scene = Scene()

    assert refusal(lambda: scene.create(campaign_type, **parts)) == (field, problem)
    assert (scene.templates_, scene.looks_) == ([], {})


@pytest.mark.parametrize(
    ("campaign_type", "parts"),
    [
        ("event_tickets", {"background_id": STRIP}),
        ("event_tickets", {"strip_id": STRIP}),
        ("coupons", {"background_id": STRIP, "strip_id": STRIP}),
        ("boarding_passes", {"transit_type": "air"}),
        ("coupons", {"locations": [{}, {}]}),
        ("coupons", {"options": {"code_type": "fixed", "code_fixed_value": "x"}}),
    ],
)
def test_what_breaks_no_rule_is_stored(campaign_type: str, parts: dict[str, Any]) -> None:
    assert Scene().create(campaign_type, **parts).campaign_type == campaign_type


def test_a_campaign_that_is_refused_after_all_leaves_no_look() -> None:
    scene = Scene(failing=[AlreadyExists("is taken", field="name")])

    with pytest.raises(Refused):
        scene.create()
    assert scene.looks_ == {}


def test_a_campaign_may_take_another_look_and_keeps_what_no_look_has() -> None:
    scene = Scene()
    template = scene.create(fields={"Seat": {"fieldType": "primary", "value": "1"}}, strip_id=STRIP)
    other = create_look(scene.platform, project_id=1, name="A", description="", content=LOOK)

    changed = update_campaign(scene.platform, template, draft=CampaignDraft(look_id=other.look_id))

    assert scene.templates_ == [changed]
    assert (changed.campaign.look_id, changed.name, changed.revision) == (other.look_id, "Ball", 2)
    assert changed.content.fields == template.content.fields
    assert changed.content.headers["logo_text"].attributes["value"] == "Acme"
    assert not changed.content.lists.get("strip_id")


def test_what_changes_the_look_of_a_campaign_makes_a_new_one() -> None:
    scene = Scene()
    template = scene.create()

    changed = update_campaign(
        scene.platform, template, draft=CampaignDraft(name="Gala", content=ContentDraft(parts={"strip_id": STRIP}))
    )

    assert changed.name == "Gala"
    assert [look.name for look in scene.looks_.values()] == ["Template for Ball", "Template for Gala"]
    assert changed.campaign.look_id == list(scene.looks_)[1] != template.campaign.look_id
    with pytest.raises(AlreadyExists):
        update_campaign(scene.platform, changed, draft=CampaignDraft(name="Taken"))


# Looks


def test_the_look_of_a_campaign_takes_the_first_free_name_and_has_the_style_of_the_campaign() -> None:
    scene = Scene()

    def create() -> Look:
        return create_look_for_campaign(
            scene.platform, project_id=1, campaign_name="Ball", style="storeCard", content=LOOK
        )

    looks = [create() for _ in range(3)]
    assert [look.name for look in looks] == ["Template for Ball", "Template for Ball-1", "Template for Ball-2"]
    assert {look.style for look in looks} == {"storeCard"}
    assert looks[0].content.headers == LOOK.headers
    # and where another request was quicker, the next one
    seen = scene.list_looks
    scene.list_looks = lambda *, project_id: seen(project_id=project_id)[:2]  # type: ignore[method-assign]
    assert create().name == "Template for Ball-3"


def test_a_look_that_was_asked_for_is_kept_for_the_repeat_of_its_request() -> None:
    scene = Scene()

    look = create_look(scene.platform, project_id=1, name="A", description="B", content=LOOK)

    assert (look.source, look.description) == ("api", "B")
    assert scene.told == ["receipt of a Look", ("A", "receipt")]


def test_a_look_needs_an_icon_of_the_project() -> None:
    def create(**lists: str) -> Callable[[], object]:
        content = Content(lists={"style": "coupon", **lists})
        return lambda: create_look(Scene().platform, project_id=1, name="A", description="", content=content)

    assert refusal(create()) == ("icon_id", "can't be blank")
    assert refusal(create(icon_id="x")) == ("icon_id", "is not an asset of this account")


@pytest.mark.parametrize(("source", "last"), [("api", "withdrawn"), ("campaign", ("A", None))])
def test_a_look_whose_image_was_deleted_meanwhile_goes_again(source: str, last: object) -> None:
    scene = Scene(loses_images=True)

    assert refusal(
        lambda: create_look(scene.platform, project_id=1, name="A", description="", content=LOOK, source=source)
    ) == ("icon_id", "is not an asset of this account")
    assert (scene.looks_, scene.told[-1]) == ({}, last)
