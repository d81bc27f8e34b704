"""Which classes an independent classifier sees in generated images."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

import numpy as np
from scipy import stats

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.section import Grid, Section

MOST_CLASSES_LISTED = 50
"""Of more classes, the first in the table's order are listed."""


def class_coverage_section(
    classes: Sequence[str],
    predicted: Array,
    requested: Array | None = None,
    *,
    classifier: str,
    accuracy: float | None = None,
    level: float = 0.95,
) -> Section:
    """Which classes an independent classifier sees in generated images.

    Args:
        classes: names in the order of their codes.
        predicted: the class it sees in each generated image, int64 ``(N,)``.
        requested: the class that was asked for, ``(N,)``; None for images that were made without one.
        classifier: its name.
        accuracy: of the classifier on real images, where it is known.
        level: of the intervals (Clopper and Pearson 1934).
    """
    skill = "" if accuracy is None else f", which is right on {100 * accuracy:.1f} % of real test images"
    words = f"Classes are told by {classifier}{skill}."
    if requested is None:
        return _shares_section(classes, predicted, words, level)
    return _recognised_section(classes, predicted, requested, words, level)


def _shares_section(classes: Sequence[str], predicted: Array, words: str, level: float) -> Section:
    counts = np.bincount(predicted, minlength=len(classes))
    shares = [share_of(int(count), len(predicted), level) for count in counts]
    order = np.argsort(counts, kind="stable")
    rarest = int(order[0])
    return Section(
        title="Coverage of classes",
        text=(
            f"{words} Of {len(predicted):,} images made without a class, the rarest is {classes[rarest]} with "
            f"{100 * shares[rarest].value:.1f} %; {int((counts == 0).sum())} of {len(classes)} classes are missing."
        ),
        grids=(_class_grid("Share of generated images, rarest class first", classes, order, shares, level),),
        facts={
            "images": len(predicted),
            "shares": dict(zip(classes, shares, strict=True)),
            "rarest": classes[rarest],
            "least_share": shares[rarest].value,
        },
        key="class_coverage",
    )


def _recognised_section(
    classes: Sequence[str], predicted: Array, requested: Array, words: str, level: float
) -> Section:
    right = predicted == requested
    asked = np.bincount(requested, minlength=len(classes))
    hits = np.bincount(requested[right], minlength=len(classes))
    shares = [share_of(int(hit), int(count), level) for hit, count in zip(hits, asked, strict=True)]
    order = np.array(sorted(np.flatnonzero(asked), key=lambda code: shares[code].value), dtype=np.int64)
    overall = share_of(int(right.sum()), len(right), level)
    worst = int(order[0])
    return Section(
        title="Classes asked for",
        text=(
            f"{words} Of {len(right):,} images of a class that was asked for, {100 * overall.value:.1f} % are "
            f"recognised as it ({_span(overall)}); the worst is {classes[worst]} with "
            f"{100 * shares[worst].value:.1f} %."
        ),
        grids=(_class_grid("Share recognised, worst class first", classes, order, shares, level),),
        facts={
            "images": len(right),
            "recognised": overall,
            "classes": {classes[code]: shares[code] for code in order},
            "worst": classes[worst],
        },
        key="class_recognition",
    )


def share_of(count: int, total: int, level: float) -> Estimate:
    """A share with its exact interval; nan of none."""
    if total == 0:
        return Estimate(nan, nan, nan)
    ends = stats.binomtest(count, total).proportion_ci(level, method="exact")
    return Estimate(count / total, float(ends.low), float(ends.high))


def _class_grid(
    caption: str, classes: Sequence[str], order: Array, shares: Sequence[Estimate], level: float
) -> Grid:
    return Grid(
        caption=caption,
        head=("Class", "Share", f"{100 * level:g} % interval"),
        rows=tuple(
            (classes[code], f"{100 * shares[code].value:.1f} %", _span(shares[code]))
            for code in order[:MOST_CLASSES_LISTED]
        ),
    )


def _span(estimate: Estimate) -> str:
    return f"{100 * estimate.low:.1f} to {100 * estimate.high:.1f} %"
