"""Every form of labelled texts, and one sentence for each thing that can be wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold_nlp.readers.choose import read_labelled, read_unlabelled, recognise_labelled
from fivefold_nlp.readers.corpus import read_corpus, recognise_corpus
from fivefold_nlp.readers.options import ColumnsConfig, ReadOptions

PLAIN = ReadOptions()
ROWS = [("a fine film", "pos"), ('dull , "so" dull', "neg"), ("two\nlines", "pos")]


def write_csv(folder: Path) -> Path:
    file = folder / "reviews.csv"
    file.write_text(
        '\ufefftext,label,author\na fine film,pos,ann\n"dull , ""so"" dull",neg,bob\n"two\nlines",pos,ann\n',
        encoding="utf-8",
    )
    return file


def write_jsonl(folder: Path) -> Path:
    file = folder / "reviews.jsonl"
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    file.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return file


def write_parquet(folder: Path) -> Path:
    file = folder / "reviews.parquet"
    parquet.write_table(
        pa.table({"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}), file
    )
    return file


def pairs(table: Table) -> list[tuple[str, str]]:
    return [(text, table.classes[code]) for text, code in zip(table["text"], table["label"], strict=True)]


@pytest.mark.parametrize("write", [write_csv, write_jsonl, write_parquet])
def test_tables_of_every_kind_hold_the_same(write, tmp_path: Path) -> None:
    file = write(tmp_path)
    table = read_labelled(file, PLAIN)
    assert pairs(table) == ROWS
    assert table.classes == ("neg", "pos")
    assert "reviews" in str(recognise_labelled(file, PLAIN))
    assert pairs(read_labelled(tmp_path, PLAIN)) == ROWS  # a folder with this one table
    assert list(read_unlabelled(file, PLAIN)["text"]) == [text for text, _ in ROWS]


def test_rows_are_named_as_people_count_them(tmp_path: Path) -> None:
    assert list(read_labelled(write_csv(tmp_path), PLAIN).ids) == [
        "reviews.csv row 2", "reviews.csv row 3", "reviews.csv row 4",
    ]  # fmt: skip
    broken = tmp_path / "broken.csv"
    broken.write_text('text,label\n"three\nlines\nlong",pos\nshort,\n')
    with pytest.raises(DataError, match=r"broken\.csv, row 3: expected a label"):
        read_labelled(broken, PLAIN)
    assert read_labelled(write_jsonl(tmp_path), PLAIN).ids[0] == "reviews.jsonl row 1"


def test_columns_are_named_by_the_settings(tmp_path: Path) -> None:
    options = ReadOptions(columns=ColumnsConfig(text="label", label="text", group="author"))
    table = read_labelled(write_csv(tmp_path), options)
    assert list(table["text"]) == ["pos", "neg", "pos"]
    assert table.units is not None
    assert list(table.units) == ["ann", "bob", "ann"]


def test_a_source_may_give_times_and_splits(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("text,label,time,split\na,0,2020-01-01,train\nb,1,2021-01-01,test\n")
    table = read_labelled(file, PLAIN)
    assert (table.time, table.split) == ("time", "split")


def test_numbered_labels_of_parquet_are_those_of_csv(tmp_path: Path) -> None:
    file = tmp_path / "some.parquet"
    parquet.write_table(pa.table({"text": ["a", "b"], "label": [10.0, 2.0]}), file)
    assert read_labelled(file, PLAIN).classes == ("2", "10")


def test_a_view_keeps_rows_and_names_classes(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("words,mark,source\ngood,1,x\nbad,0,x\nother,1,y\n")
    view = tmp_path / "x.yaml"
    view.write_text(
        'table: all.csv\ntext: words\nlabel: mark\nrows: {source: x}\nclasses: {"0": negative, "1": positive}\n'
    )
    assert pairs(read_labelled(view, PLAIN)) == [("good", "positive"), ("bad", "negative")]
    assert recognise_labelled(view, PLAIN) is not None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("table: ../all.csv\n", "expected the table '../all.csv' beside this view"),
        ("table: none.csv\n", "found no such file"),
        ("table: /all.csv\n", "found no such file"),
        ("table: x.yaml\n", "found no such file"),
        ("table: all.csv\nrows: [text]\n", "expected 'rows' to be pairs such as {name: value}, found list"),
        ("text: words\n", "expected a view with the key 'table'"),
        ("table: all.csv\nrun: rm\n", "expected a view with the key 'table'"),
        ("- 3\n", "found list"),
        ("table: [\n", "cannot be read"),
        ('table: all.csv\nclasses: {"0": a}\n', "row 2: expected a label among 0, found '1'"),
    ],
)
def test_wrong_views(content: str, message: str, tmp_path: Path) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "all.csv").write_text("text,label\ngood,1\n")
    view = folder / "x.yaml"
    view.write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_labelled(view, PLAIN)
    assert "\n" not in str(caught.value)


def test_a_view_named_from_its_own_folder_leads_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "all.csv").write_text("text,label\ngood,1\nbad,0\n")
    (tmp_path / "views").mkdir()
    monkeypatch.chdir(tmp_path / "views")
    Path("x.yaml").write_text("table: ../all.csv\n")
    with pytest.raises(DataError, match="found no such file there"):
        read_labelled(Path("x.yaml"), PLAIN)


def test_a_folder_of_texts_by_class(tmp_path: Path) -> None:
    for name, text in {
        "pos/1.txt": "fine",
        "pos/deep/2.txt": "good\n",
        "neg/1.txt": "dull",
        "neg/.x.txt": "x",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    table = read_labelled(tmp_path, PLAIN)
    assert pairs(table) == [("dull", "neg"), ("fine", "pos"), ("good", "pos")]
    assert list(table.ids) == ["neg/1.txt", "pos/1.txt", "pos/deep/2.txt"]
    assert table.split is None
    assert "2 classes (neg, pos)" in str(recognise_labelled(tmp_path, PLAIN))
    assert len(read_unlabelled(tmp_path, PLAIN)) == 3


def test_a_folder_by_split_and_class(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for name in ("pos", "neg"):
            (tmp_path / split / name).mkdir(parents=True)
            (tmp_path / split / name / "1.txt").write_text(f"{split} {name}")
    table = read_labelled(tmp_path, PLAIN)
    assert table.split == "split"
    assert sorted(table["split"]) == ["test", "test", "train", "train"]


def test_a_folder_of_one_class(tmp_path: Path) -> None:
    (tmp_path / "pos").mkdir()
    (tmp_path / "pos" / "1.txt").write_text("fine")
    with pytest.raises(DataError, match="expected texts of two classes or more, found only 'pos'"):
        read_labelled(tmp_path, PLAIN)


def test_a_folder_with_nothing_to_predict(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"x")
    with pytest.raises(DataError, match=r"expected text files \(\.txt.*found x\.bin"):
        read_unlabelled(tmp_path, PLAIN)


def test_a_file_in_a_folder_of_texts_is_named(tmp_path: Path) -> None:
    for name, content in {"pos/1.txt": b"fine", "neg/1.txt": b"na\xefve", "neg/2.txt": b" \n"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"neg/1\.txt, row 1: expected text in utf-8"):
        read_labelled(tmp_path, PLAIN)
    (tmp_path / "neg" / "1.txt").write_text("dull")
    with pytest.raises(DataError, match=r"neg/2\.txt: expected a text, found only white space"):
        read_labelled(tmp_path, PLAIN)


def test_ratings_are_numbers(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("text,label\na,1.5\nb,-2\n")
    table = read_labelled(file, ReadOptions(ratings=True))
    assert table["label"].tolist() == [1.5, -2.0]
    assert table.classes == ()


@pytest.mark.parametrize("word", ["good", "nan", "inf"])
def test_a_rating_that_is_no_number(word: str, tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text(f"text,label\na,1.5\nb,{word}\n")
    said = rf"some\.csv, row 3: expected a rating, a finite number, found '{word}'.*leave --task ratings away"
    with pytest.raises(DataError, match=said):
        read_labelled(file, ReadOptions(ratings=True))


BROKEN = {
    "empty text": (b"text,label\na,1\n,0\n", r"row 3: expected a text, found none"),
    "white space": (b"text,label\na,1\n  ,0\n", r"row 3: expected a text, found only white space"),
    "no label": (b"text,label\na,1\nb,\n", r"row 3: expected a label in column 'label', found none"),
    "latin-1": (
        b"text,label\na,1\nna\xefve,0\n",
        r"row 3: expected text in utf-8, found the byte 0xef.*latin-1",
    ),
    "NUL": (b"text,label\na,1\nb\x00,0\n", r"row 3: expected text, found a NUL byte"),
    "width": (b"text,label\na,1\nb,0,2\n", r"row 3: expected 2 cells as in the header, found 3"),
    "open quote": (b'text,label\na,1\n"b,0\n', r"row 3: expected a row of CSV.*mend its quotes"),
    "one class": (b"text,label\na,1\nb,1\n", r"expected texts of two classes or more, found only '1'"),
    "no column": (
        b"text,mark\na,1\n",
        r"expected a column 'label', found text, mark; name the columns by --columns.text and --columns.label",
    ),
    "no rows": (b"text,label\n", r"expected labelled texts, found none"),
    "empty file": (b"", r"found an empty file"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_csv_is_one_sentence(fault: str, tmp_path: Path) -> None:
    content, message = BROKEN[fault]
    file = tmp_path / "some.csv"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_labelled(file, PLAIN)
    assert "some.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_text_of_five_megabytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("text,label\na,1\n" + "x" * 5_000_000 + ",0\n")
    with pytest.raises(
        DataError, match=r"row 3: expected a text of at most 1,000,000 characters, found 5,000,000"
    ):
        read_labelled(file, PLAIN)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{text: 1}", r"row 2: expected a JSON object, found something that is no JSON"),
        ("[1]", r"row 2: expected a JSON object such as .*, found list"),
        ('{"text": "b"}', r"row 2: expected a key 'label', found text"),
        ('{"text": 3, "label": 1}', r"row 2: expected a text, found int"),
        ('{"text": "b", "label": null}', r"row 2: expected a label in column 'label', found none"),
        ('{"text": "b", "label": NaN}', r"row 2: expected a label in column 'label', found none"),
        ('{"text": "b", "label": [1]}', r"row 2: expected one label in column 'label', found list"),
        ('{"text": "b\\u0000", "label": 1}', r"row 2: expected text, found a NUL character"),
    ],
)
def test_a_broken_line_of_json(line: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "some.jsonl"
    file.write_text('{"text": "a", "label": 0}\n' + line + "\n")
    with pytest.raises(DataError, match=message):
        read_labelled(file, PLAIN)


def test_a_broken_parquet_file(tmp_path: Path) -> None:
    file = tmp_path / "some.parquet"
    file.write_bytes(b"PAR1 no")
    with pytest.raises(DataError, match=r"some\.parquet: expected a Parquet file"):
        read_labelled(file, PLAIN)


def test_an_unknown_label_of_other_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"reviews\.csv row 2: unknown label 'pos'; the model knows neg, good"
    ):
        read_labelled(write_csv(tmp_path), PLAIN).recode(["neg", "good"])


def test_an_unknown_encoding(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the encoding 'klingon' is not known"):
        read_labelled(write_csv(tmp_path), ReadOptions(encoding="klingon"))


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_nothing_to_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for read in (read_labelled, read_unlabelled):
        with pytest.raises(DataError, match=f"{name}: "):
            read(tmp_path / name, PLAIN)


def test_a_corpus_is_a_file_or_a_folder_of_documents(tmp_path: Path) -> None:
    (tmp_path / "acts" / "two").mkdir(parents=True)
    (tmp_path / "acts" / "1.txt").write_bytes(b"one\r\nmore\n")
    (tmp_path / "acts" / "two" / "2.md").write_text("two\n")
    table = read_corpus(tmp_path / "acts")
    assert dict(zip(table.ids, table["text"], strict=True)) == {"1.txt": "one\nmore\n", "two/2.md": "two\n"}
    assert recognise_corpus(tmp_path / "acts") == "a folder of 2 text files"
    assert len(read_corpus(tmp_path / "acts" / "1.txt")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found an empty file"),
        (b" \n\n", "found an empty file"),
        (b"caf\xe9\n", "row 1: expected text in utf-8"),
        (b"one\ntwo\x00\n", "row 2: expected text, found a NUL byte"),
    ],
)
def test_broken_corpora(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "some.txt"
    file.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_corpus(file)


def test_a_folder_without_texts_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none in this folder"):
        read_corpus(tmp_path)
    assert recognise_corpus(tmp_path) is None
