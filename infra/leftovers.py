"""What a first deployment that failed midway leaves behind, taken away again.

Chalice writes its record only at the end (https://github.com/aws/chalice/issues/1340). A second try would find
functions and roles by their names, but make every queue mapping and the REST API once more.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any

from botocore.exceptions import ClientError

from infra.stages import Stage


def list_apis(stage: Stage, *, apigateway: Any) -> set[str]:
    """The ids of all REST APIs that are named like ours; those of other stages are among them."""
    pages = apigateway.get_paginator("get_rest_apis").paginate()
    return {api["id"] for page in pages for api in page["items"] if api["name"] == stage.app_name}


def remove_leftovers(stage: Stage, *, apis_before: Set[str], awslambda: Any, apigateway: Any) -> None:
    """Remove the functions of a stage that had none before, their queue mappings, and APIs that were not there."""
    for api_id in list_apis(stage, apigateway=apigateway) - apis_before:
        apigateway.delete_rest_api(restApiId=api_id)
    for function in stage.deployed_functions:
        try:
            for page in awslambda.get_paginator("list_event_source_mappings").paginate(FunctionName=function):
                for mapping in page["EventSourceMappings"]:
                    awslambda.delete_event_source_mapping(UUID=mapping["UUID"])
            awslambda.delete_function(FunctionName=function)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
