"""The data folder of a local run."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.data_folder import open_data_folder
from local.errors import StackError


def test_what_is_written_is_read_back_by_its_owner_alone(tmp_path: Path) -> None:
    with open_data_folder(tmp_path / "new" / "data") as folder:
        folder.write_json("run.json", {"url": "here"})
        folder.write_json("run.json", {"url": "there"})
        assert folder.read_json("run.json") == {"url": "there"}
        assert (folder.path / "run.json").stat().st_mode & 0o777 == 0o600
        assert {file.name for file in folder.path.iterdir()} == {"lock", "run.json"}
        folder.remove("run.json")
        folder.remove("run.json")
        assert folder.read_json("run.json") is None


def test_a_second_run_on_the_same_folder_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    with (
        open_data_folder(tmp_path),
        pytest.raises(StackError, match="already running"),
        open_data_folder(tmp_path),
    ):
        pass
    with open_data_folder(tmp_path):
        pass


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    for path in (tmp_path / "data", tmp_path / "data" / "below"):
        with pytest.raises(StackError, match="data folder"), open_data_folder(path):
            pass


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    with open_data_folder(tmp_path) as folder:
        (tmp_path / "credentials.json").write_text("{")
        with pytest.raises(StackError, match=r"credentials\.json cannot be read"):
            folder.read_json("credentials.json")
