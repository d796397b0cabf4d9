"""Which Lambda function's code is at work, where this process plays Lambda.

A function is at work from the call of its entry point, which Chalice makes, until that returns: it does not matter
whether the local server, the pump or a test makes the call. What its code hands to other threads is its work too.
Everything else is the doing of a test, or of an operator. `doors.py` adds where else the work of a function begins.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from typing import Any

from chalice.app import Chalice, EventSourceHandler

from tests.support.wrapping import wrapping

API_FUNCTION = "api_handler"
"""as Chalice calls the function behind the API"""

OPERATOR = "an operator"
"""whose permissions are not ours to judge"""

_at_work: ContextVar[str | None] = ContextVar("at_work", default=None)


def function_at_work() -> str | None:
    """The function whose code runs here, by its name in `.chalice/config.json`; `OPERATOR`, or None for tests."""
    return _at_work.get()


@contextmanager
def working_as(function: str | None) -> Iterator[None]:
    """The block is work of that function, or of none."""
    token = _at_work.set(function)
    try:
        yield
    finally:
        _at_work.reset(token)


@cache
def follow_functions() -> None:
    """From now on `function_at_work` is right in this process."""

    @wrapping(Chalice, "__call__")
    def serve(call: Callable[..., Any], app: Chalice, event: Any, context: Any) -> Any:
        with working_as(API_FUNCTION):
            return call(app, event, context)

    @wrapping(EventSourceHandler, "__call__")
    def handle(call: Callable[..., Any], handler: EventSourceHandler, event: Any, context: Any) -> Any:
        with working_as(handler.func.__name__):
            return call(handler, event, context)

    @wrapping(threading.Thread, "start")
    def start(call: Callable[..., Any], thread: Any) -> None:
        # of itself a thread knows nothing of the context that it was started in
        function = function_at_work()
        if function is not None:
            thread.run = partial(_work, function, thread.run)
        call(thread)

    @wrapping(ThreadPoolExecutor, "submit")
    def submit(call: Callable[..., Any], pool: Any, task: Callable[..., Any], /, *values: Any, **named: Any) -> Any:
        # the threads of a pool outlive whoever needed them first, so each task says whose it is
        return call(pool, _work, function_at_work(), task, *values, **named)


def _work(function: str | None, task: Callable[..., Any], /, *values: Any, **named: Any) -> Any:
    with working_as(function):
        return task(*values, **named)
