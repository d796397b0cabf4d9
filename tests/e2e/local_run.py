"""Starts `python -m local` as a user would, for tests of the whole stack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.support.log_files import note_log

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0
STOP_SECONDS = 25.0

_OURS = ("AWS_", "PASSEL_", "PORT", "DATA", "ENGINE", "VERBOSE")


class LocalRun:
    """One run of the stack in a process of its own."""

    def __init__(
        self,
        data: Path,
        *,
        errors: Path,
        port: int = 0,
        engine: str | None = None,
        binary: Path | None = None,
        certificates: str | None = None,
    ) -> None:
        """Start on `data`, and keep what it prints to stderr in the file `errors`, the rest beside it."""
        self.data = data
        self._errors_file = errors
        self._output_file = errors.with_name(f"{errors.name}.output")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        environment |= {"PORT": str(port), "DATA": str(data)}
        environment |= {"ENGINE": engine} if engine else {}
        environment |= {"DYNOXIDE_BIN": str(binary)} if binary else {}
        environment |= {"PASSEL_CERTIFICATES": certificates} if certificates else {}
        with self._errors_file.open("wb") as errors_file, self._output_file.open("wb") as output_file:
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [sys.executable, "-m", "local"],
                cwd=ROOT,
                env=environment,
                stdout=output_file,
                stderr=errors_file,
            )

    @property
    def errors(self) -> str:
        return self._errors_file.read_text()

    def await_ready(self) -> dict[str, Any]:
        """Content of run.json, once it is there."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            content = self.read("run.json")
            if content is not None:
                return content
            assert self.process.poll() is None, f"ended before it was ready: {self.errors}"
            time.sleep(0.05)
        raise AssertionError(f"not ready after {START_SECONDS} s: {self.errors}")

    def await_announcement(self) -> str:
        """All that is said of a run that is ready."""
        self.await_ready()
        deadline = time.monotonic() + START_SECONDS
        while not (text := self._output_file.read_text()).endswith("Ctrl-C stops it.\n"):
            assert time.monotonic() < deadline, f"no announcement: {text}{self.errors}"
            time.sleep(0.05)
        return text

    def read(self, name: str) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads((self.data / name).read_text())
        except FileNotFoundError:
            return None
        return content

    def children(self) -> list[int]:
        listed = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False)
        return [int(line) for line in listed.stdout.split()]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code once the process has ended."""
        self.process.send_signal(number)
        return self.await_end()

    def await_end(self) -> int:
        return self.process.wait(STOP_SECONDS)

    def end(self) -> None:
        """Leave nothing behind, whatever state the run is in."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        note_log("python -m local", self.errors)


def await_gone(process_ids: list[int], *, seconds: float = 5.0) -> None:
    """Return once none of the processes runs any more."""
    deadline = time.monotonic() + seconds
    while left := [process_id for process_id in process_ids if _runs(process_id)]:
        assert time.monotonic() < deadline, f"still running: {left}"
        time.sleep(0.05)


def _runs(process_id: int) -> bool:
    listed = subprocess.run(["ps", "-o", "stat=", "-p", str(process_id)], capture_output=True, text=True, check=False)
    state = listed.stdout.strip()
    return bool(state) and not state.startswith("Z")
