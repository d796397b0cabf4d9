"""The stage `dev`, packaged once for the session by the real packager, and ways to look into its template."""

from __future__ import annotations

import json

import pytest

from infra.package import Package, Stage, build_package, read_stage
from tests.infra.template import Template


@pytest.fixture(scope="session")
def stage() -> Stage:
    return read_stage("dev")


@pytest.fixture(scope="session")
def package(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build_package(stage=stage, out=tmp_path_factory.mktemp("package"))


@pytest.fixture(scope="session")
def template(package: Package) -> Template:
    return Template(json.loads(package.template.read_text(encoding="utf-8")))
