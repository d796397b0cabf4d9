"""The archives beside the template hold what Lambda needs to start, and nothing else."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package import Package
from tests.infra.test_packaged_functions import HANDLERS

DEPLOYMENT_LIMIT_BYTES = 50 * 1024 * 1024
"""of one zipped archive: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
"""of a function with its layers, same page"""
LAYER_PACKAGES = f"python/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
HANDLER_MODULES = sorted({handler.rpartition(".")[0] for handler in HANDLERS.values()})


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


@pytest.fixture(scope="session")
def unpacked(package: Package, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Both archives as Lambda lays them out: the code, and the layer's packages."""
    code, layer = tmp_path_factory.mktemp("task"), tmp_path_factory.mktemp("opt")
    for archive, target in ((package.code, code), (package.layer, layer)):
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(target)
    return code, layer / LAYER_PACKAGES


def test_the_code_is_the_application_and_nothing_else(package: Package) -> None:
    assert {name.split("/")[0] for name in names(package.code)} == {"app.py", "chalice", "chalicelib"}


def test_no_bytecode_is_shipped(package: Package) -> None:
    assert [name for name in names(package.code) if name.endswith(".pyc")] == []


def test_the_archives_fit_into_lambda(package: Package) -> None:
    unzipped = 0
    for archive in (package.code, package.layer):
        assert archive.stat().st_size < DEPLOYMENT_LIMIT_BYTES
        with zipfile.ZipFile(archive) as opened:
            unzipped += sum(item.file_size for item in opened.infolist())
    assert unzipped < UNZIPPED_LIMIT_BYTES


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the archives hold Linux x86_64 binaries, which this machine cannot load",
)
@pytest.mark.parametrize("module", HANDLER_MODULES)
def test_a_handler_starts_from_the_archives_alone(unpacked: tuple[Path, Path], module: str) -> None:
    """Without this project and its virtual environment, so a dependency missing from the package shows here."""
    code = f"import sys; sys.path[:0] = {[str(path) for path in unpacked]!r}; import {module}"
    environment = {"AWS_REGION": "us-east-1", "PASSEL_PREFIX": "passel-dev-", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    result = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
