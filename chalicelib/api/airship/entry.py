"""What every Airship route shares: credentials, revision, body, and errors in the dialect's own body."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib import logs
from chalicelib.api.bodies import FORM, parse_json, read_form
from chalicelib.api.declared import NOTHING, Declared, Says, declare
from chalicelib.api.requests import JSON, ApiRequest, View, decode, register_view
from chalicelib.domain.errors import InvalidRequest, Unauthorized
from chalicelib.errors import airship_answer

CONTENT_TYPES = [JSON, FORM]
REVISION = "1.2"

__all__ = ["AirshipRequest", "View", "decode", "route"]


class AirshipRequest(ApiRequest):
    """One request, as an Airship view sees it."""

    def __init__(self, request: Request, *, answer_type: str = JSON, declared: Declared = NOTHING) -> None:
        super().__init__(request, declared=declared)
        self._answer_type = answer_type
        self._is_form = (self.header("content-type") or "").partition(";")[0].strip().lower() == FORM

    @functools.cached_property
    def document(self) -> Any:
        """The JSON body, straight or in the form field `json` (section 1).

        Raises:
            UnreadableBody: there is none.
        """
        if self._has_fields:
            return parse_json(self._form.get("json", ""))
        return parse_json(self.body)

    def read_body(self) -> Any:
        """The body as the model that the route declares.

        Raises:
            UnreadableBody, InvalidRequest
        """
        from chalicelib.api.models import read_as

        assert self.declared.body is not None, "the route declares no body"
        return read_as(self.declared.body.model, self.document)

    @property
    def asked_body(self) -> bytes:
        """See `ApiRequest`."""
        if not self._has_fields:
            return self.body
        return json.dumps(sorted(field for field in self._form.items() if field[0] != "api_key")).encode()

    @property
    def _has_fields(self) -> bool:
        """Whether the body is a form; some clients call JSON one."""
        return self._is_form and not self.body.lstrip().startswith((b"{", b"["))

    @functools.cached_property
    def _form(self) -> dict[str, str]:
        return read_form(self.body) if self._is_form else {}

    def make_response(self, answer: Any) -> Response:
        """A document as Chalice would encode it, so that its bytes are known here."""
        if isinstance(answer, Response):
            return answer
        if isinstance(answer, dict):
            logs.note(ticket_id=answer.get("ticketId"))
        return Response(json.dumps(answer, separators=(",", ":")), {"Content-Type": self._answer_type}, 200)

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
    takes_key: bool = False,
    **says: Unpack[Says],
) -> Callable[[View], View]:
    """Registers a view. It gets an `AirshipRequest` and the path parameters, and returns JSON or a `Response`.

    `open_to_all` asks for no credentials, `revision=False` does not look at `Api-Revision`; with `takes_key` an
    Idempotency-Key counts. Whatever goes wrong becomes the dialect's error body. `says` is what the route declares; the
    view's docstring is what clients read about it.
    """
    declared = declare(says=says, takes_key=takes_key)

    def register(view: View) -> View:
        def respond(raw_request: Request, parameters: Mapping[str, str]) -> Response:
            request = AirshipRequest(raw_request, answer_type=content_type, declared=declared)
            if not open_to_all:
                request.authenticate()
            if revision:
                request.check_revision()
            return request.answer(lambda: view(request, **parameters), takes_key=takes_key, parameters=parameters)

        register_view(
            blueprint,
            path,
            dialect="airship",
            view=view,
            methods=methods,
            content_types=CONTENT_TYPES,
            respond=respond,
            explain=airship_answer,
            declared=declared,
            open_to_all=open_to_all,
            revision=revision,
        )
        return view

    return register
