import numpy as np
import pytest

from fivefold.evaluation.kernel_distance import kernel_distance, kernel_influence


def features(count: int = 40, width: int = 6, *, shift: float = 0.0, seed: int = 0):
    return np.random.default_rng(seed).normal(size=(count, width)) + shift


def by_hand(real, made) -> float:
    """The estimate of Bińkowski et al. 2018, equation 4, pair by pair."""

    def kernel(one, other) -> float:
        return (one @ other / len(one) + 1) ** 3

    def within(of) -> float:
        pairs = [kernel(of[i], of[j]) for i in range(len(of)) for j in range(len(of)) if i != j]
        return sum(pairs) / len(pairs)

    across = [kernel(one, other) for one in real for other in made]
    return within(real) + within(made) - 2 * sum(across) / len(across)


def test_it_is_the_sum_over_pairs() -> None:
    real, made = features(23), features(31, shift=0.4, seed=1)
    assert kernel_distance(real, made) == pytest.approx(by_hand(real, made), rel=1e-5)


def test_blocks_of_rows_leave_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = features(), features(shift=0.4, seed=1)
    whole = kernel_distance(real, made)
    monkeypatch.setattr("fivefold.evaluation.kernel_distance.ROWS", 7)
    assert kernel_distance(real, made) == pytest.approx(whole, rel=1e-6)


def test_it_is_symmetric_and_blind_to_order() -> None:
    real, made = features(), features(shift=0.4, seed=1)
    assert kernel_distance(made, real) == pytest.approx(kernel_distance(real, made))
    assert kernel_distance(real[::-1], made) == pytest.approx(kernel_distance(real, made))


def test_it_is_unbiased_where_both_are_of_one_distribution() -> None:
    values = [
        kernel_distance(features(20, seed=seed), features(20, seed=10_000 + seed)) for seed in range(400)
    ]
    assert min(values) < 0
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(len(values))


def test_weights_are_repeats() -> None:
    real, made = features(), features(shift=0.5, seed=1)
    counts = np.random.default_rng(2).integers(0, 3, size=len(real))
    repeated = np.repeat(np.arange(len(real)), counts)
    assert kernel_distance(real, made, counts) == pytest.approx(
        by_hand(real[repeated], made[repeated]), rel=1e-4
    )


def test_influence_predicts_what_leaving_a_sample_out_does() -> None:
    real, made = features(200), features(200, shift=0.4, seed=1)
    found = kernel_influence(real, made)
    assert found.value == pytest.approx(kernel_distance(real, made), rel=1e-5)
    assert found.samples.mean() == pytest.approx(0.0, abs=1e-9)
    # The jackknife: leaving one out moves a mean by its influence over N - 1, the other way.
    left = [kernel_distance(np.delete(real, row, axis=0), np.delete(made, row, axis=0)) for row in range(40)]
    np.testing.assert_allclose((found.value - np.array(left)) * 199, found.samples[:40], rtol=0.05, atol=0.05)


def test_the_first_order_spread_is_that_of_fresh_samples() -> None:
    def drawn(seed: int):
        return features(150, seed=seed), features(150, shift=0.5, seed=10_000 + seed)

    fresh = np.std([kernel_distance(*drawn(seed)) for seed in range(200)])
    told = np.mean([kernel_influence(*drawn(seed)).samples.std() / np.sqrt(150) for seed in range(20)])
    assert told == pytest.approx(fresh, rel=0.25)


def test_one_sample_has_no_distance() -> None:
    assert np.isnan(kernel_distance(features(1), features(5)))
