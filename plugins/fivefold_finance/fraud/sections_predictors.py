"""Model and baselines side by side, as the sections on fraud draw them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.figures import BLUE, GREEN, ORANGE
from fivefold.evaluation.metric import Values
from fivefold_finance.fraud.judged import Judged

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODEL = "the model"

INKS = (ORANGE, GREEN, "#cc79a7", "#e69f00", "#56b4e9")
"""Of the baselines, by turns; from Okabe and Ito's palette."""

DASHES = ("--", ":", "-.")

WHOLE = 1000
"""From here on, amounts are printed without hundredths."""

MOST_POINTS = 400
"""Points of a curve, at most, so that the report stays small."""


@dataclass(frozen=True)
class Predictor:
    """The model or a baseline.

    Attributes:
        name: as legends and tables name it.
        judged: all transactions with its scores.
        ink: colour of its curves.
        dashes: of its curves.
    """

    name: str
    judged: Judged
    ink: str
    dashes: str

    @property
    def tells(self) -> bool:
        """Whether its scores differ, so that there is a curve to draw."""
        return bool(np.ptp(self.judged.scores) > 0)

    @property
    def outputs(self) -> dict[str, Array]:
        """As the metrics read them."""
        return {
            "probabilities": self.judged.scores[:, None],
            "target": self.judged.fraud[:, None],
            "day": self.judged.days,
        }


def predictors(evaluation: Evaluation, judged: Judged) -> list[Predictor]:
    """The model first, then every baseline that gives probabilities."""
    found = [Predictor(MODEL, judged, BLUE, "-")]
    for place, (name, outputs) in enumerate(evaluation.baseline_outputs.items()):
        if "probabilities" in outputs:
            scored = judged.with_scores(outputs["probabilities"][:, 0])
            found.append(Predictor(name, scored, INKS[place % len(INKS)], DASHES[place % len(DASHES)]))
    return found


def thinned(across: Values, up: Values) -> tuple[Values, Values]:
    """At most `MOST_POINTS` of the points, evenly along both axes together, both ends among them."""
    if len(across) <= MOST_POINTS:
        return across, up
    lengths = [np.abs(np.diff(axis)) / max(np.ptp(axis), np.finfo(float).tiny) for axis in (across, up)]
    way = np.concatenate([[0.0], np.cumsum(lengths[0] + lengths[1])])
    places = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS - 1))
    picked = np.unique(np.append(places, len(across) - 1))
    return across[picked], up[picked]


def money(amount: float) -> str:
    """An amount for people: with hundredths below a thousand."""
    return f"{amount:.2f}" if abs(amount) < WHOLE else f"{amount:.0f}"


def date_axis(axes: Axes) -> None:
    """Few dates, written short, along the horizontal axis."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - loaded for reports only

    locator = AutoDateLocator(minticks=2, maxticks=7)  # type: ignore[no-untyped-call]  # matplotlib types it not
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]  # nor this
