"""Tasks of behaviour prediction: one track, a mixture of tracks, or an adversarial game over drawn ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Facts
from fivefold.tasks.base import Loss, Outputs, Phase, Task
from fivefold_driving.predict.network import (
    Frames,
    TrackDecoder,
    TrackEncoder,
    TrackNetwork,
    constant_velocity,
)

if TYPE_CHECKING:
    from fivefold.evaluation.metric import Metric

_TWO = 2


def judged_of(target: Tensor) -> Tensor:
    """Which agents have a whole future: ``(B, A, T, 2)`` to bool ``(B, A)``."""
    return ~target[:, :, 0, 0].isnan()


class TrackTask(Task):
    """What all tasks of tracks share: metrics, and predictions in the user's words.

    Attributes:
        samples: futures drawn of each window; 1 where there is a single one.
        likely: whether it gives likelihoods.
    """

    samples: int = 1
    likely: bool = False

    def metrics(self) -> Sequence[Metric]:
        """ADE first; see `fivefold_driving.predict.metrics`."""
        from fivefold_driving.predict.metrics import track_metrics  # noqa: PLC0415 - imported where it is used

        return track_metrics(self.samples, likelihood=self.likely)

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"single": tracks (A, T, 2)}``, relative to the window's origin; the pipeline names agents."""
        return [{"single": window} for window in np.asarray(outputs["single"], np.float64)]

    @staticmethod
    def outputs(batch: Batch, samples: Tensor, single: Tensor) -> Batch:
        """What predictions are made of, absent agents nan."""
        absent = ~batch["present"]
        found = {
            "samples": samples.masked_fill(absent[:, :, None, None, None], float("nan")),
            "single": single.masked_fill(absent[:, :, None, None], float("nan")),
            "seen": batch["seen"].masked_fill(absent[:, :, None, None], float("nan")),
        }
        return found | {"target": batch["target"]} if "target" in batch else found


