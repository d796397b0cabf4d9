"""What the domain needs from the outside: storage, queues and a clock.

Every write either takes effect whole or raises. `Conflict` means that another writer was in the way and nothing was
written; callers go through `retry_conflicts`. Any call raises `Busy` when storage cannot be reached or is throttled.
What takes a `receipt` writes it in its transaction, or raises `ClaimLost`: the request's key is not its own any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from chalicelib.domain.asset_ports import AssetStore, ConvertImage, ImageStore
    from chalicelib.domain.campaign_ports import LookStore, RedeemStore, RegistrationStore
    from chalicelib.domain.content import ContentUpdate
    from chalicelib.domain.counted_index import Collection, SegmentCount, Slice
    from chalicelib.domain.deliveries import DeliveryStore
    from chalicelib.domain.google_ports import GoogleObjectStore
    from chalicelib.domain.idempotency import Held, IdempotencyStore, Receipt
    from chalicelib.domain.outgoing import OutboxStore, Outgoing
    from chalicelib.domain.passes import ContentChange, Pass, PassReference, PassSummary
    from chalicelib.domain.projects import ProjectStore
    from chalicelib.domain.receivers import ReceiverStore
    from chalicelib.domain.redeems import Redeem
    from chalicelib.domain.registrations import Registration
    from chalicelib.domain.tags import Tag, TagReference
    from chalicelib.domain.templates import Template, TemplateHeader, TemplateReference
    from chalicelib.domain.tickets import SegmentResult, SegmentWork, Ticket


class SequenceStore(Protocol):
    """Numbers that only grow, each with a time that never runs backwards, so that order by id is order by creation."""

    def next_values(self, *, name: str, count: int, now: datetime, apart: bool = False) -> tuple[int, datetime]:
        """The first of `count` fresh consecutive numbers of a sequence, from 1, and the time they stand for.

        With `apart` no two calls get the same millisecond, so that order by time has no ties.
        """

    def allocate_pass_ids(self, *, project_id: int, count: int, now: datetime) -> tuple[list[int], datetime]:
        """Fresh ascending pass ids from the blocks of 1,000 that the project leases (DESIGN, section 2)."""


class CountStore(Protocol):
    """The counters of the counted index. They are written by the other stores, beside the members they count."""

    def read_counts(self, collection: Collection) -> list[SegmentCount]:
        """The collection's segments with members, ascending, stripes summed. One query."""

    def count_collections(self, collections: Sequence[Collection]) -> list[int]:
        """Members of each collection. One query each, side by side."""

    def count_event(self, *, template_id: int, event: str, at: datetime, times: int = 1) -> None:
        """Counts an event that changes nothing else, such as a download. One plain write."""

    def fold_stripes(self, collection: Collection) -> int:
        """Folds the stripes of each segment into one row and forgets the note; how many segments were folded.

        A segment that is written at the same moment stays as it is. Totals never change.
        """


