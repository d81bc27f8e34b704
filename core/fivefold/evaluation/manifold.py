"""Fidelity and diversity of generated samples, by neighbourhoods of samples in feature space.

Precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991): the share of generated samples that lie within the
balls around real ones, each of which reaches to its third nearest other real sample; and the same with the roles
exchanged. Density and coverage (Naeem et al. 2020, arXiv:2002.09797), with balls to the fifth: how many real balls a
generated sample lies in, over five; and the share of real balls that hold a generated sample.

All four are means over samples with the balls held fixed, and that is what their intervals resample: drawing
samples anew would draw some of them twice, and the balls around those would shrink.

Shapes: ``N`` real samples, ``M`` generated ones, ``D`` features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.distances import distance_blocks
from fivefold.evaluation.metric import Values

NEIGHBOURS = 3
"""Of precision and recall."""
COVERAGE_NEIGHBOURS = 5
"""Of density and coverage."""


@dataclass(frozen=True)
class Neighbourhoods:
    """Whose mean is a metric; nan where there are too few samples to have that many neighbours.

    Attributes:
        precision: of each generated sample, 1 where it lies in a real ball, else 0; ``(M,)``.
        recall: of each real sample, 1 where it lies in a generated ball, else 0; ``(N,)``.
        density: of each generated sample, the number of real balls it lies in over the number of neighbours; ``(M,)``.
        coverage: of each real sample, 1 where its ball holds a generated sample, else 0; ``(N,)``.
    """

    precision: Values
    recall: Values
    density: Values
    coverage: Values


def neighbourhoods(
    real: Array,
    generated: Array,
    *,
    neighbours: int = NEIGHBOURS,
    coverage_neighbours: int = COVERAGE_NEIGHBOURS,
) -> Neighbourhoods:
    """Which samples lie in which balls.

    Args:
        real: features ``(N, D)``.
        generated: features ``(M, D)``.
        neighbours: how far the balls of precision and recall reach.
        coverage_neighbours: how far those of density and coverage do.
    """
    near, far = radii(real, (neighbours, coverage_neighbours))
    (own,) = radii(generated, (neighbours,))
    precise = np.zeros(len(generated), dtype=np.bool_)
    recalled = np.zeros(len(real), dtype=np.bool_)
    covered = np.zeros(len(real), dtype=np.bool_)
    balls = np.zeros(len(generated))
    for rows, distances in distance_blocks(real, generated):
        precise |= (distances <= near[rows, None]).any(axis=0)
        recalled[rows] = (distances <= own).any(axis=1)
        inside = distances <= far[rows, None]
        balls += inside.sum(axis=0)
        covered[rows] = inside.any(axis=1)
    return Neighbourhoods(
        precision=_known(precise, near),
        recall=_known(recalled, own),
        density=_known(balls / coverage_neighbours, far),
        coverage=_known(covered, far),
    )


def radii(points: Array, neighbours: tuple[int, ...]) -> tuple[Values, ...]:
    """Of each point the squared distance to its ``k``-th nearest other point, for every ``k`` in ``neighbours``.

    Args:
        points: ``(N, D)``.
        neighbours: each one or more.

    Returns:
        ``(N,)`` for each, nan where there are no ``k`` other points.
    """
    found = np.full((len(neighbours), len(points)), np.nan, dtype=np.float32)
    possible = [k for k in neighbours if k < len(points)]
    for rows, distances in distance_blocks(points, points):
        _exclude_itself(rows, distances)
        ordered = np.partition(distances, [k - 1 for k in possible], axis=1) if possible else distances
        for place, k in enumerate(neighbours):
            if k in possible:
                found[place, rows] = ordered[:, k - 1]
    return tuple(found)


def _exclude_itself(rows: slice, distances: Array) -> None:
    places = np.arange(rows.start, rows.start + len(distances))
    distances[np.arange(len(distances)), places] = np.inf


def _known(values: Array, reach: Values) -> Values:
    """As numbers; nan where balls have no radius."""
    return np.full(len(values), np.nan) if np.isnan(reach).any() else values.astype(np.float64)
