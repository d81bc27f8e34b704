"""Curves of yes/no questions: receiver operating characteristic and precision-recall."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas, finish, identity_line, shortened
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.operating_point import operating_point
from fivefold.evaluation.question_intervals import both_ways
from fivefold.evaluation.question_metrics import answers, question_values
from fivefold.evaluation.section import Figure
from fivefold.evaluation.verdict import strongest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

MOST_DRAWN = 8
"""Questions drawn at most, the first ones that have both answers."""

MOST_POINTS = 600
"""Points of a curve at most, so that the report stays small."""

COLUMNS = 3
"""Panels side by side."""

COLOURS = (BLUE, ORANGE, GREEN, "#cc79a7")
"""Of the curves, by turns; the second turn is dashed."""


@dataclass(frozen=True)
class Sweep:
    """What a score finds as its threshold falls from above all scores to below them.

    Attributes:
        label: as the legend names it.
        found: yeses that reach each threshold, shape ``(T,)``, from 0 to all of them.
        alarms: noes that reach it, shape ``(T,)``.
        areas: under the curves: AUROC and AUPRC.
        fitted: false positive rate and sensitivity at the fitted threshold; None for a baseline.
    """

    label: str
    found: Values
    alarms: Values
    areas: dict[str, float]
    fitted: tuple[float, float] | None = None


def swept(scores: Array, yes: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Yeses and noes whose score reaches each different score, from the highest down, after none at first.

    Args:
        scores: shape ``(N,)``.
        yes: shape ``(N,)``; the others are noes.
    """
    steps, place = np.unique(-np.asarray(scores, dtype=np.float64), return_inverse=True)
    found, alarms = (
        np.concatenate([[0.0], np.cumsum(np.bincount(place, of, minlength=len(steps)))])
        for of in (yes.astype(np.float64), (~yes).astype(np.float64))
    )
    return found, alarms


def drawable(truth: Array) -> list[int]:
    """Columns of the questions to draw: the first `MOST_DRAWN` that have both answers."""
    return [int(question) for question in np.flatnonzero(both_ways(truth))[:MOST_DRAWN]]


def strongest_baseline(evaluation: Evaluation) -> tuple[str, Array] | None:
    """Name and probabilities ``(N, Q)`` of the baseline that does best on the headline metric, if there is one."""
    rival = strongest(evaluation.comparisons, evaluation.headline)
    if rival is None:
        return None
    return rival.baseline, evaluation.baseline_outputs[rival.baseline]["probabilities"]


def curve_figures(evaluation: Evaluation, names: tuple[str, ...], said: Array) -> tuple[Figure, ...]:
    """Receiver operating characteristic and precision-recall; none where no question has both answers.

    Args:
        evaluation: the judgement.
        names: of the ``Q`` questions.
        said: whether the answer given is yes, marked on the curves, shape ``(N, Q)``.
    """
    truth = answers(evaluation.outputs)
    sweeps = _sweeps(names, evaluation.outputs["probabilities"], truth, said)
    if not sweeps:
        return ()
    rival = strongest_baseline(evaluation) if len(names) == 1 else None
    baseline = _sweeps((rival[0],), rival[1], truth, None)[0] if rival else None
    shares = truth[:, drawable(truth)]
    prevalence = float(np.nanmean(shares)) if len(sweeps) == 1 else None
    return _roc_figure(sweeps, baseline), _precision_figure(sweeps, baseline, prevalence)


def _sweeps(labels: Sequence[str], probabilities: Array, truth: Array, said: Array | None) -> list[Sweep]:
    areas = question_values({"probabilities": probabilities, "target": truth}, np.ones((1, len(truth))))
    sweeps = []
    for question in drawable(truth):
        scores, answer = probabilities[:, question], truth[:, question]
        known = ~np.isnan(answer)
        found, alarms = swept(scores[known], answer[known] == 1)
        fitted = None
        if said is not None:
            point = operating_point(said[:, question], answer, 1)
            fitted = (1 - point.specificity, point.sensitivity)
        own = {name: float(values[0, question]) for name, values in areas.items()}
        sweeps.append(Sweep(labels[question], found, alarms, own, fitted))
    return sweeps


