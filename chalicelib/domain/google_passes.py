"""Passes at Google: the link that saves one, and bringing what Google shows up to date (wallets, section 4.4)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import Busy
from chalicelib.domain.google_desk import GoogleDesk
from chalicelib.domain.google_ports import (
    PATIENCE_SECONDS,
    GoogleAnswer,
    GoogleObjectStore,
    GoogleParts,
    Pace,
    ReadPasses,
    ReadTemplate,
    SentClass,
    SentObject,
    class_id,
    object_id,
)
from chalicelib.domain.google_shared import apply_shared
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.passes import Pass
from chalicelib.domain.push_channels import Outcome, PushBatch, PushResult
from chalicelib.domain.retrying import retry_conflicts
from chalicelib.domain.templates import Template
from chalicelib.domain.wallet_services import GoogleAccount

LINK_PATIENCE_SECONDS = 2.0
"""the longest that somebody who opens a page waits for a turn at Google"""

BUDGET_SECONDS = 25.0
"""how long one delivery goes on beginning requests"""

_FAILURES_IN_A_ROW = 3
"""after which the rest of a delivery is not tried: Google is down, or the account is set up wrongly"""

_log = logging.getLogger("passel")


def make_save_link(google: GoogleParts, pass_: Pass, *, template: Template, read_passes: ReadPasses) -> str | None:
    """The link that saves a pass, with its object at Google as it is now (wallets, section 4.4).

    None if the project has no service account, or if the object cannot be brought there; that is logged. If nothing has
    changed since the last time, it costs one read of storage and no request.

    Raises:
        Busy: storage cannot be reached.
    """
    account = google.find_account(pass_.project_id)
    if account is None or account.service_account is None:
        return None
    desk = GoogleDesk(google, account, read_passes, Pace(ahead=2, patience_seconds=LINK_PATIENCE_SECONDS))
    classes, objects = google.store.read(template_ids=[template.template_id], pass_ids=[pass_.pass_id])
    sent_class, answer = desk.ensure_class(template, [pass_], classes.get(template.template_id))
    if sent_class is not None:
        answer = desk.bring_object(pass_, template, sent_class, objects.get(pass_.pass_id))
    if sent_class is None or not answer.is_sent:
        _log.warning("no save link for pass %s: %s, %s", pass_.pass_id, answer.outcome, answer.reason)
        return None
    return google.client.make_save_link(
        account,
        google_type=sent_class.google_type,
        object_id=object_id(account, pass_),
        class_id=class_id(account, template),
        now=google.now(),
    )


def record_shared_update(store: GoogleObjectStore, *, template_id: int, update: ContentUpdate, ticket_id: int) -> None:
    """Notes an update of every pass of a template, so that one request for the class shows it in all of them.

    To be called before any of its passes is delivered. Nothing happens if Google was never told of the template, or if
    this was noted before. One read, and one write if there is something to note.

    Raises:
        Busy: try again.
    """

    def attempt() -> None:
        classes, _ = store.read(template_ids=[template_id])
        sent = classes.get(template_id)
        if sent is None:
            return
        shared = apply_shared(sent.shared, update, ticket_id=ticket_id)
        if shared.encode() != sent.shared.encode():
            store.save_class(replace(sent, shared=shared))

    retry_conflicts(attempt, budget_seconds=10)


def deliver_passes(
    google: GoogleParts,
    *,
    project_id: int,
    pass_ids: Sequence[int],
    read_passes: ReadPasses,
    read_template: ReadTemplate,
    registered: Mapping[int, str] | None = None,
    budget_seconds: float = BUDGET_SECONDS,
) -> Iterator[PushResult]:
    """Brings passes at Google up to date: a class once, then each object that differs from what Google has.

    A pass that Google was never told of is left out, unless it is `registered`, by the id of its object. The token of a
    result is the object's id. A pass that is gone becomes inactive. At most one request a class and one an object, but
    for repeats that Google asks for. SENT is also the outcome where nothing had to be sent. What cannot be begun within
    `budget_seconds` is to be tried again.

    Raises:
        Busy: storage cannot be reached; try all of it again.
    """
    account = google.find_account(project_id)
    if account is None or account.service_account is None:
        for token in (registered or {}).values():
            yield PushResult(token=token, outcome=Outcome.REFUSED, reason="no_service_account")
        return
    desk = GoogleDesk(google, account, read_passes)
    deadline = google.now() + timedelta(seconds=budget_seconds)
    yield from _Delivery(google, account, desk, read_template, registered or {}, deadline).run(pass_ids)


@dataclass(frozen=True, slots=True)
class GooglePassChannel:
    """Implements `PushChannel` for Google's wallet: the tokens are ids of objects, and the content itself is sent."""

    google: GoogleParts
    read_passes: ReadPasses
    read_template: ReadTemplate
    budget_seconds: float = BUDGET_SECONDS

    def push(self, batch: PushBatch) -> Iterator[PushResult]:
        """See `PushChannel`. A token that names no pass of ours is GONE."""
        registered: dict[int, str] = {}
        for token in batch.tokens:
            pass_id = number_in(token.rpartition(".")[2])
            if pass_id is None or pass_id in registered:
                yield PushResult(token=token, outcome=Outcome.GONE, reason="no_such_pass")
            else:
                registered[pass_id] = token
        waiting = set(registered.values())
        try:
            for result in deliver_passes(
                self.google,
                project_id=batch.project_id,
                pass_ids=list(registered),
                read_passes=self.read_passes,
                read_template=self.read_template,
                registered=registered,
                budget_seconds=self.budget_seconds,
            ):
                waiting.discard(result.token)
                yield result
        except Busy as busy:
            for token in sorted(waiting):
                yield PushResult(
                    token=token, outcome=Outcome.RETRY, reason="storage", retry_after_seconds=busy.retry_after_seconds
                )


