"""The wallets' push services of a local run: nothing that is pushed here ever leaves this machine.

They take every push as the vendors do. Played phones are told of theirs over a small feed: `GET /<push token>?after=N`
answers as soon as more than N pushes have come for a token, or after a while, with how many there were.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalicelib.domain.registrations import Wallet
from local.apns import Action, Answer, ApnsServer, ReceivedPush
from local.engine import HOST
from local.server_certificates import make_server_certificate
from local.wallet_servers import PushAnswer, PushServices, ReceivedRequest, answer_as_documented

_LONGEST_WAIT_SECONDS = 20.0
_API_KEY = "local"


class PushFeed:
    """How many pushes came for each token. Threads may wait for the next one."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._changed = threading.Condition()

    def record(self, *tokens: str) -> None:
        """Notes one push for each token."""
        with self._changed:
            self._counts.update(tokens)
            self._changed.notify_all()

    def count(self, token: str) -> int:
        """Pushes so far."""
        with self._changed:
            return self._counts[token]

    def await_more(self, token: str, *, than: int, timeout_seconds: float) -> int:
        """Pushes so far, once there are more, or when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._counts[token] > than, timeout_seconds)
            return self._counts[token]


class Vendors:
    """All push services and the feed, from `start` to `stop`. Their certificate is made in `folder`."""

    def __init__(self, folder: Path) -> None:
        """Bind the addresses.

        Raises:
            OSError: the folder cannot be written to, or there is no free port.
        """
        self.feed = PushFeed()
        self._certificate = make_server_certificate(folder)
        self.apns = ApnsServer(self._certificate, answer=self._take_apple)
        self.services = PushServices(answer=self._take_other)
        self._server = _FeedServer((HOST, 0), type("Handler", (_FeedHandler,), {"feed": self.feed}))
        self.feed_url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="push feed", daemon=True
        )

    def _take_apple(self, push: ReceivedPush) -> Action:
        self.feed.record(push.token)
        return Answer()

    def _take_other(self, request: ReceivedRequest) -> PushAnswer:
        self.feed.record(*request.tokens)
        return answer_as_documented(request)

    def start(self) -> None:
        """Take pushes."""
        self.apns.start()
        self.services.start()
        self._thread.start()

    def stop(self) -> None:
        """Take no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.services.stop()
        self.apns.stop()

    @property
    def variables(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "PASSEL_APNS_BASE_URL": self.apns.url,
            "PASSEL_CA_FILE": str(self._certificate.ca_file),
            "PASSEL_TRUSTED_NETWORKS": json.dumps(["127.0.0.0/8"]),
            "PASSEL_WALLET_PASSES_BASE_URL": self.services.base_url(Wallet.WALLET_PASSES),
            "PASSEL_WALLET_PASSES_API_KEY": _API_KEY,
            "PASSEL_PASS2U_BASE_URL": self.services.base_url(Wallet.PASS2U),
            "PASSEL_PASS2U_API_KEY": _API_KEY,
            "PASSEL_PASSWORKS_WALLET_BASE_URL": self.services.base_url(Wallet.PASSWORKS_WALLET),
            "PASSEL_PASSWORKS_WALLET_API_KEY": _API_KEY,
            "PASSEL_PASSWALLET_PUSH_ALLOW": json.dumps(
                {"push.passwallet.net": self.services.base_url(Wallet.PASSWALLET)}
            ),
        }


class _FeedServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a phone may hang up while it waits."""


class _FeedHandler(BaseHTTPRequestHandler):
    feed: PushFeed

    def do_GET(self) -> None:
        """The number of pushes for a token, once it is more than `after`."""
        parts = urlsplit(self.path)
        after = parse_qs(parts.query).get("after", ["-1"])[0]
        token = unquote(parts.path.removeprefix("/"))
        than = int(after) if after.isdecimal() else -1
        count = self.feed.await_more(token, than=than, timeout_seconds=_LONGEST_WAIT_SECONDS)
        body = json.dumps({"pushes": count}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        """Says nothing."""
