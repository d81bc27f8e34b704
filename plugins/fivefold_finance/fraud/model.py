"""The networks of fraud detection.

Shapes: ``B`` batch, ``T`` steps of a history, ``F`` features, ``S`` categories, ``M`` members, ``W`` width.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Facts
from fivefold.nn.recurrent import RecurrentEncoder
from fivefold_finance.fraud.config import FraudModelConfig
from fivefold_finance.fraud.numbers import NormalScores, Periodic, PiecewiseLinear

_RARE = -5.0
"""Log odds that members begin with: frauds are rare."""


class TransactionEncoder(nn.Module):
    """One transaction as a vector: normal scores of its numbers, embedded, and embeddings of its categories."""

    def __init__(self, facts: Facts, config: FraudModelConfig) -> None:
        super().__init__()
        self.scores = NormalScores(len(facts.columns), list(facts.gaps))
        count = self.scores.outputs
        self.numbers: nn.Module = nn.Identity()
        self.outputs = count
        if config.numbers != "plain":
            kind = PiecewiseLinear if config.numbers == "piecewise" else Periodic
            embedding = kind(count, config.pieces, config.numbers_width)
            self.numbers, self.outputs = embedding, embedding.outputs
        self.categories = nn.ModuleList(category_embeddings(facts.categories))
        self.forget = config.forget
        self.outputs += sum(category_widths(facts.categories))

    def forward(self, values: Tensor, codes: Tensor | None = None) -> Tensor:
        """``(..., F)`` and ``(..., S)`` to ``(..., W)``."""
        parts = [self.numbers(self.scores(values))]
        if codes is not None:
            if self.training and self.forget:
                codes = codes * (torch.rand(codes.shape, device=codes.device) >= self.forget)  # 0 is unseen
            parts += [table(codes[..., place]) for place, table in enumerate(self.categories)]
        return torch.cat(parts, dim=-1)


class SharedLinear(nn.Module):
    """A linear layer that members share, each with scales of its own before and after it.

    Batch ensemble (Wen et al. 2020, arXiv:2002.06715) as TabM has it (Gorishniy et al. 2024, arXiv:2410.24210).
    """

    def __init__(self, members: int, inputs: int, outputs: int, *, first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        # Only the first layer's scales differ at the start, which is what makes members differ.
        signs = torch.randint(0, 2, (members, inputs)).float() * 2 - 1
        self.before = nn.Parameter(signs if first else torch.ones(members, inputs))
        self.after = nn.Parameter(torch.ones(members, outputs))
        self.bias = nn.Parameter((torch.rand(members, outputs) * 2 - 1) / math.sqrt(inputs))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, M, inputs)`` to ``(B, M, outputs)``."""
        return F.linear(x * self.before, self.weight) * self.after + self.bias


class Members(nn.Module):
    """Layers that ``M`` members share, and a log odds of each."""

    def __init__(self, inputs: int, config: FraudModelConfig) -> None:
        super().__init__()
        self.members, self.dropout = config.members, config.dropout
        widths = [inputs] + [config.hidden] * config.layers
        self.layers = nn.ModuleList(
            SharedLinear(config.members, before, after, first=place == 0)
            for place, (before, after) in enumerate(pairwise(widths))
        )
        self.last = nn.Parameter(torch.randn(config.members, config.hidden) / math.sqrt(config.hidden))
        self.bias = nn.Parameter(torch.full((config.members,), _RARE))

    def forward(self, x: Tensor) -> Tensor:
        """``(B, inputs)`` to ``(B, M)``."""
        hidden = x[:, None].expand(-1, self.members, -1)
        for layer in self.layers:
            hidden = F.dropout(F.relu(layer(hidden)), self.dropout, self.training)
        return (hidden * self.last).sum(dim=-1) + self.bias


class TransactionNetwork(nn.Module):
    """Log odds of fraud from the transaction alone: ``(B, F)`` and ``(B, S)`` to ``(B, M)``."""

    def __init__(self, facts: Facts, config: FraudModelConfig) -> None:
        super().__init__()
        self.encoder = TransactionEncoder(facts, config)
        self.head = Members(self.encoder.outputs, config)

    def forward(self, values: Tensor, codes: Tensor | None = None) -> Tensor:
        """Each member's log odds, ``(B, M)``."""
        found: Tensor = self.head(self.encoder(values, codes))
        return found


class HistoryNetwork(nn.Module):
    """The same with the state of a GRU (Cho et al. 2014) that has read the account's last transactions."""

    def __init__(self, facts: Facts, config: FraudModelConfig) -> None:
        super().__init__()
        self.encoder = TransactionEncoder(facts, config)
        self.recurrent = RecurrentEncoder("gru", self.encoder.outputs, config.state)
        self.head = Members(self.encoder.outputs + config.state, config)

    def forward(self, values: Tensor, lengths: Tensor, codes: Tensor | None = None) -> Tensor:
        """Histories ``(B, T, F)`` of ``(B,)`` steps, and their codes ``(B, T, S)``, to ``(B, M)``."""
        steps = self.encoder(values, codes)
        _, state = self.recurrent(steps, lengths)
        last = (lengths - 1).to(steps.device)
        current = steps[torch.arange(len(steps), device=steps.device), last]
        found: Tensor = self.head(torch.cat([current, state], dim=1))
        return found


def network_inputs(facts: Facts) -> tuple[str, ...]:
    """Keys of the batch that the network reads, in the order of its arguments."""
    return ("input", *(["lengths"] if facts.lookback else []), *(["categories"] if facts.categories else []))


def category_embeddings(names: Mapping[str, Sequence[str]]) -> list[nn.Embedding]:
    """A table for each category, of a width that grows with the number of its names."""
    widths = category_widths(names)
    return [nn.Embedding(len(known) + 1, width) for known, width in zip(names.values(), widths, strict=True)]


def category_widths(names: Mapping[str, Sequence[str]]) -> list[int]:
    """The widths of these tables."""
    return [min(32, 2 + round(1.5 * (len(known) + 1) ** 0.3)) for known in names.values()]
