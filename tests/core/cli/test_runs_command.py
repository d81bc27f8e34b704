from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fivefold.cli.main import main
from fivefold.runs import Run


def test_a_run_is_listed_shown_and_compared(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "weather",
        "nowcast",
        "train",
        "rain.csv",
        "--epochs",
        "2",
        "--hidden",
        "4",
        "--out",
        "runs/longer",
    ]
    assert main(words) == 0
    capsys.readouterr()
    assert main(["runs", "list"]) == 0
    err = capsys.readouterr().err
    assert "longer" in err  # the rest may be folded, where the terminal is narrow
    assert main(["runs", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["runs"]
    assert [one["run"] for one in listed] == ["runs/longer", "runs/rain"]
    assert listed[0]["value"] is not None

    assert main(["runs", "show", str(trained)]) == 0
    assert "Report: runs/rain/report.html" in capsys.readouterr().err
    assert main(["runs", "show", str(trained), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["epochs"] == 1

    assert main(["runs", "compare", "runs/rain", "runs/longer"]) == 0
    err = capsys.readouterr().err
    assert "Settings that differ" in err
    assert "epochs" in err
    assert main(["runs", "compare", "runs/rain", "runs/longer", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["settings"] == {"epochs": [1, 2]}


def test_the_commands_of_a_resumed_run_are_shown(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = Run.open(trained)
    run.update(
        command="second", commands=[{"command": "first", "step": 0}, {"command": "second", "step": 1800}]
    )
    assert main(["runs", "show", str(trained)]) == 0
    err = capsys.readouterr().err
    assert re.search(r"command +second", err)
    assert re.search(r"command at step 0 +first", err)
    assert main(["runs", "compare", str(trained), str(trained), "--no-test"]) == 0
    assert "Note: runs/rain was trained by more than one command" in capsys.readouterr().err


def test_nothing_to_list_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "list"]) == 0
    assert "No runs below runs" in capsys.readouterr().err


def test_runs_that_cannot_be_read_do_not_hide_others(capsys: pytest.CaptureFixture[str]) -> None:
    fine = Run.create(Path("runs/fine"), {"epochs": 1}, {"pipeline": "a/b"})
    fine.update(status="interrupted")
    newer = Run.create(Path("runs/newer"), {}, {"pipeline": "a/b"})
    newer.update(format=99)
    assert main(["runs", "list"]) == 0
    err = capsys.readouterr().err
    assert "interrupted" in err
    assert "found format 99" in err
    assert main(["runs", "show", "runs/fine"]) == 0


def test_only_runs_of_one_pipeline_compare(capsys: pytest.CaptureFixture[str]) -> None:
    Run.create(Path("one"), {}, {"pipeline": "a/b", "data": {"fingerprint": "x"}})
    Run.create(Path("two"), {}, {"pipeline": "a/b", "data": {"fingerprint": "y"}})
    Run.create(Path("three"), {}, {"pipeline": "a/c"})
    assert main(["runs", "compare", "one", "two"]) == 0
    err = capsys.readouterr().err
    assert "The settings are the same in all." in err
    assert "no paired test, because" in err
    assert main(["runs", "compare", "one", "three"]) == 2
    assert "expected runs of one pipeline, found a/b, a/c" in capsys.readouterr().err


def train_rain(out: str, *words: str) -> None:
    assert main(["weather", "nowcast", "train", "rain.csv", "--out", out, *words]) == 0


def test_runs_on_the_same_samples_are_compared_pair_by_pair(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_rain("runs/twin", "--epochs", "1", "--hidden", "4")
    capsys.readouterr()
    assert main(["runs", "compare", str(trained), "runs/twin", "--json"]) == 0
    (paired,) = json.loads(capsys.readouterr().out)["paired"]
    report = Run.open(trained).report
    assert report is not None
    assert paired["samples"] == report["samples"]
    for name, one in paired["metrics"].items():
        assert one["first"] == pytest.approx(
            {key: report["metrics"][name][key] for key in ("value", "low", "high")}
        )
        ends = {one["difference"]["low"], one["difference"]["high"]}
        assert ends <= {0, None}  # the same training twice; R2 of a single sample is not defined
        assert one["verdict"] == "no evidence that it beats"

    train_rain("runs/worse", "--epochs", "1", "--optimizer.lr", "10")
    capsys.readouterr()
    assert main(["runs", "compare", str(trained), "runs/worse"]) == 0
    err = capsys.readouterr().err
    assert "Paired test on the same test samples: 1" in err
    assert "Note: no verdict is spoken on MAE" in err
    assert "1 independent unit, 6 are the least to tell" in " ".join(err.split())


def test_runs_on_other_samples_have_no_paired_test_and_the_reason_is_told(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train_rain("runs/wide", "--epochs", "1", "--lookback", "5")
    capsys.readouterr()
    assert main(["runs", "compare", str(trained), "runs/wide"]) == 0
    assert "expected runs judged on the same test samples, found" in capsys.readouterr().err
    assert main(["runs", "compare", str(trained), "runs/wide", "--no-test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["paired"] == [None]


def test_cleaning_removes_checkpoints_of_finished_runs_alone(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoints = trained / "checkpoints"
    taken = sum(file.stat().st_size for file in checkpoints.rglob("*") if file.is_file())
    for name, status in (("stopped", "interrupted"), ("going", "training")):
        Run.create(Path("runs") / name, {}, {"pipeline": "a/b", "status": status})
    Path("runs/broken").mkdir()
    Path("runs/broken/run.json").write_text("{", encoding="utf-8")
    assert main(["runs", "clean", "--json"]) == 0
    answer, err = capsys.readouterr()
    assert json.loads(answer) == {
        "removed": False,
        "bytes": taken,
        "folders": [
            {"path": str(checkpoints), "bytes": taken, "reason": "checkpoints of a finished run"},
        ],
    }
    assert "broken" in err
    assert checkpoints.is_dir()

    assert main(["runs", "clean", "--yes", "--unfinished"]) == 0
    assert "given back" in capsys.readouterr().err
    assert not checkpoints.exists()
    assert not Path("runs/stopped").exists()
    assert Path("runs/going").is_dir()
    assert Path("runs/broken").is_dir()
    assert main(["weather", "nowcast", "predict", str(trained), "rain.csv"]) == 0
    capsys.readouterr()
    assert main(["runs", "clean"]) == 0
    assert "Nothing to remove below runs" in capsys.readouterr().err
