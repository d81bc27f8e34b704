"""Pictures of single predictions: what was seen, what came true, what was predicted."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.figures import BLUE, GREEN, GREY, ORANGE, canvas, finish
from fivefold.evaluation.metric import Values
from fivefold.evaluation.section import Figure
from fivefold_driving.predict.metrics import Outputs, frame_errors, judged, present

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN = 1.5
"""Metres around what is drawn."""

_SMALLEST = 2.5  # metres from the middle to the border, at least
_MOST_SAMPLES = 20
_LINES = (BLUE, ORANGE, GREEN, GREY, "#cc79a7", "#56b4e9")


def track_figure(
    outputs: Outputs, window: int, agent: int, caption: str, lines: Sequence[Array] = ()
) -> Figure:
    """One agent's seen, true and predicted track among the others, as a PNG.

    Args:
        outputs: with ``seen``, ``target``, ``single`` and ``samples``.
        window: which of the ``N`` windows.
        agent: which of its agents; a judged one.
        caption: what to see.
        lines: polylines ``(P, 2)`` of the map.
    """
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - matplotlib is loaded for reports only

    seen, target, single = (outputs[name][window] for name in ("seen", "target", "single"))
    middle, reach = _view(np.concatenate([seen[agent], target[agent], single[agent]]))
    with canvas(3.0, 3.0) as drawn:
        axes = drawn.subplots()
        axes.add_collection(LineCollection(lines, colors="#c8c8c8", linewidths=0.8))
        for other in np.flatnonzero(present(outputs)[window]):
            if other != agent:
                axes.plot(*np.concatenate([seen[other], target[other]]).T, color="#a8a8a8", linewidth=1)
                axes.plot(*seen[other, -1], ".", color="#a8a8a8", markersize=4)
        start = seen[agent, -1:]
        drawn_futures = outputs["samples"][window, agent, :_MOST_SAMPLES]
        for sample in (
            drawn_futures if len(drawn_futures) > 1 else ()
        ):  # a single one is the prediction itself
            axes.plot(*np.concatenate([start, sample]).T, color=BLUE, linewidth=0.6, alpha=0.35)
        axes.plot(*seen[agent].T, color="black", linewidth=1.8)
        axes.plot(*np.concatenate([start, target[agent]]).T, color=GREEN, linewidth=1.8)
        axes.plot(*target[agent, -1], "o", color=GREEN, markersize=6)
        axes.plot(*np.concatenate([start, single[agent]]).T, color=BLUE, linewidth=1.8)
        axes.plot(*single[agent, -1], "x", color=BLUE, markersize=7, markeredgewidth=2)
        _frame(axes, middle, reach)
        stream = io.BytesIO()
        drawn.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return Figure(caption=caption, image=stream.getvalue(), kind="png", alt=f"Tracks of one agent: {caption}")


def legend(outputs: Outputs) -> str:
    """What the colours of `track_figure` mean; thin lines of samples are told of where several are drawn."""
    several = outputs["samples"].shape[2] > 1
    return (
        "Black: seen. Green with a dot at its end: true. Blue with a cross at its end: predicted"
        f"{'; thin blue: samples' if several else ''}. Grey: other agents, as they truly went, and the map."
    )


def _view(points: Values) -> tuple[Values, float]:
    """Middle and half the side of a square that holds ``points`` ``(P, 2)``."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, max(float((high - low).max()) / 2 + MARGIN, _SMALLEST)


def _frame(axes: Axes, middle: Values, reach: float) -> None:
    """Limits, equal scales, and a bar that says how long some metres are."""
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] - reach, middle[1] + reach)
    axes.set_aspect("equal")
    axes.set_axis_off()
    bar = bar_length(2 * reach)
    left, bottom = middle - 0.95 * reach
    axes.plot([left, left + bar], [bottom, bottom], color="black", linewidth=2, solid_capstyle="butt")
    axes.text(left, bottom + 0.04 * reach, f"{bar:g} m", fontsize=9, verticalalignment="bottom")


def bar_length(width: float) -> float:
    """The longest of 1, 2 or 5 times a power of ten metres that is at most a third of ``width`` metres."""
    power = 10.0 ** np.floor(np.log10(width / 3))
    return float(max(step * power for step in (1, 2, 5) if step * power <= width / 3))


def error_figure(predictors: Mapping[str, Outputs], seconds: float) -> Figure:
    """The mean error of each predictor's single tracks against the time ahead.

    Args:
        predictors: name to outputs, the model first.
        seconds: between frames.
    """
    curves = {name: frame_errors(of)[judged(of)].mean(axis=0) for name, of in predictors.items()}
    with canvas(7.2, 3.4) as drawn:
        axes = drawn.subplots()
        for place, (name, curve) in enumerate(curves.items()):
            ahead = seconds * np.arange(1, len(curve) + 1)
            style = "-" if place == 0 else "--"
            colour = _LINES[place % len(_LINES)]
            axes.plot(ahead, curve, style, color=colour, linewidth=2 if place == 0 else 1.3, label=name)
        axes.set_xlabel("Seconds ahead")
        axes.set_ylabel("Mean error in metres")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.legend()
        last = ", ".join(f"{name} {curve[-1]:.2f} m" for name, curve in curves.items())
        return finish(
            drawn,
            caption="How the error grows with the time ahead, as the mean over judged agents.",
            alt=f"Curves of the mean error over time; in the last frame: {last}.",
        )
