"""Google's REST interface for classes and objects (wallets, section 4.4)."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from chalicelib.domain.errors import Busy
from chalicelib.domain.google_pacing import Pacer, TurnIsFar
from chalicelib.domain.google_ports import Announcement, Body, GoogleAnswer, GoogleType, Pace
from chalicelib.domain.http_dates import read_retry_after
from chalicelib.domain.push_channels import Outcome
from chalicelib.domain.wallet_services import GoogleAccount
from chalicelib.wallets.google.service_accounts import ServiceAccounts, TokenServerFailed, UnusableAccount

NOTIFY = {"notifyPreference": "NOTIFY_ON_UPDATE"}
"""in the body of a patch that tells holders; Google forgets it after the request"""

QUOTA_REASON = "quotaExceeded"
RATE_REASONS = ("rateLimitExceeded", "userRateLimitExceeded", QUOTA_REASON)

HOLD_OFF_SECONDS = 2.0
"""when Google asks for a pause and does not say how long"""
_LONGEST_HOLD_OFF_SECONDS = 300.0

_TURNS = 3
"""insert, patch, insert: whoever still meets another writer then tries again later"""

_log = logging.getLogger("passel")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of Google's, as far as anything depends on it."""

    status: int
    reason: str = ""
    """Google's word for an error"""
    retry_after_seconds: float | None = None
    document: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_throttled(self) -> bool:
        """Whether the account has asked too much."""
        return self.status == httpx.codes.TOO_MANY_REQUESTS or (
            self.status == httpx.codes.FORBIDDEN and self.reason in RATE_REASONS
        )


