"""Archives that we write ourselves are zip files as all others are."""

from __future__ import annotations

import random
import zipfile
import zlib
from pathlib import Path

from infra.archives import write_archive

FILES = {
    "b/text.py": b"VALUE = 1\n" * 1000,
    "a/noise.bin": random.Random(1).randbytes(5000),
    "empty": b"",
}


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    archive = tmp_path / "a.zip"
    write_archive(archive, FILES, comment=b"a mark")
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == sorted(FILES)
        assert {name: opened.read(name) for name in FILES} == FILES
        assert opened.comment == b"a mark"
        assert {(item.external_attr >> 16, item.date_time) for item in opened.infolist()} == {
            (0o100644, (1980, 1, 1, 0, 0, 0))
        }
        assert {item.filename for item in opened.infolist() if item.compress_type == zipfile.ZIP_STORED} == {
            "a/noise.bin",
            "empty",
        }
    assert list(tmp_path.iterdir()) == [archive]


def test_the_same_files_are_the_same_bytes_and_fewer_than_zlibs(tmp_path: Path) -> None:
    source = Path(zipfile.__file__).read_bytes()
    archives = [tmp_path / name for name in ("a.zip", "b.zip")]
    for archive in archives:
        write_archive(archive, {"source.py": source})
    assert archives[0].read_bytes() == archives[1].read_bytes()
    with zipfile.ZipFile(archives[0]) as opened:
        assert opened.getinfo("source.py").compress_size < len(zlib.compress(source, 9)) - 6
