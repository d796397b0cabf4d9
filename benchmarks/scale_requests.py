"""The requests whose cost must not depend on how many passes there are, and those of which it is known that it does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.scale_subjects import PAGE_SIZE, Subject
from chalicelib.domain.counted_index import (
    Collection,
    passes_of_project,
    passes_of_template,
    registrations_of_template,
    tags_of_project,
)
from chalicelib.domain.passes import STATUS_FILTERS, PassStatus
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.tagging import resolve_tags
from chalicelib.store import tags as stored_tags
from chalicelib.store.models import SweepRow
from chalicelib.store.tags import put_new_tag
from chalicelib.store.transactions import Transaction
from chalicelib.wiring import get_database

ROWS_PER_PAGE = 50
"""of a list of registrations"""

EXISTING = "existing"
"""a tag that is there before it is put on passes"""

FULL_SEGMENTS = 10_000
"""passes from which on a template has a full segment of registrations; some numbers of 1,000 passes are never taken"""

DEEPEST_BY_TIME = 100_000
"""passes up to which the middle of the order by `updatedAt` is walked to: beyond, it takes minutes"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request of a subject. `send` takes the number of the try, so that each may write something else."""

    name: str
    send: Callable[[int], object]
    counters: Collection | None = None
    """whose counter rows it reads"""
    smallest: int = 0
    """passes from which on it is compared"""
    put_back: Callable[[], object] | None = None
    """undoes it, uncounted"""


Make = Callable[[Subject], Iterator[Request]]


def flat_requests(subject: Subject) -> Iterator[Request]:
    """Everything that must cost the same however many passes there are. The last ones empty and delete the tag."""
    yield from _single_reads(subject)
    yield from _lists_of_tag(subject)
    yield from _other_lists(subject)
    yield from _registration_lists(subject)
    yield from _single_writes(subject)
    yield from _writes_of_all(subject)


def growing_requests(subject: Subject) -> Iterator[Request]:
    """What is known to grow (ARCHITECTURE.md, "Order by `updatedAt`" and filters that counters cannot answer)."""
    listing = f"/v1/tag/tag-0/passes?pageSize={PAGE_SIZE}&order=updatedAt"
    collection = subject.tag.collection
    middle = subject.size // PAGE_SIZE // 2
    yield _get(subject, "GET /tag/{tag}/passes, order=updatedAt", listing, collection)
    if subject.size <= DEEPEST_BY_TIME:
        yield _get(subject, "the same, middle page", f"{listing}&page={middle}", collection)
    filtered = f"per_page={ROWS_PER_PAGE}&q[pass_id_not_eq]={subject.template.campaign_id}"
    path = f"{subject.campaign_path}/registrations?{filtered}"
    # 60 in 100 passes are installed, and up to 100,000 registrations are read
    if subject.size <= DEEPEST_BY_TIME:
        counters = registrations_of_template(subject.template.template_id)
        yield _get(subject, "GET /v2/.../registrations, a filter without counters", path, counters)


def _get(subject: Subject, name: str, path: str, counters: Collection | None = None, *, smallest: int = 0) -> Request:
    return Request(name=name, send=lambda _: subject.send("GET", path), counters=counters, smallest=smallest)


def _single_reads(subject: Subject) -> Iterator[Request]:
    pass_id = next(subject.iterate_passes(PassStatus.INSTALLED))
    found = subject.platform.passes.get_pass(project_id=subject.population.project_id, pass_id=pass_id)
    assert found is not None
    ticket = subject.send("PUT", f"/v1/pass/{pass_id}", body={"fields": {"field1": {"value": "shown"}}})["ticketId"]
    of_pass = f"{subject.campaign_path}/passes/{found.serial_number}/registrations"
    yield _get(subject, "GET /pass/{id}", f"/v1/pass/{pass_id}")
    yield _get(subject, "GET /pass/{id}/tags", f"/v1/pass/{pass_id}/tags")
    yield _get(subject, "GET /pass/{id}/viewJSONPass", f"/v1/pass/{pass_id}/viewJSONPass")
    yield _get(subject, "GET /ticket/{id}", f"/v1/ticket/{ticket}")
    yield _get(subject, "GET /template/{id}", f"/v1/template/{subject.template.template_id}")
    yield _get(subject, "GET /v2/.../passes/{id}/registrations", of_pass)


def _lists_of_tag(subject: Subject) -> Iterator[Request]:
    collection = subject.tag.collection
    listing = f"/v1/tag/tag-0/passes?pageSize={PAGE_SIZE}"
    for direction in ("DESC", "ASC"):
        path = f"{listing}&direction={direction}"
        deep = subject.deep_page(collection, descending=direction == "DESC")
        name = f"GET /tag/{{tag}}/passes, {direction}"
        yield _get(subject, f"{name}, first page", path, collection)
        yield _get(subject, f"{name}, last page", f"{path}&page={deep}", collection)
    yield _get(subject, "the same, 100 to a page", "/v1/tag/tag-0/passes?pageSize=100", collection)
    for status, facets in STATUS_FILTERS.items():
        path = f"{listing}&status={status}"
        first, deep = 1, subject.deep_page(collection, facets)
        yield _get(subject, f"the same, status={status}, first page", f"{path}&page={first}", collection)
        yield _get(subject, f"the same, status={status}, a last page", f"{path}&page={deep}", collection)


