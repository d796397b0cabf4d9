"""Everything that is logged or printed while tests run, written down for `tests/whole_run`.

Our own loggers are heard from DEBUG on, all others from INFO on, whatever their levels: a team may set others.
"""

from __future__ import annotations

import copy
import logging
import subprocess
from collections.abc import Callable
from threading import Lock
from typing import Any, TextIO

import pytest

from tests.support.functions import function_at_work
from tests.support.recording import Recording, recording_of
from tests.support.wrapping import wrapping

KIND = "logs"
"""of the recording's files: a line begins with the function at work, or `-`, and the logger"""

OURS = ("passel", "local", "infra")
"""loggers whose every line counts"""

_CLIENTS = ("asyncio", "botocore", "hpack", "httpcore", "httpx", "urllib3", "werkzeug")
"""loggers of libraries that tests use as well: what they say outside of functions is the tests' affair"""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_FORMATTER = logging.Formatter("%(name)s %(levelname)s %(message)s")


class LogFile:
    """Where the log of this process goes."""

    def __init__(self, recording: Recording) -> None:
        self._file: TextIO = recording.file(KIND).open("w", encoding="utf-8", errors="backslashreplace")
        self._lock = Lock()

    def write(self, text: str) -> None:
        """Adds some lines."""
        with self._lock:
            if not self._file.closed:
                self._file.write(text.rstrip("\n") + "\n")

    def write_record(self, record: logging.LogRecord) -> None:
        """Adds a record as any formatter may show it: message, traceback and extra attributes."""
        function = function_at_work()
        if function is None and _is_of(record.name, _CLIENTS):
            return
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        text = _FORMATTER.format(copy.copy(record))
        self.write(f"{function or '-'} {text}{f' {extra}' if extra else ''}")

    def close(self) -> None:
        """Has everything on disk."""
        with self._lock:
            self._file.close()


def _is_of(name: str, loggers: tuple[str, ...]) -> bool:
    return name.partition(".")[0] in loggers


def _is_heard(logger: logging.Logger, level: int) -> bool:
    return level >= (logging.DEBUG if _is_of(logger.name, OURS) else logging.INFO)


def _follow_loggers(file: LogFile) -> None:
    """Hears what is below a logger's level too, without letting its handlers hear it."""
    is_enabled = logging.Logger.isEnabledFor

    @wrapping(logging.Logger, "isEnabledFor")
    def is_enabled_or_heard(call: Callable[..., bool], logger: logging.Logger, level: int) -> bool:
        return call(logger, level) or _is_heard(logger, level)

    @wrapping(logging.Logger, "callHandlers")
    def write_and_handle(call: Callable[..., Any], logger: logging.Logger, record: logging.LogRecord) -> None:
        if _is_heard(logger, record.levelno):
            file.write_record(record)
        if is_enabled(logger, record.levelno):
            call(logger, record)


def _follow_programs(file: LogFile) -> None:
    """Hears what programs that tests run to their end write to their error output; the rest is their answer."""

    @wrapping(subprocess, "run")
    def run_and_write(call: Callable[..., Any], command: Any, *values: Any, **named: Any) -> Any:
        done = call(command, *values, **named)
        errors = done.stderr.decode(errors="replace") if isinstance(done.stderr, bytes) else done.stderr
        if errors:
            file.write(f"--- errors of {command[0] if isinstance(command, list) else command}\n{errors}")
        return done


_open_files: list[LogFile] = []
"""of this process: none or one"""


def note_log(source: str, text: str) -> None:
    """Adds what a program has logged that tests let run."""
    for file in _open_files:
        file.write(f"--- log of {source}\n{text}")


def pytest_configure(config: pytest.Config) -> None:
    """Begins to write, if the run is recorded."""
    recording = recording_of(config)
    if recording is not None:
        file = LogFile(recording)
        _open_files.append(file)
        _follow_loggers(file)
        _follow_programs(file)


@pytest.hookimpl(trylast=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Adds what a test printed. On Lambda it would be in the log as well."""
    if call.when != "teardown":
        return
    for _, kind, text in item._report_sections:
        if kind in ("stdout", "stderr") and text:
            note_log(f"{item.nodeid} to {kind}", text)


def pytest_unconfigure() -> None:
    """Ends the file."""
    while _open_files:
        _open_files.pop().close()
