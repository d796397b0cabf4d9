"""What Lambda gets: functions, their settings and their queues."""

from __future__ import annotations

import sys
from dataclasses import fields

import pytest

from chalicelib.settings import Settings, read_settings
from infra.stages import Stage
from tests.infra.template import Json, Template

HANDLERS = {
    "APIHandler": "app.app",
    "PlanBulkUpdate": "chalicelib.workers.bulk.plan_bulk_update",
    "UpdateSegment": "chalicelib.workers.bulk.update_segment",
    "FailPlan": "chalicelib.workers.bulk.fail_plan",
    "FailSegment": "chalicelib.workers.bulk.fail_segment",
    "ResumeUnfinished": "chalicelib.workers.sweep.resume_unfinished",
    "SweepCollection": "chalicelib.workers.sweep.sweep_collection",
    "SpreadPush": "chalicelib.workers.push.spread_push",
    "DeliverPassbook": "chalicelib.workers.push.deliver_passbook",
    "DeliverWalletPasses": "chalicelib.workers.push.deliver_wallet_passes",
    "DeliverPass2u": "chalicelib.workers.push.deliver_pass2u",
    "DeliverPasswallet": "chalicelib.workers.push.deliver_passwallet",
    "DeliverPassworksWallet": "chalicelib.workers.push.deliver_passworks_wallet",
    "DeliverGoogleWallet": "chalicelib.workers.push.deliver_google_wallet",
    "SendCallback": "chalicelib.workers.callbacks.send_callback",
    "WatchCertificates": "chalicelib.workers.watch.watch_certificates",
}
QUEUES = {
    "PlanBulkUpdate": "plan",
    "UpdateSegment": "segment",
    "FailPlan": "plan-dead",
    "FailSegment": "segment-dead",
    "SweepCollection": "sweep",
    "SpreadPush": "push",
    "DeliverPassbook": "deliver-passbook",
    "DeliverWalletPasses": "deliver-wallet-passes",
    "DeliverPass2u": "deliver-pass2u",
    "DeliverPasswallet": "deliver-passwallet",
    "DeliverPassworksWallet": "deliver-passworks-wallet",
    "DeliverGoogleWallet": "deliver-google-wallet",
    "SendCallback": "callback",
}
DELIVERIES = {name for name in QUEUES if name.startswith("Deliver")}
GATEWAY_TIMEOUT_SECONDS = 29
"""how long API Gateway waits for a function"""


def test_every_function_is_there_with_its_handler(template: Template) -> None:
    assert {name: function["Handler"] for name, function in template.functions.items()} == HANDLERS


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_runs_the_python_that_the_tests_run(template: Template, name: str) -> None:
    function = template.functions[name]
    assert function["Runtime"] == f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert function["Architectures"] == ["arm64"]


@pytest.mark.parametrize("name", HANDLERS)
def test_what_lambda_itself_logs_is_json_too(template: Template, name: str) -> None:
    assert template.functions[name]["LoggingConfig"]["LogFormat"] == "JSON"


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_knows_the_prefix_of_its_tables(template: Template, stage: Stage, name: str) -> None:
    assert template.functions[name]["Environment"]["Variables"]["PASSEL_PREFIX"] == stage.prefix


def test_functions_are_told_where_images_and_certificates_lie(template: Template, stage: Stage) -> None:
    """Who may read them is for the policies to say."""
    (bucket,) = template.of_type("AWS::S3::Bucket").values()
    for function in template.functions.values():
        variables: Json = function["Environment"]["Variables"]
        assert variables["PASSEL_ASSETS"] == {"Fn::Sub": "s3:" + bucket["BucketName"]["Fn::Sub"]}
        assert variables["PASSEL_CERTIFICATES"] == f"ssm:/{stage.base_name}/certificates"


def test_the_settings_of_every_function_can_be_read(template: Template) -> None:
    for function in template.functions.values():
        variables = function["Environment"]["Variables"]
        texts = {name: value["Fn::Sub"] if isinstance(value, dict) else value for name, value in variables.items()}
        assert {f"PASSEL_{each.name.upper()}" for each in fields(Settings)} >= texts.keys()
        read_settings(texts)


@pytest.mark.parametrize("name", HANDLERS)
def test_a_function_finds_its_dependencies_in_the_layer(template: Template, name: str) -> None:
    assert template.functions[name]["Layers"] == [{"Ref": "ManagedLayer"}]


@pytest.mark.parametrize("name", HANDLERS)
def test_the_log_of_a_function_is_not_kept_for_ever(template: Template, stage: Stage, name: str) -> None:
    group = template.resources[template.functions[name]["LoggingConfig"]["LogGroup"]["Ref"]]
    assert group["Properties"]["RetentionInDays"] == stage.log_retention_days == 90


def test_the_api_gives_up_before_the_gateway_does(template: Template) -> None:
    assert template.functions["APIHandler"]["Timeout"] < GATEWAY_TIMEOUT_SECONDS


def test_each_worker_reads_its_own_queue(template: Template, stage: Stage) -> None:
    read = {name: template.queue_of(mapping)["QueueName"] for name, mapping in template.mappings()}
    assert read == {name: stage.prefix + queue for name, queue in QUEUES.items()}


def test_a_worker_gets_one_message_at_a_time(template: Template) -> None:
    assert {name: mapping["BatchSize"] for name, mapping in template.mappings()} == dict.fromkeys(QUEUES, 1)


def test_no_worker_is_taken_to_report_failures_one_by_one(template: Template) -> None:
    """With one message a batch a failure raises; the other mode would drop what a worker does not report."""
    assert [name for name, mapping in template.mappings() if "FunctionResponseTypes" in mapping] == []


def test_a_message_stays_hidden_for_six_times_the_timeout(template: Template) -> None:
    """As AWS asks for: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    for name, mapping in template.mappings():
        visibility = template.queue_of(mapping)["VisibilityTimeout"]
        assert visibility >= 6 * template.functions[name]["Timeout"], name


def test_no_queue_can_take_all_of_the_accounts_concurrency(template: Template) -> None:
    for name, mapping in template.mappings():
        assert 2 <= mapping["ScalingConfig"]["MaximumConcurrency"] <= 50, name


def test_what_a_worker_reserves_is_what_its_queue_may_use(template: Template) -> None:
    """Less would be throttled, more would lie idle."""
    for name, mapping in template.mappings():
        reserved = template.functions[name].get("ReservedConcurrentExecutions")
        assert reserved in (None, mapping["ScalingConfig"]["MaximumConcurrency"]), name


def test_production_keeps_room_for_the_api_and_for_bulk_updates(template: Template) -> None:
    reserving = {name for name, function in template.functions.items() if "ReservedConcurrentExecutions" in function}
    assert reserving >= {"APIHandler", "UpdateSegment"}


def test_production_is_traced(template: Template) -> None:
    assert {function["Tracing"] for function in template.functions.values()} == {"Active"}


def test_the_gateway_keeps_no_addresses_in_traces(template: Template) -> None:
    """Some hold tokens and keys."""
    assert template.resources["RestAPI"]["Properties"]["TracingEnabled"] is False


@pytest.mark.parametrize("name", sorted(HANDLERS.keys() - QUEUES.keys() - {"APIHandler"}))
def test_what_reads_no_queue_runs_on_a_schedule(template: Template, name: str) -> None:
    assert [event["Type"] for event in template.functions[name]["Events"].values()] == ["Schedule"]
