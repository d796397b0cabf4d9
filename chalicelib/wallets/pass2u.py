"""Pushes to Pass2U (wallets, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.wallets.batch_push import NO_KEY, BatchCall, BatchPoster, FindServices, Verdict

MOST_TOKENS = 1_000
"""of one request"""


class Pass2UChannel:
    """As many requests as the vendor's limit of tokens makes of a batch; none without a key."""

    def __init__(self, poster: BatchPoster, *, find_services: FindServices) -> None:
        self._poster = poster
        self._find_services = find_services

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """As `PushChannel`.

        Raises:
            Busy: the project's services cannot be read.
        """
        service = self._find_services(batch.project_id).pass2u
        if not service.api_key:
            yield from Verdict(outcome=Outcome.MISCONFIGURED, reason=NO_KEY).apply(batch.tokens)
            return
        headers = {"x-api-key": service.api_key, "Accept": "application/json"}

        def make_call(tokens: Sequence[str]) -> BatchCall:
            return BatchCall(
                service="Pass2U",
                url=f"{service.base_url}/v2/registrations/{quote(batch.pass_type, safe='')}/push",
                body={"registrationIds": list(tokens)},
                tokens=tokens,
                headers=headers,
            )

        yield from self._poster.push(batch.tokens, make_call, most_tokens=MOST_TOKENS)
