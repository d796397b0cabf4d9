"""The whole truth about a project, counted from the stored rows: whatever does not add up is reported.

It reads the tables with a client of its own and parses keys by itself, so that a fault of the store cannot hide here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from local.environment import PREFIX

SEGMENT = 1000
STRIPES = 16
LARGEST_TAGS = 15

Facets = Counter[str]
Counts = dict[str, dict[int, Facets]]
"""collection to segment to facet to number of members"""

_KEYS = ("collection", "slot")


@dataclass
class Rows:
    """Every row of one project, as plain Python values."""

    project_id: int
    passes: dict[int, dict[str, Any]] = field(default_factory=dict)
    memberships: list[dict[str, Any]] = field(default_factory=list)
    tags: list[dict[str, Any]] = field(default_factory=list)
    templates: dict[int, dict[str, Any]] = field(default_factory=dict)
    external_ids: list[dict[str, Any]] = field(default_factory=list)
    counters: list[dict[str, Any]] = field(default_factory=list)
    sweeps: set[str] = field(default_factory=set)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    ticket_parts: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    registrations: list[dict[str, Any]] = field(default_factory=list)
    redeems: list[dict[str, Any]] = field(default_factory=list)
    looks: list[dict[str, Any]] = field(default_factory=list)

    @property
    def known_passes(self) -> set[int]:
        """Ids of passes that exist, or that redeems tell of."""
        return self.passes.keys() | {row["pass_id"] for row in self.redeems}

    @property
    def generations(self) -> dict[int, int]:
        """Tag id to generation of the tags that exist."""
        return {tag["tag_id"]: tag["generation"] for tag in self.tags if "#id#" in tag["key"]}


def recount(dynamodb: Any, project_id: int, *, swept: bool = True) -> list[str]:
    """Every mismatch in one project, as sentences; empty if all is well.

    With `swept`, nothing of an emptied or deleted tag may be left; without, what is left must be noted for the sweep.
    """
    rows = read_rows(dynamodb, project_id)
    return [
        *_check_counters(rows, swept=swept),
        *_check_passes(rows),
        *_check_memberships(rows, swept=swept),
        *_check_tags(rows),
        *_check_external_ids(rows),
        *_check_tickets(rows),
        *_check_registrations(rows),
    ]


def read_rows(dynamodb: Any, project_id: int) -> Rows:
    """The project's rows, read consistently."""
    of_project = {"FilterExpression": "project_id = :p", "ExpressionAttributeValues": {":p": {"N": str(project_id)}}}
    rows = Rows(project_id)
    rows.passes = {row["pass_id"]: row for row in _scan(dynamodb, "passes", **of_project)}
    rows.tags = list(_scan(dynamodb, "tags", **of_project))
    rows.templates = {row["template_id"]: row for row in _scan(dynamodb, "templates", **of_project)}
    rows.tickets = list(_scan(dynamodb, "tickets", **of_project))
    rows.registrations = list(_scan(dynamodb, "registrations", **of_project))
    rows.looks = list(_scan(dynamodb, "looks", **of_project))
    rows.redeems = [row for row in _scan(dynamodb, "redeems") if row["template_id"] in rows.templates]
    rows.memberships = list(_scan_prefix(dynamodb, "memberships", "tag_segment", f"tag-passes:{project_id}."))
    rows.external_ids = list(_scan_prefix(dynamodb, "external-ids", "key", f"{project_id}#"))
    rows.counters = [row for row in _scan(dynamodb, "segments") if _belongs(rows, row["collection"])]
    noted = {row["collection"] for row in _scan(dynamodb, "sweeps")}
    # what is noted for folding is alive and none of the sweep's business
    rows.sweeps = {key for key in noted if not key.startswith("fold:") and _belongs(rows, key)}
    for ticket in rows.tickets:
        if "tag_id" in ticket or "template_id" in ticket:
            rows.ticket_parts[ticket["ticket_id"]] = list(_query_parts(dynamodb, ticket["ticket_id"]))
    return rows


