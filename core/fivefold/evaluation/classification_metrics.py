"""Metrics of classification, from probabilities and labels.

Outputs read: ``probabilities``, shape ``(N, C)``, and ``target``, integer codes of shape ``(N,)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.metric import Metric, Values
from fivefold.evaluation.support import Support, rarer

Outputs = Mapping[str, Array]

BINS = 15
"""Equal-width confidence bins of the calibration error, as in Guo et al. 2017."""

TOP = 5
"""The true class counts as found among so many."""

BINARY = 2

SMALLEST = float(np.finfo(np.float64).eps)
"""Probabilities below this count as this in the logarithmic loss, as in scikit-learn."""


def classification_metrics(classes: int, names: tuple[str, ...] = ()) -> tuple[Metric, ...]:
    """The metrics of a classification with that many classes; accuracy is the headline.

    Args:
        classes: how many.
        names: of the classes, for sentences on rare ones; empty where their numbers will do.
    """
    names = names or tuple(str(code) for code in range(classes))

    def class_support(outputs: Outputs, units: Array | None) -> Support:
        return support_of_classes(outputs, units, names)

    metrics = [
        Metric.from_mean("accuracy", correct, style="percent", headline=True, share=True),
        Metric.from_sums(
            "macro F1",
            _confusion_parts,
            _macro_f1,
            style="percent",
            headline=True,
            support=class_support,
        ),
        Metric.from_sums(
            "balanced accuracy", _confusion_parts, _balanced_accuracy, style="percent", support=class_support
        ),
        Metric("AUROC", _auroc_once, compute_many=area_under_roc, support=class_support),
        Metric.from_mean("log loss", log_loss, higher_is_better=False, headline=True),
        Metric.from_mean("Brier score", brier_score, higher_is_better=False),
        Metric.from_sums(
            "calibration error",
            _bin_gaps,
            lambda sums, totals: np.abs(sums).sum(axis=1) / totals,
            higher_is_better=False,
            style="percent",
            inflates=True,
        ),
    ]
    if classes > TOP:
        metrics.insert(1, Metric.from_mean("top-5 accuracy", top_five, style="percent", share=True))
    return tuple(metrics)


def labels(outputs: Outputs) -> NDArray[np.int64]:
    """The true codes, shape ``(N,)``.

    Raises:
        DataError: a sample carries no label, or one that is not a class.
    """
    target: NDArray[np.int64] = np.asarray(outputs["target"])
    classes = outputs["probabilities"].shape[1]
    wrong = (target < 0) | (target >= classes)
    if wrong.any():
        raise DataError(
            f"{int(wrong.sum())} of {len(target)} samples to judge carry no label among the {classes} "
            f"classes (code {target[wrong][0]}); label them or leave them out"
        )
    return target


def support_of_classes(outputs: Outputs, units: Array | None, names: tuple[str, ...]) -> Support:
    """The rarer side of each class that occurs against all others.

    Args:
        outputs: with ``target``, shape ``(N,)``.
        units: independent unit of each sample, shape ``(N,)``, or None.
        names: of the ``C`` classes.
    """
    target = labels(outputs)
    if len(names) == BINARY:
        found = [rarer(f"of class '{names[0]}'", f"of class '{names[1]}'", target == 0, target == 1, units)]
    else:
        found = [
            rarer(
                f"of class '{name}'",
                f"of another class than '{name}'",
                target == code,
                target != code,
                units,
            )
            for code, name in enumerate(names)
        ]
    return Support(tuple(kind for kind in found if kind is not None))


def predicted(outputs: Outputs) -> NDArray[np.int64]:
    """The most probable codes, shape ``(N,)``."""
    return np.asarray(outputs["probabilities"].argmax(axis=1), dtype=np.int64)


def correct(outputs: Outputs) -> Array:
    """Whether the most probable class is the true one, shape ``(N,)``."""
    return np.asarray(predicted(outputs) == labels(outputs))


def top_five(outputs: Outputs) -> Array:
    """Whether the true class is among the five most probable, shape ``(N,)``; a tie counts by class order."""
    best = np.argsort(-outputs["probabilities"], axis=1, kind="stable")[:, :TOP]
    found: Array = (best == labels(outputs)[:, None]).any(axis=1)
    return found


def log_loss(outputs: Outputs) -> Array:
    """Negative log probability of the true class, in nats, shape ``(N,)``."""
    true = np.take_along_axis(outputs["probabilities"], labels(outputs)[:, None], axis=1)[:, 0]
    return -np.log(np.clip(true.astype(np.float64), SMALLEST, 1.0))


def brier_score(outputs: Outputs) -> Array:
    """Squared distance of probabilities and truth, shape ``(N,)`` (Brier 1950).

    As in scikit-learn, two classes count once, ``(p - y)^2``; more are summed over.
    """
    probabilities = outputs["probabilities"].astype(np.float64)
    truth = np.eye(probabilities.shape[1])[labels(outputs)]
    score: Array = ((probabilities - truth) ** 2).sum(axis=1)
    return score / 2 if probabilities.shape[1] == BINARY else score


def _confusion_parts(outputs: Outputs) -> sparse.csr_array:
    """Indicators of hit, label and prediction by class, shape ``(N, 3 C)``."""
    target, guess = labels(outputs), predicted(outputs)
    classes = outputs["probabilities"].shape[1]
    rows = np.arange(len(target))
    columns = np.concatenate([target, classes + target, 2 * classes + guess])
    values = np.concatenate([target == guess, np.ones(2 * len(target))]).astype(np.float64)
    return sparse.csr_array((values, (np.tile(rows, 3), columns)), shape=(len(target), 3 * classes))


def _macro_f1(sums: Values, _totals: Values) -> Values:
    hits, support, guesses = np.split(sums, 3, axis=1)
    return mean_defined(2 * hits / (support + guesses))


def _balanced_accuracy(sums: Values, _totals: Values) -> Values:
    hits, support, _ = np.split(sums, 3, axis=1)
    return mean_defined(hits / support)


def mean_defined(values: Values) -> Values:
    """Mean over classes of what is defined: one that does not occur (0/0) takes no part."""
    defined = ~np.isnan(values)
    return np.asarray(np.where(defined, values, 0).sum(axis=1) / defined.sum(axis=1))


def _bin_gaps(outputs: Outputs) -> sparse.csr_array:
    """Confidence minus hit, in the column of the sample's confidence bin, shape ``(N, BINS)``."""
    confidence = outputs["probabilities"].max(axis=1).astype(np.float64)
    gaps = confidence - correct(outputs)
    rows = np.arange(len(gaps))
    return sparse.csr_array((gaps, (rows, confidence_bins(confidence))), shape=(len(gaps), BINS))


