"""What the report of yes/no questions shows, against numbers computed by other means."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fivefold.evaluation.bootstrap import Resampled, resample_weights, share_interval
from fivefold.evaluation.delong import delong
from fivefold.evaluation.document import plain
from fivefold.evaluation.operating_point import operating_point
from fivefold.evaluation.page import is_number
from fivefold.evaluation.question_curves import MOST_DRAWN, swept
from fivefold.evaluation.question_decisions import decision_section
from fivefold.evaluation.question_sections import operating_section, question_section, question_sections
from fivefold.evaluation.question_tests import delong_section, holm
from fivefold.evaluation.report import write_report

from .judged_questions import judge_questions, noisy, question_outputs

NAMES = ("cough", "fever")
THRESHOLDS = np.array([0.5, 0.7])
KEYS = ["questions", "delong", "operating_point", "recalibration", "decision_curve"]


def said_at(evaluation, thresholds=THRESHOLDS):
    return evaluation.outputs["probabilities"] >= thresholds


def operating(evaluation, names=NAMES, thresholds=THRESHOLDS, specificity=0.9):
    return operating_section(evaluation, names, thresholds, said_at(evaluation, thresholds), specificity)


def sections_of(evaluation, names=NAMES, thresholds=THRESHOLDS, specificity=0.9):
    found = question_sections(evaluation, names, thresholds, said_at(evaluation, thresholds), specificity)
    assert [section.key for section in found] == KEYS
    for section in found:
        json.dumps(plain(section.facts), allow_nan=False)
        for figure in section.figures:
            assert ET.fromstring(figure.image).tag.endswith("svg")  # noqa: S314 - our own
            assert figure.alt
            assert figure.caption
        for grid in section.grids:
            assert {len(row) for row in grid.rows} == {len(grid.head)}
    return {section.key: section for section in found}


def drawn(figure):
    """The words of an SVG."""
    root = ET.fromstring(figure.image)  # noqa: S314 - our own
    return ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.fixture(scope="module")
def outputs():
    return question_outputs()


@pytest.fixture(scope="module")
def evaluation(outputs):
    baselines = {"constant": {"probabilities": np.full((300, 2), 0.4)}, "age alone": noisy(outputs)}
    return judge_questions(outputs, NAMES, baselines, units=np.arange(300) // 2)


@pytest.fixture(scope="module")
def sections(evaluation):
    return sections_of(evaluation)


def known(outputs, question):
    truth = outputs["target"][:, question]
    keep = ~np.isnan(truth)
    return outputs["probabilities"][keep, question], truth[keep], keep


def test_each_question_has_its_counts_and_areas(outputs, sections):
    for question, fact in enumerate(sections["questions"].facts["questions"]):
        scores, truth, keep = known(outputs, question)
        assert fact["question"] == NAMES[question]
        assert (fact["yes"], fact["no"], fact["unknown"]) == (truth.sum(), (1 - truth).sum(), (~keep).sum())
        assert fact["prevalence"] == pytest.approx(truth.mean())
        assert fact["AUROC"]["value"] == pytest.approx(roc_auc_score(truth, scores))
        assert fact["AUPRC"]["value"] == pytest.approx(average_precision_score(truth, scores))
    row = sections["questions"].grids[0].rows[0]
    assert row[5] == f"{sections['questions'].facts['questions'][0]['AUROC']['value']:.3f}"
    assert all(is_number(cell) for cell in row[1:])


def test_intervals_are_percentiles_over_resampled_units(outputs, evaluation, sections):
    scores, truth, keep = known(outputs, 1)
    weights = np.concatenate(list(resample_weights(300, evaluation.units, resamples=100, seed=0)))[:, keep]
    areas = [roc_auc_score(truth, scores, sample_weight=row) for row in weights]
    fact = sections["questions"].facts["questions"][1]["AUROC"]
    assert (fact["low"], fact["high"]) == pytest.approx(tuple(np.quantile(areas, [0.025, 0.975])))
    said = scores >= 0.7
    shares = [(row * (said & (truth == 1))).sum() / (row * (truth == 1)).sum() for row in weights]
    fact = sections["operating_point"].facts["questions"][1]["sensitivity"]
    assert (fact["low"], fact["high"]) == pytest.approx(tuple(np.quantile(shares, [0.025, 0.975])))


def test_the_seed_draws_the_resamples(evaluation, sections):
    drawn = sections["operating_point"].facts
    assert operating(evaluation).facts == drawn
    assert operating(replace(evaluation, seed=1)).facts != drawn


def test_one_question_has_the_same_interval_in_all_the_report(outputs):
    single = {name: values[:, :1] for name, values in outputs.items()}
    evaluation = judge_questions(single, ("cough",), seed=5)
    assert evaluation.seed == 5
    section = question_section(evaluation, ("cough",), said_at(evaluation, [0.5]))
    assert section.facts["questions"][0]["AUROC"] == pytest.approx(vars(evaluation.estimates["AUROC"]))


def test_curves_name_each_question_and_its_area(sections):
    roc, precision = sections["questions"].figures
    area = sections["questions"].facts["questions"][0]["AUROC"]["value"]
    assert f"cough {area:.3f}" in drawn(roc)
    assert "Sensitivity (recall)" in drawn(precision)
    assert not any("age alone" in word for word in drawn(roc))


def test_one_question_is_drawn_beside_the_strongest_baseline(outputs):
    single = {name: values[:, :1] for name, values in outputs.items()}
    baselines = {"constant": {"probabilities": np.full((300, 1), 0.4)}, "$5 test": noisy(single)}
    found = sections_of(judge_questions(single, ("cough",), baselines), ("cough",), np.array([0.5]))
    area = found["delong"].facts["tests"][1]["reference"]
    assert f"$5 test {area:.3f}" in drawn(found["questions"].figures[0])
    assert "$5 test" in drawn(found["decision_curve"].figures[0])
    assert found["decision_curve"].facts["baseline"] == "$5 test"
    assert "Every sample counts as independent" in found["delong"].text


def test_eight_questions_are_drawn_at_most():
    names = tuple(f"question {number}" for number in range(MOST_DRAWN + 1))
    section = decision_section(judge_questions(question_outputs(60, len(names)), names), names)
    words = drawn(section.figures[0])
    assert "question 7" in words
    assert "question 8" not in words
    assert len(section.facts["questions"]) == len(names)
    assert "The first 8 questions are shown." in section.text


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_a_sweep_gives_the_curves_of_scikit_learn(pairs):
    scores, yes = np.array([pair[0] for pair in pairs]) / 5, np.array([pair[1] for pair in pairs])
    if yes.all() or not yes.any():
        return
    found, alarms = swept(scores, yes)
    false, true, _ = roc_curve(yes, scores, drop_intermediate=False)
    np.testing.assert_allclose(alarms / alarms[-1], false)
    np.testing.assert_allclose(found / found[-1], true)
    precision, recall, _ = precision_recall_curve(yes, scores)
    np.testing.assert_allclose(found[1:] / (found + alarms)[1:], precision[-2::-1])
    np.testing.assert_allclose(found[1:] / found[-1], recall[-2::-1])


def test_every_question_is_tested_against_every_baseline(outputs, evaluation, sections):
    tests = sections["delong"].facts["tests"]
    assert [(one["question"], one["baseline"]) for one in tests] == [
        (question, baseline) for question in NAMES for baseline in ("constant", "age alone")
    ]
    reference = evaluation.baseline_outputs["age alone"]["probabilities"][:, 1]
    expected = delong(outputs["probabilities"][:, 1], reference, outputs["target"][:, 1], evaluation.units)
    assert {name: tests[3][name] for name in vars(expected)} == vars(expected)
    assert [one["p_holm"] for one in tests] == holm([one["p_value"] for one in tests])
    text = sections["delong"].text
    assert "can make intervals too narrow and p-values too small" in text
    assert "summed by patient before the variance is taken" in text
    assert "4 of 4 tests find a difference" in text
    assert sections["delong"].grids[0].rows[0][-1] == "below 0.0001"


def test_holm_corrects_step_by_step():
    # By hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, and 0.04 raised to its predecessor's 0.06.
    assert holm([0.01, float("nan"), 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, float("nan"), 0.06, 0.06, 0.02], nan_ok=True
    )
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_without_a_baseline_nothing_is_tested(outputs):
    evaluation = judge_questions(outputs)
    section = delong_section(evaluation, NAMES)
    assert section.text == "There is no baseline with probabilities to compare AUROCs with."
    assert section.grids == ()
    facts = decision_section(evaluation, NAMES).facts
    assert facts["baseline"] is None
    assert "baseline" not in facts["questions"][0]


def test_one_test_is_told_in_one_sentence(outputs):
    single = {name: values[:, :1] for name, values in outputs.items()}
    same = {"itself": {"probabilities": single["probabilities"]}}
    section = delong_section(judge_questions(single, ("cough",), same), ("cough",))
    assert "The test finds no difference at 5 %." in section.text
    assert section.facts["tests"][0]["p_holm"] == 1.0


def test_the_operating_point_counts_and_says_where_the_threshold_is_from(outputs, sections):
    section = sections["operating_point"]
    for question, fact in enumerate(section.facts["questions"]):
        scores, truth, _ = known(outputs, question)
        said = scores >= THRESHOLDS[question]
        assert fact["threshold"] == THRESHOLDS[question]
        assert fact["true_positive"] == (said & (truth == 1)).sum()
        assert fact["false_positive"] == (said & (truth == 0)).sum()
        assert fact["sensitivity"]["value"] == pytest.approx(said[truth == 1].mean())
        assert fact["specificity"]["value"] == pytest.approx(1 - said[truth == 0].mean())
        assert fact["ppv"]["value"] == pytest.approx(truth[said].mean())
        assert fact["npv"]["value"] == pytest.approx(1 - truth[~said].mean())
    assert section.facts["specificity_asked"] == 0.9
    assert (
        "fitted on the validation split, as the smallest with a specificity of at least 90 %" in section.text
    )
    values = sorted(fact["specificity"]["value"] for fact in section.facts["questions"])
    assert f"came out between {100 * values[0]:.1f} % and {100 * values[1]:.1f} %" in section.text
    point = operating_point(outputs["probabilities"][:, 0], outputs["target"][:, 0], 0.5)
    assert section.grids[1].rows[0][1:] == (
        point.true_positive,
        point.true_negative,
        point.false_positive,
        point.false_negative,
    )


@pytest.mark.parametrize(
    ("threshold", "words"),
    [
        (0.2, "lower than asked, by more than the chance"),
        (0.95, "higher than asked, by more than the chance"),
    ],
)
def test_a_specificity_far_from_what_was_asked_is_told(outputs, threshold, words):
    section = operating(judge_questions(outputs), NAMES, np.full(2, threshold), 0.8)
    assert f"{words} of this split: cough, fever" in section.text


def test_a_specificity_as_asked_is_told(outputs):
    single = {name: values[:, :1] for name, values in outputs.items()}
    point = operating_point(single["probabilities"][:, 0], single["target"][:, 0], 0.5)
    evaluation = judge_questions(single, ("cough",))
    text = operating(evaluation, ("cough",), np.array([0.5]), point.specificity).text
    came_out = f"The specificity came out at {100 * point.specificity:.1f} % here"
    assert f"{came_out}, where the interval holds what was asked." in text


@pytest.mark.parametrize("trials", [1, 7, 40])
def test_a_share_of_none_or_all_has_an_exact_interval(trials):
    for hits in (0, trials):
        exact = stats.binomtest(hits, trials).proportion_ci(method="exact")
        share = float(hits == trials)
        found = share_interval(Resampled(share, np.full(9, share)), 0.95, trials)
        assert (found.value, found.low, found.high) == pytest.approx((share, exact.low, exact.high))


def test_a_share_of_all_is_as_uncertain_as_its_units_are_few(outputs):
    sure = {"probabilities": np.clip(outputs["target"], 0.1, 0.9), "target": outputs["target"]}
    sure["probabilities"][np.isnan(outputs["target"])] = 0.5
    units = np.arange(300) // 10
    section = operating(judge_questions(sure, units=units))
    with_yes = len(np.unique(units[outputs["target"][:, 0] == 1]))
    assert section.facts["questions"][0]["sensitivity"] == {
        "value": 1.0,
        "low": pytest.approx(0.025 ** (1 / with_yes)),
        "high": 1.0,
    }
    assert "Clopper and Pearson's over the patients concerned" in section.text


def test_net_benefits_are_those_of_the_formula(outputs, evaluation, sections):
    section = sections["decision_curve"]
    assert section.facts["baseline"] == "age alone"
    place = section.facts["thresholds"].index(0.3)
    for question, fact in enumerate(section.facts["questions"]):
        scores, truth, keep = known(outputs, question)
        reference = evaluation.baseline_outputs["age alone"]["probabilities"][keep, question]
        for policy, said in (
            ("model", scores >= 0.3),
            ("baseline", reference >= 0.3),
            ("treat_all", scores >= 0),
        ):
            benefit = (said & (truth == 1)).mean() - (said & (truth == 0)).mean() * 0.3 / 0.7
            assert fact[policy][place] == pytest.approx(benefit)
    row = next(row for row in section.grids[0].rows if row[:2] == ("cough", "30 %"))
    assert row[2] == f"{section.facts['questions'][0]['model'][place]:.4f}"
    assert row[-1] == "the model"
    assert "Vickers and Elkin 2006" in section.text


def test_the_best_policy_is_the_simplest_of_equal_ones():
    outputs = {"probabilities": np.full((20, 1), 0.6), "target": np.tile([0.0, 1.0], 10)[:, None]}
    evaluation = judge_questions(outputs, ("cough",))
    section = decision_section(evaluation, ("cough",))
    assert [row[-1] for row in section.grids[0].rows] == [*["treat all"] * 5, "treat none"]
    assert "the model is best nowhere" in section.figures[0].alt


@pytest.mark.parametrize("answer", [1.0, np.nan])
def test_a_question_without_both_answers_is_named_and_not_judged(outputs, answer):
    target = outputs["target"].copy()
    target[:, 1] = answer
    lacking = {**outputs, "target": target}
    found = sections_of(judge_questions(lacking, baselines={"age alone": noisy(lacking)}))
    for section in found.values():
        assert "not both a yes and a no among the known answers: fever." in section.text
    dash = "–"  # noqa: RUF001 - a dash in a table
    assert found["questions"].grids[0].rows[1][5:] == (dash,) * 4
    assert found["delong"].grids[0].rows[1][2:] == (dash,) * 6
    tested, untested = plain(found["delong"].facts)["tests"]
    assert list(untested) == list(tested)
    assert [*untested.values()][2:] == [None] * 8
    assert plain(found["questions"].facts)["questions"][1]["AUROC"]["value"] is None
    assert not any("fever" in word for word in drawn(found["questions"].figures[0]))
    assert {row[0] for row in found["decision_curve"].grids[0].rows} == {"cough"}


def test_nothing_known_draws_nothing():
    outputs = {"probabilities": np.full((12, 1), 0.5), "target": np.full((12, 1), np.nan)}
    evaluation = judge_questions(outputs, ("cough",), {"same": {"probabilities": np.full((12, 1), 0.5)}})
    found = sections_of(evaluation, ("cough",), np.array([0.5]))
    assert all(section.figures == () for section in found.values())
    assert "No test has a p-value." in found["delong"].text
    assert "No answer on test is no" in found["operating_point"].text
    assert found["recalibration"].facts["questions"][0]["bins"] == []


def test_few_answers_and_resamples_without_them_are_told(outputs):
    target = outputs["target"].copy()
    target[:, 1] = 0.0
    target[:2, 1] = 1.0
    evaluation = judge_questions({**outputs, "target": target})
    text = question_section(evaluation, NAMES, said_at(evaluation)).text
    assert "Fewer than 10 samples with yes, or with no, which is too few to judge: fever." in text
    weights = np.concatenate(list(resample_weights(300, None, resamples=100, seed=0)))
    lacking = int((weights[:, :2].sum(axis=1) == 0).sum())
    assert f"left out of the intervals: fever ({lacking} of 100)." in text


def test_too_few_are_counted_by_unit(outputs):
    target = outputs["target"].copy()
    target[:, 1] = np.repeat([1.0, 0.0], [90, 210])
    evaluation = judge_questions({**outputs, "target": target}, units=np.arange(300) // 10)
    text = question_section(evaluation, NAMES, said_at(evaluation)).text
    assert "Fewer than 10 patients with yes, or with no, which is too few to judge: fever." in text


def test_answers_held_back_by_the_question_before_are_judged_so(outputs):
    evaluation = judge_questions(outputs)
    said = np.logical_and.accumulate(said_at(evaluation), axis=1)
    held = int((said_at(evaluation) & ~said).sum())
    assert held > 0
    section = operating_section(evaluation, NAMES, THRESHOLDS, said, 0.9)
    truth = outputs["target"][:, 1]
    assert section.facts["questions"][1]["true_positive"] == (said[:, 1] & (truth == 1)).sum()
    fact = section.facts["questions"][1]["sensitivity"]["value"]
    assert fact == pytest.approx(said[truth == 1, 1].mean())
    assert f"{held} answers are no though their probability is at the threshold" in section.text
    assert "are no though" not in operating(evaluation).text
    roc = question_section(evaluation, NAMES, said).figures[0]
    assert roc.image != question_section(evaluation, NAMES, said_at(evaluation)).figures[0].image


def test_where_nothing_beats_treating_nobody_the_curve_is_drawn():
    target = np.zeros((1000, 1))
    target[:2] = 1.0
    outputs = {"probabilities": np.where(target == 1, 0.1, 0.9), "target": target}
    section = decision_section(judge_questions(outputs, ("cough",)), ("cough",))
    assert max(section.facts["questions"][0]["model"]) == 0
    assert "the model is best nowhere" in section.figures[0].alt
    ticks = [float(word.replace("\u2212", "-")) for word in drawn(section.figures[0]) if word[-1].isdigit()]
    assert 0.0 in ticks
    # The axis of net benefit ends near the 2 in 1000 of a perfect model.
    assert 0.002 in ticks


def test_the_page_holds_every_section(tmp_path, outputs):
    names = ("<b>cough</b>", "fever $x_1$")
    evaluation = judge_questions(outputs, names, {"age alone": noisy(outputs)})
    sections = question_sections(evaluation, names, THRESHOLDS, said_at(evaluation), 0.9)
    assert "fever $x_1$" in drawn(sections[3].figures[0])
    write_report(evaluation, sections, {}, tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>cough</b>" not in page
    assert page.count('<img class="drawing"') == 1 + sum(len(section.figures) for section in sections)
    assert list(json.loads((tmp_path / "report.json").read_text())["sections"]) == KEYS
