import os
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.leakage import search, search_tables
from fivefold_vision.classify.pipeline import Classify

SHARED = Path(os.environ.get("FIVEFOLD_SHARED", Path(__file__).parents[3].parent / "shared"))


def test_the_eight_images_that_stand_in_two_splits_of_pneumoniamnist() -> None:
    path = SHARED / "data" / "pneumoniamnist" / "pneumoniamnist_trainval.npz"
    if not path.is_file():
        pytest.skip("the shared data are not here")
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
