"""Metrics of generated samples against real ones, from features ``target`` and ``generated``, both ``(N, D)``.

Row by row, a real and a generated sample stand beside each other only by chance or by class; resamples weigh both
alike. What features say depends on the network that they come from, and what distances say on the number of samples,
so both are part of each metric's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.frechet import LEAST, frechet_distance, frechet_influence
from fivefold.evaluation.kernel_distance import kernel_distance, kernel_influence
from fivefold.evaluation.linear_bootstrap import Influence, Remembered
from fivefold.evaluation.manifold import COVERAGE_NEIGHBOURS, NEIGHBOURS, Neighbourhoods, neighbourhoods
from fivefold.evaluation.metric import Metric, Style, Values

Outputs = Mapping[str, Array]
Distance = Callable[[Array, Array, Values | None], float]

HOW_INTERVALS = (
    "Intervals of FID and KID are of the first order (the infinitesimal jackknife): how the value at this number of "
    "samples varies with the samples. The rise of FID that comes of the number being finite stays in it and in its "
    "interval; it is shared by all that are judged on as many samples. Intervals of precision, recall, density and "
    "coverage take the neighbourhoods as given. None of them knows how another training would have come out."
)
"""A sentence or four for reports."""


def judged_by(extractor: str, count: int) -> str:
    """What metrics are named by: ``efficientnet-lite0, 5,000``."""
    return f"{extractor}, {count:,}"


def generative_metrics(
    name: str, *, neighbours: int = NEIGHBOURS, coverage_neighbours: int = COVERAGE_NEIGHBOURS
) -> tuple[Metric, ...]:
    """FID (the headline), KID, precision, recall, density and coverage.

    Args:
        name: extractor of the features and number of samples, as of `judged_by`.
        neighbours: ``k`` of precision and recall.
        coverage_neighbours: ``k`` of density and coverage.
    """
    found = Remembered(
        lambda real, generated: neighbourhoods(
            real, generated, neighbours=neighbours, coverage_neighbours=coverage_neighbours
        )
    )
    return (
        _distance(f"FID ({name})", frechet_distance, frechet_influence, headline=True),
        _distance(f"KID ({name})", kernel_distance, kernel_influence),
        _mean(f"precision ({name})", found, lambda held: held.precision),
        _mean(f"recall ({name})", found, lambda held: held.recall),
        _mean(f"density ({name})", found, lambda held: held.density, style="number"),
        _mean(f"coverage ({name})", found, lambda held: held.coverage),
    )


def _distance(
    name: str,
    compute: Distance,
    influence: Callable[[Array, Array], Influence],
    *,
    headline: bool = False,
) -> Metric:
    """A metric whose resamples are taken to first order; a single weighting is computed exactly."""
    found = Remembered(influence)

    def many(outputs: Outputs, weights: Values) -> Values:
        if len(outputs["target"]) < LEAST:
            return np.full(len(weights), np.nan)
        return found(outputs["target"], outputs["generated"]).draws(weights)

    return Metric(
        name,
        lambda outputs, weights: compute(outputs["target"], outputs["generated"], weights),
        higher_is_better=False,
        headline=headline,
        compute_many=many,
    )


def _mean(
    name: str,
    found: Remembered[Neighbourhoods],
    choose: Callable[[Neighbourhoods], Values],
    style: Style = "percent",
) -> Metric:
    return Metric.from_mean(
        name,
        lambda outputs: choose(found(outputs["target"], outputs["generated"])),
        style=style,
        share=style == "percent",
    )
