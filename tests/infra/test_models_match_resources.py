"""The pynamodb models and `infra/resources.yaml` describe the same tables.

pynamodb's own schema of a model is private; its version is pinned and this test would break with it.
"""

from __future__ import annotations

import runpy
from typing import Any

import pytest
from pynamodb.models import Model

from infra.definition import read_tables
from infra.stages import PROJECT

# A copy of the module, since the one that other tests import may carry full table names by now.
MODELS: dict[str, type[Model]] = {
    model.Meta.table_name: model
    for model in runpy.run_path(str(PROJECT / "chalicelib" / "store" / "models.py"))["MODELS"]
}
TABLES: dict[str, dict[str, Any]] = {table["TableName"]: table for table in read_tables("")}

every_table = pytest.mark.parametrize("name", sorted(TABLES.keys() & MODELS.keys()))


def keys_of(schema: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}


def types_of(definitions: list[dict[str, str]]) -> dict[str, str]:
    return {item["AttributeName"]: item["AttributeType"] for item in definitions}


def projection_of(projection: dict[str, Any]) -> tuple[str, frozenset[str]]:
    return projection["ProjectionType"], frozenset(projection.get("NonKeyAttributes", ()))


def schema_of(name: str) -> Any:
    return MODELS[name]._get_schema()


def test_every_table_has_one_model() -> None:
    assert MODELS.keys() == TABLES.keys()


@every_table
def test_the_keys_are_the_same(name: str) -> None:
    assert keys_of(schema_of(name)["key_schema"]) == keys_of(TABLES[name]["KeySchema"])


@every_table
def test_the_key_attributes_have_the_same_types(name: str) -> None:
    assert types_of(schema_of(name)["attribute_definitions"]) == types_of(TABLES[name]["AttributeDefinitions"])


@every_table
def test_the_indexes_are_the_same(name: str) -> None:
    modelled = {
        index["index_name"]: (keys_of(index["key_schema"]), projection_of(index["projection"]))
        for index in schema_of(name)["global_secondary_indexes"]
    }
    defined = {
        index["IndexName"]: (keys_of(index["KeySchema"]), projection_of(index["Projection"]))
        for index in TABLES[name].get("GlobalSecondaryIndexes", [])
    }
    assert modelled == defined


@every_table
def test_an_index_carries_only_attributes_that_rows_have(name: str) -> None:
    attributes = {attribute.attr_name for attribute in MODELS[name].get_attributes().values()}
    for index in TABLES[name].get("GlobalSecondaryIndexes", []):
        assert set(index["Projection"].get("NonKeyAttributes", ())) <= attributes
