"""The description of the API: in step with the routes, valid, complete, and true to itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from app import app
from chalicelib.domain.errors import InvalidRequest
from chalicelib.domain.idempotency import Decision, _refusal, parse_key
from chalicelib.errors import airship_answer
from openapi.document import FILE, compose, render
from tests.support.described import description, resolve

METHODS = ("get", "put", "post", "delete", "patch")
VERBS = {
    *("add", "archive", "create", "delete", "download", "duplicate", "empty", "get", "list", "merge", "open", "pause"),
    *("personalize", "ping", "post", "push", "receive", "redeem", "register", "remove", "reset", "resume", "set"),
    *("unregister", "update"),
}
TEXT_KEYS = ("description", "summary")


def operations() -> Iterator[tuple[str, str, Any]]:
    """Method, path and operation of each."""
    for path, item in description()["paths"].items():
        for method, operation in item.items():
            yield method, path, operation


def walk(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every object of the document, with its place."""
    if isinstance(value, dict):
        yield place, value
        for key, item in value.items():
            yield from walk(item, f"{place}/{key}")
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from walk(item, f"{place}/{position}")


def test_the_committed_file_is_what_routes_and_models_say() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "the description is out of step: run `make openapi`"


def test_it_is_the_same_each_time() -> None:
    assert render() == render()


def test_it_is_valid_openapi() -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(description()).iter_errors()] == []


def test_every_route_is_described_and_nothing_else() -> None:
    registered = {(path, method.lower()) for path, methods in app.routes.items() for method in methods}
    assert {(path, method) for method, path, _ in operations()} == registered


def test_every_operation_has_a_name_of_its_own_that_begins_with_a_verb() -> None:
    names = [operation["operationId"] for _, _, operation in operations()]
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name)
        assert name.partition("_")[0] in VERBS, name


def test_every_operation_says_what_it_does() -> None:
    for method, path, operation in operations():
        assert operation["summary"], (method, path)
        assert not operation["summary"].endswith("."), (method, path)
        assert operation["description"], (method, path)
        described = {tag["name"] for tag in description()["tags"]}
        assert set(operation["tags"]) <= described
        for answer in operation["responses"].values():
            assert resolve(answer)["description"], (method, path)


def test_every_parameter_says_what_it_is() -> None:
    for method, path, operation in operations():
        parameters = [resolve(parameter) for parameter in operation.get("parameters", [])]
        named = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
        assert named == set(re.findall("{([a-z_]+)}", path)), (method, path)
        assert all(parameter["description"] for parameter in parameters), (method, path)


def test_every_operation_tells_of_success_and_of_refusal() -> None:
    for method, path, operation in operations():
        statuses = set(operation["responses"])
        assert any(status.startswith("2") for status in statuses), (method, path)
        assert {"500", "503"} <= statuses, (method, path)
        if operation["security"]:
            assert "401" in statuses, (method, path)
        if {"api_key": []} in operation["security"]:
            assert "429" in statuses, (method, path)


def test_what_may_be_tried_again_says_when() -> None:
    for method, path, operation in operations():
        for status in {"429", "503"} & set(operation["responses"]):
            assert "Retry-After" in resolve(operation["responses"][status])["headers"], (method, path)


def test_every_answer_of_a_list_of_the_passworks_dialect_has_its_page_in_headers() -> None:
    for _, path, operation in operations():
        schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if path.startswith("/v2") and schema.get("type") == "array":
            assert {"X-Total", "X-Next-Page"} <= set(operation["responses"]["200"]["headers"]), path


def examples() -> list[Any]:
    """Every example with the schema that it stands in."""
    found = []
    for place, schema in walk(description()["components"]["schemas"]):
        if isinstance(schema.get("examples"), list) and "/examples/" not in place and not place.endswith("/properties"):
            found += [
                pytest.param(schema, example, id=f"{place}-{number}")
                for number, example in enumerate(schema["examples"])
            ]
    return found


@pytest.mark.parametrize(("schema", "example"), examples())
def test_every_example_is_one(schema: Any, example: Any) -> None:
    whole = {"components": description()["components"], "allOf": [schema]}
    assert [error.message for error in Draft202012Validator(whole).iter_errors(example)] == []


def test_every_refusal_has_an_example_that_is_one() -> None:
    for name, answer in description()["components"]["responses"].items():
        for media in answer["content"].values():
            if name.startswith(("Airship", "Passworks")):
                whole = {"components": description()["components"], "allOf": [media["schema"]]}
                assert Draft202012Validator(whole).is_valid(media["example"]), name
                assert str(media["example"].get("code", media["example"].get("status_code"))) in name


