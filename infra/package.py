"""Build what CloudFormation deploys: one template with functions, tables, queues and alarms, and the two archives.

`python -m infra.package --stage dev --out build/package/dev` runs the Chalice packager on a clean copy of the project
with the resources merged in, then repairs what Chalice leaves open: names of functions and of their log groups, queue
references that CloudFormation can order, the place in names, the gateway's own answers, its limits and binary bodies.
Needs no AWS account.
Dependencies are fetched again only when `requirements.txt` changes; code alone repackages in about a second.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.utils import to_cfn_resource_name

from infra.chalice_project import chalice_command, chalice_environment, chalice_project
from infra.gateway_limits import limits_of
from infra.gateway_responses import CONTENT_TYPE, GATEWAY_RESPONSES
from infra.resources import render_resources
from infra.slimming import SlimmingError, add_bytecode, slim_layer
from infra.stages import API_FUNCTION, PROJECT, Json, Stage, StageError, check_runtime, read_stage

BINARY_MEDIA_TYPE = "*/*"
"""What API Gateway hands on byte for byte: with `*/*` every body of a request arrives in base64, and every reply that
is marked as base64 leaves as bytes. A narrower list would ask the client's Accept header, and wallets may send none
(developer guide, `lambda-proxy-binary-media`)."""

LOGGING = {"LogFormat": "JSON"}
"""so that Lambda's own lines, of time-outs and failed starts, are JSON as ours are"""

PACKAGES = PROJECT / "build" / "package"
"""a folder for each stage: what was built for one is not deployed as another"""

_API_RESOURCE = "APIHandler"
_QUEUE_ARN = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
_MISSING_WHEELS = "Could not install dependencies"


class PackageError(Exception):
    """The project cannot be packaged; the message says what to change."""


@dataclass(frozen=True)
class Package:
    """A finished build."""

    template: Path
    code: Path
    layer: Path
    """the dependencies, shared by all functions"""


