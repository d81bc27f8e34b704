"""DeLong's comparison: its parts by counting pairs, a published example, and the coverage of its interval."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from fivefold.evaluation.delong import contributions, delong


def counted(scores, truth):
    """Structural components by comparing every yes with every no, in O(M N)."""
    yes, no = scores[truth == 1], scores[truth == 0]
    wins = (yes[:, None] > no) + 0.5 * (yes[:, None] == no)
    return wins.mean(axis=1), wins.mean(axis=0)


def two_scores(count: int, seed: int, correlation: float = 0.5):
    """Truth and two correlated scores with ties; the first has more skill."""
    generator = np.random.default_rng(seed)
    truth = np.append((generator.random(count - 4) < 0.4).astype(float), [0, 0, 1, 1])
    noise = generator.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=count)
    scores = noise + truth[:, None] * np.array([1.2, 0.6])
    return truth, *np.round(scores, 1).T


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(4, 60))
def test_midranks_count_pairs(seed, count):
    truth, scores, _ = two_scores(count, seed)
    found = contributions(scores, truth == 1, truth == 0)
    for part, expected in zip(found, counted(scores, truth), strict=True):
        np.testing.assert_allclose(part, expected, atol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_variance_is_the_covariance_matrix_of_the_components(seed):
    truth, scores, other = two_scores(80, seed)
    found = delong(scores, other, truth)
    (yes, no), (other_yes, other_no) = counted(scores, truth), counted(other, truth)
    covariance = np.cov([yes, other_yes]) / len(yes) + np.cov([no, other_no]) / len(no)
    contrast = np.array([1, -1])
    assert found.standard_error == pytest.approx(np.sqrt(contrast @ covariance @ contrast))
    assert found.auroc == pytest.approx(roc_auc_score(truth, scores))
    assert found.reference == pytest.approx(roc_auc_score(truth, other))
    assert found.difference == pytest.approx(found.auroc - found.reference)
    assert found.high - found.difference == pytest.approx(1.959964 * found.standard_error, rel=1e-6)
    assert found.difference - found.low == pytest.approx(found.high - found.difference)


def test_the_computed_tomograms_of_hanley_and_mcneil():
    """109 images rated 1 to 5 (Hanley and McNeil 1982, table 1).

    Stata's manual ([R] roctab) gives area 0.8932, standard error 0.0307 and interval 0.83295 to 0.95339, by DeLong.
    A constant reference has no variance, so that the difference has the area's.
    """
    ratings = np.tile(np.arange(1, 6), 2)
    counts = [33, 6, 6, 11, 2, 3, 2, 2, 11, 33]
    truth = np.repeat(np.repeat([0.0, 1.0], 5), counts)
    found = delong(np.repeat(ratings, counts), np.zeros(109), truth)
    assert found.auroc == pytest.approx(0.8932, abs=5e-5)
    assert found.reference == 0.5
    assert found.standard_error == pytest.approx(0.0307, abs=5e-5)
    assert found.low + 0.5 == pytest.approx(0.83295, abs=5e-6)
    assert found.high + 0.5 == pytest.approx(0.95339, abs=5e-6)


def test_the_interval_covers_the_true_difference():
    # Scores of normal noise and shifts a, b have AUROCs Phi(a / sqrt 2), Phi(b / sqrt 2): both 0.7603 for a = b = 1.
    generator = np.random.default_rng(0)
    truth = np.repeat([0.0, 1.0], [100, 50])
    covered = 0
    runs = 400
    for _ in range(runs):
        noise = generator.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], size=150)
        first, second = (noise + truth[:, None]).T
        found = delong(first, second, truth)
        covered += found.low <= 0 <= found.high
        assert (found.p_value < 0.05) == (not found.low <= 0 <= found.high)
    assert 0.92 <= covered / runs <= 0.98


def correlated_patients(generator, patients=60, each=5):
    """Images of patients, of either answer, whose scores share a patient's effect that differs between scores."""
    units = np.repeat(np.arange(patients), each)
    truth = (generator.random(patients * each) < 0.5).astype(float)
    shared = np.repeat(generator.normal(size=(patients, 2)), each, axis=0)
    # The effect speaks for yes in patients of many yeses: it makes answers of one patient alike.
    truth[units % 3 == 0] = 1
    truth[units % 3 == 1] = 0
    scores = shared * 1.5 + generator.normal(size=shared.shape) + truth[:, None]
    return units, truth, *scores.T


