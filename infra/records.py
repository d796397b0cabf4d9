"""Chalice's record of what it deployed, shared by everybody who deploys.

Chalice keeps it in `.chalice/deployed/<stage>.json` of one checkout, and without it would make everything a second
time. So it lies in the stage's bucket as well: fetched before each deployment, stored after it. While a first
deployment is under way there is no record yet; a mark in the bucket says so, and outlives whatever stops it.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from infra.chalice_project import Place, deployment_record
from infra.leftovers import list_functions
from infra.stages import Json, Stage

_KEY = "deployments/chalice.json"
_MARK = "deployments/first-under-way"
_MISSING = ("NoSuchKey", "NoSuchBucket", "404")


class RecordError(Exception):
    """The record is missing, or is not this stage's; the message says what to do."""


def fetch_record(stage: Stage, place: Place, *, s3: Any, awslambda: Any) -> bool:
    """Put the stored record where Chalice looks for it. What lies there otherwise, of a deleted stage, is dropped.

    Returns whether the stage is deployed.

    Raises:
        RecordError: there is no record anywhere, but there are functions; or it is another stage's.
    """
    local = deployment_record(stage)
    stored = _read(stage, place, _KEY, s3)
    if stored is not None:
        _parse(stage, stored)
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(stored)
        return True
    functions = list_functions(stage, awslambda=awslambda)
    if not functions or is_first_under_way(stage, place, s3=s3):
        local.unlink(missing_ok=True)
        return False
    if not local.exists():
        raise RecordError(
            f"the function {functions[0]} is there, but no record of its deployment: bring"
            f" {local.name} from who deployed it to .chalice/deployed/, or remove what was left behind"
            ' (docs/deploying.md, "If it fails")'
        )
    _parse(stage, local.read_bytes())
    return True


def find_record(stage: Stage, place: Place, *, s3: Any) -> Json | None:
    """The stored record, or else this checkout's, or None.

    Raises:
        RecordError: it is another stage's.
    """
    stored, local = _read(stage, place, _KEY, s3), deployment_record(stage)
    if stored is None and local.exists():
        stored = local.read_bytes()
    return None if stored is None else _parse(stage, stored)


def list_recorded_apis(record: Json | None) -> set[str]:
    """The ids of the REST APIs that a record names."""
    resources = record["resources"] if record is not None else ()
    return {each["rest_api_id"] for each in resources if each["resource_type"] == "rest_api"}


def add_recorded_functions(stage: Stage, record: Json | None) -> Stage:
    """The stage with the functions that only its record names: another release has made them."""
    deployed = [] if record is None else _list_functions(record)
    names = [name.removeprefix(f"{stage.base_name}-") for name in deployed if name != stage.base_name]
    return replace(stage, functions={**{name: {} for name in names}, **stage.functions})


def keep_record(stage: Stage, place: Place, *, s3: Any) -> None:
    """Store the record for whoever deploys next. A first deployment is then no longer under way."""
    s3.put_object(Bucket=bucket_of(stage, place), Key=_KEY, Body=deployment_record(stage).read_bytes())
    s3.delete_object(Bucket=bucket_of(stage, place), Key=_MARK)


def drop_record(stage: Stage, place: Place, *, s3: Any) -> None:
    """Forget the record and the mark: nothing of what they tell of is there any more."""
    deployment_record(stage).unlink(missing_ok=True)
    for key in (_KEY, _MARK):
        try:
            s3.delete_object(Bucket=bucket_of(stage, place), Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _MISSING:
                raise


def mark_first(stage: Stage, place: Place, *, s3: Any) -> None:
    """Note that Chalice makes the stage for the first time, and has no record yet."""
    s3.put_object(Bucket=bucket_of(stage, place), Key=_MARK, Body=b"")


def is_first_under_way(stage: Stage, place: Place, *, s3: Any) -> bool:
    """Whether a first deployment began and neither ended nor was taken back."""
    return _read(stage, place, _MARK, s3) is not None


def bucket_of(stage: Stage, place: Place) -> str:
    """The stage's bucket; its name is written in `infra/resources.yaml`."""
    return f"{stage.prefix}assets-{place.account}"


def _read(stage: Stage, place: Place, key: str, s3: Any) -> bytes | None:
    try:
        return bytes(s3.get_object(Bucket=bucket_of(stage, place), Key=key)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return None
        raise


def _parse(stage: Stage, stored: bytes) -> Json:
    """The record, if all its functions are this stage's."""
    try:
        record: Json = json.loads(stored)
        functions = _list_functions(record)
    except (ValueError, LookupError, TypeError) as error:
        raise RecordError(f"the record of stage '{stage.name}' cannot be read: {error!r}") from error
    for name in functions:
        if name != stage.base_name and not name.startswith(f"{stage.base_name}-"):
            raise RecordError(
                f"the record of stage '{stage.name}' tells of the function {name}, which is another stage's:"
                " nothing was touched; mend PASSEL_PREFIX of the stage in .chalice/config.json, or remove a"
                f" .chalice/deployed/{stage.name}.json that was copied"
            )
    return record


def _list_functions(record: Json) -> list[str]:
    functions = [each for each in record["resources"] if each["resource_type"] == "lambda_function"]
    return sorted(each["lambda_arn"].split(":")[6] for each in functions)
