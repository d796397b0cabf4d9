"""What would make a stage fail, or reach into another one, although each of its keys can be read."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from chalicelib.settings import Limits, Settings, SettingsError, get_settings, read_settings
from infra.definition import DefinitionError, read_queues
from infra.stage_file import API_FUNCTION, NAME, Blocks

if TYPE_CHECKING:
    from infra.stages import Stage

VISIBILITY_FACTOR = 6
"""a queue hides a message for at least so many times its worker's limit (developer guide, `services-sqs-configure`)"""

_BUCKET_CHARACTERS = 63
_FUNCTION_CHARACTERS = 64
_LONGEST_BUCKET = "assets-123456789012"
_VARIABLES = {f"PASSEL_{each.name.upper()}" for each in fields(Settings) if each.name != "limits"} | {
    f"PASSEL_LIMIT_{each.name.upper()}" for each in fields(Limits)
}


def find_problems(stage: Stage, *, folder: Path) -> Iterator[str]:
    """What to change in `stage`, whose policies lie in `folder`. Some problems are found once for each function."""
    yield from _check_name(stage)
    for function, settings in stage.functions.items():
        yield from _check_variables(stage, settings["environment_variables"])
        yield from _check_policy(function, folder / settings["iam_policy_file"])
    yield from _check_workers(stage)


def find_shared_names(stage: Stage, others: Blocks, *, default_api_stage: object) -> Iterator[str]:
    """Names that another stage of the file has as well: who removes one of the two would remove of both."""
    for name, other in others.items():
        if other.get("api_gateway_stage", default_api_stage) == stage.api_stage:
            yield f"api_gateway_stage is '{stage.api_stage}', as in stage '{name}'"
        variables = other.get("environment_variables")
        if isinstance(variables, dict) and variables.get("PASSEL_PREFIX") == stage.prefix:
            yield f"PASSEL_PREFIX is '{stage.prefix}', as in stage '{name}'"


def find_wrong_functions(named: Blocks, of_stage: Blocks) -> Iterator[str]:
    """Functions that only the file or only the application knows: a policy would be nobody's, or a default one."""
    known = {API_FUNCTION, *_list_workers()}
    for name in sorted({*named, *of_stage} - known):
        yield f"lambda_functions names '{name}', which the application does not have"
    for name in sorted(known - named.keys()):
        yield f"lambda_functions does not name '{name}' of the application: give it its policy"


def _check_name(stage: Stage) -> Iterator[str]:
    if not re.fullmatch(NAME, stage.name):
        yield "its name may hold small letters, digits and hyphens only, since the bucket is named with it"
    longest = max(stage.deployed_functions, key=len)
    excess = max(len(stage.base_name + "-" + _LONGEST_BUCKET) - _BUCKET_CHARACTERS, len(longest) - _FUNCTION_CHARACTERS)
    if excess > 0:
        yield f"its name is {excess} characters too long for the bucket and the function {longest}"


def _check_variables(stage: Stage, environment: Mapping[str, str]) -> Iterator[str]:
    try:
        read_settings(environment)
    except SettingsError as error:
        yield str(error)
    own = {
        "PASSEL_PREFIX": [f"{stage.base_name}-"],
        "PASSEL_ASSETS": [f"s3:{stage.base_name}-assets-${{AWS::AccountId}}"],
        "PASSEL_CERTIFICATES": [
            f"ssm:/{stage.base_name}/certificates",
            f"secretsmanager:{stage.base_name}/certificates",
        ],
    }
    for name, allowed in own.items():
        if environment.get(name) not in allowed:
            yield f"{name} must be {' or '.join(allowed)}: another name would be another stage's"
    for name in environment:
        if name.startswith("PASSEL_") and name not in _VARIABLES:
            close = difflib.get_close_matches(name, _VARIABLES, 1)
            yield f"{name} is no setting" + (f"; {close[0]} is" if close else "")


def _check_policy(function: str, file: Path) -> Iterator[str]:
    try:
        policy = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        yield f"{function} names a policy that is not there: {file.name}"
    except ValueError as error:
        yield f"{file.name} is no JSON: {error}"
    else:
        if not isinstance(policy, dict) or not policy.get("Statement"):
            yield f"{file.name} is no policy: it has no Statement"


def _check_workers(stage: Stage) -> Iterator[str]:
    try:
        queues = {queue.name: int(queue.attributes["VisibilityTimeout"]) for queue in read_queues(stage.prefix)}
    except DefinitionError as error:
        yield str(error)
        return
    for worker, queue in _list_workers().items():
        limit = stage.functions.get(worker, {}).get("lambda_timeout", 0)
        hidden = queues.get(stage.prefix + queue) if queue else None
        if hidden is not None and hidden < VISIBILITY_FACTOR * limit:
            yield (
                f"{worker} may run {limit} s, and its queue {queue} hides messages for {hidden} s, less than"
                f" {VISIBILITY_FACTOR} times as long: lower lambda_timeout of {worker}, or raise VisibilityTimeout"
                f" of {queue} in infra/resources.yaml"
            )


def _list_workers() -> dict[str, str | None]:
    """The application's functions beside the API's, and the queue of each without the prefix, if it reads one."""
    from app import app  # heavy, and only needed where a stage is checked

    prefix = get_settings().prefix
    queues: dict[str, str | None] = {each.name: getattr(each, "queue", None) for each in app.event_sources}
    return {name: queue and queue.removeprefix(prefix) for name, queue in queues.items()}
