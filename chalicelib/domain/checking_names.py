"""What must hold for tags, names and templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.campaigns import CampaignOptions
from chalicelib.domain.checking import (
    Damage,
    Kind,
    Place,
    Row,
    Value,
    Write,
    absent,
    check,
    delete,
    describe_keys,
    differing,
    put,
    tag_place,
    template_place,
    update,
)
from chalicelib.domain.checking_facts import NameFact


def judge_names(names: Sequence[NameFact], *, project_id: int | None, bearer: Write) -> Iterator[Damage]:
    """Whether the rows of names lead to what bears them, `bearer`, which must not change meanwhile."""
    for name in names:
        if name.found is not None and name.found["target_id"] == name.target_id:
            continue
        values: Row = {"target_id": name.target_id}
        there = None if name.found is None else {"target_id": name.found["target_id"]}
        leads = "nowhere" if name.found is None else f"to {name.found['target_id']}"
        both = ", which bears it as well" if name.rival else ""
        yield Damage(
            kind=Kind.EXTERNAL_ID,
            place=describe_name(name.place),
            detail=f"it leads {leads}{both}; {name.target_id} bears it",
            project_id=project_id,
            mend=() if name.rival else (put(name.place, values, over=there), bearer),
        )


def describe_name(place: Place) -> str:
    """The row of a name: its project and sort, and a digest in place of the name, which may be personal."""
    (_, key), (_, parent_id) = place.key
    project_id, sort, name = str(key).split("#", 2)
    digest = hashlib.sha256(name.encode()).hexdigest()[:12]
    return f"external-ids {project_id}#{sort}#({digest}), {parent_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFacts:
    """A tag's rows. `claimed` is the row under a name that says it is this tag's, other than `by_name`."""

    project_id: int
    tag_id: int
    id_key: str
    name_key: str
    """of the name that the row by id has, or else of the name we come from"""
    by_id: Row | None
    by_name: Row | None
    claimed: Row | None
    holder: Row | None
    """the row by id of the tag that `by_name` names, where it is another"""
    index_key: str
    """the `project_segment` that the row by id must have"""


_TAG_VALUES = ("project_id", "tag_id", "name", "generation", "created_at")


def judge_tag(facts: TagFacts) -> list[Damage]:
    """At most one damage of a tag. The row by id is right where the two differ: passes and lists go by it."""
    detail, mend = _compare_tag(facts)
    if detail is None:
        return []
    return [
        Damage(
            kind=Kind.TAG_ROWS,
            place=f"tag {facts.tag_id} of project {facts.project_id}",
            detail=detail,
            project_id=facts.project_id,
            mend=mend,
            truth={"project_id": facts.project_id, "tag_id": facts.tag_id},
        )
    ]


def _compare_tag(facts: TagFacts) -> tuple[str | None, tuple[Write, ...]]:
    by_id, by_name = facts.by_id, facts.by_name
    if by_id is None:
        if by_name is None or by_name["tag_id"] != facts.tag_id:
            return None, ()
        values = {**_tag_values(by_name), "project_segment": facts.index_key}
        there = check(tag_place(facts.name_key), {"generation": by_name["generation"], "tag_id": facts.tag_id})
        return "the row by id is missing", (put(tag_place(facts.id_key), values), there)
    there = check(tag_place(facts.id_key), {"generation": by_id["generation"], "name": by_id["name"]})
    if by_name is None:
        return "the row by name is missing", (put(tag_place(facts.name_key), _tag_values(by_id)), there)
    if by_name["tag_id"] != facts.tag_id and facts.holder is not None:
        return f"its name is also that of tag {by_name['tag_id']}", ()
    wrong = differing(by_name, _tag_values(by_id))
    if wrong:
        expect = {name: by_name.get(name) for name in _TAG_VALUES}
        detail = f"in the row by name, {describe_keys(by_name, wrong)}"
        return detail, (update(tag_place(facts.name_key), expect, **wrong), there)
    if by_id.get("project_segment") != facts.index_key:
        expect = {"generation": by_id["generation"], "project_segment": by_id.get("project_segment")}
        mend = update(tag_place(facts.id_key), expect, project_segment=facts.index_key)
        return f"it is listed under {by_id.get('project_segment')}, not {facts.index_key}", (mend,)
    if facts.claimed is not None:
        claim = delete(tag_place(str(facts.claimed["key"])), {"tag_id": facts.tag_id})
        return "another row by name says that it is this tag's", (claim, there)
    return None, ()


def _tag_values(row: Row) -> dict[str, Value]:
    return {name: row[name] for name in _TAG_VALUES}


def judge_name_row(
    row: Row, place: Place, *, project_id: int, target: Place, target_row: Row | None, bears: bool
) -> list[Damage]:
    """Whether the row of a name names something that bears the name."""
    if bears:
        return []
    if target_row is None:
        unchanged = absent(target)
    elif "revision" in target_row:
        unchanged = check(target, {"revision": target_row["revision"]})
    else:
        unchanged = check(target, {"name": target_row["name"]})
    what = "which does not exist" if target_row is None else "which does not bear it"
    return [
        Damage(
            kind=Kind.EXTERNAL_ID,
            place=describe_name(place),
            detail=f"it names {target}, {what}",
            project_id=project_id,
            mend=(delete(place, {"target_id": row["target_id"]}), unchanged),
        )
    ]


def judge_template(row: Row, names: Sequence[NameFact], *, look_exists: Callable[[str], bool]) -> list[Damage]:
    """Whether the names of a template that is there lead to it, and whether its look is there."""
    project_id, template_id = int(row["project_id"]), int(row["template_id"])
    place = template_place(project_id, template_id)
    damages = list(judge_names(names, project_id=project_id, bearer=check(place, {"revision": row.get("revision")})))
    look_id = CampaignOptions.decode(str(row["campaign"]) if "campaign" in row else None).look_id
    if look_id is not None and not look_exists(look_id):
        damages.append(
            Damage(
                kind=Kind.TEMPLATE_LOOK,
                place=str(place),
                detail=f"it was made from the Passworks template {look_id}, which does not exist",
                project_id=project_id,
            )
        )
    return damages
