"""Lines with their label first: what is taken for a label, what for text, and what is wrong with either."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_nlp.readers.choose import read_labelled, read_unlabelled, recognise_labelled
from fivefold_nlp.readers.options import ReadOptions

PLAIN = ReadOptions()


def pairs(table: Table) -> list[tuple[str, str]]:
    return [(text, table.classes[code]) for text, code in zip(table["text"], table["label"], strict=True)]


@pytest.mark.parametrize(
    "lines",
    [
        "1 a fine film\n0 dull\n" * 5,
        "1\ta fine film\n0\tdull\n" * 5,
        "__label__1 a fine film\n__label__0 dull\n",
    ],
)
def test_lines_with_the_label_first(lines: str, tmp_path: Path) -> None:
    file = tmp_path / "some.all"
    file.write_text(lines)
    assert pairs(read_labelled(file, PLAIN))[:2] == [("a fine film", "1"), ("dull", "0")]
    assert "label first" in str(recognise_labelled(file, PLAIN))
    assert list(read_unlabelled(file, PLAIN)["text"])[:2] == ["a fine film", "dull"]


def test_files_of_lines_named_by_split(tmp_path: Path) -> None:
    for name in ("x.train", "x.dev", "notes.md"):
        (tmp_path / name).write_text("1 fine\n0 dull\n" * 4)
    table = read_labelled(tmp_path, PLAIN)
    assert sorted(set(table["split"])) == ["train", "val"]
    assert len(table) == 16


def test_a_small_split_beside_a_training_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("1 fine\n0 dull\n" * 4)
    (tmp_path / "test.txt").write_text("1 good\n0 bad\n")
    (tmp_path / "dev.txt").write_text("2 not of these labels\n")
    table = read_labelled(tmp_path, PLAIN)
    assert sorted(set(table["split"])) == ["test", "train"]
    assert list(read_unlabelled(tmp_path, PLAIN)["text"]) == ["good", "bad", *["fine", "dull"] * 4]


def test_lines_sorted_by_label(tmp_path: Path) -> None:
    file = tmp_path / "some.all"
    file.write_text("0 dull\n" * 300 + "1 fine\n" * 300)
    assert read_labelled(file, PLAIN).classes == ("0", "1")


def test_published_sentences_are_read_as_they_lie(shared: Path) -> None:
    folder = shared / "sentiment"
    with pytest.raises(DataError, match=r"rt-polarity\.all, row 32: .* 0xe9.*--encoding latin-1"):
        read_labelled(folder / "rt-polarity.all", PLAIN)
    films = read_labelled(folder / "rt-polarity.all", ReadOptions(encoding="latin-1"))
    assert np.bincount(films["label"]).tolist() == [5331, 5331]
    trees = read_labelled(folder, PLAIN)
    assert Counter(trees["split"]) == {"train": 6920, "val": 872}


@pytest.mark.parametrize(
    "text",
    [
        "I love it\nI hate it\nI am torn\n",
        "the film\nthe play\nthis plot\nthis scene\nthe end\nthis all\n",
        "2 stars\n",
        "1. one\n2. two\n",
    ],
)
def test_texts_to_predict_keep_their_first_words(text: str, tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text(text)
    assert list(read_unlabelled(file, PLAIN)["text"]) == text.splitlines()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("1 a\n\n0 b\n" * 4, "row 2: expected a label and a text, found an empty line"),
        ("1 a\n0 b\n1\n" * 4, "row 3: expected a text behind the label '1', found none"),
        ("1 a\n0 b\n" * 5 + "so c\n", "row 11: expected a number as label before the text, found none"),
        ("p\ta\nn\tb\n" * 5 + "c\n", "row 11: expected a label and a tab before the text, found none"),
        ("__label__1 a\n__label__0 b\n" * 5 + "c d\n", "row 11: expected a label such as __label__good"),
        ("__label__1 __label__0 a\n__label__0 b\n", "row 1: expected one label, found several"),
        ("1 a\n" * 30, "expected texts of two classes or more, found only '1'"),
    ],
)
def test_broken_labelled_lines(lines: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "some.all"
    file.write_text(lines)
    with pytest.raises(DataError, match=message):
        read_labelled(file, PLAIN)


def test_running_text_is_not_taken_for_labelled_lines(tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_text(
        "".join(f"{word} stands first here\n" for word in ["one", "two", "three", "four", "five"])
    )
    assert recognise_labelled(file, PLAIN) is None
    with pytest.raises(DataError, match="expected a table"):
        read_labelled(file, PLAIN)
    assert len(read_unlabelled(file, PLAIN)) == 5
