"""What is wrong with series, settings or inputs is one sentence that says what to do; nothing is made up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from fivefold.data.dataset import Facts
from fivefold.errors import ConfigError, DataError
from fivefold_finance.forecast.data import measure
from fivefold_finance.forecast.origins import OriginTable
from fivefold_finance.forecast.reading import last_origins_of, options_of, origins_of
from plugins.finance.forecast_cases import (
    FORECAST,
    before,
    config,
    origins,
    prices_csv,
    series,
    sessions,
    together,
    walk,
    write_csv,
)


def facts_of(table: OriginTable) -> Facts:
    return measure(table, None, by_symbol=False)


def test_a_series_shorter_than_its_windows_is_named() -> None:
    with pytest.raises(
        DataError,
        match=r"series 'a': expected at least 6 bars, the look-back and the horizon together, found 5",
    ):
        origins(series(walk(5)))


def test_a_short_series_among_long_ones_is_left_out_and_told() -> None:
    read = origins_of(together(series(walk(60), "long"), series(walk(5), "short")), config(), None)
    assert set(read.table["symbol"]) == {"long"}
    assert [(one.sample, one.reason) for one in read.table.problems] == [
        ("short", "5 bars, fewer than look-back and horizon together (6)")
    ]
    assert "1 series (short) is too short and left out; see the problems." in read.cautions


def test_a_series_with_nothing_but_gaps_is_told() -> None:
    times = np.datetime64("2020-01-01", "ns") + np.cumsum(np.tile([1, 1, 1, 1, 9], 8)) * np.timedelta64(
        1, "D"
    )
    told = r"expected 6 bars in a row without a gap .*\(look-back 4, horizon 2\), found none in 40 bars with 8 gaps"
    with pytest.raises(DataError, match=told):
        origins(series(walk(40), times=times))


def test_lost_windows_are_counted() -> None:
    values = walk(60)
    values[30] = np.nan
    read = origins_of(together(series(values)), config(), None)
    told = "6 of 55 windows hold a missing value or reach over a gap, and are left out (1 bar without a value, 0 gaps)."
    assert read.cautions == (told,)


def test_bars_without_a_value_and_gaps_are_counted_each_by_itself() -> None:
    close = walk(60)
    close[30], close[45] = np.nan, 0.0
    times = np.delete(sessions(80), np.arange(20, 40))
    read = origins_of(together(series({"close": close}, times=times)), config(), None)
    (told,) = read.cautions
    assert told.endswith("are left out (2 bars without a value, 1 gap).")


def test_a_constant_series_is_told_and_trains(tmp_path: Path) -> None:
    read = origins_of(together(series(np.full(60, 3.0), "still")), config(), None)
    assert "1 series (still) is constant in a target: whatever repeats it is right." in read.cautions
    hours = np.datetime64("2021-01-01", "ns") + np.arange(80) * np.timedelta64(1, "h")
    source = write_csv(tmp_path / "still.csv", hours, {"value": np.full(80, 3.0)})
    words = [
        *FORECAST,
        "train",
        str(source),
        "--out",
        str(tmp_path / "run"),
        "--epochs",
        "1",
        "--lookback",
        "4",
    ]
    assert main([*words, "--horizon", "2", "--evaluation.resamples", "100"]) == 0


def test_levels_of_adjusted_prices_are_told() -> None:
    prices = series({"close": walk(60)}, times=sessions(60))
    adjusted = prices.__class__(**{**vars(prices), "adjusted": True})
    read = origins_of(together(adjusted), config(target_as="levels"), None)
    assert any("depend on splits and dividends that came later" in text for text in read.cautions)
    assert not origins_of(together(adjusted), config(), None).cautions


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"targets": ("price",)},
            r"expected the column 'price', which the settings name, found value, other",
        ),
        ({"covariates": ("price",)}, r"expected the column 'price'"),
        ({"known": ("holiday",)}, r"expected the column 'holiday'"),
    ],
)
def test_columns_that_are_not_there(settings: Mapping[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        origins(series({"value": walk(60), "other": walk(60)}), **settings)


def test_series_that_differ_in_columns() -> None:
    with pytest.raises(
        DataError, match=r"series 'b': expected the column 'value', found other; leave the series out"
    ):
        origins(series(walk(60)), series({"other": walk(60)}, "b"))


def test_what_is_known_is_not_forecast() -> None:
    with pytest.raises(ValueError, match="'x' is among 'targets' and 'known'"):
        config(targets=("x",), known=("x",))


def test_readers_are_told_what_the_settings_say() -> None:
    found = options_of(
        config(
            columns={"time": "wann", "symbol": "wer", "values": ("was",)},
            zone="Europe/Berlin",
            max_bad_share=0.1,
            series={"calendar": "XETR", "epoch": "ms"},
            targets=("a",),
            covariates=("b",),
            known=("c",),
        )
    )
    assert (found.time, found.symbol, found.values) == ("wann", "wer", ("was",))
    assert (found.zone, found.max_bad_share) == ("Europe/Berlin", 0.1)
    assert (found.calendar, found.epoch) == ("XETR", "ms")
    assert found.asked == {"c": "--known", "b": "--covariates", "a": "--targets"}
    assert found.only_asked


def test_options_are_named_as_they_are_typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["wann,wer,was", *(f"2020-01-01 {hour:02}:00,a,{hour}" for hour in range(24))]
    source = tmp_path / "x.csv"
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")
    check = [
        "data",
        "check",
        str(source),
        "--pipeline",
        "finance/forecast",
        "--lookback",
        "3",
        "--horizon",
        "1",
    ]
    named = ["--columns.time", "wann", "--columns.symbol", "wer", "--columns.values", "was"]
    assert main([*check, *named, "--zone", "Europe/Berlin"]) == 0
    assert "Read by finance/forecast: 21 samples" in capsys.readouterr().err
    for wrong, message in (
        (["--columns.time", "when"], "found wann, wer, was; name it by --columns.time"),
        ([*named[:2], "--columns.symbol", "who"], "the column 'who' that --columns.symbol names"),
        ([*named[:4], "--columns.values", "what"], "a column 'what', as --columns.values says"),
        ([*named, "--zone", "Mars/Base"], "--zone: expected a time zone"),
        ([*named[:4], "--covariates", "what"], "a column 'what', as --covariates says"),
    ):
        assert main([*check, *wrong]) == 2
        assert message in capsys.readouterr().err


def test_quantiles_rise() -> None:
    with pytest.raises(ValueError, match=r"'quantiles' must rise, each between 0 and 1, found 0\.9, 0\.1"):
        config(quantiles=(0.9, 0.1))


def test_inputs_to_forecast_from_that_are_too_short() -> None:
    whole = series({"close": walk(60)}, times=sessions(60))
    facts = facts_of(origins(whole))
    with pytest.raises(DataError, match=r"series 'a': expected at least 5 bars to forecast from, found 4"):
        last_origins_of(together(before(whole, 4)), config(), facts)


def test_levels_need_no_bar_more_than_the_look_back() -> None:
    whole = series({"value": walk(60)})
    found = last_origins_of(together(before(whole, 4)), config(), facts_of(origins(whole))).table
    assert found["row"].tolist() == [3]
    with pytest.raises(DataError, match=r"series 'a': expected at least 4 bars to forecast from, found 3"):
        last_origins_of(together(before(whole, 3)), config(), facts_of(origins(whole)))


def test_a_look_back_of_one_needs_two_bars_that_tell_the_step() -> None:
    whole, short = series({"value": walk(60)}), {"lookback": 1}
    facts = facts_of(origins(whole, **short))
    assert last_origins_of(together(before(whole, 2)), config(**short), facts).table["row"].tolist() == [1]
    with pytest.raises(DataError, match=r"expected at least 2 bars to forecast from, found 1"):
        last_origins_of(together(before(whole, 1)), config(**short), facts)


def test_inputs_to_forecast_from_that_end_in_a_hole() -> None:
    whole = series({"value": walk(60), "other": walk(60)})
    facts = facts_of(origins(whole))
    whole.columns["other"][58] = np.nan
    with pytest.raises(
        DataError, match=r"expected 4 bars without a gap or a missing value at its end \(row 61\) to forecast"
    ):
        last_origins_of(together(whole), config(), facts)


def test_inputs_without_what_must_be_known_ahead() -> None:
    whole = series({"value": walk(60), "planned": walk(60)})
    asked = config(known=("planned",))
    facts = facts_of(origins(whole, known=("planned",)))
    with pytest.raises(
        DataError, match=r"expected 2 rows after the last value that hold planned, .* found 0; add them"
    ):
        last_origins_of(together(whole), asked, facts)
    whole.columns["value"][59] = np.nan
    with pytest.raises(DataError, match=r"found 1; add them"):
        last_origins_of(together(whole), asked, facts)


def test_inputs_without_the_columns_of_the_run() -> None:
    facts = facts_of(origins(series({"value": walk(60), "other": walk(60)})))
    with pytest.raises(DataError, match="series 'a': expected the column 'other', found value"):
        last_origins_of(together(series(walk(60))), config(), facts)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("date,close\n2020-01-01,1\n2020-01-01,2\n2020-01-02,3\n", "2020-01-01"),
        ("date,close\n2020-01-01,1\n2020-01-02,dear\n2020-01-03,3\n", "row 3"),
        ("date,close\n2020-01-01,1\n2020-01-02,2\n", "expected at least 69 bars"),
        ("date,close\n", "bad.csv"),
        ("", "empty file"),
    ],
)
def test_files_that_are_wrong_write_nothing(
    rows: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.csv").write_text(rows)
    assert main([*FORECAST, "train", str(tmp_path / "bad.csv"), "--out", str(tmp_path / "run")]) == 2
    said = capsys.readouterr().err.strip()
    assert len(said.splitlines()) == 1
    assert message in said
    assert not (tmp_path / "run").exists()


def test_an_exchange_that_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = prices_csv(tmp_path / "acme.csv")
    assert main([*FORECAST, "train", str(source), "--series.calendar", "MARS"]) == 2
    assert "found 'MARS'" in capsys.readouterr().err
