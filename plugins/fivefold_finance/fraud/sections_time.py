"""The section on time: frauds caught and missed, day by day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.figures import BLUE, ORANGE, canvas, finish
from fivefold.evaluation.question_intervals import percent
from fivefold.evaluation.section import Figure, Section
from fivefold_finance.fraud.costs import daily_ranks
from fivefold_finance.fraud.drift import periods
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.sections_predictors import date_axis


def time_section(judged: Judged, alerts: int) -> Section:
    """Frauds caught within the budget and missed, by day, or by week where there are many days.

    Args:
        judged: transactions, some of known label.
        alerts: the budget a day.
    """
    known = judged.labelled()
    fraud, reviewed = known.fraud == 1, daily_ranks(known) <= alerts
    when = periods(known.times, fewest=1)
    caught = np.array([(fraud & reviewed)[rows].sum() for rows in when.rows])
    missed = np.array([(fraud & ~reviewed)[rows].sum() for rows in when.rows])
    return Section(
        title="Frauds over time",
        text=_text(when.name, when.starts, caught, missed, alerts),
        figures=(_figure(when.name, when.starts, caught, missed),) if fraud.any() else (),
        facts={
            "period": when.name,
            "starts": when.starts.astype(str).tolist(),
            "transactions": [len(rows) for rows in when.rows],
            "caught": caught.tolist(),
            "missed": missed.tolist(),
        },
        key="fraud_over_time",
    )


def _text(
    name: str,
    starts: NDArray[np.datetime64],
    caught: NDArray[np.int64],
    missed: NDArray[np.int64],
    alerts: int,
) -> str:
    frauds = caught + missed
    if not frauds.any():
        return f"No {name} has a fraud of known label."
    half = len(frauds) // 2
    parts = [
        f"At {alerts} alerts a day, {caught.sum()} of {frauds.sum()} frauds are caught; most are missed on "
        f"{starts[missed.argmax()]}, {missed.max()} of {frauds[missed.argmax()]}."
        if missed.any()
        else f"At {alerts} alerts a day, all {frauds.sum()} frauds are caught."
    ]
    if half and frauds[:half].any() and frauds[half:].any():
        first, second = (
            float(caught[part].sum() / frauds[part].sum()) for part in (slice(half), slice(half, None))
        )
        parts.append(
            f"In the first half of the {name}s {percent(first)} are caught, in the second {percent(second)}"
            + (": a fall may mean that the model grows old." if second < first else ".")
        )
    return "\n\n".join(parts)


def _figure(
    name: str, starts: NDArray[np.datetime64], caught: NDArray[np.int64], missed: NDArray[np.int64]
) -> Figure:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - matplotlib is loaded for reports only

    width = 0.8 if name == "day" else 5.6
    with canvas(5.8, 3.2) as drawn:
        axes = drawn.subplots()
        places = starts.astype("datetime64[D]").astype(np.int64).astype(np.float64)
        axes.bar(places, caught, width=width, color=BLUE, label="caught")
        axes.bar(
            places,
            missed,
            width=width,
            bottom=caught,
            color=ORANGE,
            label="missed",
            hatch="///",
            edgecolor="white",
        )
        axes.xaxis_date()
        date_axis(axes)
        axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_ylabel(f"Frauds a {name}")
        axes.grid(visible=False, axis="x")
        drawn.legend(loc="outside upper right", ncols=2)
        return finish(
            drawn,
            caption=f"Frauds caught and missed by {name}, within the budget of alerts.",
            alt=(
                f"Frauds by {name} from {starts[0]} to {starts[-1]}: {caught.sum()} caught, {missed.sum()} missed."
            ),
        )
