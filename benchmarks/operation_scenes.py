"""Projects whose passes are alike, for measuring what an operation takes by size and tags of a pass."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from benchmarks.operation_meter import Gateway, Taken, item_bytes, work_off
from chalicelib import operations
from chalicelib.domain import issuing, template_editing
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.deliveries import Delivery, as_document
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.templates import Template, TemplateDraft, TemplateReference
from local.certificates import PASS_TYPE
from local.environment import PREFIX

ROOM_BYTES = 200
"""left in a row's last kilobyte, for what operations write into it"""

_LARGEST_BULK = 1000
_FIRST_TICKET = 10**12
"""far above those that updates have here"""


class Engines(Protocol):
    """A running stack, as far as a measurement needs it."""

    @property
    def queues(self) -> Any:
        """A client of SQS."""

    @property
    def dynamodb(self) -> Any:
        """A client of DynamoDB."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project with passes of one template; each has the tags `tag-0`, `tag-1`, ... and nobody holds it."""

    stack: Engines
    gateway: Gateway
    platform: Platform
    project_id: int
    template: Template
    passes: list[Pass]
    tags: int
    kilobytes: int
    """that the row of a pass fills; the template is about as large"""
    headers: dict[str, str]

    @property
    def tag_names(self) -> list[str]:
        """Of every pass."""
        return [f"tag-{number}" for number in range(self.tags)]

    @property
    def campaign_path(self) -> str:
        """Where the Passworks dialect has the template."""
        return f"/v2/{self.template.campaign_type}/{self.template.campaign_id}"

    def measure(self, method: str, path: str, *, body: Any = None, status: int = 200) -> Taken:
        """A request of the team's own system."""
        return self.gateway.measure(method, path, body=body, headers=self.headers, status=status)

    def send(self, method: str, path: str, *, body: Any = None) -> Any:
        """The JSON of such a request, unmeasured."""
        return json.loads(self.gateway.send(method, path, body=body, headers=self.headers)["body"])

    def work_off(self, queue: str) -> Taken:
        """What the worker of a queue takes for what waits there.

        Raises:
            RuntimeError: nothing waits.
        """
        taken, messages = work_off(self.stack.queues, queue)
        if not messages:
            raise RuntimeError(f"nothing waits in the queue {queue}")
        return taken

    def deliver(self, wallet: Wallet, tokens: list[str], *, ticket_id: int | None = None) -> Taken:
        """What pushing to devices of a wallet takes."""
        delivery = Delivery(
            ticket_id=ticket_id or _FIRST_TICKET + secrets.randbelow(10**9),
            project_id=self.project_id,
            template_id=self.template.template_id,
            wallet=wallet,
            pass_type=PASS_TYPE,
            tokens=tuple(tokens),
            asked_at=self.platform.now(),
        )
        self.platform.queues.send_documents(delivery.queue, [as_document(delivery)])
        return self.work_off(delivery.queue)


def make_scene(
    stack: Engines, gateway: Gateway, platform: Platform, *, passes: int, tags: int, kilobytes: int
) -> Scene:
    """A new project."""
    names = [f"tag-{number}" for number in range(tags)]
    filler = _measure_filler(stack, platform, names, kilobytes)
    project = operations.create_project(name=f"{passes} passes, {tags} tags, {kilobytes} KB")
    issued = operations.issue_key(project_id=project.project_id)
    pair = base64.b64encode(f"{issued.key}:{issued.secret}".encode()).decode()
    template = _make_template(platform, project.project_id, filler=filler)
    made = list(_make_passes(platform, template, count=passes, tags=names))
    scene = Scene(
        stack=stack,
        gateway=gateway,
        platform=platform,
        project_id=project.project_id,
        template=template,
        passes=made,
        tags=tags,
        kilobytes=kilobytes,
        headers={"authorization": f"Basic {pair}"},
    )
    scene.send("GET", "/v1/tag")  # from here on the credentials are known, as for a minute on Lambda
    return scene


def _measure_filler(stack: Engines, platform: Platform, names: list[str], kilobytes: int) -> int:
    """Bytes of a field that fill a row up to its room; found in a project of its own, which is left as it is."""
    project = operations.create_project(name="a probe")
    template = _make_template(platform, project.project_id, filler=0)
    (probe,) = _make_passes(platform, template, count=1, tags=names)
    return max(0, kilobytes * 1024 - ROOM_BYTES - item_bytes(read_row(stack, probe.pass_id)))


def _make_template(platform: Platform, project_id: int, *, filler: int) -> Template:
    fields = {"Points": Entry({"fieldType": "primary", "label": "Points", "value": "0"})}
    if filler:
        fields["Story"] = Entry({"fieldType": "back", "value": "s" * max(1, filler - len(_EMPTY_STORY))})
    draft = TemplateDraft(
        name="Bench",
        description="",
        vendor="Apple",
        type="Store Card",
        project_type="memberCard",
        content=Content(fields=fields),
    )
    return template_editing.create_template(platform, project_id=project_id, draft=draft, external_id=None)


_EMPTY_STORY = ',"Story":[{"fieldType":"back","value":""}]'


def _make_passes(platform: Platform, template: Template, *, count: int, tags: list[str]) -> Iterator[Pass]:
    new = NewPass(update=ContentUpdate(), tag_names=tuple(tags))
    for start in range(0, count, _LARGEST_BULK):
        outcomes = issuing.create_passes(
            platform,
            project_id=template.project_id,
            template=TemplateReference(template_id=template.template_id),
            new=[new] * min(_LARGEST_BULK, count - start),
        )
        for outcome in outcomes:
            if not isinstance(outcome, Pass):
                raise outcome
            yield outcome


def read_row(stack: Engines, pass_id: int) -> dict[str, dict[str, Any]]:
    """A pass as it is stored."""
    key = {"pass_id": {"N": str(pass_id)}}
    item: dict[str, dict[str, Any]] = stack.dynamodb.get_item(TableName=f"{PREFIX}passes", Key=key)["Item"]
    return item
