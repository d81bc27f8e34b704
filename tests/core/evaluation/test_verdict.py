"""Verdicts: which interval says what, in which words."""

from __future__ import annotations

import numpy as np
import pytest

from fivefold.data.leakage import Finding
from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.judge import seen_in_training
from fivefold.evaluation.verdict import overall, sentence, strongest, verdict

from .judged import class_outputs, judge_classes, judge_numbers

NAN = float("nan")


@pytest.mark.parametrize(
    ("low", "high", "higher", "lower"),
    [
        (0.01, 0.02, "beats", "loses to"),
        (-0.02, -0.01, "loses to", "beats"),
        (-0.01, 0.02, "no evidence that it beats", "no evidence that it beats"),
        (0.0, 0.02, "no evidence that it beats", "no evidence that it beats"),
        (-0.02, 0.0, "no evidence that it beats", "no evidence that it beats"),
        (0.0, 0.0, "no evidence that it beats", "no evidence that it beats"),
        (NAN, NAN, "no evidence that it beats", "no evidence that it beats"),
    ],
)
def test_only_an_interval_without_zero_is_evidence(low, high, higher, lower):
    between = Estimate((low + high) / 2, low, high)
    assert verdict(between, higher_is_better=True) == higher
    assert verdict(between, higher_is_better=False) == lower


@pytest.mark.parametrize("value", [0.1, -0.1])
@pytest.mark.parametrize("units", [None, 1, 5])
def test_an_interval_without_width_of_few_units_is_no_evidence(value, units):
    flat = Estimate(value, value, value)
    assert verdict(flat, higher_is_better=True, units=units) == "no evidence that it beats"
    assert verdict(flat, higher_is_better=False, units=units) == "no evidence that it beats"


@pytest.mark.parametrize(("units", "spoken"), [(5, "no evidence that it beats"), (6, "beats")])
def test_an_interval_is_evidence_from_enough_units_on(units, spoken):
    assert verdict(Estimate(0.1, 0.05, 0.15), higher_is_better=True, units=units) == spoken
    assert verdict(Estimate(0.1, 0.1, 0.1), higher_is_better=True, units=units) == spoken


@pytest.mark.parametrize("count", [1, 2, 5])
def test_too_few_units_never_beat_and_the_sentence_says_why(count):
    outputs = class_outputs(300, skill=4.0)
    units = np.arange(300) % count
    evaluation = judge_classes(outputs, baselines={"guessing": class_outputs(skill=0.0, seed=1)}, units=units)
    judgement, words = overall(evaluation)
    assert judgement == "no evidence that it beats"
    assert {one.verdict for one in evaluation.comparisons} == {"no evidence that it beats"}
    plural = "" if count == 1 else "s"
    assert words.endswith(f"; {count} independent unit{plural}, 6 are the least to tell)")
    assert "too few to tell anything from" in evaluation.cautions[0]


def duplicates(splits, rows, *, kind="exact duplicate"):
    return Finding(kind, splits, rows, "Some stand in both.", rows=rows, of=300)


@pytest.mark.parametrize("judged", ["test", "judged"])
def test_what_was_learned_from_is_no_evidence_for_or_against(judged):
    found = (duplicates(("train", "val"), 299), duplicates(("train", judged), 85))
    evaluation = judge_classes(
        class_outputs(300, skill=4.0),
        baselines={"guessing": class_outputs(skill=0.0, seed=1)},
        findings=found,
    )
    judgement, words = overall(evaluation)
    assert judgement == "no evidence that it beats"
    assert words.endswith(
        "; 85 of its 300 rows stand in the training data as well, so that it tells memory, not skill)"
    )
    assert {one.withheld for one in evaluation.comparisons} == {seen_in_training(found)}


def test_few_seen_rows_or_near_ones_or_those_of_validation_withhold_nothing():
    assert seen_in_training(()) == ""
    assert seen_in_training([duplicates(("train", "test"), 2)]) == ""
    assert seen_in_training([duplicates(("train", "test"), 3)]) != ""
    assert seen_in_training([duplicates(("val", "test"), 300), duplicates(("test", "test"), 300)]) == ""
    assert seen_in_training([duplicates(("train", "test"), 300, kind="near duplicate")]) == ""
    assert "are of groups trained on" in seen_in_training(
        [duplicates(("train", "test"), 30, kind="group overlap")]
    )


