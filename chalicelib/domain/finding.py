"""From what a caller names to the thing itself, or NotFound. Everything is looked up inside one project."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

from chalicelib.domain.errors import NotFound
from chalicelib.domain.tags import Tag, TagReference, is_tag_name, normalize_tag_name

if TYPE_CHECKING:
    from chalicelib.domain.passes import Pass, PassReference
    from chalicelib.domain.ports import Platform
    from chalicelib.domain.templates import Template, TemplateReference
    from chalicelib.domain.tickets import Ticket

LARGEST_ID = 2**53 - 1
"""DESIGN, section 2: ids fit into a JSON number of any client"""


def parse_id(text: str) -> int | None:
    """An id as callers write it, or None if it cannot be one."""
    if text.isascii() and text.isdigit() and len(text) <= 16 and 0 < int(text) <= LARGEST_ID:
        return int(text)
    return None


def spellings(segment: str) -> list[str]:
    """What a path segment may mean, likeliest first: decoded once; then, as older clients send it, `+` for a space.

    airship-wallet-v1, section 1.
    """
    plain = unquote(segment)
    spaced = unquote(segment.replace("+", " "))
    return [plain] if spaced == plain else [plain, spaced]


def get_pass_or_raise(platform: Platform, *, project_id: int, reference: PassReference) -> Pass:
    """The pass, read consistently. Two calls by external id, one by id.

    Raises:
        NotFound, Ambiguous
    """
    pass_id = platform.passes.find_pass_id(project_id=project_id, reference=reference)
    pass_ = None if pass_id is None else platform.passes.get_pass(project_id=project_id, pass_id=pass_id)
    if pass_ is None or reference.template_id not in (None, pass_.template_id):
        raise NotFound("pass", reference)
    return pass_


def get_template_or_raise(platform: Platform, *, project_id: int, reference: TemplateReference) -> Template:
    """The template, read consistently.

    Raises:
        NotFound
    """
    template_id = platform.templates.find_template_id(project_id=project_id, reference=reference)
    template = None
    if template_id is not None:
        template = platform.templates.get_template(project_id=project_id, template_id=template_id)
    if template is None:
        raise NotFound("template", reference)
    return template


def get_tag_or_raise(platform: Platform, *, project_id: int, segment: str) -> Tag:
    """The tag that a path segment names: by name, then with `+` for space, then by id (section 9.3). One call.

    Raises:
        NotFound
    """
    names = [
        name
        for name in map(normalize_tag_name, spellings(segment))
        if is_tag_name(name, maximum_characters=platform.bounds.tag_characters)
    ]
    tag_id = parse_id(unquote(segment))
    tag = None
    if names or tag_id is not None:
        tag = platform.tags.find_tag(project_id=project_id, names=list(dict.fromkeys(names)), tag_id=tag_id)
    if tag is None:
        raise NotFound("tag", unquote(segment))
    return tag


def get_ticket_or_raise(platform: Platform, *, project_id: int, segment: str) -> Ticket:
    """The project's ticket that a path segment names.

    Raises:
        NotFound
    """
    ticket_id = parse_id(unquote(segment))
    ticket = None if ticket_id is None else platform.tickets.get_ticket(ticket_id=ticket_id)
    if ticket is None or ticket.project_id != project_id:
        raise NotFound("ticket", unquote(segment)[:40])
    return ticket


def get_live_tags(platform: Platform, pass_: Pass) -> list[Tag]:
    """The tags that a pass has now, ascending by id. One call, none if the pass remembers no tag."""
    if not pass_.tags:
        return []
    _, by_id = platform.tags.get_tags(
        project_id=pass_.project_id, tag_ids=[reference.tag_id for reference in pass_.tags]
    )
    live = [by_id[reference.tag_id] for reference in pass_.tags if reference.is_live(by_id.get(reference.tag_id))]
    return sorted(live, key=lambda tag: tag.tag_id)


def get_live_references(platform: Platform, pass_: Pass) -> list[TagReference]:
    """The references of a pass that are not dead."""
    return [TagReference(tag.tag_id, tag.generation) for tag in get_live_tags(platform, pass_)]
