"""The template of `make package`, deployed by CloudFormation alone, as teams do that have a pipeline of their own.

From it MiniStack makes the routes of API Gateway, so requests come over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import app
from infra.stages import read_stage
from tests.contract import samples
from tests.deployment.deployment import STAGE, Deployment
from tests.deployment.emulator import Emulator
from tests.deployment.installation import Installation
from tests.deployment.waiting import await_ticket, await_truth
from tests.support.stack import Tenant

BUCKET = "pipeline"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
CODE = ("CodeUri", "ContentUri")


@pytest.fixture(scope="module")
def packaged(
    installation: Installation, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """An account with nothing in it but this stack."""
    emulator = Emulator(installation, folder=tmp_path_factory.mktemp("ministack"))
    try:
        deployment = Deployment(emulator=emulator, project=project, stage=read_stage(STAGE))
        folder = tmp_path_factory.mktemp("package")
        deployment.package(folder)
        create_stack(emulator, name=f"{deployment.stage.base_name}-all", package=folder)
        yield deployment
    finally:
        emulator.stop()


def create_stack(emulator: Emulator, *, name: str, package: Path) -> None:
    """What `aws cloudformation package` and `deploy` do: archives and template into a bucket, then a stack of them."""
    template = json.loads((package / "sam.json").read_text())
    s3, cloudformation = (emulator.create_client(service) for service in ("s3", "cloudformation"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for resource in template["Resources"].values():
        for key in CODE:
            if file := resource["Properties"].get(key):
                resource["Properties"][key] = {"Bucket": BUCKET, "Key": Path(file).name}
    for archive in package.glob("*.zip"):
        s3.put_object(Bucket=BUCKET, Key=archive.name, Body=archive.read_bytes())
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template))
    url = f"{emulator.url}/{BUCKET}/template.json"
    cloudformation.create_stack(StackName=name, TemplateURL=url, Capabilities=CAPABILITIES)

    def find_end() -> Any:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    stack = await_truth(f"stack {name}", find_end)
    assert stack["StackStatus"] == "CREATE_COMPLETE", stack.get("StackStatusReason")


@pytest.fixture(scope="module")
def api(packaged: Deployment) -> Any:
    """What API Gateway has of it."""
    (found,) = packaged.emulator.create_client("apigateway").get_rest_apis()["items"]
    return found


@pytest.fixture(scope="module")
def tenant(packaged: Deployment, api: Any) -> Iterator[Tenant]:
    """A project, and its client over HTTP."""
    address = f"{packaged.emulator.url}/restapis/{api['id']}/{packaged.stage.api_stage}/_user_request_"
    with httpx.Client(base_url=address, trust_env=False, timeout=60) as http:
        yield packaged.make_tenant(http)


def test_the_gateway_has_every_route(packaged: Deployment, api: Any) -> None:
    pages = packaged.emulator.create_client("apigateway").get_paginator("get_resources").paginate(restApiId=api["id"])
    resources = [resource for page in pages for resource in page["items"]]
    found = {(each["path"], method) for each in resources for method in each.get("resourceMethods", ())}
    assert found - {each for each in found if each[1] == "OPTIONS"} == {
        (path, method) for path, methods in app.routes.items() for method in methods
    }


def test_requests_come_through_the_gateway(tenant: Tenant) -> None:
    samples.new_template(tenant, name="Größe")
    listed = tenant.call("GET", "/v1/template/headers", params={"pageSize": 5})
    assert [template["name"] for template in listed["templateHeaders"]] == ["Größe"]
    assert tenant.request("GET", "/v1/template/headers", auth=None).status_code == 401
    assert tenant.request("GET", "/nowhere").status_code in (403, 404)


def test_its_functions_carry_out_a_bulk_update(tenant: Tenant) -> None:
    """Mappings, roles and policies of this template are others than those that the Chalice CLI makes."""
    pass_id = samples.new_pass(tenant, tags=["gold"])
    body = {"fields": {"Points": {"value": "3"}}}
    ticket_id = tenant.call("PUT", "/v1/tag/gold/passes", json=body)["ticketId"]
    assert await_ticket(tenant, ticket_id)["Status"] == "COMPLETED"
    assert samples.read_pass(tenant, pass_id)["fields"]["Points"]["value"] == "3"
