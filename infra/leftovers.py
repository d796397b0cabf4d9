"""What Chalice makes of a stage, found by its names and taken away: functions, API, roles, rules, layers, logs.

Chalice writes its record only at the end (https://github.com/aws/chalice/issues/1340), and its own `delete` stops at
the first thing that is gone already. So a first deployment that was broken off is taken back from here, and so is a
whole stage. Whatever is gone is passed over: every call may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Set
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from botocore.session import Session

from infra.stages import API_FUNCTION, Stage

_GONE = ("NoSuchEntity", "NotFoundException", "ResourceNotFoundException")
_MAPPING_TRIES = 60
_MAPPING_SECONDS = 2.0


class LeftoverError(Exception):
    """Something cannot be removed yet; the message says what."""


def remove_functions(stage: Stage, *, api_ids: Set[str] = frozenset(), session: Session) -> None:
    """Remove all that Chalice made of `stage`, and the APIs `api_ids`, which its record names.

    The API goes first: what calls it shows whose it is.

    Raises:
        LeftoverError: a queue mapping stays busy.
    """
    awslambda: Any = session.create_client("lambda")
    apigateway: Any = session.create_client("apigateway")
    for api_id in find_apis(stage, recorded=api_ids, awslambda=awslambda, apigateway=apigateway):
        with _unless_gone():
            apigateway.delete_rest_api(restApiId=api_id)
    remove_mappings(stage, awslambda=awslambda)
    remove_rules(stage, events=session.create_client("events"))
    for function in stage.deployed_functions:
        with _unless_gone():
            awslambda.delete_function(FunctionName=function)
    remove_roles(stage, iam=session.create_client("iam"))
    remove_layers(stage, awslambda=awslambda)
    remove_logs(stage, logs=session.create_client("logs"))


def list_functions(stage: Stage, *, awslambda: Any) -> list[str]:
    """The functions of the stage that are there, by their names in Lambda."""
    pages = awslambda.get_paginator("list_functions").paginate()
    found = {function["FunctionName"] for page in pages for function in page["Functions"]}
    return [name for name in stage.deployed_functions if name in found]


def list_roles(stage: Stage, *, iam: Any) -> list[str]:
    """The roles of the stage that are there."""
    found = []
    for name in _name_roles(stage):
        with _unless_gone():
            iam.get_role(RoleName=name)
            found.append(name)
    return found


def find_apis(stage: Stage, *, recorded: Set[str] = frozenset(), awslambda: Any, apigateway: Any) -> set[str]:
    """The ids of the REST APIs that provably are this stage's, the recorded ones that are there among them.

    All stages name theirs alike. One is this stage's if it calls the stage's function, or if that function lets it.
    """
    pages = apigateway.get_paginator("get_rest_apis").paginate()
    names = {api["id"]: api["name"] for page in pages for api in page["items"]}
    named = {api_id for api_id, name in names.items() if name == stage.app_name} - recorded
    sources = _read_callers(stage, awslambda) if named else ""
    proven = {each for each in named if f":{each}/" in sources or _calls_stage(stage, each, apigateway)}
    return proven | (recorded & names.keys())


def _read_callers(stage: Stage, awslambda: Any) -> str:
    with _unless_gone():
        return str(awslambda.get_policy(FunctionName=stage.base_name)["Policy"])
    return ""


def _calls_stage(stage: Stage, api_id: str, apigateway: Any) -> bool:
    with _unless_gone():
        pages = apigateway.get_paginator("get_resources").paginate(restApiId=api_id, embed=["methods"])
        methods = (
            method for page in pages for each in page["items"] for method in each.get("resourceMethods", {}).values()
        )
        called = f":function:{stage.base_name}/invocations"
        return any(method.get("methodIntegration", {}).get("uri", "").endswith(called) for method in methods)
    return False


def remove_mappings(stage: Stage, *, awslambda: Any) -> None:
    """Remove the queue mappings of the stage's functions, those of functions that are gone among them.

    Raises:
        LeftoverError: one stays busy for two minutes.
    """
    functions = set(stage.deployed_functions)
    pages = awslambda.get_paginator("list_event_source_mappings").paginate()
    for mapping in [each for page in pages for each in page["EventSourceMappings"]]:
        if mapping["FunctionArn"].split(":")[6] in functions:
            _remove_mapping(mapping["UUID"], awslambda)


def _remove_mapping(mapping_id: str, awslambda: Any) -> None:
    """A mapping that is being made cannot be deleted until it is."""
    for _ in range(_MAPPING_TRIES):
        try:
            with _unless_gone():
                awslambda.delete_event_source_mapping(UUID=mapping_id)
            return
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceInUseException":
                raise
        time.sleep(_MAPPING_SECONDS)
    raise LeftoverError(f"the queue mapping {mapping_id} stays busy: run it again in some minutes")


def remove_rules(stage: Stage, *, events: Any) -> None:
    """Remove the rules that call the stage's functions by the clock."""
    for function in stage.functions:
        rule = f"{stage.base_name}-{function}-event"
        with _unless_gone():
            targets = events.list_targets_by_rule(Rule=rule)["Targets"]
            if targets:
                events.remove_targets(Rule=rule, Ids=[target["Id"] for target in targets])
            events.delete_rule(Name=rule)


def remove_roles(stage: Stage, *, iam: Any) -> None:
    """Remove the functions' roles with their policies."""
    for role in _name_roles(stage):
        with _unless_gone():
            for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                iam.delete_role_policy(RoleName=role, PolicyName=name)
            iam.delete_role(RoleName=role)


def _name_roles(stage: Stage) -> list[str]:
    """Chalice names a role after the function in the code, the API's too."""
    return [f"{stage.base_name}-{function}" for function in stage.functions]


def remove_layers(stage: Stage, *, awslambda: Any) -> None:
    """Remove all versions of the layer of dependencies."""
    name = f"{stage.base_name}-managed-layer"
    pages = awslambda.get_paginator("list_layer_versions").paginate(LayerName=name)
    with _unless_gone():
        for version in [each["Version"] for page in pages for each in page["LayerVersions"]]:
            awslambda.delete_layer_version(LayerName=name, VersionNumber=version)


def remove_logs(stage: Stage, *, logs: Any) -> None:
    """Remove the log groups of all functions, and the one that Chalice 1.34 makes for the API under another name."""
    for function in (*stage.deployed_functions, f"{stage.base_name}-{API_FUNCTION}"):
        with _unless_gone():
            logs.delete_log_group(logGroupName=f"/aws/lambda/{function}")


@contextmanager
def _unless_gone() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] not in _GONE:
            raise
