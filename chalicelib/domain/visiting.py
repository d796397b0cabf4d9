"""Passes over the web: the distribution of a campaign, and the page of a pass (passworks-v2, section 6)."""

from __future__ import annotations

import hmac
from datetime import timedelta

from chalicelib.domain.content import ContentUpdate
from chalicelib.domain.errors import NotFound
from chalicelib.domain.identifiers import number_in
from chalicelib.domain.issuing import check_issuing, create_pass
from chalicelib.domain.page_addresses import ANY_DISTRIBUTION, parse_distribution_code, parse_pass_code
from chalicelib.domain.passes import NewPass, Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.templates import Template, TemplateReference


def get_distribution_or_raise(platform: Platform, code: str) -> Template:
    """The template that a page address names. One call.

    Raises:
        NotFound
    """
    parsed = parse_distribution_code(code)
    template = None
    if parsed is not None:
        project_id, campaign_id = parsed
        template_id = number_in(campaign_id)
        if template_id is not None:
            template = platform.templates.get_template(project_id=project_id, template_id=template_id)
        if template is not None and template.campaign_id != campaign_id:
            template = None
    if template is None:
        raise NotFound("page", code[:40])
    return template


def get_visited_template_or_raise(platform: Platform, pass_: Pass, *, distribution: str) -> Template:
    """The template of a pass whose address names this distribution. One call.

    Raises:
        NotFound: the pass is of another one, or its template is gone.
    """
    template: Template | None
    if distribution == ANY_DISTRIBUTION:
        template = platform.templates.get_template(project_id=pass_.project_id, template_id=pass_.template_id)
    else:
        template = get_distribution_or_raise(platform, distribution)
    if template is None or template.template_id != pass_.template_id:
        raise NotFound("pass", "of this address")
    return template


def get_visited_pass_or_raise(platform: Platform, code: str) -> Pass:
    """The pass that a page address or a download link names and proves to know. One call.

    Raises:
        NotFound: no such pass, or the token is not its own; which of these is not told.
    """
    parsed = parse_pass_code(code)
    if parsed is not None:
        pass_id, token = parsed
        pass_ = platform.passes.get_pass(project_id=None, pass_id=pass_id)
        if pass_ is not None and hmac.compare_digest(pass_.download_token, token):
            return pass_
    raise NotFound("pass", "of this address")


def take_pass(platform: Platform, template: Template, *, visitor: str | None, hours: int) -> tuple[Pass, bool]:
    """The pass of a visitor of a distribution, and whether it is new.

    `visitor` is the code of the pass that an earlier visit got; it is kept for some hours (section 6).

    Raises:
        StateRefused: the campaign is paused or archived.
        InvalidRequest, NotFound, Busy
    """
    if visitor:
        try:
            pass_ = get_visited_pass_or_raise(platform, visitor)
        except NotFound:
            pass_ = None
        young = pass_ is not None and platform.now() - pass_.created_at < timedelta(hours=hours)
        if pass_ is not None and young and pass_.template_id == template.template_id:
            return pass_, False
    check_issuing(template)
    new = NewPass(update=ContentUpdate(), code_in_barcode=template.campaign.codes_in_barcodes)
    reference = TemplateReference(template_id=template.template_id)
    return create_pass(platform, project_id=template.project_id, template=reference, new=new), True
