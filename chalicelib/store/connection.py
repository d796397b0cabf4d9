"""One botocore session and one DynamoDB client for all models and for SQS.

pynamodb makes a session and a client for each model class, which costs over 100 ms apiece on a cold start; here every
model is given the same connection. That leans on `Model._connection`, which is private: the version of pynamodb is
pinned and a test guards the sharing.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, TypeVar

from botocore import __version__ as botocore_version
from botocore.config import Config
from pynamodb.connection import Connection, TableConnection
from pynamodb.models import Model

from chalicelib.domain.errors import PasselError, StorageUnavailable
from chalicelib.settings import Settings
from chalicelib.store.answers import read_as_sent
from chalicelib.store.failures import translated
from chalicelib.store.models import MODELS, RawItem

Result = TypeVar("Result")

BATCH_GET_ITEMS = 100
"""DynamoDB's limit for one BatchGetItem"""

_CONNECTIONS = 64

_USER_AGENT = f"passel botocore/{botocore_version}"
"""given as it is, since botocore puts its own together anew for each call: a tenth of what a call costs us"""

NOTE_SECONDS = 60.0
"""a process notes a collection with stripes at most so often"""

STATEMENTS = 25
"""DynamoDB's limit for one BatchExecuteStatement"""

_FIRST_PAUSE_SECONDS, _LAST_PAUSE_SECONDS = 0.05, 1.0
"""at most, before statements that were not run go again; each pause is at most twice the one before"""

_NOT_RUN = frozenset(
    {"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded", "TransactionConflict"}
)
"""codes of a statement that the next moment may take"""


