"""Single classes and objects at Google, made to show what they should (wallets, section 4.4).

What Google has is remembered by a digest of each body, so that only what differs is sent. A row is marked before a
request and completed after it, each on condition that nobody wrote it meanwhile; whoever finds that somebody did reads
the pass again and sends it again. So the last request that counts carries the last content.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from chalicelib.domain.errors import Conflict
from chalicelib.domain.google_ports import (
    Announcement,
    GoogleAnswer,
    GoogleParts,
    GoogleType,
    Pace,
    ReadPasses,
    Rendered,
    SentClass,
    SentObject,
    class_id,
    object_id,
)
from chalicelib.domain.google_shared import add_missing_fields, begin_shared
from chalicelib.domain.passes import Pass
from chalicelib.domain.push_channels import Outcome
from chalicelib.domain.templates import Template
from chalicelib.domain.wallet_services import GoogleAccount

NOTIFICATIONS_PER_DAY = 3
"""that Google allows for one pass (wallets, section 4.4)"""

_DAY = timedelta(days=1)
_TRIES = 5


class _Overtaken(Conflict):
    """Somebody else wrote the row while our request was on its way: nobody knows whose came last."""


_SENT = GoogleAnswer(outcome=Outcome.SENT)
_MET = GoogleAnswer(outcome=Outcome.RETRY, reason="conflict", retry_after_seconds=1)


@dataclass(slots=True)
class GoogleDesk:
    """Writes single classes and objects of one account."""

    google: GoogleParts
    account: GoogleAccount
    read_passes: ReadPasses
    pace: Pace = field(default_factory=Pace)

    def ensure_class(
        self, template: Template, passes: Collection[Pass], sent: SentClass | None
    ) -> tuple[SentClass | None, GoogleAnswer]:
        """The class as Google now has it, with a place for everything that the passes show; None if that failed.

        No request where Google has it. `sent` is what is stored.
        """
        for _ in range(_TRIES):
            current = self._with_places(template, passes, sent)
            rendered = self.google.renderer.render_class(
                template, account=self.account, google_type=current.google_type, shared=current.shared
            )
            if current.digest == rendered.digest:
                return current, _SENT
            try:
                return self._send_class(template, current, rendered)
            except Conflict as conflict:
                classes, _ = self.google.store.read(template_ids=[template.template_id])
                sent = classes.get(template.template_id)
                if sent is not None and isinstance(conflict, _Overtaken):
                    sent = replace(sent, digest="")
        return None, _MET

    def _with_places(self, template: Template, passes: Iterable[Pass], sent: SentClass | None) -> SentClass:
        renderer = self.google.renderer
        current = sent or SentClass(
            template_id=template.template_id,
            google_type=renderer.choose_type(template),
            shared=begin_shared(template.content),
        )
        shared = add_missing_fields(current.shared, passes, is_placed=renderer.is_placed)
        return current if shared is current.shared else replace(current, shared=shared, digest="")

    def _send_class(
        self, template: Template, sent: SentClass, rendered: Rendered
    ) -> tuple[SentClass | None, GoogleAnswer]:
        """Raises Conflict: somebody else wrote the class meanwhile."""
        changed = [] if sent.revision == 0 else _changed(sent.announced, rendered)
        recent = self._recent(sent.notified_at)
        notifies = bool(changed) and len(recent) < NOTIFICATIONS_PER_DAY
        resource = sent.google_type.class_resource
        marked = self.google.store.save_class(
            replace(sent, digest="", notified_at=self._noted(recent) if notifies else recent)
        )
        # a generic class has no notifying patch, but takes a message
        by_message = notifies and sent.google_type is GoogleType.GENERIC
        answer = self.google.client.write(
            self.account,
            resource,
            rendered.body,
            is_new=sent.revision == 0,
            notifies=notifies and not by_message,
            pace=self.pace,
        )
        if not answer.is_sent:
            self._complete_class(replace(marked, notified_at=recent))
            return None, answer
        completed = self._complete_class(replace(marked, digest=rendered.digest, announced=rendered.announced))
        if by_message:
            # after the row: a message that fails is not sent again, it would come twice
            self.google.client.add_message(
                self.account, resource, class_id(self.account, template), changed[0], pace=self.pace
            )
        return completed, answer

    def bring_object(
        self, pass_: Pass, template: Template, sent_class: SentClass, sent: SentObject | None
    ) -> GoogleAnswer:
        """Makes Google's object show the pass; no request if it does. `sent` is what is stored."""
        for _ in range(_TRIES):
            rendered = self.google.renderer.render_object(
                pass_,
                template=template,
                account=self.account,
                google_type=sent_class.google_type,
                shared=sent_class.shared,
                now=self.google.now(),
            )
            try:
                return self._send_object(pass_, sent_class, rendered, sent)
            except Conflict as conflict:
                _, objects = self.google.store.read(pass_ids=[pass_.pass_id])
                sent = objects.get(pass_.pass_id)
                if sent is not None and isinstance(conflict, _Overtaken):
                    sent = replace(sent, digest="")
                pass_ = self.read_passes([pass_.pass_id]).get(pass_.pass_id, pass_)
        return _MET

    def _send_object(
        self, pass_: Pass, sent_class: SentClass, rendered: Rendered, sent: SentObject | None
    ) -> GoogleAnswer:
        """Raises Conflict: somebody else wrote the object meanwhile, or knew a later pass."""
        if sent is not None and sent.pass_revision > pass_.revision:
            raise Conflict("Google was told of a later revision of the pass")
        stored = sent or SentObject(
            pass_id=pass_.pass_id,
            object_id=object_id(self.account, pass_),
            google_type=sent_class.google_type,
        )
        if stored.digest == rendered.digest:
            if stored.announced != rendered.announced:
                # the class showed it already, and told of it
                self.google.store.save_object(replace(stored, announced=rendered.announced))
            return _SENT
        recent = self._recent(stored.notified_at)
        used = len(recent) + len(self._recent(sent_class.notified_at))
        is_news = stored.revision > 0 and bool(_changed(stored.announced, rendered))
        notifies = is_news and used < NOTIFICATIONS_PER_DAY
        marked = self.google.store.save_object(
            replace(
                stored,
                object_id=object_id(self.account, pass_),
                digest="",
                pass_revision=pass_.revision,
                notified_at=self._noted(recent) if notifies else recent,
            )
        )
        answer = self.google.client.write(
            self.account,
            sent_class.google_type.object_resource,
            rendered.body,
            is_new=stored.revision == 0,
            notifies=notifies,
            pace=self.pace,
        )
        if answer.is_sent:
            self._complete_object(replace(marked, digest=rendered.digest, announced=rendered.announced))
        else:
            self._complete_object(replace(marked, notified_at=recent))
        return answer

    def _complete_class(self, sent: SentClass) -> SentClass:
        """Raises _Overtaken."""
        try:
            return self.google.store.save_class(sent)
        except Conflict as conflict:
            raise _Overtaken from conflict

    def _complete_object(self, sent: SentObject) -> SentObject:
        """Raises _Overtaken; also after a request that failed, since it may have arrived all the same."""
        try:
            return self.google.store.save_object(sent)
        except Conflict as conflict:
            raise _Overtaken from conflict

    def retire_object(self, sent: SentObject) -> GoogleAnswer:
        """Makes the object of a pass that is gone inactive: Google keeps objects for good (wallets, section 4.4)."""
        rendered = Rendered(body={"id": sent.object_id, "state": "INACTIVE"})
        if sent.digest == rendered.digest:
            return _SENT
        resource = sent.google_type.object_resource
        answer = self.google.client.patch(self.account, resource, rendered.body, pace=self.pace)
        if answer.outcome is Outcome.GONE:
            answer = _SENT
        if answer.is_sent:
            with suppress(Conflict):
                self.google.store.save_object(replace(sent, digest=rendered.digest))
        return answer

    def _recent(self, moments: Iterable[datetime]) -> tuple[datetime, ...]:
        since = self.google.now() - _DAY
        return tuple(moment for moment in moments if moment > since)

    def _noted(self, recent: tuple[datetime, ...]) -> tuple[datetime, ...]:
        return (*recent, self.google.now())


def _changed(before: Mapping[str, str], rendered: Rendered) -> list[Announcement]:
    """What is to be announced: fields with a change message that show something else than before."""
    return [one for one in rendered.announcements if before.get(one.name) != one.digest]
