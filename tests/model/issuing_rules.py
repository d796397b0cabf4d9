"""Templates and campaigns, passes one by one and many at once, in both dialects; and how they go."""

from __future__ import annotations

from copy import deepcopy
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import TYPES
from tests.contract.samples import TEMPLATE
from tests.model.base import (
    LARGEST_TAGS,
    NAMES,
    PASS_EXTERNAL_IDS,
    TEMPLATE_EXTERNAL_IDS,
    Base,
    grouped,
    names,
    pass_segment,
    pick,
    template_segment,
    values,
    values_of,
    which,
)
from tests.model.content import Entries, Shown
from tests.model.ledger import Pass, Project, Template
from tests.support.builders import skip_pass_ids

LARGEST_PROJECT = 5
"""templates in a project: enough, and a list of them takes one page"""

CAMPAIGN_NAMES = ("Card", "Paw Planet", "Offer")
KINDS = ("coupons", "store_cards", "generics")
NOTHING: tuple[Any, ...] = (None, {}, {"pass": {}}, {"pass": []})
"""bodies of clients that override nothing (passworks-v2, section 8)"""

_external_ids = st.none() | st.sampled_from(PASS_EXTERNAL_IDS)
_new_passes = st.lists(st.tuples(_external_ids, names, st.none() | values), min_size=1, max_size=4)


def _has_room(machine: Base) -> bool:
    return any(len(project.templates) < LARGEST_PROJECT for project in machine.world.projects)


