"""The two engines of local runs and tests: dynoxide for DynamoDB, moto's server for SQS (or for both).

`python -m local.engine --install FOLDER` gets the dynoxide binary and prints its path.
"""

from __future__ import annotations

import argparse
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

from local.errors import EngineUnavailableError, StackError
from local.install import DEFAULT_FOLDER, find_or_install, obtain_binary

if TYPE_CHECKING:
    from moto.server import ThreadedMotoServer

__all__ = ["DEFAULT_FOLDER", "Engine", "Queues", "find_or_install", "start_dynoxide", "start_queues"]

HOST = "127.0.0.1"
_START_SECONDS = 15.0
_STOP_SECONDS = 5.0
_PORT_TRIES = 5
_OUTPUT_BYTES = 64 * 1024

# Becomes the engine after asking Linux to kill it when its parent dies, so that even our own kill -9 leaves no orphan.
# A program of its own, since code between fork and exec is unsafe in a process with threads.
_LAUNCHER = """
import ctypes, os, signal, sys
parent, *command = sys.argv[1:]
PR_SET_PDEATHSIG = 1
ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
if os.getppid() != int(parent):
    sys.exit("the parent died first")
try:
    os.execv(command[0], command)
except OSError as error:
    sys.exit(f"{command[0]}: {error.strerror}")
"""


class _PortTakenError(StackError):
    """Somebody else took the port between our choosing it and dynoxide's listening on it."""


class Engine:
    """A running dynoxide process."""

    def __init__(self, *, url: str, process: subprocess.Popen[bytes], output: IO[bytes]) -> None:
        self.url = url
        self._process = process
        self._output = output

    @property
    def process_id(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while the engine runs."""
        return self._process.poll()

    def stop(self) -> None:
        """End the process, by force if it does not go on request. May be called again."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()

    def read_output(self) -> str:
        """What the engine has printed, from its first line on."""
        # The engine writes at the same file position, so it must not be moved by reading.
        return os.pread(self._output.fileno(), _OUTPUT_BYTES, 0).decode("utf-8", "replace")


class Queues:
    """Moto's server, running in a thread of this process."""

    def __init__(self, server: ThreadedMotoServer) -> None:
        host, port = server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._server: ThreadedMotoServer | None = server

    def stop(self) -> None:
        """Stop serving and forget every queue's address. May be called again."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()


def start_dynoxide(binary: Path, database: Path | None, port: int | None = None) -> Engine:
    """Start dynoxide on a loopback port and return once it answers; without `database` it keeps all in memory.

    On Linux the engine dies with the thread that started it, however that ends; elsewhere only `stop` ends it.

    Raises:
        StackError: it did not start; the message quotes its last words.
    """
    for _ in range(_PORT_TRIES - 1 if port is None else 0):
        try:
            return _start_on(binary, database, _free_port())
        except _PortTakenError:
            continue
    return _start_on(binary, database, _free_port() if port is None else port)


def start_queues() -> Queues:
    """Start moto's server on a free loopback port. It serves SQS and DynamoDB alike, and keeps all in memory.

    Nothing else in this process is mocked by it. But its queues are moto's own, so a `mock_aws` in the same process
    clears them: use the one or the other.
    """
    from moto.server import ThreadedMotoServer  # half a second: only for those who need it

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address=HOST, port=0, verbose=False)
    server.start()
    return Queues(server)


def _start_on(binary: Path, database: Path | None, port: int) -> Engine:
    command = [str(binary), "serve", "--host", HOST, "--port", str(port)]
    if database is not None:
        command += ["--db-path", str(database)]
    output = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the engine
    try:
        process = subprocess.Popen(
            bound_to_parent(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # a session of its own: Ctrl-C in the terminal reaches us, and we end the engine last
            start_new_session=True,
        )
    except OSError as error:
        output.close()
        raise StackError(f"dynoxide cannot be run: {binary}: {error.strerror}") from error
    engine = Engine(url=f"http://{HOST}:{port}", process=process, output=output)
    try:
        _await_answer(engine, port)
    except BaseException:
        engine.stop()
        raise
    return engine


def _await_answer(engine: Engine, port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        stopped = engine.exit_code is not None
        printed = engine.read_output()
        if stopped:
            last_line = (printed.strip().splitlines() or ["no message"])[-1]
            kind = _PortTakenError if "already in use" in last_line else StackError
            raise kind(f"dynoxide did not start: {last_line}")
        # The line tells our engine from a stranger who got the port first.
        if "listening on" in printed and _accepts(port):
            return
        time.sleep(0.01)
    raise StackError(f"dynoxide did not answer within {_START_SECONDS:.0f} s")


def _accepts(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def bound_to_parent(command: list[str]) -> list[str]:
    """`command`, made to die with this process where the system can do that."""
    if sys.platform != "linux":
        return command
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *command]


def main() -> int:
    """Install the engine and print where it is; the exit code is 1 if it cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m local.engine", description=main.__doc__)
    parser.add_argument("--install", metavar="FOLDER", type=Path, required=True)
    folder: Path = parser.parse_args().install
    try:
        print(obtain_binary(folder))
    except EngineUnavailableError as error:
        print(f"no dynoxide: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
