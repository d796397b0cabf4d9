"""The archives beside the template hold what Lambda needs to start and to work, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra.package import Package
from infra.stages import PROJECT
from tests.infra.archives import needs_their_platform, unpack_archives
from tests.infra.test_packaged_functions import HANDLERS
from tests.infra.test_worker_imports import HEAVY

DEPLOYMENT_LIMIT_BYTES = 50 * 1024 * 1024
"""of one zipped archive: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""
UNZIPPED_LIMIT_BYTES = 250 * 1024 * 1024
"""of a function with its layers, same page"""
HANDLER_MODULES = sorted({handler.rpartition(".")[0] for handler in HANDLERS.values()})
COMPILED = ("PIL._imaging", "cryptography.hazmat.bindings._rust", "cryptography.x509")
"""what a wheel for another system would show at: importing `PIL` and `cryptography` alone loads no binary"""


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


@pytest.fixture(scope="session")
def unpacked(package: Package, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return unpack_archives(package, tmp_path_factory.mktemp("lambda"))


def import_from(unpacked: tuple[Path, Path], module: str) -> None:
    """Imports without this project and its virtual environment, so a dependency missing from the package shows."""
    code = f"import sys; sys.path[:0] = {[str(path) for path in unpacked]!r}; import {module}"
    environment = {"AWS_REGION": "us-east-1", "PASSEL_PREFIX": "passel-dev-", "PATH": os.environ["PATH"]}
    command = [sys.executable, "-I", "-S", "-B", "-c", code]
    result = subprocess.run(command, env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_the_code_is_the_application_and_nothing_else(package: Package) -> None:
    assert {name.split("/")[0] for name in names(package.code)} == {"app.py", "chalice", "chalicelib"}


def test_files_that_are_no_modules_are_shipped_too(package: Package) -> None:
    """Page templates, and the icon of passes that have none."""
    files = {
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "chalicelib").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    folders = {name.rpartition("/")[0] for name in files}
    assert folders >= {"chalicelib/pages/templates", "chalicelib/wallets/apple/default_icon"}
    assert files <= set(names(package.code))


def test_the_archives_fit_into_lambda(package: Package) -> None:
    unzipped = 0
    for archive in (package.code, package.layer):
        assert archive.stat().st_size < DEPLOYMENT_LIMIT_BYTES
        with zipfile.ZipFile(archive) as opened:
            unzipped += sum(item.file_size for item in opened.infolist())
    assert unzipped < UNZIPPED_LIMIT_BYTES


@needs_their_platform
@pytest.mark.parametrize("module", HANDLER_MODULES)
def test_a_handler_starts_from_the_archives_alone(unpacked: tuple[Path, Path], module: str) -> None:
    import_from(unpacked, module)


@needs_their_platform
@pytest.mark.parametrize("module", [*HEAVY, *COMPILED])
def test_what_is_imported_late_is_in_the_archives(unpacked: tuple[Path, Path], module: str) -> None:
    import_from(unpacked, module)


@needs_their_platform
def test_every_module_can_be_imported_from_the_archives(package: Package, unpacked: tuple[Path, Path]) -> None:
    modules = [path.removesuffix(".py").replace("/", ".") for path in names(package.code) if path.endswith(".py")]
    import_from(unpacked, ", ".join(sorted(modules)))


def test_what_operators_run_is_not_shipped(package: Package) -> None:
    shipped = set(names(package.code))
    assert not [path for path in shipped if path.startswith(("chalicelib/commands", "chalicelib/cli"))]
    for name in ("store/checking_stages", "domain/cost_usage", "domain/exporting", "pass_import_operations"):
        assert (PROJECT / "chalicelib" / f"{name}.py").exists()
        assert f"chalicelib/{name}.py" not in shipped
    assert {f"chalicelib/{name}.py" for name in ("wiring", "store/passes", "wallets/apple/push")} <= shipped
