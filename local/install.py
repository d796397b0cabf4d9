"""Finds the dynoxide binary, or installs the pinned version from npm."""

from __future__ import annotations

import fcntl
import logging
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local.errors import EngineUnavailableError, StackError

VERSION = "1.2.1"
DEFAULT_FOLDER = Path(__file__).resolve().parent.parent / "build" / "engine"
"""where tests keep the engine"""

_INSTALL_SECONDS = 180
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_PUBLISHED = frozenset({"linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "win32-x64"})

_logger = logging.getLogger(__name__)


def platform_package(*, system: str, machine: str) -> str | None:
    """npm package that holds the binary for a platform, named as `platform.system()` and `machine()` do; or None."""
    build = f"{_SYSTEMS.get(system)}-{_MACHINES.get(machine.lower())}"
    return f"@dynoxide/{build}" if build in _PUBLISHED else None


def find_or_install(folder: Path = DEFAULT_FOLDER) -> Path | None:
    """Path of a dynoxide binary; None, with a warning in the log, if it cannot be had.

    Looks at DYNOXIDE_BIN, then PATH, then `folder`, and at last installs it there from npm. Safe to call from several
    processes at once.

    Raises:
        StackError: DYNOXIDE_BIN is set and names no program.
    """
    try:
        return obtain_binary(folder)
    except EngineUnavailableError as error:
        _logger.warning("no dynoxide: %s", error)
        return None


def obtain_binary(folder: Path) -> Path:
    """As `find_or_install`, but says why it cannot be had.

    Raises:
        EngineUnavailableError: there is no binary; the message says why.
        StackError: DYNOXIDE_BIN is set and names no program.
    """
    named = os.environ.get("DYNOXIDE_BIN")
    if named:
        if not os.access(named, os.X_OK) or not Path(named).is_file():
            raise StackError(f"DYNOXIDE_BIN={named} is not a program")
        return Path(named)
    on_path = shutil.which("dynoxide")
    if on_path:
        return Path(on_path)
    package = platform_package(system=platform.system(), machine=platform.machine())
    if package is None:
        raise EngineUnavailableError(f"there is no build for {platform.system()} on {platform.machine()}")
    return _find_installed(folder, package) or _install(folder, package)


def _find_installed(folder: Path, package: str) -> Path | None:
    binary = folder.resolve() / "node_modules" / package / ("dynoxide.exe" if "win32" in package else "dynoxide")
    return binary if os.access(binary, os.X_OK) else None


def _install(folder: Path, package: str) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise EngineUnavailableError("npm is missing, which installs it; or name a binary in DYNOXIDE_BIN")
    with _install_lock(folder):
        binary = _find_installed(folder, package)
        if binary is None:
            _run_npm(npm, folder, package)
            binary = _find_installed(folder, package)
    if binary is None:
        raise EngineUnavailableError(f"npm installed {package} without the binary")
    return binary


def _run_npm(npm: str, folder: Path, package: str) -> None:
    command = [npm, "install", "--prefix", str(folder), "--no-save", "--no-package-lock", "--no-audit", "--no-fund"]
    command += ["--ignore-scripts", "--loglevel=error", "--fetch-retries=1", f"{package}@{VERSION}"]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise EngineUnavailableError(f"npm did not install {package} within {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line.removeprefix("npm error ") for line in error.stderr.splitlines() if line.strip()]
        raise EngineUnavailableError(
            f"npm could not install {package}@{VERSION}: {'; '.join(lines[:2]) or 'no message'}"
        ) from error


@contextmanager
def _install_lock(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "install.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise EngineUnavailableError(f"cannot install into {folder}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