def _other_lists(subject: Subject) -> Iterator[Request]:
    template_id = subject.template.template_id
    for name, path, collection in (
        ("GET /pass", "/v1/pass", passes_of_project(subject.population.project_id)),
        ("GET /template/{id}/passes", f"/v1/template/{template_id}/passes", passes_of_template(template_id)),
    ):
        deep = subject.deep_page(collection)
        yield _get(subject, f"{name}, first page", f"{path}?pageSize={PAGE_SIZE}", collection)
        yield _get(subject, f"{name}, last page", f"{path}?pageSize={PAGE_SIZE}&page={deep}", collection)
    yield _get(subject, "GET /tag", "/v1/tag", tags_of_project(subject.population.project_id))
    yield _get(subject, "GET /template/headers", "/v1/template/headers")


def _registration_lists(subject: Subject) -> Iterator[Request]:
    collection = registrations_of_template(subject.template.template_id)
    path = f"{subject.campaign_path}/registrations?per_page={ROWS_PER_PAGE}"
    deep = subject.deep_page(collection, descending=False, size=ROWS_PER_PAGE)
    yield _get(subject, "GET /v2/.../registrations, first page", path, collection)
    yield _get(subject, "the same, a last page", f"{path}&page={deep}", collection, smallest=FULL_SEGMENTS)
    for wallet in (Wallet.PASSBOOK, Wallet.WALLET_PASSES):
        own = f"{path}&q[wallet_eq]={wallet}"
        deep = subject.deep_page(collection, {wallet}, descending=False, size=ROWS_PER_PAGE)
        yield _get(subject, f"the same, q[wallet_eq]={wallet}, first page", own, collection, smallest=FULL_SEGMENTS)
        yield _get(
            subject,
            f"the same, q[wallet_eq]={wallet}, a last page",
            f"{own}&page={deep}",
            collection,
            smallest=FULL_SEGMENTS,
        )


def _single_writes(subject: Subject) -> Iterator[Request]:
    """Each try takes the next pass, all of one status. An update leaves what it takes to the others."""
    passes, updated = (subject.iterate_passes(PassStatus.NOT_BEEN_INSTALLED) for _ in range(2))
    template = f"/v1/pass/{subject.template.template_id}"
    new = {"tags": ["tag-0"]}
    _make_tag(subject, EXISTING)

    def on_next(method: str, path: Callable[[int], str], body: Any = None) -> Callable[[int], object]:
        return lambda _: subject.send(method, path(next(passes)), body=body)

    yield Request(
        name="PUT /pass/{id}",
        send=lambda number: subject.send(
            "PUT", f"/v1/pass/{next(updated)}", body={"fields": {"field1": {"value": number}}}
        ),
    )
    yield Request(
        name="PUT /pass/{id}/tags, an existing tag",
        send=on_next("PUT", lambda each: f"/v1/pass/{each}/tags", {"tags": [EXISTING]}),
    )
    yield Request(
        name="DELETE /tag/{tag}/pass/{id}",
        send=on_next("DELETE", lambda each: f"/v1/tag/tag-0/pass/{each}"),
    )
    yield Request(name="DELETE /pass/{id}", send=on_next("DELETE", lambda each: f"/v1/pass/{each}"))
    yield Request(name="POST /pass/{template}, a tag", send=lambda _: subject.send("POST", template, body=new))
    yield Request(
        name="POST /pass/{template}/bulk, 10 with a tag",
        send=lambda _: subject.send("POST", f"{template}/bulk", body={"passes": [new] * 10}),
    )


def _writes_of_all(subject: Subject) -> Iterator[Request]:
    """One request for every pass of the tag; what it moved is put back, so that the next try meets the same."""
    path = "/v1/tag/tag-0/passes"
    collection = subject.tag.collection
    yield Request(
        name="PUT /tag/{tag}/passes",
        send=lambda number: subject.send("PUT", path, body={"fields": {"field1": {"value": number}}}),
        counters=collection,
    )
    yield Request(
        name="DELETE /tag/{tag}/passes",
        send=lambda _: subject.send("DELETE", path),
        counters=collection,
        put_back=lambda: _put_back_generation(subject),
    )
    yield Request(
        name="DELETE /tag/{tag}",
        send=lambda _: subject.send("DELETE", "/v1/tag/tag-0"),
        counters=collection,
        put_back=lambda: _put_back_tag(subject),
    )


def _make_tag(subject: Subject, name: str) -> None:
    _, new = resolve_tags(subject.platform, project_id=subject.population.project_id, names=[name])
    if new:
        transaction = Transaction(get_database())
        put_new_tag(transaction, new[0])
        transaction.commit()


def _put_back_generation(subject: Subject) -> None:
    """No request does this: the passes were never swept, so with the old generation they have the tag again."""
    for row in stored_tags._rows(subject.tag):
        row.save()
    SweepRow(collection=subject.tag.collection.key).delete()


def _put_back_tag(subject: Subject) -> None:
    transaction = Transaction(get_database())
    put_new_tag(transaction, subject.tag)
    transaction.commit()
    SweepRow(collection=subject.tag.collection.key).delete()


def pair_up(subjects: Sequence[Subject], make: Make) -> list[list[tuple[Subject, Request]]]:
    """The same request of every subject side by side; a subject that does not have it is left out."""
    made = [(subject, {request.name: request for request in make(subject)}) for subject in subjects]
    names = dict.fromkeys(itertools.chain.from_iterable(requests for _, requests in made))
    return [[(subject, requests[name]) for subject, requests in made if name in requests] for name in names]
