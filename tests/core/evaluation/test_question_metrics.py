"""Metrics of yes/no questions against scikit-learn, with unknown answers and weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fivefold.errors import DataError
from fivefold.evaluation.bootstrap import resample
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.question_metrics import question_metrics, question_values

NAMES = ("pneumonia", "effusion", "fracture")


def asked(count: int = 200, questions: int = 3, seed: int = 0, unknown: float = 0.2):
    """Outputs with ties (probabilities of two decimals), unknown answers and some skill."""
    generator = np.random.default_rng(seed)
    target = (generator.random((count, questions)) < 0.3).astype(float)
    logits = 1.5 * target - 1 + generator.normal(size=target.shape)
    target[generator.random(target.shape) < unknown] = np.nan
    return {"probabilities": np.round(1 / (1 + np.exp(-logits)), 2), "target": target}


def named(name: str, names: tuple[str, ...] = NAMES) -> Metric:
    return next(metric for metric in question_metrics(names) if metric.name == name)


def log_loss(truth, scores, sample_weight):
    return reference.log_loss(truth, scores, sample_weight=sample_weight, labels=[0, 1])


REFERENCES = {
    "AUROC": reference.roc_auc_score,
    "AUPRC": reference.average_precision_score,
    "Brier score": reference.brier_score_loss,
    "log loss": log_loss,
}


@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("name", REFERENCES)
def test_each_is_the_mean_over_questions_of_scikit_learns(name, weighted):
    outputs = asked()
    weights = np.random.default_rng(1).integers(0, 4, size=200).astype(float) if weighted else None
    values = []
    for truth, scores in zip(outputs["target"].T, outputs["probabilities"].T, strict=True):
        known = ~np.isnan(truth)
        part = None if weights is None else weights[known]
        values.append(REFERENCES[name](truth[known], scores[known], sample_weight=part))
    assert named(name).compute(outputs, weights) == pytest.approx(np.mean(values), abs=1e-12)


def test_order_headlines_and_direction():
    metrics = question_metrics(("a",))
    assert [metric.name for metric in metrics] == ["AUROC", "AUPRC", "Brier score", "log loss"]
    assert [metric.headline for metric in metrics] == [True, True, True, False]
    assert [metric.higher_is_better for metric in metrics] == [True, True, False, False]


def test_by_hand():
    # Sorted by probability the answers are yes, no, yes and no: precision is 1 at the first yes, 2/3 at the second.
    outputs = {
        "probabilities": np.array([[0.9], [0.8], [0.6], [0.2], [0.99]]),
        "target": np.array([[1.0], [0.0], [1.0], [0.0], [np.nan]]),
    }
    assert named("AUROC", ("a",)).compute(outputs, None) == pytest.approx(3 / 4)
    assert named("AUPRC", ("a",)).compute(outputs, None) == pytest.approx((1 + 2 / 3) / 2)
    assert named("Brier score", ("a",)).compute(outputs, None) == pytest.approx(
        (0.1**2 + 0.8**2 + 0.4**2 + 0.2**2) / 4
    )
    assert named("log loss", ("a",)).compute(outputs, None) == pytest.approx(
        -np.log([0.9, 0.2, 0.6, 0.8]).mean()
    )


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_many_resamples_at_once_equal_one_by_one(seed):
    outputs = asked(count=30, seed=seed)
    weights = np.random.default_rng(seed).integers(0, 3, size=(5, 30)).astype(float)
    for metric in question_metrics(NAMES):
        one_by_one = [metric.compute(outputs, row) for row in weights]
        np.testing.assert_allclose(metric.resampled(outputs, weights), one_by_one, atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_a_weight_is_a_repetition(seed):
    outputs = asked(count=30, seed=seed)
    counts = np.random.default_rng(seed).integers(0, 3, size=30)
    repeated = {name: np.repeat(array, counts, axis=0) for name, array in outputs.items()}
    for metric in question_metrics(NAMES):
        expected = metric.compute(repeated, None)
        assert metric.compute(outputs, counts.astype(float)) == pytest.approx(
            expected, abs=1e-12, nan_ok=True
        )


def test_probabilities_of_unknown_answers_change_nothing():
    outputs = asked()
    changed = np.where(np.isnan(outputs["target"]), 0.5, outputs["probabilities"])
    for metric in question_metrics(NAMES):
        expected = metric.compute(outputs, None)
        assert metric.compute({**outputs, "probabilities": changed}, None) == pytest.approx(expected)


@pytest.mark.parametrize("answer", [0.0, 1.0])
def test_a_question_answered_alike_takes_no_part_in_areas_but_in_losses(answer):
    outputs = asked()
    outputs["target"][:, 1] = answer
    without = {name: array[:, [0, 2]] for name, array in outputs.items()}
    for name in ("AUROC", "AUPRC"):
        assert named(name).compute(outputs, None) == named(name, NAMES[::2]).compute(without, None)
    brier = [
        reference.brier_score_loss(
            outputs["target"][:, column][known], outputs["probabilities"][:, column][known]
        )
        for column, known in enumerate(~np.isnan(outputs["target"].T))
    ]
    assert named("Brier score").compute(outputs, None) == pytest.approx(np.mean(brier))


def test_a_question_without_answers_takes_no_part_and_nothing_known_is_nan():
    outputs = asked()
    outputs["target"][:, 0] = np.nan
    without = {name: array[:, 1:] for name, array in outputs.items()}
    for metric, other in zip(question_metrics(NAMES), question_metrics(NAMES[1:]), strict=True):
        assert metric.compute(outputs, None) == pytest.approx(other.compute(without, None))
    outputs["target"][:] = np.nan
    for metric in question_metrics(NAMES):
        assert np.isnan(metric.compute(outputs, None))


def test_a_certain_error_has_a_finite_log_loss():
    outputs = {"probabilities": np.array([[0.0], [1.0]]), "target": np.array([[1.0], [0.0]])}
    assert named("log loss", ("a",)).compute(outputs, None) == pytest.approx(-np.log(np.finfo(float).eps))


def test_values_of_each_question():
    outputs = asked()
    outputs["target"][:, 2] = 0
    weights = np.random.default_rng(2).integers(0, 3, size=(4, 200)).astype(float)
    values = question_values(outputs, weights)
    for name in ("AUROC", "AUPRC"):
        assert values[name].shape == (4, 3)
        assert np.isnan(values[name][:, 2]).all()
        for row, column in np.ndindex(4, 2):
            known = ~np.isnan(outputs["target"][:, column])
            expected = REFERENCES[name](
                outputs["target"][known, column],
                outputs["probabilities"][known, column],
                sample_weight=weights[row, known],
            )
            assert values[name][row, column] == pytest.approx(expected)


def test_the_bootstrap_reads_them():
    resampled = resample(question_metrics(NAMES), {"model": asked()}, None, resamples=50, seed=0)
    assert set(resampled) == {("model", name) for name in REFERENCES}
    for values in resampled.values():
        assert values.draws.min() < values.value < values.draws.max()


def test_an_answer_that_is_none_is_refused():
    outputs = asked()
    outputs["target"][3, 1] = 2
    with pytest.raises(
        DataError, match=r"question 2 of sample 4 to judge: expected the answer 1 \(yes\).* found 2"
    ):
        named("AUROC").compute(outputs, None)


@pytest.mark.parametrize("name", REFERENCES)
def test_columns_must_be_the_questions(name):
    with pytest.raises(DataError, match=r"probabilities of 2 questions \(a, b\), found 3 columns"):
        named(name, ("a", "b")).compute(asked(), None)
