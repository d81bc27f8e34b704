"""What the report says of the calibration of yes/no questions, against numbers computed by other means."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fivefold.evaluation import question_calibration, question_intervals
from fivefold.evaluation.bootstrap import resample_weights
from fivefold.evaluation.question_bins import BINS
from fivefold.evaluation.question_calibration import calibration_section
from fivefold.evaluation.question_curves import MOST_DRAWN

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
    section = calibration_section(evaluation, NAMES)
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
    text = calibration_section(judge_questions(wrong), NAMES).text
    assert f"Probabilities are {words}: cough, fever." in text


def test_separated_answers_have_no_slope(outputs):
    sure = {"probabilities": np.where(outputs["target"] == 1, 0.9, 0.2), "target": outputs["target"]}
    section = calibration_section(judge_questions(sure), NAMES)
    assert (
        "one threshold parts every yes from every no, or all probabilities are alike: cough, fever"
        in section.text
    )
    assert "No evidence" not in section.text
    assert section.grids[0].rows[0][1:3] == ("–", "–")  # noqa: RUF001 - a dash in a table


def bins_of(evaluation, question=0, names=NAMES):
    return calibration_section(evaluation, names).facts["questions"][question]["bins"]


def test_bins_have_equal_counts_and_their_own_shares(outputs, evaluation):
    scores, truth, keep = known(outputs, 1)
    bins = bins_of(evaluation, 1)
    counts = [one["count"] for one in bins]
    assert sum(counts) == len(scores)
    assert max(counts) - min(counts) <= 1
    order = np.argsort(scores)
    fourth = order[sum(counts[:3]) : sum(counts[:4])]
    assert bins[3]["predicted"] == pytest.approx(scores[fourth].mean())
    assert bins[3]["observed"] == pytest.approx(truth[fourth].mean())
    weights = np.concatenate(list(resample_weights(300, evaluation.units, resamples=100, seed=0)))[:, keep]
    shares = (weights[:, fourth] @ truth[fourth]) / weights[:, fourth].sum(axis=1)
    assert (bins[3]["low"], bins[3]["high"]) == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])))
    assert all(one["low"] <= one["observed"] <= one["high"] for one in bins)


def test_equal_probabilities_share_a_bin():
    probabilities = np.repeat([0.2, 0.7], [30, 10])[:, None]
    target = np.tile([0.0, 1.0], 20)[:, None]
    evaluation = judge_questions({"probabilities": probabilities, "target": target}, ("cough",))
    bins = bins_of(evaluation, names=("cough",))
    assert [one["count"] for one in bins] == [30, 10]
    assert [one["predicted"] for one in bins] == pytest.approx([0.2, 0.7])
    assert [one["observed"] for one in bins] == pytest.approx([0.5, 0.5])


def test_a_bin_of_one_answer_is_as_uncertain_as_its_units_are_few():
    probabilities = np.repeat([0.2, 0.5, 0.7], [30, 20, 12])[:, None]
    target = np.concatenate([np.zeros(30), np.tile([0.0, 1.0], 10), np.ones(12)])[:, None]
    outputs = {"probabilities": probabilities, "target": target}
    section = calibration_section(judge_questions(outputs, ("cough",), units=np.arange(62) // 2), ("cough",))
    bins = section.facts["questions"][0]["bins"]
    # Clopper and Pearson's (1934) interval of none or all of 15 and of 6 units.
    assert (bins[0]["low"], bins[0]["high"]) == (0.0, pytest.approx(1 - 0.025 ** (1 / 15)))
    assert (bins[-1]["low"], bins[-1]["high"]) == (pytest.approx(0.025 ** (1 / 6)), 1.0)
    assert "Clopper and Pearson" in section.figures[0].caption


def test_questions_that_are_not_drawn_have_no_bins():
    names = tuple(f"question {number}" for number in range(MOST_DRAWN + 1))
    section = calibration_section(judge_questions(question_outputs(60, len(names)), names), names)
    assert [len(fact["bins"]) for fact in section.facts["questions"]] == [*[BINS] * MOST_DRAWN, 0]
    assert "The diagram shows the first 8 questions." in section.text


def test_resamples_are_drawn_once_for_all_questions(evaluation, monkeypatch):
    drawings = []

    def counted(*arguments, **settings):
        drawings.append(settings)
        return resample_weights(*arguments, **settings)

    monkeypatch.setattr(question_intervals, "resample_weights", counted)
    calibration_section(replace(evaluation, seed=3), NAMES)
    assert drawings == [{"resamples": 100, "seed": 3}]


def nearly_separated():
    """Of 40 samples, one no has a higher probability than one yes: without either of them there is no slope."""
    logits = np.linspace(-2, 2, 40)
    target = (logits > 0).astype(np.float64)
    target[19:21] = target[20:18:-1]
    return {"probabilities": (1 / (1 + np.exp(-logits)))[:, None], "target": target[:, None]}


def test_resamples_without_a_slope_are_told_and_of_many_nothing_follows():
    outputs = nearly_separated()
    section = calibration_section(judge_questions(outputs, ("cough",)), ("cough",))
    weights = np.concatenate(list(resample_weights(40, None, resamples=100, seed=0)))
    lacking = int((weights[:, 19:21] == 0).any(axis=1).sum())
    assert lacking > 40
    fact = section.facts["questions"][0]["slope"]
    assert fact["left_out"] == lacking
    assert fact["low"] > 1
    assert f"left out of its interval: cough ({lacking} of 100)" in section.text
    assert "Nothing is concluded" in section.text
    assert "too moderate:" not in section.text
    assert "No evidence" not in section.text


def test_of_few_resamples_without_a_slope_findings_still_follow(outputs):
    # One no above one yes, each for four samples, so that resamples without either of them are rare.
    single = {name: np.repeat(values, 4, axis=0) for name, values in nearly_separated().items()}
    section = calibration_section(judge_questions(single, ("cough",)), ("cough",))
    assert 0 < section.facts["questions"][0]["slope"]["left_out"] <= 10
    assert "left out of its interval: cough (" in section.text
    assert "Probabilities are too moderate: cough." in section.text
    assert "Nothing is concluded" not in section.text


@pytest.mark.parametrize(("most", "resamples"), [(50 * 600, 50), (0, 25)])
def test_many_samples_are_calibrated_on_fewer_resamples(evaluation, monkeypatch, most, resamples):
    monkeypatch.setattr(question_calibration, "FEWEST_RESAMPLES", 25)
    monkeypatch.setattr(question_calibration, "MOST_FITTED", most)
    text = calibration_section(evaluation, NAMES).text
    assert f"rest on {resamples} resamples only" in text
