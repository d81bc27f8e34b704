"""Tracks with other clocks, units and columns than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fivefold.cli.main import main
from plugins.driving.predict_cases import PREDICT, QUICK, refused, two_scenes


def framed(
    source: Path, target: Path, *, step: float = 0.4, factor: float = 1.0, agent: str = "agent"
) -> Path:
    """The tracks with numbers of frames, of ``step`` seconds each, in the place of times; lengths times ``factor``."""
    _, *rows = source.read_text().splitlines()
    lines = [f"scene,frame,{agent},x,y"]
    for row in rows:
        scene, time, who, x, y = row.split(",")
        place = ",".join(repr(float(one) * factor) for one in (x, y))
        lines.append(f"{scene},{round(float(time) / step)},{who},{place}")
    target.write_text("\n".join(lines) + "\n")
    return target


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on tracks whose frames have a rate of 2.5 a second."""
    folder = tmp_path_factory.mktemp("framed")
    source = framed(two_scenes(folder / "tracks.csv"), folder / "framed.csv")
    words = [*PREDICT, "train", str(source), *QUICK, "--block", "5", "--frame-rate", "2.5"]
    assert main([*words, "--out", str(folder / "run")]) == 0
    return folder / "run"


def result_of(capsys: pytest.CaptureFixture[str], verb: str, *words: object) -> Any:
    capsys.readouterr()
    assert main([*PREDICT, verb, *map(str, words), "--device", "cpu", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


OTHERWISE: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "frame rate": ({"step": 0.04}, ("--frame-rate", "25")),
    "seconds a frame": ({"step": 0.04}, ("--seconds-per-frame", "0.04")),
    "feet": ({"factor": 1 / 0.3048}, ("--units", "ft")),
    "column": ({"agent": "wer"}, ("--columns.agent", "wer")),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_tracks_are_judged_and_predicted_as_if_written_as_in_training(
    name: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written, options = OTHERWISE[name]
    usual = framed(two_scenes(tmp_path / "tracks.csv", seed=8), tmp_path / "usual.csv")
    other = framed(tmp_path / "tracks.csv", tmp_path / "other.csv", **written)
    expected = result_of(capsys, "evaluate", run, usual)["evaluation"]
    found = result_of(capsys, "evaluate", run, other, *options)["evaluation"]
    for metric, one in expected["metrics"].items():
        assert found["metrics"][metric]["value"] == pytest.approx(one["value"], rel=1e-4, nan_ok=True)
    assert found["baselines"].keys() == expected["baselines"].keys() != set()
    assert f"Read with {' '.join(options)}, and otherwise as in training." in found["notes"]
    records = [
        result_of(capsys, "predict", run, source, *more)["predictions"]
        for source, more in ((usual, ()), (other, options))
    ]
    assert [one["x"] for one in records[1]] == pytest.approx(
        [one["x"] for one in records[0]], rel=1e-3, abs=1e-3
    )


def test_what_is_wrong_is_told(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = str(framed(two_scenes(tmp_path / "tracks.csv"), tmp_path / "other.csv"))
    judge = [*PREDICT, "evaluate", str(run)]
    both = ["--frame-rate", "25", "--seconds-per-frame", "0.04"]
    refused([*judge, source, *both], "expected one of them, found both", tmp_path, capsys)
    said = "expected the column 'kurs' that --columns.heading names, found scene, frame"
    refused([*judge, source, "--columns.heading", "kurs"], said, tmp_path, capsys)
    said = "option --frame-rate: expected a number greater than 0, found -1.0"
    refused([*judge, source, "--frame-rate", "-1"], said, tmp_path, capsys)
    said = "--frame-rate 25: expected DATA to read so, found none"
    refused([*judge, "--frame-rate", "25"], said, tmp_path, capsys)
