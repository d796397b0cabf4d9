"""Writes of what passes and templates show, in both dialects, and redeems; and workers who come sooner or later."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import TYPES
from tests.contract.samples import TEMPLATE
from tests.model.base import Base, grouped, pass_segment, pick, tag_segment, template_segment, values, which
from tests.model.content import Entries, Write, merge_of, message_fields, restart_of
from tests.model.ledger import Pass, Template, Ticket

LATER = "2099-01-01T12:00:00Z"
MESSAGES = (None, None, "Hello", "Last call")

_fields = st.dictionaries(st.sampled_from(("Points", "Tier", "back1", "Unknown")), values, min_size=1, max_size=3)
_ends = st.sampled_from((None, None, None, "voided", "valid"))


class WritingRules(Base):
    """What is written, and when it arrives."""

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, form=which, fields=_fields, label=st.none() | values, end=_ends)
    def update(self, which_pass: int, form: int, fields: dict[str, str], label: str | None, end: str | None) -> None:
        """One pass in the Airship dialect; its ticket is done when it is answered."""
        self.update_one(pick(self.passes, which_pass), form, _update(fields, label, end))

    def update_one(self, pass_: Pass, form: int, body: dict[str, Entries]) -> None:
        """The same with a body."""
        owner = pass_.template.project
        segment, status = pass_segment(pass_, form)
        self.touch(pass_)
        if status != 200:
            self.refuse(owner, "PUT", f"/v1/pass/{segment}", body, status=status)
            return
        write = Write(self.world.next(), **body)
        ticket = Ticket(owner, write, None, self.call(owner, "PUT", f"/v1/pass/{segment}", body)["ticketId"])
        ticket.processed, ticket.changed = 1, int(pass_.take(write))
        self._accept(ticket)

    @precondition(lambda self: self.tags)
    @rule(which_tag=which, form=which, fields=_fields, label=st.none() | values, end=_ends, overtaken=st.booleans())
    def update_all(
        self, which_tag: int, form: int, fields: dict[str, str], label: str | None, end: str | None, overtaken: bool
    ) -> None:
        """The passes of a tag; nothing changes before workers come, and what was written by then stays."""
        owner, tag = pick(self.tags, which_tag)
        body = _update(fields, label, end)
        answer = self.call(owner, "PUT", f"/v1/tag/{tag_segment(owner, tag, form)}/passes", body)
        ticket = Ticket(owner, Write(self.world.next(), **body), tag, answer["ticketId"], tag.emptied)
        members = owner.tagged(tag)
        ticket.total = len(members)
        self._accept(ticket)
        if overtaken and members:
            self.update_one(pick(members, form), 0, _update({min(fields): "overtaken"}, None, None))

    def _accept(self, ticket: Ticket) -> None:
        """A ticket's number is above all that were given out."""
        known = [each.ticket_id or 0 for project in self.world.projects for each in project.tickets]
        assert ticket.ticket_id is None or ticket.ticket_id > max(known, default=0)
        ticket.project.tickets.append(ticket)
        self.touch(ticket)

    @precondition(lambda self: self.passes)
    @rule(
        which_pass=which,
        value=st.none() | values,
        note=st.none() | values,
        announced=st.booleans(),
        restart=st.integers(0, 3),
        inside=st.booleans(),
        verb=st.sampled_from(("PATCH", "POST")),
    )
    def patch(
        self,
        which_pass: int,
        value: str | None,
        note: str | None,
        announced: bool,
        restart: int,
        inside: bool,
        verb: str,
    ) -> None:
        """One pass in the Passworks dialect; with its own content, or beginning again with the campaign's."""
        pass_ = pick(self.passes, which_pass)
        template = pass_.template
        own: Entries = {}
        if value is not None:
            own["Points"] = {"fieldType": "primary", "value": value}
        if note is not None:
            own["Note"] = {"fieldType": "back", "value": note, "label": "Note"}
        switches: dict[str, Any] = {"push": announced, "merge": bool(restart)}
        content: dict[str, Any] = grouped(own)
        body = {"pass": content | switches} if inside else {"pass": content, **switches}
        shown = self.call(template.project, verb, pass_.path, body)
        order = self.world.next()
        write = Write(order, own) if restart else restart_of(template.shown, own, current=pass_.shown, order=order)
        pass_.take(write, announced=announced)
        self.touch(pass_)
        assert _sorted_groups(shown) == pass_.shown.groups()

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, message=st.sampled_from(MESSAGES))
    def push(self, which_pass: int, message: str | None) -> None:
        """One pass; a message is written to it."""
        pass_ = pick(self.passes, which_pass)
        template = pass_.template
        body = None if message is None else {"push_message": message}
        words = f"push notifications sent for pass with id: {pass_.serial_number} on campaign '{template.name}'"
        assert self.call(template.project, "POST", f"{pass_.path}/push", body) == {"message": words}
        if message is None:
            pass_.announce(Write(self.world.next()))
        else:
            pass_.take(Write(self.world.next(), message_fields(message)))
        self.touch(pass_)

    @precondition(lambda self: self.templates)
    @rule(
        template=which,
        message=st.sampled_from(MESSAGES),
        verb=st.sampled_from(("merge", "push")),
        overtaken=st.booleans(),
    )
    def update_campaign_passes(self, template: int, message: str | None, verb: str, overtaken: bool) -> None:
        """All passes of a campaign get its content, or a message, when workers come."""
        campaign = pick(self.templates, template)
        root = ROOTS[campaign.campaign_type]
        body = (
            None if message is None else pick(({"push_message": message}, {root: {"push_message": message}}), template)
        )
        answer = self.call(campaign.project, "POST", f"{campaign.path}/{verb}", body)
        total = len(campaign.passes)
        self.touch(campaign)
        if not total:
            expected = f"There are no passes to update for campaing '{campaign.name}'."
        elif verb == "merge":
            expected = f"Started merging {total} passes for campaign '{campaign.name}'."
        else:
            expected = f"Started sending {total} pass push notifications for campaign '{campaign.name}'."
        assert answer == {"message": expected}
        if not total:
            return
        order = self.world.next()
        write = Write(order, message_fields(message))
        if verb == "merge":
            write = merge_of(campaign.shown, order=order, message=message)
        bare = verb == "push" and message is None
        self._accept(Ticket(campaign.project, write, campaign, total=total, is_bare_push=bare))
        if overtaken:
            self.update_one(pick(campaign.passes, template), 0, _update({"Tier": "overtaken"}, None, None))

    @precondition(lambda self: self.templates)
    @rule(
        template=which,
        value=values,
        seat=st.none() | values,
        description=st.none() | st.just("Described"),
        root=st.booleans(),
    )
    def patch_campaign(self, template: int, value: str, seat: str | None, description: str | None, root: bool) -> None:
        """Changes later passes; those that are there follow at the next merge."""
        campaign = pick(self.templates, template)
        own: Entries = {"Points": {"fieldType": "primary", "value": value}}
        if seat is not None:
            own["Seat"] = {"fieldType": "auxiliary", "value": seat, "label": "Seat", "behaviour": "dynamic"}
        content: dict[str, Any] = grouped(own)
        if description is not None:
            content["description"] = description
            campaign.shown.parts["description"] = description
        body = {ROOTS[campaign.campaign_type] if root else "pass": content}
        shown = self.call(campaign.project, "PATCH", campaign.path, body)
        for name, attributes in own.items():
            campaign.shown.fields.setdefault(name, {"value": None, "label": None}).update(attributes)
        self.touch(campaign)
        assert shown["description"] == campaign.shown.parts["description"]

    @precondition(lambda self: self.templates)
    @rule(template=which, form=which, value=values)
    def put_template(self, template: int, form: int, value: str) -> None:
        """Replaces all that the Airship dialect knows of a template; which fields are dynamic stays."""
        changed = pick(self.templates, template)
        fields = deepcopy(TEMPLATE["fields"])
        fields["Points"]["value"] = value
        body = {**TEMPLATE, "name": changed.name, "type": TYPES[changed.campaign_type], "fields": fields}
        path = f"/v1/template/{template_segment(changed, form)}"
        assert self.call(changed.project, "PUT", path, body) == {"templateId": changed.template_id}
        for name, entry in fields.items():
            before = changed.shown.fields.get(name, {})
            entry.update({key: before[key] for key in ("behaviour",) if key in before})
        changed.shown.fields, changed.shown.headers = fields, deepcopy(TEMPLATE["headers"])
        changed.shown.parts["description"] = "A card"
        self.touch(changed)

    @precondition(lambda self: self.passes)
    @rule(which_pass=which, by_code=st.booleans(), comment=st.none() | st.sampled_from(("at the till", "")))
    def redeem(self, which_pass: int, by_code: bool, comment: str | None) -> None:
        """Counts, and voids the pass unless its campaign allows several redeems; a voided one is refused."""
        pass_ = pick(self.passes, which_pass)
        template = pass_.template
        content: dict[str, Any] = {} if comment is None else {"comment": comment}
        path = f"{pass_.path}/redeem"
        if by_code:
            path, content = f"{template.path}/redeem", content | {"redeem_code": pass_.redeem_code}
            found = self.call(template.project, "GET", f"{path}/{pass_.redeem_code}")
            assert found["id"] == pass_.serial_number
        body = {"pass": content} if content else None
        self.touch(pass_)
        if pass_.shown.is_voided:
            self.refuse(template.project, "POST", path, body, status=412, code=10105)
            return
        shown = self.call(template.project, "POST", path, body)
        pass_.note_redeem(Write(self.world.next(), headers=_void(template)), comment)
        assert (shown["id"], shown["redeemed_count"]) == (pass_.serial_number, pass_.redeemed)

    @precondition(lambda self: any(each.shown.is_voided for each in self.passes))
    @rule(which_pass=which)
    def reset_redeem(self, which_pass: int) -> None:
        """A voided pass is valid again; what was counted stays."""
        pass_ = pick([each for each in self.passes if each.shown.is_voided], which_pass)
        shown = self.call(pass_.template.project, "POST", f"{pass_.path}/reset_redeem")
        pass_.take(Write(self.world.next(), headers={"expirationDate": {"label": "valid"}}))
        self.touch(pass_)
        assert (shown["voided"], shown["redeemed_count"]) == (False, pass_.redeemed)

    @rule(part=st.sampled_from(("plan", "segment", "all", "all")))
    def work(self, part: str) -> None:
        """The planner comes, or those who update segments, or all workers until nothing waits."""
        if part == "all":
            self.drain()
            return
        touched = self.world.open_tickets()
        self.stack.pump.handle_visible([part])
        if part == "plan":
            self.world.plan()
        else:
            self.world.work()
        self.touch(*touched)

    def drain(self) -> None:
        """Nothing waits any more, and whoever holds what has changed was pushed."""
        touched = self.world.open_tickets()
        self.stack.drain()
        self.world.plan()
        self.world.work()
        self.touch(*touched)
        assert not self.world.open_tickets()
        self._check_pushes()

    def _check_pushes(self) -> None:
        """Devices are pushed once for every write that has changed one of their passes, or asked for a push."""
        due: dict[str, set[int]] = {}
        for each in self.passes:
            for row in each.registrations.values():
                if row.wallet != "google_wallet":
                    due.setdefault(row.push_token, set()).update(each.due)
            each.due = set()
        told = {token: self.stack.vendors.feed.count(token) for token in due}
        pushed = {token: count - self.pushed.get(token, 0) for token, count in told.items()}
        assert pushed == {token: len(writes) for token, writes in due.items()}
        self.pushed = told


def _update(fields: dict[str, str], label: str | None, end: str | None) -> dict[str, Entries]:
    entries: Entries = {name: {"value": value} for name, value in fields.items()}
    if label is not None:
        entries.setdefault("Points", {})["label"] = label
    body = {"fields": entries}
    if end is not None:
        body["headers"] = {"expirationDate": {"value": LATER, "label": end}}
    return body


def _void(template: Template) -> Entries:
    return {} if template.allow_multiple else {"expirationDate": {"label": "voided"}}


def _sorted_groups(document: dict[str, Any]) -> dict[str, Any]:
    groups = {name: rows for name, rows in document.items() if name.endswith("_fields")}
    return {name: sorted(rows, key=lambda row: str(row["key"])) for name, rows in groups.items()}
