"""The certificates that sign an account's passes, read only (passworks-v2, section 9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from chalice import Blueprint

from chalicelib.api.passworks.entry import PassworksRequest, Reply, decode, route
from chalicelib.api.passworks.paging import PAGING, paging_headers, read_paging
from chalicelib.domain.errors import NotFound
from chalicelib.domain.filtering import Kind, show
from chalicelib.wiring import get_keyring

certificates = Blueprint(__name__)


class Certificate(Protocol):
    """What is shown of signing credentials."""

    @property
    def certificate_id(self) -> str:
        """A UUID."""

    @property
    def team_identifier(self) -> str:
        """The Apple developer team."""

    @property
    def pass_type_identifier(self) -> str:
        """The pass type that it signs."""

    @property
    def issued_to(self) -> str:
        """The common name of its subject."""

    @property
    def expires_at(self) -> datetime:
        """The end of its validity."""


@route(
    certificates,
    "/v2/certificates",
    methods=["GET"],
    query=PAGING,
    answer="passworks_answers.CertificateObject[]",
    shares=("paging",),
)
def list_certificates(request: PassworksRequest) -> Any:
    """List certificates

    One page of what the account's passes may be signed with: its own by name, then those shared by all accounts.
    """
    paging = read_paging(request)
    found = _list_credentials(request)
    shown = found[paging.offset : paging.offset + paging.size]
    return Reply(document=[_show(credentials) for credentials in shown], headers=paging_headers(paging, len(found)))


@route(
    certificates,
    "/v2/certificates/{certificate_id}",
    methods=["GET"],
    answer="passworks_answers.CertificateObject",
)
def get_certificate(request: PassworksRequest, certificate_id: str) -> Any:
    """Get a certificate

    Whom it was issued to and when it ends. Its key is never shown.
    """
    wanted = decode(certificate_id)
    for credentials in _list_credentials(request):
        if credentials.certificate_id == wanted:
            return _show(credentials)
    raise NotFound("certificate", wanted[:40])


def _list_credentials(request: PassworksRequest) -> Sequence[Certificate]:
    return get_keyring().list_credentials(request.project_id)


def _show(credentials: Certificate) -> dict[str, Any]:
    return {
        "id": credentials.certificate_id,
        "team_identifier": credentials.team_identifier,
        "pass_type_identifier": credentials.pass_type_identifier,
        "issued_to": credentials.issued_to,
        "expires_at": show(Kind.TIME, credentials.expires_at),
    }
