"""Phones for the demo. They keep passes in a wallet, follow them through the wallets' web service, and check every
answer as a real phone would (wallets, sections 2, 3 and 5.1)."""

from __future__ import annotations

import hashlib
import io
import json
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from local.demo_client import DemoError, expect, read_json, send

_PKPASS = "application/vnd.apple.pkpass"
_STYLES = ("boardingPass", "coupon", "eventTicket", "generic", "storeCard")
_GROUPS = ("headerFields", "primaryFields", "secondaryFields", "auxiliaryFields", "backFields")
_NOT_IN_MANIFEST = {"manifest.json", "signature"}
_NEEDED = {"pass.json", "icon.png"} | _NOT_IN_MANIFEST


@dataclass(frozen=True, kw_only=True)
class Model:
    """A phone with its wallet, and what tells it from others."""

    name: str
    wallet: str
    """as registrations show it (passworks-v2, section 2)"""
    device_os: str
    scheme: str
    """the word before a pass's token"""
    browser: str
    """the user agent that follows the link to a pass"""
    daemon: str
    """the user agent that speaks with the web service"""
    pass_client: str | None = None
    """sent as `X-Pass-Client`, which alone tells some wallets from Apple's (wallets, section 3.1)"""
    push_service_url: str | None = None
    """where its pushes are to be sent, if it says so: it then registers as PassWallet does (wallets, section 3.4)"""


IPHONE = Model(
    name="iPhone",
    wallet="passbook",
    device_os="ios",
    scheme="ApplePass",
    browser="Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.5 Mobile/15E148 Safari/604.1",
    daemon="passd/1.0 CFNetwork/1496.0.7 Darwin/23.5.0",
)
WALLET_PASSES = Model(
    name="Android phone",
    wallet="wallet_passes",
    device_os="android",
    scheme="AndroidPass",
    browser="WalletPasses/4.3.1 (Linux; U; Android 14; Pixel 8)",
    daemon="WalletPasses/4.3.1 (Linux; U; Android 14; Pixel 8)",
)
PASS2U = Model(
    name="Pass2U phone",
    wallet="pass2u",
    device_os="android",
    scheme="ApplePass",
    browser="okhttp/4.9.3",
    daemon="okhttp/4.9.3",
    pass_client="Passes",
)
PASSWALLET = Model(
    name="PassWallet phone",
    wallet="passwallet",
    device_os="android",
    scheme="AttidoPass",
    browser="PassWallet/Android 1.38 (Linux; U; Android 9)",
    daemon="PassWallet/Android 1.38 (Linux; U; Android 9)",
    push_service_url="https://push.passwallet.net",
)
PASSWORKS_WALLET = Model(
    name="Passworks phone",
    wallet="passworks_wallet",
    device_os="android",
    scheme="ApplePass",
    browser="okhttp/3.12.1",
    daemon="okhttp/3.12.1",
    pass_client="Passworks",
)


@dataclass(frozen=True)
class PassFile:
    """A pass as a phone holds it."""

    document: Mapping[str, Any]
    """its `pass.json`"""
    last_modified: str

    @property
    def serial_number(self) -> str:
        return str(self.document["serialNumber"])

    @property
    def pass_type(self) -> str:
        return str(self.document["passTypeIdentifier"])

    @property
    def token(self) -> str:
        return str(self.document["authenticationToken"])

    @property
    def service(self) -> str:
        """Base of the web service, without a slash at the end."""
        return str(self.document["webServiceURL"]).rstrip("/")

    @property
    def values(self) -> dict[str, Any]:
        """What the pass shows, by field."""
        cards = [self.document[style] for style in _STYLES if style in self.document]
        return {field["key"]: field["value"] for card in cards for group in _GROUPS for field in card.get(group, ())}


