import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.evaluation.frechet import (
    Gaussian,
    fitted_gaussian,
    frechet_distance,
    frechet_influence,
    gaussian_distance,
)
from fivefold.evaluation.generative_metrics import generative_metrics, judged_by
from fivefold.evaluation.linear_bootstrap import Influence, Remembered


def features(count: int = 60, width: int = 5, *, shift: float = 0.0, scale: float = 1.0, seed: int = 0):
    return np.random.default_rng(seed).normal(size=(count, width)) * scale + shift


def rotation(width: int, seed: int = 0):
    return np.linalg.qr(features(width, width, seed=seed))[0]


def test_gaussians_with_diagonal_covariances_are_apart_by_means_and_standard_deviations() -> None:
    first = Gaussian(np.array([0.0, 1.0, 2.0]), np.diag([1.0, 4.0, 9.0]))
    second = Gaussian(np.array([1.0, 1.0, 0.0]), np.diag([4.0, 4.0, 1.0]))
    # |m1 - m2|^2 + sum (s1 - s2)^2 = 5 + 1 + 0 + 4.
    assert gaussian_distance(first, second) == pytest.approx(10.0, rel=1e-12)


def test_two_dimensions_have_a_closed_form() -> None:
    # tr (C1 C2)^(1/2) = sqrt(tr(C1 C2) + 2 sqrt(det C1 det C2)) for matrices of two rows.
    one, other = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([[1.0, -0.3], [-0.3, 3.0]])
    root = np.sqrt(np.trace(one @ other) + 2 * np.sqrt(np.linalg.det(one) * np.linalg.det(other)))
    expected = np.trace(one) + np.trace(other) - 2 * root
    assert gaussian_distance(Gaussian(np.zeros(2), one), Gaussian(np.zeros(2), other)) == pytest.approx(
        expected
    )


def test_distance_of_a_rank_deficient_covariance_is_that_of_the_subspace() -> None:
    turn = rotation(4)
    one = turn @ np.diag([4.0, 0.0, 1.0, 0.0]) @ turn.T
    other = turn @ np.diag([1.0, 9.0, 1.0, 0.0]) @ turn.T
    # Standard deviations 2, 0, 1, 0 against 1, 3, 1, 0.
    assert gaussian_distance(Gaussian(np.zeros(4), one), Gaussian(np.zeros(4), other)) == pytest.approx(10.0)


def test_known_transformations_of_one_sample() -> None:
    real = features()
    assert frechet_distance(real, real) == pytest.approx(0.0, abs=1e-9)
    assert frechet_distance(real, real + 2.0) == pytest.approx(5 * 4.0)
    centred = real - real.mean(axis=0)
    # Standard deviations three times as large: (3 - 1)^2 of the variances, which are unbiased.
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * np.var(centred, axis=0, ddof=1).sum())


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_properties(seed: int) -> None:
    real, made = features(seed=seed), features(shift=0.3, scale=1.5, seed=seed + 1)
    value = frechet_distance(real, made)
    assert value > 0
    assert frechet_distance(made, real) == pytest.approx(value)
    order = np.random.default_rng(seed).permutation(len(real))
    assert frechet_distance(real[order], made) == pytest.approx(value)
    assert frechet_distance(7 * real, 7 * made) == pytest.approx(49 * value)
    turn = rotation(real.shape[1], seed)
    assert frechet_distance(real @ turn + 5, made @ turn + 5) == pytest.approx(value)


def test_weights_are_repeats() -> None:
    real, made = features(), features(shift=0.5, seed=1)
    counts = np.random.default_rng(2).integers(0, 3, size=len(real))
    repeated = np.repeat(np.arange(len(real)), counts)
    expected = frechet_distance(real[repeated], made[repeated])
    assert frechet_distance(real, made, counts) == pytest.approx(expected)
    fitted = fitted_gaussian(real, counts)
    np.testing.assert_allclose(fitted.covariance, np.cov(real[repeated].T))
    np.testing.assert_allclose(fitted.mean, real[repeated].mean(axis=0))


def test_large_means_do_not_drown_small_variances() -> None:
    real, made = features(scale=1e-3), features(scale=2e-3, seed=1)
    assert frechet_distance(real + 1e4, made + 1e4) == pytest.approx(frechet_distance(real, made), rel=1e-4)


def test_one_sample_has_no_distance() -> None:
    assert np.isnan(frechet_distance(features(1), features(1)))


