"""Times of texts: numbers in every row are numbers, dates are dates, and a column has only one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from fivefold.data.splits import readable_times
from fivefold.errors import DataError
from fivefold_nlp.readers.choose import read_labelled, read_unlabelled
from fivefold_nlp.readers.options import ColumnsConfig, ReadOptions
from fivefold_nlp.sentiment.pipeline import Sentiment

PLAIN = ReadOptions()


def rows_of(times: Sequence[object]) -> list[dict[str, object]]:
    return [
        {"text": f"text {number}", "label": "neg" if number % 2 else "pos", "time": time}
        for number, time in enumerate(times)
    ]


def csv_of(folder: Path, times: Sequence[object], separator: str = ",") -> Path:
    file = folder / "texts.csv"
    lines = [separator.join(map(str, row.values())) for row in rows_of(times)]
    file.write_text("\n".join([separator.join(("text", "label", "time")), *lines]) + "\n", encoding="utf-8")
    return file


def jsonl_of(folder: Path, times: Sequence[object]) -> Path:
    file = folder / "texts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows_of(times)), encoding="utf-8")
    return file


def parquet_of(folder: Path, times: Sequence[object]) -> Path:
    file = folder / "texts.parquet"
    parquet.write_table(pa.Table.from_pylist(rows_of(times)), file)
    return file


@pytest.mark.parametrize("write", [csv_of, jsonl_of, parquet_of])
@pytest.mark.parametrize(
    "times",
    [[10, 9, 1, 100], [1699999999, 1600000000, 1.5e9, 1e9], [-0.5, 0.25, 3.0, 2.0], [2021, 2020, 1999, 2024]],
)
def test_numbers_are_times(write, times: list[float], tmp_path: Path) -> None:
    column = read_labelled(write(tmp_path, times), PLAIN)["time"]
    assert column.dtype == np.float64
    assert column.tolist() == times


@pytest.mark.parametrize("write", [csv_of, jsonl_of, parquet_of])
def test_texts_are_split_by_numbers_as_numbers(write, tmp_path: Path) -> None:
    pipeline = Sentiment()
    splits = pipeline.split(pipeline.read(write(tmp_path, [(7 * number) % 20 for number in range(20)])))
    assert "by 'time'" in splits.how
    assert splits.train["time"].tolist() == list(range(16))
    assert splits.test["time"].tolist() == [18, 19]


@pytest.mark.parametrize("write", [csv_of, jsonl_of, parquet_of])
@pytest.mark.parametrize(
    "times",
    [["2024-05-31", "2023-05-31"], ["2024-05-31T14:00+02:00", "2024-05-31T13:00+02:00"], ["20240531", "2024-06-01"],
     ["20240531", "20230531"]],
)  # fmt: skip
def test_dates_stay_as_they_are_written(write, times: list[str], tmp_path: Path) -> None:
    table = read_labelled(write(tmp_path, times), PLAIN)
    assert table["time"].tolist() == times
    assert readable_times(table, "time").dtype == np.dtype("datetime64[us]")


def test_moments_of_parquet_stay_dates(tmp_path: Path) -> None:
    moments = [datetime(2024, 5, 31, 14), datetime(2023, 5, 31, 15, 30)]
    table = read_labelled(parquet_of(tmp_path, moments), PLAIN)
    assert readable_times(table, "time").tolist() == moments


def test_decimal_commas_are_read_and_told(tmp_path: Path) -> None:
    table = read_labelled(csv_of(tmp_path, ["1,5", "0,25", "12"], ";"), PLAIN)
    assert table["time"].tolist() == [1.5, 0.25, 12]
    assert "commas in 'time' were read as decimal commas" in table.notes[0]


@pytest.mark.parametrize("write", [csv_of, jsonl_of])
@pytest.mark.parametrize(
    ("times", "row", "found"),
    [
        ([1, 2, "2024-05-31"], 2, "found '2024-05-31' where the rows before have numbers"),
        ([20240531, "2024-05-31", 3, 4], 2, "found the number '3' where the rows before have none"),
        ([1, "20240531", "some day"], 2, "found 'some day' where the rows before have numbers"),
        ([1, 2, 3, "inf"], 3, "found 'inf' where the rows before have numbers"),
        ([1, "1_000"], 1, "found '1_000' where the rows before have numbers"),
        ([1, "true"], 1, "found 'true' where the rows before have numbers"),
    ],
)
def test_numbers_beside_dates_are_refused_with_their_row(
    write, times: list[object], row: int, found: str, tmp_path: Path
) -> None:
    file = write(tmp_path, times)
    name = f"{file.name} row {row + (2 if file.suffix == '.csv' else 1)}"
    with pytest.raises(DataError, match=found) as caught:
        read_labelled(file, PLAIN)
    assert str(caught.value).startswith(
        f"{file}, {name}, column 'time': expected times that are all numbers, or all dates, found"
    )
    assert str(caught.value).endswith("; write them alike")
    assert "\n" not in str(caught.value)


def test_the_column_is_named_as_the_table_names_it(tmp_path: Path) -> None:
    file = csv_of(tmp_path, [1, "2024-05-31"])
    file.write_text(file.read_text(encoding="utf-8").replace("time", "written", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"texts\.csv row 3, column 'written': expected times"):
        read_labelled(file, ReadOptions(columns=ColumnsConfig(time="written")))
    view = tmp_path / "view.yaml"
    view.write_text("table: texts.csv\ntime: written\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"view\.yaml, texts\.csv row 3, column 'written': expected times"):
        read_labelled(view, PLAIN)


@pytest.mark.parametrize("first", [3, "2024-05-31"])
def test_a_row_of_json_without_a_time_is_named(first: object, tmp_path: Path) -> None:
    file = jsonl_of(tmp_path, [first, first])
    file.write_text(file.read_text(encoding="utf-8") + '{"text": "c", "label": "pos"}\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=r"texts\.jsonl row 3, column 'time': expected a time, found none; fill"
    ):
        read_labelled(file, PLAIN)


def test_what_is_neither_is_told_by_the_split(tmp_path: Path) -> None:
    pipeline = Sentiment()
    table = pipeline.read(csv_of(tmp_path, ["some day"] * 10))
    with pytest.raises(DataError, match="'some day' is no time; expected a number or a date"):
        pipeline.split(table)


def test_times_of_texts_to_predict_are_not_looked_at(tmp_path: Path) -> None:
    assert len(read_unlabelled(csv_of(tmp_path, [1, "2024-05-31"]), PLAIN)) == 2