def bodies() -> Iterator[tuple[str, Any]]:
    """What is sent and answered, as a kind of JSON or a form: by whom, and how it is described."""
    named = [(operation["operationId"], operation) for _, _, operation in operations()]
    named += [(name, item["post"]) for name, item in description()["webhooks"].items()]
    for name, operation in named:
        described = [operation.get("requestBody", {})]
        described += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
        for each in described:
            for kind, media in resolve(each).get("content", {}).items():
                if "json" in kind or "form" in kind:
                    yield name, media


def beside(media: Any) -> list[Any]:
    """The examples that stand beside the schema of a body."""
    return [media["example"]] if "example" in media else [each["value"] for each in media.get("examples", {}).values()]


def test_every_body_has_an_example() -> None:
    for name, media in bodies():
        schema = resolve(media["schema"])
        assert beside(media) or resolve(schema.get("items", schema)).get("examples"), name


def test_every_example_beside_a_body_is_one() -> None:
    for name, media in bodies():
        whole = Draft202012Validator({"components": description()["components"], "allOf": [media["schema"]]})
        for example in beside(media):
            assert [error.message for error in whole.iter_errors(example)] == [], name


def test_every_member_says_what_it_is() -> None:
    """Its own words, or those of the schema that it refers to."""
    silent = [
        f"{name}.{member}"
        for name, schema in description()["components"]["schemas"].items()
        for member, shown in schema.get("properties", {}).items()
        if not (shown.get("description") or resolve(shown).get("description"))
    ]
    assert silent == []


def test_the_answer_of_a_file_names_it() -> None:
    for method, path, operation in operations():
        for status, answer in operation["responses"].items():
            is_pass = "application/vnd.apple.pkpass" in resolve(answer).get("content", {})
            assert ("Content-Disposition" in resolve(answer).get("headers", {})) is is_pass, (method, path, status)


def test_refusals_are_not_said_to_be_repeated() -> None:
    """None is kept, so none is an answer to an earlier request."""
    for name, answer in description()["components"]["responses"].items():
        assert "Idempotency-Replayed" not in answer.get("headers", {}), name


@pytest.mark.parametrize("decision", [Decision.REFUSE, Decision.WAIT])
def test_a_key_is_refused_in_the_words_that_are_shown(decision: Decision) -> None:
    answer = airship_answer(_refusal(decision))
    shown = description()["components"]["responses"][f"Airship{answer.status}"]
    assert shown["content"]["application/json"]["example"] == answer.body


KEYS = [
    *("a", " a", "a ", "a b", '"a"', '"a" ', '""', '"" ', '"', "", " ", '" "', '"open', 'a"b"', '"a"b"', "é", "a\tb"),
    *("x" * 255, "x" * 256, '"' + "x" * 255 + '"', '"' + "x" * 256 + '"', '"' + "x" * 254, '"' + "x" * 255),
    *('"' + '\\"' * 255 + '"', '"' + '\\"' * 256 + '"', '"a\\b"', '"a\\\\b"', '"a\\"', '"\x7f"'),
]


@pytest.mark.parametrize("text", KEYS)
def test_a_key_is_read_as_described(text: str) -> None:
    schema = description()["components"]["parameters"]["Idempotency-Key"]["schema"]
    try:
        parse_key(text)
    except InvalidRequest:
        is_read = False
    else:
        is_read = True
    assert Draft202012Validator(schema).is_valid(text) is is_read


def test_it_shows_the_default_limits_whatever_a_deployment_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSEL_LIMIT_VALUE_CHARACTERS", "5")
    monkeypatch.setenv("PASSEL_LIMIT_PAGE_SIZE", "5")
    assert compose() == description()
    sizes = [
        parameter["schema"]["anyOf"][0]["maximum"]
        for _, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if parameter.get("name") == "pageSize"
    ]
    assert set(sizes) == {1000}


def test_a_link_leads_to_an_operation_with_all_that_its_path_needs() -> None:
    paths = {operation["operationId"]: path for _, path, operation in operations()}
    linked = set()
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                assert set(link["parameters"]) == set(re.findall("{([a-z_]+)}", paths[link["operationId"]]))
                linked.add(link["operationId"])
    assert {"get_pass_by_id", "delete_template_by_id", "get_ticket", "redeem_pass", "list_passes_of_tag"} <= linked


def test_a_reference_leads_somewhere() -> None:
    for place, item in walk(description()):
        if isinstance(item.get("$ref"), str):
            assert resolve(item), place


def test_nobody_is_sent_elsewhere() -> None:
    """Addresses in it are examples; what a client is to call is the server's own."""
    hosts = set(re.findall(r"https?://([a-z0-9.-]+)", FILE.read_text(encoding="utf-8")))
    assert all(host.endswith((".example", "example.com")) for host in hosts), hosts