class PassStore(Protocol):
    """Passes, their external ids and their tags."""

    def find_pass_id(self, *, project_id: int, reference: PassReference) -> int | None:
        """The pass id behind a reference, without checking that the pass is there or whose it is. One call at most.

        Raises Ambiguous if an external id matches in several templates.
        """

    def find_pass_ids(self, *, project_id: int, template_id: int, external_ids: Sequence[str]) -> dict[str, int]:
        """Pass ids by external id in one template, read consistently; unknown ones are left out. One call per 100."""

    def get_pass(self, *, project_id: int | None, pass_id: int) -> Pass | None:
        """The pass, read consistently; None also for another project's.

        Without a project any is found: for callers who prove themselves with a token of the pass.
        """

    def find_by_code(self, *, template_id: int, redeem_code: str) -> list[int]:
        """Ids of passes with that redeem code, at most two; eventually consistent."""

    def get_passes(self, pass_ids: Sequence[int], *, consistent: bool = False) -> dict[int, Pass]:
        """Whole passes by id. Without `consistent` at half the price, for writes that are conditional on a revision."""

    def get_summaries(self, pass_ids: Sequence[int]) -> list[PassSummary]:
        """Summaries in the order asked, missing ones left out. One call per 100."""

    def group_new_passes(
        self, passes: Sequence[tuple[Pass, Sequence[str]]], *, new_tag_names: AbstractSet[str]
    ) -> list[int]:
        """Sizes of neighbouring groups of new passes, each with its tag names, that fit into `create_passes`."""

    def create_passes(
        self,
        passes: Sequence[tuple[Pass, Sequence[Tag]]],
        *,
        new_tags: Sequence[Tag],
        outgoing: Sequence[Outgoing] = (),
        receipt: Receipt | None = None,
    ) -> dict[int, str]:
        """Stores a group of new passes with their tags, names and codes, and the tags that are new, all or nothing.

        At most one message leaves with a group.

        Returns the positions of passes with a name that is taken, `external_id` or `code`; if there is one, nothing was
        written.
        Raises Conflict.
        """

    def add_tags(
        self, pass_: Pass, *, kept: frozenset[TagReference], added: Sequence[Tag], new_tags: Sequence[Tag]
    ) -> None:
        """Puts tags on a pass that keeps the live ones it has; `new_tags`, which are also in `added`, are created.

        Raises Conflict if the pass was written meanwhile.
        """

    def remove_tag(self, pass_: Pass, tag: Tag) -> None:
        """Takes one live tag off a pass. Raises Conflict."""

    def delete_pass(
        self, pass_: Pass, *, live: Iterable[TagReference], registrations: Sequence[Registration], now: datetime
    ) -> None:
        """Removes a pass with its external id, its rows, all its registrations and its place in every counter.

        Raises Conflict, also if the pass has other registrations than those.
        """

    def update_pass(
        self,
        *,
        before: Pass,
        after: Pass,
        ticket: Ticket | None = None,
        redeem: Redeem | None = None,
        outgoing: Sequence[Outgoing] = (),
        receipt: Receipt | None = None,
    ) -> None:
        """Writes changed content; with a ticket, records it, a redeem and messages in the same transaction.

        Raises Conflict.
        """

    def update_passes(self, changes: Sequence[ContentChange]) -> set[int]:
        """Writes changed contents, 25 a call, and returns the ids that were surely written.

        Each stands alone. The others met another writer or a failure: read them again and write them one by one.
        """

    def read_members(
        self, collection: Collection, slices: Sequence[Slice], *, facets: AbstractSet[str] | None, descending: bool
    ) -> list[int]:
        """Pass ids of the slices, in page order. One query a slice, side by side."""

    def list_segment(self, collection: Collection, segment: int) -> list[int]:
        """Every pass id of one segment."""

    def page_by_update(self, query: UpdatedQuery) -> list[int]:
        """Pass ids of a page in order of `updatedAt`; equal times are ordered by id."""

    def remove_memberships(self, pass_ids: Sequence[int], *, reference: TagReference) -> None:
        """Removes the dead rows of passes, but for those that have the tag anew by then. Idempotent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatedQuery:
    """A page of passes by `updatedAt`, and which passes belong to the list."""

    project_id: int
    offset: int
    size: int
    descending: bool
    total: int
    """how many passes belong to the list"""
    template_id: int | None = None
    tag: TagReference | None = None
    facets: AbstractSet[str] | None = None


class TagStore(Protocol):
    """Tags by name and by id."""

    def find_tag(self, *, project_id: int, names: Sequence[str], tag_id: int | None) -> Tag | None:
        """The tag of the first name that exists, else the one of that id. One call."""

    def get_tags(
        self, *, project_id: int, names: Sequence[str] = (), tag_ids: Iterable[int] = ()
    ) -> tuple[dict[str, Tag], dict[int, Tag]]:
        """Tags by name and by id in one call; missing ones are left out."""

    def list_tags(self, collection: Collection, slices: Sequence[Slice], *, descending: bool) -> list[Tag]:
        """The tags of the slices, in page order."""

    def empty_tag(self, tag: Tag) -> None:
        """Moves the tag on to its next generation and notes the old one for the sweep. Raises Conflict."""

    def delete_tag(self, tag: Tag) -> None:
        """Removes the tag and notes its collection for the sweep. Raises Conflict."""


class SweepStore(Protocol):
    """Collections that are dead and have still to be cleared away."""

    def list_sweeps(self) -> list[str]:
        """Keys of collections noted for the sweep."""

    def count_segments(self, collection: Collection) -> list[int]:
        """Segments of a collection that have a counter row, even if it says zero."""

    def remove_counters(self, collection: Collection, segment: int) -> None:
        """Removes one segment's counters. Idempotent."""

    def finish_sweep(self, collection: Collection) -> bool:
        """Forgets the collection if no counter row of it is left; whether that was so."""


