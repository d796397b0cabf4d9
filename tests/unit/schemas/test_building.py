"""When schemas are built: not as a process starts, and each without a fault."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from chalicelib import schemas

PROJECT = Path(__file__).resolve().parents[3]
MODULES = [f"{schemas.__name__}.{module.name}" for module in pkgutil.iter_modules(schemas.__path__)]


def models() -> list[type[BaseModel]]:
    """Every schema."""
    loaded = [importlib.import_module(name) for name in MODULES]
    found = {value for module in loaded for value in vars(module).values() if isinstance(value, type)}
    return sorted(
        (model for model in found if issubclass(model, BaseModel) and model.__module__ in MODULES),
        key=lambda model: f"{model.__module__}.{model.__name__}",
    )


@pytest.mark.parametrize("model", models())
def test_every_schema_can_be_built(model: type[BaseModel]) -> None:
    """What is wrong with one would otherwise show in the first request that uses it."""
    assert model.model_rebuild(force=True) is True


def test_none_is_built_before_it_is_used() -> None:
    code = (
        f"import importlib; modules = [importlib.import_module(name) for name in {MODULES!r}]\n"
        "from pydantic import BaseModel\n"
        "values = [value for module in modules for value in vars(module).values() if isinstance(value, type)]\n"
        f"models = [value for value in values if issubclass(value, BaseModel) and value.__module__ in {MODULES!r}]\n"
        "print(len(models), sum(model.__pydantic_complete__ for model in models))"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    total, built = map(int, result.stdout.split())
    assert total > 20
    assert built == 0
