"""Creating, changing and deleting passes (airship-wallet-v1, section 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.domain.announcing import send_waiting
from chalicelib.domain.callback_events import tell_created
from chalicelib.domain.campaigns import LONGEST_CODE_BYTES, CampaignState, CodeType, sequential_code
from chalicelib.domain.content import Content, ContentUpdate, Entry, check_content_size, overlay
from chalicelib.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    PasselError,
    Refused,
    StateRefused,
)
from chalicelib.domain.finding import get_live_references, get_pass_or_raise, get_template_or_raise
from chalicelib.domain.passes import Expectation, NewPass, Pass, PassReference, PassStatus, release
from chalicelib.domain.ports import Platform
from chalicelib.domain.retrying import Unheard, retry_conflicts
from chalicelib.domain.tagging import add_tags, resolve_tags
from chalicelib.domain.tags import TagReference, validate_tag_names
from chalicelib.domain.templates import DEFAULT_BARCODES, Template, TemplateReference
from chalicelib.domain.updating import check_update, number_locations

Outcome = Pass | Exception
"""a pass, or why there is none"""

_CODE, _OTHER_NAME = "barcode.message", "(/v1: headers.barcode_value)"
"""what a pass's own code is called; the dialects have two names for it"""

_log = logging.getLogger("passel")


@dataclass(frozen=True, slots=True)
class PassNumbers:
    """Pass ids that were taken before the request, one for each of its places, and the time that they stand for.

    Whoever keeps them can find out later which of the passes were made, and make the others: an id is given to one pass
    at most.
    """

    pass_ids: Sequence[int]
    at: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    """A pass that may be issued as far as its request alone can tell; `position` is its place in the request."""

    position: int
    template: Template
    request: NewPass
    content: Content
    tag_names: list[str]

    @property
    def own_code(self) -> str | None:
        """The redeem code that the pass brings along."""
        is_own = self.template.campaign.code_type is CodeType.PER_PASS
        return _read_header(self.content, "barcode_value") if is_own else None


@dataclass(frozen=True, slots=True)
class _NumberedPass:
    """A draft that has become a pass, not yet stored and without its tags."""

    draft: _Draft
    pass_: Pass


def create_pass(platform: Platform, *, project_id: int, template: TemplateReference, new: NewPass) -> Pass:
    """Issues one pass from a template, with its tags, all or nothing.

    Raises:
        NotFound: no such template.
        AlreadyExists: the external id is taken in the template (section 3: 400).
        InvalidRequest, Busy
    """
    outcome = create_passes(platform, project_id=project_id, template=template, new=[new])[0]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def create_passes(
    platform: Platform,
    *,
    project_id: int,
    template: TemplateReference,
    new: Sequence[NewPass | Refused],
    numbers: PassNumbers | None = None,
) -> list[Outcome]:
    """Issues many passes from one template; each stands alone and is either issued whole or refused.

    `new` may hold refusals from reading the request; they come back in their places. Ids ascend in the order given
    and are taken in one call, unless there are `numbers` of the project. A group that storage could not take in time is
    Busy in its places; so is one whose answer was lost, which may have been stored.

    Raises:
        NotFound: no such template.
        StateRefused: the campaign is paused or archived.
        Busy: storage could not be reached before anything was written.
    """
    found = get_template_or_raise(platform, project_id=project_id, reference=template)
    check_issuing(found)
    outcomes: dict[int, Outcome] = {}
    drafts: list[_Draft] = []
    seen: set[str] = set()
    codes: set[str] = set()
    for position, request in enumerate(new):
        try:
            if isinstance(request, Refused):
                raise request
            if request.external_id in seen:
                raise _external_id_taken(request.external_id)
            draft = _draft(platform, found, request, position)
            if draft.own_code is not None and draft.own_code in codes:
                raise _code_taken()
            drafts.append(draft)
            seen |= {request.external_id} if request.external_id is not None else set()
            codes |= {draft.own_code} if draft.own_code is not None else set()
        except Refused as refusal:
            outcomes[position] = refusal
    for number, group in enumerate(_number_and_group(platform, project_id, drafts, numbers)):
        try:
            outcomes |= _store_group(platform, group)
        except Exception as error:
            # what was stored before must be told, whatever became of this group
            if not isinstance(error, PasselError):
                _log.exception("group %d of new passes could not be stored", number)
            outcomes |= {each.draft.position: error for each in group}
    _settle(platform, found, drafts, outcomes)
    return [outcomes[position] for position in range(len(new))]


def check_issuing(template: Template) -> None:
    """Checks that passes may be issued (passworks-v2, section 12).

    Raises:
        StateRefused
    """
    if template.campaign.state is not CampaignState.PUBLISHED:
        raise StateRefused(f"Can't create a pass while {template.campaign.state}")


