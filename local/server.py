"""The HTTP side of a local run: Chalice's local server, made to answer where API Gateway would, and in its words."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import (
    ChaliceRequestHandler,
    LocalChalice,
    LocalDevServer,
    LocalGatewayException,
    RouteMatcher,
    ThreadedHTTPServer,
)

from infra.gateway_responses import (
    BAD_REQUEST,
    CONTENT_TYPE,
    GATEWAY_RESPONSES,
    NO_ROUTE,
    SERVER_FAULT,
    GatewayResponse,
    error_response,
)
from local.request_body import BodyRefusedError, ClientGoneError, read_body

_FUNCTION_TIMEOUT_SECONDS = 30
_IDLE_SECONDS = 75
_DISCARD_SECONDS = 2.0
_DISCARD_BYTES = 64 * 1024
_BODYLESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

_logger = logging.getLogger(__name__)


Turn = AbstractContextManager[object]
"""what a request or a handler holds while it runs, where an engine bears only one at a time"""


class HttpServer:
    """Serves a Chalice app on one address, from `start` to `stop`."""

    def __init__(self, app: Chalice, *, host: str, port: int, verbose: bool = False, turn: Turn | None = None) -> None:
        """Bind the address; `port` 0 takes a free one. With `turn` each request waits for it.

        Raises:
            OSError: the address cannot be had.
        """
        _make_thread_safe(app)
        attributes = {"verbose": verbose, "routes": RouteMatcher(list(app.routes)), "turn": turn or nullcontext()}
        handler = type("Handler", (_RequestHandler,), attributes)
        config = Config.create(chalice_stage="local", lambda_timeout=_FUNCTION_TIMEOUT_SECONDS)
        self._server: _Server = LocalDevServer(app, config, host, port, handler_cls=handler, server_cls=_Server).server
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, name="http", daemon=True
        )
        self.url = f"http://{host}:{self._server.server_address[1]}"

    def start(self) -> None:
        """Accept connections."""
        self._thread.start()

    def stop(self, *, timeout_seconds: float = 10.0) -> bool:
        """Accept no more, and wait for the requests at work; False if one was still running at the end."""
        self._server.draining = True
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        return self._server.await_idle(timeout_seconds=timeout_seconds)


def _make_thread_safe(app: Chalice) -> None:
    """Let each thread see its own `current_request`, as `chalice local` does."""
    if not isinstance(app, LocalChalice):
        app.__class__ = type("LocalApp", (LocalChalice, app.__class__), {})


class _Server(ThreadedHTTPServer):
    request_queue_size = 128

    def __init__(self, *arguments: Any) -> None:
        self.draining = False
        self._busy = 0
        self._changed = threading.Condition()
        super().__init__(*arguments)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # the one between would look the host up in DNS
        self.server_name, self.server_port = self.server_address[:2]

    @contextmanager
    def request_at_work(self) -> Iterator[None]:
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def await_idle(self, *, timeout_seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._busy == 0, timeout_seconds)

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            _logger.error("a connection failed", exc_info=error)


class _RequestHandler(ChaliceRequestHandler):
    verbose: bool
    routes: RouteMatcher
    turn: Turn
    server: _Server

    # One segment an answer: a second small one would wait for the client's delayed acknowledgement.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    timeout = _IDLE_SECONDS

    def version_string(self) -> str:
        return "Passel"

    def _generic_handle(self) -> None:
        with self.server.request_at_work(), suppress(ClientGoneError):
            try:
                body = read_body(self.headers, self.rfile)
            except ClientGoneError:
                self.close_connection = True
                raise
            except BodyRefusedError as refusal:
                self._refuse(error_response(status=400, details=str(refusal)))
                return
            self._answer(body)
            self.wfile.flush()

    # The parent binds its own function to these names; of the last two it knows nothing.
    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _generic_handle  # noqa: N815
    do_TRACE = do_QUERY = _generic_handle  # noqa: N815

    def _answer(self, body: bytes | None) -> None:
        try:
            self.routes.match_route(self.path)
        except ValueError:
            self._send_gateway_response(GATEWAY_RESPONSES[NO_ROUTE])
            return
        try:
            with self.turn:
                response = self.local_gateway.handle_request(
                    method=self.command, path=self.path, headers=dict(self.headers), body=body
                )
        except LocalGatewayException:
            self._send_gateway_response(GATEWAY_RESPONSES[NO_ROUTE])
            return
        except Exception:  # the gateway's last resort, as on AWS; the app answers its own errors
            _logger.exception("%s %s failed outside the app", self.command, self.path.partition("?")[0])
            self._send_gateway_response(GATEWAY_RESPONSES[SERVER_FAULT])
            return
        headers = {**response["headers"], **response["multiValueHeaders"]}
        self._send_http_response(response["statusCode"], headers, self._handle_binary(response)["body"])

    def _send_gateway_response(self, response: GatewayResponse) -> None:
        self._send_http_response(response.status, {"Content-Type": CONTENT_TYPE}, response.body)

    def _send_http_response(self, code: int, headers: dict[str, Any], body: bytes | str | None) -> None:
        data = body.encode() if isinstance(body, str) else body or b""
        self.send_response(code)
        if code not in _BODYLESS:
            headers = {name: value for name, value in headers.items() if name.lower() != "content-length"}
            headers["Content-Length"] = str(len(data))
            if data and not any(name.lower() == "content-type" for name in headers):
                headers["Content-Type"] = CONTENT_TYPE
        if self.close_connection or self.server.draining:
            headers["Connection"] = "close"
        self._send_headers(headers)
        if self.command != "HEAD" and code not in _BODYLESS:
            self.wfile.write(data)

    def _refuse(self, response: GatewayResponse) -> None:
        """Answer a request that is not wholly read, and close the connection so that the client sees the answer."""
        self.close_connection = True
        self._send_gateway_response(response)
        self.wfile.flush()
        # Closing on unread data resets the connection, and the answer is lost with it.
        deadline = time.monotonic() + _DISCARD_SECONDS
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_DISCARD_SECONDS)
            while time.monotonic() < deadline and self.connection.recv(_DISCARD_BYTES):
                continue

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what the HTTP parser refuses, in the contract's shape instead of a page of HTML."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # a method that no route can have
            self._refuse(GATEWAY_RESPONSES[NO_ROUTE])
            return
        self._refuse(GATEWAY_RESPONSES[BAD_REQUEST])

    def handle_expect_100(self) -> bool:
        """Send no interim answer: some clients take it for the final one, and all go on without it."""
        return True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        if self.verbose:
            # a query may hold an API secret or a download token
            kept = [argument.partition("?")[0] if isinstance(argument, str) else argument for argument in args]
            BaseHTTPRequestHandler.log_message(self, format, *kept)
