"""Bytecode for Lambda, whose file system is read-only: without it each cold start compiles every module anew.

That is most of a cold start: see benchmarks/results/cold_start.md. Bytecode belongs to one minor version of Python, and
so do the packages of Lambda; it holds for every machine. Positions within a line are left out, a fifth of the bytes:
tracebacks keep file and line.

Run as a program, this file compiles a folder: leaving positions out is an option of the interpreter as a whole.
"""

from __future__ import annotations

import ast
import importlib.util
import marshal
import subprocess
import sys
from pathlib import Path
from types import CodeType

_UNCHECKED_HASH = (0b01).to_bytes(4, "little")
"""what follows is the hash of the source, and it is taken as right (PEP 552): times mean nothing in an archive"""


class BytecodeError(Exception):
    """A module does not compile; the message names it."""


def compile_folder(folder: Path, *, shown_as: str, docstrings: bool) -> None:
    """Write `x.pyc` beside every `x.py` of `folder`. The same files give the same bytes each time.

    Tracebacks name the file by its path under `shown_as`. Without `docstrings` each of them becomes an empty one, so
    that code which adds to its docstring still works.

    Raises:
        BytecodeError: a module does not compile.
    """
    arguments = [str(Path(__file__).resolve()), str(folder), shown_as, *(["--docstrings"] if docstrings else [])]
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-X", "no_debug_ranges", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BytecodeError(result.stderr.strip())


def _compile_all(folder: Path, *, shown_as: str, docstrings: bool) -> None:
    for path in sorted(folder.rglob("*.py")):
        source = path.read_bytes()
        name = path.relative_to(folder).as_posix()
        try:
            code = _compile(source, f"{shown_as}/{name}", docstrings=docstrings)
        except (SyntaxError, ValueError) as error:
            raise BytecodeError(f"{name} does not compile: {error}") from error
        header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
        path.with_suffix(".pyc").write_bytes(header + marshal.dumps(code))


def _compile(source: bytes, shown_as: str, *, docstrings: bool) -> CodeType:
    tree = ast.parse(source, shown_as)
    if not docstrings:
        for node in ast.walk(tree):
            _empty_docstring(node)
    # no asserts are removed: libraries rely on some
    return compile(tree, shown_as, "exec", dont_inherit=True, optimize=0)


def _empty_docstring(node: ast.AST) -> None:
    match node:
        case (
            ast.Module(body=[ast.Expr(value=ast.Constant(value=str()) as docstring), *_])
            | ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str()) as docstring), *_])
            | ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as docstring), *_])
            | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as docstring), *_])
        ):
            docstring.value = ""


if __name__ == "__main__":
    try:
        _compile_all(Path(sys.argv[1]), shown_as=sys.argv[2], docstrings="--docstrings" in sys.argv)
    except BytecodeError as error:
        sys.exit(str(error))
