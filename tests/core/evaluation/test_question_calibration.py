"""What the report says of the calibration of yes/no questions, against numbers computed by other means."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fivefold.evaluation import question_calibration
from fivefold.evaluation.question_calibration import calibration_section, equal_bins

from .judged_questions import judge_questions, question_outputs

NAMES = ("cough", "fever")


@pytest.fixture(scope="module")
def outputs():
    return question_outputs()


@pytest.fixture(scope="module")
def evaluation(outputs):
    return judge_questions(outputs, NAMES, units=np.arange(300) // 2)


def known(outputs, question):
    truth = outputs["target"][:, question]
    keep = ~np.isnan(truth)
    return outputs["probabilities"][keep, question], truth[keep], keep


def test_calibration_is_that_of_a_logistic_regression(outputs, evaluation):
    section = calibration_section(evaluation, NAMES, seed=0)
    for question, fact in enumerate(section.facts["questions"]):
        scores, truth, _ = known(outputs, question)
        logits = np.log(scores / (1 - scores))[:, None]
        fitted = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logits, truth)
        assert fact["slope"]["value"] == pytest.approx(fitted.coef_[0, 0], rel=1e-4)
        assert fact["slope"]["low"] < fact["slope"]["value"] < fact["slope"]["high"]
        assert fact["intercept"]["value"] == pytest.approx(fitted.intercept_[0], abs=1e-4)
        large = fact["in_the_large"]
        as_many = (1 / (1 + np.exp(-logits - large["value"]))).sum()
        assert as_many == pytest.approx(truth.sum())
        right = fact["slope"]["low"] <= 1 <= fact["slope"]["high"] and large["low"] <= 0 <= large["high"]
        wrong = section.text.split("No evidence that probabilities are wrong: ")
        assert (NAMES[question] in wrong[-1]) == right


@pytest.mark.parametrize(
    ("scale", "shift", "words"),
    [
        (2.5, 0, "too extreme"),
        (0.4, 0, "too moderate"),
        (1, 1.5, "too high on the whole"),
        (1, -1.5, "too low on the whole"),
    ],
)
def test_what_is_wrong_with_probabilities_is_said(outputs, scale, shift, words):
    logits = np.log(outputs["probabilities"] / (1 - outputs["probabilities"]))
    # Around the level at which yes and no are as common, so that only one thing is wrong.
    logits = scale * (logits + 0.5) - 0.5 + shift
    wrong = {**outputs, "probabilities": 1 / (1 + np.exp(-logits))}
    text = calibration_section(judge_questions(wrong), NAMES, seed=0).text
    assert f"Probabilities are {words}: cough, fever." in text


def test_separated_answers_have_no_slope(outputs):
    sure = {"probabilities": np.where(outputs["target"] == 1, 0.9, 0.2), "target": outputs["target"]}
    section = calibration_section(judge_questions(sure), NAMES, seed=0)
    assert (
        "one threshold parts every yes from every no, or all probabilities are alike: cough, fever"
        in section.text
    )
    assert section.grids[0].rows[0][1:3] == ("–", "–")  # noqa: RUF001 - a dash in a table


def test_bins_have_equal_counts_and_their_own_shares(outputs, evaluation):
    scores, truth, _ = known(outputs, 0)
    bins = equal_bins(evaluation, 0, seed=0)
    assert bins.count.sum() == len(scores)
    assert bins.count.max() - bins.count.min() <= 1
    order = np.argsort(scores)
    first = order[: bins.count[0]]
    assert bins.predicted[0] == pytest.approx(scores[first].mean())
    assert bins.observed[0].value == pytest.approx(truth[first].mean())
    assert all(one.low <= one.value <= one.high for one in bins.observed)


def test_equal_probabilities_share_a_bin():
    probabilities = np.repeat([0.2, 0.7], [30, 10])[:, None]
    target = np.tile([0.0, 1.0], 20)[:, None]
    evaluation = judge_questions({"probabilities": probabilities, "target": target}, ("cough",))
    bins = equal_bins(evaluation, 0, seed=0)
    assert bins.count.tolist() == [30, 10]
    assert bins.predicted.tolist() == pytest.approx([0.2, 0.7])
    assert [one.value for one in bins.observed] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(("most", "resamples"), [(50 * 600, 50), (0, 25)])
def test_many_samples_are_calibrated_on_fewer_resamples(evaluation, monkeypatch, most, resamples):
    monkeypatch.setattr(question_calibration, "FEWEST_RESAMPLES", 25)
    monkeypatch.setattr(question_calibration, "MOST_FITTED", most)
    text = calibration_section(evaluation, NAMES, seed=0).text
    assert f"rest on {resamples} resamples only" in text
