"""Who is calling: credentials to project. Fails closed: what cannot be checked is refused."""

from __future__ import annotations

from threading import Lock

import cachetools

from chalicelib.domain.errors import InvalidRequest, NotFound, Unauthorized
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

    A revoked key therefore stops working within `seconds`.
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


def authenticate(platform: Platform, cache: CredentialCache, *, key: str | None, secret: str) -> int:
    """The project that a key and its secret, or the secret alone, open. One call, none if cached.

    Raises:
        Unauthorized: unknown, wrong or revoked; which of these is not told.
    """
    secret_hash = hash_secret(secret)
    cached = cache.get(key, secret_hash)
    if cached is not None:
        return cached.project_id
    if key is None:
        credential = platform.projects.get_credential_by_secret(secret_hash=secret_hash)
    else:
        credential = platform.projects.get_credential(key=key)
    if credential is None or not credential.opens_with(secret):
        raise Unauthorized("the credentials are unknown or wrong")
    cache.put(key, secret_hash, credential)
    return credential.project_id


def issue_key(
    platform: Platform, *, project_id: int, key: str | None = None, secret: str | None = None
) -> tuple[str, str]:
    """A new pair for a project, random unless given; the secret is not stored and cannot be shown again.

    Raises:
        NotFound: no such project.
        InvalidRequest: only one half is given, or the pair is unsafe or taken.
    """
    if platform.projects.get_project(project_id=project_id) is None:
        raise NotFound("project", project_id)
    if (key is None) != (secret is None):
        raise InvalidRequest("bring both halves of a pair, or none", field="secret" if key else "key")
    if key is not None and secret is not None:
        validate_imported_pair(key=key, secret=secret)
    key, secret = key or random_key(), secret or random_secret()
    platform.projects.create_credential(
        Credential(key=key, secret_hash=hash_secret(secret), project_id=project_id, created_at=platform.now())
    )
    return key, secret
