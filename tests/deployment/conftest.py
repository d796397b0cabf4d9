"""One emulator for the session, one deployment for a file; a project in it, and the way there.

A deployment ends with its file: another process may wait for the copy of the project that it is made from.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.stages import read_stage
from local.certificates import prepare_certificates
from local.vendors import Vendors
from tests.deployment.deployment import STAGE, Deployment, copied_project
from tests.deployment.emulator import REGION, Emulator
from tests.deployment.gateway import Gateway
from tests.deployment.installation import EmulatorUnavailableError, Installation, obtain_installation
from tests.support.phones import Phone
from tests.support.stack import Tenant

_REQUIRED = ("CI", "PASSEL_REQUIRE_EMULATOR")
_FOLDER = "tests/deployment/"
REMARK = "deployment"
"""name of the properties of tests that the summary shows"""


@pytest.fixture(scope="session")
def installation() -> Installation:
    """MiniStack, installed once. Where it cannot be, the tests are skipped, or fail if the environment demands them."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("the package of this stage holds Linux x86_64 binaries, which this machine cannot load")
    try:
        return obtain_installation()
    except EmulatorUnavailableError as error:
        reason = str(error)
    if any(os.environ.get(name) for name in _REQUIRED):
        pytest.fail(f"{reason} ({' or '.join(_REQUIRED)} is set)", pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def emulator(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A running MiniStack."""
    running = Emulator(installation, folder=tmp_path_factory.mktemp("ministack"))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="session")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    """Played push services: no deployed function may reach for Apple's."""
    played = Vendors(tmp_path_factory.mktemp("vendors"))
    played.start()
    yield played
    played.stop()


@pytest.fixture(scope="module")
def project(vendors: Vendors) -> Iterator[Path]:
    """What is deployed, with settings for a machine without AWS."""
    with copied_project(settings=vendors.variables | {"PASSEL_SWEEP_DELAY_SECONDS": "0"}) as folder:
        yield folder


@pytest.fixture(scope="module")
def deployment(emulator: Emulator, project: Path) -> Deployment:
    """The stage, deployed once for all tests of a file."""
    deployed = Deployment(emulator=emulator, project=project, stage=read_stage(STAGE))
    deployed.deploy()
    return deployed


@pytest.fixture(scope="module")
def certificates(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What passes are signed with, stored where docs/deploying.md says."""
    folder = prepare_certificates(tmp_path_factory.mktemp("certificates"), now=datetime.now(UTC))
    ssm = deployment.emulator.create_client("ssm")
    for member in ("certificate", "key", "wwdr"):
        name = f"/{deployment.stage.base_name}/certificates/shared/default/{member}"
        value = (folder / "shared" / "default" / f"{member}.pem").read_text()
        ssm.put_parameter(Type="SecureString", Name=name, Value=value)


@pytest.fixture(scope="module")
def gateway(deployment: Deployment) -> Gateway:
    """The way to the deployed API."""
    from app import app

    return Gateway(
        awslambda=deployment.emulator.create_client("lambda"),
        function=deployment.stage.base_name,
        stage=deployment.stage.api_stage,
        routes=app.routes,
    )


@pytest.fixture(scope="module")
def phone(gateway: Gateway, certificates: None) -> Phone:
    """An iPhone that reaches the deployed API."""
    return Phone(http=httpx.Client(transport=gateway))


@pytest.fixture(scope="module")
def tenant(deployment: Deployment, gateway: Gateway) -> Tenant:
    """A project and its key, made as an operator makes them, and a client with that key."""
    address = f"https://api.execute-api.{REGION}.amazonaws.com/{deployment.stage.api_stage}"
    return deployment.make_tenant(httpx.Client(transport=gateway, base_url=address))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Shows what the emulator's log has of troubles where a test fails: functions say there why they failed."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            emulator = getattr(value, "emulator", None)
            if isinstance(emulator, Emulator):
                report.sections.append(("MiniStack's log", emulator.read_troubles()))
                break
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says aloud what of a deployment was not tested, and why."""
    lines = dict.fromkeys(_remarks(terminalreporter.stats))
    if lines:
        terminalreporter.section("deployment")
        for line in lines:
            terminalreporter.line(line)


def _remarks(stats: dict[str, list[Any]]) -> Iterator[str]:
    for report in stats.get("skipped", ()):
        if report.nodeid.startswith(_FOLDER):
            yield f"NOT TESTED: {report.longrepr[2].removeprefix('Skipped: ')}"
    for report in stats.get("passed", ()):
        yield from (str(value) for name, value in report.user_properties if name == REMARK)
