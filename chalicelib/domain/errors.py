"""Every way in which Passel refuses or fails, as the domain sees it.

    PasselError
    ├── Refused                 the caller has to change something
    │   ├── InvalidRequest      a value is wrong; `field` names it
    │   │   ├── AlreadyExists   an external id is in use
    │   │   ├── Ambiguous       an external id matches several passes
    │   │   ├── InUse           others depend on the thing: passes on a template, a template on an asset
    │   │   ├── InvalidFilter   a filter or an order of a list that cannot be understood
    │   │   ├── StateRefused    the state of a campaign does not allow it
    │   │   ├── RedeemRefused   the pass has been redeemed, or may not be
    │   │   └── KeyReused       an Idempotency-Key that belongs to another request
    │   ├── UnreadableBody      the body is not the JSON that was promised
    │   ├── Unauthorized        credentials are missing or wrong
    │   ├── RateLimited         more requests than the project or the key may make; the same one succeeds later
    │   ├── PreconditionFailed  the thing is not what the caller has seen (If-Match)
    │   └── NotFound            nothing of that kind and name in this project
    │       └── DeleteRefused   the same, where it was to be deleted
    ├── Busy                    conflicts outlasted the time budget; the same request may succeed later
    │   ├── StorageUnavailable  tables or queues throttle us or do not answer
    │   ├── NumberTaken         a sequence went back, and gave out a number that is in use
    │   └── StillAtWork         the first request with an Idempotency-Key has not ended
    │       └── ClaimLost       another request has, or had, the key of this one; nothing was written
    └── Conflict                another writer was in the way; read again and decide anew, never shown

`chalicelib/errors.py` maps each to a status and a dialect's body.
"""

from __future__ import annotations


class PasselError(Exception):
    """Base of everything below; the message is fit for a client to read."""


class Refused(PasselError):
    """The request cannot be carried out as it stands."""


class InvalidRequest(Refused):
    """A value of the request is wrong. `field` is its path in the request, such as `tags[3]`."""

    def __init__(self, problem: str, *, field: str | None = None) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.problem = problem
        self.field = field


class AlreadyExists(InvalidRequest):
    """The external id is taken inside its parent."""


class Ambiguous(InvalidRequest):
    """An external id matches passes in more than one template."""


class InUse(InvalidRequest):
    """The thing cannot go while others depend on it. `field` is its kind, if the caller may know it."""


class InvalidFilter(InvalidRequest):
    """A list cannot be filtered or ordered as asked; `advice` says what would be understood."""

    def __init__(self, problem: str, *, advice: str = "") -> None:
        super().__init__(problem, field="q")
        self.advice = advice


class StateRefused(InvalidRequest):
    """The campaign cannot change its state so, or makes no passes in the state it is in."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, field="state")


class RedeemRefused(InvalidRequest):
    """The pass cannot be redeemed now."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, field="pass")


class KeyReused(InvalidRequest):
    """An Idempotency-Key that was sent with another request."""


class PreconditionFailed(Refused):
    """The thing is not, or no longer, what the caller said that he had seen; nothing was written."""


class UnreadableBody(Refused):
    """The body is missing, not JSON, or of a type we do not read."""


class Unauthorized(Refused):
    """Credentials are missing, wrong or revoked."""


class RateLimited(Refused):
    """The project or the key makes more requests than it may; after so many seconds there is room for one."""

    def __init__(self, problem: str = "too many requests", *, retry_after_seconds: int = 1) -> None:
        super().__init__(problem)
        self.retry_after_seconds = retry_after_seconds


class NotFound(Refused):
    """`kind` (pass, template, tag, ticket, ...) and the reference that found nothing."""

    def __init__(self, kind: str, reference: object) -> None:
        super().__init__(f"{kind} {reference} was not found")
        self.kind = kind
        self.reference = reference


class DeleteRefused(NotFound):
    """What was to be deleted does not exist, which one of the dialects tells apart from other searches."""


class Busy(PasselError):
    """Too many writers met on the same items; nothing was written."""

    def __init__(self, problem: str = "too many writers at once", *, retry_after_seconds: int = 1) -> None:
        super().__init__(problem)
        self.retry_after_seconds = retry_after_seconds


class StorageUnavailable(Busy):
    """The database or a queue throttles us or does not answer, for longer than its client repeats a call."""


class NumberTaken(Busy):
    """A new row's number is that of another: its sequence was set back, as when one table alone was restored."""


class StillAtWork(Busy):
    """The first request with the same Idempotency-Key has not ended; its answer will be that to this one."""


class ClaimLost(StillAtWork):
    """The Idempotency-Key of this request is finished, or another request has taken it over; nothing was written."""

    def __init__(self, problem: str = "another request with this Idempotency-Key is at work") -> None:
        super().__init__(problem)


class Conflict(PasselError):
    """Another writer got between our read and our write, or met it; nothing was written.

    Unless the write was repeated because its answer was lost: then it may have been, before or after.
    """

    def __init__(self, message: str = "", *, may_be_written: bool = False) -> None:
        super().__init__(message)
        self.may_be_written = may_be_written


class UnreadableRow(Exception):
    """A stored row lacks something, or holds what nobody understands: a fault on our side, which `check` finds."""

    def __init__(self, kind: str, reference: object) -> None:
        super().__init__(f"{kind} {reference} cannot be read; `check` says why")
