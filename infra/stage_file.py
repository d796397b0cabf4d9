"""`.chalice/config.json` read strictly: what is missing, of the wrong kind or out of bounds is named by its key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

API_FUNCTION = "api_handler"
NAME = r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"
"""what may stand in the name of a bucket (user guide, `bucketnamingrules`)"""

_FILE = ".chalice/config.json"
_SHOWN_CHARACTERS = 60

Checked = TypeVar("Checked", bound=BaseModel)
Json = dict[str, Any]
Blocks = dict[str, Json]
Timeout = Annotated[int, Field(ge=1, le=900)]
Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Retention = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""days that CloudWatch Logs can keep a group (API reference, `PutRetentionPolicy`)"""


class StageError(Exception):
    """A stage cannot be used as it is written; the message says what to change."""


class _Block(BaseModel):
    """Chalice's keys are many, and those that nothing here reads are Chalice's to judge."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class File(_Block):
    """The whole file, as far as all stages share it."""

    app_name: Annotated[str, Field(pattern=NAME)]
    stages: Blocks
    lambda_functions: Blocks
    environment_variables: dict[str, str] = {}


class Own(_Block):
    """What Chalice has no words for."""

    model_config = ConfigDict(extra="forbid")

    protected: bool
    requests_per_second: Rate
    burst: Count
    visitors_per_second: Rate
    visitors_burst: Count
    alarm_email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s.]+$")] | None


class StageBlock(_Block):
    """One stage, with what the file says for all where the stage says nothing."""

    environment_variables: dict[str, str]
    passel: Own
    api_gateway_stage: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,128}$")]
    lambda_architecture: Literal["arm64", "x86_64"]
    xray: bool
    log_retention_in_days: Retention
    autogen_policy: Literal[False]
    """policies are files, one a function"""


class FunctionBlock(_Block):
    """One function, with what stage and file say for all."""

    iam_policy_file: str
    lambda_memory_size: Annotated[int, Field(ge=128, le=10_240)]
    lambda_timeout: Timeout
    reserved_concurrency: Annotated[int, Field(ge=0)] = 0
    autogen_policy: Literal[False] = False
    environment_variables: dict[str, str] = {}


class ApiFunctionBlock(FunctionBlock):
    """The function behind the API, for which API Gateway waits 29 s at most (developer guide, `limits`)."""

    lambda_timeout: Annotated[int, Field(ge=1, le=29)]


def read_file(path: Path) -> tuple[Json, File]:
    """The file as it is, and what all stages share of it.

    Raises:
        StageError: it is not there, is no JSON, or lacks what every stage needs.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StageError(f"{_FILE} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise StageError(f"{_FILE} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise StageError(f"{_FILE} must hold an object, not {_show(content)}")
    problems, file = check_block(File, content)
    if file is None:
        raise StageError(f"{_FILE} cannot be used: " + "; ".join(problems))
    return content, file


def check_block(kind: type[Checked], content: Json, *, where: str = "") -> tuple[list[str], Checked | None]:
    """The problems of a block, each by its key behind `where`, or the block if it has none."""
    try:
        return [], kind.model_validate(content)
    except ValidationError as error:
        return [_describe(each, where) for each in error.errors()], None


def _describe(error: Any, where: str) -> str:
    key = where + ".".join(str(part) for part in error["loc"])
    if error["type"] == "missing":
        return f"sets no {key}"
    if error["type"] == "extra_forbidden":
        return f"{key} is unknown"
    if error["type"] == "string_pattern_mismatch":
        return f"{key} cannot be {_show(error['input'])}"
    return f"{key} is {_show(error['input'])}: {error['msg'][0].lower()}{error['msg'][1:]}"


def _show(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "..."
