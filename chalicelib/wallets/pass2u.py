"""Pushes to Pass2U (wallets, section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
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
        """As `PushChannel`. Once the service is busy or refuses the key, the tokens left fare as those before them.

        Raises:
            Busy: the project's services cannot be read.
        """
        service = self._find_services(batch.project_id).pass2u
        if not service.api_key:
            yield from Verdict(outcome=Outcome.MISCONFIGURED, reason=NO_KEY).apply(batch.tokens)
            return
        headers = {"x-api-key": service.api_key, "Accept": "application/json"}
        verdict: Verdict | None = None
        for start in range(0, len(batch.tokens), MOST_TOKENS):
            tokens = batch.tokens[start : start + MOST_TOKENS]
            if verdict is None or not verdict.is_about_the_service:
                call = BatchCall(
                    service="Pass2U",
                    url=f"{service.base_url}/v2/registrations/{quote(batch.pass_type, safe='')}/push",
                    body={"registrationIds": list(tokens)},
                    tokens=tokens,
                    headers=headers,
                )
                verdict = self._poster.post(call)
            yield from verdict.apply(tokens)
