"""What baselines see of a transaction: its features, and of its history simple sums that are known by then."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import Batch, Facts
from fivefold.data.table import Array

_MOST_NAMES = 32
"""Names of a category that have a column of their own; rarer ones share none."""


def baseline_features(facts: Facts, *, filled: bool) -> Callable[[Batch], Array]:
    """From a batch to features ``(B, D)``.

    Numbers as they are, the most frequent names of categories as yes or no, and of a history: how many earlier
    transactions, the mean and the highest of their amounts, the current amount less that mean, and how long ago the
    last one was.

    Args:
        facts: of the training split.
        filled: put 0 in the place of missing numbers, and signed logarithms in that of numbers, as linear models
            need it; trees take missing numbers as they are.
    """
    amount = len(facts.numbers)
    sizes = [min(len(known) + 1, _MOST_NAMES) for known in facts.categories.values()]

    def features(batch: Batch) -> Array:
        values, codes = batch["input"].float(), batch.get("categories")
        parts = []
        if facts.lookback:
            rows, last = torch.arange(len(values)), batch["lengths"] - 1
            parts = _sums(values, batch["lengths"], amount)
            values = values[rows, last, :-1]  # the age of the transaction itself is always 0
            codes = None if codes is None else codes[rows, last]
        parts.insert(0, values)
        if codes is not None:
            parts += [_yes_or_no(codes[:, place], size) for place, size in enumerate(sizes)]
        found = torch.cat(parts, dim=1).numpy()
        return np.nan_to_num(np.sign(found) * np.log1p(np.abs(found))) if filled else found

    return features


def _sums(values: Tensor, lengths: Tensor, amount: int) -> list[Tensor]:
    """Of histories ``(B, T, F)``: count, mean and highest amount, difference from the mean, age of the last."""
    rows, last = torch.arange(len(values)), lengths - 1
    earlier = torch.arange(values.shape[1]) < last[:, None]
    amounts, count = values[:, :, amount], last.clamp(min=1)
    mean = torch.where(last > 0, (amounts * earlier).sum(dim=1) / count, torch.nan)
    highest = torch.where(last > 0, amounts.masked_fill(~earlier, -torch.inf).amax(dim=1), torch.nan)
    since = torch.where(last > 0, values[rows, (last - 1).clamp(min=0), -1], torch.nan)
    found = [last.float(), mean, highest, amounts[rows, last] - mean, since]
    return [torch.stack(found, dim=1).float()]


def _yes_or_no(codes: Tensor, size: int) -> Tensor:
    """One column for each of the codes from 1 on, ``(B, size - 1)``."""
    return (codes[:, None] == torch.arange(1, size)).float()
