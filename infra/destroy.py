"""Remove one stage with all its data: `python -m infra.destroy --stage dev`. Never a protected stage.

First the functions and the API, with the Chalice CLI; then the stack; then what a stack leaves behind on purpose:
tables, the bucket with its images, log groups. Certificates and keys of wallets stay. Every step may be repeated.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session

from infra.accounts import AccountError, check_account
from infra.chalice_project import Place, chalice_command, chalice_environment, chalice_project, deployment_record
from infra.definition import read_tables
from infra.records import RecordError, bucket_of, fetch_record
from infra.stacks import StackError, delete_stacks
from infra.stages import API_FUNCTION, Stage, StageError, read_stage

RunChalice = Callable[[Stage, Place], None]
Ask = Callable[[str], str]


class DestroyError(Exception):
    """The stage was not removed, or not all of it; the message says why."""


def destroy(stage: Stage, *, session: Session, run_chalice: RunChalice, ask: Ask) -> None:
    """Remove everything of `stage` once `ask` returned its name.

    Raises:
        DestroyError: the stage is protected, the answer was another, or a step failed; what came before stays done.
    """
    if stage.protected:
        raise DestroyError(f"stage '{stage.name}' is protected; docs/deploying.md says how to remove it by hand")
    try:
        place = check_account(session)
        tables = [table["TableName"] for table in read_tables(stage.prefix)]
        answer = ask(
            f"This deletes the stage {stage.name} in account {place.account}, region {place.region}: functions, API,"
            f" queues, {len(tables)} tables with all passes, and all images.\nType the stage's name to go on: "
        )
        if answer.strip() != stage.name:
            raise DestroyError("nothing was removed")
        fetch_record(stage, place, s3=session.create_client("s3"), awslambda=session.create_client("lambda"))
        if deployment_record(stage).exists():
            run_chalice(stage, place)
        delete_stacks(stage, cloudformation=session.create_client("cloudformation"))
        delete_tables(tables, dynamodb=session.create_client("dynamodb"))
        delete_bucket(bucket_of(stage, place), s3=session.create_client("s3"))
        delete_logs(stage, logs=session.create_client("logs"))
        deployment_record(stage).unlink(missing_ok=True)
    except (AccountError, RecordError, StackError, BotoCoreError, ClientError) as error:
        raise DestroyError(str(error)) from error


def run_chalice_delete(stage: Stage, place: Place) -> None:
    """Remove functions, roles and API with the Chalice CLI.

    Raises:
        DestroyError: the Chalice CLI failed; it has printed why.
    """
    with chalice_project(stage, place=place) as project:
        command = chalice_command("delete", "--stage", stage.name)
        result = subprocess.run(command, cwd=project, env=chalice_environment(), check=False)
    if result.returncode != 0:
        raise DestroyError("chalice delete failed; its message is above")


def delete_tables(names: Sequence[str], *, dynamodb: Any) -> None:
    """Delete tables that are there."""
    print(f"deleting {len(names)} tables")
    for name in names:
        with contextlib.suppress(dynamodb.exceptions.ResourceNotFoundException):
            dynamodb.delete_table(TableName=name)


def delete_bucket(name: str, *, s3: Any) -> None:
    """Delete a bucket with all that lies in it, old versions included, if it is there."""
    print(f"deleting bucket {name}")
    try:
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                s3.delete_object(Bucket=name, Key=found["Key"], VersionId=found["VersionId"])
        s3.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def delete_logs(stage: Stage, *, logs: Any) -> None:
    """Delete the log groups of all functions, and the one that Chalice 1.34 makes for the API under another name."""
    for function in (*stage.deployed_functions, f"{stage.base_name}-{API_FUNCTION}"):
        with contextlib.suppress(logs.exceptions.ResourceNotFoundException):
            logs.delete_log_group(logGroupName=f"/aws/lambda/{function}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove one stage. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.destroy", description="Remove a stage with all its data.")
    parser.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    options = parser.parse_args(arguments)
    try:
        destroy(read_stage(options.stage), session=get_session(), run_chalice=run_chalice_delete, ask=input)
    except (DestroyError, StageError, BotoCoreError) as error:
        print(f"destroy: {error}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\ndestroy: nothing was removed", file=sys.stderr)
        return 1
    print(f"{options.stage} is gone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
