"""Campaigns with passes, devices and redeems, for tests of what the Passworks dialect shows of them.

`make_campaign` goes through the Airship dialect: one row serves both (passworks-v2, section 13). What begins with
`create` is made as a Passworks client makes it, and is the object that such a client sees.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.assets import Asset, AssetType
from chalicelib.domain.passes import Pass
from chalicelib.domain.redeeming import redeem_pass
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.templates import CAMPAIGN_TYPES, PROJECT_TYPES, Template
from chalicelib.schemas.passworks import ROOTS
from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.contract.expectations import Answer
from tests.support import devices
from tests.support.phones import read_pass_file
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


def add_image(tenant: Tenant, asset_type: str = "icon") -> str:
    """Id of a new asset; its file does not matter here."""
    platform = get_platform()
    number, now = platform.sequences.next_values(name=f"assets:{tenant.project_id}", count=1, now=datetime.now(UTC))
    asset = Asset(
        asset_id=platform.new_uuid(number),
        number=number,
        project_id=tenant.project_id,
        asset_type=AssetType(asset_type),
        created_at=now,
        size_bytes=1,
    )
    platform.assets.create_asset(asset)
    return asset.asset_id


def post_campaign(tenant: Tenant, campaign_type: str = "coupons", **content: Any) -> Any:
    """The answer to a create with what is required, unless the caller says otherwise."""
    if not {"icon_id", "template_id"} & content.keys():
        content["icon_id"] = add_image(tenant)
    if campaign_type == "boarding_passes":
        content = {"transit_type": "train", **content}
    body = {ROOTS[campaign_type]: {"name": "Helloworld", **content}}
    return tenant.request("POST", f"/v2/{campaign_type}", json=body)


def create_campaign(tenant: Tenant, campaign_type: str = "coupons", **content: Any) -> dict[str, Any]:
    """A new campaign as its object."""
    answer = post_campaign(tenant, campaign_type, **content)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def path_of(campaign: dict[str, Any]) -> str:
    """The path of a campaign that was created."""
    return f"/v2/{campaign['campaign_type']}/{campaign['id']}"


def patch_campaign(tenant: Tenant, campaign: dict[str, Any], **content: Any) -> dict[str, Any]:
    """The campaign after an update that must succeed."""
    body = {ROOTS[campaign["campaign_type"]]: content}
    return dict(tenant.call("PATCH", path_of(campaign), json=body))


def create_pass(tenant: Tenant, campaign: dict[str, Any], **content: Any) -> dict[str, Any]:
    """A new pass of a campaign as its object."""
    answer = tenant.request("POST", f"{path_of(campaign)}/passes", json={"pass": content})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def pass_path(campaign: dict[str, Any], pass_: dict[str, Any]) -> str:
    """The path of a pass that was created."""
    return f"{path_of(campaign)}/passes/{pass_['id']}"


def stored_pass(tenant: Tenant, document: dict[str, Any]) -> Pass:
    """The pass behind its object."""
    number = int(document["id"].replace("-", "")[20:], 16)
    found = get_platform().passes.get_pass(project_id=tenant.project_id, pass_id=number)
    assert found is not None
    assert found.serial_number == document["id"]
    return found


def stored_template(tenant: Tenant, campaign: dict[str, Any]) -> Template:
    """The template behind a campaign."""
    number = int(campaign["id"].replace("-", "")[20:], 16)
    found = get_platform().templates.get_template(project_id=tenant.project_id, template_id=number)
    assert found is not None
    assert found.campaign_id == campaign["id"]
    return found


def open_pass(tenant: Tenant, document: dict[str, Any]) -> Any:
    """`pass.json` of the file that a pass's own address serves."""
    return read_pass_file(tenant.request("GET", urlsplit(document["pkpass_url"]).path)).document


def check_refusal(answer: Answer, status: int, error_code: int, *fields: str) -> Any:
    """Asserts the common error body (section 3), with exactly these keys in `errors` if any are given. Its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert list(body) == ["status_code", "error_code", "message", "errors"]
    assert (body["status_code"], body["error_code"]) == (status, error_code), body
    assert type(body["errors"]) is dict
    assert not fields or set(body["errors"]) == set(fields), body
    return body["message"]
