"""Rare answers and classes: they are named at the top, and no verdict rests on them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from fivefold.evaluation.chance_test import chance_tests
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.report import write_report
from fivefold.evaluation.support import FEW, Kind, Support, rarer
from fivefold.evaluation.verdict import overall

from .judged import class_outputs, judge_classes
from .judged_questions import judge_questions


def asked(positives: int, count: int = 200, skill: float = 6.0, seed: int = 0):
    """One question with so many positives, told by ``skill`` in logits, and a guess that knows nothing."""
    generator = np.random.default_rng(seed)
    target = (np.arange(count) < positives).astype(float)[:, None]
    logits = generator.normal(size=(count, 1)) + skill * target - 3
    return {"probabilities": 1 / (1 + np.exp(-logits)), "target": target}


def judged(positives: int, skill: float = 6.0, seed: int = 0, units=None) -> Evaluation:
    outputs = asked(positives, skill=skill, seed=seed)
    flat = np.full_like(outputs["target"], positives / 200)
    guess = {"probabilities": np.random.default_rng(seed + 1000).random((200, 1))}
    rivals = {"prevalence": {"probabilities": flat}, "guess": guess}
    return judge_questions(outputs, ("fraud",), rivals, units, seed)


@pytest.mark.parametrize("positives", [4, FEW - 1])
def test_areas_of_few_positives_get_no_verdict_and_a_caution(positives, tmp_path):
    evaluation = judged(positives)
    spoken = {(one.metric, one.baseline): one.verdict for one in evaluation.comparisons}
    assert {spoken[metric, name] for metric in ("AUROC", "AUPRC") for name in ("prevalence", "guess")} == {
        "no evidence that it beats"
    }
    # The Brier score is a mean over all samples alike.
    assert spoken["Brier score", "guess"] == "beats"
    (caution,) = evaluation.cautions
    assert caution == (
        f"Too few to judge by: {positives} samples with yes to 'fraud'; below 10 independent ones, what is said of "
        "them is mostly chance."
    )
    assert overall(evaluation)[1].endswith(
        f"only {positives} independent with yes to 'fraud', 10 are the least to tell)"
    )
    write_report(evaluation, [], {"cautions": ["another"]}, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert page.index("Too few to judge by") < page.index(">another</p>") < page.index('class="verdict')


def test_enough_positives_get_a_verdict():
    evaluation = judged(FEW)
    assert evaluation.cautions == ()
    assert {one.verdict for one in evaluation.comparisons if one.metric != "Brier score"} == {"beats"}


def test_positives_of_few_units_are_few():
    evaluation = judged(40, units=np.arange(200) // 8)
    assert "40 samples of 5 patients with yes to 'fraud'" in evaluation.cautions[1]
    assert overall(evaluation)[0] == "no evidence that it beats"


def test_random_scores_seldom_beat_with_positives_few_or_not():
    """Without the test, 11 to 46 in 100 have an interval wholly above the prevalence; see the docstrings."""
    beaten = [
        (one.metric, one.baseline)
        for positives in (4, 8, 12, 20)
        for seed in range(25)
        for one in judged(positives, skill=0.0, seed=seed).comparisons
        if one.metric != "Brier score" and one.verdict == "beats"
    ]
    # Of 100 tries, each of the four pairs may err in 2.5; nine or more have a chance of one in a thousand.
    assert all(beaten.count(pair) <= 8 for pair in set(beaten))
    assert beaten.count(("AUPRC", "prevalence")) <= 5


def test_one_rare_question_of_many_is_cautioned_but_does_not_silence_the_others():
    outputs = {name: np.tile(of, (1, 3)) for name, of in asked(80).items()}
    outputs["target"][:, 2] = np.arange(200) < 4
    evaluation = judge_questions(
        outputs, ("a", "b", "c"), {"prevalence": {"probabilities": np.full((200, 3), 0.4)}}
    )
    assert "4 samples with yes to 'c'" in evaluation.cautions[0]
    assert overall(evaluation)[0] == "beats"


def test_a_rare_class_is_cautioned_and_accuracy_is_judged():
    outputs = class_outputs(300, skill=4.0)
    outputs["target"] = np.where(np.arange(300) < 3, 2, outputs["target"] % 2)
    evaluation = judge_classes(outputs, baselines={"guessing": class_outputs(skill=0.0, seed=1)})
    assert evaluation.cautions[0].startswith("Too few to judge by: 3 samples of class 'owl'; below 10")
    assert all(not one.withheld for one in evaluation.comparisons)


def test_two_classes_are_as_sure_as_the_rarer_one():
    outputs = class_outputs(300, classes=2, skill=4.0)
    outputs["target"] = (np.arange(300) < 4).astype(int)
    evaluation = judge_classes(
        outputs, ("no", "yes"), {"guessing": class_outputs(classes=2, skill=0.0, seed=1)}
    )
    withheld = {one.metric: bool(one.withheld) for one in evaluation.comparisons}
    assert withheld == {"accuracy": False, "macro F1": True, "log loss": False}
    assert len(evaluation.cautions) == 1
    assert "4 samples of class 'yes'" in evaluation.cautions[0]


def test_many_rare_kinds_are_counted():
    kinds = tuple(Kind(f"of class '{code}'", 3, 3) for code in range(8))
    assert "of class '4' and 3 more; below 10" in Support(kinds).sentence("sample")
    assert Support(()).enough
    assert Support((Kind("", 50, 50),)).sentence("sample") == ""


def test_what_is_not_there_at_all_is_not_the_rarer():
    here = np.ones(5, bool)
    assert rarer("a", "b", here, ~here, None) is None
    assert rarer("a", "b", np.arange(5) < 2, np.arange(5) >= 2, None) == Kind("a", 2, 2, 5)
    assert rarer("a", "b", np.arange(5) < 2, np.arange(5) >= 2, np.array([0, 1, 2, 2, 2])) == Kind(
        "b", 3, 1, 3
    )


def test_what_all_of_few_units_hold_is_not_rare():
    units = np.arange(80) % 8
    found = rarer("a", "b", np.arange(80) < 16, np.arange(80) >= 16, units)
    assert found == Kind("a", 16, 8, 8)
    assert Support((found,)).enough
    fewer = rarer("a", "b", np.arange(80) < 5, np.arange(80) >= 5, units)
    assert not Support((fewer,)).enough


# The permutation test


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_its_average_precision_is_scikit_learn_s(seed):
    generator = np.random.default_rng(seed)
    scores = generator.integers(0, 12, size=(40, 1)) / 12
    target = (generator.random((40, 1)) < 0.3).astype(float)
    target[:2, 0] = [0, 1]
    outputs = {"probabilities": scores, "target": target}
    (test,) = chance_tests(outputs, {"probabilities": np.full((40, 1), 0.3)})
    assert f"that of the model is {average_precision_score(target[:, 0], scores[:, 0]):.4g} " in test.sentence


def test_p_values_of_scores_that_know_nothing_are_uniform():
    flat = {"probabilities": np.full((200, 1), 0.1)}
    values = [chance_tests(asked(6, skill=0.0, seed=seed), flat)[0].p_value for seed in range(80)]
    assert 0.35 < np.mean(values) < 0.65
    assert np.mean(np.array(values) < 0.2) < 0.35


def test_the_mean_of_chance_is_that_of_bestgen():
    """((P - 1) / (N - 1) (N - H) + H) / N of P among N without ties, H the harmonic number of N (Bestgen 2015)."""
    (test,) = chance_tests(asked(6), {"probabilities": np.full((200, 1), 0.1)})
    harmonic = (1 / np.arange(1, 201)).sum()
    expected = (5 / 199 * (200 - harmonic) + harmonic) / 200
    told = float(test.sentence.split("average precision of ")[1].split(" ")[0])
    assert told == pytest.approx(expected, rel=0.05)
    assert test.finds(1, 0.95)


def test_there_is_none_against_scores_that_differ_or_without_both_answers():
    outputs = asked(6)
    assert chance_tests(outputs, {"probabilities": asked(6, seed=1)["probabilities"]}) == ()
    assert chance_tests({**outputs, "target": np.ones((200, 1))}, {"probabilities": np.ones((200, 1))}) == ()
