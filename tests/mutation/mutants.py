"""The mutants that mutmut makes of `chalicelib/domain`, in a copy of the sources that holds all of them at once."""

from __future__ import annotations

import ast
import difflib
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from mutmut.configuration import config
from mutmut.mutation.file_mutation import mutate_file_contents

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "mutation"
TREE = BUILD / "tree"
"""a copy of the sources whose mutated functions ask at each call which mutant is to be played"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One change of one function. Lines are those of the mutated file, in the function as it was."""

    name: str
    path: str
    first_line: int
    last_line: int
    function: str
    removed: str
    added: str

    @property
    def module(self) -> str:
        """The name of its file, without the ending."""
        return Path(self.path).stem


def make_mutants() -> list[Mutant]:
    """Writes the tree anew and returns all mutants, always in the same order; of an unchanged file they are kept."""
    _copy_sources()
    mutants: list[Mutant] = []
    for folder in config().source_paths:
        for source in sorted((ROOT / folder).rglob("*.py")):
            mutants += _mutate(source.relative_to(ROOT))
    return mutants


def _copy_sources() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    shutil.rmtree(TREE, ignore_errors=True)
    for name in names:
        target = TREE / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    (TREE / "build").mkdir()
    if (ROOT / "build" / "engine").exists():
        (TREE / "build" / "engine").symlink_to(ROOT / "build" / "engine")


def _mutate(path: Path) -> list[Mutant]:
    source = (ROOT / path).read_text("utf-8")
    kept = BUILD / "made" / f"{path.stem}-{hashlib.sha256(source.encode()).hexdigest()[:16]}.json"
    if not kept.exists():
        made = mutate_file_contents(str(path), source)
        spans = {name: (span.start, span.end) for name, span in made.line_span_by_function_name.items()}
        mutants = list(_describe(path, made.code, list(made.mutant_names), spans))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({"code": made.code, "mutants": [asdict(each) for each in mutants]}), "utf-8")
    document = json.loads(kept.read_text("utf-8"))
    (TREE / path).write_text(document["code"], "utf-8")
    return [Mutant(**each) for each in document["mutants"]]


def _describe(path: Path, code: str, names: list[str], spans: dict[str, tuple[int, int]]) -> Iterator[Mutant]:
    lines = code.split("\n")
    statements = _list_statements(code)
    module = ".".join(path.with_suffix("").parts)
    for name in names:
        mangled = name.partition("__mutmut_")[0]
        first, last = spans[f"{mangled}__mutmut_orig"]
        before = _read_body(lines, (first, last), f"{mangled}__mutmut_orig")
        after = _read_body(lines, spans[name], name)
        start, removed, added = _compare(before, after)
        low, high = _widen(statements, first + start, max(first + start, first + start + len(removed) - 1))
        yield Mutant(
            name=f"{module}.{name}",
            path=str(path),
            first_line=low,
            last_line=high,
            function=mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", "."),
            removed="\n".join(removed),
            added="\n".join(added),
        )


def _read_body(lines: list[str], span: tuple[int, int], name: str) -> list[str]:
    return [line.replace(name, "_") for line in lines[span[0] - 1 : span[1]]]


def _compare(before: list[str], after: list[str]) -> tuple[int, list[str], list[str]]:
    compared = difflib.SequenceMatcher(None, before, after, autojunk=False)
    changes = [each for each in compared.get_opcodes() if each[0] != "equal"]
    _, first, _, other_first, _ = changes[0]
    _, _, last, _, other_last = changes[-1]
    return first, before[first:last], after[other_first:other_last]


def _list_statements(code: str) -> list[tuple[int, int]]:
    """The lines of each simple statement, and those of the head of each other one.

    A function's head, which may have defaults in it, stands for all of the function.
    """
    found: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.stmt) or node.end_lineno is None:
            continue
        body = [each for each in getattr(node, "body", ()) if isinstance(each, ast.stmt)]
        has_head = body and not isinstance(node, ast.FunctionDef)
        found.append((node.lineno, max(node.lineno, body[0].lineno - 1) if has_head else node.end_lineno))
    return found


def _widen(statements: list[tuple[int, int]], first: int, last: int) -> tuple[int, int]:
    """The lines of the statement around the change: a line within one may have no step of its own to be seen."""
    around = [each for each in statements if each[0] <= first <= each[1]]
    low, high = min(around, key=lambda each: each[1] - each[0], default=(first, last))
    return low, max(high, last)