class TrackForecast(TrackTask):
    """One track for each agent; the loss is the mean distance to the true one, in metres (the ADE itself)."""

    def __init__(self, network: TrackNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, seen: Tensor, present: Tensor) -> Tensor:
        """``(B, A, S, 2)`` and ``(B, A)`` to ``(B, A, T, 2)``."""
        tracks: Tensor = self.network(seen, present)
        return tracks[:, :, 0]

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Mean distance over judged agents and frames."""
        judged = judged_of(batch["target"])
        apart = (
            (self(batch["seen"], batch["present"]) - batch["target"].nan_to_num()).norm(dim=-1).mean(dim=-1)
        )
        count = judged.sum()
        return Loss((apart * judged).sum() / count.clamp(min=1), count)

    def predict(self, batch: Batch) -> Batch:
        """``samples`` and ``single``, alike."""
        single = self(batch["seen"], batch["present"])
        return self.outputs(batch, single[:, :, None], single)


class TrackMixture(TrackTask):
    """A mixture of Gaussian tracks for each agent, trained by its likelihood.

    Each of ``C`` components is a track with a spread along and across the agent's direction at each frame (the manner
    of MultiPath: Chai et al. 2019). Drawn futures are components with their spread; the single one is the mean of the
    most likely component.
    """

    picks: Tensor
    spreads: Tensor
    likely = True

    def __init__(
        self, kind: str, hidden: int, components: int, data: Facts, samples: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.samples, self.components, self.step = samples, components, float(data.step)
        social = {"lstm": "none", "social-lstm": "pooling"}.get(kind, "attention")
        self.horizon = int(data.horizon)
        self.encoder = TrackEncoder(hidden, social, self.step)
        self.decoders = nn.ModuleList(
            TrackDecoder(hidden, hidden, self.horizon, recurrent=kind != "attention", numbers=4)
            for _ in range(components)
        )
        self.choose = nn.Linear(hidden, components)
        self.register_buffer("picks", torch.rand(samples, generator=generator))
        self.register_buffer("spreads", torch.randn(samples, 2, generator=generator))

    def parts(self, seen: Tensor, present: Tensor) -> tuple[Tensor, Tensor, Tensor, Frames]:
        """Log weights ``(B, A, C)``, means in the agents' frames and log spreads, each ``(B, A, C, T, 2)``."""
        frames = Frames(seen)
        state = self.encoder(seen, present, frames)
        rows = state[present]
        found = torch.stack([decoder(rows) for decoder in self.decoders], dim=1)
        full = seen.new_zeros(*present.shape, *found.shape[1:])
        full[present] = found.to(full.dtype)
        means = (full[..., :2] * self.step).cumsum(dim=3)
        straight = frames.into(constant_velocity(seen, self.horizon) - frames.origin[:, :, None])
        growth = torch.arange(1, self.horizon + 1, device=seen.device).log()[:, None]
        spreads = full[..., 2:].clamp(-5, 5) + math.log(self.step / 2) + growth
        return self.choose(state).log_softmax(dim=-1), means + straight[:, :, None], spreads, frames

    def log_likelihood(self, batch: Batch) -> Tensor:
        """Log density of the true tracks, nats, ``(B, A)``; 0 where an agent is not judged."""
        weights, means, spreads, frames = self.parts(batch["seen"], batch["present"])
        true = frames.into(batch["target"].nan_to_num() - frames.origin[:, :, None])[:, :, None]
        each = -((true - means) / spreads.exp()).square() / 2 - spreads - math.log(2 * math.pi) / 2
        density = torch.logsumexp(weights + each.sum(dim=(-1, -2)), dim=-1)
        return density * judged_of(batch["target"])

    def forward(self, seen: Tensor, present: Tensor) -> Tensor:
        """``(B, A, S, 2)`` and ``(B, A)`` to the most likely tracks ``(B, A, T, 2)``."""
        weights, means, _, frames = self.parts(seen, present)
        return frames.origin[:, :, None] + frames.out(_picked(means, weights.argmax(dim=-1)))

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Negative log-likelihood, nats a frame."""
        count = judged_of(batch["target"]).sum()
        return Loss(-self.log_likelihood(batch).sum() / (self.horizon * count.clamp(min=1)), count)

    def predict(self, batch: Batch) -> Batch:
        """Drawn futures, which are the same draws in every window, and the most likely one."""
        weights, means, spreads, frames = self.parts(batch["seen"], batch["present"])
        cumulative = weights.exp().cumsum(dim=-1)
        drawn = []
        for pick, spread in zip(self.picks, self.spreads, strict=True):
            place = (cumulative < pick).sum(dim=-1).clamp(max=self.components - 1)
            drawn.append(_picked(means, place) + spread * _picked(spreads, place).exp())
        samples = torch.stack(drawn, dim=2)
        origin = frames.origin[:, :, None]
        single = origin + frames.out(_picked(means, weights.argmax(dim=-1)))
        found = self.outputs(batch, origin[:, :, None] + frames.out(samples), single)
        if "target" in batch:
            unknown = ~judged_of(batch["target"])
            found["log_likelihood"] = self.log_likelihood(batch).masked_fill(unknown, float("nan"))
        return found


def _picked(values: Tensor, place: Tensor) -> Tensor:
    """``(B, A, C, T, 2)`` at the component ``(B, A)``: ``(B, A, T, 2)``."""
    index = place[:, :, None, None, None].expand(-1, -1, 1, *values.shape[3:])
    return values.gather(2, index)[:, :, 0]


class SocialGAN(TrackTask):
    """A generator that draws futures from noise, and a discriminator of whole tracks (Gupta et al. 2018).

    The generator's loss is the distance of the best of its draws (the variety loss), half of it by agent and half of it
    by whole scene, so that a draw is a future of all agents together, the discriminator's opinion of one of them, and
    the distance of what it gives without noise, which is the single prediction. Other predictions take the same draws
    in every window.
    """

    bank: Tensor

    def __init__(
        self,
        network: TrackNetwork,
        hidden: int,
        data: Facts,
        samples: int,
        adversarial: float,
        generator: torch.Generator,
        *,
        trained: int = 20,
    ) -> None:
        super().__init__()
        self.samples, self.adversarial, self.trained = samples, adversarial, trained
        self.generator = network
        self.discriminator = Discriminator(hidden, float(data.step))
        self.register_buffer("bank", torch.randn(samples, network.noise, generator=generator))

    def phases(self) -> Sequence[Phase]:
        """Discriminator, then generator."""
        return (Phase("discriminator", ("discriminator",)), Phase("generator", ("generator",)))

    def metrics(self) -> Sequence[Metric]:
        """Joint minADE first: what is drawn together is judged together."""
        return sorted(super().metrics(), key=lambda metric: metric.name != f"minADE{self.samples} joint")

    def forward(self, seen: Tensor, present: Tensor) -> Tensor:
        """``(B, A, S, 2)`` and ``(B, A)`` to ``(B, A, 1 + K, T, 2)``: without noise, then drawn futures."""
        return self._futures(seen, present, self.bank.expand(len(seen), -1, -1))

    def _futures(self, seen: Tensor, present: Tensor, noise: Tensor) -> Tensor:
        futures: Tensor = self.generator(
            seen, present, torch.cat([torch.zeros_like(noise[:, :1]), noise], dim=1)
        )
        return futures

    def loss(self, batch: Batch, phase: str) -> Loss:
        """Of the phase named."""
        judged = judged_of(batch["target"])
        count = judged.sum()
        draws = 1 if phase == "discriminator" else self.trained
        noise = torch.randn(len(judged), draws, self.generator.noise, device=judged.device)
        if phase == "discriminator":
            with torch.no_grad():
                fake = self.generator(batch["seen"], batch["present"], noise)[:, :, 0]
            real = self.discriminator(batch["seen"], batch["target"].nan_to_num(), judged)
            doubt = self.discriminator(batch["seen"], fake, judged)
            value = (F.softplus(-real) + F.softplus(doubt)).sum() / count.clamp(min=1)
            return Loss(value, count)
        futures = self._futures(batch["seen"], batch["present"], noise)
        apart = (
            (futures - batch["target"].nan_to_num()[:, :, None]).norm(dim=-1).mean(dim=-1)
        )  # (B, A, 1 + K)
        single, apart = (apart * judged[:, :, None]).tensor_split([1], dim=2)
        variety = (apart.amin(dim=2).sum() + apart.sum(dim=1).amin(dim=1).sum()) / 2 / count.clamp(min=1)
        variety = variety + single.sum() / count.clamp(min=1)
        if not self.adversarial:
            return Loss(variety, count)
        belief = self.discriminator(batch["seen"], futures[:, :, 1], judged)
        deceived = F.softplus(-belief).sum() / count.clamp(min=1)
        return Loss(variety + self.adversarial * deceived, count, {"variety": variety, "deceived": deceived})

    def predict(self, batch: Batch) -> Batch:
        """``samples`` of the bank's draws, and ``single``."""
        futures = self(batch["seen"], batch["present"])
        return self.outputs(batch, futures[:, :, 1:], futures[:, :, 0])


class Discriminator(nn.Module):
    """Whether a whole track, seen and to come, is a true one: a logit for each agent."""

    def __init__(self, hidden: int, step: float) -> None:
        super().__init__()
        self.step = step
        self.embed = nn.Linear(4, hidden)
        self.recurrent = nn.LSTM(hidden, hidden, batch_first=True)
        self.judge = nn.Sequential(nn.Linear(hidden, hidden), nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, seen: Tensor, future: Tensor, judged: Tensor) -> Tensor:
        """``(B, A, S, 2)``, ``(B, A, T, 2)`` and ``(B, A)`` to logits of the judged ``(M,)``."""
        frames = Frames(seen)
        whole = torch.cat([seen, future], dim=2)
        local = frames.into(whole - frames.origin[:, :, None])[judged] / self.step
        inputs = torch.cat([local[:, 1:] - local[:, :-1], local[:, 1:]], dim=-1)
        steps, _ = self.recurrent(F.leaky_relu(self.embed(inputs), 0.2))
        logits: Tensor = self.judge(steps[:, -1])
        return logits[:, 0]
