"""A stage deployed with the commands of a team to an emulator of AWS, and used there.

The tests stand in the order of a stage's life: the last ones deploy it again and remove it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from chalice.app import SQSEventConfig
from PIL import Image

from app import app
from chalicelib.workers.handlers import HANDLERS
from infra.definition import read_queues, read_tables
from infra.stacks import list_stacks
from local.vendors import Vendors
from tests.contract import samples
from tests.deployment.conftest import REMARK
from tests.deployment.deployment import Deployment
from tests.deployment.emulator import ACCOUNT, REGION
from tests.deployment.waiting import DEADLINE_SECONDS, await_ticket, await_truth
from tests.infra.test_models_match_resources import schema_of
from tests.support.phones import Phone
from tests.support.stack import Tenant

Record = Callable[[str, object], None]

PASSES = 30
SCHEDULED = {
    "version": "0",
    "id": "0",
    "detail-type": "Scheduled Event",
    "source": "aws.events",
    "account": ACCOUNT,
    "time": "2026-01-02T03:04:05Z",
    "region": REGION,
    "detail": {},
}
"""what EventBridge sends"""


def write_points(tenant: Tenant, tag: str, points: str) -> int:
    """Starts a bulk update of a tag; the number of its ticket."""
    body = {"fields": {"Points": {"value": points}}}
    return int(tenant.call("PUT", f"/v1/tag/{tag}/passes", json=body)["ticketId"])


def read_points(tenant: Tenant, pass_id: int) -> Any:
    """What a pass shows."""
    return samples.read_pass(tenant, pass_id)["fields"]["Points"]["value"]


def configurations(deployment: Deployment) -> dict[str, Any]:
    """Lambda's settings of every function, by its name in the code."""
    awslambda = deployment.emulator.create_client("lambda")
    found = {each["FunctionName"]: each for each in awslambda.list_functions()["Functions"]}
    names = {deployment.stage.deployed_name(name): name for name in deployment.stage.functions}
    return {names.get(deployed, deployed): settings for deployed, settings in found.items()}


def mappings(deployment: Deployment) -> list[tuple[str, str, int, int | None]]:
    """Function, queue, batch size and maximum concurrency of every mapping of a queue."""
    awslambda = deployment.emulator.create_client("lambda")
    return sorted(
        (
            mapping["FunctionArn"].rpartition(":")[2],
            mapping["EventSourceArn"].rpartition(":")[2],
            mapping["BatchSize"],
            mapping.get("ScalingConfig", {}).get("MaximumConcurrency"),
        )
        for mapping in awslambda.list_event_source_mappings()["EventSourceMappings"]
    )


def indexes(table: Mapping[str, Any]) -> dict[str, Any]:
    """Keys and projection of each index, by its name."""
    return {
        index["IndexName"]: (index["KeySchema"], index["Projection"]["ProjectionType"])
        for index in table.get("GlobalSecondaryIndexes") or ()
    }


def test_cloudformation_makes_every_resource(deployment: Deployment, record_property: Record) -> None:
    cloudformation = deployment.emulator.create_client("cloudformation")
    for name, template in list_stacks(deployment.stage):
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        assert stack["StackStatus"] == "CREATE_COMPLETE"
        resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
        assert {each["LogicalResourceId"] for each in resources} == template["Resources"].keys()
        record_property(REMARK, f"CloudFormation took all {len(resources)} resources of the stack {name}")
    record_property(REMARK, "NOT TESTED: the routes of the Chalice CLI; its API's function is called with events")


