"""Behaviour prediction as a user calls it: every kind of model, predictions as files, other data."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from plugins.driving.predict_cases import (
    HORIZON,
    INTERVAL,
    LOOKBACK,
    PREDICT,
    QUICK,
    page_of,
    refused,
    report_of,
    two_scenes,
    walks,
    write_grids,
)

MODELS: dict[str, tuple[str, ...]] = {
    "lstm": ("--model.kind", "lstm"),
    "social-lstm": ("--model.kind", "social-lstm"),
    "attention": (),
    "social-gan": ("--model.kind", "social-gan", "--samples", "3"),
    "mixture": ("--model.mixture", "3", "--samples", "3"),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A run of the kind of model that is asked for, trained once."""
    folder = tmp_path_factory.mktemp("trained")
    source = two_scenes(folder / "tracks.csv")

    def run_of(name: str) -> Path:
        if not (folder / name).exists():
            words = [*PREDICT, "train", str(source), *QUICK, *MODELS[name], "--out", str(folder / name)]
            assert main([*words, "--block", "5"]) == 0
        return folder / name

    return run_of


@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_model_trains_and_reports(name: str, trained: Callable[[str], Path]) -> None:
    run = trained(name)
    report = report_of(run)
    several = name in {"social-gan", "mixture"}
    minima = {f"min{error}3 {how}" for error in ("ADE", "FDE") for how in ("per agent", "joint")}
    assert next(iter(report["metrics"])) == ("minADE3 joint" if name == "social-gan" else "ADE")
    assert {"ADE", "FDE", "miss rate", "collision rate"} <= set(report["metrics"])
    assert (minima <= set(report["metrics"])) == several
    assert not {metric for metric in report["metrics"] if metric.startswith("min")} - minima
    assert ("negative log-likelihood" in report["metrics"]) == (name == "mixture")
    assert list(report["baselines"]) == [
        "constant velocity",
        *(["constant velocity, 3 directions"] if several else []),
        "line through the seen positions",
    ]
    compared = {(one["baseline"], one["metric"]) for one in report["comparisons"]}
    assert compared == {
        *((one, error) for one in report["baselines"] if "directions" not in one for error in ("ADE", "FDE")),
        *([("constant velocity, 3 directions", "minADE3 joint")] if several else []),
    }
    assert list(report["sections"]) == ["scenes", "error_over_time", "kinds", "examples", "crowded_window"]
    assert report["sections"]["scenes"]["agents"].keys() == {"street"}
    assert report["interval"]["unit"] == "scene block"
    assert report["run"]["split_how"].startswith("The scene 'street' was held out to test; the last 15 %")
    page = page_of(run)
    for title in ("Scenes", "Error over time", "Kinds of motion", "Examples", "A crowded window"):
        assert title in page
    assert ("Per agent, each agent takes its own best sample" in page) == several


@pytest.mark.parametrize("name", ["attention", "social-gan", "mixture"])
def test_predictions_are_rows_of_agents_and_seconds(
    name: str, trained: Callable[[str], Path], tmp_path: Path
) -> None:
    """Whoever is there for the last eight frames of a scene goes on from where it was last seen."""
    grid = walks(7, frames=11)
    grid[-1, 2], grid[:5, 3] = np.nan, np.nan
    source = write_grids(tmp_path / "now.csv", {"now": grid + 20_000})
    out = tmp_path / "to-come.csv"
    words = [*PREDICT, "predict", str(trained(name)), str(source), "--out", str(out), "--device", "cpu"]
    assert main(words) == 0
    with out.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["id", "scene", "agent", "seconds", "time", "x", "y", "unit"]
    assert [row["agent"] for row in rows] == [agent for agent in "014" for _ in range(HORIZON)]
    assert {row["id"] for row in rows} == {"now/0", "now/1", "now/4"}
    seconds = [float(row["seconds"]) for row in rows[:HORIZON]]
    np.testing.assert_allclose(seconds, INTERVAL * np.arange(1, HORIZON + 1))
    times = [float(row["time"]) for row in rows[:HORIZON]]
    np.testing.assert_allclose(times, INTERVAL * np.arange(11, 11 + HORIZON))  # the last seen row is at 4 s
    assert {row["unit"] for row in rows} == {"m"}
    for first in (0, HORIZON, 2 * HORIZON):
        last = grid[-1, int(rows[first]["agent"])] + 20_000
        assert math.dist(last, (float(rows[first]["x"]), float(rows[first]["y"]))) < 2


