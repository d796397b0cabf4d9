"""Signing certificates as they are stored: texts that nobody has looked into yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

SHARED = "shared"
"""the scope of certificates that every project may sign with; any other scope is a project id"""


@dataclass(frozen=True, slots=True)
class CertificateBundle:
    """A pass certificate, its key and the intermediate that issued it, each PEM; empty where the source has none."""

    name: str
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    wwdr_pem: bytes
    problem: str | None = None
    """why the source could not read the bundle"""


class CertificateSource(Protocol):
    """Where certificates are kept: below a root, `<scope>/<name>` with the members certificate, key and wwdr."""

    def read_bundles(self, scope: str) -> list[CertificateBundle]:
        """The bundles of a scope in order of their names; none if there is no such scope.

        Raises:
            Busy: the source cannot be reached.
        """
