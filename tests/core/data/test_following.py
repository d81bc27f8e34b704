"""Lines of files that grow and of pipes, as they come in."""

from __future__ import annotations

import os
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.data.following import LONGEST, followed_lines
from fivefold.errors import DataError


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n\ufeff", codec="utf-8"), max_size=8), max_size=20),
    st.integers(1, 5),
)
def test_every_line_comes_once_with_its_number(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], most: int
) -> None:
    file = tmp_path_factory.mktemp("lines") / "a.txt"
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    parts = list(followed_lines(str(file), most=most, idle=0))
    assert all(len(part) <= most for part in parts)
    assert list(chain.from_iterable(parts)) == list(enumerate(lines, start=1))


def test_a_file_that_grows_is_read_on(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\ntw")
    found = followed_lines(str(file), most=10, idle=0)
    assert next(found) == [(1, "one")]
    with file.open("a") as more:
        more.write("o\nthree")
    assert next(found) == [(2, "two")]
    assert list(found) == [[(3, "three")]]


def test_a_pipe_hands_on_what_is_there_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "wb", buffering=0) as end:
        monkeypatch.setattr("sys.stdin", stdin)
        found = followed_lines("-", most=2)
        end.write(b"\xef\xbb\xbfa\r\nb\nc\nd")
        assert [next(found), next(found)] == [[(1, "a"), (2, "b")], [(3, "c")]]
        end.write(b"\nbroken \xff\n")
        assert next(found) == [(4, "d"), (5, "broken \ufffd")]
        end.close()
        assert list(found) == []


def test_what_cannot_be_followed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"absent: expected a file to follow, or - for stdin, found none that can be read"
    ):
        list(followed_lines(str(tmp_path / "absent"), most=1))
    long = tmp_path / "long.txt"
    long.write_bytes(b"ok\n" + b"x" * (LONGEST + 70_000))
    with pytest.raises(DataError, match=r"long.txt, row 2: expected a line of at most 1,048,576 bytes"):
        list(followed_lines(str(long), most=1, idle=0))


def test_a_file_that_became_shorter_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("one\ntwo\n")
    found = followed_lines(str(file), most=10)
    next(found)
    file.write_text("")
    with pytest.raises(DataError, match="expected a file that grows, found that it has become shorter"):
        next(found)
