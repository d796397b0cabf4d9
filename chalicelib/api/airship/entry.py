"""What every Airship route shares: credentials, revision, body, and errors in the dialect's own body."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib import logs
from chalicelib.api.bodies import FORM, parse_json, read_form
from chalicelib.api.requests import JSON, ApiRequest, View, decode, register_view
from chalicelib.domain.errors import InvalidRequest, Unauthorized
from chalicelib.errors import airship_answer

CONTENT_TYPES = [JSON, FORM]
REVISION = "1.2"

__all__ = ["AirshipRequest", "View", "decode", "route"]


class AirshipRequest(ApiRequest):
    """One request, as an Airship view sees it."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._is_form = (self.header("content-type") or "").partition(";")[0].strip().lower() == FORM

    @functools.cached_property
    def document(self) -> Any:
        """The JSON body, straight or in the form field `json` (section 1).

        Raises:
            UnreadableBody: there is none.
        """
        if self._is_form and not self.body.lstrip().startswith((b"{", b"[")):
            return parse_json(self._form.get("json", ""))
        return parse_json(self.body)

    @functools.cached_property
    def _form(self) -> dict[str, str]:
        return read_form(self.body) if self._is_form else {}

    def authenticate(self) -> None:
        """Finds the project of the credentials (section 2).

        Raises:
            Unauthorized
        """
        key, secret = self._credentials()
        self.sign_in(key=key, secret=secret)

    def _credentials(self) -> tuple[str | None, str]:
        pair = self.basic_credentials()
        if pair is not None:
            return pair
        secret = self.query("api_key") or self._form.get("api_key")
        if not secret:
            raise Unauthorized("credentials are required")
        return None, secret

    def check_revision(self) -> None:
        """A missing revision is 1.2; any other is refused (section 9.1).

        Raises:
            InvalidRequest
        """
        revision = self.header("api-revision")
        if revision is not None and revision.strip() != REVISION:
            raise InvalidRequest(f"must be {REVISION}", field="Api-Revision")


def route(
    blueprint: Blueprint,
    path: str,
    *,
    methods: Sequence[str],
    open_to_all: bool = False,
    revision: bool = True,
    content_type: str = JSON,
) -> Callable[[View], View]:
    """Registers a view. It gets an `AirshipRequest` and the path parameters, and returns JSON or a `Response`.

    `open_to_all` asks for no credentials, `revision=False` does not look at `Api-Revision`. Whatever goes wrong becomes
    the dialect's error body.
    """

    def register(view: View) -> View:
        def respond(raw_request: Request, parameters: Mapping[str, str]) -> Response:
            request = AirshipRequest(raw_request)
            if not open_to_all:
                request.authenticate()
            if revision:
                request.check_revision()
            answer = view(request, **parameters)
            if isinstance(answer, dict):
                logs.note(ticket_id=answer.get("ticketId"))
            return answer if isinstance(answer, Response) else Response(answer, {"Content-Type": content_type}, 200)

        register_view(
            blueprint,
            path,
            dialect="airship",
            view=view,
            methods=methods,
            content_types=CONTENT_TYPES,
            respond=respond,
            explain=airship_answer,
        )
        return view

    return register
