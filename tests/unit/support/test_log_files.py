"""What is written down of a log."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from tests.support.functions import working_as
from tests.support.log_files import LogFile
from tests.support.recording import Recording


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return LogFile(Recording(tmp_path, "gw0"))


def make_record(name: str, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    exc_info = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord(name, logging.INFO, "a path", 1, "told %s", ("something",), exc_info)
    vars(record).update(extra)
    return record


def read(log: LogFile, tmp_path: Path) -> str:
    log.close()
    return (tmp_path / "logs-gw0").read_text()


def test_a_line_says_whose_it_is_and_all_that_a_formatter_may_show(log: LogFile, tmp_path: Path) -> None:
    with working_as("send_callback"):
        log.write_record(make_record("passel", ValueError("what went wrong"), fields={"ticket": 7}))
    log.write_record(make_record("local.pump"))
    text = read(log, tmp_path)
    assert text.startswith("send_callback passel INFO told something")
    assert "what went wrong" in text
    assert "{'fields': {'ticket': 7}}" in text
    assert text.endswith("- local.pump INFO told something\n")


def test_what_libraries_say_to_tests_is_left_out(log: LogFile, tmp_path: Path) -> None:
    log.write_record(make_record("httpx"))
    with working_as("api_handler"):
        log.write_record(make_record("httpx"))
    assert read(log, tmp_path) == "api_handler httpx INFO told something\n"


def test_nothing_is_lost_that_cannot_be_encoded_and_nothing_fails_after_the_end(log: LogFile, tmp_path: Path) -> None:
    log.write("half a pair \ud83d\n")
    assert read(log, tmp_path) == "half a pair \\ud83d\n"
    log.write("too late")