class TemplateStore(Protocol):
    """Templates and their external ids."""

    def create_template(self, template: Template, *, receipt: Receipt | None = None) -> None:
        """Stores a new template. Raises AlreadyExists if the external id, or the name of a campaign, is taken."""

    def find_template_id(self, *, project_id: int, reference: TemplateReference) -> int | None:
        """The id behind a reference. One call at most."""

    def get_template(self, *, project_id: int, template_id: int) -> Template | None:
        """The template, read consistently."""

    def list_templates(self, *, project_id: int) -> list[Template]:
        """All templates of a project, whole, ascending by id; reads every body."""

    def list_headers(self, *, project_id: int) -> list[TemplateHeader]:
        """Headers of all templates of a project, ascending by id."""

    def update_template(self, *, before: Template, after: Template) -> None:
        """Raises Conflict if the template was written meanwhile, AlreadyExists if a campaign's new name is taken."""

    def delete_template(self, template: Template, *, with_passes: bool = False) -> None:
        """Hides the template and frees its names. `with_passes` notes its passes for the sweep. Raises Conflict."""

    def restore_template(self, template: Template) -> None:
        """Undoes `delete_template`. Raises AlreadyExists if the external id was taken meanwhile."""


class TicketStore(Protocol):
    """Tickets, what they bring, and the progress of bulk updates."""

    def create_ticket(self, ticket: Ticket, update: ContentUpdate, *, receipt: Receipt | None = None) -> None:
        """Stores a bulk update that waits for its plan."""

    def get_ticket(self, *, ticket_id: int) -> Ticket | None:
        """The ticket, read consistently."""

    def get_update(self, *, ticket_id: int) -> ContentUpdate | None:
        """What a bulk update writes."""

    def open_segment(self, *, ticket_id: int, segment: int) -> SegmentWork | None:
        """The ticket, what it writes and whether it was written here, read consistently in one call."""

    def save_plan(self, ticket: Ticket, segments: Sequence[int]) -> None:
        """Fixes the segments of a bulk update once and makes it QUEUED. Raises Conflict if there is a plan."""

    def get_plan(self, *, ticket_id: int) -> list[int] | None:
        """The planned segments, ascending."""

    def list_done(self, *, ticket_id: int) -> set[int]:
        """Segments that were handled."""

    def list_failed(self, *, ticket_id: int) -> set[int]:
        """Segments that were given up."""

    def is_done(self, *, ticket_id: int, segment: int) -> bool:
        """Whether a segment was handled."""

    def complete_segment(self, ticket: Ticket, segment: int, result: SegmentResult) -> None:
        """Marks a segment handled and adds to the progress, both or neither; a second time changes nothing."""

    def fail_part(self, ticket: Ticket, segment: int | None, *, passes: int) -> None:
        """Marks a segment, or with None the plan, as failed, counts its passes, and makes the ticket FAILED.

        A second time changes nothing. Raises Conflict if the segment is done or the ticket completed.
        """

    def abort_ticket(self, *, ticket_id: int) -> None:
        """Makes a ticket that was never planned ABORTED."""

    def queue_ticket(self, *, ticket_id: int) -> None:
        """Makes a PREQUED ticket QUEUED, else leaves it."""

    def finish_ticket(self, *, ticket_id: int) -> bool:
        """Makes a ticket COMPLETED if all its segments are done, else leaves it; whether this call did it."""

    def reopen_ticket(self, ticket: Ticket) -> None:
        """Makes a FAILED ticket PREQUED again and takes back what its failed parts counted."""

    def retract_failure(self, ticket: Ticket, segment: int) -> None:
        """Takes back what a failed segment counted, if it did fail, since it was handled after all."""

    def list_open(self) -> list[int]:
        """Ids of unfinished bulk updates."""


