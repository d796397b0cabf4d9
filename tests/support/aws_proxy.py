"""An HTTP proxy between the code under test and its engines: a rule decides about each call to DynamoDB or SQS.

A rule sees a call, may let it through (`forward`), once, never or twice, and says what the caller gets. So errors, lost
answers before and after the effect, repeats and delays are played to real processes, below everything of ours and of
botocore's. Connections are kept alive on both sides. A call whose caller has gone is carried out nevertheless.
It costs 0.4 ms of processor time a call.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import aiohttp
from aiohttp import web

_HOST = "127.0.0.1"
_START_SECONDS = 10.0
_LOOK_SECONDS = 0.02

# Of one connection alone, or made anew for the next.
_HOP_HEADERS = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding", "date", "server"})


@dataclass(frozen=True)
class Call:
    """One request to DynamoDB or SQS, and when it came (`time.monotonic`)."""

    service: str
    """`DynamoDB` or `SQS`"""
    operation: str
    raw: bytes
    at: float

    @cached_property
    def body(self) -> dict[str, Any]:
        """The request as the service reads it; parsed once, when asked for."""
        document: dict[str, Any] = json.loads(self.raw)
        return document

    def with_body(self, body: Mapping[str, Any]) -> Call:
        """The same call with another request."""
        return replace(self, raw=json.dumps(body).encode())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The answer as the client reads it."""
        document: dict[str, Any] = json.loads(self.raw)
        return document


@dataclass(frozen=True, slots=True)
class Dropped:
    """No answer: the connection is closed, at once or after it was silent for so long (or the caller has left)."""

    silent_seconds: float = 0.0


Outcome = Answer | Dropped


class Forward(Protocol):
    """Lets the call through to the next rule or the engine, each time anew; with `body` in place of its own request."""

    def __call__(self, body: Mapping[str, Any] | None = None, /) -> Awaitable[Outcome]: ...


Rule = Callable[[Call, Forward], Awaitable[Outcome]]


async def let_through(call: Call, forward: Forward) -> Outcome:
    """The rule without faults."""
    return await forward()


def combine(*rules: Rule) -> Rule:
    """One rule of several: the first is asked first, and what it lets through comes to the next."""
    if not rules:
        return let_through
    first, rest = rules[0], combine(*rules[1:])

    async def rule(call: Call, forward: Forward) -> Outcome:
        async def onward(body: Mapping[str, Any] | None = None) -> Outcome:
            async def send(changed: Mapping[str, Any] | None = None) -> Outcome:
                return await forward(body if changed is None else changed)

            return await rest(call if body is None else call.with_body(body), send)

        return await first(call, onward)

    return rule


def answer_json(document: Mapping[str, Any], *, status: int = 200) -> Answer:
    """An answer of our own making."""
    return Answer(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(document).encode())


_SPACES = {"DynamoDB": "com.amazonaws.dynamodb.v20120810", "SQS": "com.amazonaws.sqs"}
_COMMON = "com.amazon.coral.availability"
"""of the errors that all services share"""


def refuse(call: Call, code: str, message: str = "refused by a rule", *, status: int = 400) -> Answer:
    """An error as the service words it: `code` is the type's last part, for example `ThrottlingException`."""
    space = _COMMON if code == "ThrottlingException" else _SPACES[call.service]
    return answer_json({"__type": f"{space}#{code}", "message": message}, status=status)


