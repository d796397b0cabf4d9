"""What each kind of damage means, and what mends it: the text of `check --kinds`, which the docs repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from chalicelib.domain.checking import Kind


class Explanation(NamedTuple):
    """`mend` is what `--repair` does, or why it does nothing."""

    means: str
    mend: str


KINDS: Final[Mapping[Kind, Explanation]] = {
    Kind.UNREADABLE: Explanation(
        "a row lacks something or holds what nobody understands; what depends on it is not judged",
        "left: put the row back from a backup, correct it by hand, or delete it",
    ),
    Kind.PROJECT_MISSING: Explanation(
        "keys or passes are of a project that does not exist, and the keys open it",
        "left: put the project's row back from a backup; if there shall be none, revoke its keys",
    ),
    Kind.PASS_KEYS: Explanation(
        "an index key of a pass does not follow from the pass: it is missing in a list, or in the wrong one",
        "the keys are set",
    ),
    Kind.PASS_TEMPLATE: Explanation(
        "a pass names a template that does not exist",
        "left: put the template back from a backup, or delete the pass",
    ),
    Kind.PASS_DELETED_TEMPLATE: Explanation(
        "a pass of a deleted template, which nobody is going to remove",
        "the template's passes are noted for the sweep, which deletes them",
    ),
    Kind.STATUS: Explanation(
        "a pass is said to be installed and no device holds it, or the other way round",
        "the status is set from the registrations; counters and tags that differ are mended by themselves",
    ),
    Kind.REGISTRATION_COUNT: Explanation(
        "the number of devices that a pass says hold it is not the number of its registrations",
        "the number is set",
    ),
    Kind.REDEEM_COUNT: Explanation(
        "the number of redeems that a pass says it had is not the number of its redeems",
        "the number is set",
    ),
    Kind.MEMBERSHIP_MISSING: Explanation(
        "a pass has a tag, and the tag's list lacks the pass",
        "the row is put there",
    ),
    Kind.MEMBERSHIP_STRAY: Explanation(
        "a tag's list has a pass that does not have the tag, or that is gone",
        "the row is removed",
    ),
    Kind.MEMBERSHIP_STATUS: Explanation(
        "a tag's list says another status than the pass",
        "the status is set",
    ),
    Kind.MEMBERSHIP_KEYS: Explanation(
        "a pass in a tag's list is listed under the wrong key",
        "the key is set",
    ),
    Kind.MEMBERSHIP_DEAD: Explanation(
        "a row of a tag that was emptied or deleted, which no sweep is going to remove",
        "the row is removed; if its tag has no row at all, only by a check without --quick",
    ),
    Kind.REGISTRATION_KEYS: Explanation(
        "an index key of a registration does not follow from it: it is missing in a list, or is not pushed to",
        "the keys are set",
    ),
    Kind.REGISTRATION_STRAY: Explanation(
        "a registration of a pass that is gone",
        "the row is removed",
    ),
    Kind.REDEEM_KEYS: Explanation(
        "an index key of a redeem does not follow from it: it is missing in a list",
        "the keys are set",
    ),
    Kind.EXTERNAL_ID: Explanation(
        "an external id, unique name or own redeem code leads nowhere or to another, or names what does not bear it",
        "the row is put, led back or removed; left if two bear the same name",
    ),
    Kind.TAG_ROWS: Explanation(
        "the row of a tag by name and that by id do not agree, or one is missing",
        "the missing row is made from the other; otherwise the row by id is right; left if two tags claim a name",
    ),
    Kind.TEMPLATE_LOOK: Explanation(
        "a campaign names a Passworks template that does not exist",
        "left: choose another one for the campaign",
    ),
    Kind.COUNTER: Explanation(
        "a segment's counter does not say how many members the segment has",
        "the difference is added to it",
    ),
    Kind.COUNTER_NEGATIVE: Explanation(
        "a segment's counter says less than zero",
        "the difference is added to it",
    ),
    Kind.COUNTER_DEAD: Explanation(
        "a tag that was emptied or deleted left counters, which no sweep is going to remove",
        "the collection is noted for the sweep",
    ),
    Kind.REPORT_REDEEMS: Explanation(
        "a day of a campaign's report does not say how many redeems there were",
        "the difference is added to it",
    ),
    Kind.REPORT_INSTALLS: Explanation(
        "installs minus uninstalls of a campaign's report, since the beginning, is not what is installed",
        "the difference is counted today, since nobody knows any more on which day it was",
    ),
    Kind.BLOCK: Explanation(
        "a block of 1,000 pass ids belongs to two projects, to one twice, or to none, so that lists mix",
        "left: docs/operations.md says what to do",
    ),
    Kind.SEQUENCE_BEHIND: Explanation(
        "a sequence is about to give out numbers that are in use",
        "the sequence is moved on",
    ),
    Kind.TICKET_OPEN: Explanation(
        "an unfinished bulk update is not listed as open, where `resume` looks for it, or a finished one is",
        "the key is set or removed",
    ),
    Kind.TICKET_PROGRESS: Explanation(
        "the progress of an open bulk update is not that of its segments, so it may never complete",
        "the numbers are set from the segments' marks; if all are done, `resume` completes the ticket",
    ),
    Kind.TICKET_STUCK: Explanation(
        "a bulk update has been open for over an hour and does not move",
        "left: `resume` sends lost plans again, `redrive` what is left of one",
    ),
    Kind.OUTBOX_STUCK: Explanation(
        "a push or callback has been waiting to be sent for over an hour",
        "left: `resume` sends it again",
    ),
}
