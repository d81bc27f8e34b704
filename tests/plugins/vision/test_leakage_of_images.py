import json
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from fivefold.data.leakage import search, search_tables
from fivefold_vision.classify.pipeline import Classify


def test_the_eight_images_that_stand_in_two_splits_of_pneumoniamnist(shared: Path) -> None:
    path = shared / "pneumoniamnist" / "pneumoniamnist_trainval.npz"
    classify = Classify()
    table = classify.read(path)
    assert len(table) == 5232
    given = {name: table.take(np.flatnonzero(table["split"] == name)) for name in ("train", "val")}
    findings = search_tables(given, classify.fingerprints)
    exact = {finding.splits: finding for finding in findings if finding.kind == "exact duplicate"}
    assert exact["train", "val"].count == 8
    assert exact["train", "val"].severe
    # Where the test split is carved from training, the eight show up against validation from either side.
    found = search(classify.split(table), classify.fingerprints)
    counts = {finding.splits: finding.count for finding in found if finding.kind == "exact duplicate"}
    assert counts["train", "val"] + counts.get(("val", "test"), 0) >= 8


def test_the_check_tells_a_user_of_them(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shared / "pneumoniamnist" / "pneumoniamnist_trainval.npz"
    assert main(["data", "check", str(path), "--json"]) == 0
    readers = json.loads(capsys.readouterr().out)["pipelines"]
    (reader,) = (reader for reader in readers if reader["pipeline"] == "vision/classify")
    exact = {
        tuple(found["splits"]): found for found in reader["findings"] if found["kind"] == "exact duplicate"
    }
    assert exact["train", "val"]["count"] == 8
    assert exact["train", "train"]["count"] == 18
    assert main(["data", "check", str(path), "--strict"]) == 2
    assert "8 samples stand in both the training and the validation split" in capsys.readouterr().err
