"""Google's side of the REST interface, for laptops and tests: the token endpoint, classes and objects (wallets,
section 4.4). It holds bodies to what Google demands of each type and answers as Google does."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from local.engine import HOST
from local.google_rules import NOTIFYING, RESOURCES, find_fault

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
TOKEN_AUDIENCE = "https://oauth2.googleapis.com/token"
NOTIFICATIONS_PER_DAY = 3

_ROOT = "/walletobjects/v1/"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_DAY_SECONDS = 86_400
_LARGEST_BODY_BYTES = 1_000_000

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived. `path` is below the root of the interface; that of the token endpoint is `token`."""

    method: str
    path: str
    body: Any
    at: float
    """seconds of a clock that never runs backwards"""
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is answered in place of the usual. `hangs` answers nothing until the server stops."""

    status: int = 200
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


class GoogleApi:
    """A server on a port of its own. With a public key only that service account gets tokens, else everybody does."""

    def __init__(
        self,
        *,
        issuer_id: str,
        public_key: RSAPublicKey | None = None,
        email: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.issuer_id = issuer_id
        self.public_key = public_key
        self.email = email
        self.token_seconds = 3600
        self.tokens: set[str] = set()
        self.resources: defaultdict[str, dict[str, Document]] = defaultdict(dict)
        """`genericClass` and so on to id to document"""
        self.received: list[Received] = []
        self.faults: list[str] = []
        """what was wrong with bodies that were refused"""
        self.notified: list[str] = []
        """ids whose holders were told, in order"""
        self.answer: Callable[[Received], Answer | None] = lambda _: None
        self._now = now
        self._lock = threading.Lock()
        self._told: defaultdict[str, list[float]] = defaultdict(list)
        self._stopping = threading.Event()
        api = self

        class Handler(_Handler):
            google = api

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        self.base_url = f"http://{HOST}:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True, name="google-api"
        )

    @property
    def rest_base_url(self) -> str:
        """For `GOOGLE_REST_BASE_URL`."""
        return f"{self.base_url}{_ROOT}".rstrip("/")

    @property
    def token_url(self) -> str:
        """For `GOOGLE_TOKEN_URL`."""
        return f"{self.base_url}/token"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def requests(self, method: str | None = None, *, to: str = "") -> list[Received]:
        """Requests for classes and objects, of a method and to paths that begin so; tokens are left out."""
        return [
            one
            for one in self.received
            if one.path != "token" and method in (None, one.method) and one.path.startswith(to)
        ]

    def token_requests(self) -> list[Received]:
        """Requests for tokens."""
        return [one for one in self.received if one.path == "token"]

    def handle(self, received: Received) -> tuple[int, Document, Mapping[str, str]]:
        """Status, body and headers of the answer."""
        self.received.append(received)
        canned = self.answer(received)
        if canned is not None:
            if canned.hangs:
                self._stopping.wait()
            return canned.status, _error(canned.status, canned.reason), canned.headers
        with self._lock:
            status, document = self._grant(received) if received.path == "token" else self._serve(received)
        return status, document, {}

    def _grant(self, received: Received) -> tuple[int, Document]:
        form = {name: values[0] for name, values in parse_qs(str(received.body)).items()}
        if form.get("grant_type") != _GRANT or not self._is_genuine(form.get("assertion", "")):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        token = f"token-{len(self.token_requests())}"
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": self.token_seconds, "token_type": "Bearer"}

    def _is_genuine(self, assertion: str) -> bool:
        parts = assertion.split(".")
        if len(parts) != 3:
            return False
        claims = json.loads(_decode(parts[1]))
        fits = claims.get("scope") == SCOPE and claims.get("aud") in (TOKEN_AUDIENCE, self.token_url)
        lives = claims.get("exp", 0) - claims.get("iat", 0) <= 3600
        if not fits or not lives or self.email not in (None, claims.get("iss")):
            return False
        if self.public_key is None:
            return True
        try:
            self.public_key.verify(_decode(parts[2]), ".".join(parts[:2]).encode(), PKCS1v15(), SHA256())
        except InvalidSignature:
            return False
        return True

    def _serve(self, received: Received) -> tuple[int, Document]:
        if received.token not in self.tokens:
            return 401, _error(401, "authError")
        resource, _, rest = received.path.partition("/")
        if resource not in RESOURCES:
            return self._refuse(f"there is no resource {resource}")
        if not rest:
            return self._insert(resource, received.body) if received.method == "POST" else (404, _error(404, ""))
        resource_id, _, action = rest.partition("/")
        return self._serve_one(resource, unquote(resource_id), action, received)

    def _serve_one(self, resource: str, resource_id: str, action: str, received: Received) -> tuple[int, Document]:
        if resource_id not in self.resources[resource]:
            return 404, _error(404, "resourceNotFound")
        if received.method == "POST" and action == "addMessage":
            return self._add_message(resource, resource_id, received.body)
        if action or received.method not in ("GET", "PATCH"):
            return 404, _error(404, "")
        if received.method == "PATCH":
            return self._patch(resource, resource_id, received.body)
        return 200, self.resources[resource][resource_id]

    def _insert(self, resource: str, body: Any) -> tuple[int, Document]:
        document = _merge({}, body) if isinstance(body, dict) else {}
        if fault := self._find_fault(resource, document):
            return self._refuse(fault)
        resource_id = document["id"]
        if any(resource_id in self.resources[other] for other in RESOURCES if other.endswith(resource[-5:])):
            return 409, _error(409, "existingResource")
        if resource.endswith("Object"):
            kept = self.resources[f"{resource.removesuffix('Object')}Class"]
            if document["classId"] not in kept:
                return 404, _error(404, "classNotFound")
        self.resources[resource][resource_id] = document
        return 200, document

    def _patch(self, resource: str, resource_id: str, body: Any) -> tuple[int, Document]:
        change = dict(body) if isinstance(body, dict) else {}
        preference = change.pop("notifyPreference", None)
        if preference is not None and resource not in NOTIFYING:
            return self._refuse(f"a {resource} has no notifyPreference")
        if preference not in (None, "NOTIFY_ON_UPDATE"):
            return self._refuse(f"there is no notifyPreference {preference}")
        document = _merge(self.resources[resource][resource_id], change)
        if fault := self._find_fault(resource, document):
            return self._refuse(fault)
        if document["id"] != resource_id:
            return self._refuse("the id of the body is another one")
        if preference is not None and not self._notify(resource_id):
            return 403, _error(403, "quotaExceeded")
        self.resources[resource][resource_id] = document
        return 200, document

    def _add_message(self, resource: str, resource_id: str, body: Any) -> tuple[int, Document]:
        message = body.get("message") if isinstance(body, dict) else None
        if not isinstance(message, dict) or not message.get("body"):
            return self._refuse("there is no message with a body")
        kind = message.get("messageType")
        if kind not in ("TEXT", "TEXT_AND_NOTIFY"):
            return self._refuse(f"there is no messageType {kind}")
        if kind == "TEXT_AND_NOTIFY" and not self._notify(resource_id):
            return 403, _error(403, "quotaExceeded")
        document = self.resources[resource][resource_id]
        document.setdefault("messages", []).append(message)
        return 200, {"resource": document}

    def _notify(self, resource_id: str) -> bool:
        """Whether the day's quota allows it."""
        since = self._now() - _DAY_SECONDS
        told = self._told[resource_id] = [moment for moment in self._told[resource_id] if moment > since]
        if len(told) >= NOTIFICATIONS_PER_DAY:
            return False
        told.append(self._now())
        self.notified.append(resource_id)
        return True

    def _find_fault(self, resource: str, document: Document) -> str | None:
        return find_fault(resource, document, issuer_id=self.issuer_id)

    def _refuse(self, fault: str) -> tuple[int, Document]:
        self.faults.append(fault)
        return 400, _error(400, "badRequest", fault)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    google: GoogleApi

    def do_GET(self) -> None:
        self._respond()

    def do_POST(self) -> None:
        self._respond()

    def do_PATCH(self) -> None:
        self._respond()

    def _respond(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY_BYTES)
        raw = self.rfile.read(length)
        path = self.path.partition("?")[0]
        is_json = path != "/token" and bool(raw)
        received = Received(
            method=self.command,
            path=path.removeprefix(_ROOT).lstrip("/"),
            body=json.loads(raw) if is_json else raw.decode(),
            at=time.monotonic(),
            token=(self.headers.get("Authorization") or "").removeprefix("Bearer "),
        )
        status, document, headers = self.google.handle(received)
        content = json.dumps(document).encode()
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):  # whoever asked has hung up
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


def _merge(document: Document, change: Document) -> Document:
    """A patch: objects are merged, lists replaced whole, null takes a member out (wallets, section 4.4)."""
    merged = dict(document)
    for name, value in change.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict):
            before = merged.get(name)
            merged[name] = _merge(before if isinstance(before, dict) else {}, value)
        else:
            merged[name] = value
    return merged


def _error(status: int, reason: str, message: str = "") -> Document:
    return {"error": {"code": status, "message": message, "errors": [{"reason": reason, "domain": "walletobjects"}]}}


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