@dataclass(slots=True)
class _Delivery:
    """One delivery of some passes of a project, in the order of their templates."""

    google: GoogleParts
    account: GoogleAccount
    desk: GoogleDesk
    read_template: ReadTemplate
    registered: Mapping[int, str]
    deadline: datetime
    failures_in_a_row: int = 0
    stopped: GoogleAnswer | None = None
    """what the rest is answered with, once it is of no use to go on"""

    def run(self, pass_ids: Sequence[int]) -> Iterator[PushResult]:
        _, objects = self.google.store.read(pass_ids=pass_ids)
        wanted = [pass_id for pass_id in pass_ids if pass_id in objects or pass_id in self.registered]
        passes = self.desk.read_passes(wanted) if wanted else {}
        groups: dict[int, list[Pass]] = {}
        for pass_ in passes.values():
            groups.setdefault(pass_.template_id, []).append(pass_)
        gone = [pass_id for pass_id in wanted if pass_id not in passes]
        left = len(wanted)
        classes, _ = self.google.store.read(template_ids=groups.keys()) if groups else ({}, {})
        for template_id, group in groups.items():
            template = self.read_template(group[0].project_id, template_id)
            if template is None:
                gone += [pass_.pass_id for pass_ in group]
                continue
            self._prepare(left)
            sent_class, answer = self._ensure_class(template, group, classes.get(template_id))
            for pass_ in group:
                if sent_class is not None:
                    self._prepare(left)
                    answer = self._bring_object(pass_, template, sent_class, objects.get(pass_.pass_id))
                left -= 1
                yield _as_result(self._token(pass_, objects.get(pass_.pass_id)), answer)
        for pass_id in gone:
            self._prepare(left)
            left -= 1
            yield self._retire(pass_id, objects.get(pass_id))

    def _prepare(self, ahead: int) -> None:
        """For the next of so many requests."""
        left_seconds = (self.deadline - self.google.now()).total_seconds()
        self.desk.pace = Pace(ahead=ahead, patience_seconds=min(PATIENCE_SECONDS, max(left_seconds, 0)))
        if left_seconds <= 0 and self.stopped is None:
            self.stopped = GoogleAnswer(outcome=Outcome.RETRY, reason="time_is_up", retry_after_seconds=1)

    def _token(self, pass_: Pass, sent: SentObject | None) -> str:
        return self.registered.get(pass_.pass_id) or object_id(self.account, pass_)

    def _ensure_class(
        self, template: Template, passes: Sequence[Pass], sent: SentClass | None
    ) -> tuple[SentClass | None, GoogleAnswer]:
        if self.stopped is not None:
            return None, self.stopped
        sent_class, answer = self.desk.ensure_class(template, passes, sent)
        self._judge(answer)
        return sent_class, answer

    def _bring_object(
        self, pass_: Pass, template: Template, sent_class: SentClass, sent: SentObject | None
    ) -> GoogleAnswer:
        if self.stopped is not None:
            return self.stopped
        answer = self.desk.bring_object(pass_, template, sent_class, sent)
        self._judge(answer)
        return answer

    def _retire(self, pass_id: int, sent: SentObject | None) -> PushResult:
        token = self.registered.get(pass_id) or (sent.object_id if sent else "")
        if sent is None:
            return PushResult(token=token, outcome=Outcome.SENT, reason="gone")
        answer = self.stopped
        if answer is None:
            answer = self.desk.retire_object(sent)
            self._judge(answer)
        return _as_result(token, answer)

    def _judge(self, answer: GoogleAnswer) -> None:
        """Decides whether to go on: not if everybody is asked to wait, nor if nothing works."""
        if answer.outcome in (Outcome.SENT, Outcome.REFUSED):
            self.failures_in_a_row = 0
            return
        self.failures_in_a_row += 1
        if answer.is_throttled or self.failures_in_a_row >= _FAILURES_IN_A_ROW:
            self.stopped = answer


def _as_result(token: str, answer: GoogleAnswer) -> PushResult:
    return PushResult(
        token=token,
        outcome=answer.outcome,
        reason=answer.reason,
        retry_after_seconds=answer.retry_after_seconds,
    )
