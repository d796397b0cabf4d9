"""`requirements.txt` names all that Lambda gets: the same commit is the same package, and audits see all of it."""

from __future__ import annotations

import re
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra.layer_contents import is_kept
from infra.package import Package
from infra.stages import PROJECT, RUNTIMES
from tests.infra.test_packaged_archives import names

CLI_ALONE = {"pip", "setuptools", "wheel", "inquirer", "pyyaml", "pyasn1", "pyasn1-modules", "pycparser"}
"""what Chalice's command line, google-auth without cryptography, and builders of bindings need"""


def pinned() -> dict[str, Requirement]:
    lines = (PROJECT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(each.name): each for each in found}


def needed(python: str) -> set[str]:
    """What the direct dependencies need on that Python on Lambda, and what these need."""
    machine = {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux"}
    waiting = [(name, each.extras) for name, each in pinned().items()]
    found: set[str] = set()
    while waiting:
        name, extras = waiting.pop()
        for line in requires(name) or ():
            requirement = Requirement(line)
            environments = [machine | {"extra": extra} for extra in ("", *extras)]
            marker = requirement.marker
            wanted = marker is None or any(marker.evaluate(each) for each in environments)
            other = canonicalize_name(requirement.name)
            if wanted and other not in found and other not in CLI_ALONE:
                found.add(other)
                waiting.append((other, requirement.extras))
    return found


@pytest.mark.parametrize("python", [f"{major}.{minor}" for major, minor in RUNTIMES])
def test_all_that_is_needed_is_pinned(python: str) -> None:
    assert needed(python) - pinned().keys() == set()


@pytest.mark.parametrize("which", ["package", "production_package"])
def test_all_that_is_shipped_is_pinned(which: str, request: pytest.FixtureRequest) -> None:
    package: Package = request.getfixturevalue(which)
    shipped = {}
    for path in names(package.layer):
        if found := re.search(r"/([^/]+)-([^/]+)\.dist-info/METADATA$", path):
            shipped[canonicalize_name(found[1])] = found[2]
    requirements = pinned()
    assert len(shipped) > 25
    assert [name for name in shipped if name not in requirements] == []
    assert {name: str(requirements[name].specifier) for name in shipped} == {
        name: f"=={version}" for name, version in shipped.items()
    }


@pytest.mark.parametrize("name", ["inquirer", "yaml", "pip", "setuptools", "wheel", "pyasn1", "pycparser"])
def test_what_is_not_pinned_is_not_shipped(name: str) -> None:
    assert not is_kept(str(Path(name) / "__init__.py"))
