"""Baselines of predicted tracks: they learn nothing and go on as the agent went.

Batches hold ``seen`` ``(B, A, S, 2)``, absolute positions in metres, and ``present`` ``(B, A)``, which agents there
are; the fact ``horizon`` is the number ``T`` of frames to predict. Outputs are ``samples`` ``(N, A, K, T, 2)``,
``single`` ``(N, A, T, 2)``, where there is one, and ``seen`` ``(N, A, S, 2)``, float32, padded with nan to the most
agents of a batch.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import ConfigError
from fivefold.evaluation.baselines.base import Baseline
from fivefold.evaluation.metric import Values
from fivefold.tasks.reading import in_batches


class _FromSeen(Baseline):
    """A prediction from each agent's own seen positions."""

    def fit(self, train: Dataset) -> None:
        """Learn nothing."""

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``samples``, ``single`` and ``seen``; nan where there is no agent."""
        self._begin()
        parts = []
        for _, batch in in_batches(samples):
            there = batch["present"].numpy()
            seen = batch["seen"].numpy()
            single, drawn = self._tracks(seen[there].astype(np.float64), samples.facts.horizon)
            known = {"samples": drawn, "single": single, "seen": seen[there]}
            parts.append({name: _placed(values, there) for name, values in known.items()})
        most = max(part["seen"].shape[1] for part in parts)
        return {
            name: np.concatenate([_padded(part[name], most) for part in parts])
            for name in ("samples", "single", "seen")
        }

    def _begin(self) -> None:
        """Start anew, so that a second prediction is the same as the first."""

    @abstractmethod
    def _tracks(self, seen: Values, frames: int) -> tuple[Values, Values]:
        """Seen positions ``(M, S, 2)`` of agents to ``single`` ``(M, T, 2)`` and samples ``(M, K, T, 2)``."""


class ConstantVelocity(_FromSeen):
    """Repeats the last displacement seen (Schöller et al. 2020, "What the constant velocity model can teach us")."""

    name = "constant velocity"

    def _tracks(self, seen: Values, frames: int) -> tuple[Values, Values]:
        single = _onward(seen[:, -1], _velocity(seen), frames)
        return single, single[:, None]


class ConstantVelocityWithNoise(_FromSeen):
    """Repeats the last displacement, turned by an angle drawn for each agent and sample (Schöller et al. 2020).

    The angle is normal with mean 0 and is kept over all predicted frames. Every sample is turned, the first, too. With
    20 samples and 25 degrees that gives, as the mean over the five scenes of ETH/UCY, a minADE/minFDE of 0.42/0.87 per
    agent and 0.55/1.12 joint; a first sample that is not turned would change the joint ones to 0.49/1.04. There is no
    ``single``: the angle's mean is constant velocity itself, a baseline of its own.
    """

    def __init__(self, samples: int = 20, degrees: float = 25.0, seed: int = 0) -> None:
        """Settings.

        Args:
            samples: ``K``, one or more.
            degrees: standard deviation of the angle.
            seed: of the angles; they do not depend on how windows are batched.
        """
        if samples < 1:
            raise ConfigError(
                f"constant velocity with noise: expected one sample or more, found {samples}; give 1 or more"
            )
        self.name = f"constant velocity, {samples} directions"
        self._samples = samples
        self._spread = np.radians(degrees)
        self._seed = seed
        self._generator = np.random.default_rng(seed)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``samples`` and ``seen``; nan where there is no agent."""
        return {name: values for name, values in super().predict(samples).items() if name != "single"}

    def _begin(self) -> None:
        self._generator = np.random.default_rng(self._seed)

    def _tracks(self, seen: Values, frames: int) -> tuple[Values, Values]:
        velocity = _velocity(seen)
        angle = self._spread * self._generator.normal(size=(len(seen), self._samples))
        cosine, sine = np.cos(angle), np.sin(angle)
        east, north = velocity[:, :1], velocity[:, 1:]
        turned = np.stack([cosine * east - sine * north, sine * east + cosine * north], axis=-1)
        start = seen[:, -1]
        return _onward(start, velocity, frames), _onward(start[:, None], turned, frames)


class LinearFit(_FromSeen):
    """Goes on along the least-squares line through the seen positions over time (Alahi et al. 2016, "Lin")."""

    name = "line through the seen positions"

    def _tracks(self, seen: Values, frames: int) -> tuple[Values, Values]:
        steps = seen.shape[1]
        basis = np.stack([np.ones(steps), np.arange(steps)], axis=1)
        ahead = np.stack([np.ones(frames), np.arange(steps, steps + frames)], axis=1)
        single = np.einsum("ts,msc->mtc", ahead @ np.linalg.pinv(basis), seen)
        return single, single[:, None]


def _velocity(seen: Values) -> Values:
    """The last displacement, metres a frame: ``(M, S, 2)`` to ``(M, 2)``."""
    return np.asarray(seen[:, -1] - seen[:, -2])


def _onward(start: Values, velocity: Values, frames: int) -> Values:
    """Positions ``(..., T, 2)`` of going on from ``start`` with ``velocity``, each ``(..., 2)``."""
    return np.asarray(start[..., None, :] + velocity[..., None, :] * np.arange(1, frames + 1)[:, None])


def _placed(values: Array, there: Array) -> Array:
    """Values ``(M, ...)`` of the agents that are there in their places, ``(B, A, ...)``; nan elsewhere."""
    placed = np.full((*there.shape, *values.shape[1:]), np.nan, dtype=np.float32)
    placed[there] = values
    return placed


def _padded(values: Array, agents: int) -> Array:
    """``(B, A, ...)`` with so many agents, nan for those added."""
    missing = [(0, 0), (0, agents - values.shape[1]), *((0, 0) for _ in values.shape[2:])]
    return np.pad(values, missing, constant_values=np.nan)
