"""Unusual transactions, learned without labels: what a narrow network cannot reconstruct.

Sakurada and Yairi 2014. Shapes: ``B`` batch, ``F`` features, ``S`` categories.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.nn.mlp import MLP
from fivefold.tasks.base import Inputs, Loss, Outputs, Task, inputs_of
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.model import category_embeddings, category_widths, network_inputs
from fivefold_finance.fraud.numbers import NormalScores
from fivefold_finance.fraud.tasks import GIVEN, fit_scores

if TYPE_CHECKING:
    from fivefold.evaluation.metric import Metric

LEVELS = 1001
_TAIL = LEVELS - 2  # the last level with others above it; beyond it, scores are few


class Autoencoder(nn.Module):
    """Normal scores and categories through a narrow layer and back."""

    def __init__(self, facts: Facts, config: FraudConfig) -> None:
        super().__init__()
        model = config.model
        self.scores = NormalScores(len(facts.columns), [])
        self.categories = nn.ModuleList(category_embeddings(facts.categories))
        self.sizes = [len(known) + 1 for known in facts.categories.values()]
        inputs = self.scores.outputs + sum(category_widths(facts.categories))
        inner = [model.hidden] * model.layers
        self.encode = MLP(inputs, inner, model.bottleneck, dropout=model.dropout)
        self.decode = MLP(
            model.bottleneck, inner, self.scores.outputs + sum(self.sizes), dropout=model.dropout
        )

    def forward(self, values: Tensor, codes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """``(B, F)`` and ``(B, S)`` to errors ``(B,)``: mean square of the numbers', mean nats of the categories'."""
        scores = self.scores(values)
        parts = [scores]
        if codes is not None:
            parts += [table(codes[:, place]) for place, table in enumerate(self.categories)]
        back = self.decode(self.encode(torch.cat(parts, dim=1)))
        numbers, *logits = back.split([self.scores.outputs, *self.sizes], dim=1)
        known = ~values.isnan()
        error = ((numbers - scores).square() * known).sum(dim=1) / known.sum(dim=1).clamp(min=1)
        if codes is None:
            return error, torch.zeros_like(error)
        nats = [F.cross_entropy(one, codes[:, place], reduction="none") for place, one in enumerate(logits)]
        return error, torch.stack(nats).mean(dim=0)


class UnusualTransactions(Task):
    """How unusual a transaction is: the share of validation transactions that are reconstructed better.

    Outputs are ``error``, the mean square over the numbers' normal scores; ``unusual``, the same and the categories';
    ``probabilities`` ``(B, 1)``, the share; and ``target``, ``day`` and ``account`` as the data have them.
    """

    given: ClassVar[tuple[str, ...]] = ("target", *GIVEN)
    levels: Tensor
    input: Inputs

    def __init__(self, facts: Facts, config: FraudConfig) -> None:
        super().__init__()
        self.network = Autoencoder(facts, config)
        self.input = network_inputs(facts)
        self.specificity = config.specificity
        self._labelled = bool(facts.labelled)
        self._accounts, self._alerts = facts.account is not None, config.costs.alerts_a_day
        self.register_buffer("levels", torch.linspace(0, 1, LEVELS))

    def prepare(self, train: Dataset) -> None:
        """Take quantiles of the training transactions."""
        fit_scores(self.network.scores, train)

    def forward(self, values: Tensor, codes: Tensor | None = None) -> Tensor:
        """How badly each is reconstructed, ``(B, 1)``."""
        error, nats = self.network(values, codes)
        unusual: Tensor = error + nats
        return unusual[:, None]

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Mean error of numbers and categories."""
        error, nats = self.network(*inputs_of(batch, self.input))
        return Loss((error + nats).mean(), len(error), {"numbers": error.mean(), "categories": nats.mean()})

    def predict(self, batch: Batch) -> Batch:
        """Errors, and their place among those of validation."""
        error, nats = self.network(*inputs_of(batch, self.input))
        unusual = (error + nats).float()
        given = {name: batch[name] for name in self.given if name in batch}
        return {"error": error, "unusual": unusual, "probabilities": self.share(unusual)[:, None], **given}

    def share(self, unusual: Tensor) -> Tensor:
        """The share of validation transactions below each, ``(B,)``; beyond nearly all of them it still rises."""
        place = torch.searchsorted(self.levels, unusual).clamp(1, LEVELS - 1)
        low, high = self.levels[place - 1], self.levels[place]
        within = ((unusual - low) / (high - low).clamp(min=torch.finfo(low.dtype).tiny)).clamp(0, 1)
        inside = (place - 1 + within) / (LEVELS - 1)
        end = self.levels[_TAIL]
        beyond = 1 - end / unusual.clamp(min=torch.finfo(low.dtype).tiny) / (LEVELS - 1)
        return torch.where(unusual > end, beyond, inside)

    def calibrate(self, outputs: Outputs) -> None:
        """Take the quantiles of validation errors: training ones are too small, as they were learned from."""
        found = np.quantile(np.asarray(outputs["unusual"], np.float64), np.linspace(0, 1, LEVELS))
        self.levels.copy_(torch.from_numpy(found.astype(np.float32)))

    def metrics(self) -> Sequence[Metric]:
        """Reconstruction error first; where there are labels, also how well it tells frauds."""
        from fivefold.evaluation.metric import Metric  # noqa: PLC0415 - imported where it is used
        from fivefold_finance.fraud.metrics import fraud_metrics  # noqa: PLC0415 - likewise

        error = Metric.from_mean(
            "reconstruction error", lambda outputs: outputs["error"], higher_is_better=False, headline=True
        )
        if not self._labelled:
            return (error,)
        # Shares are no probabilities, so that neither Brier score nor log loss means anything.
        ranks = (
            one for one in fraud_metrics(alerts=self._alerts, accounts=self._accounts) if one.higher_is_better
        )
        return (error, *ranks)

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"score", "alert"}``: the share, and whether it reaches the threshold."""
        scores = np.asarray(outputs["probabilities"], np.float64)[:, 0]
        return [{"score": float(score), "alert": bool(score >= self.specificity)} for score in scores]
