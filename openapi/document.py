"""The whole document: what every part of it comes from."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any, Final

from openapi_pydantic.v3.v3_1 import OpenAPI

from chalicelib.api.declared import OPERATIONS, Operation
from chalicelib.api.description.routes import BASE_URL
from openapi import operations, path_parameters, shared, webhooks, words
from openapi.models import Models

FILE: Final = Path(__file__).parents[1] / "chalicelib" / "api" / "description" / "openapi.json"
VERSION: Final = "1.0"
"""of the description; it grows when clients must know"""

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")


def render() -> str:
    """The document as it is committed: the same for the same routes and models."""
    return json.dumps(compose(), indent=2, ensure_ascii=False) + "\n"


def compose() -> dict[str, Any]:
    """The document."""
    models = Models()
    described = sorted(list_operations(), key=_place)
    paths = {
        path: {
            each.method.lower(): operations.describe(each, models, described)
            for each in sorted(described, key=lambda each: _METHODS.index(each.method))
            if each.path == path
        }
        for path in dict.fromkeys(each.path for each in described)
    }
    document = OpenAPI.model_validate(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Passel",
                "version": VERSION,
                "summary": "Passes for Apple Wallet, Google Wallet and the wallets of Android",
                "description": words.DESCRIPTION,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": BASE_URL, "description": "The address under which this document was asked for."}],
            "tags": [{"name": name, "description": text} for name, text in words.TAGS.values()],
            "paths": paths,
            "webhooks": webhooks.describe(models),
            "components": {
                "responses": shared.responses(models),
                "parameters": shared.PARAMETERS,
                "headers": shared.HEADERS,
                "securitySchemes": shared.SECURITY_SCHEMES,
            },
        }
    ).model_dump(mode="json", by_alias=True, exclude_unset=True)
    whole: dict[str, Any] = _with_whole_numbers(document)
    # as pydantic wrote them: the typed model would have to know every key
    schemas = models.schemas() | path_parameters.SCHEMAS | shared.SCHEMAS
    whole["components"]["schemas"] = {name: schemas[name] for name in sorted(schemas)}
    return whole


def list_operations() -> list[Operation]:
    """What every route of the application declares; other applications may be about, in tests."""
    routes = importlib.import_module("app").app.routes
    return [OPERATIONS[method, path] for path, methods in routes.items() for method in methods]


def _with_whole_numbers(value: Any) -> Any:
    """The same without `1.0`, which the typed model makes of a bound of 1."""
    match value:
        case dict():
            return {key: _with_whole_numbers(item) for key, item in value.items()}
        case list():
            return [_with_whole_numbers(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


def _place(operation: Operation) -> tuple[int, str]:
    return list(words.TAGS).index(words.tag_key(operation)), operation.path
