"""The life of a local run: start, ready, stop, start again, and everything that may stand in its way."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.gateway_responses import GATEWAY_RESPONSES, NO_ROUTE
from local.certificates import prepare_certificates
from local.engine import find_or_install
from tests.e2e.local_run import LocalRun, await_gone

StartRun = Callable[..., LocalRun]


@pytest.fixture(scope="session")
def binary() -> Path:
    found = find_or_install()
    if found is None:
        pytest.skip("no dynoxide for this machine: only moto's runs are tested")
    return found


@pytest.fixture
def start(binary: Path, tmp_path: Path) -> Iterator[StartRun]:
    runs: list[LocalRun] = []

    def start_run(data: Path | None = None, **options: Any) -> LocalRun:
        arguments: dict[str, Any] = {"binary": binary, "errors": tmp_path / f"errors-{len(runs)}", **options}
        runs.append(LocalRun(data or tmp_path / "data", **arguments))
        return runs[-1]

    yield start_run
    for run in runs:
        run.end()


def test_ready_means_that_the_api_answers(start: StartRun) -> None:
    run = start()
    ready = run.await_ready()
    assert ready["engine"] == "dynoxide"
    assert ready.keys() == {"url", "key", "secret", "project_id", "engine", "pushes"}
    assert httpx.get(f"{ready['url']}/v1/system/status").status_code == 200
    answer = httpx.get(f"{ready['url']}/v1/tag", auth=(ready["key"], ready["secret"]))
    assert answer.status_code == 200, answer.text


def test_an_unknown_route_is_the_contracts_404(start: StartRun) -> None:
    url = start().await_ready()["url"]
    for method, path in (("GET", "/nowhere"), ("POST", "/v1/nowhere"), ("BREW", "/v1/system/status")):
        answer = httpx.request(method, url + path, headers={"Authorization": "Basic eDp5"})
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.text == GATEWAY_RESPONSES[NO_ROUTE].body


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_signal_ends_everything_quietly(start: StartRun, number: signal.Signals) -> None:
    run = start()
    url = run.await_ready()["url"]
    stack = run.read("stack.json")
    assert stack is not None
    assert stack["PASSEL_PREFIX"] == "passel-local-"
    children = run.children()
    assert children

    assert run.stop(number) == 0
    await_gone(children)
    assert run.errors == ""
    assert run.read("run.json") is None
    assert run.read("stack.json") is None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/v1/system/status")


def test_a_second_start_finds_the_same_project_and_credentials(start: StartRun) -> None:
    run = start()
    before = run.await_ready()
    run.stop()
    after = start().await_ready()
    assert {**after, "url": before["url"], "pushes": before["pushes"]} == before
    assert (run.data / "credentials.json").stat().st_mode & 0o777 == 0o600
    answer = httpx.get(f"{after['url']}/v1/tag", auth=(after["key"], after["secret"]))
    assert answer.status_code == 200, answer.text


def test_passes_are_signed_with_a_test_certificate_which_is_kept(start: StartRun) -> None:
    run = start()
    assert "a test certificate THAT NO PHONE TRUSTS" in run.await_announcement()
    certificates = run.data / "certificates"
    stack = run.read("stack.json")
    assert stack is not None
    assert stack["PASSEL_CERTIFICATES"] == f"file:{certificates}"
    assert stack["PASSEL_ASSETS"] == f"file:{run.data / 'assets'}"
    before = (certificates / "shared" / "default" / "certificate.pem").read_bytes()
    run.stop()
    start().await_ready()
    assert (certificates / "shared" / "default" / "certificate.pem").read_bytes() == before


def test_own_certificates_are_announced_and_no_test_certificate_is_made(start: StartRun, tmp_path: Path) -> None:
    own = prepare_certificates(tmp_path / "own", now=datetime.now(UTC))
    run = start(certificates=f"file:{own}")
    announcement = run.await_announcement()
    assert str(own) in announcement
    assert "NO PHONE" not in announcement
    assert not (run.data / "certificates").exists()


def test_what_is_wrong_with_own_certificates_is_a_line_each(start: StartRun, tmp_path: Path) -> None:
    own = prepare_certificates(tmp_path / "own", now=datetime.now(UTC))
    (own / "shared" / "default" / "key.pem").unlink()
    run = start(certificates=f"file:{own}")
    assert run.await_end() == 1
    problem, end = run.errors.splitlines()
    assert "shared/default" in problem
    assert end == f"passel: PASSEL_CERTIFICATES: the certificates in {own} cannot sign passes"


def test_moto_forgets_everything_but_the_credentials(start: StartRun) -> None:
    run = start()
    before = run.await_ready()
    run.stop()
    run = start(engine="moto")
    after = run.await_ready()
    assert after["engine"] == "moto"
    assert (after["key"], after["secret"]) == (before["key"], before["secret"])
    assert "NOTHING SURVIVES A RESTART" in run.errors
    assert run.children() == []
    answer = httpx.get(f"{after['url']}/v1/tag", auth=(after["key"], after["secret"]))
    assert answer.status_code == 200, answer.text


def test_after_kill_nothing_is_left_running_and_the_next_start_works(start: StartRun) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux ends the engine with its parent")
    run = start()
    before = run.await_ready()
    children = run.children()
    run.stop(signal.SIGKILL)
    await_gone(children)
    (run.data / "run.json").unlink()  # left behind, and replaced by the next start only when that is ready
    assert start().await_ready()["key"] == before["key"]


def test_the_run_ends_with_its_engine(start: StartRun) -> None:
    run = start()
    run.await_ready()
    for process_id in run.children():
        os.kill(process_id, signal.SIGKILL)
    assert run.await_end() == 1
    assert_one_line(run, "dynoxide ended by itself")
    assert run.read("run.json") is None


def test_a_port_in_use_is_one_clear_line(start: StartRun, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = start(port=taken.getsockname()[1])
        assert run.await_end() == 1
    assert_one_line(run, "cannot be used")
    assert not run.data.exists(), "the port is checked before anything is made"


def test_a_second_run_on_the_same_data_is_one_clear_line(start: StartRun, tmp_path: Path) -> None:
    first = start()
    url = first.await_ready()["url"]
    (tmp_path / "link").symlink_to(first.data)
    second = start(tmp_path / "link")
    assert second.await_end() == 1
    assert_one_line(second, "already running")
    assert httpx.get(f"{url}/v1/system/status").status_code == 200
    assert first.read("run.json") is not None


@pytest.mark.parametrize("kind", ["file", "below a file", "unwritable"])
def test_an_unusable_data_folder_is_one_clear_line(start: StartRun, tmp_path: Path, kind: str) -> None:
    data = tmp_path / "data"
    if kind == "unwritable":
        if os.geteuid() == 0:
            pytest.skip("nothing is unwritable for root")
        data.mkdir(mode=0o500)
    else:
        data.touch()
    run = start(data / "below" if kind == "below a file" else data)
    assert run.await_end() == 1
    assert_one_line(run, "data folder")


def test_a_missing_binary_is_one_clear_line(start: StartRun, tmp_path: Path) -> None:
    run = start(engine="dynoxide", binary=tmp_path / "missing")
    assert run.await_end() == 1
    assert_one_line(run, "DYNOXIDE_BIN")


def test_a_database_that_is_none_is_one_clear_line(start: StartRun, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "passel.db").write_text("this is not SQLite " * 1000)
    run = start()
    assert run.await_end() == 1
    assert_one_line(run, "dynoxide did not start")


def assert_one_line(run: LocalRun, expected: str) -> None:
    lines = run.errors.splitlines()
    assert len(lines) == 1, run.errors
    assert expected in lines[0]
