"""What every wallet route shares: no account, a token of the pass instead, and answers that wallets understand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib import logs
from chalicelib.api.bodies import parse_json
from chalicelib.api.declared import Says, declare
from chalicelib.api.requests import JSON, ApiRequest, View, decode, register_view
from chalicelib.domain.errors import InvalidRequest, Unauthorized
from chalicelib.domain.passes import Pass
from chalicelib.domain.recognising import parse_pass_authorization
from chalicelib.domain.registering import HeldPass
from chalicelib.errors import wallet_answer
from chalicelib.settings import get_settings

CONTENT_TYPES = [JSON, "*/*"]
"""wallets, section 2.1: no Content-Type is insisted on"""


class WalletRequest(ApiRequest):
    """One request of a wallet."""

    @property
    def scheme_and_token(self) -> tuple[str, str]:
        """The scheme word and the token of the Authorization header (wallets, section 2.1).

        Raises:
            Unauthorized: it is missing or of no use.
        """
        found = parse_pass_authorization(self.header("authorization"))
        if found is None:
            raise Unauthorized("the token of a pass is required")
        return found

    def held_pass(self, *, pass_type: str, serial_number: str) -> HeldPass:
        """The pass that the path names, with the token that the request shows.

        Raises:
            Unauthorized
        """
        return HeldPass(
            pass_type=decode(pass_type), serial_number=decode(serial_number), token=self.scheme_and_token[1]
        )

    @property
    def document(self) -> Any:
        """The JSON body, whatever type it claims.

        Raises:
            UnreadableBody
        """
        return parse_json(self.body)

    def read_body(self) -> Any:
        """The body as the model that the route declares.

        Raises:
            UnreadableBody, InvalidRequest
        """
        from chalicelib.api.models import read_as

        assert self.declared.body is not None, "the route declares no body"
        return read_as(self.declared.body.model, self.document)


def note_pass(pass_: Pass) -> None:
    """Whose pass a wallet asks for, which is known once its token was right."""
    logs.note(project_id=pass_.project_id, pass_id=pass_.pass_id)


def read_device_id(segment: str) -> str:
    """The device library identifier of a path.

    Raises:
        InvalidRequest: no device has such a long one.
    """
    device_id, limit = decode(segment), get_settings().limits.device_characters
    if not 0 < len(device_id) <= limit:
        raise InvalidRequest(f"has {len(device_id)} characters, the limit is {limit}", field="deviceLibraryIdentifier")
    return device_id


def wallet_route(
    blueprint: Blueprint,
    path: str,
    *,
    methods: Sequence[str],
    maximum_body_bytes: int | None = None,
    dialect: str = "passkit",
    open_to_all: bool = False,
    **says: Unpack[Says],
) -> Callable[[View], View]:
    """Registers a view. It gets a `WalletRequest` and the path parameters as they came, and returns a `Response`.

    `open_to_all` says that no token is asked for, `says` is what the route declares: both for the description alone.
    """
    declared = declare(says=says)

    def register(view: View) -> View:
        def respond(raw_request: Request, parameters: Mapping[str, str]) -> Response:
            request = WalletRequest(raw_request, maximum_body_bytes=maximum_body_bytes, declared=declared)
            response: Response = view(request, **parameters)
            return response

        register_view(
            blueprint,
            path,
            dialect=dialect,
            view=view,
            methods=methods,
            content_types=CONTENT_TYPES,
            respond=respond,
            explain=wallet_answer,
            declared=declared,
            open_to_all=open_to_all,
        )
        return view

    return register


def empty(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """An answer without a body."""
    return Response(body="", status_code=status, headers=dict(headers or {}))
