"""The CloudFormation stacks of a stage: one of tables, queues and bucket, one of alarms and dashboard.

Two, since a template that is handed over directly may have no more than 51,200 bytes, and since alarms come and go
while data stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError, WaiterError

from infra.resources import render_alarms, render_storage
from infra.stages import Json, Stage

_UNCHANGED = "No updates are to be performed"
_POLL = {"Delay": 5, "MaxAttempts": 720}


class StackError(Exception):
    """A stack could not be made, changed or deleted; the message says why."""


def list_stacks(stage: Stage) -> Iterator[tuple[str, Json]]:
    """Name and template of each stack, in the order in which they are made."""
    yield f"{stage.base_name}-resources", render_storage(stage)
    yield f"{stage.base_name}-alarms", render_alarms(stage)


def deploy_stacks(stage: Stage, *, cloudformation: Any) -> None:
    """Create the stacks, or update them, and wait until they are done.

    Raises:
        StackError: one failed, or is in a state that no update leaves.
    """
    for name, template in list_stacks(stage):
        _deploy_stack(name, template, protected=stage.protected, cloudformation=cloudformation)


def delete_stacks(stage: Stage, *, cloudformation: Any) -> None:
    """Delete the stacks. Tables and bucket are kept: their definition says so.

    Raises:
        StackError: one cannot be deleted.
    """
    for name, _ in reversed(list(list_stacks(stage))):
        print(f"deleting stack {name}")
        cloudformation.delete_stack(StackName=name)
        _wait(name, "stack_delete_complete", cloudformation)


def find_stacks(stage: Stage, *, cloudformation: Any) -> dict[str, bool]:
    """The stacks that are there, and whether each is protected from being deleted."""
    found = {}
    for name, _ in list_stacks(stage):
        stack = _find_stack(name, cloudformation)
        if stack is not None:
            found[name] = bool(stack.get("EnableTerminationProtection"))
    return found


def _deploy_stack(name: str, template: Json, *, protected: bool, cloudformation: Any) -> None:
    request = {"StackName": name, "TemplateBody": json.dumps(template, separators=(",", ":"))}
    status = _get_status(name, cloudformation)
    if status is None:
        print(f"creating stack {name}")
        cloudformation.create_stack(**request, EnableTerminationProtection=protected)
        _wait(name, "stack_create_complete", cloudformation)
    elif not status.endswith("_COMPLETE") or status == "ROLLBACK_COMPLETE":
        raise StackError(f"stack {name} is {status}: let it finish, or delete it and deploy again")
    elif _update(request, cloudformation):
        print(f"updating stack {name}")
        _wait(name, "stack_update_complete", cloudformation)
    else:
        print(f"stack {name} is up to date")
    if status is not None and protected:
        # a stage may be protected later than its stacks are made; nothing here ever takes that away
        cloudformation.update_termination_protection(StackName=name, EnableTerminationProtection=True)


def _get_status(name: str, cloudformation: Any) -> str | None:
    stack = _find_stack(name, cloudformation)
    return None if stack is None else str(stack["StackStatus"])


def _find_stack(name: str, cloudformation: Any) -> Json | None:
    try:
        stack: Json = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        # CloudFormation has no code of its own for a stack that does not exist.
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return stack


def _update(request: dict[str, Any], cloudformation: Any) -> bool:
    """Start the update; False when there is nothing to change."""
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if _UNCHANGED in str(error):
            return False
        raise
    return True


def _wait(name: str, waiter: str, cloudformation: Any) -> None:
    try:
        cloudformation.get_waiter(waiter).wait(StackName=name, WaiterConfig=_POLL)
    except WaiterError as error:
        raise StackError(f"stack {name} failed: {_find_first_failure(name, cloudformation) or error}") from error


def _find_first_failure(name: str, cloudformation: Any) -> str | None:
    """Why the newest operation on the stack failed. Events come newest first, so the cause is the last of its kind."""
    reason = None
    for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            reason = f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', event['ResourceStatus'])}"
        if event["LogicalResourceId"] == name and event.get("ResourceStatusReason") == "User Initiated":
            break
    return reason
