"""Lists of images with other columns than those of the training, at the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.main import main
from plugins.vision.test_bad_input_at_the_command_line import QUICK
from plugins.vision.test_listed_columns import listed

CLASSIFY = ("vision", "classify")
NAMED = ("--columns.path", "datei", "--columns.label", "klasse")


def test_a_list_with_other_columns_is_judged_and_predicted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = listed(tmp_path / "usual")
    other = listed(tmp_path / "other", header="datei,klasse,patient")
    run = str(tmp_path / "run")
    words = [*CLASSIFY, "train", str(usual), *QUICK, "--device", "cpu", "--out", run]
    assert main(words) == 0
    capsys.readouterr()

    assert main([*CLASSIFY, "evaluate", run, str(other / "labels.csv")]) == 2
    told = capsys.readouterr().err
    assert "name the columns by --columns.path and --columns.label, or rename them" in told
    found = []
    for source in ([str(usual)], [str(other), *NAMED]):
        assert main([*CLASSIFY, "evaluate", run, *source, "--device", "cpu", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["evaluation"])
    assert found[0]["metrics"] == found[1]["metrics"]
    told = "Read with --columns.path datei --columns.label klasse, and otherwise as in training."
    assert told in found[1]["notes"]

    table = other / "labels.csv"
    assert main([*CLASSIFY, "predict", run, str(table)]) == 2
    assert "name the columns by --columns.path, or rename them" in capsys.readouterr().err
    assert main([*CLASSIFY, "predict", run, str(table), "--columns.path", "file"]) == 2
    assert "expected the column 'file' that --columns.path names" in capsys.readouterr().err
    found = []
    for source in ([str(usual / "labels.csv")], [str(table), *NAMED[:2]]):
        assert main([*CLASSIFY, "predict", run, *source, "--device", "cpu", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["predictions"])
    assert [one["probabilities"] for one in found[0]] == [one["probabilities"] for one in found[1]]
