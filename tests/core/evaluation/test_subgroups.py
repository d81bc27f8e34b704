"""Yes/no questions judged in groups of the samples, against numbers computed by other means."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fivefold.evaluation.bootstrap import resample_weights
from fivefold.evaluation.document import plain
from fivefold.evaluation.page import is_number
from fivefold.evaluation.subgroup_values import groups_of, judge_groups, largest_gap
from fivefold.evaluation.subgroups import subgroup_section

from .judged_questions import RESAMPLES, judge_questions, question_outputs

NAMES = ("cough", "fever")
THRESHOLDS = np.array([0.5, 0.6])


def groups_in(values):
    return [
        (group.value, int(group.members.sum())) for group in groups_of("site", np.array(values, dtype=object))
    ]


def judged(evaluation, values, names=NAMES, thresholds=THRESHOLDS):
    """Facts by value."""
    said = evaluation.outputs["probabilities"] >= thresholds
    section = subgroup_section(evaluation, names, said, {"site": np.array(values, dtype=object)})
    json.dumps(plain(section.facts), allow_nan=False)
    for figure in section.figures:
        assert ET.fromstring(figure.image).tag.endswith("svg")  # noqa: S314 - our own
        assert figure.alt
    for grid in section.grids:
        assert {len(row) for row in grid.rows} == {len(grid.head)}
    return section, {fact["value"]: fact for fact in section.facts["groups"]}


@pytest.fixture(scope="module")
def outputs():
    return question_outputs(400)


@pytest.fixture(scope="module")
def single():
    return question_outputs(400, questions=1)


@pytest.fixture(scope="module")
def sites():
    return np.where(np.arange(400) < 250, "north", "south")


def test_values_are_in_natural_order_and_missing_ones_last():
    values = ["age 10", "age 9", None, " age 9 ", float("nan"), "", "  ", np.float64("nan"), 5]
    assert groups_in(values) == [("5", 1), ("age 9", 2), ("age 10", 1), ("not stated", 5)]


@pytest.mark.parametrize(
    "value",
    ["nan", "NaN", " NAN ", "NaT", "not stated", "Not stated", np.datetime64("NaT"), np.float32("nan"), None],
)
def test_what_is_not_stated_is_one_group(value):
    assert groups_in([value, "left", None, ""]) == [("left", 1), ("not stated", 3)]


def test_a_value_called_like_the_others_is_a_group_of_its_own():
    many = [str(value) for value in range(12)]
    found = groups_in([*many, "others (2 values)", "others (2 values)"])
    assert found[-2:] == [("others (2 values)", 2), ("others (2 values) together", 2)]
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) == 12


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.sampled_from([*"abcdefghijklmnop", "others (5 values)", "nan", "", "not stated", None]), min_size=1
    )
)
def test_groups_have_names_that_differ_and_hold_each_sample_once(values):
    groups = groups_of("site", np.array(values, dtype=object))
    names = [group.value for group in groups]
    assert len(set(names)) == len(names)
    assert np.sum([group.members for group in groups], axis=0).tolist() == [1] * len(values)


def test_twelve_values_are_all_shown_and_of_more_the_eleven_largest():
    twelve = [str(value) for value in range(12)]
    assert groups_in(twelve) == [(value, 1) for value in twelve]
    more = [*twelve, "12", *(str(value) for value in range(11))]
    found = groups_in([*more, None])
    assert found == [*((str(value), 2) for value in range(11)), ("others (2 values)", 2), ("not stated", 1)]


def test_groups_of_numbers_and_truths_have_names():
    assert [group.value for group in groups_of("smokes", np.array([True, False]))] == ["False", "True"]
    assert [group.value for group in groups_of("age", np.array([64.0, np.nan]))] == ["64.0", "not stated"]


def test_no_column_makes_no_section(single):
    said = single["probabilities"] >= 0.5
    assert subgroup_section(judge_questions(single, ("cough",)), ("cough",), said, {}) is None


def test_one_question_is_judged_in_each_group(single, sites):
    evaluation = judge_questions(single, ("cough",))
    section, facts = judged(evaluation, sites, ("cough",), np.array([0.5]))
    weights = np.concatenate(list(resample_weights(400, None, resamples=RESAMPLES, seed=0)))
    for value, fact in facts.items():
        here = (sites == value) & ~np.isnan(single["target"][:, 0])
        scores, truth = single["probabilities"][here, 0], single["target"][here, 0]
        assert (fact["samples"], fact["units"]) == ((sites == value).sum(), (sites == value).sum())
        assert (fact["yes"], fact["no"]) == (truth.sum(), (1 - truth).sum())
        assert fact["AUROC"]["value"] == pytest.approx(roc_auc_score(truth, scores))
        assert fact["sensitivity"]["value"] == pytest.approx((scores >= 0.5)[truth == 1].mean())
        assert fact["specificity"]["value"] == pytest.approx((scores < 0.5)[truth == 0].mean())
        areas = [roc_auc_score(truth, scores, sample_weight=row) for row in weights[:, here]]
        ends = tuple(np.quantile(areas, [0.025, 0.975]))
        assert (fact["AUROC"]["low"], fact["AUROC"]["high"]) == pytest.approx(ends)
    row = section.grids[0].rows[0]
    assert section.grids[0].head[:4] == ("site", "Samples", "Yes", "No")
    assert all(is_number(cell) for cell in row[1:])
    assert "questions" not in section.text.split("\n\n")[0]


def test_several_questions_are_averaged_and_pooled(outputs, sites):
    section, facts = judged(judge_questions(outputs), sites)
    for value, fact in facts.items():
        here = sites == value
        columns = [
            (outputs["probabilities"][here, question], outputs["target"][here, question])
            for question in (0, 1)
        ]
        areas = [
            roc_auc_score(truth[~np.isnan(truth)], scores[~np.isnan(truth)]) for scores, truth in columns
        ]
        assert fact["AUROC"]["value"] == pytest.approx(np.mean(areas))
        found = sum(
            ((scores >= threshold) & (truth == 1)).sum()
            for (scores, truth), threshold in zip(columns, THRESHOLDS, strict=True)
        )
        let_be = sum(
            ((scores < threshold) & (truth == 0)).sum()
            for (scores, truth), threshold in zip(columns, THRESHOLDS, strict=True)
        )
        assert fact["sensitivity"]["value"] == pytest.approx(found / fact["yes"])
        assert fact["specificity"]["value"] == pytest.approx(let_be / fact["no"])
    assert section.text.startswith("Of the 2 questions, the groups of a column are judged on those")


def test_a_question_that_one_group_has_too_few_answers_of_is_left_out_of_all(outputs, sites):
    target = outputs["target"].copy()
    target[sites == "south", 1] = 0.0
    target[390:399, 1] = 1.0
    section, facts = judged(judge_questions({**outputs, "target": target}), sites)
    for value, fact in facts.items():
        here = (sites == value) & ~np.isnan(target[:, 0])
        scores, truth = outputs["probabilities"][here, 0], target[here, 0]
        assert fact["AUROC"]["value"] == pytest.approx(roc_auc_score(truth, scores))
        assert fact["sensitivity"]["value"] == pytest.approx((scores >= 0.5)[truth == 1].mean())
        assert fact["specificity"]["value"] == pytest.approx((scores < 0.5)[truth == 0].mean())
        assert fact["questions"] == ["cough"]
    assert section.grids[0].caption == "By site, over 1 of 2 questions"
    # One more yes is enough.
    target[399, 1] = 1.0
    section, facts = judged(judge_questions({**outputs, "target": target}), sites)
    assert facts["south"]["questions"] == list(NAMES)
    assert section.grids[0].caption == "By site, over 2 of 2 questions"


def test_a_share_of_none_is_as_uncertain_as_the_units_it_is_taken_of(outputs, sites):
    target = outputs["target"].copy()
    target[sites == "south", 1] = 0.0
    target[390:399, 1] = 1.0
    _, facts = judged(judge_questions({**outputs, "target": target}), sites, thresholds=np.array([1.1, 0.6]))
    with_yes = int((target[sites == "south", 0] == 1).sum())
    assert facts["south"]["sensitivity"]["high"] == pytest.approx(1 - 0.025 ** (1 / with_yes))


def test_few_answers_to_each_of_many_questions_are_too_few():
    names = tuple(f"question {number}" for number in range(14))
    outputs = question_outputs(200, 14)
    target = outputs["target"].copy()
    target[150:] = 0.0
    target[np.arange(150, 164), np.arange(14)] = 1.0
    sites = np.where(np.arange(200) < 150, "north", "south")
    section, facts = judged(judge_questions({**outputs, "target": target}, names), sites, names, 0.5)
    assert facts["south"]["yes"] == 14
    assert not facts["south"]["judged"]
    assert facts["north"]["questions"] == list(names)
    assert "too few to judge" in section.grids[0].rows[1]


def test_groups_that_share_no_question_are_not_judged(outputs, sites):
    target = outputs["target"].copy()
    target[sites == "south", 1] = 0.0
    target[sites == "north", 0] = 0.0
    section, facts = judged(judge_questions({**outputs, "target": target}), sites)
    assert not facts["south"]["judged"]
    assert [row[4] for row in section.grids[0].rows] == ["no question in common"] * 2
    assert section.grids[0].caption == "By site, over 0 of 2 questions"
    assert "No column has two groups with enough answers to compare." in section.text
    assert section.figures == ()


@pytest.mark.parametrize(("yes", "no"), [(9, 50), (50, 9)])
def test_too_few_answers_are_counted_and_not_judged(yes, no):
    target = np.repeat([1.0, 0.0, 1.0, 0.0], [yes, no, 10, 10])[:, None]
    probabilities = np.random.default_rng(0).random(target.shape)
    sites = np.repeat(["few", "enough"], [yes + no, 20])
    evaluation = judge_questions({"probabilities": probabilities, "target": target}, ("cough",))
    section, facts = judged(evaluation, sites, ("cough",), np.array([0.5]))
    assert facts["few"] == {
        "column": "site",
        "value": "few",
        "samples": yes + no,
        "units": yes + no,
        "yes": yes,
        "no": no,
        "judged": False,
        "questions": [],
    }
    assert facts["enough"]["judged"]
    assert section.grids[0].rows[1][:5] == ("few", yes + no, yes, no, "too few to judge")
    assert "No column has two groups with enough answers to compare." in section.text
    assert "few" not in section.figures[0].alt


def test_answers_are_counted_by_unit(single):
    units = np.arange(400) // 25
    sites = np.where(units < 8, "eight patients", "eight others")
    section, facts = judged(
        judge_questions(single, ("cough",), units=units), sites, ("cough",), np.array([0.5])
    )
    assert not any(fact["judged"] for fact in facts.values())
    assert facts["eight patients"]["units"] == 8
    assert section.grids[0].head[2] == "Patients"
    assert section.grids[0].rows[1][2] == 8
    assert section.figures == ()
    assert "Fewer than 10 patients with a yes, or with a no, are too few to judge." in section.text


def test_the_largest_difference_beyond_overlap_is_named(single, sites):
    probabilities = single["probabilities"].copy()
    # In the south the model is of no use, and says no to everything.
    probabilities[sites == "south"] = 0.1 * np.random.default_rng(3).random((150, 1))
    evaluation = judge_questions({**single, "probabilities": probabilities}, ("cough",))
    section, facts = judged(evaluation, sites, ("cough",), np.array([0.3]))
    north = facts["north"]["sensitivity"]
    with_yes = int((single["target"][sites == "south"] == 1).sum())
    assert (
        "The largest difference whose intervals do not overlap is by site: sensitivity is "
        f"{100 * north['value']:.1f} % ({100 * north['low']:.1f} to {100 * north['high']:.1f} %) "
        "where it is north, and "
        f"0.0 % (0.0 to {100 * (1 - 0.025 ** (1 / with_yes)):.1f} %) where it is south."
    ) in section.text
    groups = judge_groups(evaluation, probabilities >= 0.3, groups_of("site", sites))
    measure, better, worse = largest_gap(groups)
    assert (measure, better.group.value, worse.group.value) == ("sensitivity", "north", "south")


def test_groups_of_different_columns_are_not_compared(single, sites):
    probabilities = single["probabilities"].copy()
    probabilities[sites == "south"] = 0.1
    evaluation = judge_questions({**single, "probabilities": probabilities}, ("cough",))
    north, south = np.where(sites == "north", "all", None), np.where(sites == "south", "all", None)
    groups = [*groups_of("first", north)[:1], *groups_of("second", south)[:1]]
    assert largest_gap(judge_groups(evaluation, probabilities >= 0.3, groups)) is None


def test_groups_alike_have_no_difference_to_name(single):
    alike = np.random.default_rng(1).choice(["left", "right"], 400)
    section, _ = judged(judge_questions(single, ("cough",)), alike, ("cough",), np.array([0.5]))
    assert "No two judged groups of a column have intervals that do not overlap." in section.text
    assert "among many groups some differ by chance" in section.text


def test_each_column_has_its_table_in_order(single, sites):
    section = subgroup_section(
        judge_questions(single, ("cough",)),
        ("cough",),
        single["probabilities"] >= 0.5,
        {"site": sites, "half": np.arange(400) % 2},
    )
    assert [grid.caption for grid in section.grids] == ["By site", "By half"]
    assert [row[0] for row in section.grids[1].rows] == ["0", "1"]
    assert section.key == "subgroups"


def test_the_seed_is_that_of_the_evaluation(single, sites):
    evaluation = judge_questions(single, ("cough",), seed=5)
    _, facts = judged(evaluation, np.where(sites == "north", "all", "all"), ("cough",), np.array([0.5]))
    assert facts["all"]["AUROC"] == pytest.approx(vars(evaluation.estimates["AUROC"]))
