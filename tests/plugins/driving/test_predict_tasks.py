"""Losses of predicted tracks by hand, a likelihood that is one, phases that train what they say."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from fivefold.data.dataset import Facts
from fivefold_driving.predict.network import TrackNetwork
from fivefold_driving.predict.tasks import (
    SocialGAN,
    TrackForecast,
    TrackMixture,
    TrackTask,
    judged_of,
)
from plugins.driving.predict_cases import (
    FACTS,
    HORIZON,
    LENGTH,
    LOOKBACK,
    MODELS,
    batch_of,
    predict,
    task_of,
    walkers,
    walking,
)

EVERY_MODEL = pytest.mark.parametrize("name", MODELS)
Batch = dict[str, Tensor]


def silent(task: TrackTask) -> TrackTask:
    """The task with a network that adds nothing to constant velocity, and spreads that are as set up."""
    with torch.no_grad():
        for name, parameter in task.named_parameters():
            if "decoder" in name and ".end." in name:
                parameter.zero_()
    return task


def two_windows() -> Batch:
    """Going east by 1 m a frame, and then 3 m to the side; beside it one who leaves; alone, 5 m to the side."""
    frames = torch.arange(float(LENGTH))
    tracks = torch.zeros(2, 2, LENGTH, 2)
    tracks[..., 0] = frames
    tracks[0, 0, LOOKBACK:, 1], tracks[1, 0, LOOKBACK:, 1] = 3, 5
    tracks[0, 1, :, 1] = 9
    target = tracks[:, :, LOOKBACK:].clone()
    target[0, 1], target[1, 1] = math.nan, math.nan
    present = torch.tensor([[True, True], [True, False]])
    return {"seen": tracks[:, :, :LOOKBACK] * present[..., None, None], "present": present, "target": target}


# One track


def test_the_loss_of_one_track_is_the_ade_of_judged_agents() -> None:
    task = silent(task_of("lstm"))
    batch = two_windows()
    loss = task.loss(batch, "main")
    assert loss.value.item() == pytest.approx((3 + 5) / 2)
    assert float(loss.weight) == 2
    batch["target"][:] = math.nan
    empty = task.loss(batch, "main")
    assert (empty.value.item(), float(empty.weight)) == (0, 0)


@EVERY_MODEL
def test_the_loss_of_a_batch_is_that_of_its_windows(name: str) -> None:
    """So that gathered gradients are those of the one big batch."""
    task, batch = task_of(name), walking()
    if isinstance(task, SocialGAN):
        task.trained = 1  # draws are drawn for each batch anew
        task.generator.noise = 0
        task.generator.decoder = type(task.generator.decoder)(8, 8, HORIZON, recurrent=False)
    for phase in task.phases():
        whole = task.loss(batch, phase.name)
        parts = [
            task.loss({key: value[rows] for key, value in batch.items()}, phase.name)
            for rows in ([0, 1, 2], [3], [4, 5])
        ]
        assert float(whole.weight) == sum(float(part.weight) for part in parts)
        total = sum(part.value.item() * float(part.weight) for part in parts)
        assert total == pytest.approx(whole.value.item() * float(whole.weight), rel=1e-4)


@EVERY_MODEL
def test_the_loss_does_not_look_at_who_is_not_judged(name: str) -> None:
    task, batch = task_of(name), walking()
    gone = ~judged_of(batch["target"])
    assert (gone & batch["present"]).any()
    for phase in task.phases():
        torch.manual_seed(0)
        first = task.loss(batch, phase.name).value
        first.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        assert all(value.grad is None or value.grad.isfinite().all() for value in task.parameters())
        other = dict(batch)
        other["target"] = batch["target"].clone()
        other["target"][..., 1:, :][gone] = 1e6  # a part of a future is none
        torch.manual_seed(0)
        torch.testing.assert_close(task.loss(other, phase.name).value, first)


# A mixture


def tiny_mixture(components: int = 3, horizon: int = 1) -> TrackMixture:
    torch.manual_seed(0)
    facts = Facts(FACTS, horizon=horizon)
    generator = torch.Generator().manual_seed(0)
    return TrackMixture("attention", 8, components, facts, 500, generator)


@torch.no_grad()
def test_the_likelihood_integrates_to_one() -> None:
    """On a grid over the places where an agent may be in the one frame to come."""
    task = tiny_mixture()
    seen = batch_of(walkers(np.random.default_rng(0), agents=2, frames=LOOKBACK))
    side, cell = 120, 0.1
    middle = seen["seen"][0, 0, -1]
    line = (torch.arange(side) - side / 2) * cell
    places = torch.stack(torch.meshgrid(line, line, indexing="ij"), dim=-1).reshape(-1, 2) + middle
    batch = {key: value.expand(len(places), *value.shape[1:]) for key, value in seen.items()}
    batch["target"] = torch.full((len(places), 2, 1, 2), math.nan)
    batch["target"][:, 0, 0] = places
    density = task.log_likelihood(batch)
    assert density[:, 0].exp().sum().item() * cell**2 == pytest.approx(1, abs=1e-3)
    assert (density[:, 1] == 0).all()


@torch.no_grad()
def test_the_likelihood_by_loops() -> None:
    task = task_of("mixture, attention")
    if not isinstance(task, TrackMixture):
        raise TypeError(task)
    batch = walking()
    weights, means, spreads, frames = task.parts(batch["seen"], batch["present"])
    torch.testing.assert_close(weights.exp().sum(dim=-1), torch.ones(6, 4))
    found = task.log_likelihood(batch)
    for window, agent in (found != 0).nonzero().tolist():
        true = frames.into(batch["target"] - frames.origin[:, :, None])[window, agent]
        each = []
        for part in range(3):
            spread = spreads[window, agent, part].exp()
            off = (true - means[window, agent, part]) / spread
            density = torch.exp(-off.square() / 2) / (spread * math.sqrt(2 * math.pi))
            each.append(float(weights[window, agent, part]) + float(density.double().log().sum()))
        assert found[window, agent].item() == pytest.approx(float(np.logaddexp.reduce(each)), rel=1e-4)
    judged = judged_of(batch["target"])
    assert (found[~judged] == 0).all()
    expected = -found[judged].mean() / HORIZON
    torch.testing.assert_close(task.loss(batch, "main").value, expected)
    told = task.predict(batch)["log_likelihood"]
    torch.testing.assert_close(told.nan_to_num(), found)
    assert torch.equal(told.isnan(), ~judged)


@torch.no_grad()
def test_draws_are_of_the_mixture() -> None:
    """The share of each component, and the middle and spread of its draws, are those that the network says."""
    task = tiny_mixture(2, 3)
    task.choose.weight.zero_()
    task.choose.bias.copy_(torch.tensor([math.log(0.8), math.log(0.2)]))
    for decoder, far in zip(task.decoders, (0.0, 100.0), strict=True):
        decoder.end[-1].weight.zero_()  # type: ignore[index, union-attr]  # a module's layers
        decoder.end[-1].bias.copy_(torch.tensor([far, 0, 0, 1] * 3))  # type: ignore[index, union-attr]  # a module's attribute, as far as types tell
    seen = torch.zeros(1, 1, LOOKBACK, 2)
    seen[..., 1] = torch.arange(float(LOOKBACK))  # north by 1 m a frame
    outputs = task.predict({"seen": seen, "present": torch.ones(1, 1, dtype=torch.bool)})
    samples, single = outputs["samples"][0, 0], outputs["single"][0, 0]
    north = LOOKBACK - 1 + torch.arange(1.0, 4)
    torch.testing.assert_close(single, torch.stack([torch.zeros(3), north], dim=-1))
    first = samples[:, 0, 1] < 30  # of the second component all are 50 m farther
    assert first.float().mean().item() == pytest.approx(0.8, abs=0.06)
    ahead, beside = samples[first, :, 1], samples[first, :, 0]
    spread = FACTS["step"] / 2 * torch.arange(1.0, 4)
    torch.testing.assert_close(ahead.mean(dim=0), north, atol=0.15, rtol=0)
    torch.testing.assert_close(ahead.std(dim=0), spread, rtol=0.15, atol=0)
    torch.testing.assert_close(beside.std(dim=0), spread * math.e, rtol=0.15, atol=0)
    assert "log_likelihood" not in outputs


def test_a_mixture_learns_two_ways() -> None:
    """Half of the agents turn left and half right: both ways get half of the weight."""
    torch.manual_seed(0)
    facts = Facts(FACTS, horizon=4)
    task = TrackMixture("lstm", 8, 2, facts, 20, torch.Generator().manual_seed(0))
    seen = torch.zeros(16, 1, LOOKBACK, 2)
    seen[..., 0] = torch.arange(float(LOOKBACK)) * 0.5
    target = torch.zeros(16, 1, 4, 2)
    target[..., 0] = seen[:, :, -1:, 0] + 0.5 * torch.arange(1.0, 5)
    target[..., 1] = torch.arange(1.0, 5) * torch.tensor([1.0, -1]).repeat(8)[:, None, None]
    target += 0.05 * torch.randn(target.shape)
    batch = {"seen": seen, "present": torch.ones(16, 1, dtype=torch.bool), "target": target}
    optimizer = torch.optim.Adam(task.parameters(), lr=0.02)
    for _ in range(120):
        optimizer.zero_grad()
        task.loss(batch, "main").value.backward()  # type: ignore[no-untyped-call]  # torch has no types for it
        optimizer.step()
    with torch.no_grad():
        weights, means, _, _ = task.parts(seen[:1], batch["present"][:1])
    np.testing.assert_allclose(weights.exp()[0, 0], [0.5, 0.5], atol=0.1)
    np.testing.assert_allclose(sorted(means[0, 0, :, -1, 1].tolist()), [-4, 4], atol=0.3)


# What all tasks share


@EVERY_MODEL
@torch.no_grad()
def test_outputs_are_of_the_shapes_that_metrics_read(name: str) -> None:
    task, batch = task_of(name, samples=4), walking()
    outputs = task.predict(batch)
    several = name == "social-gan" or name.startswith("mixture")
    assert outputs["samples"].shape == (6, 4, 4 if several else 1, HORIZON, 2)
    assert outputs["single"].shape == (6, 4, HORIZON, 2)
    torch.testing.assert_close(outputs["target"], batch["target"], equal_nan=True)
    for key in ("samples", "single", "seen"):
        there = outputs[key].flatten(2).isfinite()
        assert torch.equal(there.all(dim=2), batch["present"])
        assert torch.equal(there.any(dim=2), batch["present"])
    found = {metric.name for metric in task.metrics()}
    assert ("negative log-likelihood" in found) == name.startswith("mixture")
    assert ({"minADE4 per agent", "minADE4 joint"} <= found) == several
    assert task.metrics()[0].name == ("minADE4 joint" if name == "social-gan" else "ADE")
    del batch["target"]
    assert "target" not in task.predict(batch)
    (first, *_) = task.decode({key: value.numpy() for key, value in outputs.items()}, FACTS)
    np.testing.assert_array_equal(first["single"], outputs["single"][0].double())


@EVERY_MODEL
@torch.no_grad()
def test_the_state_dict_is_the_whole_model(name: str, tmp_path: Path) -> None:
    """Draws, too: another beginning, under another seed, predicts the same once it has the weights."""
    task, batch = task_of(name), walking()
    expected = task.predict(batch)
    save_file(task.state_dict(), tmp_path / "model.safetensors")
    other = predict(model=MODELS[name] | {"hidden": 8}, samples=4, seed=7).task(FACTS).eval()
    other.load_state_dict(load_file(tmp_path / "model.safetensors"))
    for key, tensor in other.predict(batch).items():
        torch.testing.assert_close(tensor, expected[key], rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize("kind", ["lstm", "attention"])
def test_the_network_of_the_settings(kind: str) -> None:
    task = predict(model={"kind": kind, "hidden": 12}).task(FACTS)
    if not isinstance(task, TrackForecast):
        raise TypeError(task)
    network: TrackNetwork = task.network
    assert network.encoder.recurrent.hidden_size == 12
    assert network.decoder.horizon == HORIZON
