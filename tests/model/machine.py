"""A history of the whole system: every rule, and what is looked at after each step and in the end."""

from __future__ import annotations

import sys
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

    @initialize(seed=st.integers(0, 2**16), wallet=st.sampled_from(sorted(PHONES)), alike=st.booleans())
    def begin(self, seed: int, wallet: str, alike: bool) -> None:
        """A template in one dialect and a campaign in the other, each with two passes on phones, two of them alike."""
        self.stack.drain()  # a history that has failed may have left something
        self.random = Random(seed)
        wallets = ("Apple Wallet", wallet, wallet if alike else "Apple Wallet")
        for name, own in zip(("first", "second", "third"), wallets, strict=True):
            self.world.devices.append(Device(name, PHONES[own]()))
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
            self.look()
            self._come_again()
            self._write_over_each_other()
            self._empty_a_tag_meanwhile()
            self._name_two_alike(stays=bool(seed % 3))
            self._redeem_twice()

    # What few histories would come to by chance: hypothesis leaves some rules out of each of them.

    def _come_again(self) -> None:
        """One pass on all phones, of which one has it, and that one once more after it was told of all that it has."""
        self.register(0, 2, False, True)
        self.poll(2, False)
        self.register(2, 2, True, False)

    def _write_over_each_other(self) -> None:
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

    def _empty_a_tag_meanwhile(self) -> None:
        """A tag is taken off its passes, and put on one of them again, when workers have begun with its update."""
        tag = len(self.tags) - 1
        name = self.tags[tag][1].name
        self.tag(3, [name], 0, False)
        self.update_all(tag, 0, {"Points": "3", "Tier": "4"}, None, None, False)
        self.work("plan")
        self.clear(tag, 0, False)
        self.tag(2, [name], 0, False)
        self.work("segment")  # before what is left of the old passes is swept away
        self.drain()

    def _name_two_alike(self, *, stays: bool) -> None:
        """An external id that passes of two templates have names neither, until one of them goes."""
        owner = self.world.projects[0]
        self.make_campaign(owner, "generics", "Offer", several=False, dynamic=False)
        template, by_external_id = len(owner.templates) - 1, 2
        self.create_pass(template, 0, self.passes[0].external_id, False, [], None)
        self.update(0, by_external_id, {"Points": "5"}, None, None)
        if not stays:
            self.delete_template(template, 0, True)
            self.update(0, by_external_id, {"Points": "6"}, None, None)

    def _redeem_twice(self) -> None:
        """A pass that counts once."""
        for by_code in (False, True):
            self.redeem(0, by_code, None)

    @invariant()
    def look(self) -> None:
        """At what the step has touched, and at something else by chance."""
        if not self.world.projects:
            return
        projects = sorted(self.touched_projects, key=self.world.projects.index)
        for project in projects:
            self.look_at_tags(project)
            self.look_at_passes(project)
        for template in list(dict.fromkeys(self.touched_templates))[:3]:
            self.look_at_template(template)
            if not template.deleted:
                self.look_at_passes_there(template)
                self.look_at_some_rows(template)
                self.look_at_histories(template)
        for pass_ in list(dict.fromkeys(self.touched_passes))[:2]:
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
        """Everything is looked at when no message waits; not after a failed step, whose error is the one to be read."""
        if not self.began or sys.exception() is not None:
            return
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