class Database:
    """The shared connection, and the few calls that bypass pynamodb's hydration because lists are hot."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stripes = StripeChoice(count=settings.stripes, memory_seconds=settings.stripe_memory_seconds)
        self.connection = Connection(
            region=settings.region,
            host=settings.dynamodb_endpoint,
            connect_timeout_seconds=settings.connect_timeout_seconds,
            read_timeout_seconds=settings.read_timeout_seconds,
            retry_configuration={"total_max_attempts": 3, "mode": "standard"},
            max_pool_connections=_CONNECTIONS,
            aws_access_key_id=settings.access_key_id,
            aws_secret_access_key=settings.secret_access_key,
            aws_session_token=settings.session_token,
        )
        self._session = self.connection.session
        self._session.set_default_client_config(Config(user_agent=_USER_AGENT))
        read_as_sent(self.connection.client)
        for model in MODELS:
            self._bind(model)
        self._executor: ThreadPoolExecutor | None = None

    def _bind(self, model: type[Model]) -> None:
        bare_name = _BARE_NAMES[model]
        model.Meta.table_name = self.settings.table_name(bare_name)
        model._connection = None
        # pynamodb's default region is required only to build the connection that is thrown away here
        model.Meta.region = self.settings.region
        own: TableConnection = model._get_connection()
        self.connection.add_meta_table(own.get_meta_table())
        own.connection = self.connection

    @cached_property
    def sqs(self) -> Any:
        """An SQS client of the same session, made on first use: reading requests never pay for it."""
        return self.create_client("sqs", self.settings.sqs_endpoint)

    def create_client(self, service: str, endpoint: str | None, *, timeout_seconds: float | None = None) -> Any:
        """A client of another service from the same session, which is a tenth of the price of a session of its own.

        With `timeout_seconds` it waits no longer for anything, and repeats nothing.
        """
        return self._session.create_client(
            service,
            self.settings.region,
            endpoint_url=endpoint,
            config=Config(
                connect_timeout=timeout_seconds or self.settings.connect_timeout_seconds,
                read_timeout=timeout_seconds or self.settings.read_timeout_seconds,
                retries={"total_max_attempts": 1 if timeout_seconds else 2, "mode": "standard"},
                max_pool_connections=_CONNECTIONS,
            ),
        )

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """One raw DynamoDB call, with failures in the domain's words."""
        with translated():
            return self.connection.dispatch(operation, arguments)

    def query(self, **arguments: Any) -> Iterable[list[RawItem]]:
        """Pages of raw items, read as they are consumed."""
        while True:
            answer = self.call("Query", **arguments)
            yield answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def batch_get(
        self, model: type[Model], keys: Sequence[RawItem], *, attributes: Sequence[str] = (), consistent: bool = False
    ) -> list[RawItem]:
        """Raw items of one table, in no order; calls of 100 keys run side by side."""
        chunks = [keys[start : start + BATCH_GET_ITEMS] for start in range(0, len(keys), BATCH_GET_ITEMS)]
        answers = self.run_parallel(
            [partial(self._batch_get_chunk, model, chunk, attributes, consistent) for chunk in chunks]
        )
        return [item for items in answers for item in items]

    def _batch_get_chunk(
        self, model: type[Model], keys: Sequence[RawItem], attributes: Sequence[str], consistent: bool
    ) -> list[RawItem]:
        table = model.Meta.table_name
        request: dict[str, Any] = {"Keys": list(keys), "ConsistentRead": consistent}
        if attributes:
            request["ProjectionExpression"] = ",".join(f"#{position}" for position in range(len(attributes)))
            request["ExpressionAttributeNames"] = {f"#{position}": name for position, name in enumerate(attributes)}
        items: list[RawItem] = []
        pause_seconds = 0.02
        while request["Keys"]:
            answer = self.call("BatchGetItem", RequestItems={table: request})
            items += answer["Responses"].get(table, [])
            unprocessed = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            request["Keys"] = unprocessed
            if unprocessed:
                time.sleep(random.uniform(0, pause_seconds))
                pause_seconds = min(pause_seconds * 2, 0.5)
        return items

    def batch_get_tables(self, keys: dict[str, list[RawItem]]) -> dict[str, list[RawItem]]:
        """Raw items of several tables, read consistently in one call; at most 100 keys in all.

        Raises:
            StorageUnavailable: storage did not answer for every key.
        """
        request = {table: {"Keys": own, "ConsistentRead": True} for table, own in keys.items()}
        answer = self.call("BatchGetItem", RequestItems=request)
        if answer.get("UnprocessedKeys"):
            raise StorageUnavailable("storage is throttled")
        return {table: answer["Responses"].get(table, []) for table in keys}

    def execute_statements(self, statements: Sequence[dict[str, Any]]) -> list[bool]:
        """Whether each PartiQL write took effect for certain; calls of 25 run side by side.

        Those that were throttled or met a transaction go again together, which is far quicker than one by one. False
        where a condition did not hold, where anything else failed, and everywhere if the engine takes no statements:
        the caller then writes one by one.
        """
        if not self.settings.batch_statements:
            return [False] * len(statements)
        chunks = [statements[start : start + STATEMENTS] for start in range(0, len(statements), STATEMENTS)]
        answers = self.run_parallel([partial(self._execute_chunk, chunk) for chunk in chunks])
        return [written for answer in answers for written in answer]

    def _execute_chunk(self, statements: Sequence[dict[str, Any]]) -> list[bool]:
        written: dict[int, bool] = {}
        left, longest_seconds = dict(enumerate(statements)), _FIRST_PAUSE_SECONDS
        while left and longest_seconds <= _LAST_PAUSE_SECONDS:
            if written:
                time.sleep(random.uniform(0, longest_seconds))
                longest_seconds *= 2
            try:
                answer = self.call("BatchExecuteStatement", Statements=list(left.values()))
            except PasselError:
                break
            codes = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
            written |= {position: code is None for position, code in zip(left, codes, strict=True)}
            left = {position: left[position] for position, code in zip(left, codes, strict=True) if code in _NOT_RUN}
        return [written.get(position, False) for position in range(len(statements))]

    def run_parallel(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Results in the order of the tasks; a single task runs in this thread."""
        if len(tasks) < 2:
            return [task() for task in tasks]
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=32, thread_name_prefix="store")
        return list(self._executor.map(lambda task: task(), tasks))


class StripeChoice:
    """Which stripe of a segment's counter this process writes (DESIGN, section 3).

    Stripe 0, so that quiet segments keep one row; after a conflict a random one, remembered for a few seconds.
    """

    def __init__(self, *, count: int, memory_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._count = count
        self._memory_seconds = memory_seconds
        self._clock = clock
        self._spread_until = -1.0
        self._noted_until: dict[str, float] = {}

    def choose(self) -> int:
        """The stripe for all counters of one transaction."""
        return random.randrange(self._count) if self._clock() < self._spread_until else 0

    def is_unnoted(self, collection: str) -> bool:
        """Whether the collection was not asked about within the last minute: it is then to be noted for folding."""
        now = self._clock()
        self._noted_until = {key: until for key, until in self._noted_until.items() if until > now}
        if collection in self._noted_until:
            return False
        self._noted_until[collection] = now + NOTE_SECONDS
        return True

    def note_conflict(self) -> None:
        """Spreads the writes of the next seconds."""
        self._spread_until = self._clock() + self._memory_seconds


_BARE_NAMES = {model: model.Meta.table_name for model in MODELS}
