"""The one file that a source is."""

from __future__ import annotations

from pathlib import Path

from fivefold.data.only_file import only_file


def is_table(file: Path) -> bool:
    return file.suffix == ".csv"


def test_a_file_is_itself_where_it_is_accepted(tmp_path: Path) -> None:
    for name in ("a.csv", "b.txt"):
        (tmp_path / name).touch()
    assert only_file(tmp_path / "a.csv", is_table) == tmp_path / "a.csv"
    assert only_file(tmp_path / "b.txt", is_table) is None
    assert only_file(tmp_path / "c.csv", is_table) is None  # is not there


def test_of_a_folder_the_only_one_that_is_accepted(tmp_path: Path) -> None:
    assert only_file(tmp_path, is_table) is None
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "b.txt").touch()
    (tmp_path / "c.csv").touch()
    assert only_file(tmp_path, is_table) == tmp_path / "c.csv"
    (tmp_path / "d.csv").touch()
    assert only_file(tmp_path, is_table) is None
