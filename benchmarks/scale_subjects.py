"""A loaded project, as its clients see it: credentials, and where its pages are."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from benchmarks.loaded_file import Population
from benchmarks.operation_meter import Gateway, item_bytes
from benchmarks.population import status_of
from chalicelib import operations
from chalicelib.domain.counted_index import Collection, SegmentCount, count_members, locate_page
from chalicelib.domain.passes import PassStatus
from chalicelib.domain.ports import Platform
from chalicelib.domain.tags import Tag
from chalicelib.domain.templates import Template
from chalicelib.store.models import SegmentRow
from chalicelib.wiring import get_database

PAGE_SIZE = 10
"""the contract's own default"""

UNIT_BYTES = 4096
"""of one read unit"""

ANSWER_BYTES = 1024 * 1024
"""that one query answers at most"""


@dataclass(frozen=True, kw_only=True)
class CounterSize:
    """The counter rows of one collection: the only thing that a page reads more of as its list grows."""

    rows: int
    bytes: int

    @property
    def units(self) -> int:
        """What reading them consistently costs."""
        return -(-self.bytes // UNIT_BYTES)

    @property
    def calls(self) -> int:
        """That reading them takes."""
        return -(-self.bytes // ANSWER_BYTES) or 1


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One project of the loaded file. All its passes have `tag`."""

    population: Population
    platform: Platform
    gateway: Gateway
    template: Template
    tag: Tag
    headers: dict[str, str]

    @property
    def size(self) -> int:
        """Its passes."""
        return self.population.passes

    @property
    def campaign_path(self) -> str:
        """Where the Passworks dialect has the template."""
        return f"/v2/{self.template.campaign_type}/{self.template.campaign_id}"

    def send(self, method: str, path: str, *, body: Any = None) -> Any:
        """The JSON of a request that must succeed."""
        return json.loads(self.gateway.send(method, path, body=body, headers=self.headers)["body"])

    def iterate_passes(self, status: PassStatus) -> Iterator[int]:
        """Ids of passes with a status, from the middle of the project on; each is given out for one write."""
        pass_ids = self.population.pass_ids
        return (pass_id for pass_id in pass_ids[len(pass_ids) // 2 :] if status_of(pass_id) is status)

    def read_counts(self, collection: Collection) -> list[SegmentCount]:
        """The counters of a collection."""
        return self.platform.counts.read_counts(collection)

    def last_page(self, collection: Collection, facets: AbstractSet[str] | None, *, size: int = PAGE_SIZE) -> int:
        """The last full page of a list."""
        return count_members(self.read_counts(collection), facets) // size

    def deep_page(
        self,
        collection: Collection,
        facets: AbstractSet[str] | None = None,
        *,
        descending: bool = True,
        size: int = PAGE_SIZE,
    ) -> int:
        """A full page near the end that begins or ends with its segment, as far as there is one.

        What a page costs depends a little on how far inside its segment it lies and whether it reaches into another;
        so pages of different sizes of list are compared at the same place.
        """
        counts = self.read_counts(collection)
        last = count_members(counts, facets) // size
        pages = range(max(last - 2 * 1000 // size, 1), last + 1)

        def cost(page: int) -> tuple[int, int, int]:
            slices = locate_page(counts, offset=(page - 1) * size, size=size, descending=descending, facets=facets)
            walked = sum(min(part.skip, part.members - part.skip - part.take) for part in slices)
            return len(slices), walked, -page

        return min(pages, key=cost)


def measure_counters(collection: Collection) -> CounterSize:
    """How large the counter rows are."""
    items = [
        item
        for page in get_database().query(
            TableName=SegmentRow.Meta.table_name,
            KeyConditionExpression="#collection = :collection",
            ExpressionAttributeNames={"#collection": "collection"},
            ExpressionAttributeValues={":collection": {"S": collection.key}},
        )
        for item in page
    ]
    return CounterSize(rows=len(items), bytes=sum(map(item_bytes, items)))


def open_subjects(platform: Platform, gateway: Gateway, populations: Sequence[Population]) -> list[Subject]:
    """The projects of a loaded file, each with a key of its own."""
    return [_open(platform, gateway, population) for population in populations]


def _open(platform: Platform, gateway: Gateway, population: Population) -> Subject:
    issued = operations.issue_key(project_id=population.project_id)
    pair = base64.b64encode(f"{issued.key}:{issued.secret}".encode()).decode()
    tags, _ = platform.tags.get_tags(project_id=population.project_id, names=["tag-0"])
    template = platform.templates.get_template(project_id=population.project_id, template_id=population.template_id)
    assert template is not None
    subject = Subject(
        population=population,
        platform=platform,
        gateway=gateway,
        template=template,
        tag=tags["tag-0"],
        headers={"authorization": f"Basic {pair}"},
    )
    subject.send("GET", "/v1/tag")  # from here on the credentials are known
    return subject
