"""What each function may do on AWS as written policy: the lines that no refactoring may cross.

Whether a policy is exactly what its function needs is found out by running everything (tests/whole_run).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest

from chalicelib.domain.assets import image_key
from infra.definition import read_tables
from infra.stages import CONFIG, Stage, read_stage
from tests.infra.template import Json, Template
from tests.infra.test_packaged_functions import DELIVERIES, HANDLERS, QUEUES

CONSUME = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
CHANGE = {"PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQLInsert", "PartiQLUpdate", "PartiQLDelete"}
ITEMS = CHANGE | {"GetItem", "BatchGetItem", "Query", "Scan", "ConditionCheckItem"}
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
    # whoever learns that a device is gone, or an object at Google, tells the team
    **{name: {QUEUES[name], "callback"} for name in DELIVERIES},
}
IMAGES = {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"}
ANY_RESOURCE = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""actions that AWS lets nobody narrow: service authorization reference, AWS X-Ray"""
SIGNS = {"APIHandler", "DeliverPassbook", "WatchCertificates"}
HERE = "${AWS::Region}:${AWS::AccountId}"


def arn(service: str, resource: str, *, place: str = HERE) -> str:
    return "arn:${AWS::Partition}:" + f"{service}:{place}:{resource}"


def permissions(statements: list[Json]) -> Iterator[tuple[str, str]]:
    """Every action with every resource it is allowed on."""
    for statement in statements:
        assert statement["Effect"] == "Allow"
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield action, resource["Fn::Sub"] if isinstance(resource, dict) else resource


def resources_of(template: Template, function: str, action: str) -> set[str]:
    return {resource for allowed, resource in permissions(template.statements_of(function)) if allowed == action}


def queue_arns(stage: Stage, queues: set[str]) -> set[str]:
    return {arn("sqs", stage.prefix + queue) for queue in queues}


def access_to(template: Template, service: str) -> set[tuple[str, str, str]]:
    """Who may do what with a service: function, action, resource."""
    return {
        (name, action, resource)
        for name in HANDLERS
        for action, resource in permissions(template.statements_of(name))
        if action.startswith(f"{service}:")
    }


@pytest.mark.parametrize("name", HANDLERS)
def test_no_action_is_a_pattern(template: Template, name: str) -> None:
    assert [action for action, _ in permissions(template.statements_of(name)) if "*" in action] == []


@pytest.mark.parametrize("name", HANDLERS)
def test_every_resource_belongs_to_the_stage_and_to_this_account(template: Template, stage: Stage, name: str) -> None:
    own = (
        arn("dynamodb", f"table/{stage.prefix}"),
        arn("sqs", stage.prefix),
        arn("s3", stage.prefix, place=":"),
        arn("ssm", f"parameter/{stage.base_name}/"),
        arn("logs", f"log-group:/aws/lambda/{template.functions[name]['FunctionName']}"),
    )
    for action, resource in permissions(template.statements_of(name)):
        assert action in ANY_RESOURCE or resource.startswith(own), (action, resource)


def test_a_star_stands_only_where_names_are_not_known_before(template: Template) -> None:
    """Images of the one folder, certificates and secrets of projects, log streams of one function."""
    patterns = ("/assets/*", "/certificates/*", "/certificates/*/wallets", "/certificates/*/google", ":*", "*")
    for name in HANDLERS:
        for action, resource in permissions(template.statements_of(name)):
            stem = resource.removesuffix(next((each for each in patterns if resource.endswith(each)), ""))
            assert "*" not in stem, (name, action, resource)
            assert resource != "*" or action in ANY_RESOURCE, (name, action)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_writes_its_own_log_and_no_other(template: Template, name: str) -> None:
    """Nor that of a stage whose name begins alike. CloudWatch asks for the group with `:*` behind it where it names
    streams (user guide, `iam-access-control-overview-cwl`)."""
    group = arn("logs", f"log-group:/aws/lambda/{template.functions[name]['FunctionName']}")
    assert {(action, resource) for who, action, resource in access_to(template, "logs") if who == name} == {
        (f"logs:{action}", resource)
        for action in ("CreateLogGroup", "CreateLogStream", "PutLogEvents")
        for resource in (group, f"{group}:*")
    }


