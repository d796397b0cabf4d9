"""Starts the parts of a local run in order, and ends them in the reverse one."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from infra.definition import create_queues, create_tables, find_outdated_tables
from local.clients import create_client
from local.credentials import DemoCredentials, prepare_credentials
from local.data_folder import DataFolder, open_data_folder
from local.engine import HOST, Engine, start_dynoxide, start_queues
from local.environment import PREFIX, apply_environment, build_environment, name_folders
from local.errors import EngineUnavailableError, StackError
from local.install import obtain_binary
from local.options import Options
from local.pump import Pump
from local.signing import VARIABLE, SigningFolder, choose_certificates
from local.vendors import Vendors

if TYPE_CHECKING:
    from local.server import HttpServer

RUN_FILE = "run.json"
"""there from ready to stop: url, key, secret, project_id, engine, and where played phones hear of their pushes"""
STACK_FILE = "stack.json"
"""there while the engines run: the environment variables that reach them"""

_READY_PATH = "/v1/system/status"
_READY_SECONDS = 20.0
_GRACE_SECONDS = 10.0
_DATABASE_FILE = "passel.db"
_ENGINE_FOLDER = "engine"
_ASSETS_FOLDER = "assets"
_CERTIFICATES_FOLDER = "certificates"
_VENDORS_FOLDER = "vendors"

_QUIET = {"PASSEL_LOG_LEVEL": "WARNING", "POWERTOOLS_METRICS_DISABLED": "true"}
"""what a terminal is spared: a line for each push"""

_logger = logging.getLogger(__name__)

Warn = Callable[[str], None]


@dataclass(frozen=True)
class RunningStack:
    """A stack that is ready for requests."""

    url: str
    credentials: DemoCredentials
    engine: Engine | None
    """None where moto serves DynamoDB too"""
    signing: SigningFolder

    @property
    def engine_name(self) -> str:
        return "moto" if self.engine is None else "dynoxide"


def start_stack(options: Options, *, cleanup: ExitStack, warn: Warn) -> RunningStack:
    """Start everything and return once the API answers; closing `cleanup` stops what was started, even in part.

    Raises:
        StackError: something is in the way; the message says what.
    """
    _check_port(options.port)
    folder = cleanup.enter_context(open_data_folder(options.data))
    for name in (RUN_FILE, STACK_FILE):  # left by a run that was killed
        folder.remove(name)
    signing = choose_certificates(
        folder.path / _CERTIFICATES_FOLDER, wanted=os.environ.get(VARIABLE), now=datetime.now(UTC), warn=warn
    )
    vendors = Vendors(folder.path / _VENDORS_FOLDER)
    vendors.start()
    cleanup.callback(vendors.stop)
    engine = _start_engine(options, folder, cleanup=cleanup, warn=warn)
    # moto fails when one transaction meets another in its tables
    turn = None if engine else Lock()
    pump = _start_storage(engine, folder, signing, vendors, cleanup=cleanup, turn=turn)
    url = _start_http(options, pump, cleanup=cleanup, turn=turn)
    credentials = prepare_credentials(folder, lasting=engine is not None)
    _await_ready(url)
    stack = RunningStack(url=url, credentials=credentials, engine=engine, signing=signing)
    cleanup.callback(folder.remove, RUN_FILE)
    run = {"url": url, **asdict(credentials), "engine": stack.engine_name, "pushes": vendors.feed_url}
    folder.write_json(RUN_FILE, run)
    return stack


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise _port_error(port, error) from error


def _port_error(port: int, error: OSError) -> StackError:
    return StackError(f"port {port} cannot be used: {error.strerror}; choose another with PORT=")


def _start_engine(options: Options, folder: DataFolder, *, cleanup: ExitStack, warn: Warn) -> Engine | None:
    if options.engine != "moto":
        try:
            binary = obtain_binary(folder.path / _ENGINE_FOLDER)
        except EngineUnavailableError as error:
            if options.engine == "dynoxide":
                raise
            warn(f"no dynoxide: {error}")
        else:
            engine = start_dynoxide(binary, folder.path / _DATABASE_FILE)
            cleanup.callback(engine.stop)
            return engine
    warn("moto serves DynamoDB: slow above a thousand passes, and NOTHING SURVIVES A RESTART")
    return None


def _start_storage(
    engine: Engine | None,
    folder: DataFolder,
    signing: SigningFolder,
    vendors: Vendors,
    *,
    cleanup: ExitStack,
    turn: Lock | None,
) -> Pump:
    """Queues and tables, then the settings that lead to them; the pump waits to be started."""
    queues = start_queues()
    cleanup.callback(queues.stop)
    dynamodb_url = queues.url if engine is None else engine.url
    tables_client = create_client("dynamodb", endpoint_url=dynamodb_url)
    queues_client = create_client("sqs", endpoint_url=queues.url)
    cleanup.callback(queues_client.close)
    create_tables(tables_client, PREFIX)
    outdated = find_outdated_tables(tables_client, PREFIX)
    tables_client.close()
    if outdated:
        raise StackError(
            f"the data folder {folder.path} is of an earlier release; delete it, or give another with DATA="
        )
    create_queues(queues_client, PREFIX)

    variables = build_environment(dynamodb_url=dynamodb_url, sqs_url=queues.url)
    variables |= name_folders(assets=folder.path / _ASSETS_FOLDER, certificates=signing.path)
    # whoever names a push service means it; all others are played here
    variables |= {name: os.environ.get(name) or value for name, value in {**vendors.variables, **_QUIET}.items()}
    apply_environment(variables)
    cleanup.callback(folder.remove, STACK_FILE)
    folder.write_json(STACK_FILE, variables)

    from chalicelib.workers.handlers import HANDLERS  # reads the settings just made

    return Pump(queues_client, PREFIX, HANDLERS, turn=turn)


def _start_http(options: Options, pump: Pump, *, cleanup: ExitStack, turn: Lock | None) -> str:
    """Workers first, so that no request meets a queue that nobody reads."""
    from app import app
    from chalicelib import operations, wiring
    from local.server import HttpServer

    try:
        server = HttpServer(app, host=HOST, port=options.port, verbose=options.verbose, turn=turn)
    except OSError as error:
        raise _port_error(options.port, error) from error
    cleanup.callback(wiring.close_connections)
    cleanup.callback(_stop_serving, server, pump)
    pump.start()
    resumed = operations.resume_unfinished(minimum_age_seconds=0)
    if resumed:
        _logger.warning("work of the last run goes on: %d messages sent again", resumed)
    server.start()
    return server.url


def _stop_serving(server: HttpServer, pump: Pump) -> None:
    """Take nothing new, and give what is at work some time to end."""
    deadline = time.monotonic() + _GRACE_SECONDS
    pump.stop_polling()
    idle = server.stop(timeout_seconds=_GRACE_SECONDS)
    if not pump.stop(timeout_seconds=max(0.1, deadline - time.monotonic())) or not idle:
        _logger.warning("still busy after %.0f s, stopped regardless", _GRACE_SECONDS)


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    status = None
    while time.monotonic() < deadline:
        status = _read_status(url)
        if status == 200:
            return
        time.sleep(0.05)
    raise StackError(f"{_READY_PATH} did not answer 200 within {_READY_SECONDS:.0f} s (last: {status or 'no answer'})")


def _read_status(url: str) -> int | None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", _READY_PATH, headers={"Connection": "close"})
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()
