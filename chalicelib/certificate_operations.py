"""What operators do about certificates and wallet documents: see what can sign, check it, and install others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import tenacity
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import ValidationError

from chalicelib.domain.certificates import SHARED, CertificateBundle
from chalicelib.domain.errors import InvalidRequest, NotFound, Refused
from chalicelib.operations import get_project_or_raise, list_projects
from chalicelib.schemas.wallet_services import WalletsDocument
from chalicelib.wallets.apple.certificate_files import (
    bundle_from_files,
    bundle_from_p12,
    describe_key,
    find_weaknesses,
    read_pass_type,
)
from chalicelib.wallets.apple.credentials import (
    CertificateError,
    SigningCredentials,
    check_credentials,
    describe_name,
)
from chalicelib.wallets.apple.keyring import DEFAULT, ENDING, choose_default
from chalicelib.wiring import get_keyring, get_secrets_source, make_secrets_writer

WALLETS, GOOGLE = "wallets", "google"

_READ_BACK_SECONDS = 10.0

_GOOGLE_MEMBERS = ("type", "client_email", "private_key")


AskPassword = Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that can sign, in words. Times are aware UTC."""

    scope: str
    name: str
    pass_type: str
    team: str
    expires_at: datetime
    certificate_id: str
    key: str
    """its kind and size"""
    issuer: str
    """the intermediate that issued it, by name and signature"""
    issuer_expires_at: datetime


@dataclass(frozen=True, slots=True)
class CertificateReport:
    """What can sign passes now, and everything that is wrong or soon will be."""

    usable: list[Certificate]
    problems: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """What a team has: a certificate with its key, or a .p12 that holds both; and intermediates, PEM or DER."""

    certificate: bytes = b""
    key: bytes = b""
    p12: bytes | None = None
    authorities: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """A certificate that is in its place now. `is_new` is False if it was there before: then nothing was written."""

    certificate: Certificate
    is_new: bool
    warnings: list[str]


def check_certificates() -> CertificateReport:
    """Reads the certificates of every project anew, and the shared ones.

    Each has been held against its issuer's name and key, its own key, the clock, and what is too weak to be trusted.

    Raises:
        Busy: the place where they are kept cannot be reached.
    """
    keyring = get_keyring()
    scopes = [SHARED, *(str(project.project_id) for project in list_projects())]
    usable = [(scope, *named) for scope in scopes for named in keyring.list_named(scope)]
    problems = keyring.check_all(scopes)
    for scope, name, credentials in usable:
        problems += [f"the certificate bundle {scope}/{name}: {each}" for each in find_weaknesses(credentials)]
    if not usable and not problems:
        problems = ["there is no certificate; PASSEL_CERTIFICATES says where they are read from"]
    return CertificateReport(usable=[_describe(*each) for each in usable], problems=problems)


def _describe(scope: str, name: str, credentials: SigningCredentials) -> Certificate:
    return Certificate(
        scope=scope,
        name=name,
        pass_type=credentials.pass_type_identifier,
        team=credentials.team_identifier,
        expires_at=credentials.expires_at,
        certificate_id=credentials.certificate_id,
        key=describe_key(credentials.certificate),
        issuer=describe_name(credentials.wwdr.subject).strip("'"),
        issuer_expires_at=credentials.wwdr.not_valid_after_utc,
    )