class _Failed(Exception):
    """There is no reply; `answer` says why."""

    def __init__(self, answer: GoogleAnswer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


class GoogleRestClient:
    """Implements `GoogleWalletClient` over connections that are kept open. One of these serves all threads.

    `ca_file` holds authorities to trust in place of the usual ones.
    """

    def __init__(self, pacer: Pacer, *, timeout_seconds: float = 10, ca_file: Path | None = None) -> None:
        self._pacer = pacer
        self._http = httpx.Client(
            timeout=timeout_seconds,
            trust_env=False,
            follow_redirects=False,
            verify=True if ca_file is None else ssl.create_default_context(cafile=str(ca_file)),
        )
        self._accounts = ServiceAccounts(self._http)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def get(self, account: GoogleAccount, resource: str, resource_id: str, *, pace: Pace) -> Mapping[str, Any] | None:
        """What Google has under an id; None if nothing, or if it cannot be asked. For operators."""
        try:
            reply = self._ask(account, "GET", _path(resource, resource_id), None, pace)
        except _Failed:
            return None
        return reply.document if reply.status == httpx.codes.OK else None

    def write(
        self, account: GoogleAccount, resource: str, body: Body, *, is_new: bool, notifies: bool, pace: Pace
    ) -> GoogleAnswer:
        """See `GoogleWalletClient`."""
        try:
            for _ in range(_TURNS):
                if is_new:
                    reply = self._ask(account, "POST", f"/{resource}", body, pace)
                else:
                    reply = self._patch(account, resource, body, notifies=notifies, pace=pace)
                if reply.status != (httpx.codes.CONFLICT if is_new else httpx.codes.NOT_FOUND):
                    break
                is_new = not is_new
        except _Failed as failure:
            return failure.answer
        return self._judge(account, resource, reply)

    def patch(self, account: GoogleAccount, resource: str, body: Body, *, pace: Pace) -> GoogleAnswer:
        """See `GoogleWalletClient`."""
        try:
            reply = self._patch(account, resource, body, notifies=False, pace=pace)
        except _Failed as failure:
            return failure.answer
        if reply.status == httpx.codes.NOT_FOUND:
            return GoogleAnswer(outcome=Outcome.GONE, reason=reply.reason)
        return self._judge(account, resource, reply)

    def add_message(
        self, account: GoogleAccount, resource: str, resource_id: str, announcement: Announcement, *, pace: Pace
    ) -> GoogleAnswer:
        """See `GoogleWalletClient`."""
        path = f"{_path(resource, resource_id)}/addMessage"
        message = {"header": announcement.header, "body": announcement.body}
        try:
            reply = self._ask(account, "POST", path, {"message": message | {"messageType": "TEXT_AND_NOTIFY"}}, pace)
            if _is_over_quota(reply):
                reply = self._ask(account, "POST", path, {"message": message | {"messageType": "TEXT"}}, pace)
        except _Failed as failure:
            return failure.answer
        return self._judge(account, resource, reply)

    def make_save_link(
        self, account: GoogleAccount, *, google_type: GoogleType, object_id: str, class_id: str, now: datetime
    ) -> str | None:
        """See `GoogleWalletClient`."""
        claims = {
            "iss": account.email,
            "aud": "google",
            "typ": "savetowallet",
            "iat": int(now.timestamp()),
            "origins": list(account.origins),
            "payload": {f"{google_type.object_resource}s": [{"id": object_id, "classId": class_id}]},
        }
        try:
            return account.save_base_url.rstrip("/") + "/" + self._accounts.sign(account, claims)
        except UnusableAccount as unusable:
            _log.error("Google: no save link, %s", unusable.reason)
            return None

    def _patch(self, account: GoogleAccount, resource: str, body: Body, *, notifies: bool, pace: Pace) -> Reply:
        path = _path(resource, body["id"])
        if notifies:
            reply = self._ask(account, "PATCH", path, {**body, **NOTIFY}, pace)
            if not _is_over_quota(reply):
                return reply
        return self._ask(account, "PATCH", path, body, pace)

    def _ask(self, account: GoogleAccount, method: str, path: str, body: Body | None, pace: Pace) -> Reply:
        """One request at its turn; a second one with a new token if the first token is refused."""
        token = self._get_token(account)
        reply = self._send(account, token, method, path, body, pace)
        if reply.status != httpx.codes.UNAUTHORIZED:
            return reply
        self._accounts.forget_token(account, token)
        return self._send(account, self._get_token(account), method, path, body, pace)

    def _get_token(self, account: GoogleAccount) -> str:
        try:
            return self._accounts.get_token(account)
        except UnusableAccount as unusable:
            _log.error("Google: the service account cannot be used, %s", unusable.reason)
            raise _Failed(GoogleAnswer(outcome=Outcome.MISCONFIGURED, reason=unusable.reason)) from unusable
        except TokenServerFailed as failure:
            raise _Failed(GoogleAnswer(outcome=Outcome.RETRY, reason="token_server")) from failure

    def _send(self, account: GoogleAccount, token: str, method: str, path: str, body: Body | None, pace: Pace) -> Reply:
        self._wait(account, pace)
        try:
            response = self._http.request(
                method,
                account.rest_base_url.rstrip("/") + path,
                json=body,
                headers={"Authorization": f"Bearer {token}"},
            )
        except httpx.HTTPError as error:
            raise _Failed(GoogleAnswer(outcome=Outcome.RETRY, reason="network")) from error
        return _read_reply(response)

    def _wait(self, account: GoogleAccount, pace: Pace) -> None:
        try:
            self._pacer.wait(account.email, pace)
        except TurnIsFar as far:
            answer = GoogleAnswer(
                outcome=Outcome.RETRY,
                reason="pace",
                retry_after_seconds=far.retry_after_seconds,
                is_throttled=True,
            )
            raise _Failed(answer) from far
        except Busy as busy:
            raise _Failed(GoogleAnswer(outcome=Outcome.RETRY, reason="storage")) from busy

    def _judge(self, account: GoogleAccount, resource: str, reply: Reply) -> GoogleAnswer:
        answer = judge(reply)
        if answer.is_throttled:
            with suppress(Busy):
                self._pacer.hold_off(account.email, seconds=answer.retry_after_seconds or HOLD_OFF_SECONDS)
        if answer.outcome in (Outcome.REFUSED, Outcome.MISCONFIGURED):
            _log.warning("Google refused a %s: %s %s", resource, reply.status, reply.reason)
        return answer


def judge(reply: Reply) -> GoogleAnswer:
    """What a reply means for whoever asked."""
    reason = reply.reason or f"http_{reply.status}"
    if 200 <= reply.status < 300:
        return GoogleAnswer(outcome=Outcome.SENT)
    if reply.is_throttled:
        return GoogleAnswer(
            outcome=Outcome.RETRY,
            reason=reason,
            retry_after_seconds=min(reply.retry_after_seconds or HOLD_OFF_SECONDS, _LONGEST_HOLD_OFF_SECONDS),
            is_throttled=True,
        )
    if reply.status >= 500 or reply.status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.CONFLICT):
        return GoogleAnswer(outcome=Outcome.RETRY, reason=reason, retry_after_seconds=reply.retry_after_seconds)
    if reply.status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return GoogleAnswer(outcome=Outcome.MISCONFIGURED, reason=reason)
    return GoogleAnswer(outcome=Outcome.REFUSED, reason=reason)


def _is_over_quota(reply: Reply) -> bool:
    return reply.status == httpx.codes.FORBIDDEN and reply.reason == QUOTA_REASON


def _path(resource: str, resource_id: str) -> str:
    return f"/{resource}/{quote(resource_id, safe='')}"


def _read_reply(response: httpx.Response) -> Reply:
    try:
        document = json.loads(response.content)
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        document = {}
    return Reply(
        response.status_code,
        "" if response.is_success else _read_reason(document.get("error")),
        read_retry_after(response.headers.get("retry-after"), now=datetime.now(UTC)),
        document,
    )


def _read_reason(error: Any) -> str:
    """Google's word for an error: of the first of its `errors`, else its `status`."""
    if not isinstance(error, dict):
        return ""
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    reason = first.get("reason") if isinstance(first, dict) else None
    return str(reason or error.get("status") or "")[:64]
