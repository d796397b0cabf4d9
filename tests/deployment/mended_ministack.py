"""Runs MiniStack, mended where version 1.5.33 differs from AWS in what a deployment of Passel needs.

Not imported by tests: an interpreter without packages runs this file, with the folder of MiniStack's as its argument.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

Token = tuple[str, str]

_PARTIQL_ACTIONS = {
    "SELECT": "dynamodb:PartiQLSelect",
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
}
_PARTIQL_TABLE = re.compile(r'\b(?:FROM|INTO|UPDATE)\s+"?([A-Za-z0-9_.-]+)"?', re.IGNORECASE)
_INTEGRATION = "x-amazon-apigateway-integration"
_ONE_API = re.compile(r"/restapis/[^/]+")


def mend_key_conditions(dynamodb: Any) -> None:
    """DynamoDB takes a key condition in parentheses; MiniStack takes all of it for one clause.

    It then refuses `(a = :number AND begins_with (b, :text))`, which is how PynamoDB writes it.
    """
    split: Callable[[Sequence[Token]], list[Any]] = dynamodb._key_condition_clauses

    def split_inside(tokens: Sequence[Token]) -> list[Any]:
        clauses = split(tokens)
        if len(clauses) == 1 and clauses[0][0][0] == "LPAREN" and clauses[0][-1][0] == "RPAREN":
            return split(clauses[0][1:-1])
        return clauses

    dynamodb._key_condition_clauses = split_inside


def mend_actions(iam_actions: Any) -> None:
    """IAM has no actions of batches and statements: each member is checked (service authorization reference)."""
    extract_action, extract_resource = iam_actions.extract_iam_action, iam_actions.extract_resource_arn
    check_transaction = iam_actions.dynamodb_transaction_checks

    def extract_member_action(service: str, *request: Any) -> str | None:
        action: str | None = extract_action(service, *request)
        return action.removesuffix("Batch") if service == "sqs" and action else action

    def extract_path(service: str, method: str, path: str, headers: Any, body: bytes, *more: Any) -> str:
        found: str = extract_resource(service, method, path, headers, body, *more)
        document = json.loads(body) if service == "ssm" and body else {}
        if "Path" not in document:
            return found
        region, account = more[-2:]
        return f"arn:aws:ssm:{region}:{account}:parameter/{document['Path'].strip('/')}"

    def check_members(action: str, body: bytes, region: str, account: str) -> list[tuple[str, str]]:
        if action not in ("dynamodb:ExecuteStatement", "dynamodb:BatchExecuteStatement"):
            return list(check_transaction(action, body, region, account))
        document = json.loads(body)
        statements = [each["Statement"] for each in document.get("Statements", [document])]
        table = f"arn:aws:dynamodb:{region}:{account}:table/"
        return [(_PARTIQL_ACTIONS[text.split()[0].upper()], table + _table_of(text)) for text in statements]

    iam_actions.extract_iam_action = extract_member_action
    iam_actions.extract_resource_arn = extract_path
    iam_actions.dynamodb_transaction_checks = check_members


def _table_of(statement: str) -> str:
    found = _PARTIQL_TABLE.search(statement)
    assert found is not None, statement
    return found.group(1)


def mend_api_files(apigateway: Any) -> None:
    """Chalice makes an API of a file and renews it with PutRestApi, a call that MiniStack has not.

    As it makes no routes of that file, taking the call is all that is missing. It makes an API of the file, but without
    a name and without anything that the API calls; it gets its name and the first such thing.
    """
    handle = apigateway.handle_request

    async def handle_or_take(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if method == "PUT" and _ONE_API.fullmatch(path):
            return await handle("GET", path, headers, b"", {})
        made = await handle(method, path, headers, body, query)
        if method == "POST" and path == "/restapis" and b'"swagger"' in body:
            name_api(json.loads(made[2])["id"], json.loads(body))
        return made

    def name_api(api_id: str, file: Any) -> None:
        apigateway._rest_apis[api_id]["name"] = file["info"]["title"]
        methods = [method for path in file["paths"].values() for method in path.values()]
        integration = next(each[_INTEGRATION] for each in methods if _INTEGRATION in each)
        (root,) = apigateway._resources[api_id].values()
        root["resourceMethods"]["GET"] = {"httpMethod": "GET", "methodIntegration": integration}

    apigateway.handle_request = handle_or_take


def pass_over_metric_math(provisioners: Any) -> None:
    """MiniStack's CloudFormation knows no alarms on metric math: it says that they are made, and makes none."""
    make = provisioners._cw_metric_alarm_put

    def make_or_pass_over(name: str, properties: Any) -> Any:
        if "Metrics" in properties:
            return name, {"Arn": f"{name} was not made"}
        return make(name, properties)

    provisioners._cw_metric_alarm_put = make_or_pass_over


def count_as_tls(evaluator: Any) -> None:
    """MiniStack speaks HTTP on this machine, where AWS would be asked over TLS, which our bucket insists on."""
    pin = evaluator.pin_request_origin
    evaluator.pin_request_origin = lambda source_ip, _: pin(source_ip, True)


def hasten_functions(lambda_service: Any) -> None:
    """A function is ready at once, not half a second after each of its changes."""
    lambda_service._LAMBDA_STATE_TRANSITION_DELAY = 0.0


def main() -> None:
    """Serves until SIGTERM."""
    sys.path[0] = sys.argv.pop(1)
    mend_key_conditions(importlib.import_module("ministack.services.dynamodb"))
    mend_actions(importlib.import_module("ministack.core.iam_actions"))
    mend_api_files(importlib.import_module("ministack.services.apigateway_v1"))
    pass_over_metric_math(importlib.import_module("ministack.services.cloudformation.provisioners"))
    count_as_tls(importlib.import_module("ministack.core.iam_evaluator"))
    hasten_functions(importlib.import_module("ministack.services.lambda_svc"))
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
