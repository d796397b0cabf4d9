"""Which modules of the code archive a function can come to: the rest is the operators' command line."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

ENTRIES = ("app.py", "chalicelib/workers/*.py")
"""what Lambda imports: see the handlers of the template"""


def find_reachable(files: Mapping[str, bytes]) -> set[str]:
    """The paths of the sources that the entries import, at once or later, and of what these import.

    Imports for the type checker alone do not count. Names that no file answers to are those of other packages.
    """
    sources = {path for path in files if path.endswith(".py")}
    waiting = [path for path in sources if any(PurePosixPath(path).match(pattern) for pattern in ENTRIES)]
    reached: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path in reached:
            continue
        reached.add(path)
        for module in _list_imports(ast.parse(files[path])):
            waiting += [found for found in _list_files(module) if found in sources]
    return reached


def _list_imports(tree: ast.AST) -> Iterator[str]:
    """Each name that an import may take for a module, in functions too."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        match waiting.pop():
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING"), orelse=otherwise):
                waiting += otherwise
            case node:
                waiting += ast.iter_child_nodes(node)


def _list_files(module: str) -> Iterator[str]:
    """Where a module may be, and the packages that are imported before it."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        path = "/".join(parts[:length])
        yield f"{path}/__init__.py"
    yield f"{path}.py"
