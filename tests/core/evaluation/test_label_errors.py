"""Confident learning on planted errors."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.label_errors import suspects

from .judged import class_outputs


def test_planted_errors_are_found():
    outputs = class_outputs(1000, classes=4, skill=7.0)
    planted = np.random.default_rng(0).choice(1000, size=30, replace=False)
    given = outputs["target"].copy()
    given[planted] = (given[planted] + 1) % 4
    found = suspects(outputs["probabilities"], given)
    hits = {one.index for one in found} & set(planted.tolist())
    assert len(hits) >= 27
    assert len(found) <= 33
    first = found[0]
    assert first.given == given[first.index]
    assert first.suggested == outputs["target"][first.index]
    margins = [one.margin for one in found]
    assert margins == sorted(margins, reverse=True)
    assert min(margins) > 0


def test_by_hand():
    # Class 0 is usually given 0.7 on its own samples, class 1 usually 0.55: only the third is as sure of it.
    first = np.array([0.9, 0.8, 0.4, 0.3, 0.6, 0.55])
    probabilities = np.stack([first, 1 - first], axis=1)
    target = np.array([0, 0, 0, 1, 1, -1])
    found = suspects(probabilities, target)
    assert [(one.index, one.given, one.suggested) for one in found] == [(2, 0, 1)]
    np.testing.assert_allclose(found[0].margin, 0.2)


def test_clean_labels_raise_no_suspicion():
    outputs = class_outputs(200, classes=3, skill=30.0)
    assert suspects(outputs["probabilities"], outputs["target"]) == ()


def test_a_class_without_samples_is_not_suggested():
    probabilities = np.array([[0.1, 0.1, 0.8], [0.1, 0.1, 0.8], [0.1, 0.9, 0.0]])
    assert suspects(probabilities, np.array([0, 0, 1])) == ()


def test_unlabelled_samples_are_passed_over():
    assert suspects(np.array([[0.9, 0.1]]), np.array([-1])) == ()
