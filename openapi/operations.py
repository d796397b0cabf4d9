"""One operation of the document: its body, its answers, and what goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from chalicelib.api.declared import OWN_ROOT, Body, Operation
from chalicelib.schemas import passworks_shown
from chalicelib.schemas.bounds import EMPTY
from chalicelib.schemas.passworks import ROOTS, CampaignBody, ContentBody, NewCampaignBody
from openapi import links, parameters, shared, words
from openapi.models import Models, Schema, find

Document = dict[str, Any]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

_EMPTY: tuple[Schema, ...] = ({"type": "null"}, dict(EMPTY["array"]))
"""what counts as an object without keys (passworks-v2, section 8)"""


def describe(operation: Operation, models: Models, others: Sequence[Operation]) -> Document:
    """An operation, as the document has it; `others` are all that there are."""
    summary, description = words.split(operation.text)
    document: Document = {
        "tags": [words.tag_of(operation)],
        "summary": summary,
        "description": f"{description}{words.form_of(operation)}".strip(),
        "operationId": operation.name,
    }
    found = parameters.describe(operation)
    if found:
        document["parameters"] = found
    if operation.declared.body is not None:
        document["requestBody"] = _describe_body(operation, operation.declared.body, models)
    document["responses"] = _describe_answers(operation, models, others)
    document["security"] = _security(operation)
    return document


def _describe_body(operation: Operation, body: Body, models: Models) -> Document:
    schema = _wrap(body, models)
    required = not (body.may_be_empty or body.may_lack_root)
    text = words.first_paragraph(find(body.model).__doc__)
    if body.model == "read_by_hand.AssetForm":
        form: Document = {"multipart/form-data": {"schema": schema}}
        return {"description": text, "required": True, "content": form}
    content: Document = {JSON: {"schema": schema, **_example(body, schema)}}
    if operation.dialect == "airship":
        model = find(body.model)
        content[FORM] = {"schema": models.name(f"{model.__name__.removesuffix('Body')}Form", _form(schema, model))}
    return {"description": text, "required": required, "content": content}


def _example(body: Body, schema: Schema) -> Document:
    """The model's example, if the schema does not lead to it: under a root key, where there is one, and of a type the
    key is that of coupons."""
    found = find(body.model).model_json_schema().get("examples")
    if not found or "$ref" in schema:
        return {}
    if not body.roots:
        return {"example": found[0]}
    root = ROOTS["coupons"] if body.roots[0] == OWN_ROOT else body.roots[0]
    return {"example": {root: found[0]}}


def _form(schema: Schema, model: type[BaseModel]) -> Schema:
    """The form of older clients (airship-wallet-v1, section 1)."""
    return {
        "description": "A body as older clients send it, in a form.",
        "examples": [{"json": json.dumps(each)} for each in model.model_json_schema().get("examples", [])],
        "type": "object",
        "required": ["json"],
        "properties": {
            "json": {
                "type": "string",
                "minLength": 1,
                "contentMediaType": JSON,
                "contentSchema": schema,
                "description": "The JSON document as a text.",
            },
            "api_key": {"type": "string", "description": "The secret, in place of other credentials."},
        },
    }


def _wrap(body: Body, models: Models) -> Schema:
    """The schema of a whole body: the model, or an object that has it under a root key."""
    inner = models.refer(body.model)
    if not body.roots:
        return {"anyOf": [inner, *_EMPTY]} if body.may_be_empty else inner
    if body.may_lack_root:
        value = _or_empty(body, inner)
        return {"anyOf": [{"type": "object", "properties": dict.fromkeys(body.roots, value)}, *_EMPTY]}
    choices = list(_choices(body, inner))
    if body.beside is not None:
        # as its second part: generators of clients take what has a single part for that part alone
        choices = [{"title": choice["title"], "allOf": [models.refer(body.beside), choice]} for choice in choices]
    if body.may_be_empty:
        choices += [{"type": "object", "maxProperties": 0}, *_EMPTY]
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def _or_empty(body: Body, value: Schema) -> Schema:
    """What needs a member cannot be empty."""
    return value if find(body.model).model_json_schema().get("required") else {"anyOf": [value, *_EMPTY]}


def _choices(body: Body, inner: Schema) -> Iterator[Schema]:
    """One schema for each root key; whatever stands under a key that comes after the first one is not looked at."""
    before: list[str] = []
    for root in body.roots:
        group = [*ROOTS.values()] if root == OWN_ROOT else [root]
        for name in group:
            own = _of_type(body, name) if root == OWN_ROOT else []
            held = _or_empty(body, {"allOf": [inner, *own]} if own else inner)
            choice: Schema = {"type": "object", "title": name, "required": [name], "properties": {name: held}}
            if before:
                choice["not"] = {"anyOf": [{"required": [other]} for other in before]}
            yield choice
        before += group


def _of_type(body: Body, root: str) -> list[Schema]:
    """What a body must hold to if it is for the type of campaigns with this root key."""
    model = find(body.model)
    rules = passworks_shown.limit_distance(root) if issubclass(model, ContentBody) else []
    if issubclass(model, CampaignBody):
        rules += passworks_shown.show_type(root, is_new=issubclass(model, NewCampaignBody))
    return rules


def _describe_answers(operation: Operation, models: Models, others: Sequence[Operation]) -> dict[str, Document]:
    answers: dict[str, Document] = {}
    for status, media in sorted(operation.declared.answers.items()):
        kinds = (media,) if isinstance(media, str) else media or ()
        headers = shared.headers_of(operation, has_body=bool(kinds))
        text = next((_text_of(kind) for kind in kinds), HTTPStatus(status).phrase)
        answer: Document = {"description": text}
        if headers:
            answer["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
        if kinds:
            answer["content"] = _describe_kinds(kinds, models)
        if followed := links.describe(operation, others):
            answer["links"] = followed
        answers[str(status)] = answer
    if shared.is_tagged(operation):
        same = {name: {"$ref": f"#/components/headers/{name}"} for name in shared.headers_of(operation)}
        answers["304"] = {"description": "What the client has is what a read would answer.", "headers": same}
    for status in shared.refusals_of(operation):
        answers.setdefault(str(status), {"$ref": f"#/components/responses/{shared.refusal(operation, status)}"})
    return {status: answers[status] for status in sorted(answers)}


def _text_of(kind: str) -> str:
    if "/" in kind:
        return words.FILES[kind]
    text = words.first_paragraph(find(kind.removesuffix("[]")).__doc__)
    return f"A page of: {text[0].lower()}{text[1:]}" if kind.endswith("[]") else text


def _describe_kinds(kinds: Sequence[str], models: Models) -> Document:
    """Media types with their schemas; several models are one of these."""
    schemas = [models.refer(kind) for kind in kinds if "/" not in kind]
    files = {kind: {"schema": _describe_file(kind)} for kind in kinds if "/" in kind}
    if not schemas:
        return files
    if len(schemas) == 1:
        return {JSON: {"schema": schemas[0]}, **files}
    found = {kind.rpartition(".")[2]: find(kind).model_json_schema().get("examples", []) for kind in kinds}
    examples = {name: {"value": each[0]} for name, each in found.items() if each}
    return {JSON: {"schema": {"anyOf": schemas}, **({"examples": examples} if examples else {})}, **files}


def _describe_file(kind: str) -> Schema:
    if kind == JSON:
        return {"type": "object", "examples": [{"openapi": "3.1.0", "info": {"title": "Passel"}}]}
    if kind.startswith("text/"):
        return {"type": "string"}
    return {"type": "string", "format": "binary", "contentMediaType": kind}


def _security(operation: Operation) -> list[dict[str, list[str]]]:
    schemes = shared.SECURITY.get(operation.dialect, ())
    required: list[dict[str, list[str]]] = [{scheme: []} for scheme in schemes]
    if not operation.open_to_all:
        return required
    return [{}, *required] if 401 in operation.declared.refuses else []
