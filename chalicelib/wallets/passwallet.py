"""Pushes to PassWallet, at the service that a device named when it registered (wallets, section 3.4)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from chalicelib.domain.push_channels import Outcome, PushBatch, PushChannel, PushResult
from chalicelib.domain.push_services import Nobody, resolve_push_service
from chalicelib.domain.registrations import Wallet
from chalicelib.wallets.batch_push import BatchCall, BatchPoster, FindServices, Verdict

_log = logging.getLogger("passel")

_LONGEST_HOST = 253


class PassWalletChannel:
    """One request a batch, if the operator lists the host that the device named and the base is at a public address.

    Devices of WalletPasses that registered the PassWallet way are handed to its channel. `poster` must be on a client
    that refuses what is not public, but for the networks that the operator allows.
    """

    def __init__(self, poster: BatchPoster, *, find_services: FindServices, wallet_passes: PushChannel) -> None:
        self._poster = poster
        self._find_services = find_services
        self._wallet_passes = wallet_passes

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """As `PushChannel`. Whom nobody may be called for is REFUSED, and logged with the host and why.

        Raises:
            Busy: the project's services cannot be read.
        """
        services = self._find_services(batch.project_id)
        found = resolve_push_service(batch.push_service_url, allowed=services.passwallet_allow)
        if isinstance(found, Nobody):
            _log.warning(
                "PassWallet: %d tokens not pushed, as the push service %r of the devices is refused: %s",
                len(batch.tokens),
                found.host[:_LONGEST_HOST],
                found.reason,
            )
            yield from Verdict(outcome=Outcome.REFUSED, reason=found.reason).apply(batch.tokens)
        elif found.base_url is None:
            yield from self._wallet_passes.push(replace(batch, wallet=Wallet.WALLET_PASSES, push_service_url=None))
        else:
            make_call = partial(_make_call, batch, base_url=found.base_url, type_key=services.passwallet_type_key)
            yield from self._poster.push(batch.tokens, make_call)


def _make_call(batch: PushBatch, tokens: Sequence[str], *, base_url: str, type_key: str) -> BatchCall:
    is_single = len(tokens) == 1
    name = "pushUpdate" if is_single else "pushUpdates"
    named = {"pushToken": tokens[0]} if is_single else {"pushTokens": list(tokens)}
    return BatchCall(
        service="PassWallet",
        url=f"{base_url}/v1/{name}",
        body={type_key: batch.pass_type, **named},
        tokens=tokens,
        headers={},
        wrong_address=Outcome.REFUSED,
    )
