"""`infra.audit` remembers what was checked and passed, and nothing else."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra import audit
from infra.audit import AuditError, main
from infra.package import Package
from infra.stages import CONFIG

Answer = tuple[int, str, str]
FINE = [{"name": "a", "version": "1", "vulns": []}]
UNKNOWN = [{"name": "a", "skip_reason": "not found"}]
FAULTY = [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]


def told(dependencies: list[Any]) -> Answer:
    return 0, json.dumps({"dependencies": dependencies}), ""


class Tools:
    """What the tools say, by their names, and which of them were run."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {"cfn-lint": (0, "", ""), "checkov": (0, "", ""), "pip-audit": told(FINE)}
        self.run: list[str] = []

    def __call__(self, *command: str) -> subprocess.CompletedProcess[str]:
        name = Path(command[0]).name
        self.run.append(name)
        return subprocess.CompletedProcess(command, *self.answers[name])


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    played = Tools()
    monkeypatch.setattr(audit, "PASSED", tmp_path / "audits")
    monkeypatch.setattr(audit, "install_tools", lambda: None)
    monkeypatch.setattr(audit, "build_package", lambda **_: Package(template=CONFIG, code=CONFIG, layer=CONFIG))
    monkeypatch.setattr(audit, "_run", played)
    return played


def test_what_passed_is_not_checked_again_the_same_day(tools: Tools) -> None:
    assert main() == main() == 0
    assert tools.run == ["cfn-lint", "checkov", "pip-audit"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (told(UNKNOWN), "NOT AUDITED: dependencies: the index says nothing of any of them"),
        (told([*FINE, {"name": "b", "skip_reason": "c"}]), "NOT AUDITED: dependencies: the index says nothing of b"),
        ((1, "", "a\nno network"), "NOT AUDITED: dependencies: pip-audit fails: no network"),
    ],
)
def test_what_could_not_be_asked_is_said_each_time(
    tools: Tools, capsys: pytest.CaptureFixture[str], answer: Answer, message: str
) -> None:
    tools.answers["pip-audit"] = answer
    for _ in range(2):
        assert main() == 0
        assert capsys.readouterr().err.strip() == message
    assert tools.run == ["cfn-lint", "checkov", "pip-audit", "pip-audit"]


@pytest.mark.parametrize(
    ("tool", "answer"), [("cfn-lint", (4, "", "")), ("checkov", (1, "", "")), ("pip-audit", told(FAULTY))]
)
def test_what_failed_fails_again(tools: Tools, tool: str, answer: Answer) -> None:
    tools.answers[tool] = answer
    assert main() == main() == 1
    assert tools.run.count(tool) == 2


def test_a_fault_counts_though_the_index_knows_not_all(tools: Tools) -> None:
    tools.answers["pip-audit"] = told(FAULTY + UNKNOWN)
    assert main() == 1


def test_another_list_of_dependencies_is_asked_about(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main()
    monkeypatch.setattr(audit, "_SHIPPED", tmp_path / "requirements.txt")
    (tmp_path / "requirements.txt").write_text("a==2\n")
    main()
    assert tools.run.count("pip-audit") == tools.run.count("checkov") == 2


def test_tools_that_cannot_be_had_are_missed_each_time(
    tools: Tools, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise AuditError("no network")

    monkeypatch.setattr(audit, "install_tools", fail)
    for _ in range(2):
        assert main() == 0
        assert "NOT AUDITED: the template and dependencies: no network" in capsys.readouterr().err
    assert tools.run == []
