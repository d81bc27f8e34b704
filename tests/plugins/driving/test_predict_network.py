"""Networks of tracks: each agent in its own frame, whoever else there is, in whatever order and batch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fivefold_driving.predict.network import (
    Frames,
    SocialAttention,
    SocialPooling,
    TrackDecoder,
    TrackNetwork,
    constant_velocity,
)
from fivefold_driving.predict.tasks import TrackTask
from plugins.driving.predict_cases import (
    ALONE,
    HORIZON,
    KINDS,
    LOOKBACK,
    MODELS,
    Grid,
    answers,
    batch_of,
    predict,
    task_of,
    walkers,
    write_grids,
)

EVERY_MODEL = pytest.mark.parametrize("name", MODELS)
SEEDS = st.integers(0, 10**6)
Batch = dict[str, Tensor]
FAR = np.array([20_000.0, -20_000.0])


def turned(points: Grid, angle: float) -> Grid:
    matrix = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return np.asarray(points @ matrix)


@torch.no_grad()
def tracks_of(task: TrackTask, batch: Batch) -> dict[str, Tensor]:
    found = task.predict(batch)
    return {name: found[name] for name in ("samples", "single")}


# Frames


def test_frames_by_hand() -> None:
    """Four agents: going north, still after having gone west, never moved, and gone in a circle."""
    seen = torch.tensor(
        [
            [
                [[0.0, 0], [0, 1], [0, 3]],
                [[9.0, 5], [8, 5], [8, 5]],
                [[4.0, 4], [4, 4], [4, 4]],
                [[1.0, 1], [2, 2], [1, 1]],
            ]
        ]
    )
    frames = Frames(seen)
    torch.testing.assert_close(frames.origin, seen[:, :, -1])
    expected = torch.tensor([[[0.0, 1], [-1, 0], [1, 0], [-(0.5**0.5), -(0.5**0.5)]]])
    torch.testing.assert_close(frames.ahead, expected)
    east = torch.tensor([1.0, 0]).expand(1, 4, 2)
    # To who goes north, the east lies to the right.
    torch.testing.assert_close(frames.into(east)[0, 0], torch.tensor([0.0, -1]))
    vectors = torch.randn(1, 4, 5, 3, 2)
    torch.testing.assert_close(frames.out(frames.into(vectors)), vectors)
    torch.testing.assert_close(frames.into(vectors).norm(dim=-1), vectors.norm(dim=-1))


def test_constant_velocity_by_hand() -> None:
    seen = torch.tensor([[[[5.0, 5], [0, 0], [1, -2]]]])
    torch.testing.assert_close(constant_velocity(seen, 2), torch.tensor([[[[2.0, -4], [3, -6]]]]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_says_nothing_is_constant_velocity(kind: str) -> None:
    network = TrackNetwork(kind, 8, HORIZON, 0.5, 4)
    torch.nn.init.zeros_(network.decoder.end[-1].weight)  # type: ignore[arg-type]  # a linear layer's
    torch.nn.init.zeros_(network.decoder.end[-1].bias)  # type: ignore[arg-type]  # as above
    batch = batch_of(walkers(np.random.default_rng(0), frames=LOOKBACK))
    futures = network(batch["seen"], batch["present"], torch.randn(1, 3, 4))
    expected = constant_velocity(batch["seen"], HORIZON)[:, :, None].expand(-1, -1, 3, -1, -1)
    torch.testing.assert_close(futures, expected)


# Where a scene lies and how it is turned


@EVERY_MODEL
@settings(max_examples=20, deadline=None)
@given(
    seed=SEEDS,
    angle=st.floats(-math.pi, math.pi),
    east=st.sampled_from([0.0, 3.7, -250.0, 20_000.0]),
    north=st.floats(-20_000, 20_000),
)
def test_a_scene_turned_and_moved_is_predicted_turned_and_moved(
    name: str,
    seed: int,
    angle: float,
    east: float,
    north: float,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """By the whole way, because it is the windows that take shifts away."""
    folder = tmp_path_factory.mktemp("turned")
    grid = walkers(np.random.default_rng(seed), frames=LOOKBACK)
    task, pipeline = task_of(name, seed), predict()
    before = answers(task, pipeline, write_grids(folder / "t.csv", {"a": grid}))
    moved = {"a": turned(grid, angle) + np.array([east, north])}
    found = answers(task, pipeline, write_grids(folder / "t.csv", moved))
    for agent, tracks in before.items():
        np.testing.assert_allclose(found[agent], turned(tracks, angle) + np.array([east, north]), atol=1e-3)


@EVERY_MODEL
def test_who_never_moved_keeps_the_scenes_direction_and_troubles_nobody(name: str, tmp_path: Path) -> None:
    """The exception that the network states: a still agent's predictions move, but do not turn, with the scene."""
    grid = walkers(np.random.default_rng(3), agents=3, frames=LOOKBACK)
    grid[:, 0] = grid[0, 0]
    task, pipeline = task_of(name), predict()
    before = answers(task, pipeline, write_grids(tmp_path / "t.csv", {"a": grid}))
    moved = answers(task, pipeline, write_grids(tmp_path / "t.csv", {"a": grid + FAR}))
    again = answers(task, pipeline, write_grids(tmp_path / "t.csv", {"a": turned(grid, 1)}))
    for agent, tracks in before.items():
        np.testing.assert_allclose(moved[agent], tracks + FAR, atol=1e-3)
        if agent != "0":
            np.testing.assert_allclose(again[agent], turned(tracks, 1), atol=1e-3)
    off = np.abs(again["0"] - turned(before["0"], 1)).max()
    assert off > 1e-3
    if name in ALONE:  # who looks at nobody says the same of itself, however the scene lies
        start, beside = turned(grid[0, 0], 1), grid[0, 0]
        np.testing.assert_allclose(again["0"] - start, before["0"] - beside, atol=1e-3)


