"""Setting up who is told of what happens: addresses and headers are checked here, before anything is sent to them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from chalicelib.domain.errors import InvalidRequest, NotFound
from chalicelib.domain.ports import Platform
from chalicelib.domain.receivers import AirshipReceiver, Dialect, PassworksReceiver, Receiver
from chalicelib.domain.retrying import retry_conflicts

LONGEST_URL_CHARACTERS = 2048
MOST_HEADERS = 20
LONGEST_HEADER_NAME_CHARACTERS = 100
LONGEST_HEADER_VALUE_CHARACTERS = 2048

OWN_PREFIX = "passel-"
"""headers of ours begin so, in any case"""

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?")
"""visible ASCII; spaces only inside (RFC 9110, section 5.5)"""
_RESERVED = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "expect")
)
"""which say where a request goes and where it ends (RFC 9110, section 7; RFC 9112, section 6)"""
_ABOUT_THE_BODY = frozenset(("content-encoding", "content-language", "content-location", "content-range"))
_CONTENT_TYPE = "content-type"
_JSON = "application/json"


def set_airship_receiver(
    platform: Platform, *, project_id: int, base_url: str, headers: Mapping[str, str]
) -> tuple[Receiver, bool]:
    """Sets where Airship's callbacks go. Beside the receiver, whether its signing secret is new.

    Raises:
        InvalidRequest: the address is not one that we would call, or a header is not the caller's to set.
        Busy
    """
    _check_url(platform, base_url, field="baseUrl")
    _check_headers(headers)
    receiver = AirshipReceiver(base_url=base_url, headers=dict(headers))
    return _set(platform, project_id, airship=receiver)


def set_passworks_receiver(
    platform: Platform, *, project_id: int, url: str, authorization: str | None
) -> tuple[Receiver, bool]:
    """Sets where Passworks webhooks go. Beside the receiver, whether its signing secret is new.

    Raises:
        InvalidRequest: the address is not one that we would call, or the key cannot stand in a header.
        Busy
    """
    _check_url(platform, url, field="url")
    if authorization is not None:
        _check_value(authorization, field="authorization")
    return _set(platform, project_id, passworks=PassworksReceiver(url=url, authorization=authorization))


def get_receiver_or_raise(platform: Platform, *, project_id: int) -> Receiver:
    """What a project has set up, as it is now.

    Raises:
        NotFound: nothing.
    """
    receiver = platform.receivers.get_receiver(project_id)
    if receiver is None:
        raise NotFound("callback of project", project_id)
    return receiver


def remove_receiver(platform: Platform, *, project_id: int, dialect: Dialect) -> None:
    """Tells nobody any more in one dialect; what still waits to be told is dropped. The secret goes with the last one.

    Raises:
        NotFound: nobody is told in that dialect.
        Busy
    """

    def attempt() -> None:
        before = get_receiver_or_raise(platform, project_id=project_id)
        if dialect not in before.dialects:
            raise NotFound("callback of project", project_id)
        without: dict[str, Any] = {str(dialect): None}
        after = replace(before, revision=before.revision + 1, **without)
        if after.dialects:
            platform.receivers.put_receiver(after)
        else:
            platform.receivers.delete_receiver(before)

    retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def rotate_secret(platform: Platform, *, project_id: int) -> Receiver:
    """Makes a new signing secret. For a week callbacks carry a signature with the one before as well.

    Raises:
        NotFound: nobody is told of anything.
        Busy
    """

    def attempt() -> Receiver:
        before = get_receiver_or_raise(platform, project_id=project_id)
        after = replace(
            before,
            secret=platform.new_token(),
            previous_secret=before.secret,
            rotated_at=platform.now(),
            revision=before.revision + 1,
        )
        platform.receivers.put_receiver(after)
        return after

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _set(platform: Platform, project_id: int, **receivers: Any) -> tuple[Receiver, bool]:
    def attempt() -> tuple[Receiver, bool]:
        before = platform.receivers.get_receiver(project_id)
        if before is None:
            after = Receiver(project_id=project_id, secret=platform.new_token(), **receivers)
        else:
            after = replace(before, revision=before.revision + 1, **receivers)
        platform.receivers.put_receiver(after)
        return after, before is None

    return retry_conflicts(attempt, budget_seconds=platform.bounds.budget_seconds)


def _check_url(platform: Platform, url: str, *, field: str) -> None:
    """Checks an address as far as its text tells; where its host leads is checked at each call (DESIGN, section 7)."""
    if not 0 < len(url) <= LONGEST_URL_CHARACTERS:
        raise InvalidRequest(f"must be a URL of at most {LONGEST_URL_CHARACTERS} characters", field=field)
    if any(character in " \\" or not character.isprintable() for character in url):
        raise InvalidRequest("must not hold a space, a backslash or anything invisible", field=field)
    try:
        parts = urlsplit(url)
        port_is_usable = parts.port != 0
    except ValueError as error:
        raise InvalidRequest("must be a URL", field=field) from error
    if parts.scheme != "https":
        raise InvalidRequest("must be an https URL", field=field)
    if not parts.hostname or not port_is_usable:
        raise InvalidRequest("must name a host", field=field)
    if "@" in parts.netloc:
        raise InvalidRequest("must not hold credentials", field=field)
    if "#" in url or (field == "baseUrl" and "?" in url):
        raise InvalidRequest("must end with its path", field=field)
    problem = platform.judge_host(parts.hostname)
    if problem is not None:
        raise InvalidRequest(f"cannot be called: the host {problem}", field=field)


def _check_headers(headers: Mapping[str, str]) -> None:
    if len(headers) > MOST_HEADERS:
        raise InvalidRequest(f"has {len(headers)} headers, the limit is {MOST_HEADERS}", field="headers")
    if len({name.lower() for name in headers}) < len(headers):
        raise InvalidRequest("names a header twice", field="headers")
    for name, value in headers.items():
        field = f"headers.{name[:LONGEST_HEADER_NAME_CHARACTERS]}"
        if len(name) > LONGEST_HEADER_NAME_CHARACTERS or not _HEADER_NAME.fullmatch(name):
            problem = f"is not a header name of at most {LONGEST_HEADER_NAME_CHARACTERS} characters"
            raise InvalidRequest(problem, field=field)
        if _is_ours(name.lower(), value):
            raise InvalidRequest("is set by us", field=field)
        _check_value(value, field=field)


def _is_ours(name: str, value: str) -> bool:
    """A client may say what the content type is, as long as it is that."""
    if name == _CONTENT_TYPE:
        return value.partition(";")[0].strip().lower() != _JSON
    return name in _RESERVED | _ABOUT_THE_BODY or name.startswith((OWN_PREFIX, "proxy-"))


def _check_value(value: str, *, field: str) -> None:
    if len(value) > LONGEST_HEADER_VALUE_CHARACTERS or not _HEADER_VALUE.fullmatch(value):
        problem = f"must be 1 to {LONGEST_HEADER_VALUE_CHARACTERS} characters of visible ASCII"
        raise InvalidRequest(problem, field=field)