def _belongs(rows: Rows, collection: str) -> bool:
    kind, _, rest = collection.partition(":")
    owner = int(rest.partition(".")[0])
    if kind.startswith("template-"):
        return owner in rows.templates
    if kind.startswith("pass-"):
        return owner in rows.known_passes
    return owner == rows.project_id


def _scan(dynamodb: Any, table: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    for page in dynamodb.get_paginator("scan").paginate(TableName=PREFIX + table, ConsistentRead=True, **arguments):
        yield from map(_plain, page["Items"])


def _scan_prefix(dynamodb: Any, table: str, attribute: str, prefix: str) -> Iterator[dict[str, Any]]:
    return _scan(
        dynamodb,
        table,
        FilterExpression="begins_with(#attribute, :prefix)",
        ExpressionAttributeNames={"#attribute": attribute},
        ExpressionAttributeValues={":prefix": {"S": prefix}},
    )


def _query_parts(dynamodb: Any, ticket_id: int) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=PREFIX + "ticket-parts",
        ConsistentRead=True,
        KeyConditionExpression="ticket_id = :ticket",
        ExpressionAttributeValues={":ticket": {"N": str(ticket_id)}},
    )
    for page in pages:
        yield from map(_plain, page["Items"])


def _plain(item: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {name: _plain_value(*value.items()) for name, value in item.items()}


def _plain_value(typed: tuple[str, Any]) -> Any:
    kind, value = typed
    return int(value) if kind == "N" else set(value) if kind == "SS" else value


def _references(row: dict[str, Any]) -> set[tuple[int, int]]:
    pairs = (text.split(".") for text in row.get("tags", ()))
    return {(int(tag_id), int(generation)) for tag_id, generation in pairs}


def _expected_counts(rows: Rows) -> Counts:
    counts: Counts = defaultdict(lambda: defaultdict(Counter))
    for pass_id, row in rows.passes.items():
        live = {(tag, generation) for tag, generation in _references(row) if rows.generations.get(tag) == generation}
        collections = [f"project-passes:{rows.project_id}", f"template-passes:{row['template_id']}"]
        collections += [f"tag-passes:{rows.project_id}.{tag}.{generation}" for tag, generation in live]
        for collection in collections:
            counts[collection][pass_id // SEGMENT][row["status"]] += 1
    for row in rows.registrations:
        for collection in (f"template-registrations:{row['template_id']}", f"pass-registrations:{row['pass_id']}"):
            counts[collection][row["number"] // SEGMENT][row["wallet"]] += 1
    for row in rows.redeems:
        for collection in (f"template-redeems:{row['template_id']}", f"pass-redeems:{row['pass_id']}"):
            counts[collection][row["number"] // SEGMENT]["member"] += 1
    for tag_id in rows.generations:
        counts[f"project-tags:{rows.project_id}"][tag_id // SEGMENT]["member"] += 1
    return counts


def _stored_counts(rows: Rows) -> Counts:
    counts: Counts = defaultdict(lambda: defaultdict(Counter))
    for row in rows.counters:
        facets = counts[row["collection"]][row["slot"] // STRIPES]
        for name, value in row.items():
            if name not in _KEYS:
                facets[name] += value
    return counts


def _is_dead(rows: Rows, collection: str) -> bool:
    kind, _, rest = collection.partition(":")
    if kind != "tag-passes":
        return False
    _, tag_id, generation = map(int, rest.split("."))
    return rows.generations.get(tag_id) != generation


def _check_counters(rows: Rows, *, swept: bool) -> Iterator[str]:
    expected, stored = _expected_counts(rows), _stored_counts(rows)
    for collection in sorted(expected.keys() | stored.keys()):
        if collection.startswith("template-events:"):
            continue  # a history, checked against the registrations below
        if _is_dead(rows, collection):
            if swept:
                yield f"dead collection {collection} still has counters"
            elif collection not in rows.sweeps:
                yield f"dead collection {collection} has counters and is not noted for the sweep"
            continue
        for segment in sorted(expected[collection].keys() | stored[collection].keys()):
            real, counted = expected[collection][segment], stored[collection][segment]
            for facet in sorted(real.keys() | counted.keys()):
                if real[facet] != counted[facet]:
                    yield (
                        f"{collection} segment {segment}: {real[facet]} members are {facet}, "
                        f"the counter says {counted[facet]}"
                    )
    if swept and rows.sweeps:
        yield f"sweeps are still noted: {sorted(rows.sweeps)}"


def _check_passes(rows: Rows) -> Iterator[str]:
    for pass_id, row in sorted(rows.passes.items()):
        live = [tag for tag, generation in _references(row) if rows.generations.get(tag) == generation]
        if len(live) > LARGEST_TAGS:
            yield f"pass {pass_id} has {len(live)} tags"
        template = rows.templates.get(row["template_id"])
        if template is None or template.get("deleted"):
            yield f"pass {pass_id} is an orphan: its template {row['template_id']} is gone"
        segment = pass_id // SEGMENT
        keys = {
            "segment": segment,
            "template_segment": f"template-passes:{row['template_id']}.{segment}",
            "updated_shard": f"{rows.project_id}.{pass_id % 8}",
            "updated_order": f"{row['updated_at']:015d}.{pass_id:016d}",
            "code_key": f"{row['template_id']}#{row['redeem_code']}",
        }
        for name, value in keys.items():
            if row[name] != value:
                yield f"pass {pass_id} has {name} {row[name]}, not {value}"


def _check_registrations(rows: Rows) -> Iterator[str]:
    held = Counter(row["pass_id"] for row in rows.registrations)
    for pass_id, row in rows.passes.items():
        if row["registrations"] != held[pass_id]:
            yield f"pass {pass_id} says {row['registrations']} registrations, there are {held[pass_id]}"
        if (row["status"] == "installed") != (held[pass_id] > 0):
            yield f"pass {pass_id} is {row['status']} with {held[pass_id]} registrations"
    for row in rows.registrations:
        name = f"registration {row['number']} of template {row['template_id']}"
        if row["pass_id"] not in rows.passes:
            yield f"{name} is of pass {row['pass_id']}, which is gone"
        if row["template_segment"] != f"template-registrations:{row['template_id']}.{row['number'] // SEGMENT}":
            yield f"{name} is listed under {row['template_segment']}"
        if row["pass_segment"] != f"pass-registrations:{row['pass_id']}.{row['number'] // SEGMENT}":
            yield f"{name} is listed under {row['pass_segment']}"
    yield from _check_events(rows)


def _check_events(rows: Rows) -> Iterator[str]:
    """Installs minus uninstalls is what is installed, by operating system, since the beginning."""
    stored = _stored_counts(rows)
    for template_id, template in rows.templates.items():
        events: Counter[str] = Counter()
        for facets in stored[f"template-events:{template_id}"].values():
            events.update(facets)
        wallets = Counter(row["wallet"] for row in rows.registrations if row["template_id"] == template_id)
        ios = wallets["passbook"]
        for system, active in (("ios", ios), ("android", wallets.total() - ios)):
            counted = events[f"installs_{system}"] - events[f"uninstalls_{system}"]
            if counted != active and not template.get("deleted"):
                yield f"template {template_id}: {counted} active on {system} by its events, {active} registrations"


def _check_memberships(rows: Rows, *, swept: bool) -> Iterator[str]:
    for row in rows.memberships:
        collection = f"tag-passes:{rows.project_id}.{row['tag_id']}.{row['generation']}"
        name = f"membership of pass {row['pass_id']} in {collection}"
        if row["tag_segment"] != f"{collection}.{row['pass_id'] // SEGMENT}":
            yield f"{name} is listed under {row['tag_segment']}"
        if not _is_dead(rows, collection):
            yield from _check_living_membership(rows, row, name)
        elif swept:
            yield f"{name} is dead and not swept"
        elif collection not in rows.sweeps:
            yield f"{name} is dead and its collection is not noted for the sweep"
    yield from _find_missing_memberships(rows)


def _check_living_membership(rows: Rows, row: dict[str, Any], name: str) -> Iterator[str]:
    owner = rows.passes.get(row["pass_id"])
    if owner is None or (row["tag_id"], row["generation"]) not in _references(owner):
        yield f"{name} is not on the pass"
    elif owner["status"] != row["status"]:
        yield f"{name} says {row['status']}, the pass is {owner['status']}"


def _find_missing_memberships(rows: Rows) -> Iterator[str]:
    found = {(row["pass_id"], row["tag_id"], row["generation"]) for row in rows.memberships}
    for pass_id, row in rows.passes.items():
        for tag_id, generation in _references(row):
            if rows.generations.get(tag_id) == generation and (pass_id, tag_id, generation) not in found:
                yield f"pass {pass_id} has tag {tag_id}, but there is no membership row"


def _check_tags(rows: Rows) -> Iterator[str]:
    by_name, by_id = {}, {}
    for tag in rows.tags:
        value = (tag["tag_id"], tag["name"], tag["generation"], tag["created_at"])
        if tag["key"] == f"{rows.project_id}#id#{tag['tag_id']}":
            by_id[tag["tag_id"]] = value
        elif tag["key"] == f"{rows.project_id}#name#{tag['name']}":
            by_name[tag["tag_id"]] = value
        else:
            yield f"tag row {tag['key']} says id {tag['tag_id']}, name {tag['name']}"
    if by_name != by_id:
        yield f"tags by name and by id differ: {by_name} and {by_id}"


def _check_external_ids(rows: Rows) -> Iterator[str]:
    found = {(row["key"], row["parent_id"]): row["target_id"] for row in rows.external_ids}
    expected = (
        {
            (f"{rows.project_id}#pass#{row['external_id']}", row["template_id"]): pass_id
            for pass_id, row in rows.passes.items()
            if "external_id" in row
        }
        | {
            (f"{rows.project_id}#template#{row['external_id']}", 0): template_id
            for template_id, row in rows.templates.items()
            if "external_id" in row and not row.get("deleted")
        }
        | {
            (f"{rows.project_id}#campaign#{row['name']}", 0): template_id
            for template_id, row in rows.templates.items()
            if "has_unique_name" in row.get("campaign", "") and not row.get("deleted")
        }
        | {
            (f"{rows.project_id}#code#{row['template_id']}#{row['redeem_code']}", 0): pass_id
            for pass_id, row in rows.passes.items()
            if row.get("own_code")
        }
        | {(f"{rows.project_id}#look#{row['name']}", 0): row["look_number"] for row in rows.looks}
    )
    for key in sorted(expected.keys() | found.keys()):
        if expected.get(key) != found.get(key):
            yield f"external id {key} leads to {found.get(key)}, it belongs to {expected.get(key)}"


def _check_tickets(rows: Rows) -> Iterator[str]:
    for ticket in rows.tickets:
        parts = rows.ticket_parts.get(ticket["ticket_id"], [])
        done = [part["passes"] for part in parts if part["part"].startswith("done:")]
        failed = [part["passes"] for part in parts if part["part"].startswith("failed:")]
        name = f"ticket {ticket['ticket_id']} ({ticket['status']})"
        if parts and sum(done) != ticket["processed"]:
            yield f"{name} says {ticket['processed']} passes were processed, its markers say {sum(done)}"
        if len(done) != ticket["segments_done"] or len(failed) != ticket["segments_failed"]:
            yield f"{name} has {len(done)} done and {len(failed)} failed markers, its counters differ"
        if ticket["failed"] < sum(failed) or ticket["changed"] > ticket["processed"]:
            yield f"{name} has counts that cannot be"
        if ticket["status"] == "COMPLETED" and "tag_id" in ticket and len(done) != ticket.get("segments_total"):
            yield f"{name} is completed with {len(done)} of {ticket.get('segments_total')} segments"
        if ("open" in ticket) != (ticket["status"] in ("PREQUED", "QUEUED")):
            yield f"{name} is wrongly listed among the open ones, or missing there"
