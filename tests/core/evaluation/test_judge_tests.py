"""Tests beside the interval: no verdict contradicts them, and the report shows them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from fivefold.config import EvaluationConfig
from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.judge import judge
from fivefold.evaluation.paired_test import PairedTest, told_p_value
from fivefold.evaluation.report import write_report
from fivefold.evaluation.verdict import overall, verdict
from fivefold.tasks.base import Task
from fivefold.tasks.regression import Regression

from .judged import judge_numbers, samples_like
from .judged_forecasts import forecast_of, judge_forecasts, walk_outputs

NAN = float("nan")
LOWER = Estimate(-0.2, -0.3, -0.1)
HIGHER = Estimate(0.2, 0.1, 0.3)
OPEN = Estimate(0.0, -0.1, 0.1)


def found(statistic, p_value):
    return PairedTest("t", statistic, p_value, "words")


@pytest.mark.parametrize(
    ("difference", "tests", "lower_is_better", "higher_is_better"),
    [
        (LOWER, [found(-3, 0.01)], "beats", "loses to"),
        (LOWER, [found(-3, 0.01), found(-2.1, 0.049)], "beats", "loses to"),
        (HIGHER, [found(3, 0.01)], "loses to", "beats"),
        (LOWER, [found(-1, 0.3)], None, None),
        (LOWER, [found(-3, 0.01), found(-1, 0.3)], None, None),
        (LOWER, [found(3, 0.01)], None, None),
        (LOWER, [found(NAN, NAN)], None, None),
        (LOWER, [found(-2, 0.05000001)], None, None),
        (OPEN, [found(-3, 0.01)], None, None),
        (Estimate(NAN, NAN, NAN), [found(-3, 0.01)], None, None),
    ],
)
def test_a_verdict_needs_the_interval_and_every_test(difference, tests, lower_is_better, higher_is_better):
    none = "no evidence that it beats"
    assert verdict(difference, higher_is_better=False, tests=tests) == (lower_is_better or none)
    assert verdict(difference, higher_is_better=True, tests=tests) == (higher_is_better or none)


def test_the_level_is_the_tests_too():
    one = [found(-3, 0.03)]
    assert verdict(LOWER, higher_is_better=False, tests=one, level=0.95) == "beats"
    assert verdict(LOWER, higher_is_better=False, tests=one, level=0.99) == "no evidence that it beats"


class Doubting(Regression):
    """A regression with a test of its own, and with outputs that its rivals are given."""

    given = ("target", "place")
    p_value = 0.4

    def tests(self, metric, outputs, rival):
        assert rival["place"] is outputs["place"]
        assert "absent" not in rival
        return (found(-1.0, self.p_value),) if metric.name == "MAE" else ()


def judge_doubting(p_value):
    target = np.random.default_rng(0).normal(size=100)
    task = Doubting(torch.nn.Identity())
    task.p_value = p_value
    samples = samples_like(target)
    return judge(
        task=task,
        facts=samples.facts,
        outputs={"target": target, "prediction": target + 0.1, "place": np.arange(100)},
        samples=samples,
        split="test",
        baseline_outputs={"mean": {"prediction": np.zeros(100), "place": np.zeros(100)}},
        findings=(),
        config=EvaluationConfig(resamples=100),
        seed=0,
    )


def test_a_test_that_disagrees_silences_the_verdict_and_the_sentence_shows_why():
    evaluation = judge_doubting(0.4)
    judgement, words = overall(evaluation)
    assert judgement == "no evidence that it beats"
    assert words.startswith("No evidence that it beats mean: MAE 0.100 against")
    assert words.endswith("; t p 0.4000)")
    assert {one.metric: one.verdict for one in evaluation.comparisons}["RMSE"] == "beats"
    judgement, words = overall(judge_doubting(0.0))
    assert judgement == "beats"
    assert words.endswith("; t p below 0.0001)")


def test_what_the_data_give_replaces_what_a_baseline_says():
    evaluation = judge_doubting(0.4)
    assert evaluation.baseline_outputs["mean"]["place"][7] == 7


def test_most_tasks_have_no_tests_and_only_the_target_is_given(tmp_path):
    assert Task.given == ("target",)
    outputs = {"target": np.arange(50.0), "prediction": np.arange(50.0) + 0.1}
    evaluation = judge_numbers(outputs, {"mean": {"prediction": np.zeros(50)}})
    assert evaluation.comparisons[0].tests == ()
    write_report(evaluation, [], {}, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    assert "tests" not in content["comparisons"][0]
    assert "The tests in words" not in (tmp_path / "report.html").read_text()


def test_the_report_shows_the_tests(tmp_path):
    given = walk_outputs(120, 1)
    outputs = given | forecast_of(given, 0.5)
    rivals = {"no change": {"prediction": given["last"][:, None].copy()}, "odd": {"something": np.zeros(120)}}
    write_report(judge_forecasts(outputs, rivals), [], {}, tmp_path)
    content = json.loads((tmp_path / "report.json").read_text())
    (squared, absolute) = content["comparisons"]
    assert (squared["metric"], absolute["metric"]) == ("MSE", "MAE")
    (test,) = squared["tests"]
    assert set(test) == {"name", "statistic", "p_value", "sentence"}
    assert test["statistic"] < -3
    assert squared["verdict"] == "beats"
    assert "Diebold-Mariano p below 0.0001" in squared["sentence"]
    page = (tmp_path / "report.html").read_text()
    assert "Diebold-Mariano</th>" in page
    assert "(p below 0.0001)</td>" in page
    assert (
        "only where every test (Diebold-Mariano), too, finds a difference of that sign at 5\N{NO-BREAK SPACE}%"
        in page
    )
    assert "MSE, against no change: the mean difference of the losses is" in page


def test_forecasts_that_are_too_few_to_test_never_beat():
    """With as many forecasts as steps ahead, the interval may speak, but the test cannot."""
    given = walk_outputs(6, 6)
    outputs = given | forecast_of(given, 0.9)
    evaluation = judge_forecasts(outputs, {"no change": forecast_of(given, 0.0)})
    assert evaluation.comparisons[0].difference.high < 0
    assert evaluation.comparisons[0].verdict == "no evidence that it beats"
    assert evaluation.comparisons[0].tests[0].result() == "not defined"


@pytest.mark.parametrize(
    ("value", "told"), [(0.0412, "0.0412"), (0.00002, "below 0.0001"), (NAN, "not defined")]
)
def test_p_values_for_people(value, told):
    assert told_p_value(value) == told
