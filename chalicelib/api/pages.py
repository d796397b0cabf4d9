"""Pages for people: the distribution of a campaign and its passes (passworks-v2, sections 6 and 8)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib import logs
from chalicelib.api.declared import Parameter
from chalicelib.api.passkit.delivery import check_address, count_event, send_pkpass
from chalicelib.api.requests import PKPASS, ApiRequest, decode, page_route
from chalicelib.domain import page_addresses
from chalicelib.domain.callback_events import report_delivery
from chalicelib.domain.clients import is_crawler, recognise_client
from chalicelib.domain.errors import Busy, InvalidRequest, NotFound, StateRefused
from chalicelib.domain.page_addresses import PageUrls
from chalicelib.domain.passes import Pass
from chalicelib.domain.reporting import Event
from chalicelib.domain.templates import Template
from chalicelib.domain.visiting import (
    get_distribution_or_raise,
    get_visited_pass_or_raise,
    get_visited_template_or_raise,
    take_pass,
)
from chalicelib.errors import wallet_answer
from chalicelib.settings import get_settings
from chalicelib.wiring import get_google_parts, get_image_cache, get_wallet_services

if TYPE_CHECKING:
    from chalicelib.pages.rendering import Page
    from chalicelib.pages.views import CardView

pages = Blueprint(__name__)

_log = logging.getLogger("passel")

QR_SCALE = 8
"""pixels for each module of a QR picture"""

HTML = "text/html"
PNG = "image/png"

FILE = Parameter(
    name=page_addresses.FILE_QUERY[0],
    text=f"`{page_addresses.FILE_QUERY[1]}` asks for the file itself, also in a browser on Android.",
)

_PNG = {"Content-Type": PNG, "Cache-Control": "private, max-age=300", "X-Content-Type-Options": "nosniff"}


def _explain(error: Exception) -> Response:
    from chalicelib.pages.rendering import render_message_page

    answer = wallet_answer(error)
    status = answer.status
    if isinstance(error, NotFound):
        page = render_message_page("Not found", "There is no pass at this address.")
    elif isinstance(error, StateRefused | InvalidRequest):
        page = render_message_page("Not available", "No passes are issued here at present.")
        status = 410
    else:
        page = render_message_page("Please try again", "The pass cannot be shown at present. Try again in a minute.")
    return Response(body=page.html, status_code=status, headers={**answer.headers, **page.headers})


_route = partial(page_route, pages, explain=_explain)
"""Registers a view for a person's browser; what goes wrong becomes a page as well."""


@_route(
    "/p/{distribution}",
    operation="open_distribution_page",
    answers={200: (HTML, PKPASS, PNG), 302: None},
    query=(FILE,),
    shares=("visitor", "freshness"),
)
def show_distribution(request: ApiRequest, distribution: str) -> Response:
    """Open the page of a campaign

    For people: a visitor gets a pass of his own, the same one for a day. An ending asks for something else than the
    page: `.pkpass` for the pass, `.png` for a picture of it, `.qrcode` for the address as a QR code, `.google` for
    Google's page that saves it.
    """
    code, suffix = page_addresses.split_suffix(decode(distribution))
    template = get_distribution_or_raise(request.platform, code)
    urls = page_addresses.distribution_urls(request.base_url, code=code, updated_at=template.updated_at)
    if suffix == ".qrcode":
        return _qr_picture(urls.page_url)
    if suffix == ".png":
        return _picture(_view_template(template, request.base_url))
    if is_crawler(request.header("user-agent")) or _is_prefetch(request):
        return _page(_render(request, template, _view_template(template, request.base_url), urls))
    pass_, is_new = take_pass(
        request.platform, template, visitor=_visitor(request, template), hours=get_settings().visitor_hours
    )
    own_urls = _pass_urls(request, code, pass_)
    response = _show(request, template, pass_, suffix=suffix, urls=own_urls)
    if is_new:
        response.headers["Set-Cookie"] = _cookie(request, template, pass_)
    return response


@_route(
    "/p/{distribution}/{code}",
    operation="open_pass_page",
    answers={200: (HTML, PKPASS, PNG), 302: None},
    query=(FILE,),
    shares=("freshness",),
)
def show_pass(request: ApiRequest, distribution: str, code: str) -> Response:
    """Open the page of a pass

    Whoever has the address may look, and take the pass. The endings are those of a campaign's page.
    """
    pass_code, suffix = page_addresses.split_suffix(decode(code))
    pass_ = get_visited_pass_or_raise(request.platform, pass_code)
    template = get_visited_template_or_raise(request.platform, pass_, distribution=decode(distribution))
    urls = _pass_urls(request, decode(distribution), pass_)
    return _show(request, template, pass_, suffix=suffix, urls=urls)


def _is_prefetch(request: ApiRequest) -> bool:
    """Whether a browser looks ahead at what nobody has opened yet."""
    return any("prefetch" in (request.header(name) or "").lower() for name in ("sec-purpose", "purpose", "x-moz"))


def _show(request: ApiRequest, template: Template, pass_: Pass, *, suffix: str, urls: PageUrls) -> Response:
    logs.note(project_id=pass_.project_id, pass_id=pass_.pass_id)
    if suffix == ".qrcode":
        return _qr_picture(urls.page_url)
    if suffix == ".google":
        return _lead_to_google(request, template, pass_)
    card = _view_pass(template, pass_, request.base_url)
    if suffix == ".png":
        return _picture(card)
    if suffix == ".pkpass":
        return offer_pass(request, template, pass_, card=card, urls=urls)
    count_event(request.platform, pass_, Event.VIEWS)
    return _page(_render(request, template, card, urls))


