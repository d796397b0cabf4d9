"""`python -m local.demo`: the whole story on a stack started as a user would, and its end when something is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from local import demo
from local.demo_cast import PASSES, TAGGED, Cast
from local.demo_client import Api, DemoError, Target, read_target
from local.engine import find_or_install
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
        r"Installed 35 passes on 7 phones of five wallets, one on two, in .* passes a second\)",
        r"Counted 1,169 not_been_installed, 31 installed, 0 uninstalled",
        r"Found 35 registrations, exactly what the phones hold, in \d+ ms",
        r"Updated 1,200 passes with ticket \d+ in .* passes a second\)",
        r"Pushed 6 of 7 phones once; they fetched their 32 changed passes and show 2500 points .* s after the request",
        r"Checked 60 passes with the tag and 60 without in .* passes a second\)",
        r"Updated pass \d+ alone with ticket \d+ in \d+ ms",
        r"Pushed 2 of 7 phones once; they fetched 1 changed pass each and show 2600 points .* s after the request",
        r"Removed all 35 from the phones in .* passes a second\)",
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


@pytest.mark.parametrize("pushes", ["http://127.0.0.1:10", None])
def test_a_run_says_where_phones_hear_of_their_pushes(tmp_path: Path, pushes: str | None) -> None:
    run = {"url": "http://127.0.0.1:9", "key": "k", "secret": "s", "project_id": 1, "engine": "moto"}
    (tmp_path / "run.json").write_text(json.dumps(run | ({"pushes": pushes} if pushes else {})))
    assert read_target(tmp_path) == Target(url="http://127.0.0.1:9", key="k", secret="s", pushes=pushes)


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
        demo.play(Api(http), air=http, pushes=None)


CAST = Cast(
    name="Card",
    tag="gold",
    template_id=1,
    tagged={pass_id: f"M-{pass_id}" for pass_id in range(1, TAGGED + 1)},
    untagged={pass_id: f"M-{pass_id}" for pass_id in range(TAGGED + 1, PASSES + 1)},
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
        ([*range(1, TAGGED), PASSES], TAGGED, "pass ids of the tag, ASC: "),
        ([*range(2, TAGGED + 1)], TAGGED, "pass ids of the tag, ASC: "),
        ([*CAST.tagged], TAGGED + 1, "total on page 1: 1201 where 1200 is right"),
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
        ("FAILED", TAGGED, "status of ticket 5: 'FAILED' where 'COMPLETED' is right"),
        ("COMPLETED", TAGGED - 1, "progress of ticket 5: "),
    ],
)
def test_a_bulk_update_that_misses_a_pass_is_noticed(status: str, changed: int, message: str) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        progress = {"total": TAGGED, "processed": TAGGED, "changed": changed, "failed": 0}
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