@pytest.mark.parametrize("name", HANDLERS)
def test_a_star_alone_says_why(template: Template, name: str) -> None:
    for statement in template.statements_of(name):
        assert ("*" in statement["Resource"]) == (statement["Sid"] == "SendTracesWhichAwsLetsNobodyNarrow")


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_works_on_items_and_changes_no_table(template: Template, stage: Stage, name: str) -> None:
    tables = read_tables(stage.prefix)
    indexes = {
        f"{table['TableName']}/index/{index['IndexName']}"
        for table in tables
        for index in table.get("GlobalSecondaryIndexes", ())
    }
    for action, resource in permissions(template.statements_of(name)):
        if action.startswith("dynamodb:"):
            assert action.removeprefix("dynamodb:") in ITEMS
            assert (
                resource.removeprefix(arn("dynamodb", "table/")) in {table["TableName"] for table in tables} | indexes
            )


def test_only_the_api_sees_credentials_and_no_function_makes_them(template: Template, stage: Stage) -> None:
    table = arn("dynamodb", f"table/{stage.prefix}credentials")
    allowed = {(name, action) for name, action, resource in access_to(template, "dynamodb") if table in resource}
    assert allowed == {("APIHandler", "dynamodb:GetItem"), ("APIHandler", "dynamodb:Query")}


def test_only_operators_make_projects(template: Template, stage: Stage) -> None:
    tables = {arn("dynamodb", f"table/{stage.prefix}{table}") for table in OPERATORS_ONLY}
    changes = {f"dynamodb:{action}" for action in CHANGE}
    assert [each for each in access_to(template, "dynamodb") if each[1] in changes and each[2] in tables] == []


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


def test_only_the_api_touches_images(template: Template) -> None:
    """It may list the whole bucket: S3 calls a missing image forbidden, not missing, to whoever may not, and a
    condition on the prefix would count as that (API reference, `API_GetObject`)."""
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    bucket_arn = arn("s3", bucket["BucketName"]["Fn::Sub"], place=":")
    images = {("APIHandler", action, f"{bucket_arn}/assets/*") for action in IMAGES}
    assert access_to(template, "s3") == images | {("APIHandler", "s3:ListBucket", bucket_arn)}


def test_every_image_lies_where_the_api_may_write() -> None:
    assert image_key(str(uuid.uuid4()), "original").startswith("assets/")


def test_who_speaks_with_wallets_reads_their_secrets_and_no_function_writes_them(template: Template) -> None:
    """AWS asks for the path of the request, a scope below this one (user guide, `ps-retrieval-authorization`), and its
    key `aws/ssm` decrypts for everybody in the account (`ps-restrict-decryption`)."""
    path = template.functions["APIHandler"]["Environment"]["Variables"]["PASSEL_CERTIFICATES"].removeprefix("ssm:")
    every, wallets, google = (arn("ssm", f"parameter{path}/*{name}") for name in ("", "/wallets", "/google"))
    one, all_below = "ssm:GetParameter", "ssm:GetParametersByPath"
    assert access_to(template, "ssm") == {
        *((name, all_below, every) for name in SIGNS),
        # a certificate that was renewed while it was read is read again by its own name
        *((name, one, every) for name in SIGNS - {"WatchCertificates"}),
        *((name, one, wallets) for name in DELIVERIES - SIGNS),
        ("DeliverGoogleWallet", one, google),
    }
    assert access_to(template, "kms") == access_to(template, "secretsmanager") == set()


@pytest.mark.parametrize("name", ["dev", "prod", "emulator"])
def test_every_function_of_every_stage_names_a_policy_of_its_own(template: Template, name: str) -> None:
    """The file's own policy is for functions that nobody has thought about yet: it opens nothing, not even a log."""
    files = [settings["iam_policy_file"] for settings in read_stage(name).functions.values()]
    assert len(files) == len(set(files)) == len(template.functions)
    fallback = json.loads((CONFIG.parent / "policy-default.json").read_text(encoding="utf-8"))
    services = {action.split(":")[0] for action, _ in permissions(fallback["Statement"])}
    assert services == {"xray"}
