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
        (
            [1, "20240531", "31 May 2024 10:00 GMT"],
            2,
            "found '2024-05-31T10:00:00\\+00:00' where the rows before",
        ),
    ],
)
def test_numbers_beside_dates_are_refused_with_their_row(
    write, times: list[object], row: int, found: str, tmp_path: Path
) -> None:
    file = write(tmp_path, times)
    number = row + (2 if file.suffix == ".csv" else 1)
    with pytest.raises(DataError, match=found) as caught:
        read_labelled(file, PLAIN)
    assert str(caught.value).startswith(
        f"{file}, row {number}: expected times in column 'time' that are all numbers, or all dates, found"
    )
    assert str(caught.value).endswith("; write them alike")
    assert "\n" not in str(caught.value)


def test_the_column_is_named_as_the_table_names_it(tmp_path: Path) -> None:
    file = csv_of(tmp_path, [1, "2024-05-31"])
    file.write_text(file.read_text(encoding="utf-8").replace("time", "written", 1), encoding="utf-8")
    with pytest.raises(DataError, match=r"texts\.csv, row 3: expected times in column 'written'"):
        read_labelled(file, ReadOptions(columns=ColumnsConfig(time="written")))
    view = tmp_path / "view.yaml"
    view.write_text("table: texts.csv\ntime: written\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"texts\.csv, row 3: expected times in column 'written'"):
        read_labelled(view, PLAIN)


@pytest.mark.parametrize("first", [3, "2024-05-31"])
def test_a_row_of_json_without_a_time_is_named(first: object, tmp_path: Path) -> None:
    file = jsonl_of(tmp_path, [first, first])
    file.write_text(file.read_text(encoding="utf-8") + '{"text": "c", "label": "pos"}\n', encoding="utf-8")
    with pytest.raises(
        DataError, match=r"texts\.jsonl, row 3: expected a time in column 'time', found none; fill"
    ):
        read_labelled(file, PLAIN)


@pytest.mark.parametrize("write", [csv_of, jsonl_of])
@pytest.mark.parametrize("wrong", ["some day", "102-05-28T20:37:24", "2024-13-01", "inf", "1_000", "true"])
def test_what_is_neither_number_nor_date_is_counted_and_may_be_borne(
    write, wrong: str, tmp_path: Path
) -> None:
    file = write(tmp_path, ["2024-05-31", "2024-06-01", wrong, "2023-01-01", wrong, "2022-01-01"])
    row = 4 if file.suffix == ".csv" else 3
    with pytest.raises(DataError) as caught:
        read_labelled(file, PLAIN)
    assert str(caught.value) == (
        f"{file}, row {row}: expected a time in column 'time', a number or a date such as 2024-05-31, "
        f"2024-05-31T14:00 or Fri, 31 May 2024 14:00 +0200, found '{wrong}'; mend it, or drop the "
        "column (1 more of 6 cannot be read either); --max-bad-share allows a share of such samples to be left out of "
        "a training"
    )
    table = read_labelled(file, ReadOptions(max_bad_share=0.4))
    assert len(table) == 4
    assert [problem.sample for problem in table.problems] == [
        f"{file.name} row {row}", f"{file.name} row {row + 2}",
    ]  # fmt: skip
    assert table.problems[0].reason.startswith("expected a time in column 'time', a number or a date")


def test_wrong_times_come_in_the_order_of_the_file_whatever_the_groups(tmp_path: Path) -> None:
    file = tmp_path / "mail.csv"
    rows = [f"text {number},{'ab'[number % 2]},g{9 - number},{'x' if number in {3, 7} else 2000 + number}"
            for number in range(9)]  # fmt: skip
    file.write_text("\n".join(["text,label,group,date", *rows]) + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"mail\.csv, row 5: expected a time in column 'date'.*\(1 more of 9"):
        read_labelled(file, ReadOptions(columns=ColumnsConfig(time="date")))


def test_dates_of_mails_are_read(tmp_path: Path) -> None:
    file = jsonl_of(
        tmp_path,
        [
            "Tue, 3 Dec 2002 13:37:08 -0600", "3 Dec 2002 19:37 GMT", "Tue, 03 Dec 2002 19:37:07 -0000 (UTC)",
            "tue, 3 dec 2002 11:37:09 PST", "2002-12-03T20:37:10+01:00",
        ],
    )  # fmt: skip
    table = read_labelled(file, PLAIN)
    assert table["time"][0] == "2002-12-03T13:37:08-06:00"
    assert readable_times(table, "time").tolist() == [
        datetime(2002, 12, 3, 19, 37, second) for second in (8, 0, 7, 9, 10)
    ]


@pytest.mark.parametrize(
    "wrong",
    ["3 Dec 102 13:37 GMT", "3 Dez 2002 13:37 GMT", "3 Dec 2002 13:37 XYZ", "3 Dec 2002 25:00 GMT",
     "3 Dec 2002 13:37 +9999", "3 Dec 0000 13:37 GMT", "3 Dec 2002 13:37"],
)  # fmt: skip
def test_dates_of_mails_that_are_not_sure_are_none(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="row 2: expected a time in column 'time'"):
        read_labelled(jsonl_of(tmp_path, ["2002-12-03T20:37:10+01:00", wrong]), PLAIN)


@pytest.mark.parametrize(
    ("times", "found"),
    [
        (
            ["2024-05-31T14:00", "2024-05-31T14:00Z"],
            "found one in .* where the rows before have no time zone",
        ),
        (["3 Dec 2002 13:37 GMT", "2024-05-31"], "found none in .* where the rows before have a time zone"),
    ],
)
def test_dates_with_and_without_a_time_zone_are_refused(times: list[str], found: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"row 2: expected times in column 'time' that all have .*{found}"):
        read_labelled(jsonl_of(tmp_path, times), PLAIN)


def test_times_of_texts_to_predict_are_not_looked_at(tmp_path: Path) -> None:
    assert len(read_unlabelled(csv_of(tmp_path, [1, "2024-05-31"]), PLAIN)) == 2