def _settle(platform: Platform, template: Template, drafts: Sequence[_Draft], outcomes: dict[int, Outcome]) -> None:
    """Looks once more at what the new passes were built on, since other requests may have changed it meanwhile.

    Whoever deletes a template hides it and then counts its passes, so of a create and a delete at the same time at
    least one notices the other: no pass is left without its template. Tags that were emptied meanwhile are put on
    again. Two calls.
    """
    created = {position: outcome for position, outcome in outcomes.items() if isinstance(outcome, Pass)}
    if not created:
        return
    project_id = template.project_id
    if platform.templates.get_template(project_id=project_id, template_id=template.template_id) is None:
        for position, pass_ in created.items():
            delete_pass(platform, project_id=project_id, reference=PassReference(pass_id=pass_.pass_id))
            outcomes[position] = NotFound("template", template.template_id)
        platform.withdraw()
        return
    tag_ids = {reference.tag_id for pass_ in created.values() for reference in pass_.tags}
    by_id = platform.tags.get_tags(project_id=project_id, tag_ids=tag_ids)[1] if tag_ids else {}
    for draft in drafts:
        issued = created.get(draft.position)
        if issued and not all(reference.is_live(by_id.get(reference.tag_id)) for reference in issued.tags):
            own = PassReference(pass_id=issued.pass_id)
            add_tags(platform, project_id=project_id, reference=own, names=draft.tag_names)


def _draft(platform: Platform, template: Template, request: NewPass, position: int) -> _Draft:
    names = validate_tag_names(request.tag_names, maximum_characters=platform.bounds.tag_characters)
    if len(names) > platform.bounds.tags_per_pass:
        raise InvalidRequest(f"a pass has at most {platform.bounds.tags_per_pass} tags", field="tags")
    return _Draft(
        position=position,
        template=template,
        request=request,
        content=_first_content(platform, template, request.update),
        tag_names=names,
    )


def _first_content(platform: Platform, template: Template, update: ContentUpdate) -> Content:
    check_update(update, bounds=platform.bounds, now=platform.now())
    content = show_template(template, number_locations(update, ticket_id=0))
    check_content_size(content, of="pass", maximum_bytes=platform.bounds.content_bytes)
    if template.campaign.code_type is CodeType.PER_PASS:
        own = update.headers.get("barcode_value", {}).get("value")
        if own is None or not 0 < len(str(own).encode()) <= LONGEST_CODE_BYTES:
            problem = f"{_OTHER_NAME} is required, 1 to {LONGEST_CODE_BYTES} bytes: each pass's own code"
            raise InvalidRequest(problem, field=_CODE)
    return content


def show_template(template: Template, own: ContentUpdate) -> Content:
    """What the template shows, with what the request sent on top.

    A barcode type is always there: the official client does not read a pass without one (section 5).
    """
    content = overlay(template.content, own)
    content.lists["style"] = template.style
    content.lists["description"] = template.description or template.name
    if template.campaign.certificate_id is not None:
        content.lists["certificate_id"] = template.campaign.certificate_id
    barcode = content.headers.setdefault("barcode_type", Entry({"fieldType": "barcode", "formatType": 1}))
    if not isinstance(barcode.attributes.get("value"), str):
        barcode.attributes["value"] = DEFAULT_BARCODES[template.vendor]
    return content


def _read_header(content: Content, name: str) -> str:
    value = content.header(name)
    return "" if value is None else str(value)


def take_pass_numbers(platform: Platform, *, project_id: int, count: int) -> PassNumbers:
    """Fresh ascending ids for passes of a project. One call.

    Raises:
        Busy
    """
    pass_ids, at = platform.sequences.allocate_pass_ids(project_id=project_id, count=count, now=platform.now())
    return PassNumbers(pass_ids, at)


def _number_and_group(
    platform: Platform, project_id: int, drafts: Sequence[_Draft], numbers: PassNumbers | None
) -> list[list[_NumberedPass]]:
    """Gives every draft its id, its time and its code in two calls, and cuts them into transactions."""
    if not drafts:
        return []
    if numbers is None:
        taken = take_pass_numbers(platform, project_id=project_id, count=len(drafts))
        pass_ids, now = taken.pass_ids, taken.at
    else:
        pass_ids, now = [numbers.pass_ids[draft.position] for draft in drafts], numbers.at
    codes = f"codes:{drafts[0].template.template_id}"
    code, _ = platform.sequences.next_values(name=codes, count=len(drafts), now=now)
    numbered = [
        _NumberedPass(draft, _issue(platform, draft, pass_id=pass_id, code=code + position, now=now))
        for position, (draft, pass_id) in enumerate(zip(drafts, pass_ids, strict=True))
    ]
    names = list(dict.fromkeys(name for draft in drafts for name in draft.tag_names))
    known = platform.tags.get_tags(project_id=project_id, names=names)[0] if names else {}
    sizes = platform.passes.group_new_passes(
        [(each.pass_, each.draft.tag_names) for each in numbered], new_tag_names=set(names) - set(known)
    )
    remaining = iter(numbered)
    return [[next(remaining) for _ in range(size)] for size in sizes]