@EVERY_MODEL
def test_a_mirrored_scene_is_another_scene(name: str) -> None:
    """Left and right may differ (people keep to one side): nothing claims otherwise, and it is so."""
    batch = batch_of(walkers(np.random.default_rng(0), frames=LOOKBACK))
    task, flip = task_of(name), torch.tensor([1.0, -1])
    mirrored = tracks_of(task, batch | {"seen": batch["seen"] * flip})["single"] * flip
    assert not torch.allclose(mirrored, tracks_of(task, batch)["single"], atol=1e-2)


# Who else is in the batch


@EVERY_MODEL
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS, more=st.integers(1, 5), beside=st.integers(1, 3))
def test_padding_and_other_windows_change_nothing(name: str, seed: int, more: int, beside: int) -> None:
    generator = np.random.default_rng(seed)
    task = task_of(name, seed)
    alone = batch_of(walkers(generator, agents=4, frames=LOOKBACK))
    expected = tracks_of(task, alone)
    others = batch_of(walkers(generator, agents=4 + more, frames=LOOKBACK))
    padded = {
        "seen": torch.nn.functional.pad(alone["seen"], (0, 0, 0, 0, 0, more)),
        "present": torch.nn.functional.pad(alone["present"], (0, more)),
    }
    together = {key: torch.cat([others[key]] * beside + [padded[key]]) for key in padded}
    found = tracks_of(task, together)
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key][-1:, :4], tensor, rtol=0, atol=1e-4)
        assert found[key][-1, 4:].isnan().all()
        assert not found[key][:-1].isnan().any()


@EVERY_MODEL
def test_what_absent_agents_hold_is_never_read(name: str) -> None:
    task = task_of(name)
    batch = batch_of(walkers(np.random.default_rng(0), agents=4, frames=LOOKBACK))
    batch["present"][0, 2] = False
    first = tracks_of(task, batch)
    batch["seen"][0, 2] = 1e3 * torch.randn(LOOKBACK, 2)
    for key, tensor in tracks_of(task, batch).items():
        torch.testing.assert_close(tensor, first[key], rtol=0, atol=1e-5, equal_nan=True)


@EVERY_MODEL
@settings(max_examples=10, deadline=None)
@given(seed=SEEDS)
def test_the_order_of_agents_is_that_of_predictions(name: str, seed: int) -> None:
    generator = np.random.default_rng(seed)
    task = task_of(name, seed)
    batch = batch_of(walkers(generator, agents=6, frames=LOOKBACK))
    batch["present"][0, 1] = False
    order = torch.from_numpy(generator.permutation(6))
    expected = tracks_of(task, batch)
    found = tracks_of(task, {key: tensor[:, order] for key, tensor in batch.items()})
    for key, tensor in expected.items():
        torch.testing.assert_close(found[key], tensor[:, order], rtol=0, atol=1e-4, equal_nan=True)