class Phone:
    """One phone. Its passes are in `passes`, by serial number."""

    def __init__(self, model: Model, *, http: httpx.Client, name: str | None = None) -> None:
        """Unpack a phone; `name` tells it from others of its model."""
        self.model = model
        self.name = name or model.name
        self.push_token = secrets.token_hex(32)
        """what a push service knows it by"""
        self.passes: dict[str, PassFile] = {}
        self._http = http
        self._device_id = secrets.token_hex(16)
        self._services: dict[str, str] = {}
        self._tags: dict[str, str] = {}

    def install(self, url: str) -> PassFile:
        """Adds the pass behind a link, and asks for its updates.

        Raises:
            DemoError
        """
        answer = send(self._http, "GET", url, headers=self._name_itself(self.model.browser))
        held = read_pass_file(url, answer)
        body = {"pushToken": self.push_token}
        if self.model.push_service_url is not None:
            body["pushServiceUrl"] = self.model.push_service_url
        answer = self._call("POST", self._registration(held), held, json=body)
        expect(f"status of registering {held.serial_number}", answer.status_code, 201)
        self.add(held)
        return held

    def add(self, held: PassFile) -> None:
        """Puts a pass into the wallet, without a word to the web service."""
        self.passes[held.serial_number] = held
        self._services[held.pass_type] = held.service

    def list_changed(self) -> list[str]:
        """Serial numbers of the passes that have changed since the last such question; of all at the first.

        Raises:
            DemoError: also if the answer is one that a phone complains of (wallets, section 2.3, codes 4 to 6).
        """
        return [
            serial_number
            for pass_type, service in self._services.items()
            for serial_number in self._list_changed(pass_type, service)
        ]

    def _list_changed(self, pass_type: str, service: str) -> list[str]:
        url = f"{service}/v1/devices/{self._device_id}/registrations/{quote(pass_type, safe='')}"
        tag = self._tags.get(pass_type)
        query = {} if tag is None else {"passesUpdatedSince": tag}
        answer = send(self._http, "GET", url, params=query, headers=self._name_itself(self.model.daemon))
        if answer.status_code == 204:
            expect("body of a list of no passes", answer.content, b"")
            return []
        expect("status of a list of changed passes", answer.status_code, 200)
        document = read_json(f"GET {url}", answer)
        listed: list[str] = document["serialNumbers"]
        expect("passes listed that the phone does not hold", set(listed) - set(self.passes), set())
        expect("passes listed twice", len(listed) - len(set(listed)), 0)
        expect("a new tag", document["lastUpdated"] not in (None, "", tag), True)
        self._tags[pass_type] = document["lastUpdated"]
        return listed

    def fetch(self, serial_number: str) -> bool:
        """Gets a newer version of a pass; whether there is one.

        Raises:
            DemoError: also if a newer version is not newer (wallets, section 2.3, codes 0 to 2).
        """
        held = self.passes[serial_number]
        what = f"pass {serial_number}"
        headers = {"If-Modified-Since": held.last_modified}
        answer = self._call("GET", f"{held.service}/v1/passes/{_path(held)}", held, headers=headers)
        if answer.status_code == 304:
            expect(f"body of the unchanged {what}", answer.content, b"")
            return False
        fresh = read_pass_file(what, answer)
        expect(f"Last-Modified of {what} moves on", _moment(fresh) > _moment(held), True)
        expect(f"a change of {what}", fresh.document != held.document, True)
        expect(f"names of {what}", (_path(fresh), fresh.token), (_path(held), held.token))
        self.passes[serial_number] = fresh
        return True

    def remove(self, serial_number: str) -> None:
        """Deletes a pass, and ends its updates.

        Raises:
            DemoError
        """
        held = self.passes[serial_number]
        answer = self._call("DELETE", self._registration(held), held)
        expect(f"status of unregistering {serial_number}", answer.status_code, 200)
        del self.passes[serial_number]

    def _registration(self, held: PassFile) -> str:
        kind = "registrations" if self.model.push_service_url is None else "registrations_attido"
        return f"{held.service}/v1/devices/{self._device_id}/{kind}/{_path(held)}"

    def _name_itself(self, user_agent: str) -> dict[str, str]:
        """Headers of every request."""
        client = {} if self.model.pass_client is None else {"X-Pass-Client": self.model.pass_client}
        return {"User-Agent": user_agent, **client}

    def _call(
        self, method: str, url: str, held: PassFile, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        """A request that shows the token of a pass."""
        own = self._name_itself(self.model.daemon) | {"Authorization": f"{self.model.scheme} {held.token}"}
        return send(self._http, method, url, headers={**own, **(headers or {})}, **more)


def read_pass_file(what: str, answer: httpx.Response) -> PassFile:
    """The pass of an answer; `what` names it.

    Raises:
        DemoError: it holds none, or one that a phone refuses. The signature is not verified.
    """
    kind = (answer.status_code, answer.headers.get("Content-Type"))
    expect(f"status and type of {what}", kind, (200, _PKPASS))
    try:
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        missing = _NEEDED - {name for name, data in members.items() if data}
        expect(f"files that {what} lacks", missing, set())
        document, manifest = (json.loads(members[name]) for name in ("pass.json", "manifest.json"))
    except (zipfile.BadZipFile, ValueError) as error:
        raise DemoError(f"{what} cannot be read: {error}") from error
    listed = {name: data for name, data in members.items() if name not in _NOT_IN_MANIFEST}
    digests = {name: hashlib.sha1(data, usedforsecurity=False).hexdigest() for name, data in listed.items()}
    expect(f"manifest of {what}", manifest, digests)
    expect(f"formatVersion of {what}", document["formatVersion"], 1)
    held = PassFile(document=document, last_modified=answer.headers.get("Last-Modified", ""))
    _moment(held)
    return held


def _path(held: PassFile) -> str:
    """Pass type and serial number as two segments."""
    return f"{quote(held.pass_type, safe='')}/{quote(held.serial_number, safe='')}"


def _moment(held: PassFile) -> datetime:
    what = f"Last-Modified of pass {held.serial_number}"
    expect(f"zone of the {what}", held.last_modified[-4:], " GMT")
    try:
        return parsedate_to_datetime(held.last_modified)
    except ValueError as error:
        raise DemoError(f"{what}: {error}") from error
