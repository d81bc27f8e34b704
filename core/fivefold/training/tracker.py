"""The losses since the last log line: kept on the device, read once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from fivefold.tasks.base import Loss
from fivefold.training.processes.group import ALONE, Processes


@dataclass
class _Series:
    """One logged quantity: where it was computed, its value and the weight of that value.

    Attributes:
        steps, values, weights: not yet read from the device.
        read: those that were, or that a checkpoint held.
    """

    steps: list[int] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    weights: list[float | Tensor] = field(default_factory=list)
    read: tuple[Tensor, Tensor, Tensor] | None = None

    def stacked(self) -> tuple[Tensor, Tensor, Tensor]:
        """Steps int64, values and weights float64, on the CPU; waits for the device, once for each value."""
        columns = [] if self.read is None else [self.read]
        if self.steps:
            columns.append((torch.tensor(self.steps), _to_host(self.values), _to_host(self.weights)))
            self.steps, self.values, self.weights = [], [], []
        steps, values, weights = (torch.cat(column) for column in zip(*columns, strict=True))
        self.read = (steps, values, weights)
        return self.read


def _to_host(numbers: Sequence[float | Tensor]) -> Tensor:
    """Numbers and scalar tensors as one float64 tensor on the CPU, by one copy from the device."""
    tensors = [number for number in numbers if isinstance(number, Tensor)]
    if len(tensors) == len(numbers):
        return torch.stack(tensors).to("cpu", torch.float64)
    return torch.tensor(
        numbers if not tensors else [float(number) for number in numbers], dtype=torch.float64
    )


class LossTracker:
    """Gathers losses and their parts without reading the device, until `summary`.

    Nothing is summed before then: a log line is the same whether or not the training was interrupted in
    between.
    """

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}

    def add(self, phase: str, step: int, loss: Loss) -> None:
        """Note the loss of a batch in ``phase`` at ``step``."""
        self._note(f"{phase}/loss", step, loss.value, loss.weight)
        for name, value in loss.parts.items():
            self._note(f"{phase}/{name}", step, value, loss.weight)

    def _note(self, key: str, step: int, value: Tensor, weight: float | Tensor) -> None:
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = _Series()
        series.steps.append(step)
        series.values.append(value.detach())
        series.weights.append(weight.detach() if isinstance(weight, Tensor) else weight)

    def __bool__(self) -> bool:
        """Whether there is anything to log."""
        return bool(self._series)

    def first_non_finite(self) -> int | None:
        """The first step whose loss was not finite, or None; waits for the device."""
        found = []
        for key, series in self._series.items():
            if key.endswith("/loss"):
                steps, values, _ = series.stacked()
                found += steps[~torch.isfinite(values)].tolist()[:1]
        return min(found, default=None)

    def summary(self, processes: Processes = ALONE, *, skip_non_finite: bool = False) -> dict[str, float]:
        """Weighted means since the last call, as ``phase/name``; waits for the device, then starts anew.

        Args:
            processes: the means are taken over all of them.
            skip_non_finite: leave out values that are not finite, of updates that were skipped.
        """
        sums = []
        for series in self._series.values():
            _, values, weights = series.stacked()
            if skip_non_finite:
                weights = weights * torch.isfinite(values)
                values = values.nan_to_num(0.0, 0.0, 0.0)
            sums.append(torch.stack([(values * weights).sum(), weights.sum()]))
        totals = processes.sum(torch.stack(sums)) if sums else torch.empty(0, 2)
        means = {
            key: float(total / weight) for key, (total, weight) in zip(self._series, totals, strict=True)
        }
        self._series = {}
        return means

    def state_dict(self) -> dict[str, Tensor]:
        """What was gathered so far, as tensors on the CPU."""
        return dict(self._state())

    def _state(self) -> Iterator[tuple[str, Tensor]]:
        for key, series in self._series.items():
            for kind, tensor in zip(("steps", "values", "weights"), series.stacked(), strict=True):
                yield f"{key}:{kind}", tensor

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state_dict` saved."""
        keys = dict.fromkeys(name.rpartition(":")[0] for name in state)
        self._series = {
            key: _Series(read=(state[f"{key}:steps"], state[f"{key}:values"], state[f"{key}:weights"]))
            for key in keys
        }
