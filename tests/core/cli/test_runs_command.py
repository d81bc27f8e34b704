from __future__ import annotations

import json
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
    assert "weather/nowcast" in err
    assert "complete" in err
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


def test_only_runs_of_one_pipeline_and_the_same_data_compare(capsys: pytest.CaptureFixture[str]) -> None:
    Run.create(Path("one"), {}, {"pipeline": "a/b", "data": {"fingerprint": "x"}})
    Run.create(Path("two"), {}, {"pipeline": "a/b", "data": {"fingerprint": "y"}})
    Run.create(Path("three"), {}, {"pipeline": "a/c"})
    assert main(["runs", "compare", "one", "two"]) == 0
    err = capsys.readouterr().err
    assert "The settings are the same in all." in err
    assert "their metrics cannot be compared" in err
    assert main(["runs", "compare", "one", "three"]) == 2
    assert "expected runs of one pipeline, found a/b, a/c" in capsys.readouterr().err
