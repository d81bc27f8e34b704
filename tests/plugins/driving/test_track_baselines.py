"""Baselines of predicted tracks against hand computation, numpy's least squares and the project's reference numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.errors import ConfigError
from fivefold.evaluation.bootstrap import computable
from fivefold_driving.predict import baselines as module
from fivefold_driving.predict.baselines import ConstantVelocity, ConstantVelocityWithNoise, LinearFit
from fivefold_driving.predict.metrics import track_metrics
from plugins.driving.windowed_tracks import SCENES, Windows, eth_ucy, walks

BASELINES = (ConstantVelocity(), ConstantVelocityWithNoise(5), LinearFit())

# Agents, ADE, FDE of constant velocity.
REFERENCE = {
    "eth": (364, 1.075, 2.282),
    "hotel": (1197, 0.319, 0.614),
    "univ": (24334, 0.524, 1.165),
    "zara1": (2356, 0.427, 0.952),
    "zara2": (5910, 0.324, 0.724),
}


@pytest.fixture(scope="module")
def cut():
    """Windows of each scene, cut once."""
    return {}


def windows(cut, shared, scene):
    if scene not in cut:
        cut[scene] = Windows(eth_ucy(shared, scene))
    return cut[scene]


def judged(samples, baseline, drawn):
    outputs = {**baseline.predict(samples), "target": samples.everything()["target"].numpy()}
    return {one.name: one.compute(outputs, None) for one in track_metrics(drawn) if computable(one, outputs)}


def batched(monkeypatch, size):
    """Have baselines go through datasets in batches of that size."""
    through = module.in_batches
    monkeypatch.setattr(module, "in_batches", lambda samples: through(samples, size=size))


def test_constant_velocity_by_hand():
    # The last displacement counts, not the mean one.
    samples = Windows([np.array([[[0, 0], [9, 9], [10.0, 7.0], [0, 0], [0, 0]]])], lookback=3)
    found = ConstantVelocity().predict(samples)
    assert found["single"].tolist() == [[[[11.0, 5.0], [12.0, 3.0]]]]
    assert found["samples"].tolist() == [[[[[11.0, 5.0], [12.0, 3.0]]]]]
    assert found["seen"].tolist() == [[[[0.0, 0.0], [9.0, 9.0], [10.0, 7.0]]]]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5))
def test_line_as_numpy_fits_it(seed, lookback):
    samples = Windows(walks(seed=seed, windows=3), lookback=lookback)
    found = LinearFit().predict(samples)["single"]
    batch = samples.everything()
    steps = np.arange(samples.tracks[0].shape[1])
    for window, agent in np.argwhere(batch["present"].numpy()):
        positions = batch["seen"][window, agent].numpy().astype(np.float64)
        for axis in range(2):
            line = np.polyfit(steps[:lookback], positions[:, axis], 1)
            np.testing.assert_allclose(
                found[window, agent, :, axis], np.polyval(line, steps[lookback:]), atol=1e-4
            )


def test_steady_agents_are_predicted_exactly_by_all():
    tracks = (
        np.array([[0.0, 0], [1, 2]])[:, None] + np.array([[0.5, -1], [0, 1]])[:, None] * np.arange(7)[:, None]
    )
    samples = Windows([tracks], lookback=3)
    for baseline in (ConstantVelocity(), LinearFit()):
        np.testing.assert_allclose(baseline.predict(samples)["single"][0], tracks[:, 3:], atol=1e-5)


def test_drawn_directions_are_no_single_prediction():
    """Their mean is constant velocity, whose numbers they would repeat."""
    assert set(ConstantVelocityWithNoise(5).predict(Windows(walks(), lookback=3))) == {"samples", "seen"}


def test_noise_turns_every_sample_and_keeps_its_speed():
    samples = Windows([np.array([[[0, 0], [3, 4.0], *[[0, 0]] * 6]]).repeat(400, axis=0)], lookback=2)
    found = ConstantVelocityWithNoise(samples=50, degrees=10, seed=3).predict(samples)
    steps = np.diff(found["samples"][0], axis=2, prepend=np.full((400, 50, 1, 2), [3, 4.0]))
    np.testing.assert_allclose(np.linalg.norm(steps, axis=-1), 5, atol=1e-4)
    angles = np.degrees(np.arctan2(steps[..., 1], steps[..., 0]) - np.arctan2(4, 3))
    # One angle a sample, kept to the end.
    np.testing.assert_allclose(angles, angles[:, :, :1].repeat(6, axis=2), atol=1e-3)
    assert abs(angles[:, :, 0].mean()) < 0.3
    assert angles[:, :, 0].std() == pytest.approx(10, rel=0.02)
    # Agents are turned apart from each other, and the first sample like the others.
    assert abs(np.corrcoef(angles[:-1, :, 0].ravel(), angles[1:, :, 0].ravel())[0, 1]) < 0.05
    assert angles[:, 0, 0].std() == pytest.approx(10, rel=0.1)


def test_the_seed_alone_decides():
    samples = Windows(walks(), lookback=3)
    one = ConstantVelocityWithNoise(4, seed=1)
    first = one.predict(samples)["samples"]
    np.testing.assert_array_equal(one.predict(samples)["samples"], first)
    np.testing.assert_array_equal(ConstantVelocityWithNoise(4, seed=1).predict(samples)["samples"], first)
    other = ConstantVelocityWithNoise(4, seed=2).predict(samples)["samples"]
    assert not np.array_equal(np.nan_to_num(other), np.nan_to_num(first))


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda one: one.name)
def test_batches_are_padded_to_the_most_agents(monkeypatch, baseline):
    samples = Windows(walks(windows=9), lookback=3)
    baseline.fit(samples)
    whole = baseline.predict(samples)
    present = samples.everything()["present"].numpy()
    count, most = present.shape
    noisy = isinstance(baseline, ConstantVelocityWithNoise)
    assert {name: of.shape for name, of in whole.items()} == {
        "samples": (count, most, 5 if noisy else 1, 4, 2),
        **({} if noisy else {"single": (count, most, 4, 2)}),
        "seen": (count, most, 3, 2),
    }
    for of in whole.values():
        assert of.dtype == np.float32
        np.testing.assert_array_equal(np.isfinite(of.reshape(count, most, -1)).all(axis=2), present)
        np.testing.assert_array_equal(np.isnan(of.reshape(count, most, -1)).all(axis=2), ~present)
    batched(monkeypatch, 2)
    for name, of in baseline.predict(samples).items():
        np.testing.assert_allclose(of, whole[name], atol=1e-5)


def test_names():
    assert [one.name for one in BASELINES] == [
        "constant velocity",
        "constant velocity, 5 directions",
        "line through the seen positions",
    ]


def test_no_samples():
    with pytest.raises(ConfigError, match="expected one sample or more, found 0; give 1 or more"):
        ConstantVelocityWithNoise(samples=0)


@pytest.mark.parametrize("scene", SCENES)
def test_constant_velocity_on_eth_ucy(cut, shared, scene):
    samples = windows(cut, shared, scene)
    agents, ade, fde = REFERENCE[scene]
    assert sum(map(len, samples.tracks)) == agents
    found = judged(samples, ConstantVelocity(), 1)
    assert found["ADE"] == pytest.approx(ade, abs=1e-3)
    assert found["FDE"] == pytest.approx(fde, abs=1e-3)


def test_noisy_constant_velocity_on_eth_ucy(cut, shared):
    """The mean over scenes of the best of 20, in both conventions, which lie far apart."""
    found = [judged(windows(cut, shared, scene), ConstantVelocityWithNoise(20), 20) for scene in SCENES]
    mean = {name: np.mean([one[name] for one in found]) for name in found[0]}
    assert mean["minADE20 per agent"] == pytest.approx(0.40, abs=0.02)
    assert mean["minFDE20 per agent"] == pytest.approx(0.85, abs=0.02)
    assert mean["minADE20 joint"] == pytest.approx(0.55, abs=0.03)
    assert mean["minFDE20 joint"] == pytest.approx(1.14, abs=0.03)
    assert not {"ADE", "FDE", "miss rate", "collision rate"} & set(mean)
