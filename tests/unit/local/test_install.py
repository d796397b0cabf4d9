"""Where the dynoxide binary comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from local import install
from local.errors import EngineUnavailableError, StackError
from local.install import find_or_install, obtain_binary, platform_package


@pytest.fixture(autouse=True)
def empty_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable, nothing on PATH, and a platform with a build."""
    monkeypatch.delenv("DYNOXIDE_BIN", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def a_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("system", "machine", "package"),
    [
        ("Linux", "x86_64", "@dynoxide/linux-x64"),
        ("Linux", "aarch64", "@dynoxide/linux-arm64"),
        ("Darwin", "arm64", "@dynoxide/darwin-arm64"),
        ("Darwin", "x86_64", "@dynoxide/darwin-x64"),
        ("Windows", "AMD64", "@dynoxide/win32-x64"),
        ("Windows", "ARM64", None),
        ("Linux", "riscv64", None),
        ("FreeBSD", "amd64", None),
    ],
)
def test_each_platform_has_its_package_or_none(system: str, machine: str, package: str | None) -> None:
    assert platform_package(system=system, machine=machine) == package


def test_the_variable_goes_before_everything(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    named = a_program(tmp_path / "mine")
    monkeypatch.setenv("DYNOXIDE_BIN", str(named))
    assert find_or_install(tmp_path) == named


def test_a_variable_that_names_no_program_is_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DYNOXIDE_BIN", str(tmp_path / "missing"))
    with pytest.raises(StackError, match="DYNOXIDE_BIN"):
        find_or_install(tmp_path)


def test_a_binary_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = a_program(tmp_path / "bin" / "dynoxide")
    monkeypatch.setenv("PATH", str(binary.parent))
    assert find_or_install(tmp_path) == binary


def test_an_installed_binary_is_not_installed_again(tmp_path: Path) -> None:
    binary = a_program(tmp_path / "node_modules" / "@dynoxide" / "linux-x64" / "dynoxide")
    assert find_or_install(tmp_path) == binary


def test_npm_installs_the_pinned_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder, npm = tmp_path / "engine", a_program(tmp_path / "bin" / "npm")
    monkeypatch.setenv("PATH", str(npm.parent))
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> None:
        commands.append(command)
        a_program(folder / "node_modules" / "@dynoxide" / "linux-x64" / "dynoxide")

    monkeypatch.setattr("subprocess.run", run)
    binary = find_or_install(folder)
    assert binary is not None
    assert binary.is_relative_to(folder)
    assert commands[0][:4] == [str(npm), "install", "--prefix", str(folder)]
    assert commands[0][-1] == f"@dynoxide/linux-x64@{install.VERSION}"


def test_without_npm_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailableError, match="npm is missing"):
        obtain_binary(tmp_path)
    assert find_or_install(tmp_path) is None


def test_a_platform_without_a_build_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(EngineUnavailableError, match="no build for Linux on riscv64"):
        obtain_binary(tmp_path)
