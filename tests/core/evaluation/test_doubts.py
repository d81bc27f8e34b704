"""Doubts of data are kept with the facts, and told once."""

from __future__ import annotations

from fivefold.data.dataset import Facts
from fivefold.evaluation.doubts import all_doubts, keep_doubts


def test_those_of_training_come_first_and_none_twice() -> None:
    facts = Facts()
    keep_doubts(facts, ("two gaps", "no zone"))
    assert all_doubts(facts, ("no zone", "one gap")) == ["two gaps", "no zone", "one gap"]
    assert facts == {"doubts": ["two gaps", "no zone"]}  # as JSON has it


def test_facts_without_doubts_say_nothing_of_them() -> None:
    facts = Facts()
    keep_doubts(facts, ())
    assert facts == {}
    assert all_doubts(facts, ("one gap",)) == ["one gap"]
