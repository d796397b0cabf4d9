"""Files that are there whole or not at all, and files that are their owner's alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from tempfile import mkstemp
from typing import TextIO

import click

STANDARD_OUTPUT = "-"


@contextmanager
def open_output(target: str) -> Iterator[TextIO]:
    """UTF-8 text that takes the place of a file once the block has come to its end; its owner alone may read it.

    Of a symbolic link it is the file that it leads to. `-` is standard output, to which everything goes at once; so it
    does to what is there and no regular file, such as a device or a FIFO.
    """
    if target == STANDARD_OUTPUT:
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        sys.stdout.flush()
        return
    path = _resolve(target)
    if path.exists() and not path.is_file():
        with _write_through(path) as stream:
            yield stream
        return
    try:
        handle, name = mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
    temporary = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
        raise


def open_private(path: Path, flags: int) -> int:
    """The descriptor of a file for writing, which is its owner's alone if it is made here."""
    return os.open(path, flags | os.O_WRONLY | os.O_CREAT, 0o600)


def _resolve(target: str) -> Path:
    lost = click.ClickException(f"{target} cannot be written: its links lead nowhere")
    try:
        path = Path(target).resolve()
    except (OSError, RuntimeError) as error:
        raise lost from error
    if path.is_symlink():  # a circle, which Python 3.13 leaves as it is
        raise lost
    return path


@contextmanager
def _write_through(path: Path) -> Iterator[TextIO]:
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}") from error
