"""What each function may do on AWS, and nothing more."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from chalicelib.domain.assets import image_key
from infra.definition import read_tables
from infra.package import PROJECT, Stage
from tests.infra.template import Json, Template
from tests.infra.test_packaged_functions import DELIVERIES, HANDLERS, QUEUES

INDEXES = {table["TableName"]: table.get("GlobalSecondaryIndexes", []) for table in read_tables("")}
"""indexes by the bare name of their table"""
CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"}
READ = {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}
WRITE = {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"}
"""a transaction is authorised by the actions on its items"""
SPECIAL: dict[str, tuple[set[str], set[str]]] = {
    "dynamodb:Scan": ({"ResumeUnfinished"}, {"sweeps", "outbox"}),
    "dynamodb:PartiQLUpdate": ({"UpdateSegment"}, {"passes"}),
    "dynamodb:PartiQLDelete": ({"SweepCollection"}, {"memberships"}),
    "dynamodb:PartiQLInsert": (DELIVERIES, {"deliveries"}),
    "dynamodb:BatchWriteItem": (DELIVERIES, {"deliveries"}),
}
"""by action: the functions that have it, and its tables. The store's batches of statements fall back to single
writes when they are refused, so a missing permission would show only in the bill (developer guide, `ql-iam.html`)."""
OPERATORS_ONLY = {"projects", "credentials"}
"""tables that only the command line writes"""
SENDS = {
    "APIHandler": {"plan", "sweep", "push", "callback"},
    "PlanBulkUpdate": {"plan", "segment"},
    "UpdateSegment": {"push"},
    "SweepCollection": {"sweep"},
    "ResumeUnfinished": {"plan", "sweep", "push", "callback"},
    "SpreadPush": {"push", *(QUEUES[name] for name in DELIVERIES)},
    "SendCallback": {"callback", "callback-dead"},
    # whoever learns that a device is gone tells the team; Google's wallet is told by its callbacks
    **{name: {QUEUES[name], "callback"} for name in DELIVERIES - {"DeliverGoogleWallet"}},
    "DeliverGoogleWallet": {"deliver-google-wallet"},
}
IMAGES = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
NO_RESOURCES_ON_AWS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""actions that AWS lets nobody narrow: service authorization reference, AWS X-Ray"""


def permissions(statements: list[Json]) -> Iterator[tuple[str, str]]:
    """Every action with every resource it is allowed on."""
    for statement in statements:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield action, resource["Fn::Sub"] if isinstance(resource, dict) else resource


def resources_of(template: Template, function: str, action: str) -> set[str]:
    return {resource for allowed, resource in permissions(template.statements_of(function)) if allowed == action}


def table_arns(stage: Stage, tables: set[str]) -> set[str]:
    """The tables, and the indexes of those that have any."""
    arns = {f"arn:aws:dynamodb:*:*:table/{stage.prefix}{table}" for table in tables}
    indexed = {f"arn:aws:dynamodb:*:*:table/{stage.prefix}{table}/index/*" for table in tables if INDEXES[table]}
    return arns | indexed


def queue_arns(stage: Stage, queues: set[str]) -> set[str]:
    return {f"arn:aws:sqs:*:*:{stage.prefix}{queue}" for queue in queues}


@pytest.mark.parametrize("name", HANDLERS)
def test_no_action_is_a_pattern(template: Template, name: str) -> None:
    assert [action for action, _ in permissions(template.statements_of(name)) if "*" in action] == []


@pytest.mark.parametrize("name", HANDLERS)
def test_every_resource_belongs_to_the_stage(template: Template, stage: Stage, name: str) -> None:
    own = (
        f"arn:aws:dynamodb:*:*:table/{stage.prefix}",
        f"arn:aws:sqs:*:*:{stage.prefix}",
        f"arn:aws:s3:::{stage.prefix}",
        f"arn:aws:ssm:*:*:parameter/{stage.app_name}-{stage.name}/",
        f"arn:aws:logs:*:*:log-group:/aws/lambda/{stage.app_name}-{stage.name}",
    )
    for action, resource in permissions(template.statements_of(name)):
        assert action in NO_RESOURCES_ON_AWS or resource.startswith(own), (action, resource)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_may_read_and_write_what_requests_change(template: Template, stage: Stage, name: str) -> None:
    tables = set(INDEXES) - OPERATORS_ONLY
    for action in WRITE:
        assert resources_of(template, name, action) == table_arns(stage, tables), action
    for action in READ:
        assert resources_of(template, name, action) >= table_arns(stage, tables), action


