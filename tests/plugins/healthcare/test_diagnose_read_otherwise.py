"""Tables of labels with other columns than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fivefold.cli.main import main
from plugins.healthcare.diagnose_cases import DIAGNOSE, png_table, predicted, refused, train


def renamed(file: Path, **names: str) -> Path:
    """The table with other names in its header."""
    head, _, rows = file.read_text().partition("\n")
    file.write_text(",".join(names.get(name, name) for name in head.strip().split(",")) + "\n" + rows)
    return file


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a table with names of its own, and subgroups."""
    folder = tmp_path_factory.mktemp("named")
    table = png_table(folder / "data", ward=["A", "B"] * 20)
    renamed(table, path="file", label="finding", patient="case")
    columns = ("--columns.path", "file", "--columns.labels", "finding", "--columns.patient", "case")
    train(table, folder / "run", *columns, "--subgroups", "ward")
    return folder / "run"


def judged(capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    capsys.readouterr()
    assert main([*DIAGNOSE, "evaluate", *map(str, words), "--device", "cpu", "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["evaluation"]
    return found


def test_usual_and_named_columns_of_another_site(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = png_table(tmp_path / "usual", 20, seed=5, ward=["A", "B"] * 10)
    other = png_table(tmp_path / "other", 20, seed=5, station=["A", "B"] * 10)
    renamed(other, path="image", label="result", patient="who")
    expected = judged(capsys, run, usual)
    assert expected["interval"] == {**expected["interval"], "unit": "patient", "units": 10}
    assert "expected a column that names the image (file, " in refused(capsys, "evaluate", run, other)
    named = ("--columns.path", "image", "--columns.labels", "result", "--columns.patient", "who")
    assert "correct --subgroups" in refused(capsys, "evaluate", run, other, *named)
    found = judged(capsys, run, other, *named, "--subgroups", "station")
    assert found["metrics"] == expected["metrics"]
    assert found["interval"] == expected["interval"]
    assert any("--columns.path image" in note for note in found["notes"])
    said = refused(capsys, "evaluate", run, other, *named[:4], "--columns.patient", "whom")
    assert "expected the column 'whom' that --columns.patient names" in said


def test_predictions_of_named_columns(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = png_table(tmp_path / "usual", 6, seed=5)
    other = renamed(png_table(tmp_path / "other", 6, seed=5), path="image")
    expected = predicted(capsys, run, usual, "--device", "cpu")
    assert predicted(capsys, run, other, "--columns.path", "image", "--device", "cpu") == expected
    said = refused(capsys, "predict", run, tmp_path / "other", "--columns.path", "image")
    assert "expected a table, of which --columns.path names a column" in said


def test_as_many_labels_as_in_training(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = png_table(tmp_path / "data", 4)
    labels = ("--columns.labels", "a", "--columns.labels", "b")
    said = refused(capsys, "evaluate", run, table, *labels)
    assert "expected 1 columns of labels, as in training, found a, b" in said
