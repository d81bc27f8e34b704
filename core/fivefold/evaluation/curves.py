"""Training curves, from the records of ``metrics.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fivefold.evaluation.figures import BLUE, GREEN, ORANGE, canvas, finish
from fivefold.evaluation.metric import Metric
from fivefold.evaluation.section import Figure, Section

Records = Sequence[Mapping[str, Any]]
Points = list[tuple[float, float]]


def curves_section(records: Records, metrics: Sequence[Metric]) -> Section | None:
    """Loss, the headline metric on validation, and the learning rate; None where nothing was recorded."""
    figures = [
        figure
        for figure in (_losses(records), _metric(records, metrics), _rate(records))
        if figure is not None
    ]
    if not figures:
        return None
    return Section(title="Training", figures=tuple(figures), key="curves")


def points(records: Records, split: str, key: str) -> Points:
    """(epoch, value) of every record of ``split`` that holds a number under ``key``."""
    return [
        (float(record["epoch"]), float(record[key]))
        for record in records
        if record.get("split") == split and isinstance(record.get(key), (int, float)) and "epoch" in record
    ]


def _losses(records: Records) -> Figure | None:
    train, val = points(records, "train", "loss"), points(records, "val", "loss")
    series = [("training", train, BLUE, "-"), ("validation", val, ORANGE, "o-")]
    return _plot("Loss", series, "Loss by epoch.")


def _metric(records: Records, metrics: Sequence[Metric]) -> Figure | None:
    metric = next((one for one in metrics if points(records, "val", one.name)), None)
    if metric is None:
        return None
    found = points(records, "val", metric.name)
    scale = 100 if metric.style == "percent" else 1
    name = f"{metric.name} (%)" if metric.style == "percent" else metric.name
    series = [("validation", [(epoch, scale * value) for epoch, value in found], ORANGE, "o-")]
    return _plot(_capital(name), series, f"{_capital(metric.name)} on the validation split by epoch.")


def _rate(records: Records) -> Figure | None:
    return _plot(
        "Learning rate", [("", points(records, "train", "lr"), GREEN, "-")], "Learning rate by epoch."
    )


def _plot(name: str, series: Sequence[tuple[str, Points, str, str]], caption: str) -> Figure | None:
    series = [line for line in series if line[1]]
    if not series:
        return None
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - matplotlib is loaded for reports only

    last = max(found[-1][0] for _, found, *_ in series)
    with canvas(5.0, 3.0) as drawn:
        axes = drawn.subplots()
        for label, found, colour, style in series:
            epochs, values = zip(*found, strict=True)
            axes.plot(epochs, values, style, color=colour, linewidth=1.4, markersize=4, label=label)
        axes.xaxis.set_major_locator(MaxNLocator("auto", integer=last > 1))
        axes.set_xlabel("Epoch")
        axes.set_ylabel(name)
        if len(series) > 1:
            axes.legend()
        ends = "; ".join(
            f"{label or name} from {found[0][1]:.4g} to {found[-1][1]:.4g}" for label, found, *_ in series
        )
        return finish(drawn, caption=caption, alt=f"{caption} {_capital(ends)}.")


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]