class QueueSender(Protocol):
    """Messages to the workers. Each arrives at least once, in no order."""

    def send_plan(self, *, ticket_id: int, start: int = 0) -> None:
        """Asks for a bulk update's plan, or for the rest of its segment messages from index `start`."""

    def send_segments(self, *, ticket_id: int, segments: Sequence[int]) -> None:
        """Asks for segments to be handled, ten to a call."""

    def send_sweep(self, *, collection: Collection, segments: Sequence[int] | None = None) -> None:
        """Asks for a dead collection, or some segments of it, to be cleared away."""

    def send_documents(self, queue: str, documents: Sequence[Mapping[str, Any]], *, delay_seconds: int = 0) -> None:
        """Sends JSON messages to a queue; they arrive after the delay, which is at most 900 s."""

    def send_outgoing(self, messages: Sequence[Outgoing]) -> None:
        """Sends messages of the outbox; each carries its key, so that whoever handles it can take it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits and times that the rules apply; their values are settings."""

    tags_per_pass: int
    tag_characters: int
    locations: int
    content_bytes: int
    budget_seconds: float
    rows_filtered: int
    """members of a list that a filter without an index may read"""
    push_seconds: float
    """how long a push is tried"""
    push_pause_seconds: float
    """how long a service that refuses a project is left alone"""
    callback_seconds: float
    """how long a callback is tried"""
    devices_per_pass: int = 10_000
    """of a pass that is for one person"""
    claim_seconds: float = 30.0
    """how long a request may work under its Idempotency-Key"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Everything a use case needs from the outside, handed to each as its first argument."""

    projects: ProjectStore
    sequences: SequenceStore
    counts: CountStore
    passes: PassStore
    registrations: RegistrationStore
    redeems: RedeemStore
    looks: LookStore
    assets: AssetStore
    images: ImageStore
    tags: TagStore
    sweeps: SweepStore
    templates: TemplateStore
    tickets: TicketStore
    queues: QueueSender
    outbox: OutboxStore
    deliveries: DeliveryStore
    google_objects: GoogleObjectStore
    receivers: ReceiverStore
    idempotency: IdempotencyStore
    bounds: Bounds
    now: Callable[[], datetime]
    new_uuid: Callable[[int], str]
    """a fresh UUID that carries a number, see `identifiers`"""
    new_token: Callable[[], str]
    pass_type_of: Callable[[int, str | None], str | None]
    """the pass type identifier of a project's certificate, by its id or of the default one; None if there is none"""
    convert_image: ConvertImage
    judge_host: Callable[[str], str | None]
    """why a host may not be called, as far as its name or address tells; None if nothing speaks against it"""
    held: Held | None = None
    """the claim of the request at work, if it has an Idempotency-Key"""

    def receipt_for(self, written: Any) -> Receipt | None:
        """What goes into the transaction that writes something for the request; None if it has no key."""
        return None if self.held is None else self.held.make_receipt(written)

    def withdraw(self) -> None:
        """Has the request's key, if it has one, forget what was written under it, since that is undone. Raises Busy."""
        if self.held is not None:
            from chalicelib.domain.idempotency import withdraw

            withdraw(self, self.held)
