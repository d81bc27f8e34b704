"""Autoregression of each target by least squares, its order by Akaike's criterion, forecast step by step.

Box and Jenkins 1970; Akaike 1974, IEEE Transactions on Automatic Control 19. For batches and facts see `forecast`.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset
from fivefold.evaluation.baselines.forecast import ForecastBaseline
from fivefold.tasks.moments import Moments
from fivefold.tasks.reading import in_batches

Matrix = NDArray[np.float64]


class Autoregression(ForecastBaseline):
    """Each target from its own last ``p`` values and a constant, iterated over the horizon.

    All orders are compared on the same samples. Several series share their coefficients.

    Attributes:
        orders: the order chosen for each target; known once fitted.
    """

    orders: tuple[int, ...] = ()

    def __init__(self, longest: int | None = None) -> None:
        """Settings.

        Args:
            longest: greatest order that is tried; ``12 (N / 100) ** (1 / 4)`` where not given (Schwert 1989), and never
                more than the look-back.
        """
        self.name = "autoregression"
        self._longest = longest
        self._mean = self._scale = torch.ones(())
        self._maps: list[Matrix] = []

    def learn(self, train: Dataset) -> None:
        """Gather the normal equations of the greatest order, of which the others are parts, and solve."""
        moments = Moments("target")
        for indices, batch in in_batches(train):
            moments.add(batch["target"], indices, train)
        self._mean, self._scale = moments.mean.double(), moments.scale.double()
        lags = min(self._longest or int(12 * (len(train) / 100) ** 0.25), train.facts.lookback)
        total = np.zeros((self.targets, lags + 2, lags + 2))
        for _, batch in in_batches(train):
            past = self._standard(self.past(batch)[:, -lags:]).flip(1)  # the latest first
            rows = torch.cat(
                [torch.ones_like(past[:, :1]), past, self._standard(batch["target"][:, :1])], dim=1
            )
            each = rows.permute(2, 0, 1)  # (K, B, 1 + lags + 1)
            total += (each.transpose(1, 2) @ each).numpy()
        fits = [_best(one) for one in total]
        self.orders = tuple(len(fit) - 1 for fit in fits)
        self._maps = [_iterated(fit, self.horizon) for fit in fits]

    def _standard(self, values: Tensor) -> Tensor:
        return (values.double() - self._mean) / self._scale

    def forecast(self, batch: Batch) -> Tensor:
        """``(B, H, K)``."""
        past = self._standard(self.past(batch))
        steps = []
        for target, weights in enumerate(self._maps):
            lags = (
                past[:, -self.orders[target] :, target].flip(1)
                if self.orders[target]
                else past[:, :0, target]
            )
            weight = torch.from_numpy(weights)  # (H, 1 + p)
            steps.append(lags @ weight[:, 1:].T + weight[:, 0])
        return torch.stack(steps, dim=-1) * self._scale + self._mean


def _best(products: Matrix) -> Matrix:
    """Coefficients, the constant first and then of lags 1 to p, of the order with the least criterion.

    Args:
        products: sums of products of (1, lags, next value), ``(lags + 2, lags + 2)``.
    """
    count, total = products[0, 0], products[-1, -1]
    best: Matrix = np.zeros(1)
    least = np.inf
    for size in range(1, len(products)):
        weight = np.asarray(np.linalg.lstsq(products[:size, :size], products[:size, -1])[0], np.float64)
        left = total - weight @ products[:size, -1]
        # What is left of a series that follows itself exactly is rounding; no order can better it.
        criterion = count * np.log(max(left, 1e-12 * max(total, 1e-12)) / count) + 2 * size
        if criterion < least:
            best, least = weight, criterion
    return best


def _iterated(weight: Matrix, horizon: int) -> Matrix:
    """What each step of the horizon is as a linear map of (1, lags): ``(H, 1 + p)``."""
    state = np.eye(len(weight))[1:]  # each row a lag, the latest first, in terms of (1, lags)
    one = np.eye(len(weight))[0]
    steps = []
    for _ in range(horizon):
        following = weight[0] * one + weight[1:] @ state
        state = np.concatenate([following[None], state])[: len(weight) - 1]
        steps.append(following)
    return np.stack(steps)
