"""What AWS checks before it serves a call: the actions, and the resource that each is asked for.

Source: Service Authorization Reference, `list_dynamodb`, `list_amazonsqs`, `list_amazons3`, `list_awssystemsmanager`
and `list_awssecretsmanager`; where that says too little, the page named beside the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from local.clients import REGION

PARTITION = "aws"
ACCOUNT = "123456789012"
"""as the local engines have it"""


class Access(NamedTuple):
    """One action on one resource, which AWS grants or refuses as a whole."""

    action: str
    resource: str
    """an ARN"""


class UnknownCallError(LookupError):
    """Nobody has written down what AWS checks for this call; `RULES` is the place."""


Arguments = Mapping[str, Any]
Rule = Callable[[Arguments], Iterable[Access]]


def find_accesses(service: str, operation: str, arguments: Arguments) -> set[Access]:
    """Everything that a call of a botocore client needs to be allowed.

    Raises:
        UnknownCallError
    """
    rule = RULES.get((service, operation))
    if rule is None:
        raise UnknownCallError(f"{service}:{operation}")
    return set(rule(arguments))


def table_arn(table: str, index: str | None = None) -> str:
    """A table by its full name, or one of its indexes."""
    arn = f"arn:{PARTITION}:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    return arn if index is None else f"{arn}/index/{index}"


def queue_arn(queue: str) -> str:
    """A queue by its full name."""
    return f"arn:{PARTITION}:sqs:{REGION}:{ACCOUNT}:{queue}"


def bucket_arn(bucket: str, key: str | None = None) -> str:
    """A bucket, or one object in it."""
    arn = f"arn:{PARTITION}:s3:::{bucket}"
    return arn if key is None else f"{arn}/{key}"


def parameter_arn(name: str) -> str:
    """A parameter or a path of parameters, with or without its first slash."""
    return f"arn:{PARTITION}:ssm:{REGION}:{ACCOUNT}:parameter/{name.lstrip('/')}"


def secret_arn(name: str) -> str:
    """A secret, whose ARN ends in six characters of AWS's choice."""
    return f"arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-??????"


def _on_table(action: str) -> Rule:
    """The table itself, or the index alone if the call names one (developer guide, `api-permissions-reference`)."""

    def rule(arguments: Arguments) -> Iterator[Access]:
        yield Access(f"dynamodb:{action}", table_arn(arguments["TableName"], arguments.get("IndexName")))

    return rule


def _on_requested_tables(action: str) -> Rule:
    def rule(arguments: Arguments) -> Iterator[Access]:
        for table in arguments["RequestItems"]:
            yield Access(f"dynamodb:{action}", table_arn(table))

    return rule


_ACTIONS_IN_TRANSACTIONS: Final = {
    "ConditionCheck": "ConditionCheckItem",
    "Delete": "DeleteItem",
    "Get": "GetItem",
    "Put": "PutItem",
    "Update": "UpdateItem",
}
"""developer guide, `transaction-apis-iam`"""


def _in_transaction(arguments: Arguments) -> Iterator[Access]:
    for item in arguments["TransactItems"]:
        for kind, request in item.items():
            yield Access(f"dynamodb:{_ACTIONS_IN_TRANSACTIONS[kind]}", table_arn(request["TableName"]))


_STATEMENT = re.compile(
    r"""\s*(?:(?P<Insert>INSERT\s+INTO)|(?P<Update>UPDATE)|(?P<Delete>DELETE\s+FROM)|(?P<Select>SELECT\s.*?\sFROM))
    \s+"?(?P<table>[\w.-]+)"?(?:\."?(?P<index>[\w.-]+)"?)?""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def _in_statement(statement: str) -> Access:
    """Developer guide, `ql-iam`."""
    match = _STATEMENT.match(statement)
    if match is None:
        raise UnknownCallError(f"the statement {statement!r}")
    kind = next(kind for kind in ("Insert", "Update", "Delete", "Select") if match[kind])
    return Access(f"dynamodb:PartiQL{kind}", table_arn(match["table"], match["index"]))


def _on_queue(action: str) -> Rule:
    """A queue is named by its address, whose last part is its name, or by that name."""

    def rule(arguments: Arguments) -> Iterator[Access]:
        name = arguments.get("QueueName") or arguments["QueueUrl"].rpartition("/")[2]
        yield Access(f"sqs:{action}", queue_arn(name))

    return rule


def _on_object(action: str) -> Rule:
    def rule(arguments: Arguments) -> Iterator[Access]:
        yield Access(f"s3:{action}", bucket_arn(arguments["Bucket"], arguments["Key"]))

    return rule


def _on_listed_objects(arguments: Arguments) -> Iterator[Access]:
    for entry in arguments["Delete"]["Objects"]:
        yield Access("s3:DeleteObject", bucket_arn(arguments["Bucket"], entry["Key"]))


def _on_bucket(arguments: Arguments) -> Iterator[Access]:
    yield Access("s3:ListBucket", bucket_arn(arguments["Bucket"]))


def _nothing(_: Arguments) -> Iterable[Access]:
    return ()


RULES: Final[dict[tuple[str, str], Rule]] = {
    **{
        ("dynamodb", action): _on_table(action)
        for action in ("GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "DescribeTable")
    },
    **{("dynamodb", action): _on_requested_tables(action) for action in ("BatchGetItem", "BatchWriteItem")},
    **{("dynamodb", operation): _in_transaction for operation in ("TransactWriteItems", "TransactGetItems")},
    ("dynamodb", "ExecuteStatement"): lambda arguments: [_in_statement(arguments["Statement"])],
    ("dynamodb", "BatchExecuteStatement"): lambda arguments: [
        _in_statement(each["Statement"]) for each in arguments["Statements"]
    ],
    **{
        ("sqs", action): _on_queue(action)
        for action in ("GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "PurgeQueue")
    },
    # the developer guide, `sqs-api-permissions-reference`: a batch is allowed to whoever may do it one by one
    **{
        ("sqs", operation): _on_queue(action)
        for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
        for operation in (action, f"{action}Batch")
    },
    # user guide, `using-with-s3-policy-actions`
    **{("s3", action): _on_object(action) for action in ("GetObject", "PutObject", "DeleteObject")},
    ("s3", "HeadObject"): _on_object("GetObject"),
    ("s3", "DeleteObjects"): _on_listed_objects,
    **{("s3", operation): _on_bucket for operation in ("ListObjectsV2", "ListObjects", "HeadBucket")},
    # user guide, `ps-retrieval-authorization`: by path it is the path that counts, not what lies below it
    ("ssm", "GetParameter"): lambda arguments: [Access("ssm:GetParameter", parameter_arn(arguments["Name"]))],
    ("ssm", "GetParameters"): lambda arguments: [
        Access("ssm:GetParameters", parameter_arn(name)) for name in arguments["Names"]
    ],
    ("ssm", "GetParametersByPath"): lambda arguments: [
        Access("ssm:GetParametersByPath", parameter_arn(arguments["Path"]))
    ],
    ("secretsmanager", "GetSecretValue"): lambda arguments: [
        Access("secretsmanager:GetSecretValue", secret_arn(arguments["SecretId"]))
    ],
    ("secretsmanager", "ListSecrets"): lambda _: [Access("secretsmanager:ListSecrets", "*")],
    ("sts", "GetCallerIdentity"): _nothing,
}
"""by service and operation, as botocore names them"""
