"""What gives reason to doubt data: kept with the facts of those that were learned from, told in every report."""

from __future__ import annotations

from collections.abc import Sequence

from fivefold.data.dataset import Facts

_KEY = "doubts"


def keep_doubts(facts: Facts, doubts: Sequence[str]) -> None:
    """Put ``doubts``, where there are any, to the facts of a training split."""
    if doubts:
        facts[_KEY] = list(doubts)


def all_doubts(facts: Facts, since: Sequence[str]) -> list[str]:
    """Doubts of the data that were learned from, then those of data read ``since``; each once."""
    return list(dict.fromkeys([*facts.get(_KEY, ()), *since]))


def marked_of_training(cautions: Sequence[str], facts: Facts, since: Sequence[str]) -> list[str]:
    """``cautions``, of which those on the data that were learned from say so, unless they are told of other data, too.

    Args:
        cautions: of a report on other data.
        facts: of the training split.
        since: what is told of the data judged.
    """
    of_training = set(facts.get(_KEY, ())) - set(since)
    return [f"In training: {text}" if text in of_training else text for text in cautions]
