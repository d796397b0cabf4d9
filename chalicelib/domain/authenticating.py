"""Who is calling: credentials to project. Fails closed: what cannot be checked is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock

import cachetools

from chalicelib.domain.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, Unauthorized
from chalicelib.domain.passes import as_milliseconds, from_milliseconds
from chalicelib.domain.ports import Platform
from chalicelib.domain.projects import (
    Credential,
    hash_secret,
    random_key,
    random_secret,
    validate_imported_pair,
)


class CredentialCache:
    """Credentials read a short while ago, so that a warm container asks the store once a minute (DESIGN, section 7).

    A revoked key therefore stops working within `seconds`. One that was given an end stops at that moment, or within
    `seconds` of its rotation if that comes later.
    """

    def __init__(self, *, seconds: float) -> None:
        self._found: cachetools.TTLCache[tuple[str | None, str], Credential] = cachetools.TTLCache(1000, seconds)
        self._lock = Lock()

    def get(self, key: str | None, secret_hash: str) -> Credential | None:
        """A credential that was found with this key and secret."""
        with self._lock:
            return self._found.get((key, secret_hash))

    def put(self, key: str | None, secret_hash: str, credential: Credential) -> None:
        """Remembers a credential that was found and is right."""
        with self._lock:
            self._found[(key, secret_hash)] = credential


def authenticate(platform: Platform, cache: CredentialCache, *, key: str | None, secret: str) -> Credential:
    """What a key and its secret, or the secret alone, open a project with. One call, none if cached.

    Raises:
        Unauthorized: unknown, wrong, revoked or expired; which of these is not told.
    """
    secret_hash, now = hash_secret(secret), platform.now()
    cached = cache.get(key, secret_hash)
    if cached is not None and cached.is_in_force(now):
        return cached
    if key is None:
        credential = platform.projects.get_credential_by_secret(secret_hash=secret_hash)
    else:
        credential = platform.projects.get_credential(key=key)
    if credential is None or not credential.opens_with(secret, now=now):
        raise Unauthorized("the credentials are unknown or wrong")
    cache.put(key, secret_hash, credential)
    return credential


def issue_key(
    platform: Platform, *, project_id: int, key: str | None = None, secret: str | None = None
) -> tuple[str, str]:
    """A new pair for a project, random unless given; the secret is not stored and cannot be shown again.

    Raises:
        NotFound: no such project.
        InvalidRequest: only one half is given, or the pair is unsafe or taken.
    """
    project = platform.projects.get_project(project_id=project_id)
    if project is None:
        raise NotFound("project", project_id)
    credential, secret = _make_credential(platform, project_id=project_id, key=key, secret=secret)
    platform.projects.create_credential(replace(credential, project_limit=project.limit))
    return credential.key, secret


def rotate_key(
    platform: Platform, *, old: Credential, overlap: timedelta, key: str | None = None, secret: str | None = None
) -> tuple[Credential, str, datetime]:
    """A new pair in the place of an old one, which ends by itself after `overlap`.

    The new credential, its secret, and when the old one ends.

    Both are written together, so that no failure leaves the old pair without a successor, or a project with a pair that
    nobody knows of. Not to be repeated: a second try finds that the old pair has its end already.

    Raises:
        InvalidRequest: the old pair is not in force, or has its end; or the new one is unsafe or taken.
    """
    now = platform.now()
    if not old.is_in_force(now):
        raise InvalidRequest("is not in force any more; issue another instead", field="key")
    if old.expires_at is not None:
        ends_at = old.expires_at.isoformat(timespec="seconds")
        raise InvalidRequest(f"has been rotated and ends at {ends_at}; revoke ends it now", field="key")
    new, secret = _make_credential(platform, project_id=old.project_id, key=key, secret=secret)
    new = replace(new, limit=old.limit, project_limit=old.project_limit)
    if new.key == old.key:
        raise AlreadyExists("is already in use", field="key")
    expires_at = from_milliseconds(as_milliseconds(now + overlap))
    try:
        platform.projects.replace_credential(old_key=old.key, expires_at=expires_at, new=new)
    except (AlreadyExists, Conflict) as error:
        if not _has_replaced(platform, old, new, expires_at):
            if isinstance(error, AlreadyExists):
                raise
            raise InvalidRequest("was changed by somebody else meanwhile; look and try again", field="key") from error
    return new, secret, expires_at


def _has_replaced(platform: Platform, old: Credential, new: Credential, expires_at: datetime) -> bool:
    """Whether our own write took effect, whose answer was lost and whose repetition then met itself."""
    stored, ending = (platform.projects.get_credential(key=key) for key in (new.key, old.key))
    is_stored = stored is not None and stored.secret_hash == new.secret_hash
    return is_stored and ending is not None and ending.expires_at == expires_at


def _make_credential(
    platform: Platform, *, project_id: int, key: str | None, secret: str | None
) -> tuple[Credential, str]:
    if (key is None) != (secret is None):
        raise InvalidRequest("bring both halves of a pair, or none", field="secret" if key else "key")
    if key is not None and secret is not None:
        validate_imported_pair(key=key, secret=secret)
    secret = secret or random_secret()
    credential = Credential(
        key=key or random_key(), secret_hash=hash_secret(secret), project_id=project_id, created_at=platform.now()
    )
    return credential, secret