def test_a_model_without_mistakes_beats_one_with_nothing_right():
    target = np.arange(60) % 3
    right, wrong = np.eye(3)[target], np.eye(3)[(target + 1) % 3]
    evaluation = judge_classes(
        {"probabilities": right, "target": target}, baselines={"wrong": {"probabilities": wrong}}
    )
    judgement, words = overall(evaluation)
    assert judgement == "beats"
    assert words == (
        "Beats wrong: accuracy 100.0 % against 0.0 %, difference +100.0 points (95 % interval not determined, as all "
        "resamples agree)"
    )
    assert evaluation.estimates["accuracy"].low == pytest.approx(0.025 ** (1 / 60))
    assert np.isnan(evaluation.estimates["log loss"].low)
    assert any("the same accuracy: the interval is the exact one" in note for note in evaluation.notes)
    assert any("log loss" in note and "is not determined" in note for note in evaluation.notes)


def test_a_skilled_model_beats_and_the_sentence_says_how():
    evaluation = judge_classes(
        class_outputs(skill=4.0), baselines={"guessing": class_outputs(skill=0.0, seed=1)}
    )
    judgement, words = overall(evaluation)
    assert judgement == "beats"
    rival = strongest(evaluation.comparisons, evaluation.headline)
    assert rival is not None
    value, against = f"{100 * rival.model.value:.1f}", f"{100 * rival.reference.value:.1f}"
    assert words.startswith(f"Beats guessing: accuracy {value} % against {against} %, difference +")
    assert " points (95 % interval +" in words


def test_a_model_like_its_baseline_has_no_evidence():
    outputs = class_outputs(skill=1.0)
    judgement, words = overall(judge_classes(outputs, baselines={"itself": outputs}))
    assert judgement == "no evidence that it beats"
    assert words.startswith("No evidence that it beats itself: accuracy")
    assert "difference +0.0 points (95 % interval not determined)" in words


def test_the_overall_verdict_is_against_the_strongest_baseline():
    evaluation = judge_classes(
        class_outputs(skill=1.0),
        baselines={"weak": class_outputs(skill=0.0, seed=1), "strong": class_outputs(skill=5.0, seed=2)},
    )
    judgement, words = overall(evaluation)
    assert judgement == "loses to"
    assert words.startswith("Loses to strong: ")
    assert {one.verdict for one in evaluation.comparisons if one.baseline == "weak"} == {"beats"}


def test_errors_are_better_when_lower():
    target = np.random.default_rng(0).normal(size=200)
    outputs = {"target": target, "prediction": target + 0.1}
    evaluation = judge_numbers(
        outputs, {"mean": {"prediction": np.zeros(200)}, "near": {"prediction": target + 0.05}}
    )
    verdicts = {(one.metric, one.baseline): one.verdict for one in evaluation.comparisons}
    assert verdicts == {
        ("MAE", "mean"): "beats",
        ("RMSE", "mean"): "beats",
        ("MAE", "near"): "loses to",
        ("RMSE", "near"): "loses to",
    }
    rival = strongest(evaluation.comparisons, evaluation.headline)
    assert rival is not None
    assert rival.baseline == "near"
    assert sentence(rival, evaluation.headline, 0.95) == (
        "Loses to near: MAE 0.100 against 0.050, difference +0.050 (95 % interval not determined, as all "
        "resamples agree)"
    )


def test_without_a_baseline_there_is_no_verdict():
    evaluation = judge_classes()
    judgement, words = overall(evaluation)
    assert judgement is None
    assert words.endswith("but there is no baseline to compare it with")
    assert evaluation.summary()["verdict"] is None


def test_an_undefined_baseline_is_not_the_strongest():
    evaluation = judge_numbers(
        {"target": np.zeros(50), "prediction": np.ones(50)},
        {"broken": {"prediction": np.full(50, NAN)}, "fine": {"prediction": np.full(50, 3.0)}},
    )
    assert overall(evaluation)[1].startswith("Beats fine: ")
