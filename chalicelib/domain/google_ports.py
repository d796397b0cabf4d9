"""What passes at Google need from outside: the renderer, the REST client, and a memory of what Google has.

Google keeps a class for each template and an object for each pass (wallets, section 4.4). The id of an object is the
issuer's id, a dot and the pass's serial number; that of a class ends in the campaign id.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from chalicelib.domain.content import Content
from chalicelib.domain.passes import Pass, PassSummary
from chalicelib.domain.push_channels import Outcome
from chalicelib.domain.templates import Template, TemplateHeader
from chalicelib.domain.wallet_services import GoogleAccount

Body = dict[str, Any]

PATIENCE_SECONDS = 20.0
"""the longest that a worker waits for its turn at Google"""


class GoogleType(StrEnum):
    """The types of passes at Google that ours become."""

    GENERIC = "generic"
    EVENT_TICKET = "eventTicket"
    OFFER = "offer"
    LOYALTY = "loyalty"
    TRANSIT = "transit"

    @property
    def class_resource(self) -> str:
        """The resource of its classes, such as `genericClass`."""
        return f"{self}Class"

    @property
    def object_resource(self) -> str:
        """The resource of its objects, such as `genericObject`."""
        return f"{self}Object"


def object_id(account: GoogleAccount, pass_: PassSummary) -> str:
    """The id of a pass at Google, which is also the push token of its registration."""
    return f"{account.issuer_id}.{pass_.serial_number}"


def class_id(account: GoogleAccount, template: TemplateHeader) -> str:
    """The id of a template at Google."""
    return f"{account.issuer_id}.{template.campaign_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A field with a change message: what a holder is to be told when it changes."""

    name: str
    header: str
    body: str

    @property
    def digest(self) -> str:
        """Short, and the same for the same text."""
        return hashlib.sha256(f"{self.header}\n{self.body}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The body of a class or an object. A member that is None is to be empty at Google too."""

    body: Body
    announcements: tuple[Announcement, ...] = ()
    """of everything that is shown, also of what an object leaves to its class"""

    @property
    def digest(self) -> str:
        """The same for the same body."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    @property
    def announced(self) -> dict[str, str]:
        """Field to a digest of what it announces."""
        return {one.name: one.digest for one in self.announcements}


class GoogleRenderer(Protocol):
    """Turns templates and passes into bodies; pure."""

    def choose_type(self, template: Template) -> GoogleType:
        """What the template's passes become. Asked once in a template's life: Google's classes never change type."""

    def is_placed(self, content: Content, name: str) -> bool:
        """Whether a field of the content has a place on the pass."""

    def render_class(
        self, template: Template, *, account: GoogleAccount, google_type: GoogleType, shared: Content
    ) -> Rendered:
        """The class: look, layout and the values that all its passes share."""

    def render_object(
        self,
        pass_: Pass,
        *,
        template: Template,
        account: GoogleAccount,
        google_type: GoogleType,
        shared: Content,
        now: datetime,
    ) -> Rendered:
        """The object: what is the pass's own, and of the fields only those that are not as shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a caller waits for its turn."""

    ahead: int = 1
    """requests that it expects to make in a row, this one included"""
    patience_seconds: float = PATIENCE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleAnswer:
    """What became of a write. `reason` is a short word for logs, never a value of a pass."""

    outcome: Outcome
    reason: str = ""
    retry_after_seconds: float | None = None
    is_throttled: bool = False
    """the account has asked too much: whatever else is asked now fails as well"""

    @property
    def is_sent(self) -> bool:
        """Whether Google has it."""
        return self.outcome is Outcome.SENT


class GoogleWalletClient(Protocol):
    """Google's REST interface, asked no faster than allowed. Never raises for what the service or the network does."""

    def write(
        self, account: GoogleAccount, resource: str, body: Body, *, is_new: bool, notifies: bool, pace: Pace
    ) -> GoogleAnswer:
        """Inserts a resource, or patches what of it is in the body, whichever turns out to be right.

        `notifies` tells holders of a patch; if the day's quota is used up, the patch is repeated silently.
        """

    def patch(self, account: GoogleAccount, resource: str, body: Body, *, pace: Pace) -> GoogleAnswer:
        """Patches a resource silently. A missing one stays missing: the outcome is GONE."""

    def add_message(
        self, account: GoogleAccount, resource: str, resource_id: str, announcement: Announcement, *, pace: Pace
    ) -> GoogleAnswer:
        """Adds a message that notifies; silently if the day's quota is used up."""

    def make_save_link(
        self, account: GoogleAccount, *, google_type: GoogleType, object_id: str, class_id: str, now: datetime
    ) -> str | None:
        """The link that saves an object that is at Google already; None if the account's key cannot sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentClass:
    """What Google was told of a template. `revision` is 0 while nothing is stored."""

    template_id: int
    google_type: GoogleType
    shared: Content
    """see `google_shared`"""
    digest: str = ""
    """of the body that Google has; empty while that is not certain"""
    announced: Mapping[str, str] = field(default_factory=dict)
    notified_at: tuple[datetime, ...] = ()
    """of the last day"""
    revision: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SentObject:
    """What Google was told of a pass. `revision` is 0 while nothing is stored."""

    pass_id: int
    object_id: str
    google_type: GoogleType
    pass_revision: int = 0
    """of the pass that was sent last"""
    digest: str = ""
    """of the body that Google has; empty while that is not certain"""
    announced: Mapping[str, str] = field(default_factory=dict)
    """of everything that the pass showed when it was last looked at"""
    notified_at: tuple[datetime, ...] = ()
    """of the last day"""
    revision: int = 0


class RateStore(Protocol):
    """When an account may next be used, over all workers of the deployment."""

    def reserve(self, *, account: str, count: int, spacing: timedelta, now: datetime, horizon: timedelta) -> datetime:
        """The first of `count` moments, each `spacing` apart, that nobody else of the account has or will get.

        Nothing is reserved if that moment lies more than `horizon` after now: then it is when to ask again.

        Raises:
            Busy
        """

    def hold_off(self, *, account: str, until: datetime) -> None:
        """Lets nobody have a moment before `until`; what was reserved stays. Raises Busy."""


class GoogleObjectStore(RateStore, Protocol):
    """A row for each class and object that Google was told of."""

    def read(
        self, *, template_ids: Collection[int] = (), pass_ids: Collection[int] = ()
    ) -> tuple[dict[int, SentClass], dict[int, SentObject]]:
        """What is stored of templates and passes, read consistently. One call per 100. Raises Busy."""

    def save_class(self, sent: SentClass) -> SentClass:
        """Stores it with the next revision, which is returned.

        Raises Conflict if another revision than the given one is stored, and Busy.
        """

    def save_object(self, sent: SentObject) -> SentObject:
        """As `save_class`."""


ReadPasses = Callable[[Sequence[int]], Mapping[int, Pass]]
"""passes by id, missing ones left out; read consistently, or an update that was just written may be missed for good"""

ReadTemplate = Callable[[int, int], Template | None]
"""the template of a project id and a template id; None if it was deleted"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoogleParts:
    """Everything that passes at Google need from outside."""

    client: GoogleWalletClient
    renderer: GoogleRenderer
    store: GoogleObjectStore
    now: Callable[[], datetime]
    find_account: Callable[[int], GoogleAccount | None]
    """a project's account; may raise Busy"""
