"""What every dialect's routes share: address, credentials and body of a request, and one place where errors end."""

from __future__ import annotations

import base64
import functools
import logging
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import unquote

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib import logs, metrics
from chalicelib.api.bodies import check_body_size
from chalicelib.api.conditional import answer_if_changed, make_expectation
from chalicelib.api.declared import NOTHING, Declared, Says, declare, note_operations
from chalicelib.domain.authenticating import authenticate
from chalicelib.domain.errors import Busy, Conflict, PasselError, StorageUnavailable, Unauthorized
from chalicelib.domain.finding import parse_id
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.ports import Platform
from chalicelib.errors import ErrorAnswer
from chalicelib.settings import get_settings
from chalicelib.wiring import get_credential_cache, get_platform

if TYPE_CHECKING:
    from chalicelib.api.keyed_requests import KeyedWork
    from chalicelib.domain.passes import Expectation, Pass

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

_answer_headers: ContextVar[dict[str, str]] = ContextVar("answer_headers")
"""what the answer to the request at hand will have beside its own headers, be it a success or a refusal"""


class ApiRequest:
    """One request, as a view of any dialect sees it: whose it is, what it asks, and under which address."""

    def __init__(
        self, request: Request, *, maximum_body_bytes: int | None = None, declared: Declared = NOTHING
    ) -> None:
        """Reads the body; `maximum_body_bytes` replaces the usual limit. `declared` is what its route declares.

        Raises:
            InvalidRequest: the body is larger than the limit.
        """
        self._request = request
        self.declared = declared
        body = request.raw_body or b""
        self.body: bytes = body.encode() if isinstance(body, str) else body
        check_body_size(self.body, maximum_bytes=maximum_body_bytes or get_settings().limits.body_bytes)
        self.project_id = 0
        self.keyed: KeyedWork | None = None
        """the work under an Idempotency-Key, if the request has one and its route takes it"""

    def make_response(self, answer: Any) -> Response:
        """What goes out for what a view returns; each dialect says how."""
        raise NotImplementedError

    @property
    def asked_body(self) -> bytes:
        """What the body asks for: the body without credentials, where a dialect takes some in it."""
        return self.body

    @property
    def platform(self) -> Platform:
        """Storage, queues and clock."""
        return get_platform()

    def header(self, name: str) -> str | None:
        """A header by its name in any case, or None."""
        value: str | None = self._request.headers.get(name)
        return value

    @property
    def asked_path(self) -> str:
        """The path as it was asked for, with the stage."""
        return str((self._request.context or {}).get("path", ""))

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
        """Finds the project of a key and its secret, or of the secret alone, and takes the request off its limit.

        Raises:
            Unauthorized, RateLimited
        """
        credential = authenticate(self.platform, get_credential_cache(), key=key, secret=secret)
        self.project_id = credential.project_id
        logs.note(project_id=self.project_id)
        if credential.limit or credential.project_limit or get_settings().rate_limit_per_second:
            from chalicelib.api.rate_limits import apply_limit  # which most deployments never need

            apply_limit(credential, _answer_headers.get())

    def finishing(self, show: Callable[[Any], Any]) -> Platform:
        """The platform for a view that writes in one transaction, and answers with what `show` makes of what it wrote.

        An Idempotency-Key of the request is finished in that transaction.
        """
        return self.platform if self.keyed is None else self.keyed.finishing(show)

    def expectation(self, show: Callable[[Pass], Any]) -> Expectation | None:
        """What the request's `If-Match` demands of a pass, whose read `show` answers; None without that header."""
        wanted = self.header("if-match")
        return None if wanted is None else make_expectation(wanted, lambda pass_: self.make_response(show(pass_)).body)

    def answer(self, work: Callable[[], Any], *, takes_key: bool, parameters: Mapping[str, str]) -> Response:
        """What goes out for what `work` returns: under its key, if it has one; a read by an account with its tag."""
        method, key = self._request.method, self.header("idempotency-key")
        if takes_key and key is not None:
            from chalicelib.api.keyed_requests import answer_once

            return answer_once(self, key, work, method=method, route=self._request.path, parameters=parameters)
        response = self.make_response(work())
        is_json = str(response.headers.get("Content-Type", "")).startswith(JSON)
        if method == "GET" and self.project_id and response.status_code == 200 and is_json:
            return answer_if_changed(response, known=self.header("if-none-match"))
        return response


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
    declared: Declared = NOTHING,
    open_to_all: bool = False,
    revision: bool = False,
) -> None:
    """Registers a route that answers with `respond` or, whatever goes wrong, with what `explain` makes of the error.

    `respond` gets the request and the path parameters. An unexpected error is logged once, here. The rest is for the
    description of the API.
    """
    DIALECTS[path] = dialect
    note_operations(
        path,
        methods=methods,
        dialect=dialect,
        view=view,
        declared=declared,
        open_to_all=open_to_all,
        revision=revision,
    )

    @functools.wraps(view)
    def answer(**parameters: str) -> Response:
        _note_numbers(parameters)
        headers: dict[str, str] = {}
        token = _answer_headers.set(headers)
        try:
            response = respond(blueprint.current_request, parameters)
        except PasselError as error:
            _note_refusal(error)
            response = _refuse(explain(error))
        except Exception as error:
            _log.exception("%s failed", view.__name__)
            response = _refuse(explain(error))
        finally:
            _answer_headers.reset(token)
        response.headers.update(headers)
        return response

    blueprint.route(path, methods=list(methods), content_types=list(content_types), name=view.__name__)(answer)


def page_route(
    blueprint: Blueprint, path: str, *, explain: Callable[[Exception], ErrorAnswer | Response], **says: Unpack[Says]
) -> Callable[[View], View]:
    """Registers a view that returns a whole response, for a browser and without credentials."""
    declared = declare(says=says)

    def register(view: View) -> View:
        def respond(raw_request: Request, parameters: Mapping[str, str]) -> Response:
            response: Response = view(ApiRequest(raw_request, declared=declared), **parameters)
            return response

        register_view(
            blueprint,
            path,
            dialect="pages",
            view=view,
            methods=["GET"],
            content_types=[JSON, "*/*"],
            respond=respond,
            explain=explain,
            declared=declared,
            open_to_all=True,
        )
        return view

    return register


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