def install_certificate(
    files: CertificateFiles,
    *,
    ask_password: AskPassword,
    project_id: int | None,
    name: str = DEFAULT,
    change_pass_type: bool = False,
    kms_key: str | None = None,
) -> Installation:
    """Checks a certificate, puts it in the place of the one with its name, and reads it back.

    The password is asked for only if a file has one. Nothing is written unless everything is in order. Readers find the
    old certificate or the new one, never a mixture. Safe to repeat.

    Raises:
        NotFound: no such project.
        Refused: the certificate cannot sign, is too weak, or is for another pass type than that which it replaces.
        SettingsError: no place for certificates is set.
        Busy
    """
    scope = _check_scope(project_id)
    if re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", name) is None or name in (WALLETS, GOOGLE):
        raise InvalidRequest(f"{name!r} cannot be the name of a certificate", field="name")
    writer = make_secrets_writer(kms_key=kms_key)
    try:
        bundle = _read_bundle(name, files, ask_password)
        credentials = check_credentials(bundle, scope=scope, now=datetime.now(UTC))
        weaknesses = find_weaknesses(credentials)
    except CertificateError as error:
        raise Refused(str(error)) from error
    if weaknesses:
        raise Refused(f"the certificate bundle {scope}/{name}: {'; '.join(weaknesses)}")
    if not change_pass_type:
        _check_pass_type(scope, bundle, credentials)
    is_new = not _is_installed(scope, credentials)
    warnings = _find_ends(credentials)
    if is_new:
        left = writer.write_bundle(scope, bundle)
        warnings += [f"{place} does not count any more and could not be removed" for place in left]
        _read_back(scope, credentials)
    return Installation(certificate=_describe(scope, name, credentials), is_new=is_new, warnings=warnings)


def _read_bundle(name: str, files: CertificateFiles, ask_password: AskPassword) -> CertificateBundle:
    if files.p12 is not None:
        return bundle_from_p12(name, data=files.p12, authorities=files.authorities, ask_password=ask_password)
    return bundle_from_files(
        name,
        certificate=files.certificate,
        key=files.key,
        authorities=files.authorities or b"",
        ask_password=ask_password,
    )


def _check_scope(project_id: int | None) -> str:
    if project_id is None:
        return SHARED
    return str(get_project_or_raise(project_id=project_id).project_id)


def _check_pass_type(scope: str, bundle: CertificateBundle, credentials: SigningCredentials) -> None:
    """Refuses a certificate by which passes that are out would change their type: phones take them for other passes."""
    replaced = _find_replaced(scope, bundle)
    before = None if replaced is None else read_pass_type(replaced.certificate_pem)
    if before not in (None, credentials.pass_type_identifier):
        raise Refused(
            f"this certificate is for {credentials.pass_type_identifier}, and passes are signed for {before} now:"
            " phones would take all of them for new ones; --change-pass-type if that is meant"
        )


def _find_replaced(scope: str, bundle: CertificateBundle) -> CertificateBundle | None:
    """What signs now in the place of the bundle: the one of its name, else what it displaces as the scope's default."""
    source = get_secrets_source()
    own = source.read_bundles(scope)
    same = next((each for each in own if each.name == bundle.name), None)
    if same is not None:
        return same
    if choose_default(sorted([*own, bundle], key=lambda each: each.name)) is not bundle:
        return None
    before = own or (source.read_bundles(SHARED) if scope != SHARED else [])
    return choose_default(before) if before else None


def _is_installed(scope: str, credentials: SigningCredentials) -> bool:
    """Whether the same certificate under the same issuer can be read and signs."""
    for bundle in get_secrets_source().read_bundles(scope):
        try:
            found = check_credentials(bundle, scope=scope, now=datetime.now(UTC))
        except CertificateError:
            continue
        if found.certificate_id == credentials.certificate_id:
            return (found.certificate, found.wwdr) == (credentials.certificate, credentials.wwdr)
    return False


def _read_back(scope: str, credentials: SigningCredentials) -> None:
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda is_there: not is_there),
        stop=tenacity.stop_after_delay(_READ_BACK_SECONDS),
        wait=tenacity.wait_fixed(0.5),
        retry_error_callback=lambda _: False,
    )
    if not retrying(_is_installed, scope, credentials):
        raise Refused(
            "the certificate was written, but what is read back is another; look at it with `certificates check`"
        )


