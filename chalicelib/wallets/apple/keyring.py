"""Which certificate signs for which project. Fails closed: a bundle with any fault signs nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol, TypeVar

import cachetools

from chalicelib.domain.certificates import SHARED, CertificateBundle, CertificateSource
from chalicelib.domain.errors import Busy
from chalicelib.wallets.apple.credentials import CertificateError, SigningCredentials, check_credentials
from chalicelib.wallets.apple.survey import Survey, survey_certificates

DEFAULT = "default"
"""the bundle that a project signs with unless a pass names another"""

ENDING = timedelta(days=30)
"""certificates that end this soon are reported"""

_SCOPES = 1000

_log = logging.getLogger("passel")


@dataclass(frozen=True, slots=True)
class _Loaded:
    """A bundle after its check: credentials, or what is wrong."""

    name: str
    outcome: SigningCredentials | CertificateError


class Named(Protocol):
    """Anything with the name of a bundle."""

    @property
    def name(self) -> str:
        """As it stands below the scope."""


Bundle = TypeVar("Bundle", bound=Named)


def choose_default(bundles: Sequence[Bundle]) -> Bundle:
    """Of a scope's bundles in order of their names the one that signs unless a pass names another."""
    return next((bundle for bundle in bundles if bundle.name == DEFAULT), bundles[0])


class Keyring:
    """The signing credentials of all projects, read from a source and remembered for `cache_seconds`."""

    def __init__(self, source: CertificateSource, *, now: Callable[[], datetime], cache_seconds: float) -> None:
        self._source = source
        self._now = now
        self._loaded: cachetools.TTLCache[str, list[_Loaded]] = cachetools.TTLCache(
            _SCOPES, cache_seconds, timer=lambda: now().timestamp()
        )
        self._lock = Lock()

    def list_credentials(self, project_id: int) -> list[SigningCredentials]:
        """What a project may sign with: its own by name, then the shared.

        Raises:
            Busy: the source cannot be reached.
        """
        return [*self.list_scope(str(project_id)), *self.list_scope(SHARED)]

    def list_scope(self, scope: str) -> list[SigningCredentials]:
        """What may sign of one scope, a project id or the shared, by name.

        Raises:
            Busy: the source cannot be reached.
        """
        return [credentials for _, credentials in self.list_named(scope)]

    def list_named(self, scope: str) -> list[tuple[str, SigningCredentials]]:
        """The same, each with the name of its bundle.

        Raises:
            Busy: the source cannot be reached.
        """
        fit = ((bundle.name, self._fit(bundle)) for bundle in self._load(scope))
        return [(name, credentials) for name, credentials in fit if credentials is not None]

    def get_credentials(self, project_id: int, certificate_id: str | None) -> SigningCredentials | None:
        """The certificate with that id; without an id the project's default. None: there is none, or it is unfit.

        The default is the bundle `default` of the project, else its first, else the same of the shared. An unfit one
        is not replaced by another: passes would change their type, and phones would take them for new ones.

        Raises:
            Busy: the source cannot be reached.
        """
        if certificate_id is not None:
            found = (one for one in self.list_credentials(project_id) if one.certificate_id == certificate_id)
            return next(found, None)
        bundles = self._load(str(project_id)) or self._load(SHARED)
        if not bundles:
            return None
        return self._fit(choose_default(bundles))

    def find_by_pass_type(self, project_id: int, pass_type: str) -> SigningCredentials | None:
        """A usable certificate of a pass type: the project's default one if it is of that type, else any.

        Raises:
            Busy: the source cannot be reached.
        """
        default = self.get_credentials(project_id, None)
        candidates = [*([default] if default else []), *self.list_credentials(project_id)]
        return next((one for one in candidates if one.pass_type_identifier == pass_type), None)

    def check_all(self, scopes: Iterable[str]) -> list[str]:
        """Everything that is wrong with the certificates of these scopes, or will be within 30 days. Reads anew."""
        problems: list[str] = []
        for scope in scopes:
            try:
                bundles = self._read(scope)
            except Busy as error:
                problems.append(f"{scope}: {error}: {error.__cause__}")
                continue
            for bundle in bundles:
                problems += self._describe(scope, bundle)
        return problems

    def survey(self, scopes: Iterable[str]) -> Survey:
        """How long the certificates of these scopes last, and which cannot sign. Reads anew.

        Raises:
            Busy: the source cannot be reached.
        """
        return survey_certificates(self._source, scopes, now=self._now())

    def _describe(self, scope: str, bundle: _Loaded) -> list[str]:
        if isinstance(bundle.outcome, CertificateError):
            return [str(bundle.outcome)]
        ends = {
            "pass certificate": bundle.outcome.expires_at,
            "WWDR certificate": bundle.outcome.wwdr.not_valid_after_utc,
        }
        return [
            f"the certificate bundle {scope}/{bundle.name}: the {what} expires on {end.isoformat()}"
            for what, end in ends.items()
            if end - self._now() < ENDING
        ]

    def _fit(self, bundle: _Loaded) -> SigningCredentials | None:
        """The credentials, unless they ended since they were loaded."""
        outcome = bundle.outcome
        if isinstance(outcome, CertificateError):
            return None
        ends = min(outcome.expires_at, outcome.wwdr.not_valid_after_utc)
        return outcome if self._now() <= ends else None

    def _load(self, scope: str) -> list[_Loaded]:
        with self._lock:
            bundles = self._loaded.get(scope)
            if bundles is None:
                bundles = self._read(scope)
                self._loaded[scope] = bundles
                for bundle in bundles:
                    if isinstance(bundle.outcome, CertificateError):
                        _log.error("%s", bundle.outcome)
            return bundles

    def _read(self, scope: str) -> list[_Loaded]:
        return [_Loaded(bundle.name, self._check(scope, bundle)) for bundle in self._source.read_bundles(scope)]

    def _check(self, scope: str, bundle: CertificateBundle) -> SigningCredentials | CertificateError:
        try:
            return check_credentials(bundle, scope=scope, now=self._now())
        except CertificateError as error:
            return error
