"""`python -m local.demo`: the whole story on a stack started as a user would, and its end when something is wrong."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from local import demo
from local.demo_client import Api, DemoError
from local.engine import find_or_install
from local.phones import ANDROID, IPHONE, Model, PassFile, Phone
from tests.e2e.local_run import ROOT, LocalRun


def run_demo(data: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PASSEL_"))}
    return subprocess.run(
        [sys.executable, "-m", "local.demo", "--data", str(data)],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def test_the_demo_plays_to_its_end_and_refuses_wrong_credentials(tmp_path: Path) -> None:
    binary = find_or_install()
    if binary is None:
        pytest.skip("no dynoxide for this machine, and moto is too slow for 2,000 passes")
    run = LocalRun(tmp_path / "data", errors=tmp_path / "errors", binary=binary)
    try:
        ready = run.await_ready()
        wrong = run_demo(run.data, PASSEL_URL=ready["url"], PASSEL_KEY=ready["key"], PASSEL_SECRET="wrong")
        result = run_demo(run.data)
    finally:
        run.end()
    assert wrong.returncode == 1
    assert wrong.stdout == ""
    assert wrong.stderr.startswith("Error: POST /v1/template answered 401 where 200 is right: ")
    assert wrong.stderr.count("\n") == 1

    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    patterns = (
        r"Created 2,000 passes of template \d+ in .* passes a second\)",
        r"Tagged 1,200 of them demo-[0-9a-f]{8} in .* passes a second\)",
        r"Walked 13 pages ASC with 1,200 passes in .* pages a second\)",
        r"Walked 13 pages DESC with 1,200 passes in .* pages a second\)",
        r"Counted 1,200 not_been_installed, 0 installed, 0 uninstalled",
        r"Installed 21 passes on an iPhone and 12 on an Android phone, one on both, in .* passes a second\)",
        r"Counted 1,169 not_been_installed, 31 installed, 0 uninstalled",
        r"Found 33 registrations, exactly what the phones hold, in \d+ ms",
        r"Updated 1,200 passes with ticket \d+ in .* passes a second\)",
        r"Both phones fetched their 32 changed passes and show 2500 points in .* passes a second\)",
        r"Checked 60 passes with the tag and 60 without in .* passes a second\)",
        r"Removed all 33 from the phones in .* passes a second\)",
        r"Counted 1,169 not_been_installed, 0 installed, 31 uninstalled",
        r"Found 0 registrations, exactly what the phones hold, in \d+ ms",
        r"Emptied the tag of 1,200 passes in \d+ ms, then deleted it",
        r"Everything was as it must be\. \d+\.\d s in all",
    )
    lines = result.stdout.splitlines()
    assert len(lines) == len(patterns)
    for pattern, line in zip(patterns, lines, strict=True):
        assert re.fullmatch(pattern, line), line


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"url": "http://127.0.0.1:9"}', '{"url":"http://127.0.0.1:9","key":"k","secret":"s"}']
)
def test_without_a_server_it_is_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    result = CliRunner(env={"PASSEL_URL": None}).invoke(demo.command, ["--data", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert "make run" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_url_without_credentials_is_refused() -> None:
    result = CliRunner().invoke(demo.command, ["--url", "http://127.0.0.1:9"])
    assert result.exit_code == 2
    assert "go together" in result.stderr


def play_against(answers: dict[str, Any]) -> None:
    """The story with a server that knows these paths by their end."""

    def answer(request: httpx.Request) -> httpx.Response:
        known = (document for path, document in answers.items() if request.url.path.endswith(path))
        return httpx.Response(200, json=next(known))

    with httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http:
        demo.play(Api(http), iphone=Phone(IPHONE, http=http), android=Phone(ANDROID, http=http))


CAST = demo.Cast(
    name="Card",
    tag="gold",
    template_id=1,
    tagged={pass_id: f"M-{pass_id}" for pass_id in range(1, demo.TAGGED + 1)},
    untagged={pass_id: f"M-{pass_id}" for pass_id in range(demo.TAGGED + 1, demo.PASSES + 1)},
    links={},
)


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"/status": {"Hello": "Moon"}}, "system status: {'Hello': 'Moon'} where {'Hello': 'World'} is right"),
        (
            {
                "/status": {"Hello": "World"},
                "/template": {"templateId": 1},
                "/bulk": {"created": 199, "failed": 1, "passes": []},
            },
            "passes created and failed: (199, 1) where (200, 0) is right",
        ),
        (
            {
                "/status": {"Hello": "World"},
                "/template": {"templateId": 1},
                "/bulk": {"created": 200, "failed": 0, "passes": [{"id": "1", "url": "http://demo/1"}] * 200},
            },
            "different pass ids: 1 where 2000 is right",
        ),
    ],
)
def test_it_ends_as_soon_as_anything_differs(answers: dict[str, Any], message: str) -> None:
    with pytest.raises(DemoError) as raised:
        play_against(answers)
    assert str(raised.value) == message


def page_of(query: httpx.QueryParams, *, ids: list[int], total: int) -> dict[str, Any]:
    page, size = int(query["page"]), int(query["pageSize"])
    descending = query["direction"] == "DESC"
    portion = sorted(ids, reverse=descending)[(page - 1) * size : page * size]
    return {
        "count": total,
        "passes": [{"id": pass_id, "templateId": 1} for pass_id in portion],
        "pagination": {
            "order": "id",
            "direction": query["direction"].lower(),
            "page": page,
            "start": (page - 1) * size,
            "pageSize": size,
        },
    }


@pytest.mark.parametrize(
    ("ids", "total", "message"),
    [
        ([*range(1, demo.TAGGED), demo.PASSES], demo.TAGGED, "pass ids of the tag, ASC: "),
        ([*range(2, demo.TAGGED + 1)], demo.TAGGED, "pass ids of the tag, ASC: "),
        ([*CAST.tagged], demo.TAGGED + 1, "total on page 1: 1201 where 1200 is right"),
    ],
)
def test_a_listing_that_is_not_exact_is_noticed(ids: list[int], total: int, message: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=page_of(request.url.params, ids=ids, total=total))

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError) as raised,
    ):
        demo.walk_pages(Api(http), CAST)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("status", "changed", "message"),
    [
        ("FAILED", demo.TAGGED, "status of ticket 5: 'FAILED' where 'COMPLETED' is right"),
        ("COMPLETED", demo.TAGGED - 1, "progress of ticket 5: "),
    ],
)
def test_a_bulk_update_that_misses_a_pass_is_noticed(status: str, changed: int, message: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        progress = {"total": demo.TAGGED, "processed": demo.TAGGED, "changed": changed, "failed": 0}
        ticket = {"ID": 5, "Status": status, "progress": progress}
        return httpx.Response(200, json={"ticketId": 5} if request.method == "PUT" else ticket)

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError) as raised,
    ):
        demo.update_tagged(Api(http), CAST)
    assert str(raised.value).startswith(message)


def test_an_update_of_a_pass_without_the_tag_is_noticed() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        pass_id = int(request.url.path.rsplit("/", 1)[1])
        values = {"Points": "2500", "Level": "Gold", "Member": f"M-{pass_id}"}
        document = {
            "tags": ["gold"] if pass_id in CAST.tagged else [],
            "fields": {name: {"value": value} for name, value in values.items()},
        }
        return httpx.Response(200, json=document)

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError, match=f"fields of pass {min(CAST.untagged)}: "),
    ):
        demo.spot_check(Api(http), CAST)


@pytest.mark.parametrize(
    ("installed", "ids", "message"),
    [
        (1, [7], "number of passes that are installed: 1 where 2 is right"),
        (2, [7, 9], "passes that are installed: [7, 9] where [7, 8] is right"),
    ],
)
def test_a_status_that_does_not_follow_the_phones_is_noticed(installed: int, ids: list[int], message: str) -> None:
    others = sorted(CAST.tagged.keys() - {7, 8})

    def answer(request: httpx.Request) -> httpx.Response:
        found = (installed, ids) if request.url.params["status"] == "installed" else (len(others), others)
        passes = [{"id": pass_id} for pass_id in found[1][: demo.PAGE_SIZE]]
        return httpx.Response(200, json={"count": found[0], "passes": passes})

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError) as raised,
    ):
        demo.count_by_status(Api(http), CAST, installed={7, 8})
    assert str(raised.value) == message


def row(number: int, *, serial: str = "s", wallet: str = "passbook") -> dict[str, str]:
    device_os = "ios" if wallet == "passbook" else "android"
    return {"id": f"r{number}", "pass_id": serial, "wallet": wallet, "device_os": device_os}


@pytest.mark.parametrize(
    ("rows", "total", "message"),
    [
        ([row(1)], 1, "registrations: "),
        ([row(1), row(2, wallet="pass2u")], 2, "registrations: "),
        ([row(1), row(2, serial="x", wallet="wallet_passes")], 2, "registrations: "),
        ([row(1), row(1, wallet="wallet_passes")], 2, "different registration ids: 1 where 2 is right"),
        ([row(1), row(2, wallet="wallet_passes")], 3, "X-Total of /v2/store_cards/c/registrations: '3' where '2'"),
        (
            [row(1), row(2, wallet="wallet_passes")],
            2,
            "registrations of the pass on both: [] where ",
        ),
    ],
)
def test_registrations_that_are_not_what_the_phones_hold_are_noticed(
    rows: list[dict[str, str]], total: int, message: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        known = {
            "/v2/store_cards": ([{"id": "c", "name": CAST.name}], 1),
            "/v2/store_cards/c/registrations": (rows, total),
            "/v2/store_cards/c/passes/s/registrations": ([], 0),
        }
        document, count = known[request.url.path]
        headers = {"X-Page": "1", "X-Total": str(count), "X-Total-Pages": "1" if document else "0"}
        return httpx.Response(200, json=document, headers=headers)

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError) as raised,
    ):
        demo.find_registrations(Api(http), CAST, [hold_one(IPHONE, http), hold_one(ANDROID, http)])
    assert str(raised.value).startswith(message)


def hold_one(model: Model, http: httpx.Client) -> demo.Holding:
    """A phone of this model that holds the pass `s`."""
    phone = Phone(model, http=http)
    phone.add(PassFile(document=ONE_PASS, last_modified=""))
    return demo.Holding(phone, {1: "s"})


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"X-Page": "2"}, "X-Page of /v2/coupons: '2' where '1' is right"),
        ({"X-Next-Page": "1"}, "rows and X-Next-Page of /v2/coupons: (1, '1') where (1, '2') is right"),
        ({"X-Next-Page": "2"}, "X-Page of /v2/coupons: '1' where '2' is right"),
        ({"X-Total": "2"}, "X-Total of /v2/coupons: '2' where '1' is right"),
        ({"X-Total-Pages": "2"}, "X-Total-Pages of /v2/coupons: '2' where '1' is right"),
    ],
)
def test_a_list_whose_headers_are_not_exact_is_noticed(headers: dict[str, str], message: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[{}], headers={"X-Page": "1", "X-Total": "1", "X-Total-Pages": "1"} | headers)

    with (
        httpx.Client(transport=httpx.MockTransport(answer), base_url="http://demo") as http,
        pytest.raises(DemoError) as raised,
    ):
        Api(http).list_rows("/v2/coupons", page_size=1)
    assert str(raised.value) == message


def pack_pass(points: str) -> bytes:
    fields = [{"key": "Points", "value": points}, {"key": "Level", "value": "Gold"}, {"key": "Member", "value": "M-1"}]
    document = {**ONE_PASS, "storeCard": {"primaryFields": fields}}
    members = {"pass.json": json.dumps(document).encode(), "icon.png": b"icon"}
    manifest = {name: hashlib.sha1(data).hexdigest() for name, data in members.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in (members | {"manifest.json": json.dumps(manifest).encode(), "signature": b"-"}).items():
            archive.writestr(name, data)
    return buffer.getvalue()


ONE_PASS = {
    "formatVersion": 1,
    "passTypeIdentifier": "pass.test",
    "serialNumber": "s",
    "authenticationToken": "secret",
    "webServiceURL": "http://demo",
}
TOLD = {"serialNumbers": ["s"], "lastUpdated": "t1"}


@pytest.mark.parametrize(
    ("told", "points", "message"),
    [
        (None, None, "passes that the iPhone is told of: [] where ['s'] is right"),
        (TOLD, None, "a newer version of pass 1 for the iPhone: False where True is right"),
        (TOLD, "2400", "pass 1 on the iPhone: {'Points': '2400', "),
    ],
)
def test_an_update_that_does_not_reach_a_phone_is_noticed(
    told: dict[str, Any] | None, points: str | None, message: str
) -> None:
    date = "Sun, 06 Nov 1994 08:49:38 GMT"

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/v1/devices/"):
            is_news = told is not None and "passesUpdatedSince" not in request.url.params
            return httpx.Response(200, json=told) if is_news else httpx.Response(204)
        if request.method == "GET" and (points is None or request.headers.get("If-Modified-Since") == date):
            return httpx.Response(304)
        headers = {"Content-Type": "application/vnd.apple.pkpass", "Last-Modified": date}
        return httpx.Response(200, content=pack_pass(points or ""), headers=headers)

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        phone = Phone(IPHONE, http=http)
        held = PassFile(document=ONE_PASS, last_modified="Sun, 06 Nov 1994 08:49:37 GMT")
        phone.add(held)
        with pytest.raises(DemoError) as raised:
            demo.receive_update(CAST, [demo.Holding(phone, {1: "s"})])
    assert str(raised.value).startswith(message)
