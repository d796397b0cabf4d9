"""How long the certificates of a deployment last, and what is wrong with any of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509

from chalicelib.domain.certificates import SHARED, CertificateBundle, CertificateSource
from chalicelib.wallets.apple.credentials import CertificateError, check_credentials

PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found."""

    days_left: Mapping[str, int]
    """whole days until the first certificate ends, by the kind of its scope, `shared` or `project`; below zero once it
    has ended"""
    problems: Sequence[str]
    """one sentence for each bundle that cannot sign; no certificate at all is a problem too"""


def survey_certificates(source: CertificateSource, scopes: Iterable[str], *, now: datetime) -> Survey:
    """Reads the certificates of these scopes. Apple's intermediates end as well, and count like the others.

    Raises:
        Busy: the source cannot be reached.
    """
    days_left: dict[str, int] = {}
    problems: list[str] = []
    is_empty = True
    for scope in scopes:
        kind = SHARED if scope == SHARED else PROJECT
        for bundle in source.read_bundles(scope):
            is_empty = False
            try:
                check_credentials(bundle, scope=scope, now=now)
            except CertificateError as error:
                problems.append(str(error))
            for end in _read_ends(bundle):
                days = (end - now).days
                days_left[kind] = min(days, days_left.get(kind, days))
    if is_empty:
        problems.append("there is no certificate; PASSEL_CERTIFICATES says where they are read from")
    return Survey(days_left=days_left, problems=problems)


def _read_ends(bundle: CertificateBundle) -> list[datetime]:
    """When the certificates of a bundle end; those that cannot be read are problems anyway."""
    ends = []
    for pem in (bundle.certificate_pem, bundle.wwdr_pem):
        try:
            ends.append(x509.load_pem_x509_certificate(pem).not_valid_after_utc)
        except ValueError:
            continue
    return ends
