"""Comparison of two correlated AUROCs of one sample (DeLong, DeLong and Clarke-Pearson 1988).

An AUROC is a mean over pairs of a yes and a no, and its variance follows from what each sample contributes to it.
The contributions come from midranks, in the time of a sort (Sun and Xu 2014). Where samples share independent
units (patients), contributions are summed by unit first (Obuchowski 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fivefold.data.table import Array

ROUNDING = 1e-28
"""Variances below this are rounding: a single changed pair among millions makes more."""


@dataclass(frozen=True)
class DeLong:
    """Two AUROCs and their difference.

    Attributes:
        auroc: of the scores.
        reference: of the reference's scores.
        difference: the first minus the second.
        standard_error: of the difference; nan where it cannot be told: fewer than two units with a yes or with a
            no, or AUROCs that differ though no two samples of an answer contribute differently.
        low: lower end of the difference's confidence interval, by the normal distribution.
        high: its upper end.
        p_value: two-sided, of the hypothesis that there is no difference.
    """

    auroc: float
    reference: float
    difference: float
    standard_error: float
    low: float
    high: float
    p_value: float


def delong(
    scores: Array, reference_scores: Array, truth: Array, units: Array | None = None, level: float = 0.95
) -> DeLong | None:
    """Compare the AUROCs of two scores of the same samples.

    Args:
        scores: shape ``(N,)``; higher means yes.
        reference_scores: shape ``(N,)``.
        truth: 1 is yes, 0 is no, nan is not known and takes no part, shape ``(N,)``.
        units: independent unit of each sample, shape ``(N,)``; None where each stands for itself.
        level: of the confidence interval.

    Returns:
        The comparison; None where there is no yes or no no.
    """
    truth = np.asarray(truth, dtype=np.float64)
    yes, no = truth == 1, truth == 0
    if not (yes.any() and no.any()):
        return None
    units = np.arange(len(truth)) if units is None else np.unique(units, return_inverse=True)[1].reshape(-1)
    first, second = contributions(scores, yes, no), contributions(reference_scores, yes, no)
    auroc, reference = (float(parts[0].mean()) for parts in (first, second))
    error = _standard_error(first[0] - second[0], first[1] - second[1], units[yes], units[no])
    difference = auroc - reference
    if error == 0:
        # Scores that order all pairs alike do not differ; others need a spread that these samples do not show.
        error, p_value = (0.0, 1.0) if np.isclose(difference, 0, atol=1e-12) else (np.nan, np.nan)
    else:
        p_value = float(2 * stats.norm.sf(abs(difference) / error))
    reach = float(stats.norm.ppf((1 + level) / 2)) * error
    return DeLong(auroc, reference, difference, error, difference - reach, difference + reach, p_value)


def contributions(
    scores: Array, yes: NDArray[np.bool_], no: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What each yes and each no contributes to the AUROC (its structural components).

    Args:
        scores: shape ``(N,)``.
        yes: which samples are a yes, shape ``(N,)``.
        no: which are a no, shape ``(N,)``.

    Returns:
        For each yes, the share of noes that score lower, and for each no, the share of yeses that score higher;
        ties count half. The mean of either is the AUROC.
    """
    high, low = scores[yes], scores[no]
    midranks = stats.rankdata(np.concatenate([high, low]))
    # A midrank among all less one's midrank among one's own kind is the number of the other kind below.
    below = midranks[: len(high)] - stats.rankdata(high)
    above = len(high) - (midranks[len(high) :] - stats.rankdata(low))
    return below / len(low), above / len(high)


def _standard_error(yes: Array, no: Array, yes_units: Array, no_units: Array) -> float:
    """Standard error of the mean contribution (Obuchowski 1997); DeLong's where every unit has one sample.

    Args:
        yes: contributions of the yeses, shape ``(M,)``.
        no: contributions of the noes, shape ``(N,)``.
        yes_units: unit of each yes, as codes.
        no_units: unit of each no, as codes.

    Returns:
        The error; nan where fewer than two units have a yes, or a no.
    """
    with_yes, with_no = np.unique(yes_units), np.unique(no_units)
    if min(len(with_yes), len(with_no)) <= 1:
        return float("nan")
    count = int(max(with_yes[-1], with_no[-1])) + 1
    by_yes = np.bincount(yes_units, yes - yes.mean(), minlength=count) / len(yes)
    by_no = np.bincount(no_units, no - no.mean(), minlength=count) / len(no)
    variance = (
        _corrected(len(with_yes)) * (by_yes @ by_yes)
        + _corrected(len(with_no)) * (by_no @ by_no)
        + 2 * _corrected(len(np.union1d(with_yes, with_no))) * (by_yes @ by_no)
    )
    return float(np.sqrt(variance)) if variance > ROUNDING else 0.0


def _corrected(units: int) -> float:
    """The small-sample factor of a variance over so many units."""
    return units / (units - 1)
