"""Requests that must be refused and change nothing, in the error bodies of their dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis.stateful import rule

from chalicelib.schemas.passworks import ROOTS
from tests.contract.campaigns import UNKNOWN_ID
from tests.model.base import Base, pick, which
from tests.model.ledger import Pass, Project

UNKNOWN = 9_007_199_254_740_991
FIELDS: dict[str, Any] = {"fields": {"Points": {"value": "never"}}}
TAGS: dict[str, Any] = {"tags": ["never"]}

Wrong = tuple[str, str, Any, int]
"""method, path, body and the status of the refusal"""
WrongThere = tuple[str, str, Any, int, int]
"""the same with an error code"""


class WrongRules(Base):
    """What must not be done."""

    @rule(project=which, number=which, which_pass=which)
    def ask_wrongly(self, project: int, number: int, which_pass: int) -> None:
        """One rule for all, so that right requests are most of a history."""
        owner = pick(self.world.projects, project)
        self._refuse_all(owner, [pick(_UNKNOWN, number), pick(_MALFORMED, number)])
        if self.passes:
            pass_ = pick(self.passes, which_pass)
            self._reach_into_another_project(pass_, number)
            self._write_what_cannot_be(pass_, number)

    def _reach_into_another_project(self, pass_: Pass, number: int) -> None:
        """Right ids of somebody else are unknown ids, in both dialects."""
        owner = pass_.template.project
        stranger = next(project for project in self.world.projects if project is not owner)
        self._refuse_all(stranger, [pick(_foreign(pass_), number)])
        self._refuse_there(stranger, pick(_foreign_there(pass_), number))
        for ticket in owner.tickets[-1:]:
            self.refuse(stranger, "GET", f"/v1/ticket/{ticket.ticket_id or UNKNOWN}", status=404)
        self.touch(owner)

    def _write_what_cannot_be(self, pass_: Pass, number: int) -> None:
        """A right pass and a wrong request."""
        owner = pass_.template.project
        self._refuse_all(owner, [pick(_bad_writes(pass_), number)])
        self._refuse_there(owner, pick(_bad_writes_there(pass_), number))
        self.touch(pass_)

    def _refuse_there(self, project: Project, request: WrongThere) -> None:
        method, path, body, status, code = request
        self.refuse(project, method, path, body, status=status, code=code)

    def _refuse_all(self, project: Project, requests: Sequence[Wrong]) -> None:
        for method, path, body, status in requests:
            self.refuse(project, method, path, body, status=status)
        self.touch(project)


_UNKNOWN: Sequence[Wrong] = (
    ("GET", f"/v1/pass/{UNKNOWN}", None, 404),
    ("PUT", f"/v1/pass/{UNKNOWN}", FIELDS, 404),
    ("DELETE", f"/v1/pass/{UNKNOWN}", None, 404),
    ("GET", "/v1/pass/id/nobody/tags", None, 404),
    ("PUT", f"/v1/pass/{UNKNOWN}/tags", TAGS, 404),
    ("PUT", f"/v1/pass/template/{UNKNOWN}/id/4711/tags", TAGS, 404),
    ("POST", f"/v1/pass/{UNKNOWN}", {}, 404),
    ("GET", f"/v1/template/{UNKNOWN}/passes", None, 404),
    ("DELETE", f"/v1/template/{UNKNOWN}", None, 404),
    ("GET", "/v1/tag/never/passes", None, 404),
    ("PUT", "/v1/tag/never/passes", FIELDS, 404),
    ("DELETE", "/v1/tag/never/passes", None, 404),
    ("DELETE", "/v1/tag/never", None, 404),
    ("GET", f"/v1/ticket/{UNKNOWN}", None, 404),
)

_MALFORMED: Sequence[Wrong] = (
    ("GET", "/v1/pass?pageSize=0", None, 400),
    ("GET", "/v1/pass?pageSize=1001", None, 400),
    ("GET", "/v1/pass?order=colour", None, 400),
    ("GET", "/v1/pass?status=lost", None, 400),
    ("GET", "/v1/tag?direction=up", None, 400),
    ("GET", "/v1/tag?page=-1", None, 400),
    ("POST", "/v1/template", {"name": "Card", "vendor": "Nokia"}, 400),
)


def _foreign(pass_: Pass) -> Sequence[Wrong]:
    template_id = pass_.template.template_id
    return (
        ("GET", f"/v1/pass/{pass_.pass_id}", None, 404),
        ("PUT", f"/v1/pass/{pass_.pass_id}", FIELDS, 404),
        ("PUT", f"/v1/pass/{pass_.pass_id}/tags", TAGS, 404),
        ("GET", f"/v1/pass/{pass_.pass_id}/tags", None, 404),
        ("DELETE", f"/v1/pass/{pass_.pass_id}", None, 404),
        ("POST", f"/v1/pass/{template_id}", {}, 404),
        ("POST", f"/v1/pass/{template_id}/bulk", {"passes": [{}]}, 404),
        ("GET", f"/v1/pass?templateId={template_id}", None, 404),
        ("DELETE", f"/v1/template/{template_id}", None, 404),
    )


def _foreign_there(pass_: Pass) -> Sequence[WrongThere]:
    template = pass_.template
    return (
        ("GET", template.path, None, 404, 10004),
        ("DELETE", template.path, None, 412, 10104),
        ("GET", pass_.path, None, 404, 10004),
        ("PATCH", pass_.path, {"pass": {}}, 404, 10004),
        ("DELETE", pass_.path, None, 404, 10004),
        ("POST", f"{pass_.path}/redeem", None, 404, 10004),
        ("POST", f"{template.path}/passes", None, 404, 10004),
        ("POST", f"{template.path}/merge", None, 404, 10004),
        ("GET", f"{template.path}/registrations", None, 404, 10004),
        ("GET", f"{template.path}/reports/totals", None, 404, 10004),
    )


def _bad_writes(pass_: Pass) -> Sequence[Wrong]:
    path = f"/v1/pass/{pass_.pass_id}"
    too_many = [{"latitude": 1, "longitude": 2}] * 11
    return (
        ("PUT", f"{path}/tags", {"tags": ["never", "x" * 256]}, 400),
        ("PUT", f"{path}/tags", {"tags": ["never", " "]}, 400),
        ("PUT", f"{path}/tags", {"tags": "never"}, 400),
        ("PUT", f"{path}/tags", {}, 400),
        ("PUT", path, {"fields": {"Points": "never"}}, 400),
        ("PUT", path, {**FIELDS, "locations": too_many}, 400),
        ("PUT", path, {**FIELDS, "headers": {"expirationDate": {"value": "2001-01-01", "label": "valid"}}}, 400),
        ("PUT", path, {**FIELDS, "headers": {"barcode_type": {"value": "dots"}}}, 400),
        ("POST", f"/v1/pass/{pass_.template.template_id}", {"externalId": "x" * 1000}, 400),
    )


def _bad_writes_there(pass_: Pass) -> Sequence[WrongThere]:
    template = pass_.template
    other = next(kind for kind in ROOTS if kind != template.campaign_type)
    twice = [{"key": "Points", "value": "never"}] * 2
    return (
        ("PATCH", pass_.path, {"nothing": {}}, 422, 10100),
        ("PATCH", pass_.path, {"pass": {"primary_fields": twice}}, 422, 10100),
        ("PATCH", pass_.path, {"pass": {"merge": "perhaps"}}, 422, 10100),
        ("GET", f"/v2/{other}/{template.campaign_id}", None, 404, 10004),
        ("GET", f"{template.path}/passes/{UNKNOWN_ID}", None, 404, 10004),
        ("DELETE", f"{template.path}/passes/{UNKNOWN_ID}", None, 412, 10104),
        ("GET", f"{template.path}/passes?q[colour_eq]=red", None, 422, 10101),
        ("POST", f"{template.path}/redeem", {"pass": {"redeem_code": "never"}}, 404, 10004),
        ("GET", f"{template.path}/redeem/never", None, 404, 10004),
        ("PATCH", template.path, {"pass": {"name": ""}}, 422, 10100),
        ("POST", f"/v2/{template.campaign_type}", {ROOTS[template.campaign_type]: {}}, 422, 10100),
    )
