"""What the report of every generator shows: how it stands against real images, its fidelity and its diversity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.bootstrap import Resampled, interval, resample_weights
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.figures import BLUE, GREEN, ORANGE, canvas, finish, shortened
from fivefold.evaluation.generative_metrics import HOW_INTERVALS
from fivefold.evaluation.metric import Metric, Values
from fivefold.evaluation.numbers import number, number_range
from fivefold.evaluation.section import Figure, Grid, Section

FLOOR = "other training images (the floor)"
MODEL = "the model"


def quality_section(evaluation: Evaluation, floor: Array | None) -> Section:
    """Every metric of the model, of its baselines and of real images, and the headline as multiple of the floor.

    Args:
        evaluation: of the generator.
        floor: features of as many training images as are judged, ``(N, D)``; None where there are not as many.
    """
    columns = _judged(evaluation, floor)
    grid = Grid(
        caption="Generated and real images against the images judged on",
        head=("Metric", *columns),
        rows=tuple(
            (metric.name, *(metric.format(metric.compute(outputs, None)) for outputs in columns.values()))
            for metric in evaluation.metrics
        ),
    )
    words, facts = _multiple_in_words(evaluation, floor)
    return Section(
        title="Against the floor",
        text="\n\n".join([*words, *_few(evaluation), HOW_INTERVALS]),
        grids=(grid,),
        facts=facts,
        key="floor",
    )


def multiple_of_floor(evaluation: Evaluation, floor: Array) -> Estimate:
    """How many times the floor the headline metric is, with its interval; nan where the floor is not above zero.

    Both are of as many images against the same ones, and resampled together. Both hold the rise of a finite number.

    Args:
        evaluation: of the generator.
        floor: features of training images, ``(N, D)``.
    """
    metric, outputs = evaluation.headline, evaluation.outputs
    model = _resampled(evaluation, metric, outputs)
    least = _resampled(evaluation, metric, {**outputs, "generated": floor})
    if not least.value > 0:
        return Estimate(nan, nan, nan)
    draws = np.where(least.draws > 0, model.draws / np.where(least.draws > 0, least.draws, 1), np.nan)
    return interval(Resampled(model.value / least.value, draws), evaluation.level)


def diversity_section(evaluation: Evaluation, floor: Array | None) -> Section:
    """Precision against recall, and density against coverage, of model, baselines and real images.

    Args:
        evaluation: of the generator.
        floor: features of training images, ``(N, D)``, or None.
    """
    pairs = [_metrics(evaluation, names) for names in (("recall", "precision"), ("coverage", "density"))]
    estimates = {
        name: {
            metric.name: interval(_resampled(evaluation, metric, outputs), evaluation.level)
            for pair in pairs
            for metric in pair
        }
        for name, outputs in _judged(evaluation, floor).items()
    }
    return Section(
        title="Fidelity and diversity",
        text=(
            "Precision: the share of generated images that lie among real ones. Recall: the share of real ones that "
            "lie among generated ones. Density counts how many real neighbourhoods a generated image lies in, so that "
            "one odd real image matters less; coverage is the share of real images with a generated one in their "
            "neighbourhood. A generator that makes few things well has high precision and low recall."
        ),
        figures=(_fidelity_figure(evaluation, pairs, estimates),),
        facts={"estimates": estimates},
        key="diversity",
    )


def _judged(evaluation: Evaluation, floor: Array | None) -> dict[str, Mapping[str, Array]]:
    judged: dict[str, Mapping[str, Array]] = {MODEL: evaluation.outputs, **evaluation.baseline_outputs}
    if floor is not None:
        judged[FLOOR] = {**evaluation.outputs, "generated": floor}
    return judged


def _resampled(evaluation: Evaluation, metric: Metric, outputs: Mapping[str, Array]) -> Resampled:
    """On the resamples that the evaluation's own intervals rest on."""
    weights = resample_weights(
        len(evaluation.ids), evaluation.units, resamples=evaluation.resamples, seed=evaluation.seed
    )
    draws: list[Values] = [metric.resampled(outputs, chunk) for chunk in weights]
    return Resampled(metric.compute(outputs, None), np.concatenate(draws))


def _multiple_in_words(evaluation: Evaluation, floor: Array | None) -> tuple[list[str], dict[str, object]]:
    if floor is None:
        return ["There are fewer training images than are judged, so there is no floor to compare with."], {}
    metric = evaluation.headline
    least = metric.compute({**evaluation.outputs, "generated": floor}, None)
    multiple = multiple_of_floor(evaluation, floor)
    if not least > 0:
        return [f"The floor of {metric.name} is {metric.format(least)}, of which there are no multiples."], {}
    facts: dict[str, object] = {"metric": metric.name, "floor": least, "multiple": multiple}
    own = metric.format(evaluation.estimates[metric.name].value)
    span = number_range(multiple.low, multiple.high, multiple.value)
    words = (
        f"{metric.name} is {own}, {number(multiple.value)} times the floor of {metric.format(least)} "
        f"({100 * evaluation.level:g} % interval {span}). The floor is "
        "what as many real training images get: what a generator reaches that draws from the true distribution, and "
        "also one that shows the training images themselves, which is why copies are looked for."
    )
    return [words], facts


def _few(evaluation: Evaluation) -> list[str]:
    count, width = evaluation.outputs["target"].shape
    if count > width:
        return []
    words = (
        f"There are {count:,} images for {width:,} features: covariances are singular, and FID is far above what more "
        "images would give. Judge on more images, or by KID, which the number does not shift."
    )
    return [words]


def _metrics(evaluation: Evaluation, names: tuple[str, str]) -> tuple[Metric, Metric]:
    across, up = (
        next(metric for metric in evaluation.metrics if metric.name.startswith(f"{name} (")) for name in names
    )
    return across, up


def _fidelity_figure(
    evaluation: Evaluation,
    pairs: Sequence[tuple[Metric, Metric]],
    estimates: Mapping[str, Mapping[str, Estimate]],
) -> Figure:
    colours = dict.fromkeys(estimates, ORANGE) | {MODEL: BLUE, FLOOR: GREEN}
    with canvas(7.6, 3.6) as drawn:
        for axes, (across, up) in zip(drawn.subplots(1, len(pairs)), pairs, strict=True):
            for name, values in estimates.items():
                x, y = values[across.name], values[up.name]
                axes.plot([x.low, x.high], [y.value, y.value], color=colours[name], linewidth=1.5)
                axes.plot([x.value, x.value], [y.low, y.high], color=colours[name], linewidth=1.5)
                axes.plot([x.value], [y.value], "o", color=colours[name], label=shortened(name, 34))
            axes.set_xlabel(across.name.partition(" (")[0])
            axes.set_ylabel(up.name.partition(" (")[0])
            axes.set_xlim(-0.03, 1.03)
            axes.set_ylim(bottom=-0.03)
        axes.legend(fontsize=8)
        alt = "; ".join(
            f"{name} " + ", ".join(f"{metric} {number(one.value)}" for metric, one in of.items())
            for name, of in estimates.items()
        )
        return finish(
            drawn,
            caption=f"Fidelity against diversity with {100 * evaluation.level:g} % intervals; up and right is better.",
            alt=alt,
        )
