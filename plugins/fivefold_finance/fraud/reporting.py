"""What the report of fraud detection is given: scores of test and validation, reasons, and what drift is told of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from fivefold.data.dataset import HOST_KEYS, Batch
from fivefold.data.splits import Splits
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Section
from fivefold.tasks.base import Outputs
from fivefold.training.inference import predict_outputs
from fivefold_finance.fraud.autoencoder import UnusualTransactions
from fivefold_finance.fraud.data import TransactionSamples
from fivefold_finance.fraud.drift import Columns
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.reasons import Reason, Score, question_score, reasons, usual_values
from fivefold_finance.fraud.sections import Explain, fraud_sections
from fivefold_finance.fraud.tasks import FraudQuestions

if TYPE_CHECKING:
    from fivefold_finance.fraud.pipeline import Fraud

_DRIFTED = 50_000
"""Training transactions that drift is measured from, at most."""


def report_sections(evaluation: Evaluation, pipeline: Fraud, splits: Splits | None) -> list[Section]:
    """The sections on fraud.

    Args:
        evaluation: the judgement.
        pipeline: which read and split the data.
        splits: of the run; None where other data are judged, whose validation split is not at hand.
    """
    task, samples = evaluation.task, evaluation.samples
    if not isinstance(task, FraudQuestions | UnusualTransactions) or not isinstance(
        samples, TransactionSamples
    ):
        return []
    judged = _judged(task, samples, evaluation.outputs)
    if splits is None:
        return fraud_sections(evaluation, judged, pipeline.config.costs)
    train, val = (pipeline.samples(table) for table in (splits.train, splits.val))
    if not isinstance(train, TransactionSamples) or not isinstance(val, TransactionSamples):
        return []
    device = next(task.parameters()).device
    return fraud_sections(
        evaluation,
        judged,
        pipeline.config.costs,
        validation=_judged(task, val, predict_outputs(task, val, device=device)),
        columns=_columns(train, samples),
        explain=_explain(task, train, samples),
    )


def _judged(
    task: FraudQuestions | UnusualTransactions, samples: TransactionSamples, outputs: Outputs
) -> Judged:
    threshold = float(task.threshold[0]) if isinstance(task, FraudQuestions) else task.specificity
    scores = np.asarray(outputs["probabilities"], dtype=np.float64)[:, 0]
    return Judged(scores, samples.fraud, samples.times, samples.accounts, samples.amounts, threshold)


def _columns(train: TransactionSamples, judged: TransactionSamples) -> Columns:
    """Numbers, the amount and categories, of training transactions spread evenly and of what is judged."""
    rows = np.linspace(0, len(train) - 1, min(len(train), _DRIFTED)).astype(np.int64)
    count = len(train.facts.numbers) + 1
    names = {name: (train.category(name)[rows], judged.category(name)) for name in train.facts.categories}
    return Columns(
        tuple(train.features[:count]), train.current()[rows][:, :count], judged.current()[:, :count], names
    )


def _explain(
    task: FraudQuestions | UnusualTransactions, train: TransactionSamples, samples: TransactionSamples
) -> Explain:
    usual = usual_values(train, train.features, tuple(train.facts.categories))
    score = question_score(task) if isinstance(task, FraudQuestions) else _error_score(task)

    def explain(places: Sequence[int]) -> list[list[Reason]]:
        return reasons(score, samples, places, usual, shown=samples.shown)

    return explain


def _error_score(task: UnusualTransactions) -> Score:
    """How badly transactions are reconstructed."""

    def score(batch: Batch) -> Tensor:
        device = next(task.parameters()).device
        moved = {name: held if name in HOST_KEYS else held.to(device) for name, held in batch.items()}
        with torch.no_grad():
            return task.predict(moved)["unusual"].double().cpu()

    return score
