"""A history of the whole system: every rule, and what is looked at after each step and in the end."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant

from tests.contract.campaigns import add_image
from tests.model.base import TEMPLATE_EXTERNAL_IDS, now
from tests.model.device_rules import DeviceRules
from tests.model.issuing_rules import IssuingRules
from tests.model.ledger import Device, Project
from tests.model.list_looks import ListLooks
from tests.model.tag_rules import TagRules
from tests.model.thing_looks import ThingLooks
from tests.model.wrong_rules import WrongRules
from tests.support.phones import PHONES

PROJECTS = 2


class WholeSystem(IssuingRules, TagRules, DeviceRules, WrongRules, ListLooks, ThingLooks):
    """Two new projects and three phones."""

    @initialize(seed=st.integers(0, 2**16), wallets=st.lists(st.sampled_from(sorted(PHONES)), min_size=2, max_size=2))
    def begin(self, seed: int, wallets: list[str]) -> None:
        """A template in one dialect and a campaign in the other, each with two passes on phones."""
        self.random = Random(seed)
        for name, wallet in zip(("first", "second", "third"), ("Apple Wallet", *wallets), strict=True):
            self.world.devices.append(Device(name, PHONES[wallet]()))
        for _ in range(PROJECTS):
            tenant = self.stack.tenant()
            self.world.projects.append(Project(tenant, add_image(tenant)))
        self.began = now()
        first, second = self.world.projects
        self.make_template(first, "store_cards", "Card", TEMPLATE_EXTERNAL_IDS[0], form=2)
        self.make_campaign(second, "coupons", "Card", several=bool(seed % 2), dynamic=True)
        for number in range(PROJECTS):
            self.create_pass(number, 0, "4711", False, ["gold"], None)
            self.create_pass_of_campaign(number, None, None, 0)
        for number in range(len(self.passes)):
            self.register(number, number, False, False)
        if seed % 4:
            self._write_over_each_other()

    def _write_over_each_other(self) -> None:
        """What few histories would come to by chance: hypothesis leaves some rules out of each of them."""
        self.look()
        template = 1  # with a dynamic field
        self.patch(2, "7", None, False, 1, True, "PATCH")
        self.update_campaign_passes(template, None, "merge", False)
        self.drain()
        self.patch_campaign(template, "9", "12A", None, True)
        self.update_campaign_passes(template, None, "merge", True)
        for tag in range(len(self.tags)):
            self.update_all(tag, 0, {"Points": "1", "Tier": "2"}, None, None, True)
        self.drain()
        self.redeem(2, True, "at the till")
        self.unregister(0, 0, True)

    @invariant()
    def look(self) -> None:
        """At what the step has touched, and at something else by chance."""
        if not self.world.projects:
            return
        projects = sorted(self.touched_projects, key=self.world.projects.index)
        for project in projects:
            self.look_at_tags(project)
            self.look_at_passes(project)
        for template in dict.fromkeys(self.touched_templates[:3]):
            self.look_at_template(template)
            if not template.deleted:
                self.look_at_passes_there(template)
                self.look_at_some_rows(template)
                self.look_at_histories(template)
        for pass_ in dict.fromkeys(self.touched_passes[:2]):
            self.look_at_pass(pass_)
        for ticket in dict.fromkeys(self.touched_tickets):
            self.look_at_ticket(ticket)
        self._look_around()
        self.touched_projects, self.touched_templates, self.touched_passes = set(), [], []
        self.touched_tickets = []
        self.began = now()

    def _look_around(self) -> None:
        project = self.random.choice(self.world.projects)
        self.look_at_some_page(project)
        if self.templates:
            self.look_at_report(self.random.choice(self.templates))
        open_tickets = self.world.open_tickets()
        if open_tickets:
            self.look_at_ticket(self.random.choice(open_tickets))
        devices = [device for device in self.world.devices if device.files]
        if devices:
            self.ask(self.random.choice(devices))

    def teardown(self) -> None:
        """Everything is looked at, once more when no message waits."""
        if not self.began:
            return
        self.touch(*self.world.projects)
        self.look()
        self.drain()
        self.look()
        for project in self.world.projects:
            self._look_at_everything(project)
        for device in self.world.devices:
            if device.files:
                self.ask(device)
                self.ask(device, with_tag=False)
        for pass_ in self.world.deleted[-3:]:
            self.look_at_pass(pass_)

    def _look_at_everything(self, project: Project) -> None:
        self.look_at_templates(project)
        self.look_at_tags(project)
        self.look_at_tag_pages(project)
        for listed in self.pass_lists(project):
            self.look_at_every_page(listed)
        for template in project.templates:
            self.look_at_template(template)
            self.look_at_passes_there(template)
            self.look_at_all_rows(template)
            self.look_at_report(template)
        for pass_ in project.passes:
            self.look_at_pass(pass_)
        for ticket in project.tickets:
            self.look_at_ticket(ticket)
