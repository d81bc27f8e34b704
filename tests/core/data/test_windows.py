from __future__ import annotations

import numpy as np
import pytest
import torch

from fivefold.data.dataset import all_samples
from fivefold.data.table import Table
from fivefold.data.windows import Windows
from fivefold.errors import DataError


def series(rows: int, **columns: object) -> Table:
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    roles = {role: role for role in ("group", "time") if role in arrays}
    return Table(
        {"rain": np.arange(rows, dtype=float), "wind": -np.arange(rows), **arrays},
        source="station.csv",
        **roles,
    )


def test_windows_are_the_rows_before_and_after() -> None:
    windows = Windows(series(10), lookback=3, target="rain", horizon=2)
    assert len(windows) == 6
    batch = windows.batch(torch.tensor([0, 5]))
    assert batch["input"].shape == (2, 3, 2)
    assert batch["input"].dtype == batch["target"].dtype == torch.float32
    torch.testing.assert_close(batch["input"][1, :, 0], torch.tensor([5.0, 6.0, 7.0]))
    torch.testing.assert_close(batch["input"][1, :, 1], torch.tensor([-5.0, -6.0, -7.0]))
    torch.testing.assert_close(batch["target"], torch.tensor([[3.0, 4.0], [8.0, 9.0]]))
    assert windows.facts == {
        "features": 2,
        "targets": 2,
        "columns": ["rain", "wind"],
        "target": "rain",
        "unit": "time block",
    }
    assert list(windows.ids) == [f"row {row}" for row in range(2, 8)]


def test_neighbouring_windows_are_one_unit() -> None:
    units = Windows(series(35), lookback=3, target="rain", horizon=5).units
    assert units is not None
    assert len(units) == 28
    lengths = [list(units).count(unit) for unit in dict.fromkeys(units)]
    assert max(lengths) == 5
    assert len(lengths) in {6, 7}


def test_the_windows_to_predict_reach_the_last_row() -> None:
    windows = Windows(series(10), lookback=3, target="rain", horizon=2)
    batch = all_samples(windows.unlabelled())
    assert set(batch) == {"input"}
    assert len(batch["input"]) == 8
    assert batch["input"][-1, -1, 0] == 9
    assert len(windows) == 6  # the labelled ones are left as they are
    assert "target" in windows.batch(torch.tensor([0]))


def test_windows_stay_inside_a_group_and_follow_time() -> None:
    table = series(8, group=["b", "a"] * 4, time=[4, 8, 3, 7, 2, 6, 1, 5])
    windows = Windows(table, lookback=2, target="rain", columns=["rain"])
    batch = all_samples(windows)
    torch.testing.assert_close(batch["input"][:, :, 0], torch.tensor([[7.0, 5], [5, 3], [6, 4], [4, 2]]))
    torch.testing.assert_close(batch["target"][:, 0], torch.tensor([3.0, 1, 2, 0]))
    assert list(windows.units) == ["a", "a", "b", "b"]


def test_groups_without_time_keep_their_order() -> None:
    windows = Windows(series(6, group=[1, 0, 1, 0, 1, 0]), lookback=2, target="rain", columns=["rain"])
    torch.testing.assert_close(all_samples(windows)["input"][:, :, 0], torch.tensor([[1.0, 3], [0, 2]]))


def test_no_window_reaches_over_a_gap() -> None:
    hours = np.array([0, 1, 2, 3, 10, 11, 12, 13])
    time = np.datetime64("2024-01-01T00") + hours.astype("timedelta64[h]")
    windows = Windows(series(8, time=time), lookback=2, target="rain", columns=["rain"])
    torch.testing.assert_close(all_samples(windows)["target"][:, 0], torch.tensor([2.0, 3, 6, 7]))
    assert len(Windows(series(8, time=time), lookback=2, target="rain", gap=None)) == 6


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (series(3), {"lookback": 3}, "station.csv: no 4 of 3 rows follow each other without a gap"),
        (series(3), {"lookback": 0}, "lookback 0 and horizon 1 must both be 1 or more"),
        (series(9), {"target": "snow"}, "no column 'snow'; there are rain, wind"),
        (series(9), {"columns": ["rain", "hail"]}, "no column 'hail'"),
        (
            series(3, sky=["a", "b", "c"]),
            {"columns": ["sky"]},
            "column 'sky': expected one number a row, found <U1",
        ),
        (
            series(3, dew=[1, np.nan, 2]),
            {},
            "station.csv, row 1, column 'dew': the value is nan; every row needs",
        ),
        (
            series(3, time=[1, 2, 2]),
            {},
            "row 1 and row 2 have the same 'time'; name the column that tells series",
        ),
        (
            Table({"a": np.array(["x"])}, source="s.csv"),
            {},
            "no numeric column to forecast from; there are a",
        ),
    ],
)
def test_what_has_no_windows_is_said(table: Table, options: dict[str, object], message: str) -> None:
    with pytest.raises(DataError, match=message):
        Windows(table, **{"lookback": 2, "target": "rain", **options})


def test_the_past_reaches_back_beyond_the_window_but_not_over_a_gap() -> None:
    time = np.array([0, 1, 2, 3, 10, 11, 12])
    windows = Windows(series(7, time=time), lookback=2, target="rain")
    past = windows.past(torch.tensor([1, 2]), 4)
    torch.testing.assert_close(
        past, torch.tensor([[torch.nan, 0, 1, 2], [torch.nan, torch.nan, 4, 5]]), equal_nan=True
    )
