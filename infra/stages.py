"""What `.chalice/config.json` says of one stage, and whether that can work: checked before anything is made."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.settings import SettingsError, read_settings
from infra.definition import DefinitionError, read_queues

PROJECT = Path(__file__).resolve().parent.parent
CONFIG = PROJECT / ".chalice" / "config.json"

API_FUNCTION = "api_handler"
RUNTIMES = ((3, 11), (3, 13))
"""the Python versions that the tests are run with"""
VISIBILITY_FACTOR = 6
"""a queue hides a message for at least so many times its worker's limit (developer guide, `services-sqs-configure`)"""
KEPT_UNRESERVED = 100
"""of an account's concurrency, for functions that reserve none (developer guide, `configuration-concurrency`)"""

Json = dict[str, Any]


class StageError(Exception):
    """A stage cannot be used as it is written; the message says what to change."""


@dataclass(frozen=True)
class Stage:
    """One stage. What it leaves out, the whole file says."""

    name: str
    app_name: str
    prefix: str
    """stands before every table and queue name"""
    api_stage: str
    """API Gateway's own stage, the first part of every path"""
    architecture: str
    """`arm64` or `x86_64`"""
    traced: bool
    """functions alone: traces of the gateway would hold whole addresses"""
    log_retention_days: int
    protected: bool
    """tables can be restored to any second of the last 35 days, and nothing is deleted by a command"""
    requests_per_second: float
    """what the gateway lets through; the rest gets 503"""
    burst: int
    visitors_per_second: float
    """the same for first visits to campaigns, each of which issues a pass without any key"""
    visitors_burst: int
    alarm_email: str | None
    functions: Mapping[str, Json]
    """settings of each function, by its name in the code"""

    @property
    def base_name(self) -> str:
        """What the names of everything that Chalice makes begin with; the API's function has no other."""
        return f"{self.app_name}-{self.name}"

    @property
    def deployed_functions(self) -> list[str]:
        """The names of all functions, as Lambda knows them."""
        return [self.deployed_name(name) for name in self.functions]

    def deployed_name(self, function: str) -> str:
        """The name that Chalice gives a function."""
        return self.base_name if function == API_FUNCTION else f"{self.base_name}-{function}"

    @property
    def reserved_concurrency(self) -> int:
        """What all functions together take out of the account's concurrency."""
        return sum(settings.get("reserved_concurrency", 0) for settings in self.functions.values())


def read_stage(name: str) -> Stage:
    """The stage called `name`.

    Raises:
        StageError: there is no such stage, or what it says cannot work.
    """
    config = json.loads(CONFIG.read_text(encoding="utf-8"))
    if name not in config["stages"]:
        raise StageError(f"no stage '{name}' in .chalice/config.json; it has: {', '.join(config['stages'])}")
    own = config["stages"][name]
    merged = {**config, **own}
    try:
        stage = Stage(
            name=name,
            app_name=config["app_name"],
            prefix=own["environment_variables"]["PASSEL_PREFIX"],
            api_stage=merged["api_gateway_stage"],
            architecture=merged["lambda_architecture"],
            traced=merged["xray"],
            log_retention_days=merged["log_retention_in_days"],
            protected=own["passel"]["protected"],
            requests_per_second=own["passel"]["requests_per_second"],
            burst=own["passel"]["burst"],
            visitors_per_second=own["passel"]["visitors_per_second"],
            visitors_burst=own["passel"]["visitors_burst"],
            alarm_email=own["passel"]["alarm_email"],
            functions=_read_functions(config, own),
        )
    except KeyError as error:
        raise StageError(f"stage '{name}' in .chalice/config.json sets no {error.args[0]}") from error
    _check(stage, own["environment_variables"])
    return stage


def _read_functions(config: Json, own: Json) -> dict[str, Json]:
    """As Chalice looks a setting up: the stage's function, the stage, the function, the file."""
    common = ("lambda_memory_size", "lambda_timeout", "iam_policy_file")
    defaults = {key: config[key] for key in common}
    theirs = {key: own[key] for key in common if key in own}
    return {
        name: {**defaults, **settings, **theirs, **own.get("lambda_functions", {}).get(name, {})}
        for name, settings in config["lambda_functions"].items()
    }


def _check(stage: Stage, environment: Mapping[str, str]) -> None:
    problems = list(_find_problems(stage, environment))
    if problems:
        raise StageError(f"stage '{stage.name}' in .chalice/config.json cannot work: " + "; ".join(problems))


def _find_problems(stage: Stage, environment: Mapping[str, str]) -> Iterator[str]:
    try:
        read_settings(environment)
    except SettingsError as error:
        yield str(error)
    try:
        queues = read_queues(stage.prefix)
    except DefinitionError as error:
        yield str(error)
        return
    longest = max(settings["lambda_timeout"] for name, settings in stage.functions.items() if name != API_FUNCTION)
    for queue in queues:
        if int(queue.attributes["VisibilityTimeout"]) < VISIBILITY_FACTOR * longest:
            yield f"{queue.name} hides messages for less than {VISIBILITY_FACTOR} times the {longest} s of a worker"
    for name, settings in stage.functions.items():
        if not (CONFIG.parent / settings["iam_policy_file"]).exists():
            yield f"{name} names a policy that is not there: {settings['iam_policy_file']}"


def check_runtime(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuses to package for a Python that the tests are not run with: Lambda runs the version that packages.

    Raises:
        StageError: names the versions to choose from.
    """
    if version not in RUNTIMES:
        known = " or ".join(f"{major}.{minor}" for major, minor in RUNTIMES)
        found = f"{version[0]}.{version[1]}"
        raise StageError(
            f"this is Python {found}; Lambda would run the same, and Passel is tested with {known}:"
            " name another interpreter, as in make package PYTHON3=python3.13 VENV=.venv-3.13"
        )