def _find_ends(credentials: SigningCredentials) -> list[str]:
    ends = {"certificate": credentials.expires_at, "WWDR certificate": credentials.wwdr.not_valid_after_utc}
    return [
        f"the {what} ends within {ENDING.days} days, on {end.isoformat()}"
        for what, end in ends.items()
        if end - datetime.now(UTC) < ENDING
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What removing a certificate comes to. Pass types are None where there is no certificate, or none can be read."""

    place: str
    pass_type: str | None
    is_default: bool
    """whether it signs what names no certificate"""
    next_place: str | None
    """what signs that in its place"""
    next_pass_type: str | None

    @property
    def is_shared_default(self) -> bool:
        """Whether it signs for everybody."""
        return self.is_default and self.place.startswith(f"{SHARED}/")


def plan_removal(*, project_id: int | None, name: str) -> Removal:
    """What removing a certificate would come to.

    Raises:
        NotFound: no such project or certificate.
        Busy
    """
    scope, source = _check_scope(project_id), get_secrets_source()
    own = source.read_bundles(scope)
    bundle = next((each for each in own if each.name == name), None)
    if bundle is None:
        raise NotFound("certificate", f"{scope}/{name}")
    is_default, following = choose_default(own) is bundle, None
    if is_default:
        left = [(scope, each) for each in own if each is not bundle]
        if not left and scope != SHARED:
            left = [(SHARED, each) for each in source.read_bundles(SHARED)]
        following = (left[0][0], choose_default([each for _, each in left])) if left else None
    return Removal(
        place=f"{scope}/{name}",
        pass_type=read_pass_type(bundle.certificate_pem),
        is_default=is_default,
        next_place=f"{following[0]}/{following[1].name}" if following else None,
        next_pass_type=read_pass_type(following[1].certificate_pem) if following else None,
    )


def remove_certificate(*, project_id: int | None, name: str) -> None:
    """Takes a certificate away, with its key.

    Raises:
        NotFound: no such project or certificate.
        Refused: it cannot be removed from a folder.
        Busy
    """
    removal = plan_removal(project_id=project_id, name=name)
    make_secrets_writer().remove_bundle(removal.place.partition("/")[0], name)


def install_wallets(text: str, *, project_id: int | None) -> list[str]:
    """Installs the document `wallets` of a project or the shared scope; which services it sets up.

    Raises:
        NotFound, SettingsError
        Refused: the document has a mistake; the message names the place.
    """
    scope = _check_scope(project_id)
    writer = make_secrets_writer()
    try:
        document = WalletsDocument.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its beginning"
        raise Refused(f"the document has a mistake at {place}: {first['msg']}") from error
    _check_apple_key(document)
    writer.write_document(scope, WALLETS, text)
    return sorted(document.model_fields_set)


def _check_apple_key(document: WalletsDocument) -> None:
    apple = document.apple
    parts = {"key_id": apple.key_id, "team_id": apple.team_id, "private_key": apple.private_key}
    missing = [name for name, value in parts.items() if value is None]
    if len(missing) == len(parts):
        return
    if missing:
        raise Refused(f"the document has a mistake at apple: a key needs {' and '.join(missing)} as well")
    if not _is_key(str(apple.private_key), ec.EllipticCurvePrivateKey):
        raise Refused("the document has a mistake at apple.private_key: it is no elliptic curve key in PEM form")


def install_google(text: str, *, project_id: int | None) -> str:
    """Installs the key file of a service account; its e-mail address.

    Raises:
        NotFound, SettingsError
        Refused: the file is not what Google gives out.
    """
    scope = _check_scope(project_id)
    writer = make_secrets_writer()
    try:
        account = json.loads(text)
    except ValueError as error:
        raise Refused("the key file is no JSON") from error
    if not isinstance(account, dict) or not all(isinstance(account.get(name), str) for name in _GOOGLE_MEMBERS):
        raise Refused(f"this is no service account's key file: it has no {', '.join(_GOOGLE_MEMBERS)}")
    if not _is_key(account["private_key"], rsa.RSAPrivateKey):
        raise Refused("the private_key of the key file is no RSA key in PEM form")
    writer.write_document(scope, GOOGLE, text)
    return str(account["client_email"])


def _is_key(pem: str, kind: type) -> bool:
    try:
        return isinstance(load_pem_private_key(pem.encode(), password=None), kind)
    except (TypeError, ValueError):
        return False
