"""Doubts of the data that were learned from, and of others."""

from __future__ import annotations

from fivefold.data.dataset import Facts
from fivefold.evaluation.doubts import all_doubts, keep_doubts, marked_of_training


def test_doubts_of_the_training_data_are_told_apart_from_those_of_the_data_judged() -> None:
    facts = Facts()
    keep_doubts(facts, ["old", "both"])
    cautions = all_doubts(facts, ["both", "new"])
    assert cautions == ["old", "both", "new"]
    assert marked_of_training(cautions, facts, ["both", "new"]) == ["In training: old", "both", "new"]
    assert marked_of_training(["other"], Facts(), []) == ["other"]
