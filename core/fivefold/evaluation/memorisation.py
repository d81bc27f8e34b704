"""Whether generated samples are copies of training samples: their distances to these against held-out samples' ones.

Held-out samples were not seen in training, so how near they lie to it is what nearness comes of itself. A generator
that copies lies nearer, on the whole or with a part of its samples:

- On the whole: the Mann-Whitney test of both sets of distances, the statistic of Meehan, Chaudhuri and Dasgupta 2020
  (arXiv:2004.05675) with the whole space as its one cell; below zero means nearer than held-out ones.
- In part: the share of generated samples nearer than the nearest hundredth of held-out ones. Were both sets draws of
  one distribution, the number of generated ones below the ``r``-th nearest of ``N`` held-out ones would be
  beta-binomial with parameters ``r`` and ``N - r + 1``, which gives an exact test.

Both are one-sided, and each is held to half of the error allowed (Bonferroni). They tell copies in the space in which
distances are taken, and no more: a generator may know single training samples without ever showing them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold.evaluation.metric import Values
from fivefold.evaluation.nearest import Nearest, nearest
from fivefold.evaluation.paired_test import told_p_value

NEAREST_SHARE = 0.01
"""Of held-out samples, below whose distances generated ones are counted."""
ERROR = 0.01
"""Chance that a generator without copies is said to have some, at most."""


@dataclass(frozen=True)
class Memorisation:
    """What the two tests say.

    Attributes:
        space: what distances are of: "features of efficientnet-lite0".
        generated: the training samples nearest to each generated one.
        held_out: those nearest to each held-out one.
        statistic: standard normal, if generated samples were like held-out ones; negative where they are nearer.
        p_value: of that or a lower one.
        threshold: distance below which `NEAREST_SHARE` of held-out samples lie.
        count: generated samples below it.
        expected: share of generated samples that would be.
        count_p_value: of that many or more.
    """

    space: str
    generated: Nearest
    held_out: Nearest
    statistic: float
    p_value: float
    threshold: float
    count: int
    expected: float
    count_p_value: float

    @property
    def share(self) -> float:
        """Of generated samples that lie nearer than the nearest hundredth of held-out ones."""
        return self.count / len(self.generated.distances)

    @property
    def copies(self) -> bool:
        """Whether more generated samples than chance allows are that near."""
        return self.count_p_value < ERROR / 2

    @property
    def nearer(self) -> bool:
        """Whether generated samples are nearer on the whole."""
        return self.p_value < ERROR / 2

    @property
    def passed(self) -> bool:
        """Whether neither test finds a sign of memorisation."""
        return not (self.copies or self.nearer)

    def sentence(self) -> str:
        """The verdict in words, with the numbers that it rests on."""
        counted = (
            f"{100 * self.share:.3g} % of generated samples lie nearer to training than the nearest "
            f"{100 * self.expected:.3g} % of held-out ones (p {told_p_value(self.count_p_value)})"
        )
        on_the_whole = f"on the whole z {self.statistic:+.2f} (p {told_p_value(self.p_value)})"
        return f"{self._opening()} in {self.space}: {counted}; {on_the_whole}."

    def _opening(self) -> str:
        if self.copies:
            return "Memorisation test failed, some generated samples are too near to training samples"
        if self.nearer:
            return "Memorisation test failed, generated samples are on the whole nearer to training than held-out ones"
        return "Memorisation test passed, no sign of copies"


def memorisation(
    generated: Array, held_out: Array, train: Array, *, space: str, neighbours: int = 1
) -> Memorisation:
    """Compare generated with held-out samples by their distances to training samples.

    Of 60,000 training samples of 1,280 numbers, 2,000 others cost 8 seconds of a core's time and 300 MB beside what is
    given; time grows with the number of each, memory does not.

    Args:
        generated: features or pixels, ``(N, D)``.
        held_out: ``(H, D)``.
        train: ``(M, D)``, at least ``neighbours``.
        space: what the numbers are, for the verdict: "features of efficientnet-lite0", "pixels".
        neighbours: training samples found for each, for pictures; tests take the nearest.

    Raises:
        DataError: one of the three is empty, or there are fewer training samples than neighbours.
    """
    if not len(generated) or not len(held_out) or len(train) < neighbours:
        raise DataError(
            f"memorisation: expected generated and held-out samples and {neighbours} or more of training, found "
            f"{len(generated)}, {len(held_out)} and {len(train)}"
        )
    near, usual = nearest(generated, train, count=neighbours), nearest(held_out, train)
    own, other = near.distances[:, 0], usual.distances[:, 0]
    statistic = mann_whitney(own, other)
    rank = ceil(NEAREST_SHARE * len(other))
    threshold = float(np.sort(other)[rank - 1])
    count = int((own < threshold).sum())
    chance = stats.betabinom(len(own), rank, len(other) - rank + 1)
    return Memorisation(
        space=space,
        generated=near,
        held_out=usual,
        statistic=statistic,
        p_value=float(stats.norm.cdf(statistic)),
        threshold=threshold,
        count=count,
        expected=rank / (len(other) + 1),
        count_p_value=float(chance.sf(count - 1)),
    )


def mann_whitney(first: Values, second: Values) -> float:
    """The standardised rank sum of ``first``: standard normal where both have one distribution, negative if smaller.

    Mann and Whitney 1947, with the variance corrected for ties; 0 where all values are equal.
    """
    total = len(first) + len(second)
    ranks = stats.rankdata(np.concatenate([first, second]))
    surplus = ranks[: len(first)].sum() - len(first) * (total + 1) / 2
    _, ties = np.unique(ranks, return_counts=True)
    spread = (total + 1) - (ties.astype(np.float64) ** 3 - ties).sum() / (total * max(total - 1, 1))
    variance = len(first) * len(second) / 12 * spread
    return float(surplus / sqrt(variance)) if variance > 0 else 0.0


def most_suspicious(found: Memorisation, count: int) -> NDArray[np.int64]:
    """The generated samples nearest to training, the nearest first; int64, at most ``count``."""
    return np.argsort(found.generated.distances[:, 0], kind="stable")[:count]


def told(found: Memorisation) -> dict[str, object]:
    """Numbers for ``report.json``."""
    return {
        "space": found.space,
        "passed": found.passed,
        "z": found.statistic,
        "p_value": found.p_value,
        "threshold": found.threshold,
        "share": found.share,
        "expected_share": found.expected,
        "share_p_value": found.count_p_value,
        "median_generated": float(np.median(found.generated.distances[:, 0])),
        "median_held_out": float(np.median(found.held_out.distances[:, 0])),
        "sentence": found.sentence(),
    }
