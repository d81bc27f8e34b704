"""Transactions with other columns than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fivefold.cli.main import main
from plugins.finance.fraud_cases import HEAD, payments, write_csv
from plugins.finance.test_fraud_at_the_command_line import FRAUD, trained

OTHER = ("when", "karte", "sum", "x", "shop", "is_bad")
NAMED = ("--columns.time", "when", "--columns.account", "karte", "--columns.amount", "sum")
LABEL = ("--columns.label", "is_bad")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("run"), "gru", HEAD)


def result_of(capsys: pytest.CaptureFixture[str], *words: object) -> Any:
    capsys.readouterr()
    assert main([*FRAUD, *map(str, words), "--device", "cpu", "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    capsys.readouterr()
    assert main([*FRAUD, *map(str, words)]) == 2
    return capsys.readouterr().err


def test_other_columns_are_judged_predicted_and_followed(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = payments(200, seed=3)
    usual, other = write_csv(tmp_path / "usual.csv", rows), write_csv(tmp_path / "other.csv", rows, OTHER)
    said = refused(capsys, "evaluate", run, other)
    assert "expected the column 'time', as in training, found when, karte, sum, " in said
    assert "name it by --columns.time, or rename it" in said
    said = refused(capsys, "evaluate", run, other, *NAMED, "--columns.label", "bad")
    assert "expected the column 'bad' that --columns.label names" in said
    expected = result_of(capsys, "evaluate", run, usual)["evaluation"]
    found = result_of(capsys, "evaluate", run, other, *NAMED, *LABEL)["evaluation"]
    assert found["metrics"] == expected["metrics"]
    assert found["baselines"].keys() == expected["baselines"].keys() != set()
    assert any(note.startswith("Read with --columns.time when ") for note in found["notes"])

    expected = result_of(capsys, "predict", run, usual)["predictions"]
    assert result_of(capsys, "predict", run, other, *NAMED)["predictions"] == expected
    follow = [*FRAUD, "predict", str(run), str(other), "--follow", "--idle", "0", "--device", "cpu"]
    assert main([*follow, *NAMED]) == 0
    streamed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    scores = [one["score"] for one in expected]
    assert [one["score"] for one in streamed] == pytest.approx(scores, abs=1e-6)
    assert main(follow) == 2
    assert "expected the column 'time', as in training" in capsys.readouterr().err


def test_settings_that_are_learned_are_not_offered(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_csv(tmp_path / "usual.csv", payments(50))
    assert "--columns.ignore" in refused(capsys, "evaluate", run, data, "--columns.ignore", "x")
    said = refused(capsys, "evaluate", run, data, "--zone", "Europe/Brusels")
    assert "option --zone: expected a zone of IANA's such as Europe/Brussels, found 'Europe/Brusels'" in said
