"""Checks by tools of others: `python -m infra.audit`. checkov reads the packaged template, pip-audit the dependencies.

Both live in an environment of their own, build/audit, since they pin what we pin otherwise. Where they cannot be
installed, or the index tells of no vulnerabilities, that is said, and the check counts as not made.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from infra.package import PackageError, build_package
from infra.stages import PROJECT, StageError, read_stage

TOOLS = PROJECT / "build" / "audit"
_REQUIREMENTS = PROJECT / "requirements-audit.txt"
_READY = TOOLS / "ready.txt"
_EXCEPTIONS = PROJECT / "infra" / "checkov.yaml"
_STAGE = "prod"


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
    result = _run("pip", "install", "-qq", "--disable-pip-version-check", "-r", str(_REQUIREMENTS))
    if result.returncode != 0:
        raise AuditError(f"pip cannot install them: {result.stderr.strip().splitlines()[-1:]}")
    _READY.write_text(wanted, encoding="utf-8")


def check_template(folder: Path) -> bool:
    """Whether checkov finds nothing in production's template but what `infra/checkov.yaml` justifies.

    Raises:
        PackageError, StageError
    """
    package = build_package(stage=read_stage(_STAGE), out=folder)
    result = _run("checkov", "--config-file", str(_EXCEPTIONS), "-f", str(package.template))
    if result.returncode != 0:
        print(f"checkov:\n{result.stdout}{result.stderr}", file=sys.stderr)
    return result.returncode == 0


def check_dependencies() -> bool:
    """Whether no vulnerability is known of what Lambda runs; True as well where the index tells of none at all."""
    result = _run("pip-audit", "-r", str(PROJECT / "requirements.txt"), "--no-deps", "--disable-pip", "-f", "json")
    try:
        found = json.loads(result.stdout)["dependencies"]
    except ValueError:
        print(f"dependencies were NOT audited: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return True
    unknown = [each["name"] for each in found if "skip_reason" in each]
    if unknown:
        print(f"dependencies NOT audited, since the index says nothing of them: {', '.join(unknown)}", file=sys.stderr)
    vulnerable = [each for each in found if each.get("vulns")]
    for each in vulnerable:
        names = ", ".join(vulnerability["id"] for vulnerability in each["vulns"])
        print(f"{each['name']} {each['version']} is vulnerable: {names}", file=sys.stderr)
    return not vulnerable


def _run(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    command = [str(TOOLS / "bin" / tool), *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


def main() -> int:
    """Make both checks. Returns the exit code."""
    try:
        install_tools()
    except AuditError as error:
        print(f"the audits were NOT made: {error}", file=sys.stderr)
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            passed = [check_template(Path(folder)), check_dependencies()]
    except (PackageError, StageError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
