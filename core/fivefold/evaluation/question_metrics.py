"""Metrics of yes/no questions asked of every sample, from probabilities of yes and answers.

Outputs read: ``probabilities``, shape ``(N, Q)``, and ``target``, shape ``(N, Q)``: 1 is yes, 0 is no, nan is not
known and takes no part. Each metric is computed a question and averaged over the questions that define it, each
question counting alike, however many of its answers are known.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.classification_metrics import SMALLEST, mean_defined, sums_by_place, weighted_auroc
from fivefold.evaluation.metric import Metric, Values

Outputs = Mapping[str, Array]


def question_metrics(names: tuple[str, ...]) -> tuple[Metric, ...]:
    """The metrics of the questions called ``names``; AUROC comes first, AUPRC and the Brier score are headlines, too.

    Args:
        names: of the ``Q`` questions, in the order of the outputs' columns.
    """

    def mean_of(value: str, outputs: Outputs, weights: Values | None) -> Values:
        _check_columns(names, outputs)
        if weights is None:
            weights = np.ones((1, len(outputs["target"])))
        with np.errstate(divide="ignore", invalid="ignore"):
            return mean_defined(_by_question(outputs, np.atleast_2d(weights), _AREAS[value]))

    def area(value: str) -> Metric:
        return Metric(
            value,
            lambda outputs, weights: float(mean_of(value, outputs, weights)[0]),
            headline=True,
            compute_many=lambda outputs, weights: mean_of(value, outputs, weights),
        )

    def mean_loss(name: str, loss: Loss, *, headline: bool) -> Metric:
        def statistics(outputs: Outputs) -> Values:
            _check_columns(names, outputs)
            known = ~np.isnan(answers(outputs))
            return np.concatenate([np.where(known, loss(outputs), 0.0), known], axis=1)

        return Metric.from_sums(name, statistics, _mean_known, higher_is_better=False, headline=headline)

    return (
        area("AUROC"),
        area("AUPRC"),
        mean_loss("Brier score", squared_error, headline=True),
        mean_loss("log loss", log_loss, headline=False),
    )