def test_only_the_api_sees_credentials_and_no_function_makes_them(template: Template, stage: Stage) -> None:
    allowed = {
        (name, action, resource)
        for name in HANDLERS
        for action, resource in permissions(template.statements_of(name))
        if resource in table_arns(stage, OPERATORS_ONLY)
    }
    lookups = {"dynamodb:GetItem", "dynamodb:Query"}
    credentials = table_arns(stage, {"credentials"})
    assert allowed == {("APIHandler", action, resource) for action in lookups for resource in credentials}


@pytest.mark.parametrize("action", SPECIAL)
def test_special_access_is_given_to_few_and_to_few_tables(template: Template, stage: Stage, action: str) -> None:
    names, tables = SPECIAL[action]
    allowed = {name: resources_of(template, name, action) for name in HANDLERS}
    table_arns = {f"arn:aws:dynamodb:*:*:table/{stage.prefix}{table}" for table in tables}
    assert {name: resources for name, resources in allowed.items() if resources} == dict.fromkeys(names, table_arns)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_may_change_no_table(template: Template, name: str) -> None:
    allowed = {action for action, _ in permissions(template.statements_of(name)) if action.startswith("dynamodb:")}
    assert allowed <= READ | WRITE | SPECIAL.keys()


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_consumes_no_queue_but_its_own(template: Template, stage: Stage, name: str) -> None:
    own = queue_arns(stage, {QUEUES[name]} if name in QUEUES else set())
    for action in CONSUME:
        assert resources_of(template, name, action) == own, action


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_sends_only_where_it_hands_on_work(template: Template, stage: Stage, name: str) -> None:
    targets = queue_arns(stage, SENDS.get(name, set()))
    assert resources_of(template, name, "sqs:SendMessage") == targets
    assert resources_of(template, name, "sqs:GetQueueUrl") == targets


def access_to(template: Template, service: str) -> set[tuple[str, str, str]]:
    """Who may do what with a service: function, action, resource."""
    return {
        (name, action, resource)
        for name in HANDLERS
        for action, resource in permissions(template.statements_of(name))
        if action.startswith(f"{service}:")
    }


def test_only_the_api_touches_images(template: Template) -> None:
    """It may list the whole bucket: S3 calls a missing image forbidden, not missing, to whoever may not, and a
    condition on the prefix would count as that (API reference, `API_GetObject`)."""
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    bucket_arn = "arn:aws:s3:::" + bucket["BucketName"]["Fn::Sub"]
    images = {("APIHandler", action, f"{bucket_arn}/assets/*") for action in IMAGES}
    assert access_to(template, "s3") == images | {("APIHandler", "s3:ListBucket", bucket_arn)}


def test_every_image_lies_where_the_api_may_write() -> None:
    assert image_key(str(uuid.uuid4()), "original").startswith("assets/")


def test_who_speaks_with_wallets_reads_their_secrets_and_no_function_writes_them(template: Template) -> None:
    """AWS asks for the path of the request, a scope below this one (user guide, `ps-retrieval-authorization`), and its
    key `aws/ssm` decrypts for everybody in the account (`ps-restrict-decryption`)."""
    path = template.functions["APIHandler"]["Environment"]["Variables"]["PASSEL_CERTIFICATES"].removeprefix("ssm:")
    arn = f"arn:aws:ssm:*:*:parameter{path}/*"
    signs = {"APIHandler", "DeliverPassbook"}
    by_path = {(name, "ssm:GetParametersByPath", arn) for name in signs}
    assert access_to(template, "ssm") == by_path | {(name, "ssm:GetParameter", arn) for name in signs | DELIVERIES}
    assert access_to(template, "kms") == access_to(template, "secretsmanager") == set()


def test_every_function_names_its_policy(template: Template) -> None:
    """The stage's own policy is for functions that nobody has thought about yet: it opens no table and no queue."""
    config = json.loads((PROJECT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    functions = config["stages"]["dev"]["lambda_functions"]
    files = [functions[name]["iam_policy_file"] for name in functions]
    assert len(files) == len(set(files)) == len(template.functions)
    fallback = json.loads((PROJECT / ".chalice" / "policy-dev.json").read_text(encoding="utf-8"))
    services = {action.split(":")[0] for action, _ in permissions(fallback["Statement"])}
    assert services == {"logs", "xray"}