class IssuingRules(Base):
    """What comes into being and goes."""

    def _project_with_room(self, number: int) -> Project:
        return pick([each for each in self.world.projects if len(each.templates) < LARGEST_PROJECT], number)

    @precondition(_has_room)
    @rule(
        project=which,
        kind=st.sampled_from(KINDS),
        name=st.sampled_from(CAMPAIGN_NAMES),
        form=st.integers(0, 2),
        external=st.sampled_from(TEMPLATE_EXTERNAL_IDS),
    )
    def create_template(self, project: int, kind: str, name: str, form: int, external: str) -> None:
        """In the Airship dialect, in each of its forms."""
        self.make_template(self._project_with_room(project), kind, name, external if form == 2 else None, form=form)

    def make_template(self, owner: Project, kind: str, name: str, external_id: str | None, *, form: int = 0) -> None:
        """A template, refused if its external id is taken."""
        project_path = f"/v1/template/{owner.tenant.project_id}"
        path = ("/v1/template", project_path, f"{project_path}/id/{external_id}")[form]
        body = {**TEMPLATE, "name": name, "type": TYPES[kind], "projectType": "generic"}
        self.touch(owner)
        if external_id is not None and any(each.external_id == external_id for each in owner.templates):
            self.refuse(owner, "POST", path, body, status=400)
            return
        template_id = self.call(owner, "POST", path, body)["templateId"]
        known = {each.campaign_id for each in owner.templates}
        campaigns = self.call(owner, "GET", f"/v2/{kind}?per_page=50")
        (campaign_id,) = [each["id"] for each in campaigns if each["id"] not in known]
        assert campaigns[-1]["id"] == campaign_id
        shown = Shown(deepcopy(TEMPLATE["fields"]), deepcopy(TEMPLATE["headers"]), {"description": "A card"})
        self._note(Template(owner, template_id, campaign_id, kind, name, external_id, shown))

    @precondition(_has_room)
    @rule(
        project=which,
        kind=st.sampled_from(KINDS),
        name=st.sampled_from(CAMPAIGN_NAMES),
        several=st.booleans(),
        dynamic=st.booleans(),
    )
    def create_campaign(self, project: int, kind: str, name: str, several: bool, dynamic: bool) -> None:
        """In the Passworks dialect; a name that any template has is taken."""
        self.make_campaign(self._project_with_room(project), kind, name, several=several, dynamic=dynamic)

    def make_campaign(self, owner: Project, kind: str, name: str, *, several: bool, dynamic: bool) -> None:
        """A campaign, refused if its name is taken."""
        fields: Entries = {
            "Points": {"fieldType": "primary", "value": "0", "label": "Points"},
            "Tier": {"fieldType": "secondary", "value": "Basic", "label": "Tier"},
        }
        if dynamic:
            fields["Points"]["behaviour"] = "dynamic"
        content = {"name": name, "icon_id": owner.icon_id, "allow_multiple_redeems": several, **grouped(fields)}
        body = {ROOTS[kind]: content}
        self.touch(owner)
        if any(each.name == name for each in owner.templates):
            self.refuse(owner, "POST", f"/v2/{kind}", body, status=422, code=10100)
            return
        made = self.call(owner, "POST", f"/v2/{kind}", body, status=201)
        (header,) = self.call(owner, "GET", "/v1/template/headers?pageSize=1")["templateHeaders"]
        assert header["name"] == name
        shown = Shown(fields, {}, {"description": name})
        template = Template(owner, int(header["id"]), made["id"], kind, name, None, shown)
        template.allow_multiple, template.is_campaign = several, True
        self._note(template)

    def _note(self, template: Template) -> None:
        owner = template.project
        assert template.template_id > max((each.template_id for each in self.templates), default=0)
        owner.templates.append(template)
        self.touch(template)

    @precondition(lambda self: self.templates)
    @rule(
        template=which, form=which, external=_external_ids, in_path=st.booleans(), tags=names, value=st.none() | values
    )
    def create_pass(
        self, template: int, form: int, external: str | None, in_path: bool, tags: list[str], value: str | None
    ) -> None:
        """In the Airship dialect; an external id that is taken in the template is refused."""
        parent = pick(self.templates, template)
        path = f"/v1/pass/{template_segment(parent, form)}"
        body = _airship_pass(external, tags, value)
        if external is not None and in_path:
            path += f"/id/{quote(body.pop('externalId'), safe='')}"
        self.touch(parent)
        if parent.state != "published" or _is_taken(parent, external):
            self.refuse(parent.project, "POST", path, body, status=400)
            return
        made = self.call(parent.project, "POST", path, body)
        assert (made["status"], made.get("externalId")) == ("not_been_installed", external)
        self._issue(parent, int(made["id"]), external, tags, value)

    @precondition(lambda self: self.templates)
    @rule(template=which, form=which, wanted=_new_passes, too_many=st.booleans())
    def create_passes(
        self, template: int, form: int, wanted: list[tuple[str | None, list[str], str | None]], too_many: bool
    ) -> None:
        """Many at once; each is made or refused by itself."""
        parent = pick(self.templates, template)
        path = f"/v1/pass/{template_segment(parent, form)}/bulk"
        entries: list[tuple[str | None, list[str], str | None]] = list(wanted)
        if too_many:
            entries.insert(1, (None, list(NAMES[: LARGEST_TAGS + 1]), None))
        body = {"passes": [_airship_pass(*entry) for entry in entries]}
        self.touch(parent)
        if parent.state != "published":
            self.refuse(parent.project, "POST", path, body, status=400)
            return
        answer = self.call(parent.project, "POST", path, body)
        made = 0
        for (external, tags, value), outcome in zip(entries, answer["passes"], strict=True):
            if _is_taken(parent, external) or len(set(tags)) > LARGEST_TAGS:
                assert outcome["error"]["code"] == 400, outcome
                continue
            made += 1
            self._issue(parent, int(outcome["id"]), external, tags, value)
        assert (answer["created"], answer["failed"]) == (made, len(entries) - made)

    @precondition(lambda self: self.templates)
    @rule(template=which, value=st.none() | values, extra=st.none() | values, form=which)
    def create_pass_of_campaign(self, template: int, value: str | None, extra: str | None, form: int) -> None:
        """In the Passworks dialect; with what clients send when they send nothing."""
        parent = pick(self.templates, template)
        own: Entries = {}
        if value is not None:
            own["Points"] = {"fieldType": "primary", "value": value}
        if extra is not None:
            own["Note"] = {"fieldType": "back", "value": extra}
        body: Any = {"pass": grouped(own)} if own else pick(NOTHING, form)
        path = f"{parent.path}/passes"
        self.touch(parent)
        if parent.state != "published":
            self.refuse(parent.project, "POST", path, body, status=412, code=10102)
            return
        made = self.call(parent.project, "POST", path, body, status=201)
        (newest,) = self.call(parent.project, "GET", "/v1/pass?pageSize=1")["passes"]
        assert newest["serialNumber"] == made["id"] == made["serial_number"]
        assert made["campaign_id"] == parent.campaign_id
        self._issue(parent, int(newest["id"]), None, [], None, own=own)

    def _issue(
        self,
        parent: Template,
        pass_id: int,
        external_id: str | None,
        tags: list[str],
        value: str | None,
        *,
        own: Entries | None = None,
    ) -> None:
        """Notes a pass that was made. What is in its headers is learnt: barcodes and codes are the server's choice."""
        owner = parent.project
        assert pass_id > max((each.pass_id for each in owner.passes), default=0)
        seen = self.call(owner, "GET", f"/v1/pass/{pass_id}")
        base = Shown(deepcopy(parent.shown.fields), seen["headers"], dict(parent.shown.parts))
        for name, attributes in (own if own is not None else _written(value)).items():
            base.fields.setdefault(name, {}).update(attributes)
        made = Pass(parent, pass_id, seen["serialNumber"], external_id, base, base)
        made.url = seen["url"]
        made.changed = True  # its times are still to be learnt
        owner.passes.append(made)
        owner.put_on(made, tags)
        parent.events["creates"] += 1
        self.touch(made)

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, form=which, in_campaign=st.booleans(), again=st.booleans())
    def delete_pass(self, which_pass: int, form: int, in_campaign: bool, again: bool) -> None:
        """In either dialect; a second time there is nothing to delete. Its external id is free again."""
        gone = pick(self.passes, which_pass)
        owner = gone.template.project
        self.touch(gone)
        if in_campaign:
            assert self.call(owner, "DELETE", gone.path, {}) == {"errors": []}
            self.refuse(owner, "DELETE", gone.path, status=412, code=10104)
        else:
            segment, status = pass_segment(gone, form)
            if status != 200:
                self.refuse(owner, "DELETE", f"/v1/pass/{segment}", status=status)
                return
            answer = self.call(owner, "DELETE", f"/v1/pass/{segment}")
            assert answer == {"Status": "Deleted", "PassID": str(gone.pass_id)}
            self.refuse(owner, "DELETE", f"/v1/pass/{gone.pass_id}", status=404)
        owner.drop(gone)
        self.world.deleted.append(gone)
        if again and gone.external_id is not None:
            self.create_pass(self.templates.index(gone.template), 0, gone.external_id, False, ["gold"], None)

    @precondition(lambda self: self.templates)
    @rule(template=which, form=which, in_campaign=st.booleans())
    def delete_template(self, template: int, form: int, in_campaign: bool) -> None:
        """Refused in the Airship dialect while there are passes; in the other one they go with it."""
        gone = pick(self.templates, template)
        owner = gone.project
        self.touch(gone)
        path = f"/v1/template/{template_segment(gone, form)}"
        if not in_campaign and gone.passes:
            self.refuse(owner, "DELETE", path, status=400)
            return
        if in_campaign:
            assert self.call(owner, "DELETE", gone.path) == {"errors": []}
            self.refuse(owner, "DELETE", gone.path, status=412, code=10104)
        else:
            answer = self.call(owner, "DELETE", path)
            assert answer == {"Status": "Deleted", "TemplateID": str(gone.template_id)}
            self.refuse(owner, "DELETE", f"/v1/template/{gone.template_id}", status=404)
        for each in gone.passes:
            owner.drop(each)
            self.world.deleted.append(each)
        gone.deleted = True
        owner.templates.remove(gone)

    @rule(project=which)
    def go_on_in_another_segment(self, project: int) -> None:
        """As if a thousand passes had been made: lists and bulk updates of the project have one more part."""
        skip_pass_ids(pick(self.world.projects, project).tenant.project_id)

    @precondition(lambda self: self.templates)
    @rule(template=which, verb=st.sampled_from(("pause", "resume", "resume", "archive")), rarely=st.integers(0, 2))
    def change_state(self, template: int, verb: str, rarely: int) -> None:
        """Pause, resume or, rarely, archive."""
        campaign = pick(self.templates, template)
        verb = "resume" if verb == "archive" and rarely else verb
        state = {"pause": "paused", "resume": "published", "archive": "archived"}[verb]
        self.touch(campaign)
        if campaign.state in ("archived", state):
            self.refuse(campaign.project, "POST", f"{campaign.path}/{verb}", status=412, code=10102)
            return
        assert self.call(campaign.project, "POST", f"{campaign.path}/{verb}")["state"] == state
        campaign.state = state


def _airship_pass(external_id: str | None, tags: list[str], value: str | None) -> dict[str, Any]:
    body: dict[str, Any] = {"fields": values_of(_written(value))}
    if external_id is not None:
        body["externalId"] = external_id
    if tags:
        body["tags"] = tags
    return body


def _written(value: str | None) -> Entries:
    return {} if value is None else {"Points": {"value": value}}


def _is_taken(parent: Template, external_id: str | None) -> bool:
    return external_id is not None and any(each.external_id == external_id for each in parent.passes)
