"""The log: on Lambda one JSON object a line, with what is known of the request or message at work; elsewhere text.

Every module writes to the logger `passel`. Where it goes is decided once a process, by the first request or message,
since a worker's Lambda never imports `app.py`. No line holds a header, a body, a query or a token.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from traceback import walk_tb
from typing import Any, Final, TextIO

from chalicelib.settings import get_settings

SERVICE: Final = "passel"

LONGEST_MESSAGE_CHARACTERS = 2000
"""of an error's message"""

_PROJECT = f"{Path(__file__).parents[1]}/"
_LONGEST_STACK = 40
_LONGEST_CHAIN = 4

_RUN = re.compile(r"(?<![\w+=-])[\w+=-]{32,}")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{32,}")
_LONGEST_NAME = 40
"""characters; names and UUIDs are shorter, device ids are hexadecimal, push tokens and secrets both or longer"""

# by what a text must hold for them to be worth a try
_SECRETS = {
    "KEY-----": re.compile(r"-----BEGIN [A-Z ]*KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)", re.DOTALL),
    "://": re.compile(r"(?<=://)[^/@\s]+(?=@)"),
    "?": re.compile(r"(?<=\?)[^\s?'\"<>]*=[^\s?'\"<>]*"),
    "asic ": re.compile(r"(?<=[Bb]asic )[^\s'\"]{8,}"),
    "earer ": re.compile(r"(?<=[Bb]earer )[^\s'\"]{8,}"),
    "Pass ": re.compile(r"(?<=(?:Apple|droid|allet|ttido)Pass )[^\s'\"]{8,}"),
}
"""private keys, user names in addresses, queries, credentials behind their scheme"""

_log = logging.getLogger(SERVICE)
_fields: ContextVar[dict[str, Any] | None] = ContextVar("log_fields", default=None)


class _Process:
    """What has happened once in this process."""

    is_set_up = False
    is_warm = False


def is_on_lambda() -> bool:
    """Whether Lambda runs this process, or something that plays it."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def deployment() -> str:
    """The name under which metrics and lines of this deployment are found: its prefix, as in `passel-dev`."""
    return get_settings().prefix.rstrip("-")


def set_up() -> None:
    """Sets the level of the log, and on Lambda its form. The first call counts, further ones cost nothing."""
    if _Process.is_set_up:
        return
    _Process.is_set_up = True
    _log.setLevel(get_settings().log_level)
    if is_on_lambda():
        write_json(sys.stdout)


def write_json(stream: TextIO) -> None:
    """From now on every line of this process is a JSON object on `stream`, whoever writes it."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME")))
    root = logging.getLogger()
    root.handlers[:] = [handler]  # in place of Lambda's own, which writes text
    # below that level the HTTP libraries write addresses, and a push token is part of one
    root.setLevel(logging.WARNING)
    _log.handlers.clear()
    _log.propagate = True
    logging.captureWarnings(capture=True)
    # which no line shows, so that no record need find it out
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


@contextmanager
def work(context: object, **fields: object) -> Iterator[None]:
    """One request or message at work: every line written inside the block carries the fields that are not None.

    `context` is what Lambda handed over. Threads and tasks have fields of their own; the block's end forgets all.
    """
    opened: dict[str, Any] = {
        "request_id": getattr(context, "aws_request_id", None),
        "trace_id": _find_trace(os.environ.get("_X_AMZN_TRACE_ID", "")),
        "cold_start": None if _Process.is_warm else True,
    }
    _Process.is_warm = True
    opened |= fields
    token = _fields.set(opened)
    try:
        yield
    finally:
        _fields.reset(token)
        opened.clear()  # a task that outlives the block, such as a connection's, still holds it


def note(**fields: object) -> None:
    """Adds what has just become known of the work at hand, such as its project; None adds nothing."""
    current = _fields.get()
    if current is not None:
        current.update(fields)


def _find_trace(header: str) -> str | None:
    """X-Ray's trace in `Root=1-...;Parent=...;Sampled=1`."""
    parts = (part.partition("=") for part in header.split(";"))
    return next((value for name, _, value in parts if name.strip() == "Root"), None)


_encode = json.JSONEncoder(default=str, separators=(",", ":")).encode


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON. `extra={"fields": {...}}` of a log call adds members of its own."""

    def __init__(self, *, function: str | None) -> None:
        super().__init__()
        self._constant = {"service": SERVICE, "deployment": deployment(), "function": function}

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, Any] = {
            "level": record.levelname,
            "message": without_secrets(record.getMessage()),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "logger": record.name,
            "location": f"{record.module}.{record.funcName}:{record.lineno}",
        }
        line |= self._constant
        line |= _fields.get() or {}
        line |= getattr(record, "fields", None) or {}
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = describe_error(record.exc_info[1])
        return _encode({name: value for name, value in line.items() if value is not None})


def describe_error(error: BaseException, *, chain: int = _LONGEST_CHAIN) -> dict[str, Any]:
    """An error as JSON: type, message, where it was raised (innermost last), and what it was raised from."""
    described: dict[str, Any] = {"type": type(error).__qualname__, "message": explain_error(error)}
    frames = [
        f"{frame.f_code.co_filename.removeprefix(_PROJECT)}:{line} {frame.f_code.co_name}"
        for frame, line in walk_tb(error.__traceback__)
    ]
    described["stack"] = frames[-_LONGEST_STACK:]
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and chain > 1:
        described["cause"] = describe_error(cause, chain=chain - 1)
    return described


def name_error(error: BaseException) -> str:
    """An error's type, and the code of the AWS service that refused: `ClientError AccessDeniedException`."""
    response = getattr(error, "response", None)
    refusal = response.get("Error", {}) if isinstance(response, dict) else {}
    code = refusal.get("Code") or getattr(error, "cause_response_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def explain_error(error: BaseException) -> str:
    """An error's message without what was put in: a validation error would repeat the values it refuses."""
    problems = getattr(error, "errors", None)
    if callable(problems) and hasattr(error, "error_count"):
        found = problems(include_input=False, include_url=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in found)
    else:
        text = str(error)
    return without_secrets(text)[:LONGEST_MESSAGE_CHARACTERS]


def without_secrets(text: str) -> str:
    """`text` with three dots in place of whatever looks like a secret; a last line of defence, not a licence."""
    for sign, secret in _SECRETS.items():
        if sign in text:
            text = secret.sub("...", text)
    return _RUN.sub(_hide_token, text)


def _hide_token(found: re.Match[str]) -> str:
    run = found[0]
    is_long = len(run) >= _LONGEST_NAME and any(character.isdigit() for character in run)
    return "..." if is_long or _HEXADECIMAL.fullmatch(run) else run
