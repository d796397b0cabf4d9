"""Where output goes: files that are replaced whole, and what is no file."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import click
import pytest

from chalicelib.commands.output_files import open_output


def test_a_link_stays_and_its_file_is_replaced(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_text("old")
    link.symlink_to(real)
    with open_output(str(link)) as stream:
        stream.write("new")
        assert real.read_text() == "old"

    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o600


def test_what_is_no_regular_file_is_written_to_and_stays(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with open_output(str(fifo)) as stream:
            stream.write("all of it")
        assert os.read(reading, 100) == b"all of it"
    finally:
        os.close(reading)
    assert fifo.is_fifo()
    assert [path.name for path in tmp_path.iterdir()] == ["fifo"]


def test_links_in_a_circle_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")

    with pytest.raises(click.ClickException, match="cannot be written"), open_output(str(tmp_path / "a")):
        pass
