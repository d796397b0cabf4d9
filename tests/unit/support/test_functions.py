"""Whose work it is, where this process plays Lambda."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from chalice import Chalice
from chalice.app import SQSEvent
from chalice.test import Client

from tests.support.functions import API_FUNCTION, function_at_work, working_as

Seen = list[str | None]


@pytest.fixture
def seen() -> Seen:
    """What a function found itself to be."""
    return []


@pytest.fixture
def app(seen: Seen) -> Chalice:
    made = Chalice(app_name="probe")

    @made.route("/probe")
    def probe() -> dict[str, Any]:
        seen.append(function_at_work())
        return {}

    @made.on_sqs_message(queue="probes", name="named_otherwise")
    def handle_probe(event: SQSEvent) -> None:
        seen.append(function_at_work())
        raise LookupError

    return made


def test_a_request_is_the_work_of_the_api(app: Chalice, seen: Seen) -> None:
    with Client(app) as client:
        assert client.http.get("/probe").status_code == 200
    assert seen == [API_FUNCTION]
    assert function_at_work() is None


def test_a_message_is_the_work_of_its_handler_even_if_that_fails(app: Chalice, seen: Seen) -> None:
    with pytest.raises(LookupError), Client(app) as client:
        client.lambda_.invoke("named_otherwise", client.events.generate_sqs_event(["some message"]))
    assert seen == ["handle_probe"]
    assert function_at_work() is None


def test_a_thread_works_for_the_function_that_started_it(seen: Seen) -> None:
    def work() -> None:
        seen.append(function_at_work())

    for function in ("some_function", None):
        with working_as(function):
            thread = threading.Thread(target=work)
            thread.start()
        thread.join()
    assert seen == ["some_function", None]


def test_the_threads_of_a_pool_work_for_whoever_gives_them_a_task() -> None:
    with ThreadPoolExecutor(1) as pool:
        found = []
        for function in ("one", "another", None):
            with working_as(function):
                found.append(pool.submit(function_at_work).result())
        with working_as("one"):
            found += pool.map(lambda _: function_at_work(), range(2))
    assert found == ["one", "another", None, "one", "one"]
