"""What every Passworks route shares: credentials, body under its root key, and errors in the dialect's own body."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Unpack

from chalice import Blueprint, Response
from chalice.app import Request

from chalicelib.api.bodies import parse_json
from chalicelib.api.declared import NOTHING, OWN_ROOT, Body, Declared, Says, declare
from chalicelib.api.requests import JSON, ApiRequest, View, decode, register_view
from chalicelib.domain.errors import InvalidRequest, Unauthorized
from chalicelib.errors import passworks_answer

CONTENT_TYPES = [JSON, "*/*"]
"""a body is read as what it is, whatever type it claims or does not claim (passworks-v2, section 12)"""

__all__ = ["PassworksRequest", "Reply", "View", "decode", "route"]


class PassworksRequest(ApiRequest):
    """One request, as a Passworks view sees it."""

    def __init__(
        self,
        request: Request,
        *,
        status: int = 200,
        maximum_body_bytes: int | None = None,
        declared: Declared = NOTHING,
    ) -> None:
        super().__init__(request, maximum_body_bytes=maximum_body_bytes, declared=declared)
        self._status = status

    def make_response(self, answer: Any) -> Response:
        """A document or a `Reply` as it goes out."""
        reply = answer if isinstance(answer, Reply) else Reply(document=answer)
        headers: dict[str, str | list[str]] = {"Content-Type": JSON, **reply.headers}
        return Response(_encode(reply.document), headers, reply.status or self._status)

    @property
    def content_type(self) -> str:
        """The Content-Type header as it came, with its parameters; empty without one or without a body."""
        return (self.header("content-type") or "") if self.body else ""

    @functools.cached_property
    def document(self) -> dict[str, Any]:
        """The JSON body; no body, `null` and `[]` are an empty object (passworks-v2, section 8).

        Raises:
            UnreadableBody: it is no JSON.
            InvalidRequest: it is JSON but no object.
        """
        return _as_object(parse_json(self.body) if self.body.strip() else None, name="body")

    def root(self, *names: str, optional: bool = False) -> dict[str, Any]:
        """The object under a root key; of several names the first that is there counts.

        With `optional` the whole body may be missing or empty. Keys beside the root are in `document`.

        Raises:
            UnreadableBody: the body is no JSON.
            InvalidRequest: the root key is missing, or holds no object (passworks-v2, section 12).
        """
        for name in names:
            if name in self.document:
                return _as_object(self.document[name], name=name)
        if optional and not self.document:
            return {}
        raise InvalidRequest("is missing", field=names[0])

    def read_body(self, *, own_root: str | None = None) -> Any:
        """The body, or what stands under its root key, as the model that the route declares.

        `own_root` is the root key of the campaign type that the path names.

        Raises:
            UnreadableBody, InvalidRequest
        """
        from chalicelib.api.models import read_as

        body = self.declared.body
        assert body is not None, "the route declares no body"
        return read_as(body.model, self._find_root(body, own_root))

    def read_beside(self) -> Any:
        """What stands beside the root key, as the model that the route declares for that.

        Raises:
            UnreadableBody, InvalidRequest
        """
        from chalicelib.api.models import read_as

        body = self.declared.body
        assert body is not None, "the route declares no body"
        assert body.beside is not None, "the route declares nothing beside the root key"
        return read_as(body.beside, self.document)

    def _find_root(self, body: Body, own_root: str | None) -> dict[str, Any]:
        names = [own_root or "" if name == OWN_ROOT else name for name in body.roots]
        if not names:
            return self.document
        if body.may_lack_root and not any(name in self.document for name in names):
            return {}
        return self.root(*names, optional=body.may_be_empty)

    def authenticate(self) -> None:
        """Finds the project of the Basic credentials, which are the only ones (passworks-v2, section 1).

        Raises:
            Unauthorized
        """
        pair = self.basic_credentials()
        if pair is None:
            raise Unauthorized("credentials are required")
        key, secret = pair
        self.sign_in(key=key, secret=secret)


def _as_object(value: Any, *, name: str) -> dict[str, Any]:
    """An object, where PHP writes an empty one as `[]`."""
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequest("must be an object", field=name)
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer that is more than a document: with headers, or with a status other than its route's."""

    document: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def _encode(document: Any) -> Any:
    """JSON as text: with letters as they are it takes half the room, which a full page of long fields needs."""
    return document if isinstance(document, bytes) else json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def route(
    blueprint: Blueprint,
    path: str,
    *,
    methods: Sequence[str],
    open_to_all: bool = False,
    status: int = 200,
    maximum_body_bytes: int | None = None,
    takes_key: bool = False,
    **says: Unpack[Says],
) -> Callable[[View], View]:
    """Registers a view. It gets a `PassworksRequest` and the path parameters, and returns a JSON document or a `Reply`.

    `open_to_all` asks for no credentials; `status` is that of a success, unless its `Reply` has one; with `takes_key`
    an Idempotency-Key counts. Whatever goes wrong becomes the dialect's error body. `says` is what the route declares;
    the view's docstring is what clients read about it.
    """
    declared = declare(status=status, says=says, takes_key=takes_key)

    def register(view: View) -> View:
        def respond(raw_request: Request, parameters: Mapping[str, str]) -> Response:
            request = PassworksRequest(
                raw_request, status=status, maximum_body_bytes=maximum_body_bytes, declared=declared
            )
            if not open_to_all:
                request.authenticate()
            return request.answer(lambda: view(request, **parameters), takes_key=takes_key, parameters=parameters)

        register_view(
            blueprint,
            path,
            dialect="passworks",
            view=view,
            methods=methods,
            content_types=CONTENT_TYPES,
            respond=respond,
            explain=passworks_answer,
            declared=declared,
            open_to_all=open_to_all,
        )
        return view

    return register
