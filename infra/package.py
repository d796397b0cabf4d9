"""Build what CloudFormation deploys: one template with functions, tables, queues and bucket, and the two archives.

`python -m infra.package --stage dev --out build/package` runs the Chalice packager on a clean copy of the project with
`infra/resources.yaml` merged in, then repairs what Chalice leaves open: queue references that CloudFormation can order,
the account in names, the API's log group, the gateway's own answers and binary bodies. Needs no AWS account.
Dependencies are fetched again only when `requirements.txt` changes; code alone repackages in about a second.

`${AWS::AccountId}` in the files of `.chalice/` is the account that is deployed to: CloudFormation fills it in, and for
the Chalice CLI `chalice_project` does.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from infra.definition import RESOURCES_FILE
from infra.gateway_responses import CONTENT_TYPE, GATEWAY_RESPONSES

BINARY_MEDIA_TYPE = "*/*"
"""What API Gateway hands on byte for byte: with `*/*` every body of a request arrives in base64, and every reply that
is marked as base64 leaves as bytes. A narrower list would ask the client's Accept header, and wallets may send none
(developer guide, `lambda-proxy-binary-media`)."""

PROJECT = Path(__file__).resolve().parent.parent
WORKSPACE = PROJECT / "build" / "project"

_PACKAGED = ("app.py", "chalicelib", "vendor", "requirements.txt")
_BYTECODE = shutil.ignore_patterns("__pycache__", "*.pyc")
_QUEUE_ARN = "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:"
_RUN_CHALICE = "import sys; from chalice.cli import main; sys.exit(main())"
_MISSING_WHEELS = "Could not install dependencies"
_ACCOUNT = "${AWS::AccountId}"

Json = dict[str, Any]


class PackageError(Exception):
    """The project cannot be packaged; the message says what to change."""


@dataclass(frozen=True)
class Stage:
    """What `.chalice/config.json` says of one stage."""

    name: str
    app_name: str
    prefix: str
    """stands before every table and queue name"""
    api_stage: str
    """API Gateway's own stage, the first part of every path"""
    traced: bool
    log_retention_days: int


@dataclass(frozen=True)
class Package:
    """A finished build."""

    template: Path
    code: Path
    layer: Path
    """the dependencies, shared by all functions"""


