"""The emulator itself: made once, wherever that was interrupted, and gone without a trace."""

from __future__ import annotations

import io
import json
import os
import signal
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.deployment.emulator import Emulator
from tests.deployment.installation import (
    EmulatorUnavailableError,
    Installation,
    install_from_index,
    obtain_installation,
)
from tests.e2e.local_run import await_gone

PROCESSES = 4


def make_python(installation: Installation) -> None:
    """The least that counts as an installation."""
    installation.python.parent.mkdir(parents=True)
    installation.python.touch(mode=0o755)


def test_it_is_made_once_however_many_ask(tmp_path: Path) -> None:
    made: list[Installation] = []
    together = threading.Barrier(PROCESSES)

    def make(installation: Installation) -> None:
        made.append(installation)
        make_python(installation)

    def ask() -> Installation:
        together.wait()
        return obtain_installation(tmp_path / "it", install=make)

    with ThreadPoolExecutor(PROCESSES) as threads:
        found = [future.result() for future in [threads.submit(ask) for _ in range(PROCESSES)]]
    assert made == found[:1]
    assert set(found) == {found[0]}


def test_what_an_interrupted_making_left_is_thrown_away(tmp_path: Path) -> None:
    def give_up(installation: Installation) -> None:
        make_python(installation)
        installation.packages.mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        obtain_installation(tmp_path / "it", install=give_up)
    assert not Installation(tmp_path / "it").is_complete

    found = obtain_installation(tmp_path / "it", install=make_python)
    assert found.is_complete
    assert not found.packages.exists()


def test_without_an_index_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(EmulatorUnavailableError, match=r"MiniStack 1\.5\.33 cannot be installed: ERROR"):
        obtain_installation(tmp_path / "it", install=install_from_index)


def test_nothing_is_left_even_if_it_was_killed(installation: Installation, tmp_path: Path) -> None:
    emulator = Emulator(installation, folder=tmp_path / "it")
    try:
        worker = start_worker(emulator)
        os.kill(emulator.process_id, signal.SIGKILL)
    finally:
        emulator.stop()
    await_gone([emulator.process_id, worker])
    assert [path.name for path in (tmp_path / "it").iterdir()] == ["ministack.log"]


def start_worker(emulator: Emulator) -> int:
    """The process id of a function that has been called."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("code.py", "import os\ndef handle(event, context): return os.getpid()")
    role = emulator.create_client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]
    awslambda = emulator.create_client("lambda")
    awslambda.create_function(
        FunctionName="worker",
        Runtime="python3.11",
        Handler="code.handle",
        Role=role["Arn"],
        Code={"ZipFile": archive.getvalue()},
    )
    return int(json.loads(awslambda.invoke(FunctionName="worker")["Payload"].read()))
