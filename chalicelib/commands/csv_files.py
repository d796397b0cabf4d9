"""CSV files of any size, read line by line from any place, and the file of lines that were rejected."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import click

from chalicelib.commands.output_files import open_private

DELIMITERS = (",", ";", "\t")

_BOM = b"\xef\xbb\xbf"
_OTHER_BOMS = (b"\xff\xfe", b"\xfe\xff")
_ZERO = b"\x00"
"""half of what UTF-16 writes for a letter of ASCII"""
_LONGEST_LINE = 4 * 1024 * 1024
_CHUNK = 1024 * 1024
_EVERY_LINE_END = "\r\n"
_UNDECODABLE = "surrogateescape"
"""keeps bytes that are no UTF-8, so that a rejected line comes out as it went in"""


class CsvError(click.ClickException):
    """The file cannot be read as what it is to be; the message says where."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two records: how many are before it, the number of the next line, and the byte it begins at."""

    row: int
    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class Row:
    """One record, where it begins and where the next one does. A `problem` keeps it from being read."""

    cells: list[str]
    start: Position
    end: Position
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Form:
    """How a file is written; the file of its rejects is written alike."""

    delimiter: str = ","
    has_bom: bool = False
    line_end: str = "\n"


def format_line(cells: Sequence[str], form: Form) -> str:
    """The line that is read as these cells."""
    text = io.StringIO(newline="")
    # the writer puts cells with line ends into quotation marks as far as they are in its own line end
    csv.writer(text, delimiter=form.delimiter, lineterminator=_EVERY_LINE_END).writerow(cells)
    return text.getvalue().removesuffix(_EVERY_LINE_END) + form.line_end


class CsvFile:
    """A CSV file with a line of column names, in UTF-8. Empty lines are passed over."""

    def __init__(self, path: Path, *, delimiter: str | None = None) -> None:
        self.path = path
        self._stream = _open(path)
        try:
            self._read_form(delimiter)
        except BaseException:
            self._stream.close()
            raise

    def _read_form(self, delimiter: str | None) -> None:
        path = self.path
        first = self._stream.readline(_LONGEST_LINE)
        if first.startswith(_OTHER_BOMS) or _ZERO in first:
            raise CsvError(f"{path} is UTF-16; save it as UTF-8")
        if b"\r" in first and not first.endswith(b"\n"):
            raise CsvError(f"{path} has lines that end in CR alone; save it with LF or CR LF at their ends")
        has_bom = first.startswith(_BOM)
        text = _decode(first.removeprefix(_BOM))
        line_end = "\r\n" if text.endswith("\r\n") else "\n"
        self.form = Form(delimiter or _sniff(text), has_bom, line_end)
        header = next(self._records(Position(row=-1, line=1, offset=len(_BOM) if has_bom else 0)), None)
        if header is None:
            raise CsvError(f"{path} is empty; its first line must name the columns")
        if header.problem is not None:
            raise CsvError(f"{path}, line 1: {header.problem}")
        # what stands behind a colon is the name of a field, of which spaces may be a part
        self.columns = [name.lstrip() if ":" in name else name.strip() for name in header.cells]
        self.beginning = Position(row=0, line=header.end.line, offset=header.end.offset)

    @property
    def stream(self) -> BinaryIO:
        """The open file, for whoever locks it."""
        return self._stream

    def close(self) -> None:
        """Closes the file."""
        self._stream.close()

    def digest(self) -> str:
        """SHA-256 of all of it."""
        self._stream.seek(0)
        digest = hashlib.sha256()
        while chunk := self._stream.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()

    def count_rows(self) -> int:
        """How many records there are.

        Raises:
            CsvError: some line breaks the form of the file, so that none after it can be told apart.
        """
        return sum(1 for _ in self.rows(self.beginning))

    def rows(self, start: Position) -> Iterator[Row]:
        """The records from a place on. To be read to its end before another reading begins.

        Raises:
            CsvError: as above.
        """
        for row in self._records(start):
            yield self._check(row)

    def _check(self, row: Row) -> Row:
        problem = row.problem
        if len(row.cells) != len(self.columns):
            cells = "1 cell" if len(row.cells) == 1 else f"{len(row.cells)} cells"
            problem = f"has {cells}, the first line has {len(self.columns)}"
        return row if problem is None else Row(row.cells, row.start, row.end, problem)

    def _records(self, start: Position) -> Iterator[Row]:
        lines = _Lines(self._stream, start)
        reader = csv.reader(lines, delimiter=self.form.delimiter, strict=True)
        before = start
        try:
            for cells in reader:
                after = Position(before.row + bool(cells), lines.line, lines.offset)
                if cells:
                    yield Row(cells, before, after, _find_problem(cells))
                before = after
        except csv.Error as error:
            is_line_end = str(error).startswith("new-line character")
            hint = "does a line end in CR alone?" if is_line_end else "is a quotation mark missing or too many?"
            raise CsvError(f"{self.path}, line {before.line}: {error}; {hint}") from error


