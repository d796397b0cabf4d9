"""What a route does to AWS, written down once and done again by a bare function: botocore and nothing else.

A write only succeeds in the state that it was decided on. So what it touched is noted with it, and is put back before
the next one, whoever does it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.session import get_session

CONNECT_SECONDS = 1.0
READ_SECONDS = 60.0

_BATCH_WRITE_ITEMS = 25
_WRITES_OF_ONE = ("UpdateItem", "PutItem", "DeleteItem")

Item = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One operation of a service and its arguments, before botocore has touched them."""

    service: str
    operation: str
    arguments: dict[str, Any]


@dataclass
class Recording:
    """The calls of one request, and the rows that it wrote as they were before."""

    calls: list[Call] = field(default_factory=list)
    rows: dict[tuple[str, str], tuple[str, Item, Item | None]] = field(default_factory=dict)
    """by table and key: table, key, and the row or None"""


def make_client(service: str, *, region: str, endpoint: str) -> Any:
    """A client with what pynamodb sets for its own, so that neither side has the cheaper one."""
    return get_session().create_client(
        service,
        region,
        endpoint_url=endpoint,
        config=Config(
            parameter_validation=False,
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 3, "mode": "standard"},
            max_pool_connections=64,
        ),
    )


def make_bare(calls: Sequence[Call], clients: Mapping[str, Any]) -> Callable[[], None]:
    """The bare function: the same calls, one after the other, each answer parsed by botocore and thrown away."""
    steps = [(getattr(clients[call.service], xform_name(call.operation)), call.arguments) for call in calls]

    def bare() -> None:
        for method, arguments in steps:
            method(**arguments)

    return bare


class Rows:
    """Reads and puts back rows, through a client that is not measured."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb
        self._key_names: dict[str, list[str]] = {}

    def note_before(self, recording: Recording, call: Call) -> None:
        """Notes the rows that a call is about to write, each as it is before the first write."""
        for table, written in _find_writes(call):
            key = {name: written[name] for name in self._names(table)}
            place = table, str(sorted(key.items()))
            if place not in recording.rows:
                answer = self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True)
                recording.rows[place] = table, key, answer.get("Item")

    def restore(self, recording: Recording) -> None:
        """Puts every noted row back, or away if there was none."""
        requests = [
            (table, {"DeleteRequest": {"Key": key}} if row is None else {"PutRequest": {"Item": row}})
            for table, key, row in recording.rows.values()
        ]
        for start in range(0, len(requests), _BATCH_WRITE_ITEMS):
            items: dict[str, list[Any]] = {}
            for table, request in requests[start : start + _BATCH_WRITE_ITEMS]:
                items.setdefault(table, []).append(request)
            if self._dynamodb.batch_write_item(RequestItems=items).get("UnprocessedItems"):
                raise RuntimeError("the engine did not put all rows back")

    def _names(self, table: str) -> list[str]:
        if table not in self._key_names:
            schema = self._dynamodb.describe_table(TableName=table)["Table"]["KeySchema"]
            self._key_names[table] = [each["AttributeName"] for each in schema]
        return self._key_names[table]


def _find_writes(call: Call) -> Iterator[tuple[str, Item]]:
    """Table, and key or whole item, of each row that a call writes."""
    if call.operation in _WRITES_OF_ONE:
        yield call.arguments["TableName"], call.arguments.get("Key") or call.arguments["Item"]
    for entry in call.arguments.get("TransactItems", ()):
        for kind, request in entry.items():
            if kind != "ConditionCheck":
                yield request["TableName"], request.get("Key") or request["Item"]


@contextmanager
def record(clients: Mapping[str, Any], rows: Rows) -> Iterator[Recording]:
    """Writes down what the application's own clients are asked for while the block runs."""
    recording = Recording()

    def note(service: str) -> Callable[..., None]:
        def on_parameters(params: Mapping[str, Any], model: Any, **_: Any) -> None:
            call = Call(service, model.name, copy.deepcopy(dict(params)))
            recording.calls.append(call)
            rows.note_before(recording, call)

        return on_parameters

    handlers = {f"provide-client-params.{service}": note(service) for service in clients}
    for (event, handler), client in zip(handlers.items(), clients.values(), strict=True):
        client.meta.events.register(event, handler)
    try:
        yield recording
    finally:
        for (event, handler), client in zip(handlers.items(), clients.values(), strict=True):
            client.meta.events.unregister(event, handler)
