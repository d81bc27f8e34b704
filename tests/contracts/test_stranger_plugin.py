"""A plugin of one file, built and installed as a stranger would, gets everything from the core."""

from __future__ import annotations

import csv
import json

import pytest

from contracts.conftest import Fivefold

pytestmark = pytest.mark.package_index


def test_it_trains_evaluates_and_predicts_on_real_data(installed: Fivefold) -> None:
    trained = installed(
        "weather", "nowcast", "train", "seattle-weather", "--epochs", "2", "--out", "run", "--json"
    )
    outcome = json.loads(trained.stdout)
    assert outcome["info"]["status"] == "complete"
    assert outcome["info"]["plugin"] == {
        "plugin": "weather",
        "distribution": "fivefold-weather",
        "version": "1.0",
    }
    assert sum(outcome["info"]["data"]["sizes"].values()) > 1200
    baselines = {one["baseline"] for one in outcome["evaluation"]["comparisons"]}
    assert len(baselines) == 3
    assert "NOAA" in trained.stderr
    assert (installed.folder / "run" / "report.html").is_file()

    installed("weather", "nowcast", "evaluate", "run")
    installed("weather", "nowcast", "predict", "run", "seattle-weather", "--out", "rain.csv")
    with (installed.folder / "rain.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1461 - 14 + 1
    checked = json.loads(installed("data", "check", "seattle-weather", "--json").stdout)
    assert [reader["pipeline"] for reader in checked["pipelines"]] == ["weather/nowcast"]
    assert "rain.csv" not in installed("runs", "list").stderr
