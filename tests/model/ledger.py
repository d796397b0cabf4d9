"""The model: what projects, templates, passes, tags, tickets and devices there are. No counters, no segments, no rows.

Ids, times and codes that the server chooses are learnt from its first answer; from then on they must stay.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.model.content import Shown, Write, on_cards, play
from tests.support.phones import PassFile, Phone
from tests.support.stack import Tenant

LARGEST_TAGS = 15
SEGMENT = 1000
"""pass ids that a worker of a bulk update handles together"""

NEVER, HELD, GONE = "not_been_installed", "installed", "uninstalled"
FILTERS: dict[str | None, set[str]] = {
    None: {NEVER, HELD, GONE},
    "installed": {HELD},
    "uninstalled": {GONE},
    "been_installed": {HELD, GONE},
    "not_been_installed": {NEVER},
}


@dataclass(eq=False, repr=False)
class Tag:
    """A tag; one that is deleted and made again is another one."""

    name: str
    tag_id: int = 0
    emptied: int = 0
    """how often it was taken off all passes"""
    deleted: bool = False


@dataclass(eq=False, repr=False)
class Template:
    """A template and campaign."""

    project: Project
    template_id: int
    campaign_id: str
    campaign_type: str
    name: str
    external_id: str | None
    shown: Shown
    allow_multiple: bool = False
    is_campaign: bool = False
    """made in the Passworks dialect"""
    state: str = "published"
    events: Counter[str] = field(default_factory=Counter)
    """what its report counts"""
    redeems: list[Redeem] = field(default_factory=list)
    deleted: bool = False

    @property
    def path(self) -> str:
        """Where the Passworks dialect has it."""
        return f"/v2/{self.campaign_type}/{self.campaign_id}"

    @property
    def passes(self) -> list[Pass]:
        """Its passes, oldest first."""
        return [each for each in self.project.passes if each.template is self]

    @property
    def registrations(self) -> list[Registration]:
        """Those of its passes, oldest first."""
        found = [row for each in self.passes for row in each.registrations.values()]
        return sorted(found, key=lambda row: row.order)


@dataclass(eq=False, repr=False)
class Redeem:
    """A redeem, which outlives its pass."""

    pass_: Pass
    comment: str | None
    redeem_id: str = ""


@dataclass(eq=False, repr=False)
class Registration:
    """A pass on a device."""

    order: int
    wallet: str
    push_token: str
    registration_id: str = ""

    @property
    def system(self) -> str:
        """Its operating system."""
        return "ios" if self.wallet == "passbook" else "android"


@dataclass(eq=False, repr=False)
class Pass:
    """A pass. `base` is what it showed when it was issued, `writes` what has reached it since, in no order."""

    template: Template
    pass_id: int
    serial_number: str
    external_id: str | None
    base: Shown
    shown: Shown
    url: str = ""
    redeem_code: str = ""
    created_at: str = ""
    updated_at: str = ""
    writes: list[Write] = field(default_factory=list)
    version: int = 1
    tags: set[Tag] = field(default_factory=set)
    registrations: dict[str, Registration] = field(default_factory=dict)
    """device to registration"""
    ever_held: bool = False
    platform: str | None = None
    """the system of the device that took it when nobody held it"""
    redeemed: int = 0
    changed: bool = False
    """since the last look"""
    due: set[int] = field(default_factory=set)
    """writes of which whoever holds it is to be told, once each"""
    deleted: bool = False

    @property
    def status(self) -> str:
        """In the words of the Airship dialect."""
        return HELD if self.registrations else GONE if self.ever_held else NEVER

    @property
    def path(self) -> str:
        """Where the Passworks dialect has it."""
        return f"{self.template.path}/passes/{self.serial_number}"

    @property
    def segment(self) -> int:
        """The group of ids in which bulk updates handle it."""
        return self.pass_id // SEGMENT

    def take(self, write: Write, *, announced: bool = True) -> bool:
        """A write arrives; whether wallets show something else now."""
        self.writes.append(write)
        before, self.shown = self.shown, play(self.base, self.writes)
        self.changed |= self.shown != before
        if on_cards(self.shown) == on_cards(before):
            return False
        self.version += 1
        if announced:
            self.announce(write)
        self.template.events["updates"] += 1
        return True

    def announce(self, write: Write) -> None:
        """Devices are to be told of a write, if any has the pass by then."""
        if self.registrations:
            self.due.add(write.order)

    def note_redeem(self, write: Write, comment: str | None) -> None:
        """It is redeemed."""
        self.take(write)
        self.redeemed += 1
        self.template.redeems.append(Redeem(self, comment or None))
        self.template.events["redeems"] += 1

    def hold(self, device: str, registration: Registration) -> None:
        """A device takes it."""
        if not self.registrations:
            self.platform = registration.system
        self.registrations[device] = registration
        self.ever_held = True
        self.template.events[f"installs {registration.system}"] += 1

    def release(self, device: str) -> bool:
        """A device gives it up; whether it had it."""
        registration = self.registrations.pop(device, None)
        if registration is not None:
            self.template.events[f"uninstalls {registration.system}"] += 1
        return registration is not None


@dataclass(eq=False, repr=False)
class Ticket:
    """An accepted update of the passes of a tag or template; of one pass, it is done at once."""

    project: Project
    write: Write
    target: Tag | Template | None
    ticket_id: int | None = None
    """None where the dialect does not tell"""
    emptied: int = 0
    """how often the tag was emptied before"""
    total: int = 1
    processed: int = 0
    changed: int = 0
    waiting: set[int] | None = None
    """segments still to be done; None until it is planned"""
    is_bare_push: bool = False
    """writes nothing, and has devices asked all the same"""

    @property
    def status(self) -> str:
        """In the words of the Airship dialect."""
        if self.target is None:
            return "COMPLETED"
        return "PREQUED" if self.waiting is None else "QUEUED" if self.waiting else "COMPLETED"

    def members(self) -> list[Pass]:
        """The passes that it is for now: none if its tag was emptied since, or its template deleted."""
        target = self.target
        if isinstance(target, Template):
            return [] if target.deleted else target.passes
        if target is None or target.deleted or target.emptied != self.emptied:
            return []
        return [each for each in self.project.passes if target in each.tags]

    def plan(self) -> list[int]:
        """Its passes are cut into segments."""
        self.waiting = {each.segment for each in self.members()}
        return sorted(self.waiting)

    def work(self, segment: int) -> None:
        """One segment is updated."""
        assert self.waiting is not None
        self.waiting.remove(segment)
        for each in self.members():
            if each.segment != segment:
                continue
            self.processed += 1
            self.changed += each.take(self.write)
            if self.is_bare_push:
                each.announce(self.write)


@dataclass(eq=False, repr=False)
class Project:
    """A project with two dialects."""

    tenant: Tenant
    icon_id: str = ""
    templates: list[Template] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    tags: list[Tag] = field(default_factory=list)
    """ascending by id"""
    tickets: list[Ticket] = field(default_factory=list)

    def tag(self, name: str) -> Tag | None:
        """The tag of that name."""
        return next((tag for tag in self.tags if tag.name == name), None)

    def tagged(self, tag: Tag) -> list[Pass]:
        """Passes that have it, oldest first."""
        return [each for each in self.passes if tag in each.tags]

    def named(self, external_id: str) -> list[Pass]:
        """Passes of that external id, in any template."""
        return [each for each in self.passes if each.external_id == external_id]

    def put_on(self, pass_: Pass, names: list[str]) -> list[str]:
        """Tags are put on a pass; the names that are new to it."""
        added = []
        for name in dict.fromkeys(names):
            tag = self.tag(name)
            if tag is None:
                tag = Tag(name)
                self.tags.append(tag)
            if tag not in pass_.tags:
                pass_.tags.add(tag)
                added.append(name)
        return added

    def drop(self, pass_: Pass) -> None:
        """A pass is deleted."""
        for device in list(pass_.registrations):
            pass_.release(device)
        pass_.deleted = True
        self.passes.remove(pass_)


@dataclass(eq=False, repr=False)
class Device:
    """A phone with one wallet, and what it has been told."""

    name: str
    phone: Phone
    files: dict[Pass, PassFile] = field(default_factory=dict)
    """passes that it has downloaded, and maybe not registered"""
    versions: dict[Pass, int] = field(default_factory=dict)
    """of those files"""
    told: dict[Registration, int] = field(default_factory=dict)
    """versions that its latest tag stands for"""
    tag: str | None = None

    def held(self, projects: list[Project]) -> dict[Pass, Registration]:
        """What it is registered for."""
        passes = [each for project in projects for each in project.passes]
        return {each: each.registrations[self.name] for each in passes if self.name in each.registrations}

    def news(self, projects: list[Project], *, with_tag: bool) -> set[str]:
        """Serial numbers of which it has to be told: of another version, or new to it and ever changed."""
        listed = set()
        for pass_, registration in self.held(projects).items():
            told = self.told.get(registration)
            is_new = pass_.version > 1 if told is None else pass_.version != told
            if is_new or not with_tag or self.tag is None:
                listed.add(pass_.serial_number)
        return listed


@dataclass
class World:
    """All that a history has made."""

    projects: list[Project] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    deleted: list[Pass] = field(default_factory=list)
    moment: int = 0
    """grows with every accepted write and registration"""
    segments: list[tuple[Ticket, int]] = field(default_factory=list)
    """what workers are asked for, in the order in which they are"""

    def next(self) -> int:
        """The place of what is accepted now."""
        self.moment += 1
        return self.moment

    def plan(self) -> None:
        """The planner handles what waits for it."""
        for ticket in self.open_tickets():
            if ticket.waiting is None:
                self.segments += [(ticket, segment) for segment in ticket.plan()]

    def work(self) -> None:
        """Workers handle the segments that wait."""
        waiting, self.segments = self.segments, []
        for ticket, segment in waiting:
            ticket.work(segment)

    def open_tickets(self) -> list[Ticket]:
        """In the order of acceptance."""
        found = [ticket for project in self.projects for ticket in project.tickets if ticket.status != "COMPLETED"]
        return sorted(found, key=lambda ticket: ticket.write.order)
