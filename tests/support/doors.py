"""Whose work a part of the domain is where tests call it directly, past routes and handlers.

Many do, for what is rare or hard to bring about over HTTP: conflicts, faults, deaths between two calls. What a function
needs then belongs into its policy as well.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, Final

from click.testing import CliRunner

from chalicelib.domain import bulk_updates, callbacks, delivering, spreading, sweeping
from tests.support.functions import API_FUNCTION, OPERATOR, function_at_work, working_as
from tests.support.wrapping import wrapping

PACKAGE = Path(__file__).parents[2] / "chalicelib"

Choose = Callable[[Mapping[str, Any]], str | None]
"""whose work a call with these arguments is"""


def _always(function: str) -> Choose:
    return lambda _: function


def _resuming(arguments: Mapping[str, Any]) -> str | None:
    """Queues are lost only where an operator says so."""
    return None if arguments["queues_lost"] else "resume_unfinished"


WORKER_DOORS: Final[Mapping[tuple[ModuleType, str], Choose]] = {
    **{
        (bulk_updates, name): _always(name)
        for name in ("plan_bulk_update", "update_segment", "fail_plan", "fail_segment")
    },
    (sweeping, "sweep_collection"): _always("sweep_collection"),
    (sweeping, "resume_unfinished"): _resuming,
    (spreading, "spread_push"): _always("spread_push"),
    (delivering, "deliver"): lambda arguments: f"deliver_{arguments['delivery'].wallet}",
    (callbacks, "deliver_callback"): _always("send_callback"),
}
"""what each worker hands its messages to"""


def follow_doors() -> None:
    """From now on whoever calls a door works for the function behind it, and whoever operates is an operator."""
    doors = {door: _always(API_FUNCTION) for door in find_api_doors()} | dict(WORKER_DOORS)
    for (module, name), choose in doors.items():
        _follow_door(module, name, choose)
    for path in sorted(PACKAGE.glob("*operations.py")):
        _follow_operations(importlib.import_module(f"chalicelib.{path.stem}"))

    @wrapping(CliRunner, "invoke")
    def invoke(call: Callable[..., Any], *values: Any, **named: Any) -> Any:
        with working_as(OPERATOR):
            return call(*values, **named)


def _follow_door(module: ModuleType, name: str, choose: Choose) -> None:
    signature = inspect.signature(getattr(module, name))

    @wrapping(module, name)
    def enter(call: Callable[..., Any], *values: Any, **named: Any) -> Any:
        if function_at_work() is not None:
            return call(*values, **named)
        with working_as(choose(signature.bind(*values, **named).arguments)):
            return call(*values, **named)


def _follow_operations(module: ModuleType) -> None:
    for name, value in list(vars(module).items()):
        if isinstance(value, FunctionType) and value.__module__ == module.__name__:

            @wrapping(module, name)
            def operate(call: Callable[..., Any], *values: Any, **named: Any) -> Any:
                with working_as(OPERATOR):
                    return call(*values, **named)


def find_api_doors() -> set[tuple[ModuleType, str]]:
    """Every function of the domain that a route calls and that reaches storage, read from the routes' sources."""
    return {
        (importlib.import_module(function.__module__), function.__name__)
        for path in (PACKAGE / "api").rglob("*.py")
        for function in _find_called(ast.parse(path.read_text(encoding="utf-8")))
        if next(iter(inspect.signature(function).parameters), None) == "platform"
    }


def _find_called(tree: ast.Module) -> Iterator[FunctionType]:
    """Functions of the domain that a module imports by their name, or by that of their module."""
    modules: dict[str, ModuleType] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chalicelib.domain"):
            origin = importlib.import_module(str(node.module))
            for alias in node.names:
                value = getattr(origin, alias.name, None) or importlib.import_module(f"{node.module}.{alias.name}")
                if isinstance(value, ModuleType):
                    modules[alias.asname or alias.name] = value
                elif isinstance(value, FunctionType):
                    yield value
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            value = getattr(modules[node.value.id], node.attr, None)
            if isinstance(value, FunctionType):
                yield value
