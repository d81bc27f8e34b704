"""What the report on predicted tracks shows beside its metrics: each scene, kinds of agents, examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Estimate, Evaluation
from fivefold.evaluation.metric import Values
from fivefold.evaluation.question_intervals import DASH, interval_head, unit_count
from fivefold.evaluation.section import Figure, Grid, Section
from fivefold_driving.predict.animation import animation, densest_window
from fivefold_driving.predict.drawing import error_figure, legend, track_figure
from fivefold_driving.predict.groups import Grouping, Members, agent_mean, group_estimates, groupings
from fivefold_driving.predict.metrics import (
    AgentValues,
    Outputs,
    best_errors,
    judged,
    present,
    single_errors,
    touches,
)

SHOWN = 6
"""Examples of each kind."""

MODEL = "Model"
MEAN = "Mean over scenes"

Maps = Mapping[str, Sequence[Array]]
Lines = Callable[[int], Sequence[Array]]
"""A window to the polylines of its map, in the metres of its positions."""

_MEANS_EXPLAINED = (
    "Each cell is the mean and the final displacement error, in metres. The mean over scenes, in which each scene "
    "counts alike, is what published tables give as their average; the mean over agents, in which long and crowded "
    "scenes count most, is what the metrics above give."
)
_BEST_EXPLAINED = (
    "The best of several samples is chosen with the truth at hand, and gets better with their number. Per "
    "agent, each agent takes its own best sample, whether or not these go together; joint, one sample must serve all "
    "agents of a window. Published numbers of the two kinds do not compare with each other, nor either of them with a "
    "single prediction."
)
_KINDS_EXPLAINED = (
    "Errors of the single prediction, in metres. Most agents go straight on, where any method does well: what a model "
    "is worth shows where they turn. Turning is the angle from the direction seen to the true displacement afterwards, "
    "so that these groups look at the future and cannot be told beforehand."
)


def track_sections(
    evaluation: Evaluation, scenes: Array, maps: Maps | None = None, origins: Array | None = None
) -> list[Section]:
    """Scenes, error over time, kinds of agents, examples, and one crowded window that moves.

    The facts state ``interval``, the seconds between frames.

    Args:
        evaluation: the judgement; its outputs hold ``samples``, ``single``, ``seen`` and ``target``.
        scenes: name of each window's scene, ``(N,)``.
        maps: name of a scene to polylines ``(P, 2)`` of its map, to be drawn.
        origins: where each window's positions count from in the metres of its map, ``(N, 2)``; None where that is 0.
    """

    def lines(window: int) -> list[Array]:
        own = (maps or {}).get(str(scenes[window]), ())
        return [line if origins is None else line - origins[window] for line in own]

    seconds = float(evaluation.facts.interval)
    predictors = {MODEL: evaluation.outputs, **evaluation.baseline_outputs}
    single = {name: of for name, of in predictors.items() if "single" in of}
    errors = {name: single_errors(of) for name, of in single.items()}
    return [
        scene_section(evaluation, scenes, predictors, errors),
        Section(
            title="Error over time",
            figures=(error_figure(single, seconds),),
            key="error_over_time",
        ),
        kind_section(evaluation, errors, seconds),
        example_section(evaluation, errors[MODEL], lines),
        moving_section(evaluation, seconds, lines),
    ]


def scene_section(
    evaluation: Evaluation,
    scenes: Array,
    predictors: Mapping[str, Outputs],
    errors: Mapping[str, AgentValues],
) -> Section:
    """Each scene and the mean over scenes: ADE and FDE of every predictor, and their minima over samples.

    Args:
        evaluation: the judgement.
        scenes: name of each window's scene, ``(N,)``.
        predictors: name to outputs, the model first.
        errors: the names of those with a single prediction to their `single_errors`.
    """
    among = judged(evaluation.outputs)
    groups = {str(name): among & (scenes == name)[:, None] for name in np.unique(scenes)}
    groups = {name: members for name, members in groups.items() if members.any()}
    samples = evaluation.outputs["samples"].shape[2]
    grids = [_scene_grid(evaluation, "Single prediction", groups, errors, ("ADE", "FDE"))]
    values = {name: dict(of) for name, of in errors.items()}
    if samples > 1:
        # A predictor with fewer samples has no best of so many.
        able = {name: of for name, of in predictors.items() if of["samples"].shape[2] >= samples}
        best = {name: best_errors(of, samples) for name, of in able.items()}
        for kind in ("per agent", "joint"):
            names = (f"minADE{samples} {kind}", f"minFDE{samples} {kind}")
            grids.append(_scene_grid(evaluation, f"Best of {samples}, {kind}", groups, best, names))
        for name, of in best.items():
            values.setdefault(name, {}).update(of)
    return Section(
        title="Scenes",
        text="\n\n".join(
            [_MEANS_EXPLAINED, *([_BEST_EXPLAINED] if samples > 1 else []), _touching(evaluation)]
        ),
        grids=tuple(grids),
        facts={
            "agents": {name: int(members.sum()) for name, members in groups.items()},
            "values": {
                name: {metric: _by_scene(one, groups) for metric, one in of.items()}
                for name, of in values.items()
            },
        },
        key="scenes",
    )


def _by_scene(values: Values, groups: Mapping[str, Members]) -> dict[str, float]:
    means = {name: agent_mean(values, members) for name, members in groups.items()}
    return {**means, MEAN: float(np.mean(list(means.values())))}


def _scene_grid(
    evaluation: Evaluation,
    caption: str,
    groups: Mapping[str, Members],
    values: Mapping[str, AgentValues],
    names: tuple[str, str],
) -> Grid:
    """One row a scene, then both means where there are several; cells are of the two metrics called ``names``."""
    tables = {name: [_by_scene(of[metric], groups) for metric in names] for name, of in values.items()}
    everyone = np.asarray(np.stack(list(groups.values())).any(axis=0))
    first = values[MODEL][names[0]]
    estimates = group_estimates(evaluation, first, list(groups.values()), averaged=True)
    rows: list[tuple[Any, ...]] = []
    for (name, members), estimate in zip(groups.items(), estimates, strict=False):
        rows.append(
            _row(evaluation, name, members, estimate, [_pair(*_at(of, name)) for of in tables.values()])
        )
    if len(groups) > 1:
        cells = [_pair(*_at(of, MEAN)) for of in tables.values()]
        rows.append(_row(evaluation, MEAN, everyone, estimates[-1], cells))
        cells = [_pair(*(agent_mean(of[metric], everyone) for metric in names)) for of in values.values()]
        overall = group_estimates(evaluation, first, [everyone])[0]
        rows.append(_row(evaluation, "Mean over agents", everyone, overall, cells))
    return Grid(
        f"{caption}: {names[0]} / {names[1]}", _head(evaluation, "Scene", names[0], list(values)), tuple(rows)
    )


def _at(tables: Sequence[Mapping[str, float]], name: str) -> list[float]:
    return [table[name] for table in tables]


def _head(evaluation: Evaluation, what: str, metric: str, predictors: Sequence[str]) -> tuple[str, ...]:
    counts = (what, "Agents", f"{evaluation.unit_name.capitalize()}s")
    return (*counts, predictors[0], f"{interval_head(evaluation)} of {metric}", *predictors[1:])


def _row(
    evaluation: Evaluation, name: str, members: Members, estimate: Estimate, cells: Sequence[str]
) -> tuple[Any, ...]:
    """Name, counts, the model's cell with its interval, and the baselines' cells."""
    units = unit_count(evaluation, np.asarray(members.any(axis=1)))
    # From one unit no interval can be had.
    span = DASH if units == 1 or np.isnan(estimate.low) else f"{estimate.low:.2f} to {estimate.high:.2f}"
    return (name, int(members.sum()), units, cells[0], span, *cells[1:])


def _pair(first: float, second: float) -> str:
    return f"{first:.2f} / {second:.2f}"


def _touching(evaluation: Evaluation) -> str:
    """How often true tracks touch, without which a collision rate says little."""
    outputs = evaluation.outputs
    among = judged(outputs)
    truth = touches(outputs["target"], among)[among].mean()
    model = touches(outputs["single"], present(outputs))[among].mean()
    return (
        f"Of the judged agents, {100 * model:.1f} % are predicted to come within 0.2 m of another; of their true "
        f"tracks, {100 * truth:.1f} % do."
    )


def kind_section(evaluation: Evaluation, errors: Mapping[str, AgentValues], seconds: float) -> Section:
    """Errors by speed, by density and by turning.

    Args:
        evaluation: the judgement.
        errors: predictor's name, the model first, to its `single_errors`.
        seconds: between frames.
    """
    ways = groupings(evaluation.outputs, seconds)
    found = {
        way.key: group_estimates(evaluation, errors[MODEL]["ADE"], list(way.groups.values())) for way in ways
    }
    return Section(
        title="Kinds of motion",
        text=_KINDS_EXPLAINED,
        grids=tuple(_kind_grid(evaluation, way, errors, found[way.key]) for way in ways),
        facts={
            way.key: [
                {
                    "group": name,
                    "agents": int(members.sum()),
                    "ADE": vars(estimate),
                    "FDE": agent_mean(errors[MODEL]["FDE"], members),
                    "baselines": {
                        baseline: {metric: agent_mean(of[metric], members) for metric in ("ADE", "FDE")}
                        for baseline, of in errors.items()
                        if baseline != MODEL
                    },
                }
                for (name, members), estimate in zip(way.groups.items(), found[way.key], strict=True)
            ]
            for way in ways
        },
        key="kinds",
    )


def _kind_grid(
    evaluation: Evaluation, way: Grouping, errors: Mapping[str, AgentValues], estimates: Sequence[Estimate]
) -> Grid:
    rows = []
    for (name, members), estimate in zip(way.groups.items(), estimates, strict=True):
        cells = [
            _pair(agent_mean(of["ADE"], members), agent_mean(of["FDE"], members)) for of in errors.values()
        ]
        rows.append(_row(evaluation, name, members, estimate, cells))
    return Grid(f"{way.title}: ADE / FDE", _head(evaluation, way.title, "ADE", list(errors)), tuple(rows))


def example_section(evaluation: Evaluation, errors: AgentValues, lines: Lines) -> Section:
    """The worst and the most usual predictions, one of a unit each, as pictures.

    Args:
        evaluation: the judgement.
        errors: the model's `single_errors`.
        lines: a window's map.
    """
    among = judged(evaluation.outputs)
    middle = float(np.median(errors["ADE"][among]))
    far = {
        "worst": -np.where(among, errors["ADE"], -np.inf),
        "usual": np.where(among, np.abs(errors["ADE"] - middle), np.inf),
    }
    picked = {kind: _picked(order, evaluation.units) for kind, order in far.items()}

    def drawn(kind: str, window: int, agent: int) -> Figure:
        ade, fde = (errors[metric][window, agent] for metric in ("ADE", "FDE"))
        caption = f"{kind.capitalize()}, {evaluation.ids[window]}: ADE {ade:.2f} m, FDE {fde:.2f} m"
        return track_figure(evaluation.outputs, window, agent, caption, lines(window))

    return Section(
        title="Examples",
        text=(
            f"The largest errors, and those nearest the median ADE of {middle:.2f} m, at most one of each "
            f"{evaluation.unit_name}. {legend(evaluation.outputs)}"
        ),
        gallery=tuple(drawn(kind, *place) for kind, places in picked.items() for place in places),
        facts={
            kind: [{"sample": str(evaluation.ids[window]), "agent": agent} for window, agent in places]
            for kind, places in picked.items()
        },
        key="examples",
    )


def _picked(order: Values, units: Array | None) -> list[tuple[int, int]]:
    """Windows and agents of the least finite ``order`` ``(N, A)``, each of another unit; at most `SHOWN`."""
    best = order.argmin(axis=1)
    value = order[np.arange(len(order)), best]
    taken: dict[Any, tuple[int, int]] = {}
    for window in np.argsort(value, kind="stable"):
        if len(taken) == SHOWN or not np.isfinite(value[window]):
            break
        taken.setdefault(int(window) if units is None else units[window], (int(window), int(best[window])))
    return list(taken.values())


def moving_section(evaluation: Evaluation, seconds: float, lines: Lines) -> Section:
    """The window with the most judged agents, as an animation.

    Args:
        evaluation: the judgement.
        seconds: between frames.
        lines: a window's map.
    """
    window = densest_window(evaluation.outputs)
    name = str(evaluation.ids[window])
    caption = f"{name}, in real time: seen, then true (green) and predicted (blue)."
    return Section(
        title="A crowded window",
        figures=(animation(evaluation.outputs, window, seconds, caption, lines(window)),),
        facts={"sample": name, "judged": int(judged(evaluation.outputs)[window].sum())},
        key="crowded_window",
    )
