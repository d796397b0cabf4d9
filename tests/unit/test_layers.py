"""Who may import whom: the domain knows nobody, everything else points at it. Read from the sources, not by running."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "chalicelib"

OUTSIDE = ("boto3", "botocore", "chalice", "pynamodb", "pydantic", "moto", "httpx", "requests", "cryptography", "PIL")
"""what the domain must not know: AWS, the web framework, and how bodies are checked"""

OBSERVING = {"logs", "metrics", "observing"}

ALLOWED = {
    "domain": {"domain"},
    "schemas": {"schemas", "domain", "settings"},
    "store": {"store", "domain", "schemas", "settings"},
    "outbound": {"outbound", "domain"},
    "wallets": {"wallets", "outbound", "domain", "settings"},
    "pages": {"pages", "domain"},
    "logs": {"settings"},
    "metrics": {"logs"},
    "observing": {"logs", "metrics"},
    "api": {"api", "domain", "schemas", "errors", "settings", "wiring", "wallets", "pages", *OBSERVING},
    "workers": {"workers", "domain", "schemas", "settings", "wiring", *OBSERVING},
    "settings": set(),
    "errors": {"domain"},
    "wiring": {"domain", "store", "settings", "wallets", "outbound"},
    "operations": {"domain", "wiring"},
    "certificate_operations": {"domain", "operations", "schemas", "wallets", "wiring"},
    "export_operations": {"domain", "operations", "wiring"},
    "import_operations": {"domain"},
    "pass_import_operations": {"domain", "import_operations", "schemas", "wiring"},
    "tag_import_operations": {"domain", "import_operations", "wiring"},
    "callback_operations": {"domain", "schemas", "wiring"},
    "check_operations": {"domain", "store", "wiring"},
    "push_operations": {"domain", "schemas", "wiring"},
    "commands": {
        "commands",
        "domain",
        "operations",
        "callback_operations",
        "certificate_operations",
        "check_operations",
        "export_operations",
        "import_operations",
        "pass_import_operations",
        "push_operations",
        "tag_import_operations",
        "settings",
    },
}
"""part of `chalicelib` to the parts that it may import"""


def _imports(path: Path) -> Iterator[str]:
    """Absolute names of the modules that a file imports, wherever in the file that stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            module = node.module or ""
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _sources(part: str) -> list[Path]:
    folder = PACKAGE / part
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{part}.py"]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", _sources("domain"), ids=_name)
def test_the_domain_knows_neither_aws_nor_the_web(path: Path) -> None:
    assert [name for name in _imports(path) if name.partition(".")[0] in OUTSIDE] == []


@pytest.mark.parametrize("part", ALLOWED)
def test_a_layer_imports_only_what_lies_below_it(part: str) -> None:
    wrong = [
        f"{_name(path)} imports {name}"
        for path in _sources(part)
        for name in _imports(path)
        if name.startswith("chalicelib.") and name.split(".")[1] not in ALLOWED[part]
    ]

    assert wrong == []


def test_every_part_of_the_package_has_its_place() -> None:
    parts = {path.stem for path in PACKAGE.iterdir() if not path.name.startswith("__")}

    assert parts - {"cli"} <= ALLOWED.keys()


@pytest.mark.parametrize("part", ["api", "workers"])
def test_routes_and_workers_reach_storage_through_the_domain_alone(part: str) -> None:
    wrong = [
        f"{_name(path)} imports {name}"
        for path in _sources(part)
        for name in _imports(path)
        if name.startswith("chalicelib.store") or name.partition(".")[0] in ("boto3", "botocore", "pynamodb")
    ]

    assert wrong == []


def test_nothing_of_the_product_imports_tools_or_tests() -> None:
    wrong = [
        f"{_name(path)} imports {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in _imports(path)
        if path.name != "cli.py" and name.partition(".")[0] in ("infra", "local", "tests", "benchmarks")
    ]

    assert wrong == []


def test_nothing_that_is_deployed_pages_or_waits_with_botocore() -> None:
    """The package leaves out the data that botocore's paginators and waiters are made of."""
    users = [
        str(file.relative_to(ROOT))
        for file in sorted(PACKAGE.rglob("*.py"))
        if any(name in file.read_text(encoding="utf-8") for name in ("get_paginator", "get_waiter"))
    ]
    assert users == []
