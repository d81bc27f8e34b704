"""Doubts of the data that were learned from, and of others."""

from __future__ import annotations

import pytest

from fivefold.data.dataset import Facts
from fivefold.data.leakage import Finding
from fivefold.evaluation.doubts import all_doubts, keep_doubts, marked_of_training
from fivefold.evaluation.page import _leaking

from .judged import judge_classes


def test_doubts_of_the_training_data_are_told_apart_from_those_of_the_data_judged() -> None:
    facts = Facts()
    keep_doubts(facts, ["old", "both"])
    cautions = all_doubts(facts, ["both", "new"])
    assert cautions == ["old", "both", "new"]
    assert marked_of_training(cautions, facts, ["both", "new"]) == ["In training: old", "both", "new"]
    assert marked_of_training(["other"], Facts(), []) == ["other"]


@pytest.mark.parametrize(
    ("kind", "rows", "told"),
    [
        ("near duplicate", 2, False),
        ("near duplicate", 3, True),
        ("exact duplicate", 30, True),
        ("time overlap", 0, True),
    ],
)
def test_leakage_heads_the_page_where_it_concerns_a_good_part(kind: str, rows: int, told: bool) -> None:
    found = Finding(kind, ("train", "test"), rows, f"{rows} rows.", rows=rows, of=300)
    other = Finding("exact duplicate", ("train", "val"), 300, "All of validation.", rows=300, of=300)
    assert _leaking(judge_classes(findings=(found,))) == (
        [f"The numbers below may be too good, for there is leakage: {rows} rows."] if told else []
    )
    both = _leaking(judge_classes(findings=(other, found)))
    assert both[0].endswith(f"{rows} rows. 1 more severe finding below." if told else "All of validation.")
