"""Chalice's record of what it deployed, shared by everybody who deploys.

Chalice keeps it in `.chalice/deployed/<stage>.json` of one checkout, and without it would make everything a second
time. So it lies in the stage's bucket as well: fetched before each deployment, stored after it.
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from infra.chalice_project import Place, deployment_record
from infra.stages import Stage

_KEY = "deployments/chalice.json"


class RecordError(Exception):
    """Functions are there, but nobody knows what else was made with them; the message says what to do."""


def fetch_record(stage: Stage, place: Place, *, s3: Any, awslambda: Any) -> bool:
    """Put the stored record where Chalice looks for it. What lies there otherwise, of a deleted stage, is dropped.

    Returns whether the stage is deployed.

    Raises:
        RecordError: there is no record anywhere, but there are functions.
    """
    local = deployment_record(stage)
    stored = _read(bucket_of(stage, place), s3)
    if stored is not None:
        local.parent.mkdir(parents=True, exist_ok=True)
        local.write_bytes(stored)
    elif not _is_deployed(stage, awslambda):
        local.unlink(missing_ok=True)
        return False
    elif not local.exists():
        raise RecordError(
            f"the function {stage.base_name} is there, but no record of its deployment: bring"
            f" {local.name} from who deployed it to .chalice/deployed/, or remove what was left behind"
            ' (docs/deploying.md, "If it fails")'
        )
    return True


def keep_record(stage: Stage, place: Place, *, s3: Any) -> None:
    """Store the record for whoever deploys next."""
    s3.put_object(Bucket=bucket_of(stage, place), Key=_KEY, Body=deployment_record(stage).read_bytes())


def bucket_of(stage: Stage, place: Place) -> str:
    """The stage's bucket; its name is written in `infra/resources.yaml`."""
    return f"{stage.prefix}assets-{place.account}"


def _read(bucket: str, s3: Any) -> bytes | None:
    try:
        return bytes(s3.get_object(Bucket=bucket, Key=_KEY)["Body"].read())
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket", "404"):
            return None
        raise


def _is_deployed(stage: Stage, awslambda: Any) -> bool:
    try:
        awslambda.get_function_configuration(FunctionName=stage.base_name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True
