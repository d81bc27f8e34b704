"""Metrics of yes/no questions asked of every sample, from probabilities of yes and the answers.

Outputs read: ``probabilities``, shape ``(N, Q)``, and ``target``, shape ``(N, Q)``: 1 is yes, 0 is no, nan is not
known and takes no part. Each metric is computed a question and averaged over the questions that define it, each
counting alike, however many of its answers are known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.classification_metrics import SMALLEST, mean_defined, sums_by_place, weighted_auroc
from fivefold.evaluation.metric import Metric, Values
from fivefold.evaluation.support import Support, rarer

Outputs = Mapping[str, Array]
Area = Callable[[Array, Array, Values], Values]
Loss = Callable[[Values, Values], Values]


def question_metrics(names: tuple[str, ...]) -> tuple[Metric, ...]:
    """The metrics of the questions called ``names``: AUROC is the first; AUPRC and Brier score are headlines, too.

    Args:
        names: of the ``Q`` questions, in the order of the outputs' columns.
    """
    return (
        _area_metric("AUROC", weighted_auroc, names),
        _area_metric("AUPRC", weighted_average_precision, names),
        _loss_metric("Brier score", squared_error, names, headline=True),
        _loss_metric("log loss", log_loss, names, headline=False),
    )


def question_values(outputs: Outputs, weights: Values) -> dict[str, Values]:
    """``AUROC`` and ``AUPRC`` of each question, for weights of shape ``(R, N)``; values of shape ``(R, Q)``.

    They are nan for a question of which the known samples with weight are all alike.
    """
    return {name: _areas(area, outputs, weights) for name, area in AREAS.items()}


def answers(outputs: Outputs) -> NDArray[np.float64]:
    """The answers as float64 of shape ``(N, Q)``: 1 is yes, 0 is no, nan is not known.

    Raises:
        DataError: an answer is something else.
    """
    target = np.asarray(outputs["target"], dtype=np.float64)
    wrong = ~((target == 0) | (target == 1) | np.isnan(target))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"question {column + 1} of sample {row + 1} to judge: expected the answer 1 (yes), 0 (no) or nan "
            f"(not known), found {target[row, column]:g}; correct it or leave it unknown"
        )
    return target


def weighted_average_precision(scores: Array, positive: Array, weights: Values) -> Values:
    """Average precision, the sum of precision times gain in recall over the different scores.

    Equal scores are one step, as in scikit-learn, and there is no interpolation between steps (Davis and Goadrich
    2006). Unlike there, it is nan without a no as well as without a yes: then it would be 1 whatever the scores.

    Args:
        scores: shape ``(N,)``.
        positive: whether the answer is yes, shape ``(N,)``.
        weights: shape ``(N, R)``.

    Returns:
        Shape ``(R,)``.
    """
    # Recall rises only at scores of positives, so negatives are summed by how many of those they reach.
    steps, own = np.unique(scores[positive], return_inverse=True)
    reached = np.searchsorted(steps, scores[~positive], side="right")
    gained = sums_by_place(own, weights[positive], len(steps))
    alarms = sums_by_place(reached, weights[~positive], len(steps) + 1)
    found = np.cumsum(gained[::-1], axis=0)[::-1]
    false = np.cumsum(alarms[::-1], axis=0)[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(gained > 0, found / (found + false[1:]), 0.0)
        area = (gained * precision).sum(axis=0) / gained.sum(axis=0)
    return np.where(false[0] > 0, area, np.nan)


AREAS: dict[str, Area] = {"AUROC": weighted_auroc, "AUPRC": weighted_average_precision}
"""What `question_values` gives of each question."""


def squared_error(probabilities: Values, target: Values) -> Values:
    """Squared distance of probability and answer (Brier 1950), elementwise."""
    return (probabilities - target) ** 2


def log_loss(probabilities: Values, target: Values) -> Values:
    """Negative log probability of the answer, in nats, elementwise; clipped as scikit-learn does."""
    clipped = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return -np.log(np.where(target == 1, clipped, 1 - clipped))


def _area_metric(name: str, area: Area, names: tuple[str, ...]) -> Metric:
    def many(outputs: Outputs, weights: Values) -> Values:
        _check_columns(outputs, names)
        with np.errstate(divide="ignore", invalid="ignore"):
            return mean_defined(_areas(area, outputs, weights))

    def one(outputs: Outputs, weights: Values | None) -> float:
        weights = np.ones(len(outputs["target"])) if weights is None else weights
        return float(many(outputs, np.asarray(weights, dtype=np.float64)[None])[0])

    def support(outputs: Outputs, units: Array | None) -> Support:
        return question_support(outputs, units, names)

    return Metric(name, one, headline=True, compute_many=many, support=support)


def question_support(outputs: Outputs, units: Array | None, names: tuple[str, ...]) -> Support:
    """The rarer answer to each question that is answered both ways.

    Args:
        outputs: with ``target``, shape ``(N, Q)``.
        units: independent unit of each sample, shape ``(N,)``, or None.
        names: of the ``Q`` questions.
    """
    found = [
        rarer(f"with yes to '{name}'", f"with no to '{name}'", truth == 1, truth == 0, units)
        for name, truth in zip(names, answers(outputs).T, strict=True)
    ]
    return Support(tuple(kind for kind in found if kind is not None))


def _areas(area: Area, outputs: Outputs, weights: Values) -> Values:
    """``area`` of each question, shape ``(R, Q)``, for weights of shape ``(R, N)``."""
    target, probabilities = answers(outputs), outputs["probabilities"]
    by_sample = np.ascontiguousarray(weights.T)
    values = []
    for scores, truth in zip(probabilities.T, target.T, strict=True):
        known = ~np.isnan(truth)
        values.append(area(scores[known], truth[known] == 1, by_sample[known]))
    return np.stack(values, axis=1)


def _loss_metric(name: str, loss: Loss, names: tuple[str, ...], *, headline: bool) -> Metric:
    def statistics(outputs: Outputs) -> Values:
        """Losses of known answers, then whether they are known, shape ``(N, 2 Q)``."""
        _check_columns(outputs, names)
        target = answers(outputs)
        known = ~np.isnan(target)
        losses = loss(outputs["probabilities"].astype(np.float64), target)
        return np.concatenate([np.where(known, losses, 0.0), known], axis=1)

    def finish(sums: Values, _totals: Values) -> Values:
        losses, known = np.split(sums, 2, axis=1)
        return mean_defined(losses / known)

    return Metric.from_sums(name, statistics, finish, higher_is_better=False, headline=headline)


def _check_columns(outputs: Outputs, names: tuple[str, ...]) -> None:
    columns = outputs["probabilities"].shape[1]
    if columns != len(names):
        raise DataError(
            f"expected probabilities of {len(names)} questions ({', '.join(names)}), found {columns} columns; "
            "give one column a question"
        )
