"""JSON schemas of the models that routes name."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"

_INSIDE = ("additionalProperties", "items", "not", "if", "then", "else", "propertyNames", "contentSchema")
_LISTS = ("anyOf", "allOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "$defs", "dependentSchemas")


class Models:
    """The models that a document refers to, and their schemas once all are known."""

    def __init__(self) -> None:
        self._found: dict[str, type[BaseModel]] = {}
        self._made: dict[str, Schema] = {}

    def refer(self, name: str) -> Schema:
        """A reference to the model `module.Class`; with `[]` behind it an array of them.

        Raises:
            ValueError: two models have the same name.
        """
        if name.endswith("[]"):
            return {"type": "array", "items": self.refer(name.removesuffix("[]"))}
        model = find(name)
        if self._found.setdefault(model.__name__, model) is not model:
            raise ValueError(f"two models are called {model.__name__}")
        return {"$ref": REFERENCE.format(model=model.__name__)}

    def name(self, name: str, schema: Schema) -> Schema:
        """A reference to a schema that is no model, by a name of its own.

        Raises:
            ValueError: another schema has it.
        """
        if self._made.setdefault(name, schema) != schema:
            raise ValueError(f"two schemas are called {name}")
        return {"$ref": REFERENCE.format(model=name)}

    def schemas(self) -> dict[str, Schema]:
        """The schema of every model that was referred to, and of those inside them, by name."""
        models = [(model, "validation") for _, model in sorted(self._found.items())]
        _, definitions = models_json_schema(models, ref_template=REFERENCE)  # type: ignore[arg-type]
        found = definitions.get("$defs", {})
        if both := found.keys() & self._made.keys():
            raise ValueError(f"models and other schemas are called {sorted(both)}")
        return {name: tidy(schema) for name, schema in found.items()} | self._made


def find(name: str) -> type[BaseModel]:
    """The model `module.Class` of `chalicelib/schemas/`."""
    module, _, own = name.partition(".")
    model: type[BaseModel] = getattr(importlib.import_module(f"chalicelib.schemas.{module}"), own)
    return model


def tidy(schema: Any) -> Any:
    """A schema without titles, which repeat names, and without a default that says that nothing is nothing."""
    if not isinstance(schema, dict):
        return schema
    kept = {key: value for key, value in schema.items() if key != "title"}
    if kept.get("default", ...) in (None, [], {}):
        del kept["default"]
    for key in _INSIDE:
        if key in kept:
            kept[key] = tidy(kept[key])
    for key in _LISTS:
        if key in kept:
            kept[key] = [tidy(each) for each in kept[key]]
    for key in _MAPS:
        if isinstance(kept.get(key), Mapping):
            kept[key] = {name: tidy(each) for name, each in kept[key].items()}
    return kept
