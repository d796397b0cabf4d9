"""What `.chalice/config.json` says of one stage, and whether that can work: checked before anything is made."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.stage_checks import find_problems, find_shared_names, find_wrong_functions
from infra.stage_file import API_FUNCTION as API_FUNCTION
from infra.stage_file import (
    ApiFunctionBlock,
    File,
    FunctionBlock,
    StageBlock,
    check_block,
    read_file,
)
from infra.stage_file import Json as Json
from infra.stage_file import StageError as StageError

PROJECT = Path(__file__).resolve().parent.parent
CONFIG = PROJECT / ".chalice" / "config.json"

RUNTIMES = ((3, 11), (3, 13))
"""the Python versions that the tests are run with"""
KEPT_UNRESERVED = 100
"""of an account's concurrency, for functions that reserve none (developer guide, `configuration-concurrency`)"""


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
        StageError: there is no such stage, or what it says cannot work; every problem is named once.
    """
    content, file = read_file(CONFIG)
    if name not in file.stages:
        raise StageError(f"no stage '{name}' in .chalice/config.json; it has: {', '.join(file.stages)}")
    own = file.stages[name]
    problems, block = check_block(StageBlock, {**content, **own})
    functions = _merge_functions(content, own, problems) if block is not None else {}
    if block is None or problems:
        raise _refuse(name, problems)
    stage = Stage(
        name=name,
        app_name=file.app_name,
        prefix=block.environment_variables.get("PASSEL_PREFIX", ""),
        api_stage=block.api_gateway_stage,
        architecture=block.lambda_architecture,
        traced=block.xray,
        log_retention_days=block.log_retention_in_days,
        protected=block.passel.protected,
        requests_per_second=block.passel.requests_per_second,
        burst=block.passel.burst,
        visitors_per_second=block.passel.visitors_per_second,
        visitors_burst=block.passel.visitors_burst,
        alarm_email=block.passel.alarm_email,
        functions=functions,
    )
    _check(stage, content, file)
    return stage


def _merge_functions(content: Json, own: Json, problems: list[str]) -> dict[str, Json]:
    """As Chalice looks a setting up: the stage's function, the stage, the function, the file. Adds to `problems`."""
    common = ("lambda_memory_size", "lambda_timeout", "iam_policy_file")
    defaults = {key: content[key] for key in common if key in content}
    theirs = {key: own[key] for key in common if key in own}
    of_stage = own.get("lambda_functions", {})
    if not isinstance(of_stage, dict) or not all(isinstance(each, dict) for each in of_stage.values()):
        problems.append("lambda_functions must hold an object for each function")
        return {}
    problems.extend(find_wrong_functions(content["lambda_functions"], of_stage))
    merged = {}
    for name, settings in content["lambda_functions"].items():
        merged[name] = {**defaults, **settings, **theirs, **of_stage.get(name, {})}
        variables: Json = {}
        for level in (content, settings, own, of_stage.get(name, {})):
            variables |= level.get("environment_variables") or {}
        merged[name]["environment_variables"] = variables
        kind = ApiFunctionBlock if name == API_FUNCTION else FunctionBlock
        found, _ = check_block(kind, merged[name], where=f"lambda_functions.{name}.")
        problems.extend(found)
    return merged


def _check(stage: Stage, content: Json, file: File) -> None:
    others = {name: block for name, block in file.stages.items() if name != stage.name}
    problems = [
        *find_problems(stage, folder=CONFIG.parent),
        *find_shared_names(stage, others, default_api_stage=content.get("api_gateway_stage")),
    ]
    if problems:
        raise _refuse(stage.name, problems)


def _refuse(name: str, problems: Iterable[str]) -> StageError:
    once = dict.fromkeys(problems)
    return StageError(f"stage '{name}' in .chalice/config.json cannot work: " + "; ".join(once))


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
