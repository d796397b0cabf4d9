"""Everything that a run needs, started as processes of their own: storage on disk, queues, proxies, API and workers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.definition import create_queues, create_tables
from local.certificates import prepare_certificates
from local.clients import create_client
from local.engine import start_dynoxide
from local.environment import PREFIX, apply_environment, build_environment, name_folders
from local.install import obtain_binary
from local.vendors import Vendors
from tests.chaos.faults import Weather
from tests.chaos.processes import START_SECONDS, Process, find_ports
from tests.chaos.proxy_process import describe

VISIBILITY_SECONDS = 6
"""of every queue; a handler that takes longer is met by a copy of its message"""

MOST_RECEIVES = 3
"""after which a message is a dead letter: fewer than on AWS, so that some tickets fail"""

READ_TIMEOUT_SECONDS = 1.0

_SETTINGS = {
    "PASSEL_READ_TIMEOUT_SECONDS": str(READ_TIMEOUT_SECONDS),
    "PASSEL_REQUEST_BUDGET_SECONDS": "5",
    "PASSEL_LOG_LEVEL": "WARNING",
    "POWERTOOLS_METRICS_DISABLED": "true",
}


@dataclass(slots=True)
class Stage:
    """What is running. The clients of storage and queues see no faults."""

    folder: Path
    dynamodb: Any
    queues: Any
    proxies: Process
    servers: list[Process]
    workers: list[Process]
    ports: list[int]
    queue_urls: Mapping[str, str]
    """by name without prefix"""
    played: dict[str, int] = field(default_factory=dict)

    def await_ready(self) -> None:
        """Returns once API and workers are there.

        Raises:
            ProcessError
        """
        for process in (*self.servers, *self.workers):
            process.read_line(START_SECONDS)

    def begin_faults(self) -> None:
        """Storage and queues begin to fail."""
        self.proxies.tell("on")

    def end_faults(self) -> None:
        """Nothing fails any more, and nothing that failed is still under way."""
        self.proxies.tell("off")
        self.played = json.loads(self.proxies.read_line(30))

    def count_messages(self, queues: list[str]) -> dict[str, int]:
        """Messages of each queue that has any: visible, delayed or in hand."""
        names = [f"ApproximateNumberOfMessages{suffix}" for suffix in ("", "NotVisible", "Delayed")]
        found = {}
        for queue in queues:
            answer = self.queues.get_queue_attributes(QueueUrl=self.queue_urls[queue], AttributeNames=names)
            found[queue] = sum(int(answer["Attributes"][name]) for name in names)
        return {queue: count for queue, count in found.items() if count}

    def read_logs(self) -> dict[str, str]:
        """What API and worker processes have logged."""
        return {each.name: each.read_log() for each in (*self.servers, *self.workers)}


@contextmanager
def run_stage(
    folder: Path, *, seed: int, weather: Weather, servers: int, workers: int, sweep_delay_seconds: int
) -> Iterator[Stage]:
    """Starts everything, without faults, for as long as the block runs.

    A sweep is delayed for longer than a write that is under way may take here, as it is on AWS by a minute.

    Sets this process's environment to what sees no faults.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as cleanup:
        engine = start_dynoxide(obtain_binary(Path("build/engine")), folder / "passel.db")
        cleanup.callback(engine.stop)
        sqs_url = _launch("queue_process", [], "queues", folder, {}, cleanup).read_line(START_SECONDS)
        dynamodb, queues = _make_clients(engine.url, sqs_url, cleanup)
        create_tables(dynamodb, PREFIX)
        queue_urls = _shorten_times(queues, create_queues(queues, PREFIX))
        own = _build_environment(folder, engine.url, sqs_url, cleanup)
        argument = describe(weather, seed=seed, dynamodb=engine.url, sqs=sqs_url)
        proxies = _launch("proxy_process", [argument], "proxies", folder, {}, cleanup)
        places = json.loads(proxies.read_line(START_SECONDS))
        faulty = {**own, **_SETTINGS, "PASSEL_SWEEP_DELAY_SECONDS": str(sweep_delay_seconds)}
        faulty |= {"AWS_ENDPOINT_URL_DYNAMODB": places["dynamodb"], "AWS_ENDPOINT_URL_SQS": places["sqs"]}
        apply_environment(own)
        ports = find_ports(servers)
        yield Stage(
            folder=folder,
            dynamodb=dynamodb,
            queues=queues,
            proxies=proxies,
            servers=[
                _launch("api_process", [str(port)], f"api-{number}", folder, faulty, cleanup)
                for number, port in enumerate(ports)
            ],
            workers=[
                _launch("worker_process", [] if number else ["schedule"], f"worker-{number}", folder, faulty, cleanup)
                for number in range(workers)
            ],
            ports=ports,
            queue_urls=queue_urls,
        )


def _launch(
    module: str, arguments: list[str], name: str, folder: Path, environment: Mapping[str, str], cleanup: ExitStack
) -> Process:
    process = Process(module, arguments, name=name, folder=folder, environment=environment)
    cleanup.callback(process.kill)
    process.launch()
    return process


def _make_clients(dynamodb_url: str, sqs_url: str, cleanup: ExitStack) -> tuple[Any, Any]:
    dynamodb = create_client("dynamodb", endpoint_url=dynamodb_url)
    cleanup.callback(dynamodb.close)
    queues = create_client("sqs", endpoint_url=sqs_url)
    cleanup.callback(queues.close)
    return dynamodb, queues


def _shorten_times(queues: Any, urls: Mapping[str, str]) -> dict[str, str]:
    """Visibility and tries of every queue; their addresses by name without prefix."""
    for url in urls.values():
        attributes = {"VisibilityTimeout": str(VISIBILITY_SECONDS)}
        before = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"]).get("Attributes", {})
        if "RedrivePolicy" in before:
            policy = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": MOST_RECEIVES}
            attributes["RedrivePolicy"] = json.dumps(policy)
        queues.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return {name.removeprefix(PREFIX): url for name, url in urls.items()}


def _build_environment(folder: Path, dynamodb_url: str, sqs_url: str, cleanup: ExitStack) -> dict[str, str]:
    """Of this process, which sees no faults and waits for no writers."""
    vendors = Vendors(folder / "vendors")
    vendors.start()
    cleanup.callback(vendors.stop)
    return {
        **build_environment(dynamodb_url=dynamodb_url, sqs_url=sqs_url),
        **name_folders(
            assets=folder / "assets",
            certificates=prepare_certificates(folder / "certificates", now=datetime.now(UTC)),
        ),
        **vendors.variables,
        "PASSEL_SWEEP_DELAY_SECONDS": "0",
        "PASSEL_PUBLIC_BASE_URL": "",
    }


def wait_until(is_so: Any, *, timeout_seconds: float, pause_seconds: float = 0.1) -> bool:
    """Whether something became so in time."""
    deadline = time.monotonic() + timeout_seconds
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause_seconds)
    return True
