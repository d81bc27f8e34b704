"""Whether an average precision is higher than that of scores that know nothing, by permutation.

Against a baseline that gives all samples the same probability, the bootstrap of the difference is not enough: the
baseline's average precision is the prevalence, but scores that know nothing lie above it on the mean, the more so the
fewer the positives (Bestgen 2015): half of all random scores with 4 positives have an interval wholly above it, an
eighth with 40, where a fortieth is promised (`fivefold.evaluation.support` has the table). So the answers are permuted
instead: which average precisions do these scores reach, where they have nothing to do with the answers?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fivefold.data.table import Array
from fivefold.evaluation.metric import Values
from fivefold.evaluation.paired_test import PairedTest
from fivefold.evaluation.question_metrics import answers

NAME = "permutation test"

MOST_PERMUTATIONS, FEWEST_PERMUTATIONS = 1000, 200

MOST_DRAWN = 20_000_000
"""Positives drawn in all: some seconds' work. Where there are many, fewer permutations tell as much."""


def chance_tests(outputs: Mapping[str, Array], rival: Mapping[str, Array]) -> Sequence[PairedTest]:
    """The test of the mean average precision over questions, where ``rival`` tells no sample from another.

    Args:
        outputs: of the model: ``probabilities`` and ``target``, each ``(N, Q)``.
        rival: of the baseline.

    Returns:
        One test; none where the baseline orders the samples of some question, or no question is answered both ways.
    """
    truth = answers(outputs)
    judged = [
        (
            outputs["probabilities"][known, column],
            truth[known, column] == 1,
            rival["probabilities"][known, column],
        )
        for column, known in enumerate(~np.isnan(truth).T)
        if len(np.unique(truth[known, column])) > 1
    ]
    if not judged or any(len(np.unique(flat)) > 1 for _, _, flat in judged):
        return ()
    generator = np.random.default_rng(0)
    drawn = sum(int(yes.sum()) for _, yes, _ in judged)
    count = int(np.clip(MOST_DRAWN // drawn, FEWEST_PERMUTATIONS, MOST_PERMUTATIONS))
    found = [_own_and_permuted(scores, yes, count, generator) for scores, yes, _ in judged]
    own = float(np.mean([one for one, _ in found]))
    chance = np.mean([draws for _, draws in found], axis=0)
    tail = min(int((chance >= own).sum()), int((chance <= own).sum()))
    p_value = min(1.0, 2 * (1 + tail) / (1 + count))
    spread = float(chance.std())
    sentence = (
        f"where answers are permuted, the same scores have an average precision of {chance.mean():.4g} on the mean of "
        f"{count} permutations; that of the model is {own:.4g} (two-sided p {p_value:.4f})."
    )
    statistic = (own - float(chance.mean())) / spread if spread else float("nan")
    return (PairedTest(NAME, statistic, p_value, sentence),)


def _own_and_permuted(
    scores: Array, positive: Array, count: int, generator: np.random.Generator
) -> tuple[float, Values]:
    """Average precision of the answers as they are, and of ``count`` permutations, shape ``(count,)``."""
    # How many samples have this score or a higher one: the rank at which a threshold reaches it.
    ordered = np.sort(scores)
    reached = len(scores) - np.searchsorted(ordered, scores, side="left")
    size = int(positive.sum())
    draws = [
        _average_precision(reached[generator.choice(len(scores), size, replace=False, shuffle=False)])
        for _ in range(count)
    ]
    return _average_precision(reached[positive]), np.array(draws)


def _average_precision(reached: Array) -> float:
    """From how many samples lie at the score of each positive or above it, shape ``(P,)``."""
    ordered = np.sort(reached)
    return float((np.searchsorted(ordered, ordered, side="right") / ordered).mean())
