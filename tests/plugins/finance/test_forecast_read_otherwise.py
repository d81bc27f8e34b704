"""Series with other columns and dates than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fivefold.cli.main import main
from plugins.finance.forecast_cases import FORECAST, QUICK, sessions, walk, write_csv


def result_of(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    capsys.readouterr()
    assert main([*FORECAST, *map(str, words), "--device", "cpu", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([*FORECAST, *map(str, words)]) == 2
    return capsys.readouterr().err


def test_other_columns_and_dates_are_judged_and_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    columns = {"demand": walk(300), "other": walk(300, 1)}
    source = write_csv(tmp_path / "demand.csv", sessions(300), columns)
    source.write_text(source.read_text().replace("date,", "day,", 1))
    run = tmp_path / "run"
    words = ["train", str(source), *QUICK, "--lookback", "4", "--horizon", "2", "--grid", "sessions"]
    assert main([*FORECAST, *words, "--columns.time", "day", "--out", str(run)]) == 0

    # The first twelve days of a month: month and day are clear of none.
    days = np.datetime64("2016-03-01", "ns") + np.arange(12) * np.timedelta64(1, "D")
    later = {name: values[:12] for name, values in columns.items()}
    usual = write_csv(tmp_path / "usual.csv", days, later)
    usual.write_text(usual.read_text().replace("date,", "day,", 1))
    other = tmp_path / "other.csv"
    lines = usual.read_text().splitlines()
    turned = [f"{int(line[8:10])}/{int(line[5:7])}/{line[:4]}{line[10:]}" for line in lines[1:]]
    other.write_text("\n".join(["Tag,demand,other", *turned]) + "\n")

    said = refused(capsys, "evaluate", run, other)
    assert "expected one column 'day', found Tag, demand, other; name it by --columns.time" in said
    said = refused(capsys, "evaluate", run, other, "--columns.time", "Tag")
    assert "say --series.date-order mdy or dmy" in said
    read = ("--columns.time", "Tag", "--series.date-order", "dmy")
    expected = result_of(capsys, "evaluate", run, usual)["evaluation"]
    found = result_of(capsys, "evaluate", run, other, *read)["evaluation"]
    assert {name: one["value"] for name, one in found["metrics"].items()} == {
        name: one["value"] for name, one in expected["metrics"].items()
    }
    assert found["baselines"].keys() == expected["baselines"].keys() != set()
    told = "Read with --columns.time Tag --series.date-order dmy, and otherwise as in training."
    assert told in found["notes"]
    records = [
        result_of(capsys, "predict", run, *words)["predictions"] for words in ((usual,), (other, *read))
    ]
    assert [one["forecast"] for one in records[0]] == [one["forecast"] for one in records[1]]
    assert [one["time"] for one in records[0]] == [one["time"] for one in records[1]]
    said = refused(capsys, "predict", run, other, *read, "--columns.symbol", "who")
    assert "expected the column 'who' that --columns.symbol names" in said
