"""Exclusive classes: what is predicted is one class, what is reported counts right ones; and unlike modalities."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from torch import nn

from fivefold.data.dataset import Facts
from fivefold.data.labels import texts
from fivefold.data.table import Table
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.classes import accuracy_section
from fivefold_healthcare.diagnose.unlike import modalities_of, unlike_notes


def test_no_two_exclusive_classes_are_above_their_thresholds_at_once() -> None:
    task = Questions(nn.Identity(), ("a", "b", "c"), form="exclusive", classes=("a", "b", "c"))
    task.threshold[:] = 0.2
    outputs = {"probabilities": np.array([[0.5, 0.3, 0.2], [0.1, 0.45, 0.45]], np.float32)}
    records = task.decode(outputs, Facts())
    assert [record["label"] for record in records] == ["a", "b"]
    assert [list(record["above_threshold"].values()) for record in records] == [
        [True, False, False],
        [False, True, False],
    ]
    task.threshold[0] = 0.9
    assert not any(task.decode(outputs, Facts())[0]["above_threshold"].values())


def judged(right: Sequence[bool], target: Sequence[int]) -> Any:
    """All that the section reads of a judgement of two classes."""
    guesses = np.where(right, target, 1 - np.array(target))
    outputs = {"probabilities": np.eye(2)[guesses], "target": np.array(target)}
    return SimpleNamespace(outputs=outputs, units=None, resamples=200, seed=0, level=0.95)


def test_accuracy_and_its_interval() -> None:
    target = [0] * 12 + [1] * 8
    facts = accuracy_section(judged([True] * 15 + [False] * 5, target)).facts
    assert facts["accuracy"]["value"] == pytest.approx(0.75)
    assert facts["accuracy"]["low"] < 0.75 < facts["accuracy"]["high"]
    assert facts["commonest_class"] == pytest.approx(0.6)
    perfect = accuracy_section(judged([True] * 20, target)).facts
    assert perfect["accuracy"]["low"] == pytest.approx(0.025 ** (1 / 20))  # Clopper and Pearson


def inputs(*modalities: str) -> Table:
    return Table({"id": texts(["x"] * len(modalities)), "modality": texts(modalities)}, source="here")


def test_modalities_that_were_not_learned_from_are_told() -> None:
    assert modalities_of(inputs("CR", "", "CR")) == ["", "CR"]
    (note,) = unlike_notes(inputs("CT", "CR", "US", "CT"), Facts(modalities=["", "CR"]))
    assert (
        "3 of 4 images are of a modality that the model has not learned from (CT 2, US 1; it learned from"
        in note
    )
    assert "images without a DICOM header, CR)" in note
    assert unlike_notes(inputs("CR", ""), Facts(modalities=["CR"])) == []
    assert unlike_notes(inputs("CT"), Facts()) == []
