"""Pushes to WalletPasses (wallets, section 3.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.push_channels import PushBatch, PushResult
from chalicelib.wallets.batch_push import BatchCall, BatchPoster, FindServices


class WalletPassesChannel:
    """One request a batch. The key is optional: without it WalletPasses limits the rate."""

    def __init__(self, poster: BatchPoster, *, find_services: FindServices) -> None:
        self._poster = poster
        self._find_services = find_services

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """As `PushChannel`.

        Raises:
            Busy: the project's services cannot be read.
        """
        service = self._find_services(batch.project_id).wallet_passes

        def make_call(tokens: Sequence[str]) -> BatchCall:
            return BatchCall(
                service="WalletPasses",
                url=f"{service.base_url}/api/v1/push",
                # an array also for one token: a bare string is answered with 200 and does nothing
                body={"passTypeIdentifier": batch.pass_type, "pushTokens": list(tokens)},
                tokens=tokens,
                headers={"Authorization": service.api_key} if service.api_key else {},
            )

        yield from self._poster.push(batch.tokens, make_call)