def read_stage(name: str) -> Stage:
    """The stage called `name`.

    Raises:
        PackageError: there is no such stage, or it leaves out what we need.
    """
    config = json.loads((PROJECT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    if name not in config["stages"]:
        raise PackageError(f"no stage '{name}' in .chalice/config.json; it has: {', '.join(config['stages'])}")
    stage = config["stages"][name]
    try:
        return Stage(
            name=name,
            app_name=config["app_name"],
            prefix=stage["environment_variables"]["PASSEL_PREFIX"],
            api_stage=stage["api_gateway_stage"],
            traced=stage["xray"],
            log_retention_days=stage["log_retention_in_days"],
        )
    except KeyError as error:
        raise PackageError(f"stage '{name}' in .chalice/config.json sets no {error.args[0]}") from error


def render_resources(*, prefix: str) -> Json:
    """Everything of `infra/resources.yaml` as a template without parameters.

    Functions and policies carry the prefix as text; a parameter beside them could only disagree. What CloudFormation
    alone knows, such as the account, stays a `Fn::Sub`.
    """
    template = yaml.safe_load(RESOURCES_FILE.read_text(encoding="utf-8"))
    return {"Description": template["Description"], "Resources": _fill_in(template["Resources"], prefix)}


def _fill_in(value: Any, prefix: str) -> Any:
    match value:
        case {"Fn::Sub": str(text)} if "${Prefix}" in text:
            filled = text.replace("${Prefix}", prefix)
            return {"Fn::Sub": filled} if "${" in filled else filled
        case dict():
            return {key: _fill_in(item, prefix) for key, item in value.items()}
        case list():
            return [_fill_in(item, prefix) for item in value]
    return value


@contextmanager
def chalice_project(*, account: str | None = None) -> Iterator[Path]:
    """A copy of the project that holds only what Lambda gets, for one process at a time.

    Tests, bytecode and local files stay out of it. What Chalice remembers of builds and deployments
    (`.chalice/deployments`, `.chalice/deployed`) is the project's own and outlives the copy. With `account` the
    settings and policies of the copy name that account.
    """
    WORKSPACE.parent.mkdir(parents=True, exist_ok=True)
    with (WORKSPACE.parent / "project.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if WORKSPACE.exists():
            shutil.rmtree(WORKSPACE)
        _copy_project(WORKSPACE)
        if account is not None:
            _name_account(WORKSPACE / ".chalice", account)
        _drop_broken_archives((WORKSPACE / ".chalice" / "deployments").glob("*.zip"))
        yield WORKSPACE


def _copy_project(target: Path) -> None:
    (target / ".chalice").mkdir(parents=True)
    for name in _PACKAGED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_BYTECODE)
        elif source.exists():
            shutil.copy2(source, target / name)
    for source in (PROJECT / ".chalice").glob("*.json"):
        shutil.copy2(source, target / ".chalice")
    for kept in ("deployments", "deployed"):
        (PROJECT / ".chalice" / kept).mkdir(exist_ok=True)
        (target / ".chalice" / kept).symlink_to(PROJECT / ".chalice" / kept, target_is_directory=True)


def _name_account(folder: Path, account: str) -> None:
    for file in folder.glob("*.json"):
        file.write_text(file.read_text(encoding="utf-8").replace(_ACCOUNT, account), encoding="utf-8")


def chalice_command(*arguments: str) -> list[str]:
    """The Chalice CLI of this interpreter, which also decides the Lambda runtime."""
    return [sys.executable, "-c", _RUN_CHALICE, *arguments]


def chalice_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """`environment` for the Chalice CLI: the stage's settings count, not those of the calling shell."""
    ours = {name: value for name, value in environment.items() if not name.startswith(("PASSEL_", "PYTHONPATH"))}
    return ours | {"PYTHONDONTWRITEBYTECODE": "1"}


def build_package(*, stage: Stage, out: Path) -> Package:
    """Package `stage` into the directory `out`: `sam.json`, `deployment.zip` and `layer-deployment.zip`.

    Raises:
        PackageError: Chalice fails, a dependency has no wheel for Lambda, or a function reads an unknown queue.
    """
    out = out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with chalice_project() as project:
        resources = project / "resources.json"
        resources.write_text(json.dumps(render_resources(prefix=stage.prefix)))
        _run_packager(project, stage=stage, resources=resources, out=out)
    template = out / "sam.json"
    finished = finish_template(json.loads(template.read_text()))
    template.write_text(json.dumps(finished, indent=2) + "\n")
    return Package(template=template, code=out / "deployment.zip", layer=out / "layer-deployment.zip")


def _drop_broken_archives(archives: Iterable[Path]) -> None:
    """Remove what an interrupted build left behind: Chalice would take it for a finished archive."""
    for archive in archives:
        if not zipfile.is_zipfile(archive):
            archive.unlink()


def _run_packager(project: Path, *, stage: Stage, resources: Path, out: Path) -> None:
    # The template names no region, but the packager wants one.
    environment = {"AWS_DEFAULT_REGION": "us-east-1"} | chalice_environment(os.environ)
    command = chalice_command("package", "--stage", stage.name, "--merge-template", str(resources), str(out))
    result = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    output = result.stdout + result.stderr
    if _MISSING_WHEELS in output:
        # Chalice goes on without them, and would find the incomplete layer in its cache the next time.
        for layer in (project / ".chalice" / "deployments").glob("managed-layer-*"):
            layer.unlink()
    if result.returncode != 0 or _MISSING_WHEELS in output:
        raise PackageError(f"chalice package failed:\n{output.strip()}")


def finish_template(template: Json) -> Json:
    """`template` as Chalice wrote it, with what Chalice 1.34 gets wrong or cannot say. Changes its argument."""
    resources = template["Resources"]
    _refer_to_queues(resources)
    for resource in resources.values():
        resource["Properties"] = _refer_to_account(resource["Properties"])
    # Chalice renames the function after naming its log group.
    resources["ApiHandlerLogGroup"]["Properties"]["LogGroupName"] = {"Fn::Sub": "/aws/lambda/${APIHandler}"}
    api = resources["RestAPI"]["Properties"]
    api["TracingEnabled"] = resources["APIHandler"]["Properties"]["Tracing"] == "Active"
    api["OpenApiVersion"] = "2.0"  # without it SAM publishes a second stage, named Stage
    api["DefinitionBody"]["x-amazon-apigateway-gateway-responses"] = render_gateway_responses()
    api["DefinitionBody"]["x-amazon-apigateway-binary-media-types"] = [BINARY_MEDIA_TYPE]
    return template


def _refer_to_account(value: Any) -> Any:
    """`value` with every text that names the account made a `Fn::Sub`."""
    match value:
        case {"Fn::Sub": _}:
            return value
        case str() if _ACCOUNT in value:
            return {"Fn::Sub": value}
        case dict():
            return {key: _refer_to_account(item) for key, item in value.items()}
        case list():
            return [_refer_to_account(item) for item in value]
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
    parser.add_argument("--out", type=Path, default=Path("build/package"), help="directory (default: build/package)")
    options = parser.parse_args(arguments)
    try:
        package = build_package(stage=read_stage(options.stage), out=options.out)
    except PackageError as error:
        print(f"package: {error}", file=sys.stderr)
        return 1
    print(f"template      {package.template}")
    for label, archive in (("code", package.code), ("dependencies", package.layer)):
        print(f"{label:13} {archive}  {archive.stat().st_size / 1_000_000:.2f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
