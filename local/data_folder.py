"""The folder that one local run keeps its data in: a lock, and small JSON files written whole or not at all."""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from local.errors import StackError


@contextmanager
def open_data_folder(path: Path) -> Iterator[DataFolder]:
    """The folder at `path`, created if need be and locked against a second run until the block ends.

    Raises:
        StackError: the folder cannot be used, or another run has it.
    """
    if path.exists() and not path.is_dir():
        raise StackError(f"the data folder {path} is a file")
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise StackError(f"the data folder {path} cannot be used: {error.strerror}") from error
    try:
        _take(lock, path)
        yield DataFolder(path)
    finally:
        os.close(lock)


def _take(lock: int, path: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StackError(f"Passel is already running on the data folder {path}; give another one with DATA=") from error


class DataFolder:
    """Reads and writes the JSON files of a locked data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read_json(self, name: str) -> Any | None:
        """Content of a file; None if there is none.

        Raises:
            StackError: the file is there but holds no JSON.
        """
        file = self.path / name
        try:
            return json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StackError(f"{file} cannot be read; delete it and start again") from error

    def write_json(self, name: str, value: object) -> None:
        """Replace a file at once, so that nobody reads half of it. Only its owner may read it (mode 0600).

        Raises:
            StackError: the folder cannot be written to.
        """
        try:
            handle, temporary = tempfile.mkstemp(dir=self.path, prefix=f".{name}.")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(json.dumps(value, indent=2) + "\n")
                Path(temporary).replace(self.path / name)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise StackError(f"cannot write {self.path / name}: {error.strerror}") from error

    def remove(self, name: str) -> None:
        """Delete a file if it is there."""
        with suppress(OSError):
            (self.path / name).unlink(missing_ok=True)
