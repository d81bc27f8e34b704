"""From outputs to a judgement."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from fivefold.config import EvaluationConfig
from fivefold.errors import DataError
from fivefold.evaluation.judge import judge
from fivefold.tasks.classification import Classification

from .judged import class_outputs, judge_classes, judge_numbers, samples_like


def test_every_metric_has_an_interval_around_its_value():
    evaluation = judge_classes()
    assert evaluation.metrics[0].name == evaluation.headline.name == "accuracy"
    assert set(evaluation.estimates) == {metric.name for metric in evaluation.metrics}
    for estimate in evaluation.estimates.values():
        assert estimate.low <= estimate.value <= estimate.high
    assert evaluation.unit_name == "sample"
    json.dumps(evaluation.summary(), allow_nan=False)


def test_headline_metrics_are_compared_with_every_baseline():
    evaluation = judge_classes(baselines={"a": class_outputs(seed=1), "b": class_outputs(seed=2)})
    pairs = {(one.metric, one.baseline) for one in evaluation.comparisons}
    assert pairs == {(metric, name) for metric in ("accuracy", "macro F1", "log loss") for name in "ab"}
    assert "target" in evaluation.baseline_outputs["a"]


def test_units_are_named_and_widen_intervals():
    outputs = class_outputs(300, skill=1.0)
    # Every patient is wholly right or wholly wrong.
    right = np.repeat(np.arange(30) % 3 != 0, 10)
    outputs["probabilities"] = np.full((300, 3), 0.1)
    outputs["probabilities"][np.arange(300), (outputs["target"] + ~right) % 3] = 0.8
    alone = judge_classes(outputs).estimates["accuracy"]
    grouped = judge_classes(outputs, units=np.repeat(np.arange(30), 10), unit="patient")
    assert grouped.unit_name == "patient"
    wide = grouped.estimates["accuracy"]
    assert wide.high - wide.low > 2 * (alone.high - alone.low)
    assert wide.value == alone.value == pytest.approx(2 / 3)


def test_a_baseline_that_lacks_a_metrics_keys_is_noted():
    evaluation = judge_classes(baselines={"odd": {"something": np.zeros(300)}}, notes=("kept",))
    assert evaluation.comparisons == ()
    assert evaluation.notes[0] == "kept"
    assert "The baseline odd gives no outputs to compute accuracy from" in evaluation.notes[1]


def test_a_constant_target_is_noted_and_judged():
    evaluation = judge_numbers({"target": np.ones(40), "prediction": np.zeros(40)})
    assert np.isnan(evaluation.estimates["R2"].value)
    assert any("on 200 of 200 resamples R2 of the model" in note for note in evaluation.notes)


@pytest.mark.parametrize(
    ("outputs", "count", "message"),
    [
        ({"probabilities": np.ones((3, 2)) / 2}, 3, "test split carries no labels"),
        (
            {"probabilities": np.ones((3, 2)) / 2, "target": np.zeros(3, int)},
            4,
            "has 4 samples and 3 outputs",
        ),
        ({"probabilities": np.ones((0, 2)), "target": np.zeros(0, int)}, 0, "has 0 samples and 0 outputs"),
    ],
)
def test_what_cannot_be_judged(outputs, count, message):
    with pytest.raises(DataError, match=message):
        judge(
            task=Classification(torch.nn.Identity(), "ab"),
            facts=samples_like(np.zeros(1, int)).facts,
            outputs=outputs,
            samples=samples_like(np.zeros(count, int)),
            split="test",
            baseline_outputs={},
            findings=(),
            config=EvaluationConfig(),
            seed=0,
        )
