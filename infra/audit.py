"""Checks by tools of others: `python -m infra.audit`. cfn-lint and checkov read the packaged template, pip-audit the
dependencies.

checkov and pip-audit live in an environment of their own, build/audit, since they pin what we pin otherwise. Where they
cannot be installed, or the index tells of no vulnerabilities, that is said each time, and the check counts as not made.
A check that passed is made again when what it reads has changed; dependencies are asked about every day.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from infra.package import PackageError, build_package
from infra.stages import PROJECT, StageError, read_stage

TOOLS = PROJECT / "build" / "audit"
PASSED = PROJECT / "build" / "audits"
"""a file for each check that was made and passed; it holds what was checked, as a digest"""
_REQUIREMENTS = PROJECT / "requirements-audit.txt"
_SHIPPED = PROJECT / "requirements.txt"
_READY = TOOLS / "ready.txt"
_EXCEPTIONS = PROJECT / "infra" / "checkov.yaml"
_STAGE = "prod"
_INDEX_SECONDS = "5"


class AuditError(Exception):
    """The tools cannot be used here; the message says why."""


def install_tools() -> None:
    """Make the environment, unless it is there for these very versions.

    Raises:
        AuditError: pip cannot fetch them.
    """
    wanted = _REQUIREMENTS.read_text(encoding="utf-8")
    if _READY.exists() and _READY.read_text(encoding="utf-8") == wanted:
        return
    print("making the environment for audits in build/audit (once)", file=sys.stderr)
    venv.create(TOOLS, with_pip=True, clear=True)
    pip = str(TOOLS / "bin" / "pip")
    result = _run(pip, "install", "-qq", "--disable-pip-version-check", "--retries", "1", "-r", str(_REQUIREMENTS))
    if result.returncode != 0:
        raise AuditError(f"pip cannot install the tools: {_last_line(result.stderr)}")
    _READY.write_text(wanted, encoding="utf-8")


def check_template(template: Path) -> bool:
    """Whether cfn-lint finds nothing in a template, and checkov nothing but what `infra/checkov.yaml` justifies."""
    passed = True
    for command in (
        [str(Path(sys.executable).with_name("cfn-lint")), str(template)],
        [str(TOOLS / "bin" / "checkov"), "--config-file", str(_EXCEPTIONS), "-f", str(template)],
    ):
        result = _run(*command)
        if result.returncode != 0:
            print(f"{Path(command[0]).name}:\n{result.stdout}{result.stderr}", file=sys.stderr)
            passed = False
    return passed


def check_dependencies() -> bool:
    """Whether no vulnerability is known of what Lambda runs.

    Raises:
        AuditError: that could not be asked of each of them.
    """
    command = (str(TOOLS / "bin" / "pip-audit"), "-r", str(_SHIPPED), "--no-deps", "--disable-pip")
    result = _run(*command, "-f", "json", "--progress-spinner", "off", "--timeout", _INDEX_SECONDS)
    try:
        found = json.loads(result.stdout)["dependencies"]
    except ValueError as error:
        raise AuditError(f"pip-audit fails: {_last_line(result.stderr)}") from error
    vulnerable = [each for each in found if each.get("vulns")]
    for each in vulnerable:
        names = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        print(f"{each['name']} {each['version']} is vulnerable: {names}", file=sys.stderr)
    unknown = [each["name"] for each in found if "skip_reason" in each]
    if unknown and not vulnerable:
        names = "any of them" if len(unknown) == len(found) else ", ".join(unknown)
        raise AuditError(f"the index says nothing of {names}")
    return not vulnerable


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "without a word")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def _audit_template() -> bool:
    """What the template is made of, and whether it passes; packaged and read again only when that has changed."""
    digest = _digest([_REQUIREMENTS, _SHIPPED, *sorted(_list_sources())])
    if _has_passed("template", digest):
        return True
    with tempfile.TemporaryDirectory() as folder:
        passed = check_template(build_package(stage=read_stage(_STAGE), out=Path(folder)).template)
    return passed and _note("template", digest)


def _audit_dependencies() -> bool:
    digest = _digest([_REQUIREMENTS, _SHIPPED]) + f" {datetime.now(UTC):%Y-%m-%d}"
    if _has_passed("dependencies", digest):
        return True
    return check_dependencies() and _note("dependencies", digest)


def _list_sources() -> Iterable[Path]:
    yield PROJECT / "app.py"
    yield from (PROJECT / ".chalice").glob("*.json")
    yield from (path for path in (PROJECT / "infra").iterdir() if path.suffix in (".py", ".yaml"))
    # routes and queues
    yield from (path for name in ("api", "workers") for path in (PROJECT / "chalicelib" / name).rglob("*.py"))


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _has_passed(check: str, digest: str) -> bool:
    file = PASSED / check
    return file.exists() and file.read_text(encoding="utf-8") == digest


def _note(check: str, digest: str) -> bool:
    PASSED.mkdir(parents=True, exist_ok=True)
    (PASSED / check).write_text(digest, encoding="utf-8")
    return True


def main() -> int:
    """Make both checks. Returns the exit code, which is 0 as well where a check could not be made."""
    try:
        install_tools()
    except AuditError as error:
        print(f"NOT AUDITED: the template and dependencies: {error}", file=sys.stderr)
        return 0
    passed = True
    for subject, check in (("the template", _audit_template), ("dependencies", _audit_dependencies)):
        try:
            passed &= check()
        except AuditError as error:
            print(f"NOT AUDITED: {subject}: {error}", file=sys.stderr)
        except (PackageError, StageError) as error:
            print(f"audit: {error}", file=sys.stderr)
            passed = False
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
