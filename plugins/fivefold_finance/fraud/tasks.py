"""Is it fraud? One yes/no question, answered by several members of one network."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from fivefold.data.dataset import Batch, Dataset, Facts
from fivefold.tasks.base import Loss, Outputs, inputs_of
from fivefold.tasks.questions import Questions
from fivefold_finance.fraud.config import FraudConfig
from fivefold_finance.fraud.data import CLASSES
from fivefold_finance.fraud.model import HistoryNetwork, TransactionNetwork, network_inputs
from fivefold_finance.fraud.numbers import NormalScores

if TYPE_CHECKING:
    from fivefold.evaluation.metric import Metric

FITTED_ON = 200_000
"""Training transactions from which quantiles are taken, at most."""

GIVEN = ("day", "account")
"""Outputs that metrics read beside the target, and that the data give."""


class FraudQuestions(Questions):
    """The question "fraud"; its log odds are those of the mean of the members' probabilities.

    Each member learns for itself. Outputs are those of `Questions` with one column, and ``day`` and ``account``.
    """

    given: ClassVar[tuple[str, ...]] = ("target", *GIVEN)
    network: HistoryNetwork | TransactionNetwork

    def __init__(self, facts: Facts, config: FraudConfig) -> None:
        network = (HistoryNetwork if facts.lookback else TransactionNetwork)(facts, config.model)
        super().__init__(
            network,
            ("fraud",),
            classes=CLASSES,
            input=network_inputs(facts),
            class_weights=config.class_weights,
            specificity=config.specificity,
        )
        self._accounts = facts.account is not None
        self._alerts = config.costs.alerts_a_day

    def prepare(self, train: Dataset) -> None:
        """Take quantiles of the training transactions, and the weights of frauds."""
        super().prepare(train)
        fit_scores(self.network.encoder.scores, train)

    def logits(self, x: Tensor, *more: Tensor) -> Tensor:
        """Log odds of the members' mean probability, ``(B, 1)``."""
        members = self.network(x, *more).float()
        yes, no = (torch.logsumexp(F.logsigmoid(sign * members), dim=1, keepdim=True) for sign in (1, -1))
        return yes - no

    def loss(self, batch: Batch, phase: str) -> Loss:  # noqa: ARG002 - one phase
        """Cross-entropy of each member, weighted as set, over the labels that are known."""
        members = self.network(*inputs_of(batch, self.input)).float()
        target = batch["target"].float()
        known, truth = ~target.isnan(), target.nan_to_num()
        each = -truth * self.weight_yes * F.logsigmoid(members)
        each = each - (1 - truth) * self.weight_no * F.logsigmoid(-members)
        count = known.sum()
        return Loss((each.mean(dim=1, keepdim=True) * known).sum() / count.clamp(min=1), count)

    def predict(self, batch: Batch) -> Batch:
        """As `Questions`, with the day and the account."""
        return super().predict(batch) | {name: batch[name] for name in GIVEN if name in batch}

    def metrics(self) -> Sequence[Metric]:
        """AUPRC first; see `fivefold_finance.fraud.metrics`."""
        from fivefold_finance.fraud.metrics import fraud_metrics  # noqa: PLC0415 - imported where it is used

        return fraud_metrics(alerts=self._alerts, accounts=self._accounts)

    def decode(self, outputs: Outputs, facts: Facts) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Records ``{"score", "alert"}``: the calibrated probability of fraud, and whether it reaches the threshold."""
        scores = np.asarray(outputs["probabilities"], np.float64)[:, 0]
        alerts = self.said(outputs["probabilities"])[:, 0]
        return [
            {"score": float(score), "alert": bool(alert)} for score, alert in zip(scores, alerts, strict=True)
        ]


def fit_scores(scores: NormalScores, train: Dataset) -> None:
    """Take the quantiles of the features that the network sees, of training transactions spread evenly."""
    rows = torch.linspace(0, len(train) - 1, min(len(train), FITTED_ON), dtype=torch.float64).long()
    parts = []
    for some in torch.split(rows, 4096):
        batch = train.batch(some)
        values = batch["input"]
        if "lengths" in batch:
            within = torch.arange(values.shape[1]) < batch["lengths"][:, None]
            values = values[within]
            # Steps of histories are many; a sample of them has the same quantiles.
            values = values[:: max(1, math.ceil(len(values) / len(some) / 2))]
        parts.append(values)
    scores.fit(torch.cat(parts).numpy())
