"""Metrics of predicted tracks against numbers worked out by hand, plain loops, and properties."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.evaluation.bootstrap import computable, resample, resample_weights
from fivefold_driving.predict import metrics as module
from fivefold_driving.predict.metrics import best_errors, collisions, single_errors, touches, track_metrics

NAN = float("nan")
quick = settings(max_examples=25, deadline=None)


def drawn(seed, windows=5, agents=4, samples=3, frames=4, lookback=3):
    """Outputs of unlike numbers of agents, some of them not judged, some places empty."""
    generator = np.random.default_rng(seed)
    there = generator.random((windows, agents)) < 0.8
    there[:, 0] = True
    judged = there & (generator.random((windows, agents)) < 0.7)
    judged[:, 0] = True
    normal = generator.normal
    outputs = {
        "samples": normal(size=(windows, agents, samples, frames, 2)),
        "single": normal(size=(windows, agents, frames, 2)),
        "target": np.where(judged[..., None, None], normal(size=(windows, agents, frames, 2)), NAN),
        "seen": np.where(there[..., None, None], normal(size=(windows, agents, lookback, 2)), NAN),
        "log_likelihood": normal(size=(windows, agents)),
    }
    for name in ("samples", "single"):
        outputs[name][~there] = NAN
    return {name: array.astype(np.float32) for name, array in outputs.items()}


def values(outputs, samples=3, weights=None, **which):
    return {one.name: one.compute(outputs, weights) for one in track_metrics(samples, **which)}


def by_loops(outputs, weights=None):
    """Every metric, agent by agent, frame by frame."""
    single, samples, target = (outputs[name].astype(np.float64) for name in ("single", "samples", "target"))
    sums, total = {}, 0.0
    for window in range(len(single)):
        weight = 1.0 if weights is None else weights[window]
        there = [a for a in range(single.shape[1]) if not np.isnan(outputs["seen"][window, a]).any()]
        judged = [a for a in there if not np.isnan(target[window, a]).any()]

        def error(track, agent, frame, window=window):
            return np.linalg.norm(track[frame] - target[window, agent, frame])

        frames = range(single.shape[2])
        draws = range(samples.shape[2])
        ade = {
            (a, k): np.mean([error(samples[window, a, k], a, t) for t in frames])
            for a in judged
            for k in draws
        }
        fde = {(a, k): error(samples[window, a, k], a, frames[-1]) for a in judged for k in draws}
        for agent in judged:
            last = error(single[window, agent], agent, frames[-1])
            near = False
            for other in there:
                for t in frames[:-1]:
                    for share in (0, 0.5, 1):
                        one, two = (
                            (1 - share) * single[window, a, t] + share * single[window, a, t + 1]
                            for a in (agent, other)
                        )
                        near |= other != agent and np.linalg.norm(one - two) <= 0.2
            own = {
                "ADE": np.mean([error(single[window, agent], agent, t) for t in frames]),
                "FDE": last,
                "minADE3 per agent": min(ade[agent, k] for k in draws),
                "minFDE3 per agent": min(fde[agent, k] for k in draws),
                "minADE3 joint": min(np.mean([ade[a, k] for a in judged]) for k in draws),
                "minFDE3 joint": min(np.mean([fde[a, k] for a in judged]) for k in draws),
                "miss rate": float(last > 2),
                "miss rate best of 3": float(min(fde[agent, k] for k in draws) > 2),
                "collision rate": float(near),
                "negative log-likelihood": -float(outputs["log_likelihood"][window, agent]) / len(frames),
            }
            total += weight
            for name, value in own.items():
                sums[name] = sums.get(name, 0.0) + weight * value
    return {name: value / total for name, value in sums.items()}


def two_walkers():
    """Two agents, two samples, two frames: one prediction off by 1 m then 3 m, the other right."""
    target = np.array([[[[1.0, 0], [2, 0]], [[1, 5], [2, 5]]]])
    single = target + np.array([[[[0, 1.0], [0, 3]], [[0, 0], [0, 0]]]])
    samples = np.stack([target, target], axis=2)
    # The first agent's best is its first sample, the second agent's its second.
    samples[0, 0, 1] += [0.0, 4.0]
    samples[0, 1, 0] += [2.0, 0.0]
    seen = np.array([[[[-1.0, 0], [0, 0]], [[-1, 5], [0, 5]]]])
    return {"single": single, "samples": samples, "target": target, "seen": seen}


def test_by_hand():
    found = values(two_walkers(), samples=2)
    assert found == {
        "ADE": 1.0,  # (2 + 0) / 2
        "FDE": 1.5,  # (3 + 0) / 2
        "minADE2 per agent": 0.0,
        "minFDE2 per agent": 0.0,
        "minADE2 joint": 1.0,  # the first sample: (0 + 2) / 2; the second: (4 + 0) / 2
        "minFDE2 joint": 1.0,
        "miss rate": 0.5,
        "miss rate best of 2": 0.0,
        "collision rate": 0.0,
    }


def test_ade_and_fde_take_their_minima_each_for_itself():
    outputs = two_walkers()
    target = outputs["target"][:, :1]
    # One sample is near on the way, the other at the end.
    samples = np.stack(
        [target + np.array(off) for off in ([[0, 0.5], [0, 1.0]], [[0, 3.0], [0, 0.0]])], axis=2
    )
    found = values({**{name: of[:, :1] for name, of in outputs.items()}, "samples": samples}, samples=2)
    assert found["minADE2 per agent"] == found["minADE2 joint"] == 0.75
    assert found["minFDE2 per agent"] == found["minFDE2 joint"] == 0.0


def test_names_order_and_directions():
    found = track_metrics(20, off_road=True, likelihood=True)
    assert [one.name for one in found] == [
        "ADE",
        "FDE",
        "minADE20 per agent",
        "minFDE20 per agent",
        "minADE20 joint",
        "minFDE20 joint",
        "miss rate",
        "miss rate best of 20",
        "collision rate",
        "off-road rate",
        "negative log-likelihood",
    ]
    assert all(one.higher_is_better is False for one in found)
    assert [one.name for one in found if one.headline] == ["ADE", "FDE", "minADE20 joint"]
    assert {one.name for one in found if one.style == "percent"} == {
        "miss rate",
        "miss rate best of 20",
        "collision rate",
        "off-road rate",
    }
    assert [one.name for one in track_metrics(1)] == ["ADE", "FDE", "miss rate", "collision rate"]


@quick
@given(st.integers(0, 10_000))
def test_against_loops(seed):
    outputs = drawn(seed)
    weights = np.random.default_rng(seed).integers(0, 3, len(outputs["single"])).astype(np.float64)
    weights[0] = 1
    assert values(outputs, likelihood=True) == pytest.approx(by_loops(outputs), rel=1e-6)
    found = values(outputs, weights=weights, likelihood=True)
    assert found == pytest.approx(by_loops(outputs, weights), rel=1e-6)


def test_chunks_change_nothing(monkeypatch):
    outputs = drawn(3, windows=9)
    whole = values(outputs)
    monkeypatch.setattr(module, "_CHUNK", 1)
    assert values(outputs) == whole


@quick
@given(st.integers(0, 10_000))
def test_joint_is_never_below_the_agents_own(seed):
    found = values(drawn(seed))
    for metric in ("ADE", "FDE"):
        assert found[f"min{metric}3 joint"] >= found[f"min{metric}3 per agent"] - 1e-12


@quick
@given(st.integers(0, 10_000))
def test_more_samples_are_never_worse(seed):
    outputs = drawn(seed, samples=6)
    for kind in ("ADE{} per agent", "FDE{} per agent", "ADE{} joint", "FDE{} joint"):
        few, many = (values(outputs, samples=k)[f"min{kind.format(k)}"] for k in (2, 6))
        assert many <= few


@quick
@given(st.integers(0, 10_000))
def test_one_sample_is_the_single_prediction(seed):
    outputs = drawn(seed)
    outputs["samples"] = outputs["single"][:, :, None]
    found, best = single_errors(outputs), best_errors(outputs, 1)
    np.testing.assert_allclose(best["minADE1 per agent"], found["ADE"])
    np.testing.assert_allclose(best["minFDE1 per agent"], found["FDE"])
    # Joint, a window's mean over its agents: the same in all.
    assert np.nanmean(best["minADE1 joint"]) == pytest.approx(np.nanmean(found["ADE"]))
    assert np.nanmean(best["minFDE1 joint"]) == pytest.approx(np.nanmean(found["FDE"]))


@quick
@given(st.integers(0, 10_000), st.floats(-180, 180), st.floats(-50, 50), st.floats(-50, 50))
def test_turning_and_moving_everything_changes_nothing(seed, degrees, east, north):
    outputs = {name: of.astype(np.float64) for name, of in drawn(seed).items()}
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved = {
        name: of if name == "log_likelihood" else of @ turn + [east, north] for name, of in outputs.items()
    }
    before, after = values(outputs), values(moved)
    assert after == pytest.approx(before, abs=1e-9)


@quick
@given(st.integers(0, 10_000))
def test_the_order_of_agents_and_samples_changes_nothing(seed):
    outputs = drawn(seed)
    generator = np.random.default_rng(seed)
    agents, samples = generator.permutation(4), generator.permutation(3)
    mixed = {name: of[:, agents] for name, of in outputs.items()}
    mixed["samples"] = mixed["samples"][:, :, samples]
    assert values(mixed) == pytest.approx(values(outputs), abs=1e-9)


def test_empty_places_and_agents_without_a_future_change_no_error():
    outputs = drawn(5)
    wider = {name: np.concatenate([of, np.full_like(of[:, :2], NAN)], axis=1) for name, of in outputs.items()}
    assert values(wider, likelihood=True) == pytest.approx(values(outputs, likelihood=True))


def test_a_future_known_in_part_is_not_judged():
    outputs = two_walkers()
    outputs["target"][0, 0, 1] = NAN
    found = values(outputs, samples=2)
    assert (found["ADE"], found["minADE2 joint"], found["miss rate"]) == (0.0, 0.0, 0.0)


def test_without_judged_agents_nothing_is_defined():
    outputs = two_walkers()
    outputs["target"] = np.full_like(outputs["target"], NAN)
    assert all(np.isnan(value) for value in values(outputs, samples=2).values())


def test_a_prediction_that_is_no_number_is_not_passed_over():
    outputs = two_walkers()
    outputs["single"][0, 0, 1] = NAN
    outputs["samples"][0, 1, 1] = NAN
    found = values(outputs, samples=2)
    undefined = {name for name, value in found.items() if np.isnan(value)}
    assert undefined >= {
        "ADE",
        "FDE",
        "miss rate",
        "minADE2 per agent",
        "minADE2 joint",
        "miss rate best of 2",
    }


@pytest.mark.parametrize(
    ("other", "near"),
    [
        ([[0, 0.2], [3, 3]], True),  # in a frame, at exactly two radii
        ([[0, 0.21], [3, 3]], False),
        ([[1, 0], [0, 0]], True),  # they swap places: only midway are they near
        ([[1, 0.5], [0, 0.5]], False),
        ([[1, 0.15], [0, 0.15]], True),
    ],
)
def test_touching(other, near):
    tracks = np.array([[[[0.0, 0], [1, 0]], other]])
    there = np.ones((1, 2), dtype=bool)
    assert touches(tracks, there).tolist() == [[near, near]]
    assert touches(tracks, np.array([[True, False]])).tolist() == [[False, False]]


def test_agents_without_a_future_are_collided_with_but_not_counted():
    outputs = two_walkers()
    outputs["single"][0, 1] = outputs["single"][0, 0]
    outputs["target"][0, 1] = NAN
    np.testing.assert_array_equal(collisions(outputs)["collision rate"], [[1.0, NAN]])
    assert values(outputs, samples=2)["collision rate"] == 1.0


def test_off_road_counts_where_the_road_is_known():
    outputs = {**two_walkers(), "off_road": np.array([[1.0, NAN]])}
    assert values(outputs, samples=2, off_road=True)["off-road rate"] == 1.0
    outputs["off_road"] = np.array([[0.0, 1.0]])
    assert values(outputs, samples=2, off_road=True)["off-road rate"] == 0.5


def test_likelihood_is_of_a_frame():
    outputs = {**two_walkers(), "log_likelihood": np.array([[-4.0, -2.0]])}
    assert values(outputs, samples=2, likelihood=True)["negative log-likelihood"] == 1.5


def test_fewer_samples_have_no_best_of_many():
    outputs = two_walkers()
    names = {one.name for one in track_metrics(3) if computable(one, outputs)}
    assert names == {"ADE", "FDE", "miss rate", "collision rate"}
    with pytest.raises(KeyError, match="expected 3 of each agent, found 2"):
        best_errors(outputs, 3)
    del outputs["samples"]
    assert not computable(track_metrics(2)[2], outputs)


def test_resampled_at_once_as_one_by_one():
    outputs = drawn(8, windows=12)
    units = np.arange(12) // 3
    (weights,) = resample_weights(12, units, resamples=20, seed=1)
    found = resample(track_metrics(3), {"the model": outputs}, units, resamples=20, seed=1)
    one_by_one = [by_loops(outputs, row) for row in weights]
    assert len(found) == len(track_metrics(3))
    for (_, name), resampled in found.items():
        np.testing.assert_allclose(resampled.draws, [row[name] for row in one_by_one], rtol=1e-6)


def test_windows_are_summed_once_and_outputs_let_go():
    outputs, other = drawn(1), drawn(2)
    calls = []

    def compute(of):
        calls.append(of)
        return single_errors(of)

    once = module._Once(compute)
    first = once(outputs)
    second = once(other)
    # A mapping is made anew for the baselines; what counts is its arrays.
    assert once(dict(outputs)) is first
    assert once(dict(other)) is second
    assert len(calls) == 2
    changed = {**outputs, "single": outputs["single"] + 1}
    assert not np.array_equal(once(changed)["ADE"], first["ADE"])
    calls.clear()
    del outputs, other, changed
    gc.collect()
    once(drawn(3))
    assert len(once._kept) == 1
