"""Processes of a run: started, killed without warning, and started again on the same port."""

from __future__ import annotations

import itertools
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import IO

from local.engine import HOST, bound_to_parent
from tests.chaos.faults import Fault

ROOT = Path(__file__).parents[2]
START_SECONDS = 240.0
"""a process that is starved of processor time is no fault of ours"""


class ProcessError(Exception):
    """A process did not start, or ended by itself; the message quotes its last words."""


class Process:
    """One module of this package at work. What it logs goes into a file of its name."""

    def __init__(
        self, module: str, arguments: Sequence[str], *, name: str, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log_file = folder / f"{name}.log"
        self._command = bound_to_parent([sys.executable, "-m", f"tests.chaos.{module}", *arguments])
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Starts it and returns its first line, which says that it is ready.

        Raises:
            ProcessError
        """
        self.launch()
        return self.read_line(START_SECONDS)

    def launch(self) -> None:
        """Starts it; its first line will say that it is ready."""
        with self.log_file.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=self._environment,
                cwd=ROOT,
                start_new_session=True,
            )

    def read_line(self, timeout_seconds: float) -> str:
        """The next line that it prints.

        Raises:
            ProcessError: it prints none in time.
        """
        output = self._pipe(1)
        if select.select([output], [], [], timeout_seconds)[0]:
            line = output.readline().strip()
            if line:
                return line
        raise ProcessError(f"{self.name} says nothing; {self.log_file} ends with: {self.read_log()[-500:]}")

    def tell(self, line: str) -> None:
        """Sends it a line."""
        pipe = self._pipe(0)
        pipe.write(f"{line}\n")
        pipe.flush()

    def _pipe(self, number: int) -> IO[str]:
        assert self._process is not None
        pipe = (self._process.stdin, self._process.stdout)[number]
        assert pipe is not None
        return pipe

    def kill(self) -> None:
        """Ends it at once (SIGKILL). May be called again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for number in (0, 1):
                self._pipe(number).close()
            self._process = None

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def read_log(self) -> str:
        """What it has logged over all its lives."""
        return self.log_file.read_text(encoding="utf-8", errors="replace")


def find_ports(count: int) -> list[int]:
    """Free loopback ports."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Killer:
    """Kills one of the processes after another, and starts each again.

    In the thread that calls `run`, since a process dies with the thread that started it.
    """

    def __init__(self, servers: Sequence[Process], workers: Sequence[Process], *, random: Random) -> None:
        self.kills: list[tuple[Fault, int, float, float]] = []
        """kind, number of the process among its kind, when it was killed, and when it was there again"""
        self._victims = {Fault.KILL_API: servers, Fault.KILL_WORKER: workers}
        self._random = random

    def run(self, finished: threading.Event, *, count_operations: Callable[[], int], every: int) -> None:
        """Kills once in about so many operations until all is `finished`; all processes are there when it returns.

        Raises:
            ProcessError: one did not start again.
        """
        kinds = itertools.cycle(self._victims)  # in turn, so that a short run sees both
        following = count_operations()
        while not finished.is_set():
            following += round(self._random.uniform(0.3, 1.7) * every)
            while count_operations() < following:
                if finished.wait(0.05):
                    return
            kind = next(kinds)
            number, victim = self._random.choice(list(enumerate(self._victims[kind])))
            killed_at = time.monotonic()
            victim.kill()
            victim.start()
            self.kills.append((kind, number, killed_at, time.monotonic()))

    def explains(self, server: int, *, opened: float, ended: float) -> bool:
        """Whether a connection to an API process that was opened and lost then was lost to a kill."""
        return any(
            kind is Fault.KILL_API and number == server and killed_at <= ended + 0.5 and back_at >= opened
            for kind, number, killed_at, back_at in self.kills
        )
