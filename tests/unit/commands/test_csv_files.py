"""CSV files as people have them: their forms, where a reading can go on, and what is written back."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.commands.csv_files import CsvError, CsvFile, Form, RejectsFile, format_line

CELLS = st.text(alphabet=st.sampled_from("ab,;\"'\n\r\t é=😀"), max_size=6)
TABLES = st.integers(1, 3).flatmap(
    lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
)
FORMS = st.builds(Form, st.sampled_from([",", ";", "\t"]), st.booleans(), st.sampled_from(["\n", "\r\n"]))


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(path: Path, *, delimiter: str | None = None) -> list[list[str]]:
    with closing(CsvFile(path, delimiter=delimiter)) as file:
        rows = list(file.rows(file.beginning))
        assert len(rows) == file.count_rows()
        return [row.cells for row in rows if row.problem is None]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4",
        "a;b\n1;2\n3;4\n",
        "a\tb\n1\t2\n3\t4\n",
        "\ufeffa,b\n1,2\n3,4\n",
        '"a","b"\n"1","2"\n\n"3","4"\n\n',
        " a , b \n1,2\n3,4\n",
    ],
)
def test_files_are_read_in_whatever_form_they_come(tmp_path: Path, content: str) -> None:
    path = write(tmp_path / "x.csv", content)

    assert read(path) == [["1", "2"], ["3", "4"]]
    with closing(CsvFile(path)) as file:
        assert file.columns == ["a", "b"]


def test_a_delimiter_that_is_named_is_not_guessed(tmp_path: Path) -> None:
    assert read(write(tmp_path / "x.csv", "a,b|c\n1,2|3\n"), delimiter="|") == [["1,2", "3"]]


@given(TABLES, FORMS)
def test_what_is_written_reads_back_and_a_reading_can_begin_at_any_row(
    tmp_path: Path, table: list[list[str]], form: Form
) -> None:
    lines = [[f"c{number}" for number in range(len(table[0]))], *table]
    text = "".join(format_line(cells, form) for cells in lines)
    path = write(tmp_path / "x.csv", ("\ufeff" if form.has_bom else "") + text)

    with closing(CsvFile(path, delimiter=form.delimiter)) as file:
        rows = list(file.rows(file.beginning))
        assert [row.cells for row in rows] == table
        for number, row in enumerate(rows):
            assert row.start.row == number
            assert [each.cells for each in file.rows(row.start)] == table[number:]
            assert path.read_bytes()[: row.start.offset].count(b"\n") == row.start.line - 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is empty; its first line must name the columns"),
        ("\n\n", "is empty"),
        ('a,b\n1,2\n"3,4\n5,6\n', "line 3: unexpected end of data; is a quotation mark missing or too many"),
        ('a,b\n1,2\n"3"x,4\n', "line 3: ',' expected after '\"'"),
        ("a,b\n1,2\r3,4\r", "line 2: new-line character seen in unquoted field"),
        ("a,b\n1,2\r3,4\r", "does a line end in CR alone?"),
        ("a,b\r1,2\r3,4\r", "has lines that end in CR alone; save it with LF or CR LF"),
        ("a\n" + "x" * 200_000, "line 2: field larger than field limit"),
        ("a\n" + "x" * 5_000_000, "line 2 has more than"),
        ("a\n1\n".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("a\n1\n".encode("utf-16-le"), "is UTF-16; save it as UTF-8"),
        ("a\n1\n".encode("utf-16-be"), "is UTF-16; save it as UTF-8"),
        ("größe,b\n1,2\n".encode("latin-1"), "line 1: is not UTF-8"),
    ],
)
def test_a_file_that_breaks_off_is_refused_before_anything_is_done(
    tmp_path: Path, content: str | bytes, problem: str
) -> None:
    path = write(tmp_path / "x.csv", content)

    with pytest.raises(CsvError) as refused, closing(CsvFile(path)) as file:
        file.count_rows()
    assert problem in refused.value.message


def test_rows_that_do_not_fit_have_a_problem_and_the_others_none(tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", b"a,b\n1\n1,2,3\n\xff,2\n1,2\n")

    with closing(CsvFile(path)) as file:
        problems = [row.problem for row in file.rows(file.beginning)]

    assert problems == ["has 1 cell, the first line has 2", "has 3 cells, the first line has 2", "is not UTF-8", None]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="cannot be read: No such file"):
        CsvFile(tmp_path / "x.csv")


@pytest.mark.parametrize("content", ["a;b\r\n1;2\r\n", "\ufeffa;b\r\n1;2\r\n"])
def test_rejects_are_written_as_the_file_is_with_a_reason(tmp_path: Path, content: str) -> None:
    with closing(CsvFile(write(tmp_path / "x.csv", content))) as file:
        rejects = RejectsFile(tmp_path / "r.csv", file)
        (row,) = file.rows(file.beginning)
        rejects.append([(row, "no")])
        rejects.append([(row, 'not; "either"')])

    expected = content.replace("a;b", "a;b;error").replace("1;2", "1;2;no") + '1;2;"not; ""either"""\r\n'
    assert (tmp_path / "r.csv").read_bytes() == expected.encode()


def test_rejects_are_their_owners_alone(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path / "x.csv", "a\n1\n"))) as file:
        RejectsFile(tmp_path / "r.csv", file).append([(row, "no") for row in file.rows(file.beginning)])

    assert stat.S_IMODE((tmp_path / "r.csv").stat().st_mode) == 0o600


def test_a_pipe_is_refused_since_it_is_read_twice(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(writing)
    try:
        with pytest.raises(CsvError, match="is a pipe"):
            CsvFile(Path(f"/dev/fd/{reading}"))
    finally:
        os.close(reading)


def test_rejects_of_rejects_have_one_column_of_reasons(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path / "x.csv", "a,error,b\n1,old,2\n"))) as file:
        rejects = RejectsFile(tmp_path / "r.csv", file)
        (row,) = file.rows(file.beginning)
        rejects.append([(row, "new")])

    assert (tmp_path / "r.csv").read_text() == "a,error,b\n1,new,2\n"


def test_a_rejected_row_comes_out_as_it_went_in(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path / "x.csv", b"a,b\n\xff,2\n1,2,3\n1\n"))) as file:
        rejects = RejectsFile(tmp_path / "r.csv", file)
        rejects.append([(row, "no") for row in file.rows(file.beginning)])

    assert (tmp_path / "r.csv").read_bytes() == b"a,b,error\n\xff,2,no\n1,2,no,3\n1,,no\n"


def test_what_was_not_noted_is_cut_off(tmp_path: Path) -> None:
    with closing(CsvFile(write(tmp_path / "x.csv", "a\n1\n2\n"))) as file:
        rejects = RejectsFile(tmp_path / "r.csv", file)
        first, second = file.rows(file.beginning)
        size = rejects.append([(first, "no")])
        rejects.append([(second, "no")])
        rejects.cut(size)
        assert (tmp_path / "r.csv").read_text() == "a,error\n1,no\n"
        rejects.cut(0)
        assert not (tmp_path / "r.csv").exists()
        assert rejects.append([]) == 0
        assert not (tmp_path / "r.csv").exists()
