"""Files that are UTF-8 and were read as something else are told of; others are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.data import encodings
from fivefold.data.encodings import misread_note


def written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


def test_a_file_of_utf_8_read_otherwise_is_told_of(tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", "text\nMüllabfuhr\n".encode())
    assert misread_note(file, [file], "latin-1") == (
        f"{file} was read as latin-1, and is valid UTF-8; --encoding utf-8 reads it so.",
    )
    (note,) = misread_note(file, [file], "latin-1", None)
    assert note.endswith("and is valid UTF-8.")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Müllabfuhr".encode("latin-1"), "latin-1"),
        (b"plain", "latin-1"),
        ("Müllabfuhr".encode(), "utf-8"),
        ("Müllabfuhr".encode(), "UTF8"),
        ("Müllabfuhr".encode("utf-8-sig"), "utf-8-sig"),
        ("Müllabfuhr".encode("utf-16"), "utf-16"),
        ("Mü".encode()[:-1], "latin-1"),
        (b"", "latin-1"),
        ("ü".encode(), "klingon"),
    ],
)
def test_nothing_is_told_of_other_files(content: bytes, encoding: str, tmp_path: Path) -> None:
    file = written(tmp_path / "x.txt", content)
    assert misread_note(file, [file], encoding) == ()
    assert misread_note(tmp_path, [tmp_path, tmp_path / "absent"], encoding) == ()


def test_several_files_are_one_note(tmp_path: Path) -> None:
    files = [
        written(tmp_path / f"{name}.txt", text.encode(encoding))
        for name, text, encoding in (("a", "ä", "latin-1"), ("b", "ö", "utf-8"), ("c", "ü", "utf-8"))
    ]
    (note,) = misread_note(tmp_path, files, "latin-1")
    assert note == (
        f"{tmp_path}: 2 files (the first is b.txt) were read as latin-1, and are valid UTF-8; --encoding utf-8 reads "
        "them so."
    )


def test_a_letter_may_lie_on_the_border_of_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "_BLOCK", 2)
    file = written(tmp_path / "x.txt", "aäöüß€".encode())
    assert misread_note(file, [file], "latin-1")
