"""Pushes to Passworks Wallet (wallets, section 3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.wallets.batch_push import NO_KEY, BatchCall, BatchPoster, FindServices, Verdict


class PassworksWalletChannel:
    """One request a batch; none without a key."""

    def __init__(self, poster: BatchPoster, *, find_services: FindServices) -> None:
        self._poster = poster
        self._find_services = find_services

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """As `PushChannel`.

        Raises:
            Busy: the project's services cannot be read.
        """
        service = self._find_services(batch.project_id).passworks_wallet
        if not service.api_key:
            yield from Verdict(outcome=Outcome.MISCONFIGURED, reason=NO_KEY).apply(batch.tokens)
            return
        headers = {"Authorization": service.api_key}

        def make_call(tokens: Sequence[str]) -> BatchCall:
            return BatchCall(
                service="Passworks Wallet",
                url=f"{service.base_url}/v1/pushUpdate",
                body={"passTypeIdentifier": batch.pass_type, "pushTokens": list(tokens)},
                tokens=tokens,
                headers=headers,
            )

        yield from self._poster.push(batch.tokens, make_call)
