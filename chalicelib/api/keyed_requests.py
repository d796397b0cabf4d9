"""Requests with an Idempotency-Key: each is carried out once, and answered again for a day."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chalice import Response

from chalicelib.domain.errors import Busy, ClaimLost, Refused
from chalicelib.domain.idempotency import (
    HEADER,
    Answer,
    Claim,
    abandon,
    claim_key,
    find_answer,
    finish_key,
    hold,
    make_fingerprint,
    note,
    parse_key,
    suspend,
)

if TYPE_CHECKING:
    from chalicelib.api.requests import ApiRequest
    from chalicelib.domain.ports import Platform

REPLAYED = "Idempotency-Replayed"

_log = logging.getLogger("passel")


class KeyedWork:
    """The work of one request that holds the claim to its key."""

    def __init__(self, platform: Platform, claim: Claim, make_response: Callable[[Any], Response]) -> None:
        self._platform = platform
        self._make_response = make_response
        self._is_kept = False
        self._is_open = False
        self.claim = claim

    def finishing(self, show: Callable[[Any], Any]) -> Platform:
        """The platform that finishes the key in the transaction which writes what `show` makes the answer of."""

        def describe(written: Any) -> Answer:
            self._is_kept = True
            return _as_answer(self._make_response(show(written)))

        return hold(self._platform, self.claim, describe=describe)

    def in_portions(self) -> Platform:
        """The platform for work of several transactions: each is done only while the claim is this request's."""
        return hold(self._platform, self.claim, describe=None)

    def note(self, claim: Claim) -> None:
        """Writes down the notes of the claim, for whoever goes on if this request dies."""
        note(self._platform, claim)

    def leave_open(self) -> None:
        """The answer is not the last word: the next request with the key is to go on with what is not done."""
        self._is_open = True

    def close(self, response: Response) -> None:
        """Keeps the answer, unless that was done with the work. If this fails the work is done nevertheless."""
        try:
            if self._is_open:
                suspend(self._platform, self.claim)
            elif not self._is_kept:
                finish_key(self._platform, self.claim, _as_answer(response))
        except Busy as error:
            _log.warning("the answer to a request with an %s was not kept: %r", HEADER, error)

    def give_up(self, error: Exception) -> Response:
        """The answer after all, if the work was done though nobody told us so; else the error goes on."""
        try:
            if isinstance(error, ClaimLost):
                answer = find_answer(self._platform, self.claim)
            else:
                answer = abandon(self._platform, self.claim, is_refused=isinstance(error, Refused))
        except Busy as busy:
            _log.warning("an %s was not given up: %r", HEADER, busy)
            answer = None
        if answer is None:
            raise error
        return _replay(answer)


def answer_once(
    request: ApiRequest, key: str, work: Callable[[], Any], *, method: str, route: str, parameters: Mapping[str, str]
) -> Response:
    """Does the work of a request, or says what came of it before.

    Only successes are kept: a request that was refused has written nothing, and one that failed is to be repeated.

    Raises:
        InvalidRequest: the key is none.
        KeyReused, StillAtWork, Busy; whatever `work` raises
    """
    fingerprint = make_fingerprint(
        method=method,
        route=route,
        parameters=parameters,
        query=request.query_pairs(),
        body=request.asked_body,
        content_type=request.header("content-type") or "",
    )
    claimed = claim_key(request.platform, project_id=request.project_id, key=parse_key(key), fingerprint=fingerprint)
    if isinstance(claimed, Answer):
        return _replay(claimed)
    keyed = request.keyed = KeyedWork(request.platform, claimed, request.make_response)
    try:
        response = request.make_response(work())
    except Exception as error:
        return keyed.give_up(error)
    keyed.close(response)
    return response


def _as_answer(response: Response) -> Answer:
    headers = {name: str(value) for name, value in response.headers.items()}
    return Answer(status=response.status_code, headers=headers, body=response.body)


def _replay(answer: Answer) -> Response:
    return Response(answer.body, {**answer.headers, REPLAYED: "true"}, answer.status)
