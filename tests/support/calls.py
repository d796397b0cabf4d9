"""Every AWS call that a function's code makes is held against the function's policy, and written down.

What its policy lacks is refused as AWS would, whoever catches that, and the test fails in which it happened. The calls
of tests, of operators and of the local engines are their own affair.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from chalicelib.settings import get_settings
from chalicelib.store.connection import StripeChoice
from chalicelib.store.queues import SqsQueueSender
from chalicelib.store.receivers import DynamoReceiverStore
from tests.support.aws_actions import Access, UnknownCallError, find_accesses
from tests.support.doors import follow_doors
from tests.support.functions import OPERATOR, follow_functions, function_at_work
from tests.support.policies import read_policy
from tests.support.recording import recording_of
from tests.support.wrapping import wrapping

KIND = "calls"
"""of the recording's files: a JSON array of function, action and resource a line"""


class CallRefusedError(AssertionError):
    """A function's code called what its policy does not allow."""


class Calls:
    """What the functions of this process have called."""

    def __init__(self) -> None:
        self.made: set[tuple[str, Access]] = set()
        self.refused: list[str] = []
        """what was refused and is not yet told"""

    def check(self, function: str, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
        """Notes a call.

        Raises:
            ClientError: the policy lacks something that it needs.
        """
        if function == OPERATOR:
            return
        try:
            accesses = find_accesses(service, operation, arguments)
        except UnknownCallError as error:
            self.refused.append(f"{function} calls {error}, of which tests/support/aws_actions.py knows nothing")
            raise
        for access in accesses:
            if (function, access) in self.made:
                continue
            if not read_policy(function).allows(access):
                self.refused.append(f"{function} may not {access.action} on {access.resource}")
                raise _access_denied(function, operation, access)
            self.made.add((function, access))

    def follow_clients(self) -> None:
        """Checks the calls of every botocore client of this process from now on."""

        @wrapping(BaseClient, "_make_api_call")
        def check_and_call(call: Callable[..., Any], client: Any, operation: str, arguments: Mapping[str, Any]) -> Any:
            self.need(client.meta.service_model.service_name, operation, **arguments)
            return call(client, operation, arguments)

    def follow_memories(self) -> None:
        """Has a function need what it would need in a process of its own: here others may have asked before it."""

        @wrapping(SqsQueueSender, "_url")
        def find_url(call: Callable[..., str], sender: SqsQueueSender, queue: str) -> str:
            self.need("sqs", "GetQueueUrl", QueueName=get_settings().queue_name(queue))
            return call(sender, queue)

        @wrapping(StripeChoice, "is_unnoted")
        def is_unnoted(call: Callable[..., bool], stripes: StripeChoice, collection: str) -> bool:
            self.need("dynamodb", "PutItem", TableName=get_settings().table_name("sweeps"))
            return call(stripes, collection)

        @wrapping(DynamoReceiverStore, "unknown_keys")
        def list_unknown(call: Callable[..., Any], store: DynamoReceiverStore, project_id: int) -> Any:
            self.need("dynamodb", "BatchGetItem", RequestItems=[get_settings().table_name("receivers")])
            return call(store, project_id)

        @wrapping(DynamoReceiverStore, "find_receiver")
        def find_receiver(call: Callable[..., Any], store: DynamoReceiverStore, project_id: int) -> Any:
            self.need("dynamodb", "GetItem", TableName=get_settings().table_name("receivers"))
            return call(store, project_id)

    def need(self, service: str, operation: str, **arguments: Any) -> None:
        """Checks a call that the function at work, if any, may have to make.

        Raises:
            ClientError
        """
        function = function_at_work()
        if function is not None:
            self.check(function, service, operation, arguments)

    def tell_refused(self) -> None:
        """Raises CallRefusedError for what was refused since this was last asked."""
        refused, self.refused = self.refused, []
        if refused:
            raise CallRefusedError("\n".join(dict.fromkeys(refused)))


def _access_denied(function: str, operation: str, access: Access) -> ClientError:
    """Its words are those of the functions' errors on AWS."""
    message = f"{function} is not authorized to perform: {access.action} on resource: {access.resource}"
    answer: Any = {
        "Error": {"Code": "AccessDeniedException", "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 400, "RequestId": "", "HTTPHeaders": {}, "RetryAttempts": 0},
    }
    return ClientError(answer, operation)


CALLS = pytest.StashKey[Calls]()


def pytest_configure(config: pytest.Config) -> None:
    """Begins to check."""
    follow_functions()
    follow_doors()
    calls = config.stash[CALLS] = Calls()
    calls.follow_clients()
    calls.follow_memories()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Fails a test before which something was refused: fixtures work for it."""
    yield from _tell(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fails a test in which something was refused."""
    yield from _tell(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Fails a test after which something was refused."""
    yield from _tell(item)


def _tell(item: pytest.Item) -> Iterator[None]:
    calls = item.config.stash[CALLS]
    try:
        yield
    except Exception as error:
        try:
            calls.tell_refused()
        except CallRefusedError as refused:
            error.add_note(str(refused))
        raise
    calls.tell_refused()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Writes down what was called."""
    recording = recording_of(session.config)
    made = sorted(session.config.stash[CALLS].made)
    if recording is not None and made:
        lines = [json.dumps([function, *access]) for function, access in made]
        recording.file(KIND).write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_calls(files: Iterable[Path]) -> set[tuple[str, Access]]:
    """What was written down: function and access."""
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return {(function, Access(action, resource)) for function, action, resource in map(json.loads, lines)}
