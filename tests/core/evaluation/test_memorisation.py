import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fivefold.errors import DataError
from fivefold.evaluation.memorisation import mann_whitney, memorisation, most_suspicious, told
from fivefold.evaluation.memorisation_sections import memorisation_section
from fivefold.evaluation.nearest import nearest


def points(count: int, width: int = 4, *, seed: int = 0, scale: float = 1.0):
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32) * scale


@given(st.integers(0, 10_000), st.integers(1, 4))
@settings(max_examples=15, deadline=None)
def test_the_nearest_are_those_of_a_direct_search(seed: int, count: int) -> None:
    queries, references = points(20, seed=seed), points(30, seed=seed + 1)
    found = nearest(queries, references, count=count)
    all_of_them = np.sqrt(((queries[:, None].astype(float) - references[None]) ** 2).sum(axis=2))
    np.testing.assert_array_equal(found.indices, np.argsort(all_of_them, axis=1)[:, :count])
    np.testing.assert_allclose(found.distances, np.sort(all_of_them, axis=1)[:, :count])


def test_small_blocks_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    queries, references = points(20), points(50, seed=1)
    whole = nearest(queries, references, count=3)
    monkeypatch.setattr("fivefold.evaluation.nearest.NUMBERS", 8)
    monkeypatch.setattr("fivefold.evaluation.distances.CELLS", 6)
    parts = nearest(queries, references, count=3)
    np.testing.assert_array_equal(parts.indices, whole.indices)
    np.testing.assert_array_equal(parts.distances, whole.distances)


def test_an_equal_picture_of_bytes_is_at_distance_zero() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(40, 64), dtype=np.uint8)
    found = nearest(images[[7, 30]], images)
    np.testing.assert_array_equal(found.indices[:, 0], [7, 30])
    assert not found.distances.any()


@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 30))
@settings(max_examples=20, deadline=None)
def test_the_statistic_is_that_of_mann_and_whitney(seed: int, first: int, second: int) -> None:
    generator = np.random.default_rng(seed)
    one, other = generator.integers(0, 8, first).astype(float), generator.integers(0, 8, second).astype(float)
    if len(np.unique(np.concatenate([one, other]))) == 1:
        assert mann_whitney(one, other) == 0.0
        return
    expected = stats.mannwhitneyu(one, other, alternative="less", method="asymptotic", use_continuity=False)
    assert stats.norm.cdf(mann_whitney(one, other)) == pytest.approx(expected.pvalue)


def test_fresh_samples_pass_and_the_error_is_as_said() -> None:
    failed = [
        not memorisation(
            points(100, seed=seed), points(100, seed=1000 + seed), points(150, seed=2000 + seed), space="x"
        ).passed
        for seed in range(80)
    ]
    # 1 % at most; five of 80 would be a chance of one in a thousand.
    assert sum(failed) < 5


def test_copies_on_the_whole_and_copies_in_part_are_found() -> None:
    train, held_out = points(400), points(300, seed=1)
    copied = train[:300] + points(300, seed=2, scale=0.01)
    whole = memorisation(copied, held_out, train, space="features of x")
    assert not whole.passed
    assert whole.statistic < -10
    assert whole.share > 0.9
    assert "Memorisation test failed, some generated samples are too near" in whole.sentence()

    # A twentieth are copies, the others lie farther than held-out ones: only the share tells.
    mixed = np.concatenate([copied[:15], 1.5 * points(285, seed=3)])
    part = memorisation(mixed, held_out, train, space="features of x", neighbours=2)
    assert part.copies
    assert not part.nearer
    assert part.count >= 15
    assert set(most_suspicious(part, 10)) <= set(range(15))
    assert part.generated.indices[most_suspicious(part, 15)[0], 0] < 300
    assert part.generated.indices.shape == (300, 2)


def test_samples_that_are_nearer_on_the_whole_without_copies_fail_by_the_statistic() -> None:
    train, held_out = points(400, 12), points(300, 12, seed=1)
    typical = memorisation(points(300, 12, seed=2, scale=0.85), held_out, train, space="x")
    assert typical.nearer
    assert not typical.copies
    assert "on the whole nearer" in typical.sentence()


def test_the_exact_test_is_that_of_exchangeable_samples() -> None:
    # Two held-out samples at 2 and 4, one generated at 1, 3 or 5: it lies below the nearest in a third of all orders.
    train, held_out = np.zeros((1, 1)), np.array([[2.0], [4.0]])
    found = memorisation(np.array([[1.0]]), held_out, train, space="x")
    assert found.threshold == 2.0
    assert found.expected == pytest.approx(1 / 3)
    assert found.count_p_value == pytest.approx(1 / 3)
    assert memorisation(np.array([[3.0]]), held_out, train, space="x").count_p_value == pytest.approx(1.0)


def test_section_tells_verdict_and_numbers() -> None:
    found = memorisation(points(50), points(50, seed=1), points(80, seed=2), space="features of x")
    section = memorisation_section([found])
    assert found.passed
    assert section.text.startswith("Memorisation test passed, no sign of copies in features of x: ")
    assert section.facts["passed"] is True
    assert section.facts["spaces"] == [told(found)]
    assert section.grids[0].rows[0][-1] == "passed"
    assert len(section.figures) == 1


@pytest.mark.parametrize(("generated", "held_out", "train"), [(0, 3, 3), (3, 0, 3), (3, 3, 1)])
def test_too_few_samples_are_refused(generated: int, held_out: int, train: int) -> None:
    with pytest.raises(
        DataError, match=rf"2 or more of training, found {generated}, {held_out} and {train}$"
    ):
        memorisation(points(generated), points(held_out), points(train), space="x", neighbours=2)
