"""The latest version of a pass, as a signed file (wallets, sections 2.2, 2.4 and 5)."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import pytest

from chalicelib.api.passkit import delivery
from chalicelib.domain.http_dates import parse_http_date
from chalicelib.settings import get_settings
from chalicelib.wiring import get_image_cache, get_keyring
from local.certificates import PASS_TYPE, ROOT_FILE, TEAM
from tests.contract.cards import Card, issue_card
from tests.support.phones import PKPASS, PassFile, Phone, base_of, open_pass_file, read_pass_file, token_of
from tests.support.stack import Tenant

ANOTHER_PROCESS = """
import sys
from chalicelib.api.passkit.delivery import build_pkpass
from chalicelib.wiring import get_platform
pass_ = get_platform().passes.get_pass(project_id=None, pass_id=int(sys.argv[1]))
sys.stdout.buffer.write(build_pkpass(pass_, base_url=sys.argv[2]))
"""

DATES = {
    "{bare} GMT": 304,
    "Fri, 31 Dec 2038 23:59:59 GMT": 304,
    "Sun, 06 Nov 1994 08:49:37 GMT": 200,
    "Sunday, 06-Nov-94 08:49:37 GMT": 200,
    "Sun Nov  6 08:49:37 1994": 200,
    "99999999999": 200,
    "2038-12-31T23:59:59Z": 200,
    "{bare}": 200,
    "{bare} +0100": 200,
    "": 200,
    "yesterday": 200,
    "Fri, 31 Feb 2038 23:59:59 GMT": 200,
    "x" * 5000: 200,
}
"""If-Modified-Since to status; `bare` is the stamp of the pass without its zone"""


@pytest.fixture
def card(tenant: Tenant) -> Card:
    """A pass that nobody holds."""
    return issue_card(tenant)


@pytest.fixture
def phone(card: Card) -> Phone:
    """Holds it."""
    phone = Phone()
    phone.install(card.url)
    return phone


def verify(folder: Path, held: PassFile) -> subprocess.CompletedProcess[bytes]:
    """What openssl says of the signature over the manifest, trusting the test root alone."""
    root = Path(str(get_settings().certificates).removeprefix("file:")) / ROOT_FILE
    for name in ("manifest.json", "signature"):
        (folder / name).write_bytes(held.members[name])
    command = ["openssl", "smime", "-verify", "-inform", "DER", "-binary", "-purpose", "any", "-in", "signature"]
    command += ["-content", "manifest.json", "-CAfile", str(root)]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False)


def test_the_answer_is_the_file_with_its_stamp_and_is_kept_by_nobody(card: Card, phone: Phone) -> None:
    held = phone.passes[card.serial_number]

    answer = phone.fetch(held)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == PKPASS
    assert answer.headers["cache-control"] == "private, no-store"
    assert parse_http_date(answer.headers["last-modified"]) is not None
    assert answer.headers["content-length"] == str(len(answer.content))


def test_the_file_names_its_pass_and_where_to_ask_about_it(card: Card, phone: Phone) -> None:
    document = phone.passes[card.serial_number].document

    assert document["serialNumber"] == card.serial_number
    assert (document["passTypeIdentifier"], document["teamIdentifier"]) == (PASS_TYPE, TEAM)
    assert document["webServiceURL"] == str(card.tenant.http.base_url).rstrip("/")
    assert len(document["authenticationToken"]) >= 32
    assert document["formatVersion"] == 1


def test_every_pass_has_a_token_of_its_own(card: Card, phone: Phone) -> None:
    other = issue_card(card.tenant, card.template_id)

    assert token_of(phone.install(other.url)) != token_of(phone.passes[card.serial_number])


@pytest.mark.parametrize(("date", "status"), DATES.items(), ids=[repr(date[:30]) for date in DATES])
def test_if_modified_since_is_read_as_a_date_or_not_at_all(phone: Phone, card: Card, date: str, status: int) -> None:
    held = phone.passes[card.serial_number]

    answer = phone.fetch(held, since=date.format(bare=str(held.last_modified).removesuffix(" GMT")))

    assert answer.status_code == status
    assert answer.headers["last-modified"] == held.last_modified
    assert (answer.content == b"") is (status == 304)


@pytest.mark.parametrize("content_type", [None, "application/json", "text/plain", "nonsense"])
@pytest.mark.parametrize("accept", [None, "*/*", "application/json", PKPASS])
def test_bytes_come_whatever_the_wallet_says_of_types(
    phone: Phone, card: Card, content_type: str | None, accept: str | None
) -> None:
    held = phone.passes[card.serial_number]

    answer = phone.fetch(held, headers={"Content-Type": content_type, "Accept": accept})

    assert read_pass_file(answer).content == held.content


def test_an_update_is_inside_and_its_stamp_is_later_even_within_one_second(phone: Phone, card: Card) -> None:
    held = phone.passes[card.serial_number]
    for points in range(1, 5):
        card.update(points)

        fresh = read_pass_file(phone.fetch(held, since=held.last_modified))

        assert fresh.shows("Points") == str(points)
        stamps = [parse_http_date(str(each.last_modified)) for each in (held, fresh)]
        assert stamps[1] is not None
        assert stamps[0] is not None
        assert stamps[1] > stamps[0]
        assert phone.fetch(fresh, since=fresh.last_modified).status_code == 304
        assert {key: fresh.document[key] for key in ("serialNumber", "authenticationToken")} == {
            key: held.document[key] for key in ("serialNumber", "authenticationToken")
        }
        held = fresh


def test_what_no_phone_shows_changes_neither_file_nor_stamp(phone: Phone, card: Card) -> None:
    held = phone.passes[card.serial_number]

    card.tenant.call("PUT", f"/v1/pass/{card.pass_id}/tags", json={"tags": ["gold"]})
    Phone().install(card.url)
    card.update(0)

    assert phone.fetch(held, since=held.last_modified).status_code == 304
    assert read_pass_file(phone.fetch(held)).content == held.content


def test_openssl_accepts_the_signature_of_the_manifest(tmp_path: Path, phone: Phone, card: Card) -> None:
    result = verify(tmp_path, phone.passes[card.serial_number])

    assert result.returncode == 0, result.stderr
    assert b"successful" in result.stderr


@pytest.mark.parametrize("position", [0, 10, -1])
def test_openssl_refuses_a_manifest_with_one_byte_changed(
    tmp_path: Path, phone: Phone, card: Card, position: int
) -> None:
    held = phone.passes[card.serial_number]
    manifest = bytearray(held.members["manifest.json"])
    manifest[position] ^= 1
    changed = replace(held, members={**held.members, "manifest.json": bytes(manifest)})

    assert verify(tmp_path, changed).returncode != 0


def test_the_manifest_has_the_digest_of_every_other_file(phone: Phone, card: Card) -> None:
    members = phone.passes[card.serial_number].members
    manifest = json.loads(members["manifest.json"])

    assert {"pass.json", "icon.png"} <= set(manifest)
    assert manifest == {
        name: hashlib.sha1(data).hexdigest()
        for name, data in members.items()
        if name not in ("manifest.json", "signature")
    }


def test_the_archive_is_sound_and_every_name_is_there_once(phone: Phone, card: Card) -> None:
    with zipfile.ZipFile(BytesIO(phone.passes[card.serial_number].content)) as archive:
        assert archive.testzip() is None
        assert len(archive.namelist()) == len(set(archive.namelist()))


def forget_everything() -> None:
    """As a process that has just started."""
    delivery._archives.clear()
    get_keyring.cache_clear()
    get_image_cache.cache_clear()


def test_the_same_version_is_the_same_file_every_time_and_in_every_process(phone: Phone, card: Card) -> None:
    card.update("Grüße \N{SNOWMAN}")
    phone.poll()
    held = phone.passes[card.serial_number]

    again = phone.fetch(held).content
    forget_everything()
    anew = phone.fetch(held).content
    command = [sys.executable, "-c", ANOTHER_PROCESS, str(card.pass_id), base_of(held)]
    elsewhere = subprocess.run(command, capture_output=True, check=True).stdout
    downloaded = phone.http.get(card.url).content

    assert open_pass_file(elsewhere).shows("Points") == "Grüße \N{SNOWMAN}"
    assert held.content == again == anew == elsewhere == downloaded


def test_without_a_certificate_the_answer_is_503_and_the_wallet_tries_again(
    phone: Phone, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = phone.passes[card.serial_number]
    monkeypatch.setattr(delivery, "get_keyring", lambda: _NoKeyring())

    answer = phone.fetch(held)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0


class _NoKeyring:
    def get_credentials(self, *_: object) -> None:
        """No certificate for anyone."""


def test_wallets_get_no_page_where_no_route_is(phone: Phone, card: Card) -> None:
    base = base_of(phone.passes[card.serial_number])

    answers: list[httpx.Response] = [
        phone.http.get(f"{base}/v1/passes/{PASS_TYPE}"),
        phone.http.get(f"{base}/v1/devices/{phone.device_id}"),
        phone.http.put(f"{base}/v1/log", json={}),
    ]
    assert all(400 <= answer.status_code < 500 for answer in answers)
