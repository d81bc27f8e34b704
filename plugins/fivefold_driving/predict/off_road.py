"""How often predictions leave the road, where the map says what can be driven on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.path import Path as Outline
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import interval
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import interval_head, percent, percent_span, resampled
from fivefold.evaluation.section import Grid, Section
from fivefold_driving.predict.metrics import judged

Areas = Mapping[str, Sequence[Array]]
"""Name of a scene to the polygons ``(P, 2)`` of its road, in the metres of its map."""


def off_road_section(evaluation: Evaluation, scenes: Array, areas: Areas, origins: Array) -> Section | None:
    """The share of predicted positions that lie on no road, beside that of the true ones; None without roads.

    Args:
        evaluation: the judgement; its outputs hold ``single`` and ``target``.
        scenes: name of each window's scene, ``(N,)``.
        areas: roads; windows of scenes without any are left out.
        origins: where each window's positions count from in the metres of its map, ``(N, 2)``.
    """
    mapped = np.array([bool(areas.get(str(scene))) for scene in scenes], dtype=bool)
    if not mapped.any():
        return None
    known = judged(evaluation.outputs) & mapped[:, None]
    predictors = {"Model": evaluation.outputs["single"], "True tracks": evaluation.outputs["target"]}
    predictors |= {name: of["single"] for name, of in evaluation.baseline_outputs.items() if "single" in of}
    shares = {
        name: _share(evaluation, tracks, known, scenes, areas, origins) for name, tracks in predictors.items()
    }
    return Section(
        title="Off the road",
        text=(
            f"Share of positions that lie on no road of the map, over {int(known.sum()):,} agents. The "
            "centre of a vehicle counts, and maps have gaps: the true tracks show what to expect."
        ),
        grids=(
            Grid(
                "Off the road",
                ("Predictor", "Share", interval_head(evaluation)),
                tuple((name, percent(share.value), percent_span(share)) for name, share in shares.items()),
            ),
        ),
        facts={name: vars(share) for name, share in shares.items()},
        key="off_road",
    )


def _share(
    evaluation: Evaluation,
    tracks: Array,
    known: NDArray[np.bool_],
    scenes: Array,
    areas: Areas,
    origins: Array,
) -> Estimate:
    off = np.zeros(len(scenes))
    count = known.sum(axis=1) * tracks.shape[2]
    owners = np.repeat(np.arange(len(scenes)), count)
    places = tracks[known].reshape(-1, 2) + origins[owners]
    for scene in np.unique(scenes[count > 0]):
        here = scenes[owners] == scene
        strayed = owners[here][~_on_road(places[here], areas[str(scene)])]
        off += np.bincount(strayed, minlength=len(scenes))

    def compute(weights: Values) -> dict[str, Values]:
        with np.errstate(invalid="ignore"):
            return {"share": ((weights @ off) / (weights @ count))[:, None]}

    return interval(resampled(evaluation, compute)["share"][0], evaluation.level)


def _on_road(places: Array, road: Sequence[Array]) -> NDArray[np.bool_]:
    """Which places ``(N, 2)`` lie in one of the polygons, each of which is asked about those near it only."""
    on = np.zeros(len(places), dtype=bool)
    for area in road:
        near = ~on & (places >= area.min(axis=0)).all(axis=1) & (places <= area.max(axis=0)).all(axis=1)
        on[near] = Outline(area).contains_points(places[near])
    return on
