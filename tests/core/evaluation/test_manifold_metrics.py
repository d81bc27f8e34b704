import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.evaluation.distances import distance_blocks
from fivefold.evaluation.generative_metrics import generative_metrics
from fivefold.evaluation.manifold import neighbourhoods, radii


def features(count: int = 40, width: int = 3, *, shift: float = 0.0, seed: int = 0):
    return np.random.default_rng(seed).normal(size=(count, width)) + shift


def apart(one, other) -> float:
    return float(np.sqrt(((one - other) ** 2).sum()))


def reach(points, k: int) -> list[float]:
    return [
        sorted(apart(point, other) for place, other in enumerate(points) if place != own)[k - 1]
        for own, point in enumerate(points)
    ]


def by_hand(real, made, k: int, c: int) -> tuple[float, float, float, float]:
    """Precision, recall, density and coverage as their papers define them, ball by ball."""
    near, own, far = reach(real, k), reach(made, k), reach(real, c)
    precision = np.mean([any(apart(m, r) <= near[i] for i, r in enumerate(real)) for m in made])
    recall = np.mean([any(apart(r, m) <= own[j] for j, m in enumerate(made)) for r in real])
    density = sum(apart(m, r) <= far[i] for m in made for i, r in enumerate(real)) / (c * len(made))
    coverage = np.mean([any(apart(m, r) <= far[i] for m in made) for i, r in enumerate(real)])
    return float(precision), float(recall), float(density), float(coverage)


@given(st.integers(0, 10_000), st.floats(0, 3), st.integers(8, 30))
@settings(max_examples=15, deadline=None)
def test_they_are_what_balls_by_hand_give(seed: int, shift: float, count: int) -> None:
    real, made = features(25, seed=seed), features(count, shift=shift, seed=seed + 1)
    found = neighbourhoods(real, made)
    means = (found.precision.mean(), found.recall.mean(), found.density.mean(), found.coverage.mean())
    assert means == pytest.approx(by_hand(real, made, 3, 5))


def test_blocks_leave_them_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    real, made = features(), features(shift=1.0, seed=1)
    monkeypatch.setattr("fivefold.evaluation.distances.CELLS", 160)
    found = neighbourhoods(real, made, neighbours=2, coverage_neighbours=4)
    means = (found.precision.mean(), found.recall.mean(), found.density.mean(), found.coverage.mean())
    assert means == pytest.approx(by_hand(real, made, 2, 4))


def test_identical_sets_are_perfect_and_distant_ones_have_nothing_in_common() -> None:
    real = features() + 100  # far from the origin, where products cancel
    same = neighbourhoods(real, real.copy())
    assert same.precision.all()
    assert same.recall.all()
    assert same.coverage.all()
    other = neighbourhoods(real, real + 50)
    assert not any(values.any() for values in vars(other).values())


def test_one_mode_of_two_is_precise_and_recalls_half() -> None:
    real = np.concatenate([features(50), features(50, shift=30, seed=1)])
    found = neighbourhoods(real, features(100, seed=2))
    assert found.precision.mean() > 0.6
    assert found.recall[:50].mean() > 0.6
    assert not found.recall[50:].any()
    assert not found.coverage[50:].any()


def test_order_and_scale_change_nothing() -> None:
    real, made = features(), features(shift=0.7, seed=1)
    found = neighbourhoods(real, made)
    turned = neighbourhoods(1000 * real[::-1], 1000 * made)
    np.testing.assert_array_equal(turned.precision, found.precision)
    np.testing.assert_array_equal(turned.recall, found.recall[::-1])
    np.testing.assert_array_equal(turned.density, found.density)


def test_radii_leave_the_point_itself_out_and_keep_equal_ones() -> None:
    points = np.array([[0.0], [1.0], [3.0], [3.0]])
    first, second, fourth = radii(points, (1, 2, 4))
    np.testing.assert_allclose(first, [1, 1, 0, 0])
    np.testing.assert_allclose(second, [9, 4, 4, 4])
    assert np.isnan(fourth).all()


def test_distances_of_equal_rows_are_exactly_zero() -> None:
    points = features(30, 50) + 1000
    (rows, distances), *_ = distance_blocks(points, points)
    assert rows == slice(0, rows.stop)
    assert not distances.diagonal().any()
    expected = ((points[:, None] - points[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-3)


def test_intervals_hold_the_balls_fixed() -> None:
    outputs = {"target": features(), "generated": features(shift=1.0, seed=1)}
    precision = generative_metrics("x, 40")[2]
    found = neighbourhoods(outputs["target"], outputs["generated"]).precision
    weights = np.random.default_rng(0).multinomial(40, np.full(40, 1 / 40), size=5).astype(np.float64)
    np.testing.assert_allclose(precision.resampled(outputs, weights), weights @ found / 40)


def test_too_few_samples_have_no_balls() -> None:
    found = neighbourhoods(features(4), features(4, seed=1))
    assert np.isfinite(found.precision).all()
    assert np.isnan(found.coverage).all()
