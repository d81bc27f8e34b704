"""Tables of transactions, whole and good."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.choose import Options, read_transactions, recognise
from plugins.finance.fraud_cases import HEAD, objects, payments, write_csv


def test_columns_are_found_by_their_usual_names_and_told(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [[0, 1.5, 3, 0], [1, None, 4, 1]], ("Time", "V1", "Amount", "Class"))
    found = read_transactions(file, Options())
    assert (found.roles.time, found.roles.amount, found.roles.label) == ("Time", "Amount", "Class")
    assert found.roles.account is None
    assert found.accounts is None
    assert list(found.numbers) == ["V1"]
    np.testing.assert_array_equal(found.numbers["V1"], [1.5, np.nan])
    assert any("label from 'Class'" in caution for caution in found.cautions)
    assert found.rows.tolist() == [2, 3]


def test_named_columns_win_and_none_takes_none(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [[0, "a", 2, 3, 0]], ("time", "card", "amount", "paid", "fraud"))
    found = read_transactions(file, Options(ColumnsConfig(account="none", amount="paid", ignore=("amount",))))
    assert found.accounts is None
    assert found.amounts.tolist() == [3]
    assert list(found.categories) == ["card"]
    assert not found.numbers


def test_numbers_that_are_names_can_be_said_to_be(tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "a.csv", [[0, 2, 7, 0], [1, 3, None, 1]], ("time", "amount", "merchant", "fraud")
    )
    found = read_transactions(file, Options(ColumnsConfig(categories=("merchant",))))
    assert found.categories["merchant"].tolist() == ["7", None]


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_all_forms_of_a_table_are_the_same_transactions(tmp_path: Path, ending: str) -> None:
    rows = payments(60)
    plain = read_transactions(write_csv(tmp_path / "a.csv", rows), Options())
    other = tmp_path / f"b.{ending}"
    if ending == "parquet":
        parquet.write_table(pa.Table.from_pylist([dict(one) for one in objects(rows)]), other)
    else:
        other.write_bytes(gzip.compress((tmp_path / "a.csv").read_bytes()))
    found = read_transactions(other, Options())
    np.testing.assert_array_equal(found.times, plain.times)
    np.testing.assert_array_equal(found.numbers["x"], plain.numbers["x"])
    np.testing.assert_array_equal(found.labels, plain.labels)
    assert found.categories["shop"].tolist() == plain.categories["shop"].tolist()
    assert found.accounts is not None
    assert plain.accounts is not None
    assert found.accounts.tolist() == plain.accounts.tolist()


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2024-05-31T14:00:00+02:00", "UTC", "2024-05-31T12:00:00"),
        ("2024-05-31T14:00:00Z", "Europe/Brussels", "2024-05-31T14:00:00"),
        ("2024-05-31 14:00:00", "UTC", "2024-05-31T14:00:00"),
        ("2024-05-31T14:00", "Europe/Brussels", "2024-05-31T12:00:00"),
        ("2024-01-31", "America/New_York", "2024-01-31T05:00:00"),
        ("1717156800.25", "UTC", "2024-05-31T12:00:00.25"),
    ],
)
def test_times_are_instants_in_utc(tmp_path: Path, text: str, zone: str, expected: str) -> None:
    file = write_csv(tmp_path / "a.csv", [[text, "a", 1, 0, "s", 0]])
    assert read_transactions(file, Options(zone=zone)).times[0] == np.datetime64(expected)


def test_hours_that_clocks_repeat_are_one_after_the_other_with_their_offsets(tmp_path: Path) -> None:
    texts = ["2024-10-27T02:30:00+02:00", "2024-10-27T02:10:00+01:00"]
    file = write_csv(tmp_path / "a.csv", [[text, "a", 1, 0, "s", 0] for text in texts])
    found = read_transactions(file, Options())
    assert found.times[1] - found.times[0] == np.timedelta64(40, "m")
    assert any("2 different offsets" in caution for caution in found.cautions)


def test_unsorted_rows_are_sorted_and_told(tmp_path: Path) -> None:
    file = write_csv(
        tmp_path / "a.csv", [[5, "a", 1, 0, "s", 0], [3, "a", 2, 0, "s", 0], [5, "b", 3, 0, "s", 1]]
    )
    found = read_transactions(file, Options())
    assert found.amounts.tolist() == [2, 1, 3]
    assert any("1 rows stand after a later one" in one and "row 3" in one for one in found.cautions)


def test_exact_duplicates_are_counted_and_kept_or_dropped(tmp_path: Path) -> None:
    row = [1, "a", 2, 0, "s", 0]
    file = write_csv(tmp_path / "a.csv", [row, row, [1, "a", 2, 0, "s", 1], row])
    kept = read_transactions(file, Options())
    assert len(kept) == 4
    assert any("2 rows repeat an earlier one" in one and "row 3" in one for one in kept.cautions)
    assert len(read_transactions(file, Options(drop_duplicates=True))) == 2


def test_recognises_transactions_by_their_header(tmp_path: Path) -> None:
    assert (
        recognise(write_csv(tmp_path / "a.csv", []), Options()) == f"transactions (a.csv: {', '.join(HEAD)})"
    )
    assert recognise(write_csv(tmp_path / "b.csv", [], ("date", "close", "volume")), Options()) is None
    assert recognise(tmp_path / "absent.csv", Options()) is None


@pytest.mark.parametrize(("fraud", "genuine"), [("yes", "no"), ("True", "False"), ("TRUE", "0"), ("1", "0")])
def test_labels_are_numbers_or_english_answers(tmp_path: Path, fraud: str, genuine: str) -> None:
    rows = [[1, "a", 2, 0, "s", fraud], [2, "a", 2, 0, "s", genuine], [3, "a", 2, 0, "s", None]]
    found = read_transactions(write_csv(tmp_path / "a.csv", rows), Options())
    np.testing.assert_array_equal(found.labels, [1, 0, np.nan])


@pytest.mark.parametrize("name", ["", "Unnamed: 0"])
def test_row_numbers_are_left_out_and_told(tmp_path: Path, name: str) -> None:
    rows = [[number, *row] for number, row in enumerate(payments(20), start=1)]
    found = read_transactions(write_csv(tmp_path / "a.csv", rows, (name, *HEAD)), Options())
    called = f"The column '{name}'" if name else "Column 1, which has no name,"
    assert f"{called} only numbers the rows, and is left out." in found.cautions
    assert list(found.numbers) == ["x"]
    rows[7][0] = 3
    other = read_transactions(write_csv(tmp_path / "b.csv", rows, (name, *HEAD)), Options())
    assert list(other.numbers) == [name, "x"]
