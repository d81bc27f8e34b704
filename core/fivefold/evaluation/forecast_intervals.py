"""Whether the intervals of forecasts hold what they promise, step by step."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.evaluation import Estimate
from fivefold.evaluation.figures import BLUE, GREY, ORANGE, canvas, finish
from fivefold.evaluation.forecast_errors import STEPS, blocks_of_time
from fivefold.evaluation.forecast_metrics import covered, scaled_width
from fivefold.evaluation.forecast_view import Forecasts
from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Figure, Grid, Section

MOST_TARGETS = 12
"""Targets listed in a table; report.json has all."""

NEAR = 0.02
"""A share that lies so near to the promise keeps it, where it has no interval of its own."""

FAR = 0.1
"""A target whose share lies further from the promise is named."""

MOST_NAMED = 5
"""Targets named, at most."""


def interval_section(forecasts: Forecasts, interval: float, share: Estimate | None = None) -> list[Section]:
    """Coverage against ``interval`` by step, target and time, and widths; none without bounds.

    Args:
        forecasts: with ``lower`` and ``upper`` among the outputs.
        interval: share of the outcomes that is promised to lie between them.
        share: that of the outcomes that do, with its interval, where it is known.
    """
    outputs = forecasts.outputs
    if "lower" not in outputs or "upper" not in outputs:
        return []
    hits = covered(outputs)
    if np.isnan(hits).all():
        return []
    width = scaled_width(outputs, forecasts.scale)
    place, _ = blocks_of_time(forecasts.times)
    blocks = np.bincount(place, weights=hits.mean(axis=(1, 2))) / np.bincount(place)
    by_step, by_target = hits.mean(axis=(0, 2)), hits.mean(axis=(0, 1))
    return [
        Section(
            title="Intervals",
            text="\n\n".join(
                [
                    _text(interval, float(hits.mean()), share),
                    f"In blocks of time, the share runs from {100 * blocks.min():.1f} % to {100 * blocks.max():.1f} %.",
                    *_far_off(dict(zip(forecasts.targets, by_target.tolist(), strict=True)), interval),
                ]
            ),
            figures=(_figure(by_step, interval), *_over_time(blocks, interval)),
            grids=(_step_grid(by_step, width.mean(axis=(0, 2))), _target_grid(forecasts, hits, width)),
            facts={
                "nominal": interval,
                "coverage": float(hits.mean()),
                "by_step": by_step,
                "by_target": dict(zip(forecasts.targets, by_target.tolist(), strict=True)),
                "by_block": blocks,
                "width_by_step": width.mean(axis=(0, 2)),
            },
            key="intervals",
        )
    ]


def _text(interval: float, actual: float, share: Estimate | None) -> str:
    """What lies within the intervals, and whether that keeps the promise."""
    known = share is not None and not np.isnan([share.low, share.high]).any()
    low, high = (share.low, share.high) if share and known else (actual - NEAR, actual + NEAR)
    span = f" ({100 * low:.1f} to {100 * high:.1f})" if known else ""
    told = f"{100 * actual:.1f} %{span} of the outcomes lie in their intervals, which promise {100 * interval:g} %: "
    if high < interval:
        return (
            f"{told}the promise is not kept, and the forecasts are surer than they should be. "
            f"{100 * (1 - actual):.1f} % of the outcomes lie outside, where {100 * (1 - interval):.3g} % should; "
            "perhaps the times that are judged are unlike those that the intervals were fitted on."
        )
    if low > interval:
        return f"{told}the promise is more than kept, and the intervals are wider than they need be."
    return (
        f"{told}the promise is kept on average over times like those that the intervals were fitted on, not in each of "
        "them."
    )


def _far_off(by_target: dict[str, float], interval: float) -> list[str]:
    """A sentence on the targets that are far from the promise, the furthest first; none where none are."""
    far = [(name, share) for name, share in by_target.items() if abs(share - interval) > FAR]
    if not far or len(by_target) == 1:
        return []
    far.sort(key=lambda one: -abs(one[1] - interval))
    named = ", ".join(f"'{name}' ({100 * share:.1f} %)" for name, share in far[:MOST_NAMED])
    more = f" and {len(far) - MOST_NAMED} more" if len(far) > MOST_NAMED else ""
    return [
        f"Far from the promised {100 * interval:g} % are the intervals of {named}{more}: do not rely on them."
    ]


def _shown(count: int) -> list[int]:
    return sorted({round(float(place)) for place in np.linspace(0, count - 1, min(STEPS, count))})


def _step_grid(coverage: Values, width: Values) -> Grid:
    return Grid(
        caption="Intervals by step ahead; widths in standard deviations of the training split",
        head=("Steps ahead", "Covered", "Mean width"),
        rows=tuple(
            (str(step + 1), f"{100 * coverage[step]:.1f} %", number(float(width[step])))
            for step in _shown(len(coverage))
        ),
    )


def _target_grid(forecasts: Forecasts, hits: Values, width: Values) -> Grid:
    widths = width.mean(axis=(0, 1)) * forecasts.scale
    rows = tuple(
        (name, f"{100 * share:.1f} %", number(float(wide)))
        for name, share, wide in zip(forecasts.targets, hits.mean(axis=(0, 1)), widths, strict=True)
    )
    more = f" (the first {MOST_TARGETS} of {len(rows)})" if len(rows) > MOST_TARGETS else ""
    return Grid(
        caption=f"Intervals by target{more}; widths in its own unit",
        head=("Target", "Covered", "Mean width"),
        rows=rows[:MOST_TARGETS],
    )


def _figure(coverage: Values, interval: float) -> Figure:
    steps = np.arange(1, len(coverage) + 1)
    with canvas(7.2, 3.2) as drawn:
        axes = drawn.subplots()
        axes.axhline(100 * interval, color=GREY, linewidth=1.2, linestyle="--", label="promised")
        axes.plot(steps, 100 * coverage, "o-", color=BLUE, linewidth=1.6, markersize=3, label="actual")
        axes.set_ylim(*_span(coverage, interval))
        axes.set_xlabel("Steps ahead")
        axes.set_ylabel("Covered (%)")
        axes.legend()
        return finish(
            drawn,
            caption=f"Share of outcomes within their {100 * interval:g} % intervals, by step ahead.",
            alt=(
                f"Coverage by step ahead: from {100 * coverage[0]:.1f} % at the first step to "
                f"{100 * coverage[-1]:.1f} % at step {len(coverage)}; promised are {100 * interval:g} %."
            ),
        )


def _over_time(coverage: Values, interval: float) -> tuple[Figure, ...]:
    if len(coverage) == 1:
        return ()
    with canvas(7.2, 3.2) as drawn:
        axes = drawn.subplots()
        axes.axhline(100 * interval, color=GREY, linewidth=1.2, linestyle="--", label="promised")
        axes.plot(
            np.arange(1, len(coverage) + 1), 100 * coverage, "o-", color=ORANGE, markersize=3, label="actual"
        )
        axes.set_ylim(*_span(coverage, interval))
        axes.set_xlabel("Block of the split, in order of time")
        axes.set_ylabel("Covered (%)")
        axes.legend()
        figure = finish(
            drawn,
            caption=f"Share of outcomes within their {100 * interval:g} % intervals, in blocks of time.",
            alt=(
                f"Coverage in {len(coverage)} blocks of time: from {100 * coverage.min():.1f} % to "
                f"{100 * coverage.max():.1f} %."
            ),
        )
    return (figure,)


def _span(coverage: Values, interval: float) -> tuple[float, float]:
    """Limits of an axis in percent, with room around both coverages."""
    return max(0.0, 100 * min(float(coverage.min()), interval) - 8), min(
        103.0, 100 * max(float(coverage.max()), interval) + 8
    )
