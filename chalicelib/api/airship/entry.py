"""What every Airship route shares: credentials, revision, body, and errors in the dialect's own body."""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib.api.bodies import FORM, check_body_size, parse_json, read_form
from chalicelib.domain.authenticating import authenticate
from chalicelib.domain.errors import InvalidRequest, PasselError, Unauthorized
from chalicelib.domain.ports import Platform
from chalicelib.errors import airship_answer
from chalicelib.settings import get_settings
from chalicelib.wiring import get_credential_cache, get_platform

CONTENT_TYPES = ["application/json", FORM]
JSON = "application/json"
REVISION = "1.2"
LARGEST_KEY_CHARACTERS = 255

View = Callable[..., Any]

_log = logging.getLogger("passel")


class AirshipRequest:
    """One request, as a view sees it: whose it is, what it asks, and under which address."""

    def __init__(self, request: Request) -> None:
        self._request = request
        body = request.raw_body or b""
        self._raw_body = body.encode() if isinstance(body, str) else body
        check_body_size(self._raw_body, maximum_bytes=get_settings().limits.body_bytes)
        self._is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM
        self.project_id = 0

    @property
    def platform(self) -> Platform:
        """Storage, queues and clock."""
        return get_platform()

    def query(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        parameters = self._request.query_params
        return parameters.getlist(name)[-1] if parameters and name in parameters else None

    @functools.cached_property
    def document(self) -> Any:
        """The JSON body, straight or in the form field `json` (section 1).

        Raises:
            UnreadableBody: there is none.
        """
        if self._is_form and not self._raw_body.lstrip().startswith((b"{", b"[")):
            return parse_json(self._form.get("json", ""))
        return parse_json(self._raw_body)

    @functools.cached_property
    def _form(self) -> dict[str, str]:
        return read_form(self._raw_body) if self._is_form else {}

    @property
    def base_url(self) -> str:
        """Scheme, host and stage under which the client reached us, without a slash at the end."""
        configured = get_settings().public_base_url
        if configured:
            return configured.rstrip("/")
        context = self._request.context
        host = self._request.headers.get("host") or context.get("domainName") or "localhost"
        scheme = self._request.headers.get("x-forwarded-proto", "http")
        stage = str(context.get("path", "")).partition("/v1/")[0]
        return f"{scheme}://{host}{stage}"

    def authenticate(self) -> None:
        """Finds the project of the credentials (section 2).

        Raises:
            Unauthorized
        """
        key, secret = self._credentials()
        self.project_id = authenticate(self.platform, get_credential_cache(), key=key, secret=secret)

    def _credentials(self) -> tuple[str | None, str]:
        header = self._request.headers.get("authorization")
        if header is not None:
            return _parse_basic(header)
        secret = self.query("api_key") or self._form.get("api_key")
        if not secret:
            raise Unauthorized("credentials are required")
        return None, secret

    def check_revision(self) -> None:
        """A missing revision is 1.2; any other is refused (section 9.1).

        Raises:
            InvalidRequest
        """
        revision = self._request.headers.get("api-revision", REVISION).strip()
        if revision != REVISION:
            raise InvalidRequest(f"must be {REVISION}", field="Api-Revision")


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


def route(
    blueprint: Blueprint,
    path: str,
    *,
    methods: Sequence[str],
    open_to_all: bool = False,
    revision: bool = True,
    content_type: str = JSON,
) -> Callable[[View], View]:
    """Registers a view. It gets an `AirshipRequest` and the decoded path parameters and returns a JSON document.

    `open_to_all` asks for no credentials, `revision=False` does not look at `Api-Revision`. Whatever goes wrong becomes
    the dialect's error body; an unexpected error is logged once, here.
    """

    def register(view: View) -> View:
        @functools.wraps(view)
        def answer(**parameters: str) -> Response:
            try:
                request = AirshipRequest(blueprint.current_request)
                if not open_to_all:
                    request.authenticate()
                if revision:
                    request.check_revision()
                return Response(view(request, **parameters), {"Content-Type": content_type}, 200)
            except PasselError as error:
                return _refuse(error)
            except Exception as error:
                _log.exception("%s failed", view.__name__)
                return _refuse(error)

        blueprint.route(path, methods=list(methods), content_types=CONTENT_TYPES, name=view.__name__)(answer)
        return view

    return register


def _refuse(error: Exception) -> Response:
    answer = airship_answer(error)
    return Response(body=answer.body, status_code=answer.status, headers=dict(answer.headers))


def decode(segment: str) -> str:
    """A path parameter, percent-decoded once; `+` stays what it is."""
    return unquote(segment)
