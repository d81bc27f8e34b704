"""How texts repeat themselves and others: distinct n-grams, repeated n-grams, longest common passages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\w+|[^\w\s]")
SEPARATOR = "\0"


@dataclass(frozen=True)
class Overlap:
    """The longest passage that a text shares with others: where it begins in the text, and its length."""

    start: int
    length: int


def words(text: str) -> list[str]:
    """Words and punctuation marks."""
    return _WORD.findall(text)


def distinct_share(texts: Sequence[str], count: int) -> float:
    """Different n-grams of ``count`` words, as a share of all (Li et al. 2016); nan where there is none."""
    grams = [gram for text in texts for gram in _grams(words(text), count)]
    return len(set(grams)) / len(grams) if grams else float("nan")


def repeated_share(texts: Sequence[str], count: int) -> float:
    """The share of n-grams of ``count`` words that stood earlier in the same text; nan where there is none."""
    total = again = 0
    for text in texts:
        grams = _grams(words(text), count)
        total += len(grams)
        again += len(grams) - len(set(grams))
    return again / total if total else float("nan")


def longest_overlap(text: str, others: str) -> Overlap:
    """The longest passage of ``text`` that stands in ``others`` word for word, the first of several.

    Goes through ``text`` once: where a longer passage than the best so far begins, it is lengthened as far as it goes.
    """
    best = Overlap(0, 0)
    place = 0  # where the passage that was found last stands in the others
    for start in range(len(text)):
        while start + best.length < len(text):
            wanted = text[start : start + best.length + 1]
            place = others.find(wanted)
            if place < 0:
                break
            best = Overlap(start, _common(text, start, others, place, best.length + 1))
    return best


def _common(text: str, start: int, others: str, place: int, known: int) -> int:
    """How far the two agree from there on, of which ``known`` characters are known to."""
    length = known
    end = min(len(text) - start, len(others) - place)
    while length < end and text[start + length] == others[place + length]:
        length += 1
    return length


def _grams(tokens: Sequence[str], count: int) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + count]) for start in range(len(tokens) - count + 1)]
