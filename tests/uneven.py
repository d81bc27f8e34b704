"""Samples of the tests' own with uneven lengths: sequences of two symbols, named by the commoner one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.data.table import Array
from fivefold.nn.recurrent import RecurrentEncoder


class Sequences(Dataset):
    """``count`` sequences of 1 to 30 symbols."""

    def __init__(self, count: int, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        lengths = torch.randint(0, 15, (count,), generator=generator) * 2 + 1
        self.sequences = [torch.randint(0, 2, (int(size),), generator=generator) for size in lengths]
        self._target = torch.tensor([int(one.float().mean() > 0.5) for one in self.sequences])

    def __len__(self) -> int:
        return len(self.sequences)

    def batch(self, indices: Tensor) -> Batch:
        chosen = [self.sequences[index] for index in indices.tolist()]
        lengths = torch.tensor([len(one) for one in chosen])
        return {
            "input": pad_sequence(chosen, batch_first=True),
            "lengths": lengths,
            "target": self._target[indices],
        }

    @property
    def facts(self) -> Facts:
        return Facts(classes=["zeros", "ones"])

    @property
    def ids(self) -> Array:
        return np.array([f"sequence {number}" for number in range(len(self))], dtype=object)

    def targets_std(self) -> float:
        return float(self._target.double().std(unbiased=False))

    def lengths(self) -> Tensor:
        return torch.tensor([len(one) for one in self.sequences])


class Reader(nn.Module):
    """A GRU over embedded symbols, with dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(2, 8)
        self.encoder = RecurrentEncoder("gru", 8, 16)
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(16, 2))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        _, final = self.encoder(self.embedding(ids), lengths)
        logits: Tensor = self.head(final)
        return logits