@EVERY_MODEL
def test_who_is_far_away_is_not_heard(name: str) -> None:
    """What a neighbour does 500 m away says nothing, and one agent alone is no error."""
    task = task_of(name)
    grid = walkers(np.random.default_rng(0), agents=2, frames=LOOKBACK)
    grid[:, 1] += 500
    first = tracks_of(task, batch_of(grid))["single"][0, 0]
    grid[:, 1] = turned(grid[:, 1] - 500, 2) + 500
    torch.testing.assert_close(tracks_of(task, batch_of(grid))["single"][0, 0], first, rtol=0, atol=1e-3)
    assert tracks_of(task, batch_of(grid[:, :1]))["single"].isfinite().all()


# Parts


def test_pooling_by_number() -> None:
    """Nobody gives zero; several give, number by number, the most that one of them gives."""
    torch.manual_seed(0)
    pooling = SocialPooling(8)
    state, pairs = torch.randn(1, 3, 8), torch.randn(1, 3, 3, 6)
    others = torch.tensor([[[0, 1, 1], [1, 0, 0], [0, 0, 0]]], dtype=torch.bool)
    found = pooling(state, pairs, others)[0]
    each = [pooling.respond(torch.cat([pairs[0, 0, other], state[0, other]])) for other in (1, 2)]
    torch.testing.assert_close(found[0], torch.maximum(*each))
    torch.testing.assert_close(found[1], pooling.respond(torch.cat([pairs[0, 1, 0], state[0, 0]])))
    assert (found[2] == 0).all()


@torch.no_grad()
def test_attention_by_loops() -> None:
    torch.manual_seed(0)
    attention = SocialAttention(8, heads=2)
    state, pairs = torch.randn(1, 3, 8), torch.randn(1, 3, 3, 6)
    others = torch.tensor([[[0, 1, 1], [1, 0, 0], [0, 0, 0]]], dtype=torch.bool)
    found = attention(state, pairs, others)[0]
    query = attention.query(state)[0]
    for agent in range(3):
        heard = []
        neighbours = [other for other in range(3) if others[0, agent, other]]
        for head in (slice(0, 4), slice(4, 8)):
            both = [
                attention.other(state[0, other]) + attention.pair(pairs[0, agent, other])
                for other in neighbours
            ]
            scores = [float((query[agent, head] * one[:8][head]).sum()) / 2 for one in both]
            weights = torch.tensor(scores).softmax(dim=0)
            heard.append(
                sum((w * one[8:][head] for w, one in zip(weights, both, strict=True)), torch.zeros(4))
            )
        expected = attention.give(torch.cat(heard)) if neighbours else torch.zeros(8)
        torch.testing.assert_close(found[agent], expected)


@pytest.mark.parametrize("recurrent", [False, True])
def test_shapes_of_the_decoder(recurrent: bool) -> None:
    decoder = TrackDecoder(10, 8, 5, recurrent=recurrent, numbers=4)
    assert decoder(torch.randn(7, 10)).shape == (7, 5, 4)
    assert decoder(torch.randn(0, 10)).shape == (0, 5, 4)


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_learns_and_no_gradient_is_nan(kind: str) -> None:
    """Still agents, agents in one place, and padding: their directions and distances have no derivative."""
    torch.manual_seed(0)
    noisy = kind == "social-gan"
    network = TrackNetwork(kind, 8, HORIZON, 0.5, 4 if noisy else 0)
    grid = walkers(np.random.default_rng(0), agents=6, frames=LOOKBACK)
    grid[:, 0], grid[:, 2] = 1.0, grid[:, 1]
    batch = batch_of(grid)
    batch["present"][0, 5], batch["seen"][0, 5] = False, 0
    futures = network(batch["seen"], batch["present"], torch.randn(1, 3, 4) if noisy else None)
    assert futures.shape == (1, 6, 3 if noisy else 1, HORIZON, 2)
    futures.norm(dim=-1).mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name
