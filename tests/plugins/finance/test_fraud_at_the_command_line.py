"""Trained, judged and followed by the words that people type."""

from __future__ import annotations

import csv
import json
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import yaml

from fivefold.cli.main import main
from fivefold.data import following
from plugins.finance.fraud_cases import HEAD, payments, write_csv

FRAUD = ("finance", "fraud")
ROWS = payments(400, seed=1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run on small payments."""
    return trained(tmp_path_factory.mktemp("run"), "gru", HEAD)


def trained(folder: Path, kind: str, head: tuple[str, ...]) -> Path:
    settings = {
        "epochs": 1,
        "lookback": 4,
        "rare": 3,
        "model": {"kind": kind, "hidden": 8, "layers": 1, "members": 2, "state": 6, "bottleneck": 2},
        "evaluation": {"resamples": 100},
        "trainer": {"probe": False},
    }
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    data = write_csv(folder / "payments.csv", [row[: len(head)] for row in ROWS], head)
    words = ["train", str(data), "--config", str(folder / "settings.yaml"), "--out", str(folder / "run")]
    assert main([*FRAUD, *words, "--device", "cpu"]) == 0
    return folder / "run"


def test_a_run_is_judged_against_its_baselines(run: Path) -> None:
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    assert next(iter(report["metrics"])) == "AUPRC"
    rivals = {one["baseline"] for one in report["comparisons"]}
    assert {name.split(" on ")[0] for name in rivals} == {
        "prevalence",
        "logistic regression",
        "random forest",
        "gradient boosting",
    }


def test_a_file_is_followed_to_its_end(run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data = run.parent / "payments.csv"
    out = tmp_path / "scores.csv"
    follow = [*FRAUD, "predict", str(run), str(data), "--follow", "--idle", "0", "--device", "cpu"]
    assert main([*follow, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"] == len(ROWS)
    assert main(follow) == 0
    streamed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert main([*FRAUD, "predict", str(run), str(data), "--device", "cpu", "--json"]) == 0
    batch = json.loads(capsys.readouterr().out)["predictions"]
    with out.open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [one["id"] for one in streamed] == [one["id"] for one in written] == [one["id"] for one in batch]
    expected = [one["score"] for one in batch]
    np.testing.assert_allclose([one["score"] for one in streamed], expected, atol=1e-6)
    np.testing.assert_allclose([float(one["score"]) for one in written], expected, atol=1e-6)


def test_stdin_is_followed_and_its_bad_lines_named(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = (run.parent / "payments.csv").read_text(encoding="utf-8").splitlines()[:4]
    reading, writing = os.pipe()
    with os.fdopen(reading) as stdin, os.fdopen(writing, "w") as end:
        end.write("\n".join([*lines, "broken"]))
        end.close()
        monkeypatch.setattr("sys.stdin", stdin)
        assert main([*FRAUD, "predict", str(run), "-", "--follow", "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    records = [json.loads(line) for line in printed.out.splitlines()]
    assert [record["score"] is None for record in records] == [False, False, False, True]
    assert "-, row 5: expected 6 cells as in the header" in printed.err
    assert "4 lines predicted" in printed.err


def test_ctrl_c_ends_it_with_all_that_was_read(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = run.parent / "payments.csv"
    # The file ends, is waited for, and there Ctrl-C is pressed.
    monkeypatch.setattr(following.time, "sleep", lambda _: signal.raise_signal(signal.SIGINT))
    # A shell's background jobs ignore Ctrl-C, and so would a test among them, for ever.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        assert main([*FRAUD, "predict", str(run), str(data), "--follow", "--device", "cpu"]) == 0
    finally:
        signal.signal(signal.SIGINT, before)
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == len(ROWS)
    assert "stopped by Ctrl-C" in printed.err


def test_words_that_do_not_fit_are_refused(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict = [*FRAUD, "predict", str(run)]
    assert main([*predict, "a.csv", "b.csv", "--follow"]) == 2
    assert "--follow expects one file, or - for stdin, found 2 inputs" in capsys.readouterr().err
    assert main([*predict, "a.csv", "--follow", "--json"]) == 2
    assert "give --out, or leave --json away" in capsys.readouterr().err
    assert main([*predict, "absent.csv", "--follow"]) == 2
    assert "absent.csv: expected a file to follow" in capsys.readouterr().err


@pytest.mark.parametrize("head", [HEAD, HEAD[:-1]])
def test_an_autoencoder_is_judged_with_and_without_labels(tmp_path: Path, head: tuple[str, ...]) -> None:
    run = trained(tmp_path, "autoencoder", head)
    report = json.loads((run / "report.json").read_text(encoding="utf-8"))
    names = list(report["metrics"])
    assert names[0] == "reconstruction error"
    assert ("AUPRC" in names) == (head == HEAD)
    assert {one["baseline"] for one in report["comparisons"]} == {"mean", "2 principal components"}
