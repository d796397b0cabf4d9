"""Phones that speak the wallets' web service over HTTP, each with just the requests of its wallet (wallets, 2 and 3).

A phone checks the server as passd does and complains in passd's words (wallets, section 2.3).
"""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx

from chalicelib.domain.http_dates import parse_http_date
from chalicelib.domain.registrations import Wallet
from tests.support.connections import UNBOUNDED

PKPASS = "application/vnd.apple.pkpass"
WALLET_PASSES_URL = "http://walletpasses.appspot.com/api/attido/"

_numbers = itertools.count(1)


def new_push_token() -> str:
    """One that nothing else in this process has had."""
    return f"{next(_numbers):064x}"


@cache
def shared_client() -> httpx.Client:
    """The connections of all phones of this process."""
    return httpx.Client(timeout=60, trust_env=False, limits=UNBOUNDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassFile:
    """A pass as a phone holds it."""

    content: bytes
    members: Mapping[str, bytes]
    document: Mapping[str, Any]
    """its `pass.json`"""
    last_modified: str | None

    @property
    def serial_number(self) -> str:
        """What names it."""
        return str(self.document["serialNumber"])

    @property
    def pass_type(self) -> str:
        """The pass type identifier."""
        return str(self.document["passTypeIdentifier"])

    @property
    def path(self) -> str:
        """Pass type and serial number as two segments of a path."""
        return f"{quote(self.pass_type, safe='')}/{quote(self.serial_number, safe='')}"

    def shows(self, key: str) -> Any:
        """The value of a field, in whatever place the pass has it."""
        style = next(self.document[name] for name in STYLES if name in self.document)
        shown = [each for fields in style.values() if isinstance(fields, list) for each in fields]
        return {each["key"]: each["value"] for each in shown}[key]


STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")


def read_pass_file(response: httpx.Response) -> PassFile:
    """The pass of an answer that must hold one."""
    assert response.status_code == 200, (response.status_code, response.text)
    assert response.headers["content-type"] == PKPASS
    return open_pass_file(response.content, last_modified=response.headers.get("last-modified"))


def open_pass_file(content: bytes, *, last_modified: str | None = None) -> PassFile:
    """A `.pkpass` unpacked."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    document = json.loads(members["pass.json"])
    return PassFile(content=content, members=members, document=document, last_modified=last_modified)


@dataclass
class Phone:
    """An iPhone with Apple Wallet. It keeps its passes, the tag of each pass type, and what it complained of."""

    http: httpx.Client = field(default_factory=shared_client)
    device_id: str = field(default_factory=lambda: f"{next(_numbers):032x}")
    push_token: str = field(default_factory=new_push_token)
    passes: dict[str, PassFile] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    """serial numbers of passes that the phone held when it got a tag"""
    complaints: list[str] = field(default_factory=list)

    @property
    def wallet(self) -> Wallet:
        """How the server must recognise it."""
        return Wallet.PASSBOOK

    scheme = "ApplePass"
    registrations = "registrations"
    headers: Mapping[str, str] = field(default_factory=lambda: {"User-Agent": "passd/1.0 CFNetwork/1410.0.3 Darwin/22"})

    def install(self, url: str) -> PassFile:
        """Downloads a pass from its `url`, adds it and registers; the server must take both."""
        held = self.add(url)
        response = self.register(held)
        assert response.status_code in (200, 201), (response.status_code, response.text)
        return held

    def add(self, url: str) -> PassFile:
        """Downloads a pass and keeps it, without a word to the web service."""
        held = read_pass_file(self.http.get(url, headers=dict(self.headers)))
        self.passes[held.serial_number] = held
        return held

    def register(self, held: PassFile, **changes: Any) -> httpx.Response:
        """Asks for pushes. `changes` replace parts of the request, such as `json`, `content` or `headers`."""
        body = changes if "content" in changes else {"json": self.installation()} | changes
        return self.send("POST", self.registration_url(held), token_of(held), **body)

    def unregister(self, held: PassFile, **changes: Any) -> httpx.Response:
        """Wants no more pushes; the pass itself may stay on the phone."""
        return self.send("DELETE", self.registration_url(held), token_of(held), **changes)

    def remove(self, held: PassFile) -> None:
        """The user deletes the pass; the server must note that."""
        del self.passes[held.serial_number]
        self.told.discard(held.serial_number)
        response = self.unregister(held)
        assert response.status_code == 200, (response.status_code, response.text)

    def ask(self, held: PassFile, tag: str | None = None) -> httpx.Response:
        """Which passes of that one's type have changed; nothing but the device id proves who asks."""
        device = f"{base_of(held)}/v1/devices/{quote(self.device_id, safe='')}"
        parameters = {} if tag is None else {"passesUpdatedSince": tag}
        return self.http.get(
            f"{device}/registrations/{quote(held.pass_type, safe='')}", params=parameters, headers=dict(self.headers)
        )

    def fetch(self, held: PassFile, *, since: str | None = None, **changes: Any) -> httpx.Response:
        """The latest version of a pass; `since` is the stamp of the one that the phone has."""
        conditional = {} if since is None else {"If-Modified-Since": since}
        headers = conditional | changes.pop("headers", {})
        url = f"{base_of(held)}/v1/passes/{held.path}"
        return self.send("GET", url, token_of(held), headers=headers, **changes)

    def complain(self, held: PassFile, line: str) -> None:
        """Tells the server what it did wrong."""
        self.complaints.append(line)
        response = self.http.post(f"{base_of(held)}/v1/log", json={"logs": [line]}, headers=dict(self.headers))
        assert response.status_code == 200, response.text

    def poll(self, *, pushed: bool = False) -> list[str]:
        """Takes every update of the passes it holds, as after a push or once a day; the serial numbers of what changed.

        Whatever passd would find wrong becomes a complaint.
        """
        changed = []
        for pass_type, held in {each.pass_type: each for each in self.passes.values()}.items():
            changed += self._poll_type(pass_type, held, pushed=pushed)
        return changed

    def _poll_type(self, pass_type: str, held: PassFile, *, pushed: bool) -> list[str]:
        sent = self.tags.get(pass_type)
        response = self.ask(held, sent)
        if response.status_code == 204:
            assert response.content == b""
            if pushed:
                self.complain(held, f"Received spurious push for {pass_type}")
            return []
        assert response.status_code == 200, (response.status_code, response.text)
        document = response.json()
        tag = document.get("lastUpdated")
        if not isinstance(tag, str) or not tag:
            self.complain(held, "Server omitted a lastUpdated tag")
        elif tag == sent:
            self.complain(held, f"lastUpdated tag '{tag}' remained the same")
        changed = []
        for serial_number in document["serialNumbers"]:
            if serial_number not in self.passes:
                self.complain(held, f"Server listed the unregistered serial number {serial_number}")
            elif self._update(self.passes[serial_number]):
                changed.append(serial_number)
        self.tags[pass_type] = tag
        self.told |= self.passes.keys()
        return changed

    def _update(self, held: PassFile) -> bool:
        """Fetches a pass that the server listed; whether it has changed.

        A pass that was listed for the first time may be the one that the phone has just added (wallets, section 2.4).
        """
        response = self.fetch(held, since=held.last_modified)
        if response.status_code == 304:
            if held.serial_number in self.told:
                self.complain(held, f"Server listed {held.serial_number}, but the pass was unchanged")
            return False
        fresh = read_pass_file(response)
        if fresh.last_modified is None:
            self.complain(held, "Server did not provide a 'last-modified' header")
        if fresh.document == held.document:
            is_same = parse_http_date(fresh.last_modified or "") == parse_http_date(held.last_modified or "")
            fault = "ignored the 'if-modified-since' header" if is_same else "sent it, but the pass was unchanged"
            self.complain(held, f"Server {fault}: {held.serial_number}")
        self.passes[held.serial_number] = fresh
        return fresh.document != held.document

    def installation(self) -> dict[str, Any]:
        """The body of a register call."""
        return {"pushToken": self.push_token}

    def registration_url(self, held: PassFile) -> str:
        """Where the phone registers a pass."""
        return f"{base_of(held)}/v1/devices/{quote(self.device_id, safe='')}/{self.registrations}/{held.path}"

    def send(self, method: str, url: str, token: str, **more: Any) -> httpx.Response:
        """A request with the token of a pass. Headers of `more` come on top, and None takes one out."""
        usual: dict[str, str | bytes | None] = {**self.headers, "Authorization": f"{self.scheme} {token}"}
        headers = usual | more.pop("headers", {})
        return self.http.request(
            method, url, headers={name: value for name, value in headers.items() if value is not None}, **more
        )


class WalletPassesPhone(Phone):
    """Android with WalletPasses (wallets, section 3.2)."""

    scheme = "AndroidPass"

    def __init__(self, **more: Any) -> None:
        super().__init__(headers={"User-Agent": "WalletPasses/4.3.1 (Linux; U; Android 14; Pixel 8)"}, **more)

    @property
    def wallet(self) -> Wallet:
        return Wallet.WALLET_PASSES


class FallenBackWalletPassesPhone(Phone):
    """WalletPasses at a server that did not take it at first: it goes PassWallet's way (wallets, section 3.2)."""

    scheme = "AttidoPass"
    registrations = "registrations_attido"

    def __init__(self, **more: Any) -> None:
        super().__init__(headers={"User-Agent": "PassWallet/Android 2.0 (Linux; U; Android 14)"}, **more)

    @property
    def wallet(self) -> Wallet:
        return Wallet.WALLET_PASSES

    def installation(self) -> dict[str, Any]:
        return {"pushToken": self.push_token, "pushServiceUrl": WALLET_PASSES_URL}

    def fetch(self, held: PassFile, *, since: str | None = None, **changes: Any) -> httpx.Response:
        return super().fetch(held, since=since, **_as_apple(held, changes))

    def unregister(self, held: PassFile, **changes: Any) -> httpx.Response:
        return super().unregister(held, **_as_apple(held, changes))


class Pass2UPhone(Phone):
    """Android with Pass2U (wallets, section 3.3)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(headers={"User-Agent": "okhttp/4.9.3", "X-Pass-Client": "Passes"}, **more)

    @property
    def wallet(self) -> Wallet:
        return Wallet.PASS2U


class PassWalletPhone(Phone):
    """Android with PassWallet, whose pushes go over a service that it names itself (wallets, section 3.4)."""

    scheme = "AttidoPass"
    registrations = "registrations_attido"

    def __init__(self, **more: Any) -> None:
        super().__init__(headers={"User-Agent": "PassWallet/Android 1.38 (Linux; U; Android 9)"}, **more)

    @property
    def wallet(self) -> Wallet:
        return Wallet.PASSWALLET

    def installation(self) -> dict[str, Any]:
        return {"pushToken": self.push_token, "pushServiceUrl": "https://push.passwallet.net"}


class PassworksWalletPhone(Phone):
    """Android with Passworks Wallet (wallets, section 3.5)."""

    def __init__(self, **more: Any) -> None:
        super().__init__(headers={"User-Agent": "okhttp/3.12.1", "X-Pass-Client": "Passworks"}, **more)

    @property
    def wallet(self) -> Wallet:
        return Wallet.PASSWORKS_WALLET


PHONES: dict[str, Callable[[], Phone]] = {
    "Apple Wallet": Phone,
    "WalletPasses": WalletPassesPhone,
    "WalletPasses, fallen back": FallenBackWalletPassesPhone,
    "Pass2U": Pass2UPhone,
    "PassWallet": PassWalletPhone,
    "Passworks Wallet": PassworksWalletPhone,
}
"""every wallet that reads .pkpass files; Google's is in `google_wallet`"""


def _as_apple(held: PassFile, changes: Mapping[str, Any]) -> dict[str, Any]:
    own = {"Authorization": f"ApplePass {token_of(held)}"}
    return {**changes, "headers": own | changes.get("headers", {})}


def base_of(held: PassFile) -> str:
    """The web service of a pass, without a slash at the end."""
    return str(held.document["webServiceURL"]).rstrip("/")


def token_of(held: PassFile) -> str:
    """The token that proves that somebody holds the pass."""
    return str(held.document["authenticationToken"])
