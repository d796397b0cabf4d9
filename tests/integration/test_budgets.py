"""What requests and bulk updates cost (DESIGN, section 9): DynamoDB calls and units, at 100 and at 10,000 passes.

`pytest -s` prints the measured table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from chalicelib.domain import bulk_updates
from chalicelib.domain.passes import Pass
from chalicelib.wiring import get_platform
from local.environment import PREFIX
from tests.support import devices
from tests.support.builders import make_passes, make_template, read_pass, write_field
from tests.support.stack import Stack
from tests.support.units import Units, measure_units

SMALL, LARGE = 100, 10_000
SIZES = (SMALL, LARGE)
SEGMENT_SIZE = 1000
TAG = "everyone"
NEWEST_INSTALLED = 10

pytestmark = pytest.mark.xdist_group("budgets")


@dataclass(frozen=True)
class Request:
    """One request whose calls are counted, in a project of `size` passes. `most` is its budget."""

    name: str
    method: str
    path: str
    most: int
    body: object = None


def _page(name: str, query: str, *, segments: int) -> Request:
    return Request(f"GET /tag/{{tag}}/passes, {name}", "GET", f"/v1/tag/{TAG}/passes?{query}", 3 + segments)


def _requests(size: int, pass_ids: Sequence[int]) -> list[Request]:
    """Everything that is measured in a project of that size; the last one empties the tag."""
    labels = [f"label {number}" for number in range(14)]
    # a bit past the middle, so that no filter shifts the page over a segment's edge
    middle = size // 20 + size // 400 * 10 + 3
    return [
        Request("GET /pass/{id}/tags", "GET", f"/v1/pass/{pass_ids[size // 2]}/tags", 3),
        Request("PUT /pass/{id}/tags, all new", "PUT", f"/v1/pass/{pass_ids[0]}/tags", 4, {"tags": labels}),
        Request("PUT /pass/{id}/tags, 1 existing", "PUT", f"/v1/pass/{pass_ids[1]}/tags", 4, {"tags": labels[:1]}),
        Request("PUT /pass/{id}/tags, 15 existing", "PUT", f"/v1/pass/{pass_ids[2]}/tags", 4, {"tags": [TAG, *labels]}),
        _page("page 1 by id", "page=1", segments=1),
        _page("page 1 by createdAt, ascending", "order=createdAt&direction=ASC", segments=1),
        _page("a page in the middle", f"page={middle}", segments=1),
        _page("the last page", f"page={size // 10}", segments=1),
        _page("page 1 of 100", "pageSize=100", segments=1),
        _page("page 1, not_been_installed", "status=not_been_installed", segments=1),
        _page("a deep page, not_been_installed", f"page={middle}&status=not_been_installed", segments=1),
        _page("page 1, installed", "status=installed", segments=1),
        _page("past the end", "page=5000", segments=0),
        Request("DELETE /tag/{tag}/passes", "DELETE", f"/v1/tag/{TAG}/passes", 3),
    ]


ONLY_LARGE = [
    _page("over the edge of a segment", "pageSize=30&page=34&direction=ASC", segments=2),  # members 990 to 1019
    _page("uninstalled, one in each of 10 segments", "status=uninstalled", segments=LARGE // SEGMENT_SIZE),
]

NAMES = [request.name for request in _requests(SMALL, range(SMALL))]


@pytest.fixture(scope="module")
def costs(stack: Stack) -> dict[int, dict[str, tuple[int, int]]]:
    """Calls and budget of every request, by size of the project; printed as a table."""
    _skip_on_moto(stack)
    costs = {size: _measure_project(stack, size) for size in SIZES}
    # sweeping 10,000 passes is nobody's concern here
    stack.queues.purge_queue(QueueUrl=stack.queues.get_queue_url(QueueName=PREFIX + "sweep")["QueueUrl"])
    sys.stdout.write(f"\n{'DynamoDB calls':<62} {'budget':>6} {SMALL:>6} {LARGE:>6}\n")
    for name, (large, most) in costs[LARGE].items():
        small = costs[SMALL].get(name, ("-", most))[0]
        sys.stdout.write(f"{name:<62} {most:>6} {small:>6} {large:>6}\n")
    return costs


def _skip_on_moto(stack: Stack) -> None:
    if stack.engine_name == "moto":
        pytest.skip("COSTS ARE NOT CHECKED: moto does not count what DynamoDB would")


def _measure_project(stack: Stack, size: int) -> dict[str, tuple[int, int]]:
    tenant = stack.tenant()
    passes = make_passes(tenant.project_id, size, tags=[TAG])
    _install_some(tenant.project_id, passes)
    tenant.call("GET", "/v1/tag")  # from here on the credentials are cached
    *requests, last = _requests(size, [pass_.pass_id for pass_ in passes])
    costs = {}
    for request in [*requests, *(ONLY_LARGE if size == LARGE else []), last]:
        with stack.count_calls() as calls:
            tenant.call(request.method, request.path, json=request.body)
        costs[request.name] = (calls.total, request.most)
    assert tenant.call("GET", f"/v1/tag/{TAG}/passes")["count"] == 0
    return costs


def _install_some(project_id: int, passes: Sequence[Pass]) -> None:
    """The newest ten are installed, and the first of every segment no longer is."""
    platform, gone = get_platform(), passes[::SEGMENT_SIZE]
    for pass_ in [*passes[-NEWEST_INSTALLED:], *gone]:
        devices.install(platform, project_id=project_id, pass_id=pass_.pass_id, device_platform="ios")
    for pass_ in gone:
        devices.remove(platform, project_id=project_id, pass_id=pass_.pass_id)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_a_request_stays_within_its_budget(costs: dict[int, dict[str, tuple[int, int]]], name: str, size: int) -> None:
    calls, most = costs[size][name]

    assert calls <= most


@pytest.mark.parametrize("name", NAMES)
def test_a_request_costs_the_same_at_100_and_at_10_000_passes(
    costs: dict[int, dict[str, tuple[int, int]]], name: str
) -> None:
    assert costs[SMALL][name] == costs[LARGE][name]


@pytest.mark.parametrize("request_", ONLY_LARGE, ids=lambda request: request.name)
def test_a_page_of_several_segments_takes_one_call_more_for_each(
    costs: dict[int, dict[str, tuple[int, int]]], request_: Request
) -> None:
    assert costs[LARGE][request_.name] == (request_.most, request_.most)


@pytest.fixture(scope="module")
def bulk_units(stack: Stack) -> dict[int, tuple[Units, float]]:
    """Units of one segment of a bulk update and the size of a pass in KB, by how many tags its 100 passes have."""
    _skip_on_moto(stack)
    return {tags: _measure_bulk_update(stack, tags) for tags in (1, 3)}


def _measure_bulk_update(stack: Stack, tags: int) -> tuple[Units, float]:
    platform, project_id = get_platform(), stack.tenant().project_id
    template_id = make_template(project_id).template_id
    names = [f"tag {number}" for number in range(tags)]
    passes = make_passes(project_id, SMALL, tags=names, template_id=template_id)
    update = write_field("Points", "1")
    ticket = bulk_updates.start_bulk_update(platform, project_id=project_id, segment=names[0], update=update)
    bulk_updates.plan_bulk_update(platform, ticket_id=ticket.ticket_id)
    with measure_units() as units:
        result = bulk_updates.update_segment(
            platform, ticket_id=ticket.ticket_id, segment=passes[0].pass_id // SEGMENT_SIZE
        )
    assert result is not None
    assert result.changed == SMALL
    stack.drain()
    content = len(read_pass(passes[0]).content.encode())
    return units, -(-(content + 700) // 1024)  # the other attributes of a pass are some 500 bytes


WRITES = ("BatchExecuteStatement", "UpdateItem", "PutItem", "TransactWriteItems")


@pytest.mark.parametrize("tags", [1, 3])
def test_a_bulk_update_writes_one_unit_for_each_kilobyte_and_moves_one_index_entry(
    bulk_units: dict[int, tuple[Units, float]], tags: int
) -> None:
    units, kilobytes = bulk_units[tags]
    by_index = {
        index: sum(units.by_place[(operation, "passes", index)] for operation in WRITES) / SMALL
        for index in ("", "by_updated", "by_project", "by_template")
    }
    sys.stdout.write(f"\nbulk update, {tags} tags: units per pass {by_index}\n")

    assert by_index[""] <= kilobytes
    assert by_index["by_updated"] <= 2  # the entry is taken out and put in again
    assert by_index["by_project"] == by_index["by_template"] == 0


@pytest.mark.parametrize("tags", [1, 3])
def test_a_bulk_update_reads_half_a_unit_for_each_pass(bulk_units: dict[int, tuple[Units, float]], tags: int) -> None:
    units, _ = bulk_units[tags]
    read = units.of("BatchGetItem", "GetItem", "Query", "Scan", table="passes") / SMALL
    listed = units.of("Query", table="memberships") / SMALL

    assert read <= 0.5
    assert listed <= 0.05


def test_a_bulk_update_costs_the_same_at_one_tag_and_at_three(bulk_units: dict[int, tuple[Units, float]]) -> None:
    assert bulk_units[1][0].by_place == bulk_units[3][0].by_place


@pytest.mark.parametrize("tags", [1, 3])
def test_a_bulk_update_makes_no_transaction_for_a_pass(bulk_units: dict[int, tuple[Units, float]], tags: int) -> None:
    units, _ = bulk_units[tags]

    assert units.of("TransactWriteItems", table="passes") == 0
    assert units.calls["TransactWriteItems"] <= 1  # the marker and the progress of the whole segment
