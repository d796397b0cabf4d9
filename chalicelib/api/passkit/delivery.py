"""A pass as a file: signed when asked for and kept for a while, since the same version is the same file."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from threading import Lock

import cachetools
from chalice import Response

from chalicelib import logs
from chalicelib.api.requests import PKPASS
from chalicelib.domain.errors import Busy, InvalidRequest, PasselError
from chalicelib.domain.http_dates import format_http_date
from chalicelib.domain.passes import Pass
from chalicelib.domain.ports import Platform
from chalicelib.domain.reporting import Event
from chalicelib.wiring import get_image_cache, get_keyring

CACHE_BYTES = 32 * 1024 * 1024

_archives: cachetools.LRUCache[tuple[int, int, str, str], bytes] = cachetools.LRUCache(CACHE_BYTES, getsizeof=len)
_lock = Lock()
_log = logging.getLogger("passel")


def build_pkpass(pass_: Pass, *, base_url: str) -> bytes:
    """The signed file of a pass.

    Raises:
        Busy: there is no certificate that could sign it; the log says why.
        InvalidRequest: see `check_address`.
    """
    from chalicelib.wallets.apple.archive import build_archive

    logs.note(project_id=pass_.project_id, pass_id=pass_.pass_id)
    check_address(base_url)
    credentials = get_keyring().get_credentials(pass_.project_id, pass_.certificate_id)
    if credentials is None:
        _log.error("no usable pass certificate for project %d; `certificates check` says why", pass_.project_id)
        raise Busy("passes cannot be signed at present", retry_after_seconds=60)
    key = (pass_.pass_id, pass_.version, base_url, credentials.fingerprint)
    with _lock:
        archive = _archives.get(key)
    if archive is None:
        read_image = get_image_cache().read_image
        archive = build_archive(pass_, credentials=credentials, base_url=base_url, read_image=read_image)
        with _lock:
            if len(archive) < CACHE_BYTES:
                _archives[key] = archive
    return archive


def check_address(base_url: str) -> None:
    """Checks the address that the pass is to report to, which without a setting is the one that the client named.

    Raises:
        InvalidRequest: no pass can name it (wallets, section 2.1); the log says so too, since a setting may be wrong.
    """
    from chalicelib.wallets.apple.pass_json import check_base_url

    try:
        check_base_url(base_url)
    except ValueError as error:
        _log.error("%s", error)
        raise InvalidRequest("no pass can be asked for under this address") from error


def send_pkpass(platform: Platform, pass_: Pass, *, base_url: str, event: Event) -> Response:
    """The file as an answer; `event` says for the reports how it was asked for.

    Raises:
        Busy, InvalidRequest
    """
    archive = build_pkpass(pass_, base_url=base_url)
    count_event(platform, pass_, event)
    return Response(
        body=archive,
        status_code=200,
        headers={
            "Content-Type": PKPASS,
            "Content-Disposition": f'attachment; filename="{pass_.serial_number}.pkpass"',
            **freshness(pass_),
        },
    )


def freshness(pass_: Pass) -> dict[str, str]:
    """Headers that say how old the pass is; nothing in between may keep it (wallets, section 2.2)."""
    return {"Last-Modified": format_http_date(pass_.last_modified), "Cache-Control": "private, no-store"}


def count_event(platform: Platform, pass_: Pass, event: Event) -> None:
    """Counts for the reports. A count that is lost keeps nobody from his pass."""
    try:
        platform.counts.count_event(template_id=pass_.template_id, event=event, at=datetime.now(UTC))
    except PasselError as error:
        _log.warning("an event of template %d was not counted: %r", pass_.template_id, error)
