"""Habits that keep secrets secret, read from the sources: what nobody notices when a line of them is changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from infra.stages import CONFIG, PROJECT

PACKAGE = PROJECT / "chalicelib"
SOURCES = [PROJECT / "app.py", *sorted(PACKAGE.rglob("*.py"))]

SECRET = re.compile(r"(^|_)(token|secret|secret_hash|signature|password|api_key)$")
COMPARED_IN_THE_OPEN = {
    # which registration a push service spoke of; nobody who asks learns of it
    "chalicelib/domain/lost_devices.py: push_token",
    # Apple's own word for a fault, which must not be the token itself
    "chalicelib/wallets/apple/push_answers.py: token",
    # an operator's new key, looked for after its own write
    "chalicelib/domain/authenticating.py: secret_hash",
    # our own token, refused by the service that it is for
    "chalicelib/wallets/apple/push_tokens.py: _token",
    "chalicelib/wallets/google/service_accounts.py: token",
}
"""by file, the names that are compared with an operator, and why that tells nobody anything"""

DANGEROUS = {"eval", "exec", "compile", "__import__"}
DANGEROUS_MODULES = {"pickle", "marshal", "shelve", "subprocess", "yaml", "xml", "ctypes"}
UNSAFE_KEYWORDS = {"verify": False, "check_hostname": False, "autoescape": False, "shell": True}


def name_of(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


@cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def compared_secrets(path: Path) -> Iterator[str]:
    """Names of secrets that stand on a side of `==` or `!=`."""
    for node in ast.walk(read(path)):
        if not isinstance(node, ast.Compare) or not any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue
        for side in sides:
            name = side.id if isinstance(side, ast.Name) else side.attr if isinstance(side, ast.Attribute) else ""
            if SECRET.search(name):
                yield f"{name_of(path)}: {name}"


def test_secrets_are_compared_in_constant_time() -> None:
    """With `hmac.compare_digest`: `==` ends at the first letter that differs."""
    assert {found for path in SOURCES for found in compared_secrets(path)} == COMPARED_IN_THE_OPEN


def test_who_decides_by_a_secret_does_so_in_constant_time() -> None:
    deciding = {name_of(path) for path in SOURCES if "compare_digest(" in path.read_text(encoding="utf-8")}
    assert deciding == {f"chalicelib/domain/{name}.py" for name in ("projects", "registering", "visiting")}


def test_what_must_not_be_guessed_comes_from_the_systems_randomness() -> None:
    """`random` may spread retries over time, and makes no text."""
    makes_text = re.compile(r"\brandom\.(choices?|sample|randbytes|getrandbits|shuffle)\(")
    assert [name_of(path) for path in SOURCES if makes_text.search(path.read_text(encoding="utf-8"))] == []


def dangers_in(path: Path) -> Iterator[str]:
    """What runs what was read, or could."""
    for node in ast.walk(read(path)):
        names: list[str] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            names = [node.func.id] if node.func.id in DANGEROUS else []
        elif isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").partition(".")[0]]
        yield from (f"{name_of(path)}: {name}" for name in names if name in DANGEROUS | DANGEROUS_MODULES)


def test_nothing_that_is_read_is_run() -> None:
    assert [danger for path in SOURCES for danger in dangers_in(path)] == []


def switched_off_in(path: Path) -> Iterator[str]:
    """Arguments by which a library stops to protect."""
    for node in ast.walk(read(path)):
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            value = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
            if keyword.arg in UNSAFE_KEYWORDS and value is UNSAFE_KEYWORDS[keyword.arg]:
                yield f"{name_of(path)}: {keyword.arg}={value}"


def test_nothing_that_protects_is_switched_off() -> None:
    assert [found for path in SOURCES for found in switched_off_in(path)] == []


def test_the_app_shows_no_faults() -> None:
    """Chalice's debug mode would answer with the stack."""
    assert not re.search(r"debug\s*=\s*True", (PROJECT / "app.py").read_text(encoding="utf-8"))


SECRET_SHAPES = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(\s|\\n)*[A-Za-z0-9+/]{40}"),
    "an access key of AWS": re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
}
KEPT = ("app.py", "README.md", "chalicelib", "infra", "local", "docs", ".chalice", "tests", "benchmarks")
UNREAD = {".pyc", ".png", ".zip", ".gz"}


def kept_files() -> Iterator[Path]:
    for name in KEPT:
        place = PROJECT / name
        found = [place] if place.is_file() else sorted(place.rglob("*"))
        yield from (
            path
            for path in found
            if path.is_file() and path.suffix not in UNREAD and not {"deployed", "deployments"} & set(path.parts)
        )


def test_no_key_lies_in_the_repository() -> None:
    found = [
        f"{name_of(path)}: {kind}"
        for path in kept_files()
        for kind, shape in SECRET_SHAPES.items()
        if shape.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []


def test_no_secret_is_a_setting_of_a_stage() -> None:
    """Environment variables of functions can be read by many; they name where secrets are."""
    text = CONFIG.read_text(encoding="utf-8")
    assert not re.search(r"PASSEL_\w*(KEY|SECRET|TOKEN|PASSWORD)\w*\"", text)


REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+(\[[a-z0-9,]+\])?==[0-9][0-9A-Za-z.]*( ;.*)?")


def test_every_dependency_that_is_named_has_a_version() -> None:
    for file in sorted(PROJECT.glob("requirements*.txt")):
        lines = [line.partition(" #")[0].strip() for line in file.read_text(encoding="utf-8").splitlines()]
        for line in lines:
            assert not line or line.startswith(("#", "-r ")) or REQUIREMENT.fullmatch(line), f"{file.name}: {line}"
