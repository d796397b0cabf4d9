"""The demo's phones: what they send, and that they notice each fault a real wallet would."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from chalicelib.domain.recognising import recognise_wallet
from local.demo_client import DemoError
from local.phones import IPHONE, PASS2U, PASSWALLET, PASSWORKS_WALLET, WALLET_PASSES, Model, Phone

LINK = "http://passel.test/v1/pass/1/download?token=t"
OLD, NEW = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"


def make_pass(points: str) -> dict[str, Any]:
    return {
        "formatVersion": 1,
        "passTypeIdentifier": "pass.test",
        "serialNumber": "a b",
        "authenticationToken": "secret",
        "webServiceURL": "http://passel.test/",
        "storeCard": {"primaryFields": [{"key": "Points", "value": points}]},
    }


def pack(document: dict[str, Any], **changes: bytes | None) -> bytes:
    """A `.pkpass` whose manifest fits; `changes` come after the manifest, and None takes a member out."""
    members: dict[str, bytes | None] = {"pass.json": json.dumps(document).encode(), "icon.png": b"icon"}
    digests = {name: hashlib.sha1(data or b"").hexdigest() for name, data in members.items()}
    members |= {"manifest.json": json.dumps(digests).encode(), "signature": b"signed"}
    members |= {name.replace("_", "."): data for name, data in changes.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            if data is not None:
                archive.writestr(name, data)
    return buffer.getvalue()


def answer_pass(content: bytes, *, last_modified: str | None = OLD) -> httpx.Response:
    headers = {"Content-Type": "application/vnd.apple.pkpass"}
    headers |= {} if last_modified is None else {"Last-Modified": last_modified}
    return httpx.Response(200, content=content, headers=headers)


@dataclass
class Service:
    """Answers by the kind of request, and keeps what was asked."""

    download: httpx.Response = field(default_factory=lambda: answer_pass(pack(make_pass("0"))))
    registered: int = 201
    listed: httpx.Response = field(default_factory=lambda: httpx.Response(204))
    fetched: httpx.Response = field(default_factory=lambda: httpx.Response(304))
    removed: int = 200
    requests: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path.startswith("/v1/passes/"):
            return self.fetched
        if request.url.path == "/v1/pass/1/download":
            return self.download
        other = {"POST": httpx.Response(self.registered), "DELETE": httpx.Response(self.removed)}
        return other.get(request.method, self.listed)


def take_phone(service: Service, model: Model = IPHONE) -> Phone:
    return Phone(model, http=httpx.Client(transport=httpx.MockTransport(service.answer)))


def list_answer(*serial_numbers: str, tag: str = "t1") -> httpx.Response:
    return httpx.Response(200, json={"serialNumbers": serial_numbers, "lastUpdated": tag})


@pytest.mark.parametrize(
    ("model", "scheme", "agent"),
    [
        (IPHONE, "ApplePass", "passd/1.0"),
        (WALLET_PASSES, "AndroidPass", "WalletPasses/"),
        (PASS2U, "ApplePass", "okhttp/"),
        (PASSWORKS_WALLET, "ApplePass", "okhttp/"),
    ],
)
def test_a_phone_registers_with_the_token_of_the_pass_and_the_word_of_its_wallet(
    model: Model, scheme: str, agent: str
) -> None:
    service = Service()
    held = take_phone(service, model).install(LINK)
    assert held.values == {"Points": "0"}
    download, register = service.requests
    assert str(download.url) == LINK
    assert "Authorization" not in download.headers
    assert register.headers["Authorization"] == f"{scheme} secret"
    assert register.headers["User-Agent"].startswith(agent)
    assert register.url.raw_path.endswith(b"/registrations/pass.test/a%20b")
    assert json.loads(register.content)["pushToken"]


@pytest.mark.parametrize("model", [IPHONE, WALLET_PASSES, PASS2U, PASSWALLET, PASSWORKS_WALLET])
def test_the_server_can_tell_which_wallet_it_is(model: Model) -> None:
    service = Service()
    phone = take_phone(service, model)
    phone.install(LINK)
    register = service.requests[1]
    body = json.loads(register.content)
    wallet = recognise_wallet(
        attido_path="/registrations_attido/" in register.url.path,
        scheme=register.headers["Authorization"].split()[0],
        user_agent=register.headers["User-Agent"],
        pass_client=register.headers.get("X-Pass-Client"),
        push_service_url=body.get("pushServiceUrl"),
    )
    assert (wallet, wallet.device_os) == (model.wallet, model.device_os)
    assert body["pushToken"] == phone.push_token


@pytest.mark.parametrize(
    ("model", "client"), [(IPHONE, None), (WALLET_PASSES, None), (PASS2U, "Passes"), (PASSWORKS_WALLET, "Passworks")]
)
def test_every_request_names_the_wallet_that_no_other_sign_tells(model: Model, client: str | None) -> None:
    service = Service()
    phone = take_phone(service, model)
    phone.install(LINK)
    phone.list_changed()
    phone.fetch("a b")
    phone.remove("a b")
    assert len(service.requests) == 5
    assert {request.headers.get("X-Pass-Client") for request in service.requests} == {client}


def test_passwallet_registers_at_a_path_of_its_own_and_asks_like_others() -> None:
    service = Service()
    phone = take_phone(service, PASSWALLET)
    phone.install(LINK)
    phone.list_changed()
    phone.remove("a b")
    _, register, asked, remove = service.requests
    assert register.url.raw_path == remove.url.raw_path
    assert b"/registrations_attido/pass.test/a%20b" in register.url.raw_path
    assert asked.url.raw_path.endswith(b"/registrations/pass.test")
    assert json.loads(register.content)["pushServiceUrl"] == "https://push.passwallet.net"


def test_phones_of_one_model_have_tokens_and_names_of_their_own() -> None:
    with httpx.Client() as http:
        phones = [Phone(IPHONE, http=http), Phone(IPHONE, name="other iPhone", http=http)]
    assert [phone.name for phone in phones] == ["iPhone", "other iPhone"]
    assert len({phone.push_token for phone in phones}) == 2


def test_a_phone_brings_the_tag_and_the_date_it_was_given_and_ends_with_what_is_newest() -> None:
    service = Service(listed=list_answer("a b", tag="t1"), fetched=answer_pass(pack(make_pass("9")), last_modified=NEW))
    phone = take_phone(service)
    phone.install(LINK)
    assert phone.list_changed() == ["a b"]
    assert phone.fetch("a b")
    assert phone.passes["a b"].values == {"Points": "9"}
    service.listed, service.fetched = httpx.Response(204), httpx.Response(304)
    assert phone.list_changed() == []
    assert not phone.fetch("a b")
    phone.remove("a b")
    assert phone.passes == {}
    first, fetch, second, again, remove = service.requests[2:]
    assert "Authorization" not in first.headers
    assert not first.url.query
    assert fetch.headers["If-Modified-Since"] == OLD
    assert second.url.params["passesUpdatedSince"] == "t1"
    assert again.headers["If-Modified-Since"] == NEW
    assert (remove.method, remove.headers["Authorization"]) == ("DELETE", "ApplePass secret")


def install(phone: Phone) -> None:
    """Nothing beyond; the fault is in the download or the registration."""


def list_changed(phone: Phone) -> None:
    phone.list_changed()


def list_again(phone: Phone) -> None:
    phone.list_changed()
    phone.list_changed()


def fetch(phone: Phone) -> None:
    phone.fetch("a b")


def remove(phone: Phone) -> None:
    phone.remove("a b")


FRESH = pack(make_pass("9"))
FAULTS: dict[str, tuple[Service, Callable[[Phone], None], str]] = {
    "a page": (Service(download=httpx.Response(200, html="<p>")), install, "status and type of "),
    "no archive": (Service(download=answer_pass(b"PK")), install, "cannot be read"),
    "a changed file": (
        Service(download=answer_pass(pack(make_pass("0"), icon_png=b"other"))),
        install,
        "manifest of ",
    ),
    "a file beside the manifest": (
        Service(download=answer_pass(pack(make_pass("0"), logo_png=b"logo"))),
        install,
        "manifest of ",
    ),
    "no icon": (Service(download=answer_pass(pack(make_pass("0"), icon_png=None))), install, "lacks: {'icon.png'}"),
    "no signature": (Service(download=answer_pass(pack(make_pass("0"), signature=b""))), install, "{'signature'}"),
    "no date": (Service(download=answer_pass(pack(make_pass("0")), last_modified=None)), install, "Last-Modified"),
    "no registration": (Service(registered=401), install, "status of registering a b: 401"),
    "a body beside 204": (Service(listed=httpx.Response(204, content=b"[]")), list_changed, "body of a list"),
    "a foreign pass": (Service(listed=list_answer("a b", "c")), list_changed, "does not hold: {'c'}"),
    "a pass twice": (Service(listed=list_answer("a b", "a b")), list_changed, "passes listed twice: 1"),
    "no tag": (Service(listed=list_answer("a b", tag="")), list_changed, "a new tag: False"),
    "the same tag": (Service(listed=list_answer("a b")), list_again, "a new tag: False"),
    "a list refused": (Service(listed=httpx.Response(401)), list_changed, "status of a list of changed passes: 401"),
    "a list that is no JSON": (Service(listed=httpx.Response(200, text="ok")), list_changed, "and no JSON"),
    "another format": (
        Service(download=answer_pass(pack(make_pass("0") | {"formatVersion": 2}))),
        install,
        "formatVersion of ",
    ),
    "a date of another zone": (
        Service(download=answer_pass(pack(make_pass("0")), last_modified=OLD.replace("GMT", "+0100"))),
        install,
        "zone of the Last-Modified",
    ),
    "a body beside 304": (Service(fetched=httpx.Response(304, content=b"{}")), fetch, "body of the unchanged pass"),
    "the date ignored": (Service(fetched=answer_pass(FRESH)), fetch, "Last-Modified of pass a b moves on"),
    "nothing new": (
        Service(fetched=answer_pass(pack(make_pass("0")), last_modified=NEW)),
        fetch,
        "a change of pass a b",
    ),
    "another token": (
        Service(fetched=answer_pass(pack(make_pass("9") | {"authenticationToken": "x"}), last_modified=NEW)),
        fetch,
        "names of pass a b",
    ),
    "a fetch refused": (Service(fetched=httpx.Response(401)), fetch, "status and type of pass a b: (401"),
    "a removal refused": (Service(removed=401), remove, "status of unregistering a b: 401"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_phone_notices(fault: str) -> None:
    service, act, message = FAULTS[fault]
    phone = take_phone(service)

    def use() -> None:
        phone.install(LINK)
        act(phone)

    with pytest.raises(DemoError) as raised:
        use()
    assert message in str(raised.value)
