"""What API Gateway gets: every route, in a form that it accepts."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator

from app import app
from infra.gateway_responses import GATEWAY_RESPONSES
from infra.stages import Stage
from tests.infra.template import Json, Template

VARIABLE = re.compile(r"{([^}]+)}")
GATEWAY_RESOURCES = 300
"""the most that one REST API may have without asking AWS for more"""


def operations(template: Template) -> Iterator[tuple[str, str, Json]]:
    for path, methods in template.swagger["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_there(template: Template) -> None:
    ours = {(path, method.lower()) for path, methods in app.routes.items() for method in methods}
    packaged = {(path, method) for path, method, _ in operations(template) if method != "options"}
    assert packaged == ours


def test_sibling_path_variables_have_one_name(template: Template) -> None:
    """API Gateway refuses `/pass/{id}` beside `/pass/{pass_id}/tags`; Chalice and its local server do not."""
    names: dict[str, set[str]] = defaultdict(set)
    for path in template.swagger["paths"]:
        for match in VARIABLE.finditer(path):
            names[path[: match.start()]].add(match.group(1))
    assert {level: found for level, found in names.items() if len(found) > 1} == {}


def test_a_path_declares_its_variables(template: Template) -> None:
    for path, method, operation in operations(template):
        if method != "options":
            declared = [item["name"] for item in operation.get("parameters", [])]
            assert sorted(declared) == sorted(VARIABLE.findall(path)), path


def test_the_api_stays_within_the_gateways_limit(template: Template) -> None:
    levels = {"/"}
    for path in template.swagger["paths"]:
        parts = path.strip("/").split("/")
        levels |= {"/".join(parts[:length]) for length in range(1, len(parts) + 1)}
    assert len(levels) <= GATEWAY_RESOURCES


def test_the_gateway_leaves_the_bytes_of_every_body_alone(template: Template) -> None:
    """Else uploads would arrive mangled, and pass files leave as base64 where the Accept header names another type."""
    assert template.swagger["x-amazon-apigateway-binary-media-types"] == ["*/*"]


def test_every_operation_goes_to_our_function(template: Template) -> None:
    """The gateway's own mock integration, which CORS would bring, cannot read the base64 that `*/*` makes of a body."""
    uri = (
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${APIHandler.Arn}/invocations"
    )
    for path, method, operation in operations(template):
        integration = operation["x-amazon-apigateway-integration"]
        assert (integration["type"], integration["uri"]) == ("aws_proxy", {"Fn::Sub": uri}), (path, method)


def test_the_gateway_speaks_like_the_api(template: Template) -> None:
    packaged = template.swagger["x-amazon-apigateway-gateway-responses"]
    assert packaged.keys() == GATEWAY_RESPONSES.keys()
    for kind, response in GATEWAY_RESPONSES.items():
        assert packaged[kind]["statusCode"] == str(response.status)
        assert packaged[kind]["responseTemplates"] == {"application/json": response.body}
        assert "$" not in response.body, "the gateway would take it for a variable"
        assert isinstance(json.loads(response.body), dict)


def test_an_unknown_path_is_not_found(template: Template) -> None:
    packaged = template.swagger["x-amazon-apigateway-gateway-responses"]
    assert packaged["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"


def test_the_gateway_limits_and_compresses(template: Template, stage: Stage) -> None:
    api = template.resources["RestAPI"]["Properties"]
    limits = {
        (settings["HttpMethod"], settings["ResourcePath"]): (
            settings["ThrottlingRateLimit"],
            settings["ThrottlingBurstLimit"],
        )
        for settings in api["MethodSettings"]
    }
    assert limits == {
        ("*", "/*"): (stage.requests_per_second, stage.burst),
        ("GET", "/~1p~1{distribution}"): (stage.visitors_per_second, stage.visitors_burst),
    }
    assert api["MinimumCompressionSize"] == 1024


def test_one_stage_is_published(template: Template) -> None:
    """Without an OpenAPI version SAM adds a stage called Stage: issue 1202 of aws/serverless-application-model."""
    api = template.resources["RestAPI"]["Properties"]
    assert (api["StageName"], api["OpenApiVersion"]) == ("prod", "2.0")
