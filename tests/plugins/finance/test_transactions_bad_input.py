"""Everything that can be wrong with a table, one by one."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.errors import DataError
from fivefold_finance.transactions.options import ColumnsConfig
from fivefold_finance.transactions.readers.choose import Options, read_transactions
from plugins.finance.fraud_cases import write_csv

HEAD = ("id", "time", "card", "amount", "x", "fraud", "reported_at")
GOOD = ["1", "2024-01-01T00:00:00Z", "a", "2.5", "1", "0", "2024-01-05T00:00:00Z"]


def changed(**cells: object) -> list[object]:
    return [cells.get(name, cell) for name, cell in zip(HEAD, GOOD, strict=True)]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"amount": None}, r"row 3: expected an amount in column 'amount', found none"),
        ({"amount": "ten"}, r"row 3: expected a number in column 'amount', found 'ten'"),
        ({"amount": "inf"}, r"row 3: expected a finite number in column 'amount', found inf"),
        ({"x": "-inf"}, r"row 3: expected a finite number in column 'x', found -inf"),
        (
            {"fraud": "2"},
            r"row 3: expected the label 1, true or yes \(fraud\), 0, .* or nothing in column 'fraud', found '2'",
        ),
        ({"fraud": "ja"}, r"row 3: expected the label 1, true or yes .* found 'ja'; write 1 or 0"),
        ({"card": None}, r"row 3: expected an account in column 'card', found none"),
        ({"time": None}, r"row 3: expected a time in column 'time', found none"),
        ({"time": "noon"}, r"row 3: expected times that all have a zone or all have none, found 'noon'"),
        ({"time": "2024-13-01T00:00:00Z"}, r"row 3: expected a time in column 'time', found '2024-13-01"),
        ({"time": "2024-01-02T00:00:00"}, r"row 3: expected times that all have a zone or all have none"),
        (
            {"reported_at": "2023-12-31T00:00:00Z"},
            r"row 3: expected a label that became known after its transaction .* in column 'reported_at'",
        ),
        (
            {"id": "1"},
            r"row 3: expected ids that differ in column 'id', found '1' for the second time, after row 2",
        ),
    ],
)
def test_a_wrong_cell_is_named_with_file_and_row(tmp_path: Path, cells: dict[str, object], said: str) -> None:
    file = write_csv(tmp_path / "a.csv", [GOOD, changed(**{"id": "2", **cells})], HEAD)
    with pytest.raises(DataError, match=f"a.csv, {said}"):
        read_transactions(file, Options())


def test_milliseconds_are_not_taken_for_seconds(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [[1717156800000, 1, 0]], ("time", "amount", "fraud"))
    with pytest.raises(DataError, match=r"row 2: expected seconds .* \(milliseconds, perhaps\)"):
        read_transactions(file, Options())


def test_local_times_that_clocks_repeat_are_refused(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [["2024-10-27T02:30:00", 1, 0]], ("time", "amount", "fraud"))
    with pytest.raises(DataError, match="row 2: expected a time that exists once in Europe/Brussels"):
        read_transactions(file, Options(zone="Europe/Brussels"))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    file = write_csv(tmp_path / "a.csv", [], ("when", "amount"))
    with pytest.raises(
        DataError, match=r"expected a column with the time, found when, amount; name it by --columns\.time"
    ):
        read_transactions(file, Options())
    with pytest.raises(
        DataError,
        match=r"the column 'then' that --columns.time names, found when, amount; did you mean 'when'",
    ):
        read_transactions(file, Options(ColumnsConfig(time="then")))


def test_broken_tables_are_refused(tmp_path: Path) -> None:
    ragged = tmp_path / "ragged.csv"
    ragged.write_text("time,amount,fraud\n1,2,0\n1,2\n")
    with pytest.raises(
        DataError, match=r"ragged.csv: expected a table of transactions, found one that cannot be read"
    ):
        read_transactions(ragged, Options())
    twice = write_csv(tmp_path / "twice.csv", [[1, 2, 3]], ("time", "amount", "amount"))
    with pytest.raises(DataError, match="expected columns with different names, found 'amount' 2 times"):
        read_transactions(twice, Options())
    parquet = tmp_path / "broken.parquet"
    parquet.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"broken.parquet: expected a table of transactions"):
        read_transactions(parquet, Options())
    with pytest.raises(
        DataError, match=r"absent.csv: expected a table of transactions .* found no such file"
    ):
        read_transactions(tmp_path / "absent.csv", Options())
