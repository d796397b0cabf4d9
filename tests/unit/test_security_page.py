"""docs/security.md names for each threat the test that would notice; here it is held to its word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.stages import PROJECT

PAGE = PROJECT / "docs" / "security.md"
THREATS = "| threat | what stops it | test |"
NAMED = re.compile(r"`((?:contract|deployment|e2e|infra|integration|unit|whole_run)/[\w/]+\.py)::(\w+)`")
CHAPTERS = (
    *("Tenants", "Keys of projects", "Tokens in addresses and logs", "Wallets and devices", "Pages and images"),
    *("Callbacks to your systems", "Callbacks from Google", "What bodies and addresses hold", "Using up"),
    *("Operators and deployment", "Supply chain", "Data at rest", "Secrets and where they are"),
    *("What is not covered", "What a team does itself", "Reporting a vulnerability"),
)


@dataclass(frozen=True)
class Threat:
    """One line of a table of threats."""

    chapter: str
    threat: str
    defence: str
    tests: tuple[tuple[str, str], ...]
    rest: str
    """what the last column holds beside names of tests"""


def list_threats() -> Iterator[Threat]:
    chapter, in_table = "", False
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            chapter = line.removeprefix("## ")
        in_table = line == THREATS or (in_table and line.startswith("|"))
        if in_table and line != THREATS and not line.startswith("|---"):
            threat, defence, tests = line.strip("|").split(" | ")
            rest = NAMED.sub("", tests).strip(" ,|")
            yield Threat(chapter, threat.strip(), defence.strip(), tuple(NAMED.findall(tests)), rest)


LINES = list(list_threats())


def functions_of(path: str) -> set[str]:
    """Names of the test functions of a file below `tests/`."""
    tree = ast.parse((PROJECT / "tests" / path).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.threat[:60])
def test_each_threat_has_a_defence_and_a_test_that_exists(line: Threat) -> None:
    assert line.threat
    assert line.defence
    assert line.tests, "no test is named"
    assert line.rest == "", "something else than the name of a test stands in the last column"
    for path, name in line.tests:
        assert (PROJECT / "tests" / path).is_file(), path
        assert name.startswith("test_")
        assert name in functions_of(path), f"{path} has no {name}"


def test_every_name_on_the_page_is_one_of_these() -> None:
    """A misspelled path would else look like prose."""
    named = {match for line in LINES for match in line.tests}
    written = set(re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert written == named


def test_every_chapter_is_there_and_every_table_has_lines() -> None:
    chapters = re.findall("^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(chapters) == CHAPTERS
    with_tables = PAGE.read_text(encoding="utf-8").count(THREATS)
    assert len({line.chapter for line in LINES}) == with_tables == CHAPTERS.index("Data at rest") + 1


def test_the_limits_that_the_page_tells_are_the_settings() -> None:
    from chalicelib.settings import Limits

    limits, page = Limits(), PAGE.read_text(encoding="utf-8")
    assert f"{limits.devices_per_pass:,} on a pass for one person" in page
    assert f"{limits.push_token_characters:,} and {limits.device_characters} characters" in page
    assert f"{limits.log_lines} lines a report" in page
