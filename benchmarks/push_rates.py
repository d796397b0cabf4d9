"""Pushes a second: a worker and the channel below it, against a bare loop over the same HTTP/2 server."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import ssl
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx

from benchmarks.apns_process import ApnsProcess
from chalicelib.domain.deliveries import Delivery, as_document
from chalicelib.domain.ports import Platform
from chalicelib.domain.push_channels import Outcome, PushBatch
from chalicelib.domain.registrations import Wallet
from chalicelib.domain.spreading import TOKENS_PER_DELIVERY
from chalicelib.wiring import get_push_channel
from chalicelib.workers.handlers import HANDLERS
from local.certificates import PASS_TYPE

ROUNDS = 3
BATCH = TOKENS_PER_DELIVERY[Wallet.PASSBOOK]

_FIRST_TICKET = 10**12
"""far above those that updates have here"""

Push = Callable[[Sequence[str]], None]


@dataclass(frozen=True)
class PushRate:
    """One way to push, in one thread over one connection. Medians of some rounds, in which the ways take turns."""

    way: str
    tokens: int
    """a round"""
    pushes_per_second: int
    relative_to_bare: float
    cpu_milliseconds_per_push: float
    """of this process; the server has its own"""


def measure_rates(
    platform: Platform,
    apns: ApnsProcess,
    *,
    project_id: int,
    template_id: int,
    tokens: int,
    advance: Callable[[], None],
) -> list[PushRate]:
    """Calls `advance` after each of the `ROUNDS` rounds.

    Raises:
        RuntimeError: a push was not taken.
    """
    bare = _Bare(apns)
    worker = _Worker(platform, project_id=project_id, template_id=template_id)
    ways: dict[str, Push] = {
        "bare httpx.AsyncClient": bare.push,
        "AppleChannel": partial(_push_by_channel, project_id),
        "worker": worker.push,
    }
    seconds: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for push in ways.values():
        push(_make_tokens(1))
    for _ in range(ROUNDS):
        for way, push in ways.items():
            seconds[way].append(_time(push, _make_tokens(tokens)))
        advance()
    bare.close()
    worker.check()
    rates = {way: tokens / statistics.median(elapsed for elapsed, _ in taken) for way, taken in seconds.items()}
    return [
        PushRate(
            way=way,
            tokens=tokens,
            pushes_per_second=round(rates[way]),
            relative_to_bare=round(rates[way] / next(iter(rates.values())), 2),
            cpu_milliseconds_per_push=round(statistics.median(cpu for _, cpu in taken) * 1000 / tokens, 2),
        )
        for way, taken in seconds.items()
    ]


def _make_tokens(count: int) -> list[str]:
    return [secrets.token_hex(32) for _ in range(count)]


def _time(push: Push, tokens: Sequence[str]) -> tuple[float, float]:
    start, cpu = time.perf_counter(), time.process_time()
    push(tokens)
    return time.perf_counter() - start, time.process_time() - cpu


def _batches(tokens: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + BATCH]) for start in range(0, len(tokens), BATCH)]


class _Bare:
    """The least that pushing takes with this library: all of a batch at once, then the next. Connected all the time."""

    def __init__(self, apns: ApnsProcess) -> None:
        self._url = apns.url
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            http1=False,
            http2=True,
            verify=ssl.create_default_context(cafile=apns.ca_file),
            limits=httpx.Limits(max_connections=1),
            timeout=30,
            trust_env=False,
        )

    def push(self, tokens: Sequence[str]) -> None:
        """Each token once."""
        self._runner.run(self._push_all(tokens))

    async def _push_all(self, tokens: Sequence[str]) -> None:
        for batch in _batches(tokens):
            answers = await asyncio.gather(*(self._push_one(token) for token in batch))
            _check([answer.status_code == 200 for answer in answers], batch)

    async def _push_one(self, token: str) -> httpx.Response:
        headers = {"apns-topic": PASS_TYPE}
        return await self._http.post(f"{self._url}/3/device/{token}", headers=headers, content=b"{}")

    def close(self) -> None:
        """Ends the connection."""
        self._runner.run(self._http.aclose())
        self._runner.close()


def _push_by_channel(project_id: int, tokens: Sequence[str]) -> None:
    channel = get_push_channel(Wallet.PASSBOOK)
    for batch in _batches(tokens):
        pushed = PushBatch(project_id=project_id, wallet=Wallet.PASSBOOK, pass_type=PASS_TYPE, tokens=batch)
        _check([result.outcome is Outcome.SENT for result in channel.push(pushed)], batch)


def _check(taken: Sequence[bool], batch: Sequence[str]) -> None:
    if len(taken) != len(batch) or not all(taken):
        raise RuntimeError(f"{sum(taken)} of {len(batch)} pushes were taken")


class _Worker:
    """The function of the queue, called in this thread with real messages, each of a ticket of its own."""

    def __init__(self, platform: Platform, *, project_id: int, template_id: int) -> None:
        self._platform = platform
        self._project_id = project_id
        self._template_id = template_id
        self._tickets = itertools.count(_FIRST_TICKET)
        self._deliveries: list[Delivery] = []

    def push(self, tokens: Sequence[str]) -> None:
        """Each token once."""
        for batch in _batches(tokens):
            delivery = Delivery(
                ticket_id=next(self._tickets),
                project_id=self._project_id,
                template_id=self._template_id,
                wallet=Wallet.PASSBOOK,
                pass_type=PASS_TYPE,
                tokens=batch,
                asked_at=self._platform.now(),
            )
            HANDLERS[delivery.queue](_as_event(as_document(delivery)), None)
            self._deliveries.append(delivery)

    def check(self) -> None:
        """Every delivery was made and noted. Apart, since it takes its time.

        Raises:
            RuntimeError: one was not.
        """
        for delivery in self._deliveries:
            names = [delivery.name_of(token) for token in delivery.tokens]
            now = self._platform.now()
            claims = self._platform.deliveries.claim(names, asked_at=delivery.asked_at, now=now, seconds=0)
            _check([name in claims.done for name in names], delivery.tokens)


def _as_event(document: dict[str, Any]) -> dict[str, Any]:
    """What Lambda hands to the function of a queue, as far as it is read."""
    return {"Records": [{"messageId": "1", "receiptHandle": "1", "body": json.dumps(document)}]}
