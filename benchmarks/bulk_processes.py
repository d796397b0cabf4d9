"""Processes that the bench of bulk updates starts: workers as Lambda would run them, and bare loops beside them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

_STOP_SECONDS = 30.0
_TICKS = os.sysconf("SC_CLK_TCK")


class Helper:
    """A process that takes documents of JSON, one a line, and answers in the same way."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def tell(self, document: object) -> None:
        """Sends it a document."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """Its next answer.

        Raises:
            RuntimeError: it has ended; what it said of that is on the terminal.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a process of the bench has ended")
        return json.loads(line)


@contextmanager
def start_helpers(module: str, count: int) -> Iterator[list[Helper]]:
    """Starts a module of the bench so many times, for as long as the block runs. They end with their input."""
    with ExitStack() as cleanup:
        helpers = []
        for _ in range(count):
            command = [sys.executable, "-m", module]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            cleanup.callback(_end, process)
            helpers.append(Helper(process))
        for helper in helpers:
            helper.hear()  # it is ready
        yield helpers


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def answer(document: object) -> None:
    """What a helper says to the bench."""
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


def requests() -> Iterator[Any]:
    """What the bench tells a helper, until it is done with it."""
    for line in sys.stdin:
        yield json.loads(line)


def engine_cpu_seconds() -> float:
    """Processor time of this process's engines; 0 where the system does not tell."""
    return sum(map(_cpu_seconds, _engines()))


def _engines() -> Sequence[int]:
    children = "".join(path.read_text() for path in Path("/proc/self/task").glob("*/children"))
    return [int(pid) for pid in children.split() if Path(f"/proc/{pid}/comm").read_text().strip() == "dynoxide"]


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes() -> int:
    """Memory of this process that is not paged out; 0 where the system does not tell."""
    try:
        fields = Path("/proc/self/statm").read_text().split()
    except OSError:
        return 0
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
