"""MiniStack, an emulator of AWS, in a folder of its own: it pins a botocore that is not ours.

The folder holds two things: `packages`, and a Python without any. MiniStack runs the deployed functions with the
interpreter that runs itself, and with a bare one they find what their layer and their code bring, and nothing else.
That interpreter has the version of the one that runs the tests, since the layer's compiled wheels are made for it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

VERSION = "1.5.33"
FOLDER = (
    Path(__file__).resolve().parents[2]
    / "build"
    / f"ministack-{VERSION}-py{sys.version_info.major}.{sys.version_info.minor}"
)

_REQUIREMENTS = (f"ministack=={VERSION}", "aws-sam-translator==1.115.0")
"""the second lets its CloudFormation read the template that `make package` makes"""
_INSTALL_SECONDS = 300
_MARKER = "installed.txt"
_CONTENT = "\n".join(_REQUIREMENTS)


class EmulatorUnavailableError(Exception):
    """There is no emulator on this machine; the message says why."""


@dataclass(frozen=True)
class Installation:
    """Where it is."""

    folder: Path

    @property
    def python(self) -> Path:
        """An interpreter that finds nothing but the standard library."""
        return self.folder / "python" / "bin" / "python"

    @property
    def packages(self) -> Path:
        """What an interpreter that runs the emulator must have on its path."""
        return self.folder / "packages"

    @property
    def is_complete(self) -> bool:
        """Whether its making came to its end, and its interpreter is still there."""
        marker = self.folder / _MARKER
        return marker.exists() and marker.read_text() == _CONTENT and os.access(self.python, os.X_OK)


def obtain_installation(
    folder: Path = FOLDER, *, install: Callable[[Installation], None] | None = None
) -> Installation:
    """The installation in `folder`, made first if need be; what an interrupted making left behind is thrown away.

    Safe to call from several processes at once. `install` fills an empty folder, from PyPI unless told otherwise.

    Raises:
        EmulatorUnavailableError
    """
    installation = Installation(folder.resolve())
    with _lock(folder):
        if not installation.is_complete:
            shutil.rmtree(installation.folder, ignore_errors=True)
            installation.folder.mkdir()
            (install or install_from_index)(installation)
            (installation.folder / _MARKER).write_text(_CONTENT)
    return installation


def install_from_index(installation: Installation) -> None:
    """Get MiniStack with pip, and make the bare interpreter.

    Raises:
        EmulatorUnavailableError
    """
    _run("-m", "venv", "--without-pip", str(installation.folder / "python"))
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--target", str(installation.packages), *_REQUIREMENTS)


def _run(*arguments: str) -> None:
    try:
        subprocess.run(
            [sys.executable, *arguments], check=True, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise EmulatorUnavailableError(f"MiniStack was not installed within {_INSTALL_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")] or error.stderr.splitlines()
        raise EmulatorUnavailableError(f"MiniStack {VERSION} cannot be installed: {'; '.join(lines[-2:])}") from error


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