def confidence_bins(confidence: Array, bins: int = BINS) -> NDArray[np.int64]:
    """Index of the equal-width bin of each confidence, shape ``(N,)``; bins are open below, closed above."""
    return np.asarray(np.clip(np.ceil(confidence * bins) - 1, 0, bins - 1), dtype=np.int64)


def _auroc_once(outputs: Outputs, weights: Values | None) -> float:
    if weights is None:
        weights = np.ones(len(outputs["target"]))
    return float(area_under_roc(outputs, np.asarray(weights, dtype=np.float64)[None])[0])


def area_under_roc(outputs: Outputs, weights: Values) -> Values:
    """Area under the receiver operating characteristic for weights of shape ``(R, N)``; shape ``(R,)``.

    Of two classes, the second is the positive one. Of more, the unweighted mean of each class against the
    rest, over the classes for which it is defined.
    """
    target = labels(outputs)
    probabilities = outputs["probabilities"]
    positives = [1] if probabilities.shape[1] == BINARY else range(probabilities.shape[1])
    by_sample = np.ascontiguousarray(weights.T)
    areas = [weighted_auroc(probabilities[:, code], target == code, by_sample) for code in positives]
    with np.errstate(divide="ignore", invalid="ignore"):
        return mean_defined(np.stack(areas, axis=1))


def weighted_auroc(scores: Array, positive: Array, weights: Values) -> Values:
    """Weighted Mann-Whitney statistic, ties counted half: scores ``(N,)``, weights ``(N, R)``, to ``(R,)``.

    Only the negatives below each positive are counted, so negatives are summed by the gap between positive
    scores that they lie in (even places) or by the positive score that they equal (odd places).
    """
    steps, own = np.unique(scores[positive], return_inverse=True)
    gap = np.searchsorted(steps, scores[~positive])
    equal = np.append(steps, np.nan)[gap] == scores[~positive]
    won: Values = sums_by_place(own, weights[positive], len(steps))
    lost = sums_by_place(2 * gap + equal, weights[~positive], 2 * len(steps) + 1)
    below = np.cumsum(lost, axis=0)[:-1:2] + lost[1::2] / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((won * below).sum(axis=0) / (won.sum(axis=0) * lost.sum(axis=0)))


def sums_by_place(places: Array, weights: Values, count: int) -> Values:
    """Weights of shape ``(N, R)`` summed by place, shape ``(count, R)``."""
    rows = np.arange(len(places))
    table = sparse.csr_array((np.ones(len(places)), (places, rows)), shape=(count, len(places)))
    return np.asarray(table @ weights)


@dataclass(frozen=True)
class ClassRow:
    """One class of the per-class table; nan where a share has nothing to divide by."""

    name: str
    precision: float
    recall: float
    f1: float
    support: int


def per_class(outputs: Outputs, names: tuple[str, ...]) -> tuple[ClassRow, ...]:
    """Precision, recall, F1 and number of samples of each class."""
    matrix = confusion_matrix(outputs)
    hits, support, guesses = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        precision, recall, f1 = hits / guesses, hits / support, 2 * hits / (support + guesses)
    return tuple(
        ClassRow(name, float(precision[code]), float(recall[code]), float(f1[code]), int(support[code]))
        for code, name in enumerate(names)
    )


def confusion_matrix(outputs: Outputs) -> NDArray[np.int64]:
    """Counts of shape ``(C, C)``: true class by row, predicted class by column."""
    classes = outputs["probabilities"].shape[1]
    cells = labels(outputs) * classes + predicted(outputs)
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)
