"""Real things for requests to name, made over HTTP as any client would: so that they reach behind the 404.

Operations delete and spoil what they are given, so things come in sets, and a set that was used up is made anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from chalicelib.api.description.routes import VERSION
from chalicelib.domain.templates import STYLES
from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import TYPES
from tests.contract.samples import PLACE, TEMPLATE
from tests.support.stack import Stack, Tenant

Kind = tuple[str, str]
"""a dialect, and what a path parameter names there"""

PICTURE = "GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
"""a whole one, of one point; a text, as the description says, whose bytes in UTF-8 are those of the file"""

USES = 25
"""of a set, before it is too worn: ten locations at most, fifteen tags"""

_numbers = itertools.count(1)


@dataclass(kw_only=True)
class Belongings:
    """A campaign with a pass, and all that a path can name of both."""

    campaign_type: str
    names: dict[Kind, str]
    uses: int = field(default=0)


class World:
    """A project with credentials, and sets of things for each type of campaign."""

    def __init__(self, stack: Stack) -> None:
        self.tenant: Tenant = stack.tenant()
        self._asset_id: str | None = None
        self._looks: dict[str, str] = {}
        self._common = self._make_common()
        self._sets: dict[str, Belongings] = {}
        self._serve_devices()

    def take(self, campaign_type: str | None = None, *, is_own: bool = False) -> Belongings:
        """A set, of a type if one is named; its own for a request after which nobody can use it."""
        name = campaign_type or next(_types)
        if is_own:
            return self._make_set(name)
        found = self._sets.get(name)
        if found is None or found.uses >= USES:
            found = self._sets[name] = self._make_set(name)
        found.uses += 1
        return found

    def make_empty(self) -> Belongings:
        """A set with a template that has no passes, which alone can go."""
        name = f"empty-{next(_numbers)}"
        body = TEMPLATE | {"externalId": name, "name": name}
        template_id = self.tenant.call("POST", "/v1/template", json=body)["templateId"]
        found = {("airship", "template_id"): str(template_id), ("airship", "template_external_id"): name}
        return Belongings(campaign_type="store_cards", names=found)

    def forget(self, values: Mapping[str, object]) -> None:
        """Makes anew what these parameters of a path name."""
        gone = {str(value) for value in values.values()}
        for name, each in list(self._sets.items()):
            if gone & set(each.names.values()):
                del self._sets[name]
        if gone & set(self.device_set.names.values()):
            self._serve_devices()
        if gone & set(self._common.values()):
            self._common = self._make_common()

    def forget_images(self) -> None:
        """Looks and images may be gone, since looks take images with them."""
        self._asset_id = None
        self._looks.clear()

    def name(self, belongings: Belongings, kind: Kind) -> str | None:
        """What a path parameter of a kind may say; None for what nothing is known of."""
        if kind not in belongings.names:
            self._add(belongings, kind)
        return belongings.names.get(kind) or self._common.get(kind)

    def pause(self, belongings: Belongings) -> None:
        """Lets a campaign rest, so that it can go on."""
        campaign_id = self.name(belongings, ("passworks", "campaign_id"))
        self.tenant.request("POST", f"/v2/{belongings.campaign_type}/{campaign_id}/pause")

    def find_asset(self) -> str:
        """An image that campaigns and looks may have."""
        self._asset_id = self._asset_id or self._make_asset()
        return self._asset_id

    def find_look(self, campaign_type: str) -> str:
        """A look that campaigns of a type may have."""
        if campaign_type not in self._looks:
            self._looks[campaign_type] = self._make_look(campaign_type)
        return self._looks[campaign_type]

    def _serve_devices(self) -> None:
        self.device_set = self._make_set("store_cards")
        """of the wallets: devices take and leave its pass"""
        self.token = self._read_token(self.device_set)

    def _make_common(self) -> dict[Kind, str]:
        asset_id = self._make_asset()
        certificate_id = self.tenant.call("GET", "/v2/certificates")[0]["id"]
        return {
            ("passworks", "look_id"): self._make_look("coupons"),
            ("passworks", "asset_id"): asset_id,
            ("passworks", "certificate_id"): certificate_id,
            ("pages", "asset_id"): asset_id,
            ("pages", "file_name"): "original.png",
            ("pages", "version"): VERSION,
            ("pages", "asset"): "start.js",
            ("google", "project_id"): str(self.tenant.project_id),
            ("airship", "project_id"): str(self.tenant.project_id),
        }

    def _make_look(self, campaign_type: str) -> str:
        look = {
            "name": f"look {next(_numbers)}",
            "pass_type": STYLES[campaign_type],
            "transit_type": "air",
            "icon_id": self._make_asset(),
        }
        return str(self._create("/v2/templates", {"template": look})["id"])

    def _make_set(self, campaign_type: str) -> Belongings:
        number, tenant = next(_numbers), self.tenant
        card, pass_, tag = f"card-{number}", f"pass {number}", f"gold {number}"
        template = TEMPLATE | {"type": TYPES[campaign_type], "externalId": card, "name": card}
        template_id = tenant.call("POST", "/v1/template", json=template)["templateId"]
        body = {"externalId": pass_, "tag": tag}
        pass_id = tenant.call("POST", f"/v1/pass/{template_id}", json=body)["id"]
        found = {
            ("airship", "template_id"): str(template_id),
            ("airship", "template_external_id"): card,
            ("airship", "pass_id"): str(pass_id),
            ("airship", "pass_external_id"): pass_,
            ("airship", "tag"): tag,
            ("passworks", "campaign_type"): campaign_type,
            ("passworks", "campaign_type_or_alias"): campaign_type,
            ("passkit", "device_id"): f"device{number}",
        }
        return Belongings(campaign_type=campaign_type, names=found)

    def _add(self, belongings: Belongings, kind: Kind) -> None:
        """Makes what few requests name, when one does."""
        tenant, names = self.tenant, belongings.names
        if kind == ("airship", "location_id"):
            path = f"/v1/pass/{names['airship', 'pass_id']}/locations"
            names[kind] = str(tenant.call("POST", path, json=[PLACE])[0]["passLocationId"])
        elif kind == ("airship", "template_location"):
            path = f"/v1/template/{names['airship', 'template_id']}/locations"
            names[kind] = str(tenant.call("POST", path, json=[PLACE])[0]["locationId"])
        elif kind == ("airship", "ticket_id"):
            names[kind] = str(tenant.call("PUT", f"/v1/pass/{names['airship', 'pass_id']}", json={})["ticketId"])
        elif kind in _SHOWN:
            names |= self._look_up(belongings)

    def _look_up(self, belongings: Belongings) -> dict[Kind, str]:
        """What a campaign and its pass are called outside of the Airship dialect."""
        campaign_type, card = belongings.campaign_type, belongings.names["airship", "template_external_id"]
        (campaign,) = self.tenant.call("GET", f"/v2/{campaign_type}?q[name_eq]={card}")
        shown = self.tenant.call("GET", f"/v2/{campaign_type}/{campaign['id']}/passes")[0]  # the oldest
        distribution, code = urlsplit(shown["page_url"]).path.split("/")[2:]
        values = campaign["id"], shown["id"], shown["redeem_code"], shown["serial_number"], distribution, code
        return dict(zip(_SHOWN, values, strict=True))

    def _read_token(self, belongings: Belongings) -> str:
        path = f"/v1/pass/{belongings.names['airship', 'pass_id']}/viewJSONPass"
        document = self.tenant.call("GET", path)
        belongings.names["passkit", "pass_type"] = document["passTypeIdentifier"]
        return str(document["authenticationToken"])

    def _make_asset(self) -> str:
        form = {"asset[asset_type]": "icon"}
        answer = self.tenant.request("POST", "/v2/assets", files={"asset[file]": PICTURE}, data=form)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def _create(self, path: str, body: Any) -> Any:
        answer = self.tenant.request("POST", path, json=body)
        assert answer.status_code == 201, answer.text
        return answer.json()


_SHOWN: Final[tuple[Kind, ...]] = (
    ("passworks", "campaign_id"),
    ("passworks", "pass_id"),
    ("passworks", "redeem_code"),
    ("passkit", "serial_number"),
    ("pages", "distribution"),
    ("pages", "code"),
)

_types = itertools.cycle(ROOTS)
