"""The stage `emulator`, deployed and removed with the commands that a team uses, from a copy of the project.

The copy keeps what deploying writes (records, packages) out of the checkout. It stays in `build/`, so that the layer
is built once. Its one difference: functions get settings of their own, such as where the played push services are.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from botocore.loaders import Loader

from infra.stages import PROJECT, Stage
from local.engine import HOST
from tests.deployment.emulator import ACCOUNT, REGION, SECRET, Emulator
from tests.support.stack import Tenant

STAGE = "emulator"
COPY = PROJECT / "build" / "deployment"

_COPIED = ("app.py", "chalicelib", "infra", "vendor", "requirements.txt")
_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")
_COMMAND_SECONDS = 300
_WAITER_SECONDS = 0.25


class CommandError(AssertionError):
    """A command ended with another exit code than 0; the message is all that it printed."""


@dataclass(frozen=True)
class Deployment:
    """The stage, in an emulator, and the project that it is deployed from."""

    emulator: Emulator
    project: Path
    stage: Stage

    def deploy(self) -> str:
        """`make deploy STAGE=emulator`. Returns what it printed."""
        return self._run("infra.deploy", "--stage", STAGE)

    def destroy(self) -> str:
        """`make destroy STAGE=emulator`, and yes. Returns what it printed."""
        return self._run("infra.destroy", "--stage", STAGE, typed=f"{STAGE}\n")

    def package(self, folder: Path) -> str:
        """`make package STAGE=emulator`, into a folder. Returns what it printed."""
        return self._run("infra.package", "--stage", STAGE, "--out", str(folder))

    def operate(self, *arguments: str) -> str:
        """A command of an operator. Returns its standard output."""
        return self._run("chalicelib.cli", *arguments)

    def make_tenant(self, http: httpx.Client) -> Tenant:
        """A project and its key, made as an operator makes them; `http` gets that key."""
        project_id = json.loads(self.operate("projects", "create", "Deployed", "--json"))["id"]
        issued = json.loads(self.operate("keys", "issue", str(project_id), "--json"))
        http.auth = (issued["key"], issued["secret"])
        http.headers["Api-Revision"] = "1.2"
        return Tenant(project_id=project_id, key=issued["key"], secret=issued["secret"], http=http)

    def _run(self, module: str, *arguments: str, typed: str = "") -> str:
        result = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.project,
            env=self._environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        if result.returncode != 0:
            raise CommandError(f"{module} {' '.join(arguments)}:\n{result.stdout}{result.stderr}")
        return result.stdout

    @property
    def _environment(self) -> dict[str, str]:
        """Credentials, region and endpoint as a team sets them, and nothing else of AWS's or ours from the shell."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PASSEL_", "PYTHON"))}
        nothing = str(self.emulator.folder / "none")
        return kept | {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.emulator.url,
            "AWS_CONFIG_FILE": nothing,
            "AWS_SHARED_CREDENTIALS_FILE": nothing,
            "AWS_DATA_PATH": str(hasten_waiters(self.emulator.folder / "models")),
            **dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(filter(None, (os.environ.get("NO_PROXY"), HOST)))),
            "PASSEL_PREFIX": self.stage.prefix,
        }


def hasten_waiters(folder: Path) -> Path:
    """A folder for AWS_DATA_PATH, by which botocore asks a local Lambda four times a second whether it is ready.

    It would wait five seconds for each function that is not ready at once.
    """
    loader = Loader()
    version = loader.determine_latest_version("lambda", "waiters-2")
    model = loader.load_service_model("lambda", "waiters-2")
    waiters = {name: {**waiter, "delay": _WAITER_SECONDS} for name, waiter in model["waiters"].items()}
    file = folder / "lambda" / version / "waiters-2.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**model, "waiters": waiters}), encoding="utf-8")
    return folder


@contextmanager
def copied_project(*, settings: Mapping[str, str], target: Path = COPY) -> Iterator[Path]:
    """A fresh copy of what is deployed, for one process at a time; functions get `settings` as well.

    Packages of an earlier copy stay, records of what was deployed do not.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in _COPIED:
            _renew(PROJECT / name, target / name)
        (target / ".chalice").mkdir(exist_ok=True)
        shutil.rmtree(target / ".chalice" / "deployed", ignore_errors=True)
        for old in (target / ".chalice").glob("*.json"):
            old.unlink()
        for source in (PROJECT / ".chalice").glob("*.json"):
            shutil.copy2(source, target / ".chalice")
        _add_settings(target / ".chalice" / "config.json", settings)
        yield target


def _renew(source: Path, target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_BYTECODE)
    elif source.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _add_settings(config: Path, settings: Mapping[str, str]) -> None:
    document: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
    document["stages"][STAGE]["environment_variables"] |= settings
    config.write_text(json.dumps(document), encoding="utf-8")
