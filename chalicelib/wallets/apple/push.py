"""Pushes to iPhones through APNs (wallets, sections 2.5 and 6)."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from typing import Any

from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.wallet_services import AppleKey, PushService
from chalicelib.wallets.apple.credentials import SigningCredentials
from chalicelib.wallets.apple.push_destinations import Access, Destinations, UnusableAccessError
from chalicelib.wallets.apple.push_runs import Run

_CLOSE_SECONDS = 5.0

_log = logging.getLogger("passel")


class AppleChannel:
    """The push channel of Apple Wallet. One serves all threads of a process, and keeps its connections.

    `find_service`, `find_credentials` (by project and pass type) and `find_key` run in the thread that pushes; what
    they raise comes out of `push`. A key goes before a certificate.
    """

    def __init__(
        self,
        *,
        find_service: Callable[[int], PushService],
        find_credentials: Callable[[int, str], SigningCredentials | None],
        find_key: Callable[[int], AppleKey | None],
        ca_file: Path | None,
        now: Callable[[], datetime],
        deadline_seconds: float = 10.0,
    ) -> None:
        """`deadline_seconds` is the time of one push, repeats included, once its turn has come."""
        self._find_service = find_service
        self._find_credentials = find_credentials
        self._find_key = find_key
        self._ca_file = ca_file
        self._now = now
        self._deadline_seconds = deadline_seconds
        self._loop = _LoopThread()
        self._destinations = Destinations(now=now)

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """See `PushChannel`. A repeat within the call only follows where the service has surely not acted on a push.

        Raises:
            Busy: the project's settings or certificates cannot be read.
        """
        access = self._find_access(batch)
        if isinstance(access, str):
            yield from _refuse(batch, access)
            return
        results: queue.SimpleQueue[PushResult | None] = queue.SimpleQueue()
        stopping = threading.Event()
        work = self._loop.submit(
            self._deliver(batch, access, report=results.put, is_wanted=lambda: not stopping.is_set())
        )
        work.add_done_callback(lambda _: results.put(None))
        try:
            while (result := results.get()) is not None:
                yield result
            work.result()
        finally:
            stopping.set()

    def close(self) -> None:
        """Closes all connections and ends the thread; what is on its way is given up. It may be called again."""
        self._loop.close(self._destinations.close)

    def _find_access(self, batch: PushBatch) -> Access | str:
        """How to push, or in a few words why not."""
        credential = self._find_key(batch.project_id) or self._find_credentials(batch.project_id, batch.pass_type)
        if credential is None:
            return "no certificate"
        if not batch.pass_type.isascii() or not batch.pass_type.isprintable():
            return "unusable pass type"
        base_url = self._find_service(batch.project_id).base_url
        return Access(base_url=base_url, credential=credential, ca_file=self._ca_file)

    async def _deliver(
        self,
        batch: PushBatch,
        access: Access,
        *,
        report: Callable[[PushResult], None],
        is_wanted: Callable[[], bool],
    ) -> None:
        try:
            destination = self._destinations.get(access, owner=(batch.project_id, batch.pass_type))
        except UnusableAccessError as error:
            for result in _refuse(batch, str(error)):
                report(result)
            return
        run = Run(
            batch,
            destination,
            report=report,
            is_wanted=is_wanted,
            now=self._now,
            deadline_seconds=self._deadline_seconds,
        )
        await run.finish()


def _refuse(batch: PushBatch, reason: str) -> Iterator[PushResult]:
    """Nothing can be pushed until an operator mends it."""
    _log.error("no pushes for %s of project %s: %s", batch.pass_type, batch.project_id, reason)
    for token in batch.tokens:
        yield PushResult(token=token, outcome=Outcome.MISCONFIGURED, reason=reason)


class _LoopThread:
    """An event loop in a thread of its own, which begins with the first work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def submit(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        """Runs a coroutine in the loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="apple-push", daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self, last: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Gives up what runs, runs a last coroutine and ends the thread; the next work begins another."""
        with self._lock:
            if self._loop is None or self._thread is None:
                return
            asyncio.run_coroutine_threadsafe(_end(last), self._loop).result(_CLOSE_SECONDS)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_CLOSE_SECONDS)
            self._loop.close()
            self._loop = self._thread = None


async def _end(last: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await last()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
