"""Stages packaged once for the session by the real packager, and ways to look into them.

The template is that of production. The archives are those for machines that tests run on.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.package import Package, build_package
from infra.stages import Stage, read_stage
from tests.infra.cloud import REGION
from tests.infra.template import Template


@pytest.fixture
def own_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A shell whose calls reach played services only; the folder of records of a checkout that deployed nothing yet."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr("infra.chalice_project.RECORDS", tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def dev() -> Stage:
    return read_stage("dev")


@pytest.fixture(scope="session")
def stage() -> Stage:
    return read_stage("prod")


@pytest.fixture(scope="session")
def production_package(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build_package(stage=stage, out=tmp_path_factory.mktemp("production"))


@pytest.fixture(scope="session")
def template(production_package: Package) -> Template:
    return Template(json.loads(production_package.template.read_text(encoding="utf-8")))


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return build_package(stage=read_stage("emulator"), out=tmp_path_factory.mktemp("package"))
