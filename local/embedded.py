"""The whole stack inside one process, for tests and benchmarks: real engines, tables, queues, app and workers."""

from __future__ import annotations

import atexit
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

from infra.definition import create_queues, create_tables
from local.certificates import prepare_certificates
from local.clients import create_client
from local.engine import HOST, start_dynoxide, start_queues
from local.environment import PREFIX, apply_environment, build_environment, name_folders
from local.install import find_or_install
from local.pump import Pump
from local.vendors import Vendors


@dataclass
class Calls:
    """DynamoDB calls that were made while counting, and the capacity units they consumed."""

    operations: list[str] = field(default_factory=list)
    tables: Counter[str] = field(default_factory=Counter)
    units: float = 0.0

    @property
    def total(self) -> int:
        """How many calls."""
        return len(self.operations)


@dataclass(frozen=True)
class Embedded:
    """A running stack: its address, its pump, and clients of its engines."""

    url: str
    pump: Pump
    queues: Any
    dynamodb: Any
    engine_name: str
    """`dynoxide`, or `moto` where there is no binary for this platform or ENGINE asks for it"""
    vendors: Vendors
    """the wallets' push services, which take everything"""

    @contextmanager
    def count_calls(self) -> Iterator[Calls]:
        """Counts the DynamoDB calls of this process while the block runs."""
        from chalicelib.wiring import get_database

        calls = Calls()
        events = get_database().connection.client.meta.events

        def before(model: Any, **_: Any) -> None:
            calls.operations.append(model.name)

        def after(parsed: dict[str, Any], **_: Any) -> None:
            consumed = parsed.get("ConsumedCapacity") or []
            for entry in consumed if isinstance(consumed, list) else [consumed]:
                calls.tables[entry["TableName"].removeprefix(PREFIX)] += 1
                calls.units += entry["CapacityUnits"]

        events.register("before-call.dynamodb", before)
        events.register("after-call.dynamodb", after)
        try:
            yield calls
        finally:
            events.unregister("before-call.dynamodb", before)
            events.unregister("after-call.dynamodb", after)


def forget_settings() -> None:
    """Makes this process read its settings anew: a test before may have read them for the wrong environment."""
    from chalicelib import wiring

    for part in vars(wiring).values():  # whatever was made from settings, and the settings themselves
        if hasattr(part, "cache_clear"):
            part.cache_clear()


@lru_cache(maxsize=1)
def _make_certificates() -> Path:
    """A folder that is removed with this process: making keys takes a moment, so all stacks of a process share them."""
    folder = TemporaryDirectory(prefix="passel-certificates-")
    atexit.register(folder.cleanup)
    return prepare_certificates(Path(folder.name), now=datetime.now(UTC))


@contextmanager
def run_embedded(*, database: Path | None = None, variables: Mapping[str, str] | None = None) -> Iterator[Embedded]:
    """Starts everything for as long as the block runs; without `database` all is in memory.

    Sets this process's environment; `variables` are added to it. Nobody polls the queues: drain the pump, or start it.
    """
    binary = find_or_install() if os.environ.get("ENGINE", "dynoxide") == "dynoxide" else None
    queues = start_queues()
    engine = start_dynoxide(binary, database) if binary else None
    dynamodb_url = engine.url if engine else queues.url
    assets = TemporaryDirectory(prefix="passel-assets-")
    vendors = Vendors(Path(assets.name) / "vendors")
    vendors.start()
    environment = build_environment(dynamodb_url=dynamodb_url, sqs_url=queues.url)
    environment |= name_folders(assets=Path(assets.name), certificates=_make_certificates())
    own = {**vendors.variables, "PASSEL_SWEEP_DELAY_SECONDS": "0", "PASSEL_PUBLIC_BASE_URL": ""}
    apply_environment({**environment, **own, **(variables or {})})
    forget_settings()
    dynamodb = create_client("dynamodb", endpoint_url=dynamodb_url)
    sqs = create_client("sqs", endpoint_url=queues.url)
    create_tables(dynamodb, PREFIX)
    create_queues(sqs, PREFIX)

    from app import app
    from chalicelib import wiring
    from chalicelib.workers.handlers import HANDLERS
    from local.server import HttpServer

    turn = None if engine else Lock()
    server = HttpServer(app, host=HOST, port=0, turn=turn)
    server.start()
    try:
        yield Embedded(
            url=server.url,
            pump=Pump(sqs, PREFIX, HANDLERS, backoff=lambda _: 0, turn=turn),
            queues=sqs,
            dynamodb=dynamodb,
            engine_name="dynoxide" if engine else "moto",
            vendors=vendors,
        )
    finally:
        server.stop()
        wiring.close_connections()
        sqs.close()
        dynamodb.close()
        if engine:
            engine.stop()
        queues.stop()
        vendors.stop()
        assets.cleanup()
