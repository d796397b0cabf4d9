"""Google's side of a save and a delete: keys made at run time, a server that publishes them, and signed callbacks."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

from chalicelib import wiring
from chalicelib.settings import get_settings
from local.engine import HOST
from tests.support.phones import shared_client
from tests.unit.wallets.google.signing import Google, encode_public, new_key, root_entry, root_list

ISSUER = "3388000000012345678"

_DAY_SECONDS = 86_400
_nonces = itertools.count(1)


class GoogleWallet:
    """Sends callbacks to one server. `keys_url` is where its root key is published while `publishes`."""

    def __init__(self, base_url: str, keys_url: str) -> None:
        self._url = f"{base_url}/v1/google/callback"
        self.keys_url = keys_url
        self.publishes = True
        self.asked = 0
        """how often its keys were asked for"""
        self.root, self.signing_key = new_key(), new_key()

    def publish(self) -> bytes:
        """The list of root keys."""
        return root_list(root_entry(self.root, keyExpiration=str(_milliseconds(30 * _DAY_SECONDS))))

    def sign(
        self, serial_number: str, *, event: str = "save", nonce: str | None = None, **message: Any
    ) -> dict[str, Any]:
        """A callback about an object; `message` replaces members of the signed message."""
        members = {
            "classId": f"{ISSUER}.class",
            "objectId": f"{ISSUER}.{serial_number}",
            "eventType": event,
            "expTimeMillis": _milliseconds(3600),
            "count": 1,
            "nonce": nonce or f"nonce {next(_nonces)}",
        }
        signing_key = {
            "keyValue": encode_public(self.signing_key),
            "keyExpiration": str(_milliseconds(_DAY_SECONDS)),
        }
        return Google(
            root=self.root,
            signing_key=self.signing_key,
            issuer_id=ISSUER,
            signed_key=json.dumps(signing_key),
            message=members | message,
        ).callback()

    def post(self, body: Any, *, project_id: int | None = None, **more: Any) -> httpx.Response:
        """Sends a body, which may be none of Google's, to the address of all projects or to that of one."""
        url = self._url if project_id is None else f"{self._url}/{project_id}"
        return shared_client().post(url, json=body, **more)

    def save(self, serial_number: str, *, project_id: int | None = None, **changes: Any) -> httpx.Response:
        """Somebody saves a pass."""
        return self.post(self.sign(serial_number, event="save", **changes), project_id=project_id)

    def delete(self, serial_number: str, **changes: Any) -> httpx.Response:
        """Somebody deletes it."""
        return self.post(self.sign(serial_number, event="del", **changes))


def _milliseconds(from_now_seconds: float) -> int:
    return round((time.time() + from_now_seconds) * 1000)


@contextmanager
def run_google_wallet(base_url: str) -> Iterator[GoogleWallet]:
    """Google as the server at `base_url`, which is one of this process, is set up to know it while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            google.asked += 1
            self.send_response(200 if google.publishes else 503)
            self.end_headers()
            if google.publishes:
                self.wfile.write(google.publish())

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    google = GoogleWallet(base_url, keys_url=f"http://{HOST}:{server.server_address[1]}/keys")
    variables = {"PASSEL_GOOGLE_CALLBACK_KEYS_URL": google.keys_url, "PASSEL_GOOGLE_ISSUER_ID": ISSUER}
    try:
        with changed_settings(variables):
            yield google
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def changed_settings(variables: Mapping[str, str]) -> Iterator[None]:
    """Settings with these variables while the block runs. Storage stays connected: it was reached through others."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    _forget_settings()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _forget_settings()


def _forget_settings() -> None:
    wiring.close_connections()
    get_settings.cache_clear()
    for name, part in vars(wiring).items():
        if hasattr(part, "cache_clear") and name not in ("get_platform", "get_database"):
            part.cache_clear()