def cancel(reasons: Sequence[str]) -> Answer:
    """A transaction that DynamoDB cancels: one reason an item, `None` for those that were not the cause.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    return answer_json(
        {
            "__type": f"{_SPACES['DynamoDB']}#TransactionCanceledException",
            "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons "
            f"[{', '.join(reasons)}]",
            "CancellationReasons": [
                {"Code": reason} if reason == "None" else {"Code": reason, "Message": f"{reason} by a rule"}
                for reason in reasons
            ],
        },
        status=400,
    )


@dataclass
class Proxy:
    """A running proxy. `rule` may be replaced at any time; calls under way end by the old one."""

    target_url: str
    rule: Rule
    url: str = ""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """by operation and what was done: `passed`, `refused` (nothing took effect), `replaced` (it did, but the caller was
    told something else), `repeated`, `dropped before`, `dropped after`, `unreachable`"""
    failures: list[Exception] = field(default_factory=list)
    """what rules raised, which they must not; the first is raised once the block ends"""

    def count(self, what: str) -> int:
        """How often that was done, over all operations."""
        return sum(number for (_, done), number in self.counts.items() if done == what)


@contextmanager
def run_proxy(target_url: str, rule: Rule = let_through) -> Iterator[Proxy]:
    """Serves on a free loopback port, in a thread of its own, for as long as the block runs."""
    proxy = Proxy(target_url, rule)
    server = _Server(proxy)
    thread = threading.Thread(target=server.run, name="aws-proxy", daemon=True)
    thread.start()
    try:
        if not server.ready.wait(_START_SECONDS):
            raise TimeoutError(f"the proxy did not start within {_START_SECONDS:g} s")
        if server.failure:
            raise server.failure
        yield proxy
    finally:
        server.stop()
        thread.join(_START_SECONDS)
    if proxy.failures:
        raise proxy.failures[0]


class _Server:
    def __init__(self, proxy: Proxy) -> None:
        self.ready = threading.Event()
        self.failure: BaseException | None = None
        self._proxy = proxy
        self._loop = asyncio.new_event_loop()
        self._ended = asyncio.Event()
        self._session: aiohttp.ClientSession

    def run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except Exception as error:  # told to who started it
            self.failure = error
            self.ready.set()
        finally:
            self._loop.close()

    def stop(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)

    async def _serve(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        cookies = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=cookies, auto_decompress=False
        ) as self._session:
            runner = web.ServerRunner(web.Server(self._handle), access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            site = web.TCPSite(runner, _HOST, 0, backlog=512)
            await site.start()
            self._proxy.url = f"http://{_HOST}:{runner.addresses[0][1]}"
            self.ready.set()
            try:
                await self._ended.wait()
            finally:
                await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.content.read()
        target = request.headers.get("X-Amz-Target")
        if target is None:  # no call of a service: nothing for a rule
            return await self._reply(request, await self._send(request, raw))
        space, _, operation = target.rpartition(".")
        call = Call("SQS" if space == "AmazonSQS" else "DynamoDB", operation, raw, time.monotonic())
        sent: list[Answer] = []

        async def forward(body: Mapping[str, Any] | None = None) -> Outcome:
            answer = await self._send(request, raw if body is None else json.dumps(body).encode())
            if isinstance(answer, Answer):
                sent.append(answer)
            return answer

        try:
            outcome = await self._proxy.rule(call, forward)
        except Exception as error:
            self._proxy.failures.append(error)
            outcome = Dropped()
        self._proxy.counts[operation, _describe(outcome, sent)] += 1
        return await self._reply(request, outcome)

    async def _send(self, request: web.BaseRequest, raw: bytes) -> Outcome:
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_HEADERS]
        try:
            async with self._session.request(
                request.method, self._proxy.target_url + request.path_qs, data=raw, headers=headers
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_HEADERS}
                return Answer(answer.status, kept, await answer.read())
        except aiohttp.ClientConnectionError:
            self._proxy.counts["", "unreachable"] += 1
            return Dropped()

    async def _reply(self, request: web.BaseRequest, outcome: Outcome) -> web.StreamResponse:
        if isinstance(outcome, Answer):
            return web.Response(status=outcome.status, headers=outcome.headers, body=outcome.raw)
        deadline = time.monotonic() + outcome.silent_seconds
        while time.monotonic() < deadline and request.transport is not None:
            await asyncio.sleep(_LOOK_SECONDS)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # goes nowhere


def _describe(outcome: Outcome, sent: Sequence[Answer]) -> str:
    if isinstance(outcome, Dropped):
        return "dropped after" if sent else "dropped before"
    if len(sent) > 1:
        return "repeated"
    if not sent:
        return "refused"
    return "passed" if outcome is sent[0] else "replaced"
