"""What every dialect's routes share: address, credentials and body of a request, and one place where errors end."""

from __future__ import annotations

import base64
import functools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib import logs, metrics
from chalicelib.api.bodies import check_body_size
from chalicelib.domain.authenticating import authenticate
from chalicelib.domain.errors import Busy, Conflict, PasselError, StorageUnavailable, Unauthorized
from chalicelib.domain.finding import parse_id
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.ports import Platform
from chalicelib.errors import ErrorAnswer
from chalicelib.settings import get_settings
from chalicelib.wiring import get_credential_cache, get_platform

JSON = "application/json"
PKPASS = "application/vnd.apple.pkpass"
LARGEST_KEY_CHARACTERS = 255

_HOST = re.compile(r"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
"""a name or an address and a port: it goes into addresses that we sign"""

View = Callable[..., Any]

DIALECTS: dict[str, str] = {}
"""path of a route to the dialect that it belongs to, as metrics have it"""

_NUMBERS = frozenset({"project_id", "ticket_id"})
_CARRIERS = {"serial_number": "pass_id", "pass_id": "pass_id", "campaign_id": "template_id"}
"""path parameters that are written to the log: plain numbers, and UUIDs for the number that they carry"""

_log = logging.getLogger("passel")


class ApiRequest:
    """One request, as a view of any dialect sees it: whose it is, what it asks, and under which address."""

    def __init__(self, request: Request, *, maximum_body_bytes: int | None = None) -> None:
        """Reads the body; `maximum_body_bytes` replaces the usual limit.

        Raises:
            InvalidRequest: the body is larger than the limit.
        """
        self._request = request
        body = request.raw_body or b""
        self.body: bytes = body.encode() if isinstance(body, str) else body
        check_body_size(self.body, maximum_bytes=maximum_body_bytes or get_settings().limits.body_bytes)
        self.project_id = 0

    @property
    def platform(self) -> Platform:
        """Storage, queues and clock."""
        return get_platform()

    def header(self, name: str) -> str | None:
        """A header by its name in any case, or None."""
        value: str | None = self._request.headers.get(name)
        return value

    @property
    def source_ip(self) -> str | None:
        """The address that the gateway was called from."""
        identity = (self._request.context or {}).get("identity") or {}
        return identity.get("sourceIp")

    def query(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        parameters = self._request.query_params
        return parameters.getlist(name)[-1] if parameters and name in parameters else None

    def query_pairs(self) -> Iterator[tuple[str, str]]:
        """Every query parameter with each of its values, since a name may repeat."""
        parameters = self._request.query_params
        if parameters:
            for name in parameters:
                for value in parameters.getlist(name):
                    yield name, value

    @functools.cached_property
    def base_url(self) -> str:
        """Scheme, host and stage under which the client reached us, without a slash at the end."""
        configured = get_settings().public_base_url
        if configured:
            return configured.rstrip("/")
        context = self._request.context
        named = self.header("host") or ""
        host = named if _HOST.fullmatch(named) else context.get("domainName") or "localhost"
        scheme = "https" if self.header("x-forwarded-proto") == "https" else "http"
        return f"{scheme}://{host}{_find_stage(self._request.path, str(context.get('path', '')))}"

    def basic_credentials(self) -> tuple[str, str] | None:
        """User name and password of the Authorization header; None without that header.

        Raises:
            Unauthorized: the header is there and holds none.
        """
        header = self.header("authorization")
        return None if header is None else _parse_basic(header)

    def sign_in(self, *, key: str | None, secret: str) -> None:
        """Finds the project of a key and its secret, or of the secret alone.

        Raises:
            Unauthorized
        """
        self.project_id = authenticate(self.platform, get_credential_cache(), key=key, secret=secret)
        logs.note(project_id=self.project_id)


def _find_stage(route_path: str, path: str) -> str:
    """`/api` for the path `/api/v1/tag/gold` of the route `/v1/tag/{tag}`: what precedes the route's first segment."""
    first = route_path.split("/")[1]
    if not first:
        return path.rstrip("/")
    stage, found, _ = f"{path}/".partition(f"/{first}/")
    return stage if found else ""


def _parse_basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized("Basic credentials are required")
    try:
        key, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError as error:
        raise Unauthorized("the Authorization header cannot be read") from error
    if not colon or not key or not secret or len(key) > LARGEST_KEY_CHARACTERS:
        raise Unauthorized("the credentials are unknown or wrong")
    return key, secret


def register_view(
    blueprint: Blueprint,
    path: str,
    *,
    dialect: str,
    view: View,
    methods: Sequence[str],
    content_types: Sequence[str],
    respond: Callable[[Request, Mapping[str, str]], Response],
    explain: Callable[[Exception], ErrorAnswer | Response],
) -> None:
    """Registers a route that answers with `respond` or, whatever goes wrong, with what `explain` makes of the error.

    `respond` gets the request and the path parameters. An unexpected error is logged once, here.
    """
    DIALECTS[path] = dialect

    @functools.wraps(view)
    def answer(**parameters: str) -> Response:
        _note_numbers(parameters)
        try:
            return respond(blueprint.current_request, parameters)
        except PasselError as error:
            _note_refusal(error)
            return _refuse(explain(error))
        except Exception as error:
            _log.exception("%s failed", view.__name__)
            return _refuse(explain(error))

    blueprint.route(path, methods=list(methods), content_types=list(content_types), name=view.__name__)(answer)


def _note_numbers(parameters: Mapping[str, str]) -> None:
    for name, value in parameters.items():
        if name in _NUMBERS:
            logs.note(**{name: parse_id(value)})
        elif name in _CARRIERS:
            logs.note(**{_CARRIERS[name]: number_in(value)})


def _note_refusal(error: PasselError) -> None:
    """The kind of a refusal; and where we are at fault why, since whoever asked is not told."""
    logs.note(error=type(error).__name__)
    if isinstance(error, Busy | Conflict):
        cause = error.__cause__
        logs.note(reason=logs.explain_error(error), cause=None if cause is None else logs.name_error(cause))
        if isinstance(error, Conflict) or isinstance(cause, Conflict):
            metrics.count("ConflictsExhausted")
        elif isinstance(error, StorageUnavailable):
            metrics.count("StorageFailures")


def _refuse(answer: ErrorAnswer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    return Response(body=answer.body, status_code=answer.status, headers=dict(answer.headers))


def decode(segment: str) -> str:
    """A path parameter, percent-decoded once; `+` stays what it is."""
    return unquote(segment)