def test_every_alarm_is_made_that_the_emulator_can_make(deployment: Deployment, record_property: Record) -> None:
    resources = [each for _, template in list_stacks(deployment.stage) for each in template["Resources"].values()]
    alarms = [each["Properties"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"]
    math = [alarm["AlarmName"] for alarm in alarms if "Metrics" in alarm]
    pages = deployment.emulator.create_client("cloudwatch").get_paginator("describe_alarms").paginate()
    made = [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"]]
    assert sorted(made + math) == sorted(alarm["AlarmName"] for alarm in alarms)
    if math:
        record_property(REMARK, f"NOT TESTED: {len(math)} of {len(alarms)} alarms, which are on metric math")


def test_tables_and_queues_are_those_of_the_definition(deployment: Deployment) -> None:
    dynamodb = deployment.emulator.create_client("dynamodb")
    for arguments in read_tables(deployment.stage.prefix):
        table = dynamodb.describe_table(TableName=arguments["TableName"])["Table"]
        assert table["KeySchema"] == arguments["KeySchema"]
        assert indexes(table) == indexes(arguments), arguments["TableName"]
        asked = schema_of(arguments["TableName"].removeprefix(deployment.stage.prefix))["global_secondary_indexes"]
        assert indexes(table).keys() == {index["index_name"] for index in asked}, arguments["TableName"]
    sqs = deployment.emulator.create_client("sqs")
    for queue in read_queues(deployment.stage.prefix):
        address = sqs.get_queue_url(QueueName=queue.name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=["All"])["Attributes"]
        assert queue.attributes.items() <= attributes.items(), queue.name
        if queue.redrive is not None:
            policy = json.loads(attributes["RedrivePolicy"])
            assert policy["deadLetterTargetArn"].endswith(f":{queue.redrive.dead_letter_queue}")
            assert int(policy["maxReceiveCount"]) == queue.redrive.max_receive_count


def test_every_function_has_its_settings(deployment: Deployment) -> None:
    handlers = {each.name: each.handler_string for each in app.event_sources} | {"api_handler": "app.app"}
    found = configurations(deployment)
    assert {name: settings["Handler"] for name, settings in found.items()} == handlers
    for name, expected in deployment.stage.functions.items():
        settings = found[name]
        assert settings["Timeout"] == expected["lambda_timeout"], name
        assert settings["MemorySize"] == expected["lambda_memory_size"], name
        assert settings["Architectures"] == [deployment.stage.architecture], name
        assert settings["Environment"]["Variables"]["PASSEL_PREFIX"] == deployment.stage.prefix, name


def test_every_worker_reads_its_queue_one_message_at_a_time(deployment: Deployment) -> None:
    handlers: dict[str, Any] = dict(HANDLERS)
    queues = {handler.func.__name__: queue for queue, handler in handlers.items()}
    workers = [each for each in app.event_sources if isinstance(each, SQSEventConfig)]
    stage = deployment.stage
    assert mappings(deployment) == sorted(
        (stage.deployed_name(each.name), stage.prefix + queues[each.name], 1, each.maximum_concurrency)
        for each in workers
    )


def test_a_bulk_update_reaches_every_pass_of_a_tag(tenant: Tenant) -> None:
    pass_ids = samples.new_passes(tenant, PASSES, tags=["gold"])
    assert sorted(samples.passes_of(tenant, "gold", pageSize=100)) == pass_ids
    samples.add_tags(tenant, pass_ids[0], "silver")
    assert sorted(samples.tags_of(tenant, pass_ids[0])) == ["gold", "silver"]

    ticket = await_ticket(tenant, write_points(tenant, "gold", "100"))

    assert ticket["Status"] == "COMPLETED"
    assert ticket["progress"] == {"total": PASSES, "processed": PASSES, "changed": PASSES, "failed": 0}
    assert {read_points(tenant, pass_id) for pass_id in pass_ids} == {"100"}


def test_a_phone_is_told_of_a_bulk_update_and_shows_it(tenant: Tenant, phone: Phone, vendors: Vendors) -> None:
    pass_id = samples.new_pass(tenant, tags=["told"])
    held = phone.install(samples.read_pass(tenant, pass_id)["url"])
    phone.poll()
    assert samples.read_pass(tenant, pass_id)["status"] == "installed"

    write_points(tenant, "told", "7")

    assert vendors.feed.await_more(phone.push_token, than=0, timeout_seconds=DEADLINE_SECONDS) == 1
    assert phone.poll(pushed=True) == [held.serial_number]
    assert phone.passes[held.serial_number].shows("Points") == "7"
    assert phone.complaints == []
    phone.remove(held)
    assert samples.read_pass(tenant, pass_id)["status"] == "uninstalled"


def test_an_emptied_tag_is_cleared_away(deployment: Deployment, tenant: Tenant) -> None:
    pass_id = samples.new_pass(tenant, tags=["short-lived"])
    tenant.call("DELETE", "/v1/tag/short-lived/passes")
    assert samples.passes_of(tenant, "short-lived") == []
    assert samples.tags_of(tenant, pass_id) == []

    dynamodb = deployment.emulator.create_client("dynamodb")
    sweeps = f"{deployment.stage.prefix}sweeps"
    await_truth("the dead rows of the tag to be swept", lambda: not dynamodb.scan(TableName=sweeps)["Items"])


def test_an_image_is_kept_in_the_bucket_and_served_until_it_is_deleted(tenant: Tenant) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (118, 118), "red").save(picture, "PNG")
    form = {"asset[asset_type]": (None, "icon"), "asset[file]": ("icon.png", picture.getvalue(), "image/png")}
    created = tenant.request("POST", "/v2/assets", files=form)
    assert created.status_code == 201, created.text
    served = tenant.http.get(created.json()["asset_url"])
    assert (served.status_code, served.headers["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(served.content)).format == "PNG"

    assert tenant.call("DELETE", f"/v2/assets/{created.json()['id']}") == {"errors": []}
    assert tenant.http.get(created.json()["asset_url"]).status_code == 404


def test_the_schedule_calls_a_function_that_works(deployment: Deployment) -> None:
    function = deployment.stage.deployed_name("resume_unfinished")
    (rule,) = deployment.emulator.create_client("events").list_rules(NamePrefix=function)["Rules"]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(15 minutes)")
    event = SCHEDULED | {"resources": [rule["Arn"]]}
    answer = deployment.emulator.create_client("lambda").invoke(FunctionName=function, Payload=json.dumps(event))
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_what_keeps_failing_is_a_failed_ticket_until_it_is_redriven(deployment: Deployment, tenant: Tenant) -> None:
    """The cause is a line that the worker's policy lacks: the emulator asks IAM."""
    pass_id = samples.new_pass(tenant, tags=["refused"])
    with impatient_queue(deployment, "segment"), without_tables(deployment, "update_segment"):
        ticket_id = write_points(tenant, "refused", "9")
        failed = await_ticket(tenant, ticket_id)
    assert failed["Status"] == "FAILED"
    assert failed["progress"]["failed"] == 1
    assert read_points(tenant, pass_id) == "0"

    deployment.operate("redrive", str(ticket_id), "--watch")

    assert await_ticket(tenant, ticket_id)["Status"] == "COMPLETED"
    assert read_points(tenant, pass_id) == "9"


@contextmanager
def impatient_queue(deployment: Deployment, name: str) -> Iterator[None]:
    """Lets a queue give up after two tries in two seconds instead of five in half an hour."""
    sqs = deployment.emulator.create_client("sqs")
    address = sqs.get_queue_url(QueueName=deployment.stage.prefix + name)["QueueUrl"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    usual = sqs.get_queue_attributes(QueueUrl=address, AttributeNames=names)["Attributes"]
    policy = json.loads(usual["RedrivePolicy"]) | {"maxReceiveCount": 2}
    hasty = {"VisibilityTimeout": "1", "RedrivePolicy": json.dumps(policy)}
    sqs.set_queue_attributes(QueueUrl=address, Attributes=hasty)
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=address, Attributes=usual)


@contextmanager
def without_tables(deployment: Deployment, function: str) -> Iterator[None]:
    """Takes out of a function's policy what it says of tables."""
    iam = deployment.emulator.create_client("iam")
    role = configurations(deployment)[function]["Role"].rpartition("/")[2]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    usual = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    kept = [each for each in usual["Statement"] if not any("dynamodb:" in action for action in each["Action"])]
    assert len(kept) < len(usual["Statement"])
    changed = usual | {"Statement": kept}
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(changed))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(usual))


def test_a_second_deployment_renews_what_is_there(deployment: Deployment, tenant: Tenant) -> None:
    pass_id = samples.new_pass(tenant)
    gateway, awslambda = (deployment.emulator.create_client(name) for name in ("apigateway", "lambda"))
    mapped, apis = mappings(deployment), gateway.get_rest_apis()["items"]
    by_hand = configurations(deployment)["plan_bulk_update"]["FunctionName"]
    awslambda.update_function_configuration(FunctionName=by_hand, Timeout=3)

    printed = deployment.deploy()

    for name, _ in list_stacks(deployment.stage):
        assert f"stack {name} is up to date" in printed
    assert mappings(deployment) == mapped
    assert [api["id"] for api in gateway.get_rest_apis()["items"]] == [api["id"] for api in apis]
    expected = deployment.stage.functions["plan_bulk_update"]["lambda_timeout"]
    assert configurations(deployment)["plan_bulk_update"]["Timeout"] == expected
    assert int(samples.read_pass(tenant, pass_id)["id"]) == pass_id


def test_a_removed_stage_leaves_its_certificates_and_nothing_else(deployment: Deployment, certificates: None) -> None:
    deployment.destroy()

    find = deployment.emulator.create_client
    assert find("lambda").list_functions()["Functions"] == []
    assert mappings(deployment) == []
    assert find("apigateway").get_rest_apis()["items"] == []
    assert find("events").list_rules()["Rules"] == []
    assert find("iam").list_roles()["Roles"] == []
    assert find("dynamodb").list_tables()["TableNames"] == []
    assert find("sqs").list_queues().get("QueueUrls", []) == []
    assert find("s3").list_buckets()["Buckets"] == []
    assert find("logs").describe_log_groups()["logGroups"] == []
    assert find("cloudformation").list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []
    kept = [each["Name"] for each in find("ssm").describe_parameters()["Parameters"]]
    assert all(name.startswith(f"/{deployment.stage.base_name}/certificates/") for name in kept), kept
    assert len(kept) == 3
