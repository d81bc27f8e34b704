"""Each scene held out once, and the mean of the scenes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold_driving.predict.leave_one_out import SUMMARY, summary


def report(model: float, rival: float | None) -> dict[str, object]:
    return {
        "metrics": {
            "ADE": {"value": model, "style": "number"},
            "miss rate": {"value": 0.5, "style": "percent"},
        },
        "baselines": {"constant velocity": {"ADE": rival, "miss rate": 0.5}},
    }


def test_the_mean_counts_each_scene_alike() -> None:
    table = summary({"a": report(1.0, 2.0), "b": report(2.0, 4.0)})
    assert table["metrics"] == ["ADE"]
    assert table["scenes"]["b"]["model"]["ADE"] == 2.0
    assert table["mean"] == {"model": {"ADE": 1.5}, "constant velocity": {"ADE": 3.0}}


def test_a_mean_with_a_scene_missing_is_none() -> None:
    assert summary({"a": report(1.0, 2.0), "b": report(2.0, None)})["mean"]["constant velocity"] == {
        "ADE": None
    }


def test_one_command_trains_each_scene(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [
        "driving",
        "leave-one-out",
        "traffic",
        "runs/scenes",
        "--model.kind",
        "lstm",
        "--epochs",
        "1",
        "--json",
    ]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert set(said["scenes"]) == {"grid", "ring"}
    for scene in ("grid", "ring"):
        run = json.loads(Path(f"runs/scenes/{scene}/run.json").read_text())
        assert f"The scene '{scene}' was held out" in run["data"]["split"]
        written = json.loads(Path(f"runs/scenes/{scene}/report.json").read_text())
        assert said["scenes"][scene]["model"]["ADE"] == pytest.approx(written["metrics"]["ADE"]["value"])
    assert json.loads(Path(f"runs/scenes/{SUMMARY}").read_text())["mean"] == said["mean"]
    # Finished scenes are not trained again, and the table for people has a row each.
    assert main([*words[:-1]]) == 0
    told = capsys.readouterr().err
    assert told.count("finished already") == 2
    heads = [line.split() for line in told.splitlines() if line.split()[:1] == ["ADE"]]
    assert heads == [["ADE", "grid", "ring", "mean"]]


def test_one_scene_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"0,{frame * 0.4:.1f},a,{frame},0" for frame in range(30)]
    (tmp_path / "one.csv").write_text("\n".join(["scene,time,agent,x,y", *rows]) + "\n")
    assert main(["driving", "leave-one-out", str(tmp_path / "one.csv"), str(tmp_path / "runs")]) == 2
    assert "expected two scenes or more, found only '0'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_unfinished_run_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = Path("runs/scenes/grid")
    run.mkdir(parents=True)
    (run / "run.json").write_text(
        json.dumps({"format": 1, "pipeline": "driving/predict", "status": "training"})
    )
    assert main(["driving", "leave-one-out", "traffic", "runs/scenes", "--epochs", "1"]) == 2
    assert "expected no unfinished run" in capsys.readouterr().err


def test_all_settings_are_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [f"{scene},{frame * 0.4:.1f},a,{frame},0" for scene in "ab" for frame in range(30)]
    source = tmp_path / "two.csv"
    source.write_text("\n".join(["scene,time,wer,x,y", *rows]) + "\n")
    command = ["driving", "leave-one-out", str(source), str(tmp_path / "runs"), "--units", "ft"]
    assert main([*command, "--columns.agent", "nosuch"]) == 2
    assert "expected the column 'nosuch' that --columns.agent names" in capsys.readouterr().err
    assert main([*command, "--columns.agent", "wer", "--held-out", "a"]) == 2
    assert "--held-out a: expected no single scene" in capsys.readouterr().err
