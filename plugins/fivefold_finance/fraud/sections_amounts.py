"""The section on amounts: what the threshold does to small and to large transactions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import floor, log10

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.metric import Values
from fivefold.evaluation.numbers import number
from fivefold.evaluation.operating_point import operating_point
from fivefold.evaluation.question_intervals import percent
from fivefold.evaluation.section import Grid, Section
from fivefold_finance.fraud.judged import Judged
from fivefold_finance.fraud.sections_predictors import money

BANDS = 5

FEW = 10
"""With fewer frauds than this, a band is judged on too little."""


@dataclass(frozen=True)
class Band:
    """What the threshold does to the transactions of one band of amounts; shares are nan where nothing divides.

    Attributes:
        name: of the band.
        transactions: of known label.
        frauds: among them.
        alerts: that reach the threshold.
        precision: share of frauds among alerts.
        recall: share of frauds that are alerts.
        money: of the frauds.
        money_caught: of those that are alerts.
    """

    name: str
    transactions: int
    frauds: int
    alerts: int
    precision: float
    recall: float
    money: float
    money_caught: float


def amounts_section(judged: Judged) -> Section:
    """A table of five bands of amounts, each of about as many transactions, at the threshold of ``judged``."""
    known = judged.labelled()
    bands = amount_bands(known)
    few = [band.name for band in bands[:-1] if band.frauds < FEW]
    explained = (
        f"At the fitted threshold, {number(judged.threshold)}, without a budget. Bands hold about as many transactions "
        "each; an amount at an edge is in the band below it."
    )
    text = [explained]
    if few:
        told = "every band" if len(few) == len(bands) - 1 else "; ".join(few)
        text.append(f"With fewer than {FEW} frauds, too few to judge: {told}.")
    head = (
        "Amount",
        "Transactions",
        "Frauds",
        "Alerts",
        "Precision",
        "Recall",
        "Money in fraud",
        "Money caught",
    )
    return Section(
        title="Results by amount",
        text="\n\n".join(text),
        grids=(Grid("At the fitted threshold", head, tuple(_row(band) for band in bands)),),
        facts={"bands": [asdict(band) for band in bands]},
        key="amount_bands",
    )


def amount_bands(known: Judged) -> list[Band]:
    """The bands in order, then missing amounts where there are any, then all together.

    Args:
        known: transactions of known label.
    """
    edges = _edges(known.amounts)
    place = np.searchsorted(edges, known.amounts, side="left")
    there = ~np.isnan(known.amounts)
    names = _names(edges) if there.any() else []
    bands = [_band(known, name, there & (place == at)) for at, name in enumerate(names)]
    if not there.all():
        bands.append(_band(known, "not known", ~there))
    return [*bands, _band(known, "all", np.ones(len(there), dtype=bool))]


def _edges(amounts: Values) -> Values:
    """Quintiles of the amounts, rounded to two digits, each once; none beyond which there is no amount."""
    there = amounts[~np.isnan(amounts)]
    if not len(there):
        return there
    edges = np.unique([_rounded(edge) for edge in np.quantile(there, np.arange(1, BANDS) / BANDS)])
    return np.asarray(edges[(edges >= there.min()) & (edges < there.max())])


def _rounded(value: float) -> float:
    return round(float(value), 1 - floor(log10(abs(value)))) if value else 0.0


def _names(edges: Values) -> list[str]:
    if not len(edges):
        return ["any amount"]
    between = [f"above {low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:g}", *between, f"above {edges[-1]:g}"]


def _band(known: Judged, name: str, among: NDArray[np.bool_]) -> Band:
    scores, fraud = known.scores[among], known.fraud[among]
    amounts = np.maximum(np.nan_to_num(known.amounts[among]), 0.0)
    point = operating_point(scores, fraud, known.threshold)
    said = scores >= known.threshold
    return Band(
        name=name,
        transactions=int(among.sum()),
        frauds=int((fraud == 1).sum()),
        alerts=int(said.sum()),
        precision=point.ppv,
        recall=point.sensitivity,
        money=float(amounts[fraud == 1].sum()),
        money_caught=float(amounts[said & (fraud == 1)].sum()),
    )


def _row(band: Band) -> tuple[str | int, ...]:
    caught = band.money_caught / band.money if band.money else float("nan")
    return (
        band.name,
        band.transactions,
        band.frauds,
        band.alerts,
        percent(band.precision),
        percent(band.recall),
        money(band.money),
        percent(caught),
    )
