"""Passes for tests of what wallets do with them, made through the Airship dialect and seen through both dialects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chalicelib.wiring import get_platform
from tests.contract import samples
from tests.support.recount import read_rows
from tests.support.stack import Stack, Tenant


@dataclass(frozen=True)
class Card:
    """A pass, and the project that issued it."""

    tenant: Tenant
    template_id: int
    pass_id: int

    @property
    def shown(self) -> Any:
        """The pass as its object in the Airship dialect."""
        return samples.read_pass(self.tenant, self.pass_id)

    @property
    def url(self) -> str:
        """What a person opens to get the pass."""
        return str(self.shown["url"])

    @property
    def serial_number(self) -> str:
        """What names it in wallets."""
        return str(self.shown["serialNumber"])

    def update(self, points: object) -> None:
        """Changes what the pass shows."""
        self.tenant.call("PUT", f"/v1/pass/{self.pass_id}", json={"fields": {"Points": {"value": str(points)}}})

    def delete(self) -> None:
        """Removes the pass."""
        self.tenant.call("DELETE", f"/v1/pass/{self.pass_id}")

    def list_registrations(self, query: str = "") -> list[dict[str, Any]]:
        """The registrations of the pass's campaign in the Passworks dialect."""
        answer = self.tenant.call("GET", f"{campaign_path(self.tenant, self.template_id)}/registrations{query}")
        assert isinstance(answer, list)
        return answer

    def list_own_registrations(self) -> list[dict[str, Any]]:
        """Those of the pass itself."""
        path = f"{campaign_path(self.tenant, self.template_id)}/passes/{self.serial_number}/registrations"
        answer = self.tenant.call("GET", path)
        assert isinstance(answer, list)
        return answer


def campaign_path(tenant: Tenant, template_id: int) -> str:
    """Where the Passworks dialect has a template."""
    template = get_platform().templates.get_template(project_id=tenant.project_id, template_id=template_id)
    assert template is not None
    return f"/v2/{template.campaign_type}/{template.campaign_id}"


def issue_card(tenant: Tenant, template_id: int | None = None, **body: Any) -> Card:
    """A new pass, of a template of its own unless one is given."""
    parent = samples.new_template(tenant) if template_id is None else template_id
    return Card(tenant, parent, samples.new_pass(tenant, parent, **body))


def issue_cards(tenant: Tenant, count: int, **body: Any) -> list[Card]:
    """New passes of one template."""
    parent = samples.new_template(tenant)
    return [Card(tenant, parent, pass_id) for pass_id in samples.new_passes(tenant, count, template_id=parent, **body)]


def look(stack: Stack, tenant: Tenant) -> Any:
    """Every stored row and counter of a project, but for the days' counts, which views and downloads move."""
    rows = read_rows(stack.dynamodb, tenant.project_id)
    rows.counters = [row for row in rows.counters if not row["collection"].startswith("template-events:")]
    return rows
