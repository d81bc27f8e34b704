"""Texts that cannot be used, columns that are not there, and tokens that training had none of."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.dataset import Facts
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_nlp.readers.choose import read_labelled, read_unlabelled
from fivefold_nlp.readers.corpus import read_corpus
from fivefold_nlp.readers.options import ColumnsConfig, ReadOptions
from fivefold_nlp.sentiment.config import SentimentConfig
from fivefold_nlp.sentiment.data import TextDataset, text_facts
from fivefold_nlp.sentiment.pipeline import Sentiment
from fivefold_nlp.sentiment.unknown import with_unknown
from fivefold_nlp.tokenizer import TextTokenizer

PLAIN = ReadOptions()
ROWS = [("good film", "pos"), ("bad film", "neg")] * 4


def written(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def csv_of(folder: Path, *rows: str, header: str = "text,label") -> Path:
    return written(folder / "x.csv", "\n".join([header, *rows]) + "\n")


def sentiment(**settings: object) -> Sentiment:
    return Sentiment(SentimentConfig.model_validate(settings))


# A share of bad rows


def test_bad_rows_are_counted_left_out_and_listed(tmp_path: Path) -> None:
    rows = [f"{text},{label}" for text, label in ROWS]
    file = csv_of(tmp_path, rows[0], ",pos", *rows[1:], "lone,")
    with pytest.raises(
        DataError, match=r"row 3: expected a text, found none.*\(1 more of 10 cannot.*--max-bad-share"
    ):
        sentiment(max_bad_share=0.1).read(file)
    table = sentiment(max_bad_share=0.2).read(file)
    assert len(table) == 8
    assert [problem.sample for problem in table.problems] == ["x.csv row 3", "x.csv row 11"]


def test_bad_lines_files_and_ratings_are_borne_likewise(tmp_path: Path) -> None:
    lines = written(tmp_path / "x.txt", "pos\tgood\nneg\tbad\n\n" * 6)
    assert len(read_labelled(lines, ReadOptions(max_bad_share=0.4)).problems) == 6
    for name, text in (("pos/1", "good"), ("pos/2", " "), ("neg/1", "bad"), ("neg/2", "bad")):
        path = tmp_path / "folder" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (problem,) = read_labelled(tmp_path / "folder", ReadOptions(max_bad_share=0.3)).problems
    assert problem.sample == "pos/2.txt"
    rated = csv_of(tmp_path, "a,1.5", "b,much", "c,2")
    table = read_labelled(rated, ReadOptions(ratings=True, max_bad_share=0.4))
    assert table["label"].tolist() == [1.5, 2.0]
    (problem,) = table.problems
    assert problem.sample == "x.csv row 3"
    assert problem.reason.startswith("expected a rating, a finite number, found 'much'")


def test_ratings_with_decimal_commas_are_numbers_and_told(tmp_path: Path) -> None:
    file = csv_of(tmp_path, "gut, sehr;1,5", "schlecht;-0,25", header="text;label")
    table = read_labelled(file, ReadOptions(ratings=True))
    assert table["label"].tolist() == [1.5, -0.25]
    assert "read as decimal commas" in table.notes[0]


@pytest.mark.parametrize("sign", ",.")
def test_many_different_numbers_as_classes_are_called_ratings(sign: str, tmp_path: Path) -> None:
    rows = [f"text {number};{number - 20}{sign}{number:03}" for number in range(40)]
    file = csv_of(tmp_path, *rows, "text;", "text;gut", header="text;label")
    message = (
        rf"x\.csv: expected names of classes as labels, found 40 different numbers on 40 of 41 texts, such as "
        rf"'-1\{sign}019'; predict them as ratings by --task ratings, or give classes"
    )
    with pytest.raises(DataError, match=message):
        sentiment(max_bad_share=0.1).read(file)


def test_numbers_that_are_not_whole_are_called_ratings_where_some_repeat(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 30 / 7}" for number in range(90)]
    with pytest.raises(DataError, match=r"found 30 different numbers on 90 of 90 texts, such as '0\.0'"):
        sentiment().read(csv_of(tmp_path, *rows))
    assert len(sentiment(task="ratings").read(csv_of(tmp_path, *rows))) == 90


def test_numbers_may_be_names_of_classes(tmp_path: Path) -> None:
    for name, labels in (
        ("grades", [str(number % 6) for number in range(60)]),
        ("few", [str(number) for number in range(20)]),
        ("codes", [str(number % 30) for number in range(90)]),
        ("half points", [str(number % 11 / 2) for number in range(60)]),
        ("words", [f"class {number}" for number in range(40)]),
    ):
        rows = [f"text {number},{label}" for number, label in enumerate(labels)]
        (tmp_path / name).mkdir()
        assert len(sentiment().read(csv_of(tmp_path / name, *rows))) == len(labels)


@pytest.mark.parametrize(("text", "what"), [("[{}]", "a JSON array"), ('\n {"text": 1}', "JSON")])
def test_json_that_is_no_json_lines_is_told_so(text: str, what: str, tmp_path: Path) -> None:
    file = written(tmp_path / "x.json", text)
    message = f"found {what}; write one object a line in a file that ends in .jsonl \\(JSON Lines\\)$"
    with pytest.raises(DataError, match=message):
        sentiment().read(file)


# Encodings


def test_files_of_utf_8_that_are_read_otherwise_are_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    said = "was read as latin-1, and is valid UTF-8; --encoding utf-8 reads it so."
    pipeline = sentiment(encoding="latin-1")
    table = csv_of(tmp_path, "schön,a", "öd,b")
    assert pipeline.read(table).notes == (f"{table} {said}",)
    assert f"{table} {said}" in pipeline.cautions(Facts())
    files = (
        written(tmp_path / "lines.txt", "schön\nöd\n"),
        written(tmp_path / "labelled.txt", "1 ö\n0 ü\n" * 9),
    )
    with caplog.at_level(logging.WARNING):
        for file in (table, *files):
            pipeline.read_inputs(file)
            assert f"Note: {file} {said}" in caplog.text
    folder = tmp_path / "folder"
    for name in ("pos", "neg"):
        (folder / name).mkdir(parents=True)
        for number in range(2):
            written(folder / name / f"{number}.txt", "ö")
    for read in (pipeline.read, pipeline.read_inputs):
        assert "4 files (the first is 0.txt) were read as latin-1" in read(folder).notes[0]
    table.write_bytes("text,label\nschön,a\nöd,b\n".encode("latin-1"))
    assert pipeline.read(table).notes == ()
    assert sentiment().read(csv_of(tmp_path, "schön,a", "öd,b")).notes == ()


# What is predicted


def test_blank_lines_part_texts_and_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = written(tmp_path / "neu.txt", "one\n\ntwo\n \n")
    with caplog.at_level(logging.WARNING):
        table = sentiment().read_inputs(file)
    assert table.ids.tolist() == ["neu.txt row 1", "neu.txt row 3"]
    assert "2 blank lines (the first is row 2) were passed over" in caplog.text
    labelled = written(tmp_path / "old.txt", "1 good\n0 bad\n\n" * 4)
    assert len(read_unlabelled(labelled, PLAIN)) == 8


def test_a_blank_cell_of_a_table_is_refused_with_its_row(tmp_path: Path) -> None:
    file = csv_of(tmp_path, "a,x", ",x", " ,x")
    with pytest.raises(
        DataError, match=r"row 3: expected a text, found none.*\(the first of 2 such inputs\)"
    ):
        read_unlabelled(file, PLAIN)


def test_options_that_predict_has_are_advised(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'text', found a, b; name the columns by --columns\.text, or"):
        sentiment().read_inputs(csv_of(tmp_path, "1,2", header="a,b"))
    file = tmp_path / "x.txt"
    file.write_bytes("schön\n".encode("latin-1"))
    with pytest.raises(DataError, match=r"row 1: .*which is none; mend the file, or name its encoding"):
        sentiment().read_inputs(file)


def test_unknown_tokens_are_counted_and_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    tokenizer = TextTokenizer.train("words", ["a fine film"], 300)
    rows = Table({"text": np.array(["a fine film", "ein film", "sehr gut, ja"], dtype=object)}, source="here")
    samples = TextDataset(rows, tokenizer, 8, text_facts(rows, tokenizer))
    with caplog.at_level(logging.WARNING):
        found = with_unknown([{"id": "x"}, {"id": "y"}, {"id": "z"}], samples)
    assert [record["unknown_tokens"] for record in found] == [0, 1, 4]
    assert "1 of 3 texts" in caplog.text
    assert "the first, z: 4 of 4" in caplog.text


def test_an_empty_prompt_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a prompt to write on from, found an empty file"):
        read_corpus(written(tmp_path / "x.txt", " \n"), wanted="a prompt to write on from")


# Columns


@pytest.mark.parametrize(("role", "name"), [("group", "autor"), ("text", "Satz"), ("time", "time")])
def test_a_named_column_must_be_there(role: str, name: str, tmp_path: Path) -> None:
    file = csv_of(tmp_path, "good,pos,a", header="text,label,author")
    message = rf"x\.csv: expected the column '{name}' that --columns\.{role} names, found text, label, author"
    with pytest.raises(DataError, match=message):
        sentiment(columns={role: name}).read(file)


def test_a_named_column_needs_a_table(tmp_path: Path) -> None:
    file = written(tmp_path / "x.txt", "pos\tgood\nneg\tbad\n" * 6)
    with pytest.raises(
        DataError, match=r"expected a table, of which --columns\.group names a column, found a file"
    ):
        sentiment(columns={"group": "author"}).read(file)


def test_a_column_that_a_view_names_must_be_there(tmp_path: Path) -> None:
    csv_of(tmp_path, "good,pos", "bad,neg")
    view = written(tmp_path / "view.yaml", "table: x.csv\ngroup: author\n")
    with pytest.raises(DataError, match=r"the column 'author' that the key 'group' of view\.yaml names"):
        read_labelled(view, PLAIN)


def test_authors_stay_in_one_split_and_it_is_told(tmp_path: Path) -> None:
    rows = [f"{text} {number},{label},ann{number % 4}" for number, (text, label) in enumerate(ROWS)]
    table = read_labelled(csv_of(tmp_path, *rows, header="text,label,Author"), PLAIN)
    assert table.group == "Author"
    assert "rows with the same 'Author' stay in one split" in table.notes[0]


def test_an_author_beside_the_named_group_is_warned_of(tmp_path: Path) -> None:
    rows = [
        f"{text} {number},{label},ann{number % 4},g{number % 3}" for number, (text, label) in enumerate(ROWS)
    ]
    options = ReadOptions(columns=ColumnsConfig(group="film"))
    table = read_labelled(csv_of(tmp_path, *rows, header="text,label,author,film"), options)
    assert table.group == "film"
    assert "rows are not kept together by it" in table.notes[0]
