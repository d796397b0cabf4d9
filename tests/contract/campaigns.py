"""Campaigns with passes, devices and redeems, for tests of what the Passworks dialect shows of them.

Templates and passes are made through the Airship dialect: one row serves both (passworks-v2, section 13).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.domain.passes import Pass
from chalicelib.domain.redeeming import redeem_pass
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.templates import CAMPAIGN_TYPES, PROJECT_TYPES, Template
from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.support import devices
from tests.support.stack import Tenant

TYPES = {campaign: type_ for (vendor, type_), campaign in CAMPAIGN_TYPES.items() if vendor == "Apple"}
"""campaign type to the template type of the other dialect"""

UNKNOWN_ID = "4e0551fb-1127-4a96-a2b1-8a73adb4b2db"
"""of no campaign, pass, certificate or template"""

UNKNOWN_IDS = (UNKNOWN_ID, "nothing", "1", "%00", "%2e%2e", "9" * 300)


@dataclass(frozen=True)
class Campaign:
    """A campaign and its owner."""

    tenant: Tenant
    template: Template

    @property
    def path(self) -> str:
        """Its path."""
        return f"/v2/{self.template.campaign_type}/{self.template.campaign_id}"

    def pass_path(self, pass_: Pass) -> str:
        """The path of one of its passes."""
        return f"{self.path}/passes/{pass_.serial_number}"

    def add_pass(self) -> Pass:
        """A new pass of it."""
        pass_id = samples.new_pass(self.tenant, self.template.template_id)
        found = get_platform().passes.get_pass(project_id=self.tenant.project_id, pass_id=pass_id)
        assert found is not None
        return found

    def install(
        self,
        pass_: Pass,
        device: str,
        *,
        wallet: Wallet = Wallet.PASSBOOK,
        now: datetime | None = None,
        registration_id: str | None = None,
    ) -> None:
        """A device takes a pass; at a time and under an id of the caller's choice, if he has one."""
        platform = get_platform()
        if now is not None:
            platform = dataclasses.replace(platform, now=lambda: now)
        if registration_id is not None:
            platform = dataclasses.replace(platform, new_uuid=lambda _: registration_id)
        devices.install(
            platform, project_id=self.tenant.project_id, pass_id=pass_.pass_id, device=device, wallet=wallet
        )

    def remove(self, pass_: Pass, device: str) -> None:
        """A device gives a pass up."""
        devices.remove(get_platform(), project_id=self.tenant.project_id, pass_id=pass_.pass_id, device=device)

    def redeem(self, pass_: Pass, comment: str | None = None, *, now: datetime | None = None) -> None:
        """Somebody redeems a pass; any number of times."""
        platform = get_platform() if now is None else dataclasses.replace(get_platform(), now=lambda: now)
        options = dataclasses.replace(self.template.campaign, allow_multiple_redeems=True)
        template = dataclasses.replace(self.template, campaign=options)
        redeem_pass(platform, template, serial_number=pass_.serial_number, comment=comment)


def make_campaign(tenant: Tenant, campaign_type: str = "coupons") -> Campaign:
    """A new campaign without passes."""
    template_id = samples.new_template(tenant, type=TYPES[campaign_type], projectType=PROJECT_TYPES[0])
    template = get_platform().templates.get_template(project_id=tenant.project_id, template_id=template_id)
    assert template is not None
    assert template.campaign_type == campaign_type
    return Campaign(tenant, template)


def walk(tenant: Tenant, target: str) -> Iterator[list[Any]]:
    """The pages of a list, as the PHP client asks for them: on as long as there is a next one."""
    page: str | None = "1"
    while page is not None:
        answer = tenant.request("GET", f"{target}{'&' if '?' in target else '?'}page={page}")
        assert answer.status_code == 200, answer.text
        yield answer.json()
        page = answer.headers.get("X-Next-Page")
