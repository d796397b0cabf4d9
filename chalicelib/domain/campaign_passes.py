"""Creating and changing passes of a campaign (passworks-v2, sections 8 and 12)."""

from __future__ import annotations

from chalicelib.domain.announcing import announce_passes
from chalicelib.domain.campaign_drafts import ContentDraft, as_update, push_message_update, restart_update
from chalicelib.domain.campaign_lists import get_pass_of_campaign_or_raise
from chalicelib.domain.content import Content, ContentUpdate
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.issuing import create_pass
from chalicelib.domain.look_editing import check_images
from chalicelib.domain.passes import Expectation, NewPass, Pass, PassReference
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import Template, TemplateReference
from chalicelib.domain.updating import take_ticket, update_pass


def create_pass_of_campaign(platform: Platform, template: Template, *, draft: ContentDraft) -> Pass:
    """Issues a pass; what the draft leaves out comes from the campaign.

    Raises:
        InvalidRequest: a rule is broken, or its own code is missing or taken.
        StateRefused: the campaign is paused or archived.
        NotFound, Busy
    """
    _check_draft(platform, template, draft)
    return create_pass(
        platform,
        project_id=template.project_id,
        template=TemplateReference(template_id=template.template_id),
        new=NewPass(update=as_update(draft, current=template.content), code_in_barcode=True),
    )


def update_pass_of_campaign(
    platform: Platform,
    template: Template,
    pass_: Pass,
    *,
    draft: ContentDraft,
    restart: bool,
    announced: bool = True,
    expect: Expectation | None = None,
) -> Pass:
    """The pass after a partial update; `restart` begins with the campaign's current content (section 12).

    Its devices are pushed unless it is not `announced`; they then see the change when they ask by themselves.

    Raises:
        InvalidRequest, NotFound, PreconditionFailed, Busy
    """
    _check_draft(platform, template, draft, current=pass_.content)
    message = draft.headers.get("barcode_value", {}).get("value")
    if pass_.has_own_code and message is not None and str(message) != pass_.redeem_code:
        raise InvalidRequest("is the pass's own code and cannot change", field="barcode.message")
    update = (
        restart_update(template, draft, current=pass_.content) if restart else as_update(draft, current=pass_.content)
    )
    reference = PassReference(pass_id=pass_.pass_id)
    update_pass(
        platform,
        project_id=pass_.project_id,
        reference=reference,
        update=update,
        announced=announced,
        expect=expect,
    )
    return get_pass_of_campaign_or_raise(platform, template, pass_.serial_number)


def push_pass(platform: Platform, pass_: Pass, *, message: str | None, expect: Expectation | None = None) -> None:
    """Writes a message where the wallet shows it, and pushes (section 7).

    Without a message nothing is written: the pass's devices are asked to fetch what changed unannounced.

    Raises:
        PreconditionFailed: the pass is not what was expected.
        InvalidRequest, NotFound, Busy
    """
    if message is None:
        if expect is not None:
            expect(pass_)
        if pass_.registrations:
            ticket_id, _ = take_ticket(platform)
            announce_passes(platform, ticket_id=ticket_id, project_id=pass_.project_id, pass_ids=[pass_.pass_id])
        return
    update = ContentUpdate(fields=push_message_update(message))
    reference = PassReference(pass_id=pass_.pass_id)
    update_pass(platform, project_id=pass_.project_id, reference=reference, update=update, expect=expect)


def check_distance(content: Content, *, campaign_type: str) -> None:
    """Checks how far from a place a pass is of interest, in metres (section 6).

    Raises:
        InvalidRequest
    """
    limit = 1000 if campaign_type == "event_tickets" else 100
    if (content.lists.get("max_distance") or 0) > limit:
        raise InvalidRequest(f"must be at most {limit} metres", field="max_distance")


def _check_draft(
    platform: Platform, template: Template, draft: ContentDraft, *, current: Content | None = None
) -> None:
    """An image that the pass has already is not asked about again: a client may send back what it has read."""
    content = Content(lists=dict(draft.parts))
    known = {} if current is None else current.lists
    new = {name: value for name, value in draft.parts.items() if name not in known or known[name] != value}
    check_images(platform, project_id=template.project_id, content=Content(lists=new))
    check_distance(content, campaign_type=template.campaign_type)
