"""Faults between this process and its storage: refusals, lost answers, and death between two calls.

They are put under botocore's HTTP session, so that its own retries, its error parsing and everything above are real.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import BotoCoreError, EndpointConnectionError, ReadTimeoutError

from chalicelib.wiring import get_database
from tests.support.functions import working_as


class Killed(BaseException):
    """The process ends here. No handler of ours may catch it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to DynamoDB or SQS; `number` counts from 1."""

    number: int
    operation: str
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Storage answers with an error and does nothing. `reasons` are those of a cancelled transaction."""

    code: str
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """The call takes effect, but its answer never arrives."""


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No connection comes about: `error` is botocore's, and takes the address."""

    error: type[BotoCoreError] = EndpointConnectionError


@dataclass(frozen=True, slots=True)
class Death:
    """The process ends at this call: before it is made, or once it has taken effect."""

    after: bool


Fault = Refusal | LostAnswer | Unreachable | Death
Rule = Callable[[Call], Fault | None]


def conflict(call: Call, *, others: Sequence[str] = ()) -> Refusal:
    """What DynamoDB answers to a transaction that met another one on its first item."""
    items = len(call.body["TransactItems"])
    reasons = ["TransactionConflict", *others]
    return Refusal("TransactionCanceledException", [*reasons, *["None"] * (items - len(reasons))])


@dataclass
class Injection:
    """What happened while faults were injected."""

    calls: list[Call] = field(default_factory=list)
    faults: int = 0

    def count(self, operation: str) -> int:
        """How many calls of one operation were made."""
        return sum(call.operation == operation for call in self.calls)


@contextmanager
def inject(rule: Rule) -> Iterator[Injection]:
    """Asks `rule` about every call of this process to DynamoDB and SQS while the block runs. Works across threads."""
    injection = Injection()
    lock = threading.Lock()
    database = get_database()
    endpoints = [client._endpoint for client in (database.connection.client, database.sqs)]
    sessions = [endpoint.http_session for endpoint in endpoints]
    for endpoint, session in zip(endpoints, sessions, strict=True):
        endpoint.http_session = _FaultySession(session, rule, injection, lock)
    try:
        yield injection
    finally:
        for endpoint, session in zip(endpoints, sessions, strict=True):
            endpoint.http_session = session


class _FaultySession:
    def __init__(self, session: Any, rule: Rule, injection: Injection, lock: threading.Lock) -> None:
        self._session = session
        self._rule = rule
        self._injection = injection
        self._lock = lock

    def send(self, request: Any) -> AWSResponse:
        with self._lock:
            call = _as_call(len(self._injection.calls) + 1, request)
            self._injection.calls.append(call)
            with working_as(None):
                fault = self._rule(call)
            self._injection.faults += fault is not None
        if isinstance(fault, Refusal):
            return _error_response(request, fault)
        if fault == Death(after=False):
            raise Killed
        if isinstance(fault, Unreachable):
            raise fault.error(endpoint_url=request.url)
        response: AWSResponse = self._session.send(request)
        if fault == Death(after=True):
            raise Killed
        if isinstance(fault, LostAnswer):
            raise ReadTimeoutError(endpoint_url=request.url)
        return response

    def close(self) -> None:
        self._session.close()


def _as_call(number: int, request: Any) -> Call:
    target = request.headers["X-Amz-Target"]
    operation = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
    return Call(number=number, operation=operation, body=json.loads(request.body))


def _error_response(request: Any, refusal: Refusal) -> AWSResponse:
    document: dict[str, Any] = {
        "__type": f"com.amazonaws.dynamodb.v20120810#{refusal.code}",
        "message": f"injected [{', '.join(refusal.reasons)}]",
    }
    if refusal.reasons:
        document["CancellationReasons"] = [{"Code": code} for code in refusal.reasons]
    body = json.dumps(document).encode()
    headers: Any = HeadersDict({"Content-Type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, 400, headers, _Body(body))


class _Body(io.BytesIO):
    """What botocore reads an answer from."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def kill_at(number: int, *, after: bool) -> Rule:
    """Death at the call of that number. Whatever other threads still try then fails too: the process is gone."""

    def rule(call: Call) -> Fault | None:
        if call.number == number:
            return Death(after=after)
        return Death(after=False) if call.number > number else None

    return rule
