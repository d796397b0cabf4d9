"""Templates, passes and tags made through the domain, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from chalicelib.domain import issuing, template_editing
from chalicelib.domain.content import Content, ContentUpdate, Entry
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.templates import APPLE, Template, TemplateDraft, TemplateReference
from chalicelib.domain.tickets import Ticket
from chalicelib.wiring import get_database, get_platform

LARGEST_BULK = 1000


def make_template(project_id: int, *, external_id: str | None = None, content: Content | None = None) -> Template:
    """A template with one primary field, unless it is given other content."""
    shown = content or Content(fields={"Points": Entry({"fieldType": "primary", "value": "0"})})
    draft = TemplateDraft(
        name="Card", description="", vendor=APPLE, type="Generic", project_type="generic", content=shown
    )
    return template_editing.create_template(get_platform(), project_id=project_id, draft=draft, external_id=external_id)


def make_passes(
    project_id: int,
    count: int,
    *,
    tags: Sequence[str] = (),
    template_id: int | None = None,
    update: ContentUpdate | None = None,
) -> list[Pass]:
    """New passes in ascending order of id, all with the same tags; of a new template unless one is named."""
    if template_id is None:
        template_id = make_template(project_id).template_id
    new = NewPass(update=update or ContentUpdate(), tag_names=tuple(tags))
    passes: list[Pass] = []
    while len(passes) < count:
        outcomes = issuing.create_passes(
            get_platform(),
            project_id=project_id,
            template=TemplateReference(template_id=template_id),
            new=[new] * min(LARGEST_BULK, count - len(passes)),
        )
        for outcome in outcomes:
            assert isinstance(outcome, Pass), outcome
            passes.append(outcome)
    return passes


def skip_pass_ids(project_id: int, count: int = 1000) -> None:
    """Takes pass ids and drops them, so that the next passes fall into another segment."""
    platform = get_platform()
    platform.sequences.allocate_pass_ids(project_id=project_id, count=count, now=platform.now())


def make_spread_passes(project_id: int, *, segments: int, per_segment: int = 1, tags: Sequence[str] = ()) -> list[Pass]:
    """Passes of one template that lie in as many segments as asked."""
    template_id = make_template(project_id).template_id
    passes: list[Pass] = []
    for segment in range(segments):
        if segment:
            skip_pass_ids(project_id, 1000 - per_segment)
        passes += make_passes(project_id, per_segment, tags=tags, template_id=template_id)
    return passes


def write_field(name: str, value: object) -> ContentUpdate:
    """An update of one field's value."""
    return ContentUpdate(fields={name: {"value": value}})


def read_ticket(ticket_id: int) -> Ticket:
    """The ticket as it is now."""
    ticket = get_platform().tickets.get_ticket(ticket_id=ticket_id)
    assert ticket is not None
    return ticket


def read_pass(pass_: Pass) -> Pass:
    """The pass as it is now."""
    found = get_platform().passes.get_pass(project_id=pass_.project_id, pass_id=pass_.pass_id)
    assert found is not None
    return found


def field_value(pass_: Pass, name: str) -> object:
    """What one field of the pass shows now; None if it has no such field."""
    entry = read_pass(pass_).content.fields.get(name)
    return None if entry is None else entry.attributes.get("value")


@contextmanager
def forgotten_conflicts() -> Iterator[None]:
    """Lets the block begin and leave without memory of conflicts, so that quiet writers use stripe 0."""
    forget_conflicts()
    try:
        yield
    finally:
        forget_conflicts()


def forget_conflicts() -> None:
    """Writers are quiet from here on."""
    get_database().stripes._spread_until = -1.0
