"""Consistent looks at whatever the check suspects, and the writes that mend it: implements `Looks`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.checking import (
    UNSETTLED,
    Damage,
    Kind,
    Place,
    Row,
    Sighting,
    Subject,
    check,
    look_place,
    name_place,
    outbox_place,
    pass_place,
    project_place,
    redeem_place,
    sequence_place,
    tag_place,
    template_place,
    ticket_place,
)
from chalicelib.domain.checking_facts import NameFact
from chalicelib.domain.checking_names import (
    TagFacts,
    describe_name,
    judge_name_row,
    judge_names,
    judge_tag,
    judge_template,
)
from chalicelib.domain.checking_numbers import (
    Marks,
    judge_block,
    judge_message,
    judge_project,
    judge_redeem,
    judge_sequence,
    judge_ticket,
)
from chalicelib.domain.counted_index import SEGMENT_SIZE, segment_of, tags_of_project
from chalicelib.domain.identifiers import number_in
from chalicelib.store import external_ids
from chalicelib.store.checking_blocks import lease_name, read_blocks
from chalicelib.store.checking_counters import CounterLooks
from chalicelib.store.checking_passes import PassLooks, Surroundings, name_places
from chalicelib.store.checking_rows import Unreadable, key_of, place_of
from chalicelib.store.checking_writes import commit
from chalicelib.store.connection import Database
from chalicelib.store.tags import key_by_id, key_by_name
from chalicelib.store.ticket_rows import OPEN

_DONE, _FAILED = "done:", "failed:"
"""how the marks of a ticket's segments begin"""


def template_name_places(row: Row) -> list[Place]:
    """The rows of the names that a template bears; none once it is deleted."""
    if row.get("deleted"):
        return []
    places = []
    if "external_id" in row:
        key = external_ids.template_key(row["project_id"], row["external_id"])
        places.append(name_place(key, external_ids.NO_PARENT))
    if options_of(row).has_unique_name:
        key = external_ids.campaign_name_key(row["project_id"], row["name"])
        places.append(name_place(key, external_ids.NO_PARENT))
    return places


def options_of(row: Row) -> CampaignOptions:
    """What only campaigns know of a template."""
    return CampaignOptions.decode(row.get("campaign"))


def look_name_places(row: Row) -> list[Place]:
    """The row of a look's name."""
    return [name_place(external_ids.look_name_key(row["project_id"], row["name"]), external_ids.NO_PARENT)]


_BEARERS: Mapping[str, tuple[Callable[[int, int], Place], Callable[[Row], list[Place]]]] = {
    "pass": (lambda _, target: pass_place(target), name_places),
    "code": (lambda _, target: pass_place(target), name_places),
    "template": (template_place, template_name_places),
    "campaign": (template_place, template_name_places),
    "look": (look_place, look_name_places),
}
"""sort of a name to where what it names is, and to the names which that bears"""


def describe_row(place: Place) -> str:
    """A row's place, with a digest for what may be personal, or opens something."""
    if place.table == "external-ids" and str(place.key[0][1]).count("#") >= 2:
        return describe_name(place)
    if place.table in ("external-ids", "registrations"):
        digest = hashlib.sha256(str(place.key[0][1]).encode()).hexdigest()[:12]
        return f"{place.table} ({digest}), {place.key[1][1]}"
    return str(place)