def build_package(*, stage: Stage, out: Path) -> Package:
    """Package `stage` into the directory `out`: `sam.json`, `deployment.zip` and `layer-deployment.zip`.

    Raises:
        PackageError: Chalice fails, a dependency has no wheel for Lambda, a function is not in `.chalice/config.json`,
            or it reads an unknown queue.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with chalice_project(stage) as project:
        resources = project / "resources.json"
        resources.write_text(json.dumps(render_resources(stage)))
        _run_packager(project, stage=stage, resources=resources, out=out)
        package = Package(template=out / "sam.json", code=out / "deployment.zip", layer=out / "layer-deployment.zip")
        _make_small(package, archives=project / ".chalice" / "deployments")
    finished = finish_template(json.loads(package.template.read_text()), stage=stage)
    package.template.write_text(json.dumps(finished, indent=2) + "\n")
    return package


def _make_small(package: Package, *, archives: Path) -> None:
    """Rewrite both archives, here and where Chalice keeps them: `chalice deploy` takes them from there."""
    for built, rewrite in ((package.layer, slim_layer), (package.code, add_bytecode)):
        kept = next(archive for archive in archives.glob("*.zip") if filecmp.cmp(archive, built, shallow=False))
        try:
            rewrite(kept)
        except SlimmingError as error:
            raise PackageError(f"{built.name} cannot be made small: {error}") from error
        shutil.copy2(kept, built)


def _run_packager(project: Path, *, stage: Stage, resources: Path, out: Path) -> None:
    # The template names no region, but the packager wants one.
    environment = {"AWS_DEFAULT_REGION": "us-east-1"} | chalice_environment()
    command = chalice_command("package", "--stage", stage.name, "--merge-template", str(resources), str(out))
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if _MISSING_WHEELS in output:
        # Chalice goes on without them, and would find the incomplete layer in its cache the next time.
        for layer in (project / ".chalice" / "deployments").glob("managed-layer-*"):
            layer.unlink()
    if result.returncode != 0 or _MISSING_WHEELS in output:
        raise PackageError(f"chalice package failed:\n{output.strip()}")


def finish_template(template: Json, *, stage: Stage) -> Json:
    """`template` as Chalice wrote it, with what Chalice 1.34 gets wrong or cannot say. Changes its argument."""
    resources = template["Resources"]
    _refer_to_queues(resources)
    for resource in resources.values():
        resource["Properties"] = _refer_to_place(resource["Properties"])
    _name_functions(resources, stage)
    api = resources["RestAPI"]["Properties"]
    api["TracingEnabled"] = False  # the gateway's traces hold whole addresses, and some hold tokens and keys
    api["MethodSettings"] = [
        {
            "HttpMethod": limit.method,
            "ResourcePath": f"/{limit.escaped_path}",
            "ThrottlingRateLimit": limit.rate,
            "ThrottlingBurstLimit": limit.burst,
        }
        for limit in limits_of(stage)
    ]
    api["OpenApiVersion"] = "2.0"  # without it SAM publishes a second stage, named Stage
    api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"] = render_gateway_responses()
    api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] = [BINARY_MEDIA_TYPE]
    return template


def _name_functions(resources: Json, stage: Stage) -> None:
    """Give functions and log groups the names that `chalice deploy` gives them, which alarms and policies use.

    Each function refers to its log group, so that the group is there before Lambda would make one of its own.
    """
    known = {_API_RESOURCE if name == API_FUNCTION else to_cfn_resource_name(name): name for name in stage.functions}
    for logical_id, resource in resources.items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        if logical_id not in known:
            raise PackageError(f"the function {logical_id} is not among lambda_functions in .chalice/config.json")
        name = stage.deployed_name(known[logical_id])
        # Chalice renames the API's function after naming its log group.
        group = f"{to_cfn_resource_name(known[logical_id])}LogGroup"
        resources[group]["Properties"]["LogGroupName"] = f"/aws/lambda/{name}"
        resource["Properties"] |= {"FunctionName": name, "LoggingConfig": LOGGING | {"LogGroup": {"Ref": group}}}


def _refer_to_place(value: Any) -> Any:
    """`value` with every text that names account, region or partition made a `Fn::Sub`."""
    match value:
        case {"Fn::Sub": _}:
            return value
        case str() if "${AWS::" in value:
            return {"Fn::Sub": value}
        case dict():
            return {key: _refer_to_place(item) for key, item in value.items()}
        case list():
            return [_refer_to_place(item) for item in value]
    return value


def _refer_to_queues(resources: Json) -> None:
    """Point each queue mapping at our queue resource, so that a new stack creates the queue first."""
    queues = {
        resource["Properties"]["QueueName"]: logical_id
        for logical_id, resource in resources.items()
        if resource["Type"] == "AWS::SQS::Queue"
    }
    for logical_id, event in _queue_events(resources):
        name = event["Queue"]["Fn::Sub"].removeprefix(_QUEUE_ARN)
        if name not in queues:
            raise PackageError(f"{logical_id} reads the queue '{name}', which infra/resources.yaml does not define")
        event["Queue"] = {"Fn::GetAtt": [queues[name], "Arn"]}


def _queue_events(resources: Json) -> Iterator[tuple[str, Json]]:
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::Serverless::Function":
            for event in resource["Properties"].get("Events", {}).values():
                if event["Type"] == "SQS":
                    yield logical_id, event["Properties"]


def render_gateway_responses() -> Json:
    """The answers API Gateway gives itself, as its Swagger extension spells them."""
    return {
        kind: {"statusCode": str(response.status), "responseTemplates": {CONTENT_TYPE: response.body}}
        for kind, response in GATEWAY_RESPONSES.items()
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Package one stage and print where the result is. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m infra.package", description="Package a stage for CloudFormation.")
    parser.add_argument("--stage", default="dev", help="a stage of .chalice/config.json (default: dev)")
    parser.add_argument("--out", type=Path, help="directory (default: build/package/<stage>)")
    options = parser.parse_args(arguments)
    try:
        check_runtime()
        package = build_package(stage=read_stage(options.stage), out=options.out or PACKAGES / options.stage)
    except (PackageError, StageError) as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(f"template      {package.template}")
    for label, archive in (("code", package.code), ("dependencies", package.layer)):
        print(f"{label:13} {archive}  {archive.stat().st_size / 1_000_000:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
