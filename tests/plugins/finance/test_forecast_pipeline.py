"""Forecasts at the command line: train, report, predict, go on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fivefold.cli.main import main
from fivefold.data.leakage import search
from fivefold.runs import Run
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.pipeline import Forecast
from fivefold_finance.forecast.presets import PRESETS
from plugins.finance.forecast_cases import FORECAST, QUICK, prices_csv, sessions, walk, write_csv

SHORT = {"--lookback": "8", "--horizon": "3", **dict(zip(QUICK[::2], QUICK[1::2], strict=True))}


def train(source: Path, out: Path, *words: str, **options: str) -> dict[str, Any]:
    """Train on short windows, with the given options in place of the usual ones, and return the report."""
    named = SHORT | {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    typed = [word for pair in named.items() for word in pair]
    assert main([*FORECAST, "train", str(source), "--out", str(out), *typed, *words]) == 0
    report: dict[str, Any] = json.loads((out / "report.json").read_text())
    return report


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forecast")
    train(prices_csv(folder / "acme.csv"), folder / "run")
    return folder


def test_a_random_walk_is_judged_with_its_tests(trained: Path) -> None:
    report = json.loads((trained / "run" / "report.json").read_text())
    assert report["verdict"]["verdict"] in {"no evidence that it beats", "loses to"}
    assert "Diebold-Mariano" in report["verdict"]["sentence"]
    assert set(report["baselines"]) == {"no change", "drift", "closed-form linear", "autoregression"}
    assert report["interval"]["unit"] == "time block"
    # 63 test origins (64 rows, less the two that a horizon of three takes), in blocks of four.
    assert report["samples"] == 62
    assert report["interval"]["units"] == 16
    assert not report["findings"]
    assert any("nothing says whether prices are adjusted" in text for text in report["run"]["cautions"])
    assert (trained / "run" / "report.html").stat().st_size > 10_000


def test_no_change_is_the_random_walk(trained: Path) -> None:
    """Of returns, the error of no change is that of the returns themselves."""
    run = Run.open(trained / "run")
    report = run.report
    assert report is not None
    pipeline = Forecast(ForecastConfig.model_validate(run.config))
    splits = pipeline.split(pipeline.read(trained / "acme.csv"))
    train_samples = pipeline.samples(splits.train)
    pipeline.facts = train_samples.facts
    target = pipeline.samples(splits.test).batch(torch.arange(len(splits.test)))["target"].numpy()
    expected = np.mean((target / pipeline.facts["column_scale"][0]) ** 2)
    assert report["baselines"]["no change"]["MSE"] == pytest.approx(expected, rel=1e-5)


def test_forecasts_come_after_the_last_bar(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*FORECAST, "predict", str(trained / "run"), str(trained / "acme.csv"), "--json"]) == 0
    records = json.loads(capsys.readouterr().out)["predictions"]
    assert [record["id"] for record in records] == ["acme+1", "acme+2", "acme+3"]
    days = sessions(323)[-3:]
    assert [record["time"][:10] for record in records] == np.datetime_as_string(days, unit="D").tolist()
    last = float((trained / "acme.csv").read_text().splitlines()[-1].split(",")[-1])
    moves = np.cumsum([record["forecast"] for record in records])
    np.testing.assert_allclose([record["level"] for record in records], last * np.exp(moves), rtol=1e-9)
    for record in records:
        assert record["target"] == "log return of close"
        assert record["lower"] < record["forecast"] < record["upper"]


def test_an_exchange_dates_its_own_sessions(trained: Path, tmp_path: Path) -> None:
    """The Friday after Thanksgiving 2017 is a session, the Thursday is none."""
    source = write_csv(tmp_path / "acme.csv", sessions(40, "2017-09-28"), {"close": walk(40)})
    assert source.read_text().splitlines()[-1].startswith("2017-11-22")
    options = ("--series.calendar", "XNYS", "--series.prices", "--series.adjusted")
    big = prices_csv(tmp_path / "big.csv", 300)
    train(big, tmp_path / "run", *options)
    found = Run.open(tmp_path / "run").predict(source)
    assert [record["time"] for record in found] == [
        f"2017-11-{day}T00:00:00-05:00" for day in ("24", "27", "28")
    ]


def test_other_series_are_forecast_as_levels(tmp_path: Path) -> None:
    hours = np.datetime64("2021-01-01", "ns") + np.arange(400) * np.timedelta64(1, "h")
    wave = np.sin(np.arange(400) * 2 * np.pi / 24)
    source = write_csv(tmp_path / "grid.csv", hours, {"load": wave * 5 + 20, "heat": wave * 2 + 3})
    report = train(source, tmp_path / "run", "--model.kind", "nlinear", lookback="24", calendar="hour")
    assert "value 24 steps earlier" in report["baselines"]
    assert report["baselines"]["value 24 steps earlier"]["MSE"] == pytest.approx(0, abs=1e-9)
    records = Run.open(tmp_path / "run").predict(source)
    assert [record["target"] for record in records] == ["load", "heat"] * 3
    assert records[0]["time"] == "2021-01-17T16:00:00+00:00"
    assert "level" not in records[0]


def test_what_is_known_ahead_comes_from_rows_to_come(tmp_path: Path) -> None:
    length = 300
    hours = np.datetime64("2021-01-01", "ns") + np.arange(length) * np.timedelta64(1, "h")
    planned = (np.random.default_rng(0).random(length) < 0.5).astype(float)
    sold = planned * 10 + 1
    source = write_csv(tmp_path / "shop.csv", hours, {"sold": sold, "planned": planned})
    words = ("--optimizer.lr", "0.01", "--model.normalise", "off")
    report = train(source, tmp_path / "run", *words, known="planned", epochs="30")
    assert report["verdict"]["verdict"] == "beats"
    sold[-3:] = np.nan
    write_csv(source, hours, {"sold": sold, "planned": planned})
    records = Run.open(tmp_path / "run").predict(source)
    np.testing.assert_allclose([one["forecast"] for one in records], planned[-3:] * 10 + 1, atol=2)
    assert records[0]["time"] == "2021-01-13T09:00:00+00:00"


def test_several_symbols_share_blocks_and_are_told_apart(tmp_path: Path) -> None:
    folder = tmp_path / "prices"
    folder.mkdir()
    for number, name in enumerate(("up", "down")):
        prices_csv(folder / f"{name}.csv", 300, number)
    shares = [word for share in ("0.1", "0.5", "0.9") for word in ("--quantiles", share)]
    report = train(folder, tmp_path / "run", "--by-symbol", *shares)
    assert set(report["sections"]["by_series"]) == {"up", "down"}
    assert report["interval"]["units"] < report["samples"] / 2
    assert "pinball loss" in report["metrics"]
    records = Run.open(tmp_path / "run").predict(folder)
    assert [record["id"] for record in records] == ["down+1", "down+2", "down+3", "up+1", "up+2", "up+3"]


def test_a_finished_run_is_judged_again_alike(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = json.loads((trained / "run" / "report.json").read_text())
    assert main([*FORECAST, "evaluate", str(trained / "run"), "--json", "--device", "cpu"]) == 0
    capsys.readouterr()
    again = json.loads((trained / "run" / "report.json").read_text())
    assert again["metrics"] == before["metrics"]


def test_an_interrupted_training_goes_on(trained: Path, tmp_path: Path) -> None:
    part = shutil.copytree(trained / "run", tmp_path / "run")
    run = Run.open(part)
    run.update(status="interrupted")
    run.weights.unlink()
    resumed = train(trained / "acme.csv", part, "--resume")
    whole = json.loads((trained / "run" / "report.json").read_text())
    assert resumed["metrics"] == whole["metrics"]
    assert (part / "model.safetensors").read_bytes() == (trained / "run" / "model.safetensors").read_bytes()


def test_another_split_of_the_same_data_has_no_leakage(trained: Path) -> None:
    pipeline = Forecast(ForecastConfig(lookback=8, horizon=3, folds=3, fold=1))
    splits = pipeline.fold(pipeline.read(trained / "acme.csv"), 3)
    assert splits.how.startswith(
        "Walk forward, fold 1 of 3 (training on all before it): validation forecasts from"
    )
    assert search(splits, pipeline.fingerprints) == ()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_settings_with_a_cost(name: str) -> None:
    assert isinstance(PRESETS[name](), ForecastConfig)
    assert "CPU" in (PRESETS[name].__doc__ or "")


def test_the_source_is_recognised(trained: Path, tmp_path: Path) -> None:
    assert "prices" in (Forecast().recognise(trained / "acme.csv") or "")
    (tmp_path / "text.csv").write_text("text,label\na,b\n")
    assert Forecast().recognise(tmp_path / "text.csv") is None


def test_two_runs_are_compared_with_the_same_tests_as_baselines_are(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(trained / "acme.csv", tmp_path / "other", **{"optimizer.lr": "0.1"})
    capsys.readouterr()
    words = ["runs", "compare", str(trained / "run"), str(tmp_path / "other")]
    assert main([*words, "--json"]) == 0
    (paired,) = json.loads(capsys.readouterr().out)["paired"]
    (test,) = paired["metrics"]["MSE"]["tests"]
    assert test["name"] == "Diebold-Mariano"
    assert 0 <= test["p_value"] <= 1
    if paired["metrics"]["MSE"]["verdict"] != "no evidence that it beats":
        assert test["p_value"] < 0.05
    assert main(words) == 0
    assert "Paired test on the same test samples: 62" in capsys.readouterr().err