def _lead_to_google(request: ApiRequest, template: Template, pass_: Pass) -> Response:
    """On to Google's page that saves the pass, which is brought there now: few of those who look want it.

    Raises:
        NotFound: the project has no service account.
        Busy: Google cannot be reached.
    """
    from chalicelib.domain.google_passes import make_save_link

    if not _has_google(pass_.project_id):
        raise NotFound("pass", "at Google")
    read_passes = partial(request.platform.passes.get_passes, consistent=True)
    link = make_save_link(get_google_parts(), pass_, template=template, read_passes=read_passes)
    if link is None:
        raise Busy("Google cannot be reached")
    return Response(body="", status_code=302, headers={"Location": link, "Cache-Control": "no-store"})


def _has_google(project_id: int) -> bool:
    """Whether passes of a project can be brought to Google. A page does without a button if that cannot be told."""
    try:
        account = get_wallet_services().get_google(project_id)
    except Busy as error:
        _log.warning("the page of a pass goes without Google: %r", error)
        return False
    return account is not None and account.service_account is not None


def offer_pass(request: ApiRequest, template: Template, pass_: Pass, *, card: CardView, urls: PageUrls) -> Response:
    """The pass itself; in a browser on Android a page of the wallets that could take it.

    Raises:
        Busy, InvalidRequest
    """
    check_address(request.base_url)
    if (
        request.query(FILE.name) != page_addresses.FILE_QUERY[1]
        and recognise_client(request.header("user-agent")) == "android"
    ):
        from chalicelib.pages.rendering import render_android_page
        from chalicelib.pages.wallet_links import wallet_links

        wallets = wallet_links(urls.pkpass_file_url)
        google_url = urls.google_url if _has_google(pass_.project_id) else None
        return _page(
            render_android_page(card, pkpass_url=urls.pkpass_file_url, wallets=wallets, google_save_url=google_url)
        )
    response = send_pkpass(request.platform, pass_, base_url=request.base_url, event=Event.DOWNLOADS)
    report_delivery(request.platform, pass_, name="downloaded", campaign_id=template.campaign_id)
    return response


def _render(request: ApiRequest, template: Template, card: CardView, urls: PageUrls) -> Page:
    from chalicelib.pages.rendering import describe_link, render_pass_page
    from chalicelib.pages.wallet_links import wallet_links

    return render_pass_page(
        card,
        pkpass_url=urls.pkpass_file_url,
        page_url=urls.page_url,
        platform=recognise_client(request.header("user-agent")),
        wallets=wallet_links(urls.pkpass_file_url),
        google_save_url=urls.google_url if _has_google(template.project_id) else None,
        open_graph=describe_link(card, template.campaign, image_url=urls.preview_url),
    )


def _page(page: Page) -> Response:
    return Response(body=page.html, status_code=200, headers=dict(page.headers))


def _picture(card: CardView) -> Response:
    from chalicelib.pages.preview import render_preview

    read_image = get_image_cache().read_image
    return Response(body=render_preview(card, lambda asset_id: read_image(asset_id, 2)), headers=dict(_PNG))


def _qr_picture(url: str) -> Response:
    from chalicelib.pages.codes import qr_png

    return Response(body=qr_png(url, scale=QR_SCALE), headers=dict(_PNG))


def _view_pass(template: Template, pass_: Pass, base_url: str) -> CardView:
    from chalicelib.pages.views import view_pass

    return view_pass(
        pass_,
        style=template.style,
        organization=template.name,
        description=template.description,
        base_url=base_url,
        now=datetime.now(UTC),
        codes=False,
    )


def _view_template(template: Template, base_url: str) -> CardView:
    from chalicelib.pages.views import view_content

    return view_content(
        template.content,
        style=template.style,
        organization=template.name,
        description=template.description,
        base_url=base_url,
        now=datetime.now(UTC),
    )


def offer_download(request: ApiRequest, pass_: Pass) -> Response:
    """A pass that is downloaded by its link or by a client: the pass itself, or the page of wallets.

    Raises:
        NotFound: its campaign is gone.
        Busy, InvalidRequest
    """
    distribution = page_addresses.ANY_DISTRIBUTION
    template = get_visited_template_or_raise(request.platform, pass_, distribution=distribution)
    card, urls = _view_pass(template, pass_, request.base_url), _pass_urls(request, distribution, pass_)
    return offer_pass(request, template, pass_, card=card, urls=urls)


def _pass_urls(request: ApiRequest, distribution: str, pass_: Pass) -> PageUrls:
    return page_addresses.pass_urls(
        request.base_url,
        distribution=distribution,
        code=page_addresses.pass_code(pass_.pass_id, pass_.download_token),
        updated_at=pass_.updated_at,
    )


def _cookie_name(template: Template) -> str:
    return f"passel_{template.template_id}"


def _visitor(request: ApiRequest, template: Template) -> str | None:
    try:
        morsel = SimpleCookie(request.header("cookie") or "").get(_cookie_name(template))
    except CookieError:
        return None
    return None if morsel is None else morsel.value


def _cookie(request: ApiRequest, template: Template, pass_: Pass) -> str:
    """Names the visitor's pass for as long as he is to get the same one; no script can read it."""
    code = page_addresses.pass_code(pass_.pass_id, pass_.download_token)
    seconds = get_settings().visitor_hours * 3600
    secure = "; Secure" if request.base_url.startswith("https:") else ""
    return f"{_cookie_name(template)}={code}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"