class DynamoLooks:
    """Implements `Looks`."""

    def __init__(self, database: Database, surroundings: Surroundings) -> None:
        self._database = database
        self._around = around = surroundings.for_looks()
        self._reader = around.reader
        passes, counters = PassLooks(around), CounterLooks(around)
        self._looks: dict[str, Callable[[Subject, Mapping[str, Any]], Sighting]] = {
            "row": self._look_at_row,
            "project": self._look_at_project,
            "pass": passes.look_at_pass,
            "registration": passes.look_at_registration,
            "counter": counters.look_at_counter,
            "redeems-report": counters.look_at_redeems_report,
            "installs-report": counters.look_at_installs_report,
            "dead": counters.look_at_dead_counters,
            "tag": self._look_at_tag,
            "name": self._look_at_name,
            "template": self._look_at_template,
            "look": self._look_at_look,
            "redeem": self._look_at_redeem,
            "block": self._look_at_block,
            "sequence": self._look_at_sequence,
            "ticket": self._look_at_ticket,
            "outbox": self._look_at_message,
        }

    def look(self, subject: Subject, before: Mapping[str, Any]) -> Sighting:
        """See `Looks`. A row that makes no sense stands for all that depends on it."""
        try:
            return self._looks[subject.kind](subject, before)
        except Unreadable as odd:
            return Sighting([self._describe(odd)])

    def _describe(self, odd: Unreadable) -> Damage:
        row, place = odd.row, place_of(odd.table, [value for _, value in key_of(odd.table, odd.row)])
        return Damage(
            kind=Kind.UNREADABLE, place=describe_row(place), detail=odd.fault, project_id=self._around.project_of(row)
        )

    def mend(self, damage: Damage) -> None:
        """See `Looks`."""
        commit(self._database, damage.mend)

    def _look_at_row(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A row of any table, which raises Unreadable if it makes no sense."""
        table, *key = subject.key
        self._reader.get(place_of(str(table), key))
        return Sighting()

    def _look_at_project(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A project that is named somewhere. Of its keys it is enough to know of one."""
        project_id = int(subject.key[0])
        exists = self._reader.get(project_place(project_id)) is not None
        keys = [] if exists else self._reader.filter("credentials", {"project_id": project_id})
        blocks = self._around.blocks.blocks_of(project_id)
        return Sighting(judge_project(project_id, exists=exists, keys=len(keys), blocks=len(blocks)))

    def _look_at_tag(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A tag by id, and by the name that it has or, if it has none, that the subject gives."""
        project_id, tag_id, given = int(subject.key[0]), int(subject.key[1]), str(subject.key[2])
        by_id = tag_place(key_by_id(project_id, tag_id))
        before = self._reader.get(by_id)
        name = given if before is None else str(before["name"])
        by_name, claimed = tag_place(key_by_name(project_id, name)), tag_place(key_by_name(project_id, given))
        named = self._reader.get(by_name)
        holder = tag_place(key_by_id(project_id, tag_id if named is None else named["tag_id"]))
        shot = self._reader.snapshot([by_id, by_name, claimed, holder])
        if shot[by_id] != before or shot[by_name] != named:
            return UNSETTLED
        claim = shot[claimed] if claimed != by_name else None
        facts = TagFacts(
            project_id=project_id,
            tag_id=tag_id,
            id_key=key_by_id(project_id, tag_id),
            name_key=key_by_name(project_id, name),
            by_id=before,
            by_name=named,
            claimed=claim if claim is not None and claim["tag_id"] == tag_id else None,
            holder=shot[holder] if holder != by_id else None,
            index_key=tags_of_project(project_id).segment_key(segment_of(tag_id)),
        )
        return Sighting(judge_tag(facts))

    def _look_at_name(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """The row of a name and what it names."""
        place = name_place(str(subject.key[0]), int(subject.key[1]))
        before = self._reader.get(place)
        project_id, sort, _name = str(subject.key[0]).split("#", 2)
        if before is None or sort not in _BEARERS:
            return Sighting()
        locate, names_of = _BEARERS[sort]
        target = locate(int(project_id), before["target_id"])
        shot = self._reader.snapshot([place, target])
        if shot[place] != before:
            return UNSETTLED
        found = shot[target]
        bears = found is not None and place in names_of(found)
        return Sighting(
            judge_name_row(before, place, project_id=int(project_id), target=target, target_row=found, bears=bears)
        )

    def _look_at_template(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A template, its names and its look."""
        project_id, template_id = (int(part) for part in subject.key)
        place = template_place(project_id, template_id)
        before = self._reader.get(place)
        if before is None or before.get("deleted"):
            return Sighting()
        look_number = number_in(options_of(before).look_id or "")
        look = [] if look_number is None else [look_place(project_id, look_number)]
        places = template_name_places(before)
        shot = self._reader.snapshot([place, *places, *look])
        if shot[place] != before:
            return UNSETTLED
        looks = {row["look_id"] for each in look if (row := shot[each]) is not None}
        names = [self._gather_name(each, template_id, shot[each]) for each in places]
        return Sighting(judge_template(before, names, look_exists=lambda look_id: look_id in looks))

    def _gather_name(self, place: Place, target_id: int, found: Row | None) -> NameFact:
        if found is None or found["target_id"] == target_id:
            return NameFact(place, target_id, found)
        project_id, sort, _ = str(place.key[0][1]).split("#", 2)
        locate, names_of = _BEARERS[sort]
        rival = self._reader.get(locate(int(project_id), found["target_id"]))
        return NameFact(place, target_id, found, rival is not None and place in names_of(rival))

    def _look_at_look(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A look and its name."""
        project_id, number = (int(part) for part in subject.key)
        place = look_place(project_id, number)
        before = self._reader.get(place)
        if before is None:
            return Sighting()
        names = look_name_places(before)
        shot = self._reader.snapshot([place, *names])
        if shot[place] != before:
            return UNSETTLED
        facts = [self._gather_name(each, number, shot[each]) for each in names]
        bearer = check(place, {"look_id": before["look_id"], "name": before["name"]})
        return Sighting(list(judge_names(facts, project_id=project_id, bearer=bearer)))

    def _look_at_redeem(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """One redeem."""
        pass_id, number = (int(part) for part in subject.key)
        row = self._reader.get(redeem_place(pass_id, number))
        owner = self._around.blocks.owner(pass_id)
        return Sighting([] if row is None else judge_redeem(row, project_id=owner))

    def _look_at_block(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A block, its leases and its passes."""
        block = int(subject.key[0])
        leases = self._around.blocks.leases.get(block)
        if not leases:  # it may have been leased since they were read
            leases = read_blocks(self._reader).leases.get(block, [])
        rows = [(lease, self._reader.get(sequence_place(lease_name(*lease)))) for lease in leases]
        standing = [lease for lease, row in rows if row is not None and row["value"] == block]
        keys = [{"pass_id": pass_id} for pass_id in range(block * SEGMENT_SIZE, (block + 1) * SEGMENT_SIZE)]
        passes = self._reader.batch_get("passes", keys, attributes=("project_id",), consistent=True)
        projects = sorted({int(row["project_id"]) for row in passes})
        return Sighting(judge_block(block, leases=standing, projects=projects))

    def _look_at_sequence(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A sequence, and a number of it that is in use."""
        name, used, project_id = str(subject.key[0]), int(subject.key[1]), int(subject.key[2])
        used = self._around.sequences.highest(name, used)
        row = self._reader.get(sequence_place(name))
        return Sighting(judge_sequence(name, row=row, used=used, project_id=project_id or None))

    def _look_at_ticket(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A bulk update's head, and its marks while it stays as it is."""
        ticket_id = int(subject.key[0])
        place = ticket_place(ticket_id)
        before = self._reader.get(place)
        if before is None:
            return Sighting()
        marks = [
            (str(row["part"]), int(row.get("passes", 0)))
            for row in self._reader.query("ticket-parts", {"ticket_id": ticket_id}, ConsistentRead=True)
        ]
        if self._reader.get(place) != before:
            return UNSETTLED
        done = [passes for part, passes in marks if part.startswith(_DONE)]
        failed = [part for part, _ in marks if part.startswith(_FAILED)]
        counted = Marks(passes=sum(done), done=len(done), failed=len(failed))
        return Sighting(judge_ticket(before, counted if marks else None, open_value=OPEN, now=self._around.now()))

    def _look_at_message(self, subject: Subject, _: Mapping[str, Any]) -> Sighting:
        """A message of the outbox."""
        row = self._reader.get(outbox_place(str(subject.key[0])))
        if row is None:
            return Sighting()
        project_id = json.loads(row["document"]).get("project_id")
        return Sighting(judge_message(row, project_id=project_id, now=self._around.now()))
