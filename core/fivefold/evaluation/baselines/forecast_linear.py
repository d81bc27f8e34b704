"""Ridge regression from the look-back to the horizon, solved in closed form (Toner and Darlow 2024, arXiv:2403.14587).

For batches and facts see `forecast`; rows of the regression are the windows of all targets, each in units of its own
deviation, so that one map serves all. It sees how a window differs from its last value, as NLinear does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import linalg
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.evaluation.baselines.forecast import ForecastBaseline
from fivefold.tasks.moments import Moments
from fivefold.tasks.reading import in_batches

Matrix = NDArray[np.float64]

PENALTIES = np.logspace(-6, 1, 15)
"""What is tried as penalty, in units of the mean variance of a step."""
_TAIL = 0.2
"""Share of the training part, the latest, on which the penalty is chosen."""


@dataclass
class _Sums:
    """Sums of products over rows ``x``, ``(L + 1)`` with a one at the end, and ``y``, ``(H)``."""

    gram: Matrix
    cross: Matrix
    squares: float = 0.0

    @classmethod
    def empty(cls, inputs: int, outputs: int) -> _Sums:
        return cls(np.zeros((inputs + 1, inputs + 1)), np.zeros((inputs + 1, outputs)))

    def add(self, x: Matrix, y: Matrix) -> None:
        x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        self.gram += x.T @ x
        self.cross += x.T @ y
        self.squares += float((y**2).sum())

    def __add__(self, other: _Sums) -> _Sums:
        return _Sums(self.gram + other.gram, self.cross + other.cross, self.squares + other.squares)

    @property
    def count(self) -> float:
        return float(self.gram[-1, -1])

    def error(self, weight: Matrix) -> float:
        """Sum of squares that the map ``(L + 1, H)`` leaves."""
        explained = 2 * (weight * self.cross).sum() - (weight * (self.gram @ weight)).sum()
        return self.squares - float(explained)

    def solved(self, penalties: NDArray[np.float64]) -> list[Matrix]:
        """The ridge map ``(L + 1, H)`` of each penalty; the last row, the bias, is not penalised."""
        mean_x, mean_y = self.gram[-1, :-1] / self.count, self.cross[-1] / self.count
        centred = self.gram[:-1, :-1] - self.count * np.outer(mean_x, mean_x)
        cross = self.cross[:-1] - self.count * np.outer(mean_x, mean_y)
        values, vectors = linalg.eigh(centred)
        values = values.clip(min=0)
        unit = max(float(values.mean()), np.finfo(np.float64).tiny)
        turned = vectors.T @ cross
        maps = []
        for penalty in penalties:
            slopes = vectors @ (turned / (values + penalty * unit)[:, None])
            maps.append(np.concatenate([slopes, (mean_y - mean_x @ slopes)[None]]))
        return maps


class ClosedFormLinear(ForecastBaseline):
    """The best linear map from the look-back to the horizon, shared by all targets.

    The penalty is the one with the least error on the latest fifth of the training samples, by their ``time`` where
    batches hold it and in their order otherwise, after a fit to those whose horizon ends before it. The final map is
    fitted to all training samples.

    Attributes:
        penalty: the one chosen, in units of the mean variance of a step; known once fitted.
    """

    penalty: float = 0.0

    def __init__(self) -> None:
        self.name = "closed-form linear"
        self._map: Matrix = np.empty(0)
        self._mean = self._scale = torch.ones(())

    def learn(self, train: Dataset) -> None:
        """Gather the normal equations, choose the penalty, and solve."""
        part, moments = self._look(train)
        self._mean, self._scale = moments.mean.double(), moments.scale.double()
        sums: list[_Sums] = []
        for indices, batch in in_batches(train):
            past, anchor = self._rows(batch)
            future = self._standard(batch["target"]) - anchor
            x, y = (rows.transpose(1, 2) for rows in (past, future))  # (B, K, L), (B, K, H)
            if not sums:
                sums = [_Sums.empty(x.shape[-1], y.shape[-1]) for _ in range(3)]
            for number, one in enumerate(sums):
                here = part[indices] == number
                one.add(x[here].flatten(0, 1).numpy(), y[here].flatten(0, 1).numpy())
        head, between, tail = sums
        place = len(PENALTIES) - 1
        if head.count:
            place = int(np.argmin([tail.error(weight) for weight in head.solved(PENALTIES)]))
        self.penalty = float(PENALTIES[place])
        (self._map,) = (head + between + tail).solved(PENALTIES[place : place + 1])

    def _look(self, train: Dataset) -> tuple[Tensor, Moments]:
        """Which samples are head (0), tail (2) or between (1), int64 ``(N,)``, and the targets' moments."""
        moments, times = Moments("target"), []
        for indices, batch in in_batches(train):
            moments.add(batch["target"], indices, train)
            times.append(batch.get("time", indices))
        moments_in_time, places = np.unique(torch.cat(times).numpy(), return_inverse=True)
        border, order = int((1 - _TAIL) * len(moments_in_time)), torch.from_numpy(places)
        # A sample whose horizon reaches into the tail would tell the fit what the tail is to judge.
        return (order >= border).long() + (order >= border - self.horizon).long(), moments

    def _standard(self, values: Tensor) -> Tensor:
        return (values.double() - self._mean) / self._scale

    def _rows(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Differences of the past from its anchor, ``(B, L, K)``, and the anchor, ``(B, 1, K)``; of returns, zero."""
        past = self._standard(self.past(batch))
        anchor = torch.zeros_like(past[:, -1:]) if self.returns else past[:, -1:]
        return past - anchor, anchor

    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``."""
        past, anchor = self._rows(batch)
        slopes, bias = torch.from_numpy(self._map[:-1]), torch.from_numpy(self._map[-1])
        future = (past.transpose(1, 2) @ slopes + bias).transpose(1, 2)
        return (future + anchor) * self._scale + self._mean