class _Lines:
    """Lines of a binary file, as text; says where the next one begins. Holds no more than one line."""

    def __init__(self, stream: BinaryIO, start: Position) -> None:
        self._stream = stream
        self._stream.seek(start.offset)
        self.offset = start.offset
        self.line = start.line

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        raw = self._stream.readline(_LONGEST_LINE)
        if not raw:
            raise StopIteration
        if len(raw) >= _LONGEST_LINE:
            raise CsvError(f"line {self.line} has more than {_LONGEST_LINE} bytes")
        self.offset += len(raw)
        self.line += 1
        return _decode(raw)


class RejectsFile:
    """Lines that were rejected, each with the reason in a column `error`; made when there is the first.

    The rest is as in the file that they come from, so that it can be corrected and imported.
    """

    def __init__(self, path: Path, source: CsvFile) -> None:
        self.path = path
        self._form = source.form
        self._columns = source.columns
        self._error = source.columns.index("error") if "error" in source.columns else None

    def cut(self, size_bytes: int) -> None:
        """Takes away what was written after the file had that size."""
        if size_bytes == 0:
            self.path.unlink(missing_ok=True)
        elif self.path.exists():
            os.truncate(self.path, size_bytes)

    def append(self, rejected: Sequence[tuple[Row, str]]) -> int:
        """Adds lines, down to the disk; the size of the file after that."""
        is_new = not self.path.exists()
        if is_new and not rejected:
            return 0
        lines = [self._add_error(self._columns, "error")] if is_new else []
        lines += [self._add_error(row.cells, problem) for row, problem in rejected]
        text = "".join(format_line(cells, self._form) for cells in lines)
        data = text.encode("utf-8", _UNDECODABLE)
        with os.fdopen(open_private(self.path, os.O_APPEND), "ab") as stream:
            stream.write(_BOM + data if is_new and self._form.has_bom else data)
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()

    def _add_error(self, cells: Sequence[str], problem: str) -> list[str]:
        """The cells with the reason in its column; cells too many come after it, so that they can be seen."""
        width = len(self._columns)
        own, more = list(cells[:width]), list(cells[width:])
        own += [""] * (width - len(own))
        if self._error is not None:
            own[self._error] = problem
            return own + more
        return [*own, problem, *more]


def _open(path: Path) -> BinaryIO:
    try:
        stream = path.open("rb")
    except OSError as error:
        raise CsvError(f"{path} cannot be read: {error.strerror}") from error
    if not stream.seekable():
        stream.close()
        raise CsvError(f"{path} is a pipe, of which nothing can be read twice; save it as a file and import that")
    return stream


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", _UNDECODABLE)


def _find_problem(cells: Sequence[str]) -> str | None:
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        return "is not UTF-8"
    return None


def _sniff(first_line: str) -> str:
    """The delimiter that cuts the line of column names into most columns."""

    def count(delimiter: str) -> int:
        try:
            return len(next(csv.reader([first_line], delimiter=delimiter), []))
        except csv.Error:
            return 0

    return max(DELIMITERS, key=count)
