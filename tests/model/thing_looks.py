"""Single things compared with the model: passes, templates, tickets and reports, in both dialects."""

from __future__ import annotations

from typing import Any

from tests.contract.strict_reader import find_faults
from tests.model.base import Base
from tests.model.ledger import GONE, NEVER, Pass, Project, Template, Ticket

Document = dict[str, Any]


class ThingLooks(Base):
    """What is there, one by one, or all of a project at once."""

    def look_at_passes(self, project: Project) -> None:
        """All passes of a project in one answer: ids, status, tags and times."""
        answer = self.call(project, "GET", "/v1/pass?pageSize=1000&direction=ASC")
        assert answer["count"] == len(project.passes)
        for pass_, row in zip(project.passes, answer["passes"], strict=True):
            self._compare_row(pass_, row)

    def _compare_row(self, pass_: Pass, row: Document) -> None:
        expected = {
            "id": str(pass_.pass_id),
            "templateId": str(pass_.template.template_id),
            "serialNumber": pass_.serial_number,
            "url": pass_.url,
            "status": pass_.status,
            "tags": _tag_names(pass_),
        }
        if pass_.external_id is not None:
            expected["externalId"] = pass_.external_id
        assert row == expected | {key: row[key] for key in ("createdAt", "updatedAt", "uaEntityId")}
        pass_.created_at = pass_.created_at or row["createdAt"]
        pass_.updated_at = pass_.updated_at or row["updatedAt"]
        assert row["createdAt"] == pass_.created_at
        if pass_.changed:
            assert row["updatedAt"] >= self.began, (row, self.began)
            pass_.updated_at, pass_.changed = row["updatedAt"], False
        assert row["updatedAt"] == pass_.updated_at

    def look_at_pass(self, pass_: Pass) -> None:
        """The whole pass in both dialects, and its tags; or that there is none."""
        project = pass_.template.project
        path = f"/v1/pass/{pass_.pass_id}"
        if pass_.deleted:
            self.refuse(project, "GET", path, status=404)
            self.refuse(project, "GET", f"{path}/tags", status=404)
            self.refuse(project, "GET", pass_.path, status=404, code=10004)
            return
        shown = self.call(project, "GET", path)
        assert find_faults(shown) == []
        self._compare_row(pass_, {key: shown[key] for key in shown if key in _ROW_KEYS})
        fields = {
            name: {key: value for key, value in entry.items() if key != "behaviour"}
            for name, entry in pass_.shown.fields.items()
        }
        assert (shown["fields"], shown["headers"]) == (fields, pass_.shown.headers)
        assert ("installedAt" in shown) == (pass_.status != NEVER)
        assert ("uninstalledAt" in shown) == (pass_.status == GONE)
        assert shown.get("platform") == pass_.platform
        tags = self.call(project, "GET", f"{path}/tags")["tags"]
        assert [tag["name"] for tag in tags] == _tag_names(pass_)
        assert [tag["id"] for tag in tags] == sorted(tag.tag_id for tag in pass_.tags)
        self._compare_there(pass_, self.call(project, "GET", pass_.path))

    def look_at_passes_there(self, template: Template) -> None:
        """The first passes of a campaign in one answer: content, code and redeems."""
        rows = self.call(template.project, "GET", f"{template.path}/passes?per_page=50")
        assert len(rows) == min(len(template.passes), 50)
        for pass_, row in zip(template.passes, rows, strict=False):
            self._compare_there(pass_, row)
        codes = [pass_.redeem_code for pass_ in template.passes]
        assert codes == sorted(set(codes))

    def _compare_there(self, pass_: Pass, row: Document) -> None:
        pass_.redeem_code = pass_.redeem_code or row["redeem_code"]
        expected = {
            "id": pass_.serial_number,
            "serial_number": pass_.serial_number,
            "campaign_id": pass_.template.campaign_id,
            "voided": pass_.shown.is_voided,
            "redeem_code": pass_.redeem_code,
            "redeemed_count": pass_.redeemed,
            "created_at": f"{pass_.created_at[:19]}Z",
            "updated_at": f"{pass_.updated_at[:19]}Z",
        }
        assert {key: row[key] for key in expected} == expected
        assert (row["redeemed_at"] is None) == (pass_.redeemed == 0)
        groups = pass_.shown.groups()
        assert {name: sorted(row[name], key=lambda field: str(field["key"])) for name in groups} == groups

    def look_at_templates(self, project: Project) -> None:
        """The list of templates in the Airship dialect, and of campaigns in the other one."""
        answer = self.call(project, "GET", "/v1/template/headers?pageSize=1000&direction=ASC")
        assert answer["count"] == len(project.templates)
        for template, row in zip(project.templates, answer["templateHeaders"], strict=True):
            expected = (str(template.template_id), template.name, template.external_id)
            assert (row["id"], row["name"], row.get("externalId")) == expected
        keys = {
            "name": lambda row: (row["name"], int(row["id"])),
            "updatedAt": lambda row: (row["updatedAt"], int(row["id"])),
        }
        for order, key in keys.items():
            in_order = [row["id"] for row in sorted(answer["templateHeaders"], key=key, reverse=True)]
            found = self.call(project, "GET", f"/v1/template/headers?pageSize=2&page=2&order={order}")
            assert [row["id"] for row in found["templateHeaders"]] == in_order[2:4]
        for kind in {template.campaign_type for template in project.templates}:
            rows = self.call(project, "GET", f"/v2/{kind}?per_page=50")
            campaigns = [each for each in project.templates if each.campaign_type == kind]
            for template, row in zip(campaigns, rows, strict=True):
                _compare_campaign(template, row)

    def look_at_template(self, template: Template) -> None:
        """The whole template in both dialects; or that there is none."""
        project, path = template.project, f"/v1/template/{template.template_id}"
        if template.deleted:
            self.refuse(project, "GET", path, status=404)
            self.refuse(project, "GET", template.path, status=404, code=10004)
            self.refuse(project, "POST", f"{template.path}/passes", status=404, code=10004)
            return
        shown = self.call(project, "GET", path)
        fields = {
            name: {key: value for key, value in entry.items() if key != "behaviour"}
            for name, entry in template.shown.fields.items()
        }
        assert shown["fieldsModel"]["fields"] == fields
        row = self.call(project, "GET", template.path)
        _compare_campaign(template, row)
        assert row["allow_multiple_redeems"] == template.allow_multiple
        groups = template.shown.groups()
        for name, entries in groups.items():
            found = [{key: field[key] for key in ("key", "value", "label", "behaviour")} for field in row[name]]
            assert sorted(found, key=lambda field: str(field["key"])) == entries

    def look_at_histories(self, template: Template) -> None:
        """Registrations and redeems keep the ids that they were first seen with, and are ordered by their times."""
        if template.registrations:
            rows = self.call(template.project, "GET", f"{template.path}/registrations?per_page=50")
            _check_times(rows)
            for registration, row in zip(template.registrations, rows, strict=True):
                registration.registration_id = registration.registration_id or row["id"]
                assert row["id"] == registration.registration_id
        if template.redeems:
            rows = self.call(template.project, "GET", f"{template.path}/redeems?per_page=50")
            _check_times(rows)
            for redeem, row in zip(template.redeems, rows, strict=True):
                redeem.redeem_id = redeem.redeem_id or row["id"]
                assert row["id"] == redeem.redeem_id

    def look_at_ticket(self, ticket: Ticket) -> None:
        """How far an update is; the other dialect tells of no ticket."""
        if ticket.ticket_id is None:
            return
        shown = self.call(ticket.project, "GET", f"/v1/ticket/{ticket.ticket_id}")
        progress = {"total": ticket.total, "processed": ticket.processed, "changed": ticket.changed, "failed": 0}
        assert (shown["Status"], shown["ID"], shown["progress"]) == (ticket.status, ticket.ticket_id, progress)

    def look_at_report(self, template: Template) -> None:
        """What is counted since the beginning."""
        report = self.call(template.project, "GET", f"{template.path}/reports/totals")["report"]
        events = template.events
        expected = {
            "creates_count": events["creates"],
            "updates_count": events["updates"],
            "redeems_count": events["redeems"],
            "downloads_count": events["downloads"],
            "fetches_count": events["fetches"],
            "active_count": len(template.registrations),
        }
        assert {name: report[name] for name in expected} == expected
        for name, system in (("apple", "ios"), ("android", "android")):
            counts = (events[f"installs {system}"], events[f"uninstalls {system}"])
            assert (report[name]["installs_count"], report[name]["uninstalls_count"]) == counts


_ROW_KEYS = frozenset(
    ("id", "templateId", "serialNumber", "url", "status", "tags", "externalId", "createdAt", "updatedAt", "uaEntityId")
)


def _tag_names(pass_: Pass) -> list[str]:
    """In the order of the tags' ids, which is that of their making."""
    return [tag.name for tag in pass_.template.project.tags if tag in pass_.tags]


def _check_times(rows: list[Document]) -> None:
    times = [row["created_at"] for row in rows]
    assert times == sorted(times)
    assert len({row["id"] for row in rows}) == len(rows)


def _compare_campaign(template: Template, row: Document) -> None:
    expected = {
        "id": template.campaign_id,
        "name": template.name,
        "campaign_type": template.campaign_type,
        "state": template.state,
        "redeem_count": len(template.redeems),
        "description": template.shown.parts["description"],
    }
    assert {key: row[key] for key in expected} == expected