def test_the_interval_over_patients_covers_where_that_over_images_does_not():
    generator = np.random.default_rng(1)
    covered = np.zeros(2)
    runs = 300
    for _ in range(runs):
        units, truth, first, second = correlated_patients(generator)
        for row, by in enumerate((units, None)):
            found = delong(first, second, truth, by)
            covered[row] += found.low <= 0 <= found.high
    assert 0.91 <= covered[0] / runs <= 0.98
    assert covered[1] / runs < 0.85


def test_the_clustered_variance_by_obuchowskis_formula():
    units, truth, first, second = correlated_patients(np.random.default_rng(2), patients=12, each=3)
    parts = [np.subtract(*pair) for pair in zip(counted(first, truth), counted(second, truth), strict=True)]
    theta = parts[0].mean()
    sums = np.zeros((2, 12))
    members = np.zeros((2, 12))
    for row, answer in enumerate((1, 0)):
        np.add.at(sums[row], units[truth == answer], parts[row])
        np.add.at(members[row], units[truth == answer], 1)
    centred = sums - members * theta
    total = members.sum(axis=1)
    having = (members > 0).sum(axis=1)
    s10, s01 = having / ((having - 1) * total) * (centred**2).sum(axis=1)
    s11 = 12 / 11 * (centred[0] * centred[1]).sum()
    expected = s10 / total[0] + s01 / total[1] + 2 * s11 / total.prod()
    assert delong(first, second, truth, units).standard_error == pytest.approx(np.sqrt(expected))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000))
def test_units_that_all_differ_equal_no_units(seed):
    truth, scores, other = two_scores(40, seed)
    units = np.array([f"patient {code}" for code in np.random.default_rng(seed).permutation(40)])
    found, expected = delong(scores, other, truth, units), delong(scores, other, truth)
    assert astuple(found) == pytest.approx(astuple(expected), abs=1e-12)


def test_unknown_truth_takes_no_part():
    truth, scores, other = two_scores(60, 0)
    units = np.arange(60) // 2
    hidden = np.where(np.arange(60) < 10, np.nan, truth)
    assert delong(scores, other, hidden, units) == delong(scores[10:], other[10:], truth[10:], units[10:])


def test_swapping_turns_the_difference_around():
    truth, scores, other = two_scores(60, 3)
    one, two = delong(scores, other, truth, level=0.9), delong(other, scores, truth, level=0.9)
    assert (one.low, one.high) == (-two.high, -two.low)
    assert one.p_value == two.p_value
    assert one.standard_error == two.standard_error


def test_scores_that_order_alike_do_not_differ():
    truth, scores, _ = two_scores(60, 0)
    found = delong(scores, np.exp(scores), truth)
    assert (found.difference, found.standard_error, found.low, found.high, found.p_value) == (0, 0, 0, 0, 1)


def test_a_spread_that_cannot_be_seen_is_not_taken_for_none():
    truth = np.array([0.0, 0.0, 1.0, 1.0])
    found = delong(truth, np.zeros(4), truth)
    assert found.difference == 0.5
    assert np.isnan([found.standard_error, found.low, found.high, found.p_value]).all()


@pytest.mark.parametrize(
    ("truth", "units"), [([1, 0, 0, 0], None), ([1, 1, 0, 0], [0, 0, 1, 2]), ([1, 0, 1, 0], [0, 0, 0, 0])]
)
def test_one_unit_has_no_spread(truth, units):
    scores = np.array([0.7, 0.2, 0.4, 0.5])
    found = delong(scores, -scores, np.array(truth), None if units is None else np.array(units))
    assert found.auroc == pytest.approx(roc_auc_score(truth, scores))
    assert np.isnan([found.standard_error, found.low, found.high, found.p_value]).all()


@pytest.mark.parametrize("truth", [[1.0, 1, 1], [0, 0, 0], [np.nan, 0, 0], [np.nan] * 3])
def test_a_missing_answer_has_no_comparison(truth):
    assert delong(np.arange(3.0), np.arange(3.0), np.array(truth)) is None
