"""Sections of this pipeline's own: the series that were judged, and how each fared."""

from __future__ import annotations

import numpy as np

from fivefold.evaluation.evaluation import Evaluation
from fivefold.evaluation.section import Grid, Section
from fivefold.evaluation.verdict import strongest
from fivefold_finance.forecast.data import Origins

SHOWN = 50
"""Series in the table; report.json has all."""


def series_sections(evaluation: Evaluation) -> list[Section]:
    """Results by series, where there are several; none of other samples."""
    samples = evaluation.samples
    if not isinstance(samples, Origins) or len(np.unique(samples.symbols.astype(str))) == 1:
        return []
    return [by_series(evaluation, samples.symbols.astype(str))]


def by_series(evaluation: Evaluation, symbols: np.ndarray[tuple[int], np.dtype[np.str_]]) -> Section:
    """The headline metric of each series beside that of the strongest baseline.

    Args:
        evaluation: the judgement.
        symbols: name of the series of each sample, ``(N,)``.
    """
    metric = evaluation.headline
    rival = strongest(evaluation.comparisons, metric)
    rows, facts = [], {}
    for symbol in np.unique(symbols):
        mine = symbols == symbol
        values = [
            metric.compute({name: array[mine] for name, array in of.items()}, None)
            for of in (evaluation.outputs, *([evaluation.baseline_outputs[rival.baseline]] if rival else []))
        ]
        rows.append((str(symbol), f"{int(mine.sum()):,}", *(metric.format(value) for value in values)))
        facts[str(symbol)] = {
            "origins": int(mine.sum()),
            **dict(zip(("model", "rival"), values, strict=False)),
        }
    names = [rival.baseline] if rival else []
    more = f" The first {SHOWN} of {len(rows)} are shown." if len(rows) > SHOWN else ""
    return Section(
        "Results by series",
        "One series that is forecast well may be luck among many: the verdict above is on all of them."
        + more,
        grids=(Grid(metric.name, ("Series", "Origins", "The model", *names), tuple(rows[:SHOWN])),),
        facts=facts,
        key="by_series",
    )
