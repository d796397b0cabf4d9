"""iPhones that are pushed, ask at once what has changed, fetch it, and look whether it shows what it must."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from collections.abc import Iterator
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpx

from local.apns import Action, Answer, ReceivedPush
from local.demo_client import DemoError, expect, read_json
from local.phones import read_pass_file

THREADS = 8
"""phones that speak with the web service at once"""

_TIMEOUT_SECONDS = 60.0
_NEWS_SECONDS = 0.5


class Phones:
    """All phones, each with one pass. They do nothing but take pushes until they are to follow an update."""

    def __init__(self) -> None:
        self._journey: _Journey | None = None

    def take_push(self, push: ReceivedPush) -> Action:
        """Apple's answer; a phone that takes part is told."""
        if self._journey is not None:
            self._journey.tell(push.token)
        return Answer()

    def follow(self, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Says "ready", then how many phones have their new pass, at last what became of all.

        A job names the `holders`, the web service (`url`), the `values` that the passes will show, and the `seconds`
        after which no phone waits any more. Times are seconds since 1970.
        """
        self._journey = journey = _Journey(job)
        yield {"ready": len(job["holders"])}
        deadline = time.monotonic() + job["seconds"]
        while not journey.wait(_NEWS_SECONDS) and time.monotonic() < deadline:
            yield {"fetched": journey.fetched}
        self._journey = None
        yield journey.finish()


class _Journey:
    """One update on its way to all phones."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._holders: dict[str, dict[str, str]] = {holder["push_token"]: holder for holder in job["holders"]}
        self._values: dict[str, str] = job["values"]
        self._address = urlsplit(job["url"]).netloc
        self._pushes: Counter[str] = Counter()
        self._pushed: SimpleQueue[str | None] = SimpleQueue()
        self._faults: list[str] = []
        self._last_push_at = self._last_fetch_at = 0.0
        self._ended = 0
        self.fetched = 0
        self._lock = threading.Lock()
        self._all_ended = threading.Event()
        self._threads = [threading.Thread(target=self._play, name="phone", daemon=True) for _ in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def tell(self, token: str) -> None:
        """A phone was pushed."""
        if token not in self._holders:
            return
        self._pushes[token] += 1
        if self._pushes[token] == 1:
            self._last_push_at = time.time()
            self._pushed.put(token)

    def wait(self, seconds: float) -> bool:
        """Whether every phone was pushed and has asked."""
        return self._all_ended.wait(seconds)

    def finish(self) -> dict[str, Any]:
        """Ends the phones; what became of them."""
        for _ in self._threads:
            self._pushed.put(None)
        for thread in self._threads:
            thread.join()
        return {
            "pushed": len(self._pushes),
            "pushes": self._pushes.total(),
            "fetched": self.fetched,
            "last_push_at": self._last_push_at,
            "last_fetch_at": self._last_fetch_at,
            "faults": self._faults[:5],
        }

    def _play(self) -> None:
        line = http.client.HTTPConnection(self._address, timeout=_TIMEOUT_SECONDS)
        while (token := self._pushed.get()) is not None:
            fault = None
            try:
                self._update(line, self._holders[token])
            except (DemoError, OSError, http.client.HTTPException) as error:
                fault = repr(error)
                line.close()
            self._note(fault)
        line.close()

    def _note(self, fault: str | None) -> None:
        with self._lock:
            self._ended += 1
            if fault is None:
                self.fetched += 1
                self._last_fetch_at = time.time()
            else:
                self._faults.append(fault)
            if self._ended == len(self._holders):
                self._all_ended.set()

    def _update(self, line: http.client.HTTPConnection, holder: dict[str, str]) -> None:
        """Raises:
        DemoError: the phone is not told of its pass, or gets another than it must (wallets, sections 2.2 to 2.4).
        """
        pass_type, serial_number = holder["pass_type"], holder["serial_number"]
        tag = holder["tag"]
        listing = f"/v1/devices/{holder['device_id']}/registrations/{pass_type}?passesUpdatedSince={tag}"
        answer = _get(line, listing, {})
        expect("status of a list of changed passes", answer.status_code, 200)
        document = read_json(listing, answer)
        expect("passes listed", document["serialNumbers"], [serial_number])
        expect("a new tag", document["lastUpdated"] not in ("", tag), True)
        headers = {
            "Authorization": f"ApplePass {holder['authentication_token']}",
            "If-Modified-Since": holder["last_modified"],
        }
        path = f"/v1/passes/{pass_type}/{serial_number}"
        fresh = read_pass_file(path, _get(line, path, headers))
        shown = {name: fresh.values.get(name) for name in self._values}
        expect(f"values of {serial_number}", shown, self._values)


def _get(line: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> httpx.Response:
    line.request("GET", path, headers={"User-Agent": "passd/1.0", **headers})
    answer = line.getresponse()
    return httpx.Response(answer.status, headers=answer.getheaders(), content=answer.read())