def test_predictions_stand_in_one_json_object(
    trained: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = [str(write_grids(tmp_path / f"{name}.csv", {name: walks(3, LOOKBACK)})) for name in "ab"]
    assert main([*PREDICT, "predict", str(trained("attention")), *sources, "--json", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert [row["scene"] for row in found] == ["a"] * 60 + ["b"] * 60
    assert [row["x"] for row in found[:60]] == [row["x"] for row in found[60:]]


def test_a_run_is_judged_on_another_file_whose_doubts_are_told(
    trained: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_grids(tmp_path / "other.csv", {"plaza": 4 * walks(20), "park": 4 * walks(21)})
    words = [*PREDICT, "evaluate", str(trained("attention")), str(source), "--device", "cpu", "--json"]
    assert main(words) == 0
    report = json.loads(capsys.readouterr().out)["evaluation"]
    assert report["samples"] == 2 * 51
    assert set(report["sections"]["scenes"]["agents"]) == {"plaza", "park"}
    assert report["sections"]["scenes"]["agents"]["plaza"] == 51 * 5
    assert any("plaza: speeds look like feet a second" in one for one in report["run"]["cautions"])
    assert not any("plaza" in one for one in report_of(trained("attention"))["run"]["cautions"])


def test_inputs_in_which_nobody_stays_are_refused(
    trained: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Too short, and with nobody at the end who was there before: the past of a scene is no prediction."""
    run = trained("attention")
    ended = walks(0, 30)
    ended[20:] = np.nan
    born = walks(1, 30)
    born[:25] = np.nan
    grids = {"short": walks(0, LOOKBACK - 1), "ended": np.concatenate([ended, born], axis=1)}
    for name, grid in grids.items():
        source = write_grids(tmp_path / f"{name}.csv", {name: grid})
        said = (
            f"{name}.csv, scene '{name}': expected an agent that is there for its last 8 frames, found none"
        )
        refused([*PREDICT, "predict", str(run), str(source)], said, tmp_path, capsys)


def test_a_run_reads_its_own_names_of_columns_and_the_usual_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Trained in feet under other names: predictions are in metres, say so, and have the times of the source."""
    own = tmp_path / "own.csv"
    usual = two_scenes(tmp_path / "tracks.csv")
    head, *lines = usual.read_text().splitlines()
    own.write_text("\n".join([head.replace("agent", "track_id").replace("time", "sekunde"), *lines]) + "\n")
    columns = ("--columns.agent", "track_id", "--columns.time", "sekunde", "--units", "ft")
    run = str(tmp_path / "run")
    assert main([*PREDICT, "train", str(own), *QUICK, *columns, "--out", run]) == 0
    found = []
    for source in (own, usual):
        out = tmp_path / f"{source.stem}-to-come.csv"
        assert main([*PREDICT, "predict", run, str(source), "--out", str(out), "--device", "cpu"]) == 0
        found.append(out.read_text())
    assert found[0] == found[1]
    other = tmp_path / "other.csv"
    other.write_text("\n".join([head.replace("agent", "wer"), *lines]) + "\n")
    capsys.readouterr()
    assert main([*PREDICT, "predict", run, str(other), "--device", "cpu"]) == 2
    said = (
        "expected a column 'track_id', as in training, or 'agent', found scene, time, wer, x, y; name it by "
    )
    assert f"{said}--columns.agent, or rename it" in capsys.readouterr().err
    assert main([*PREDICT, "predict", run, str(other), "--columns.agent", "wer", "--device", "cpu"]) == 0


def test_a_column_that_was_named_and_is_absent_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = two_scenes(tmp_path / "tracks.csv")
    words = [*PREDICT, "train", str(source), "--columns.heading", "nosuch", "--out", str(tmp_path / "run")]
    refused(words, "expected the column 'nosuch' that --columns.heading names, found scene", tmp_path, capsys)
