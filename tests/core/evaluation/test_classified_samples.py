"""Which classified samples a report shows, and what it says of them."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.classified_samples import surest_right, told_guess, told_suspect
from fivefold.evaluation.label_errors import Suspect

from .judged import judge_classes

CLASSES = ("cat", "dog", "owl")


def probabilities() -> dict[str, np.ndarray]:
    """Cats that are right at 0.6, 0.9 and 0.9, a dog that is wrong, an owl that is right."""
    rows = np.array([[0.6, 0.3, 0.1], [0.9, 0.1, 0], [0.9, 0, 0.1], [0.7, 0.2, 0.1], [0, 0.25, 0.75]])
    return {"probabilities": rows, "logits": np.log(rows + 1e-9), "target": np.array([0, 0, 0, 1, 2])}


def test_the_surest_right_ones_class_by_class() -> None:
    evaluation = judge_classes(probabilities())
    assert surest_right(evaluation, of_a_class=1) == [1, 4]  # of equal ones the first; no dog is right
    assert surest_right(evaluation, of_a_class=2) == [1, 2, 4]
    assert surest_right(evaluation, of_a_class=2, most=2) == [1, 2]


def test_what_is_said_of_a_guess() -> None:
    evaluation = judge_classes(probabilities())
    assert told_guess(evaluation, CLASSES, 4) == "sample 4: owl (75 %), right"
    assert told_guess(evaluation, CLASSES, 3) == "sample 3: taken for cat (70 %), labelled dog"


def test_what_is_said_of_a_suspect() -> None:
    evaluation = judge_classes(probabilities())
    told = told_suspect(evaluation, CLASSES, Suspect(3, given=1, suggested=0, margin=0.5))
    assert told == "sample 3: labelled dog, seems to be cat"