def test_influence_is_the_derivative_by_the_weights() -> None:
    real, made = features(40), features(40, shift=0.4, scale=1.3, seed=1)
    found = frechet_influence(real, made)
    assert found.value == pytest.approx(frechet_distance(real, made))
    direction = features(40, 1, seed=5)[:, 0]
    step = 1e-4
    ends = [
        # Weights of a constant sum, by which the factor of the unbiased covariance stays what it is.
        frechet_distance(real, made, 1 + sign * step * (direction - direction.mean()))
        for sign in (1, -1)
    ]
    slope = (ends[0] - ends[1]) / (2 * step)
    assert slope == pytest.approx(found.samples @ direction / 40, rel=1e-5)


def test_influence_where_features_are_constant_or_more_than_samples() -> None:
    real, made = features(20, 30), features(20, 30, shift=0.4, seed=1)
    real[:, 0] = made[:, 0] = 3.0
    found = frechet_influence(real, made)
    assert found.value == pytest.approx(frechet_distance(real, made))
    assert np.isfinite(found.samples).all()
    equal = frechet_influence(np.ones((5, 2)), np.ones((5, 2)))
    assert equal.value == 0.0
    assert not equal.samples.any()


def test_the_first_order_spread_is_that_of_fresh_samples() -> None:
    def drawn(seed: int):
        return features(200, 6, seed=seed), features(200, 6, shift=0.3, scale=1.4, seed=10_000 + seed)

    fresh = np.std([frechet_distance(*drawn(seed)) for seed in range(200)])
    told = np.mean([frechet_influence(*drawn(seed)).samples.std() / np.sqrt(200) for seed in range(20)])
    assert told == pytest.approx(fresh, rel=0.2)


def test_draws_are_centred_at_the_value_and_linear_in_the_shares() -> None:
    influence = Influence(2.0, np.array([1.0, -1.0, 0.0]))
    draws = influence.draws(np.array([[1.0, 1, 1], [3, 0, 0], [0, 6, 0]]))
    np.testing.assert_allclose(draws, [2.0, 3.0, 1.0])


def test_a_result_is_remembered_for_the_same_arrays_only() -> None:
    calls = []

    def compute(first, second) -> float:
        calls.append(1)
        return float(first.sum() + second.sum())

    remembered = Remembered(compute)
    one, two = np.ones(2), np.ones(3)
    assert remembered(one, two) == remembered(one, two) == 5.0
    assert len(calls) == 1
    assert remembered(one, two.copy()) == 5.0
    assert remembered(two, one) == 5.0
    assert len(calls) == 3
    for _ in range(10):  # arrays that are gone make place, and do not stand for those at the same address
        assert remembered(np.full(2, 2.0), np.full(2, 3.0)) == 10.0
    called = len(calls)
    assert remembered(one, two) == 5.0
    assert len(calls) == called


def test_metrics_carry_extractor_and_count_and_agree_with_their_parts() -> None:
    outputs = {"target": features(50), "generated": features(50, shift=0.5, seed=1)}
    name = judged_by("efficientnet-lite0", 5000)
    metrics = generative_metrics(name)
    assert [metric.name for metric in metrics] == [
        f"{kind} (efficientnet-lite0, 5,000)"
        for kind in ("FID", "KID", "precision", "recall", "density", "coverage")
    ]
    fid = metrics[0]
    assert fid.higher_is_better is False
    assert [metric.headline for metric in metrics] == [True, False, False, False, False, False]
    assert fid.compute(outputs, None) == pytest.approx(
        frechet_distance(outputs["target"], outputs["generated"])
    )
    weights = np.random.default_rng(3).multinomial(50, np.full(50, 1 / 50), size=40).astype(np.float64)
    for metric in metrics:
        draws = metric.resampled(outputs, weights)
        assert draws.shape == (40,)
        assert np.isfinite(draws).all()
        assert metric.resampled(outputs, np.ones((1, 50)))[0] == pytest.approx(
            metric.compute(outputs, None), abs=1e-5
        )


def test_one_sample_leaves_every_metric_undefined_without_a_warning() -> None:
    outputs = {"target": features(1), "generated": features(1, seed=1)}
    for metric in generative_metrics("x, 1"):
        assert np.isnan(metric.compute(outputs, None))
        assert np.isnan(metric.resampled(outputs, np.ones((2, 1)))).all()