def _take_code(draft: _Draft, number: int) -> str:
    """The redeem code of a new pass. Barcodes without a message show it where that is asked for (passworks-v2, sections
    6, 8 and 12)."""
    campaign, content = draft.template.campaign, draft.content
    fixed = campaign.code_fixed_value if campaign.code_type is CodeType.FIXED else None
    code = draft.own_code or sequential_code(number)
    if campaign.codes_in_barcodes or draft.request.code_in_barcode:
        for header in ("barcode_value", "barcodeAltText"):
            if not _read_header(content, header):
                _set_value(content, header, fixed or code)
        if content.lists.get("barcodes"):
            content.lists["barcodes"] = [
                {**barcode, **{name: barcode.get(name) or fixed or code for name in ("message", "alt_text")}}
                for barcode in content.lists["barcodes"]
            ]
    return code


def _set_value(content: Content, header: str, value: str) -> None:
    entry = content.headers.setdefault(header, Entry({"fieldType": "barcode", "formatType": 1}))
    entry.attributes["value"] = value


def _issue(platform: Platform, draft: _Draft, *, pass_id: int, code: int, now: datetime) -> Pass:
    return Pass(
        pass_id=pass_id,
        project_id=draft.template.project_id,
        template_id=draft.template.template_id,
        serial_number=platform.new_uuid(pass_id),
        redeem_code=_take_code(draft, code),
        has_own_code=draft.own_code is not None,
        external_id=draft.request.external_id,
        authentication_token=platform.new_token(),
        download_token=platform.new_token(),
        public_type=draft.request.public_type,
        status=PassStatus.NOT_BEEN_INSTALLED,
        installed_at=None,
        uninstalled_at=None,
        platform=None,
        tags=frozenset(),
        content=draft.content,
        version=1,
        last_modified=int(now.timestamp()),
        changed_ticket=0,
        revision=1,
        created_at=now,
        updated_at=now,
    )


def _store_group(platform: Platform, group: Sequence[_NumberedPass]) -> dict[int, Outcome]:
    """One transaction of new passes. Those whose external id or code is taken are refused, and the others go again."""
    refused: dict[int, Outcome] = {}
    campaign_id = group[0].draft.template.campaign_id

    def attempt() -> dict[int, Outcome] | None:
        remaining = [each for each in group if each.draft.position not in refused]
        names = dict.fromkeys(name for each in remaining for name in each.draft.tag_names)
        tags, new_tags = resolve_tags(platform, project_id=group[0].pass_.project_id, names=list(names))
        passes = []
        for each in remaining:
            own = [tags[name] for name in each.draft.tag_names]
            references = frozenset(TagReference(tag.tag_id, tag.generation) for tag in own)
            passes.append((replace(each.pass_, tags=references), own))
        outgoing = tell_created(platform, [pass_ for pass_, _ in passes], campaign_id=campaign_id)
        taken = {}
        if passes:
            receipt = platform.receipt_for(passes[0][0])
            taken = platform.passes.create_passes(passes, new_tags=new_tags, outgoing=outgoing, receipt=receipt)
        for position, kind in taken.items():
            draft, pass_ = remaining[position].draft, remaining[position].pass_
            refused[draft.position] = _code_taken() if kind == "code" else _external_id_taken(pass_.external_id)
        if taken:
            return None
        send_waiting(platform, outgoing)
        return {each.draft.position: pass_ for each, (pass_, _) in zip(remaining, passes, strict=True)}

    created = None
    while created is None:
        created = retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
    return created | refused


def _code_taken() -> AlreadyExists:
    return AlreadyExists(f"{_OTHER_NAME} is taken", field=_CODE)


def _external_id_taken(external_id: str | None) -> AlreadyExists:
    return AlreadyExists(f"{external_id!r} is already in use in this template", field="externalId")


REGISTRATIONS_AT_ONCE = 20
"""registrations that one transaction removes together with their pass"""


def delete_pass(
    platform: Platform, *, project_id: int, reference: PassReference, expect: Expectation | None = None
) -> Pass:
    """Removes a pass for good, with its registrations; it leaves every list and count in the same transaction.

    A pass on very many devices loses them in portions before that, so that a try that was cut short can be repeated.
    Whoever finds it gone after a try of whose end nothing was heard has deleted it.

    Raises:
        PreconditionFailed: it is not what was expected, before anything was removed.
        NotFound, Ambiguous, Busy
    """
    unheard = Unheard[Pass]()

    def attempt() -> Pass | None:
        nonlocal expect
        try:
            pass_ = get_pass_or_raise(platform, project_id=project_id, reference=reference)
        except NotFound:
            if unheard.thing is None:
                raise
            return unheard.thing
        if expect is not None:
            expect(pass_)
        registrations = []
        if pass_.registrations:
            registrations = platform.registrations.list_of_pass(pass_id=pass_.pass_id, limit=REGISTRATIONS_AT_ONCE)
            if not registrations:
                raise Conflict("the list of registrations is behind")
        if pass_.registrations > REGISTRATIONS_AT_ONCE:
            now = platform.now()
            after = release(pass_, devices=len(registrations), now=now)
            platform.registrations.unregister(before=pass_, after=after, registrations=registrations, live=[], now=now)
            expect = None  # the deletion has begun
            return None
        live = get_live_references(platform, pass_)
        with unheard.noting(pass_):
            platform.passes.delete_pass(pass_, live=live, registrations=registrations, now=platform.now())
        return pass_

    deleted = None
    while deleted is None:
        deleted = retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)
    return deleted
