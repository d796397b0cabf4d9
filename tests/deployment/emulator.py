"""MiniStack as a process of its own, and clients for it.

It asks IAM: with `AUTH` a deployed function may do what the policy of its role allows, and nothing else. The caller
of `create_client` is the account itself, who may do everything.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.session import Session

from local.engine import HOST, bound_to_parent
from tests.deployment.installation import Installation

ACCOUNT = "123456789012"
"""also the access key: MiniStack takes twelve digits for the account that calls"""
SECRET = "test"
REGION = "eu-west-1"

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_PORT_TRIES = 5
_PROGRAM = Path(__file__).with_name("mended_ministack.py")
_READY = "Running on http"
_ENTRY = re.compile(r"\n(?=\d{4}-\d\d-\d\d )")
_TROUBLES = (" WARNING ", " ERROR ", '"ERROR"', '"error"', "Traceback")
_PORT_TAKEN = ("address already in use", "is already in use")


class EmulatorError(Exception):
    """The emulator did not start, or did not end; the message quotes its last words."""


class Emulator:
    """A running MiniStack that keeps everything in memory, and its temporary files in `folder`."""

    def __init__(self, installation: Installation, *, folder: Path) -> None:
        """Start it on a free port of this machine.

        Raises:
            EmulatorError
        """
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir(parents=True)
        self._log = folder / "ministack.log"
        for tries_left in reversed(range(_PORT_TRIES)):
            self._port = _free_port()
            self._process = self._launch(installation)
            if self._await_ready():
                return
            self.stop()
            if not (tries_left and any(words in self.read_log().lower() for words in _PORT_TAKEN)):
                break
        raise EmulatorError(f"MiniStack did not start:\n{self.last_words()}")

    @property
    def url(self) -> str:
        """Its endpoint, for every service."""
        return f"http://{HOST}:{self._port}"

    @property
    def process_id(self) -> int:
        """Also the id of the group that the processes of its functions belong to."""
        return self._process.pid

    def _launch(self, installation: Installation) -> subprocess.Popen[bytes]:
        command = [str(installation.python), "-B", str(_PROGRAM), str(installation.packages)]
        # Functions inherit all of this, so nothing of the user's goes in.
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AUTH": "true",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self._port),
            "LAMBDA_EXECUTOR": "local",
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": REGION,
            "S3_DATA_DIR": str(self.folder / "s3"),
            "SFTP_ENABLED": "0",
            "STATE_DIR": str(self.folder / "state"),
        }
        with self._log.open("wb") as log:
            return subprocess.Popen(
                bound_to_parent(command),
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _await_ready(self) -> bool:
        """Whether it came up. Asks its log: a connection to a port where nobody listens yet may meet itself."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if _READY in self.read_log():
                return True
            time.sleep(0.05)
        return False

    def create_client(self, service: str) -> Any:
        """A botocore client that may do everything."""
        return Session().create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=ACCOUNT,
            aws_secret_access_key=SECRET,
            config=Config(connect_timeout=5, read_timeout=90, retries={"total_max_attempts": 1}, proxies={}),
        )

    def read_log(self) -> str:
        """All that it has said, with what failed functions said."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def last_words(self, lines: int = 40) -> str:
        """The end of its log."""
        return "\n".join(self.read_log().splitlines()[-lines:])

    def read_troubles(self, entries: int = 6) -> str:
        """The last entries of its log that tell of something that went wrong, functions' exceptions included."""
        all_entries = _ENTRY.split(self.read_log())
        return "\n".join([each for each in all_entries if any(sign in each for sign in _TROUBLES)][-entries:])

    def stop(self) -> None:
        """End it and the processes of its functions, by force if need be, and remove its files. May be called again.

        Raises:
            EmulatorError: something of it still runs.
        """
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        _end_group(self._process.pid)
        for path in (self.temporary, self.folder / "s3", self.folder / "state"):
            shutil.rmtree(path, ignore_errors=True)


def _end_group(group: int) -> None:
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_alive(group):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise EmulatorError(f"processes of MiniStack still run: group {group}")
        time.sleep(0.02)


def _is_alive(group: int) -> bool:
    """Whether a process of the group runs; one that has ended may wait long for whoever must take note of it."""
    listed = subprocess.run(["ps", "-e", "-o", "pgid=,stat="], capture_output=True, text=True, check=True)
    rows = [line.split() for line in listed.stdout.splitlines()]
    return any(row[0] == str(group) and not row[1].startswith("Z") for row in rows)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
