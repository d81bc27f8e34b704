"""Integrated gradients: how much each step of a sequence spoke for an output (Sundararajan, Taly and Yan 2017).

arXiv:1703.01365. The gradient is integrated along the straight path from a baseline, which says nothing, to the
sequence. The parts then add up to the difference of the outputs at both ends (completeness), which is checked:
an integral that does not add up is computed again with twice the points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fivefold.nn.sequence import SequenceNetwork

Output = Callable[[Tensor], Tensor]
"""Outputs of a network ``(B, K)`` to the one asked about, ``(B,)``."""

TOLERANCE = 0.01
"""Share of the difference of outputs that the parts may miss."""

SMALLEST_GAP = 1e-3
"""A gap up to this is none, however small the difference of outputs."""

FEWEST_POINTS, MOST_POINTS = 32, 512
"""Points of the quadrature, at first and at last."""

STEPS_AT_ONCE = 4096
"""Steps of sequences in one pass, which bounds memory."""


@dataclass(frozen=True)
class Attribution:
    """What spoke for an output.

    Attributes:
        parts: of each step, in units of the output, float64 ``(T,)``.
        output: at the sequence.
        baseline: at the baseline.
        points: of the quadrature, by which the parts were found.
        converged: whether the gap is within the tolerance.
    """

    parts: NDArray[np.float64]
    output: float
    baseline: float
    points: int
    converged: bool

    @property
    def gap(self) -> float:
        """By how much the sum of the parts misses the difference of the outputs."""
        return abs(float(self.parts.sum()) - (self.output - self.baseline))


def integrated_gradients(
    network: SequenceNetwork,
    ids: Tensor,
    output: Output,
    *,
    baseline: int | None = None,
    kept: Tensor | None = None,
    smallest_gap: float = SMALLEST_GAP,
    most_points: int = MOST_POINTS,
) -> Attribution:
    """Share an output out among the steps of one sequence.

    Args:
        network: in any mode, which it has again afterwards; parameters and gradients stay as they are.
        ids: token numbers of one sequence without padding, int64 ``(T,)``.
        output: which of the network's outputs, or what function of them; smooth, and of each row alone.
        baseline: the token whose vector stands for nothing said; where not given, that is a vector of zeros.
        kept: bool ``(T,)``, True at steps that are the same in the baseline, such as marks of begin and end:
            nothing is attributed to them.
        smallest_gap: what counts as no gap, in units of the output.
        most_points: until when the number of points is doubled.

    Returns:
        The parts, and whether they add up.
    """
    with _evaluating(network), torch.enable_grad(), _differentiable(network):
        path = _Path(network, ids, output, baseline, kept)
        start, end = path.ends()
        limit = max(TOLERANCE * abs(end - start), smallest_gap)
        points = min(FEWEST_POINTS, most_points)
        while True:
            parts = path.integral(points)
            converged = abs(float(parts.sum()) - (end - start)) <= limit
            found = Attribution(parts, end, start, points, converged)
            if found.converged or points >= most_points:
                return found
            points = min(2 * points, most_points)


class _Path:
    """The straight line from the baseline's vectors to those of a sequence."""

    def __init__(
        self,
        network: SequenceNetwork,
        ids: Tensor,
        output: Output,
        baseline: int | None,
        kept: Tensor | None,
    ) -> None:
        device = next(network.parameters()).device
        ids = ids.to(device)[None]
        self._network, self._output = network, output
        with torch.no_grad():
            self._end = network.embed(ids)  # (1, T, E)
            blank = torch.zeros_like(self._end)
            if baseline is not None:
                blank = network.embed(torch.full_like(ids, baseline))
        same = torch.zeros_like(ids, dtype=torch.bool) if kept is None else kept.to(device)[None]
        self._start = torch.where(same[:, :, None], self._end, blank)

    def ends(self) -> tuple[float, float]:
        """The output at the baseline, and at the sequence."""
        with torch.no_grad():
            start, end = self._outputs(torch.cat((self._start, self._end))).double().tolist()
        return start, end

    def integral(self, points: int) -> NDArray[np.float64]:
        """Each step's part by Gauss-Legendre quadrature, float64 ``(T,)``."""
        places, weights = _quadrature(points)
        way = self._end - self._start
        total = torch.zeros_like(way[0], dtype=torch.float64)  # (T, E)
        at_once = max(1, STEPS_AT_ONCE // way.shape[1])
        for chunk in range(0, points, at_once):
            shares = torch.from_numpy(places[chunk : chunk + at_once]).to(way)[:, None, None]
            between = (self._start + shares * way).requires_grad_()
            (gradient,) = torch.autograd.grad(self._outputs(between).sum(), between)
            share = torch.from_numpy(weights[chunk : chunk + at_once]).to(total.device)
            total += torch.tensordot(share, gradient.double(), dims=1)
        parts: NDArray[np.float64] = (total * way[0].double()).sum(dim=1).cpu().numpy()
        return parts

    def _outputs(self, embedded: Tensor) -> Tensor:
        """``(P, T, E)`` to ``(P,)``; all are of one length, so nothing is padded."""
        lengths = torch.full((len(embedded),), embedded.shape[1], dtype=torch.int64)
        return self._output(self._network.from_embeddings(embedded, lengths).float())


@cache
def _quadrature(points: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places and weights of Gauss and Legendre on 0 to 1."""
    places, weights = np.polynomial.legendre.leggauss(points)
    return (places + 1) / 2, weights / 2


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _differentiable(network: nn.Module) -> AbstractContextManager[None]:
    """Recurrent layers without cuDNN, whose have gradients in training mode only, when features are dropped."""
    if any(isinstance(module, nn.RNNBase) for module in network.modules()):
        return torch.backends.cudnn.flags(enabled=False)
    return nullcontext()
