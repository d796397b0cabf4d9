"""Callbacks to addresses that teams name."""

from __future__ import annotations

from chalicelib.domain.callbacks import CallbackAnswer, CallbackRequest, NoAnswer
from chalicelib.outbound.guarded import CallRefused, GuardedClient, Unreachable


class GuardedCallbackSender:
    """Implements `SendCallback`: https alone, to public addresses alone. One of these serves all threads."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client

    def __call__(self, request: CallbackRequest) -> CallbackAnswer:
        """See `SendCallback`."""
        try:
            answer = self._client.post(request.url, headers=request.headers, content=request.content)
        except CallRefused as error:
            raise NoAnswer(f"not called: {error.reason}") from error
        except Unreachable as error:
            raise NoAnswer(f"no answer: {error.reason}") from error
        return CallbackAnswer(status=answer.status, headers=answer.headers)

    def close(self) -> None:
        """Closes all connections."""
        self._client.close()