def _roc_figure(sweeps: list[Sweep], baseline: Sweep | None) -> Figure:
    def rates(sweep: Sweep) -> tuple[Values, Values]:
        return sweep.alarms / sweep.alarms[-1], sweep.found / sweep.found[-1]

    def extras(axes: Axes) -> None:
        identity_line(axes, 0, 1)
        axes.set_xlabel("False positive rate (1 - specificity)")
        axes.set_ylabel("Sensitivity")
        for place, sweep in enumerate(sweeps):
            if sweep.fitted is not None:
                axes.plot(*sweep.fitted, "o", color=COLOURS[place % len(COLOURS)], markersize=6)

    return _curve_figure(
        sweeps,
        baseline,
        "AUROC",
        rates,
        extras,
        step=None,
        caption=(
            "Receiver operating characteristic, with AUROC. The dot is the fitted threshold; on the dashed "
            "diagonal, scores tell nothing."
        ),
        name="Receiver operating characteristic",
    )


def _precision_figure(sweeps: list[Sweep], baseline: Sweep | None, prevalence: float | None) -> Figure:
    def rates(sweep: Sweep) -> tuple[Values, Values]:
        precision = sweep.found[1:] / (sweep.found[1:] + sweep.alarms[1:])
        recall = sweep.found / sweep.found[-1]
        return recall, np.concatenate([precision[:1], precision])

    def extras(axes: Axes) -> None:
        axes.set_xlabel("Sensitivity (recall)")
        axes.set_ylabel("Positive predictive value (precision)")
        if prevalence is not None:
            axes.plot([0, 1], [prevalence, prevalence], color=GREY, linewidth=1, linestyle="--")

    told = ", the dashed line" if prevalence is not None else ""
    return _curve_figure(
        sweeps,
        baseline,
        "AUPRC",
        rates,
        extras,
        step="steps-pre",
        caption=f"Precision by recall, with AUPRC. Scores that tell nothing reach the share of yes{told}.",
        name="Precision-recall",
    )


def _curve_figure(
    sweeps: list[Sweep],
    baseline: Sweep | None,
    area: str,
    rates: Callable[[Sweep], tuple[Values, Values]],
    extras: Callable[[Axes], None],
    *,
    step: str | None,
    caption: str,
    name: str,
) -> Figure:
    lines = [*sweeps, *([baseline] if baseline else [])]
    style = "default" if step is None else step
    with canvas(7.6, 4.4) as drawn:
        axes = drawn.subplots()
        extras(axes)
        for place, sweep in enumerate(lines):
            colour, dashes = _ink(place) if sweep is not baseline else (ORANGE, ":")
            across, up = _thinned(*rates(sweep))
            label = f"{shortened(sweep.label, 26)} {number(sweep.areas[area])}"
            axes.plot(across, up, color=colour, linestyle=dashes, linewidth=1.7, drawstyle=style, label=label)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_box_aspect(1)
        drawn.legend(loc="outside right center", title=area)
        told = "; ".join(f"{sweep.label} {area} {number(sweep.areas[area])}" for sweep in lines)
        return finish(drawn, caption=caption, alt=f"{name}: {told}.")


def _ink(place: int) -> tuple[str, str]:
    return COLOURS[place % len(COLOURS)], "-" if place < len(COLOURS) else "--"


def _thinned(across: Values, up: Values) -> tuple[Values, Values]:
    """At most `MOST_POINTS` of the points, evenly spaced along the curve, both ends among them."""
    if len(across) <= MOST_POINTS:
        return across, up
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) + np.abs(np.diff(up)))])
    picked = np.unique(np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS)))
    picked = np.append(picked, len(across) - 1) if picked[-1] < len(across) - 1 else picked
    return across[picked], up[picked]


def panels(drawn: Canvas, titles: Sequence[str]) -> list[Axes]:
    """One panel for each title, `COLUMNS` side by side; a single one has no title."""
    columns = min(COLUMNS, len(titles))
    grid = drawn.subplots(-(-len(titles) // columns), columns, squeeze=False).reshape(-1)
    for axes in grid[len(titles) :]:
        axes.remove()
    shown: list[Axes] = list(grid[: len(titles)])
    if len(shown) > 1:
        for axes, title in zip(shown, titles, strict=True):
            axes.set_title(shortened(title, 26))
    return shown


def panel_size(count: int) -> tuple[float, float]:
    """Width and height in inches of a figure with so many `panels`."""
    if count == 1:
        return 6.0, 4.0
    columns = min(COLUMNS, count)
    return 0.4 + 2.9 * columns, 0.6 + 2.6 * -(-count // columns)
