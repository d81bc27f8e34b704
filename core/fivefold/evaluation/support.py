"""How many samples of its rarest kind a metric rests on, where kinds count alike however rare they are.

An area under a curve is as sure as the rarer of its two answers, not as all samples together, and resampling does not
find that out: with few positives, a handful of them that happen to lie high is drawn again and again.

How often a model of random scores "beats" (the interval of 500 resamples lies above zero; 2.5 % is what it promises)
among 1000 samples, in 300 tries each, by ``tests/benchmarks/verdicts.py positives`` (a rate has a standard error of
about 1 point, and of 2 to 3 in the first column):

========= ================= ===================== ================= =====================
positives AUPRC: prevalence AUPRC: random scores  AUROC: prevalence AUROC: random scores
========= ================= ===================== ================= =====================
        4            49.3 %                 5.7 %             8.3 %                 6.0 %
        6            33.0 %                 6.0 %             5.7 %                 5.3 %
        8            24.0 %                 3.7 %             3.3 %                 4.0 %
       10            20.0 %                 6.0 %             2.7 %                 4.3 %
       12            20.0 %                 1.7 %             3.0 %                 1.7 %
       16            12.7 %                 2.0 %             3.0 %                 2.7 %
       20            14.3 %                 1.7 %             3.3 %                 2.7 %
       40            12.7 %                 3.7 %             4.0 %                 3.7 %
========= ================= ===================== ================= =====================

With 4 and 6 positives the rates are more than twice the promised one, from 12 on they are near it, and `FEW` lies
between. The first column has another reason, which no number of positives mends, and gets a test of its own
(`fivefold.evaluation.chance_test`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fivefold.data.table import Array

FEW = 10
"""With fewer independent units of a kind than this, nothing that rests on it is judged."""

MOST_TOLD = 5
"""Rare kinds named in a sentence."""


@dataclass(frozen=True)
class Kind:
    """A class, or an answer to a question: the rarer of what it is and what it is not.

    Attributes:
        name: in the report's words, after their number ("with yes to 'fever'", "of class 'owl'").
        samples: of it.
        units: independent ones, of these samples.
        least: units below which it is rare: `FEW`, or as many as there are in all, where these are fewer. (What all
            of few units hold is not rare; that they are few is told apart from this.)
    """

    name: str
    samples: int
    units: int
    least: int = FEW


@dataclass(frozen=True)
class Support:
    """The rarer side of each class or question that a metric is the mean of.

    Attributes:
        kinds: one a class or question, of those that are judged at all.
    """

    kinds: tuple[Kind, ...]

    @property
    def rare(self) -> tuple[Kind, ...]:
        """Kinds with fewer independent units than it takes, the rarest first."""
        return tuple(sorted((one for one in self.kinds if one.units < one.least), key=lambda one: one.units))

    @property
    def enough(self) -> bool:
        """Whether a verdict may rest on it: at least half of the kinds are not rare, as a mean bears a few."""
        return not self.kinds or self.middle.units >= self.middle.least

    @property
    def middle(self) -> Kind:
        """The kind that as many are rarer than as are not; the rarer of two."""
        return sorted(self.kinds, key=lambda one: one.units)[(len(self.kinds) - 1) // 2]

    def sentence(self, unit_name: str) -> str:
        """What there is too little of, in words; empty where there is enough of all."""
        if not self.rare:
            return ""
        told = ", ".join(_told(one, unit_name) for one in self.rare[:MOST_TOLD])
        more = len(self.rare) - MOST_TOLD
        others = f" and {more} more" if more > 0 else ""
        why = f"below {max(one.least for one in self.rare)} independent ones, what is said of them is mostly chance"
        return f"Too few to judge by: {told}{others}; {why}."


def _told(one: Kind, unit_name: str) -> str:
    plural = "" if one.units == 1 else "s"
    of = "" if unit_name == "sample" or one.units == one.samples else f" of {one.units} {unit_name}{plural}"
    return f"{one.samples} sample{'' if one.samples == 1 else 's'}{of} {one.name}"


def rarer(name: str, other: str, positive: Array, negative: Array, units: Array | None) -> Kind | None:
    """The rarer of two answers.

    Args:
        name: of the one answer.
        other: of the other answer.
        positive: which samples have the one, shape ``(N,)``.
        negative: which have the other, shape ``(N,)``.
        units: independent unit of each sample, shape ``(N,)``; None where each stands for itself.

    Returns:
        None where one of them does not occur, so that nothing is judged.
    """

    def independent(mask: Array) -> int:
        return int(mask.sum()) if units is None else len(np.unique(units[mask]))

    least = min(FEW, independent(positive | negative))
    counted = [
        Kind(words, int(mask.sum()), independent(mask), least)
        for words, mask in ((name, positive), (other, negative))
    ]
    found = min(counted, key=lambda one: one.units)
    return found if all(one.samples for one in counted) else None
