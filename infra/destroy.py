"""Remove one stage with all its data: `python -m infra.destroy --stage dev`. Never a protected stage.

First the functions and the API; then the stacks; then what a stack leaves behind on purpose: tables, and the bucket
with its images. Certificates and keys of wallets stay. Everything is found by its name, and whatever is gone is passed
over: it may be stopped and repeated at any point.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session, get_session

from infra.accounts import AccountError, check_account
from infra.chalice_project import Place
from infra.definition import read_tables
from infra.leftovers import LeftoverError, list_functions, list_roles, remove_functions
from infra.records import RecordError, add_recorded_functions, bucket_of, drop_record, find_record, list_recorded_apis
from infra.stacks import StackError, delete_stacks, find_stacks
from infra.stages import Stage, StageError, read_stage

Ask = Callable[[str], str]


class DestroyError(Exception):
    """The stage was not removed, or not all of it; the message says why."""


def destroy(stage: Stage, *, session: Session, ask: Ask) -> bool:
    """Remove everything of `stage` once `ask` returned its name. Returns False if nothing of it is there.

    Raises:
        DestroyError: the stage is protected, the answer was another, or a step failed; what came before stays done.
    """
    if stage.protected:
        raise DestroyError(f"stage '{stage.name}' is protected; docs/deploying.md says how to remove it by hand")
    try:
        place = check_account(session)
        record = find_record(stage, place, s3=session.create_client("s3"))
        stage = add_recorded_functions(stage, record)
        tables = _find_unprotected_tables(stage, dynamodb=session.create_client("dynamodb"))
        if not _find_unprotected_stacks(stage, session) and not tables and not _is_anything_left(stage, place, session):
            return False
        answer = ask(
            f"This deletes the stage {stage.name} in account {place.account}, region {place.region}: functions, API,"
            f" queues, {len(tables)} tables with all passes, and all images.\nType the stage's name to go on: "
        )
        if answer.strip() != stage.name:
            raise DestroyError("nothing was removed")
        _remove(stage, place, api_ids=list_recorded_apis(record), tables=tables, session=session)
    except (AccountError, LeftoverError, RecordError, StackError, BotoCoreError, ClientError) as error:
        raise DestroyError(str(error)) from error
    return True


def _remove(stage: Stage, place: Place, *, api_ids: set[str], tables: Sequence[str], session: Session) -> None:
    """The bucket goes last: as long as it is there, something may be left."""
    s3 = session.create_client("s3")
    try:
        print("deleting functions and API, with their roles, rules, layer and logs")
        remove_functions(stage, api_ids=api_ids, session=session)
        drop_record(stage, place, s3=s3)
        delete_stacks(stage, cloudformation=session.create_client("cloudformation"))
        delete_tables(tables, dynamodb=session.create_client("dynamodb"))
        delete_bucket(bucket_of(stage, place), s3=s3)
    except KeyboardInterrupt as error:
        raise DestroyError(f"stopped midway: a part of {stage.name} is gone; run it again for the rest") from error


def _find_unprotected_tables(stage: Stage, *, dynamodb: Any) -> list[str]:
    """The tables that are there.

    Raises:
        DestroyError: one refuses to be deleted.
    """
    found = []
    for definition in read_tables(stage.prefix):
        with contextlib.suppress(dynamodb.exceptions.ResourceNotFoundException):
            table = dynamodb.describe_table(TableName=definition["TableName"])["Table"]
            found.append(str(table["TableName"]))
            if table.get("DeletionProtectionEnabled"):
                raise DestroyError(
                    f"nothing was removed: the table {table['TableName']} is protected from being deleted;"
                    f" if {stage.name} may go with all its data, deploy it with protected: false first"
                )
    return found


def _find_unprotected_stacks(stage: Stage, session: Session) -> list[str]:
    """The stacks that are there.

    Raises:
        DestroyError: one has termination protection.
    """
    found = find_stacks(stage, cloudformation=session.create_client("cloudformation"))
    for name in [name for name, is_protected in found.items() if is_protected]:
        raise DestroyError(
            f"nothing was removed: the stack {name} has termination protection; if {stage.name} may go with all its"
            " data, aws cloudformation update-termination-protection --no-enable-termination-protection"
            f" --stack-name {name}"
        )
    return list(found)


def _is_anything_left(stage: Stage, place: Place, session: Session) -> bool:
    """Whether there is a function, a role or the bucket."""
    if list_functions(stage, awslambda=session.create_client("lambda")):
        return True
    s3: Any = session.create_client("s3")
    try:
        s3.head_bucket(Bucket=bucket_of(stage, place))
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
            raise
        return bool(list_roles(stage, iam=session.create_client("iam")))
    return True


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Remove one stage. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.destroy", description="Remove a stage with all its data.")
    parser.add_argument("--stage", required=True, help="a stage of .chalice/config.json")
    options = parser.parse_args(arguments)
    try:
        was_there = destroy(read_stage(options.stage), session=get_session(), ask=_ask)
    except (DestroyError, StageError, BotoCoreError) as error:
        print(f"destroy: {error}", file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\ndestroy: nothing was removed", file=sys.stderr)
        return 1
    print(f"{options.stage} is gone" if was_there else f"nothing of {options.stage} is there")
    return 0


def _ask(question: str) -> str:
    if sys.stdin is None:  # closed by the calling shell
        raise EOFError
    return input(question)


if __name__ == "__main__":
    sys.exit(main())
