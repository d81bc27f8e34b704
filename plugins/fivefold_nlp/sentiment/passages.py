"""Texts marked by what spoke for an output: the parts of tokens become weights of words as they were written."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.section import Passage
from fivefold_nlp.tokenizer import Encoded

MOST_TOKENS = 120
"""Tokens of a text that are shown."""
MOST_CHARACTERS = 1200
"""Characters of a text that are shown, whatever its tokens."""

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts that set no spaces between words (kana, Chinese characters), whose characters are marked one by one."""
_WORD = rf"[^\W{_UNSPACED}]+"
_PIECES = re.compile(rf"{_WORD}(?:['\u2019]{_WORD})*|\s+|.", re.DOTALL)
"""A text in words, spaces and single signs, which together are the text."""


def marked_passage(caption: str, text: str, tokens: Encoded, parts: NDArray[np.float64]) -> Passage:
    """The stretch of a text in which the most is said, each word with its weight.

    Args:
        caption: what to see.
        text: as it was written.
        tokens: what the network saw of it.
        parts: what each token spoke for an output, ``(T,)``.

    Returns:
        The text of at most `MOST_TOKENS` tokens; the strongest word in it weighs 1 or -1.
    """
    start, end = _stretch(tokens, parts)
    end = min(end, start + MOST_CHARACTERS)
    weights = character_weights(text, tokens, parts)[start:end]
    places = [match.span() for match in _PIECES.finditer(text[start:end])]
    sums = [float(weights[first:last].sum()) for first, last in places]
    top = max((abs(weight) for weight in sums), default=0.0) or 1.0
    pieces = [
        (text[start + first : start + last], weight / top)
        for (first, last), weight in zip(places, sums, strict=True)
    ]
    return Passage(caption, (*_gap(text[:start], "… "), *pieces, *_gap(text[end:], " …")))


def plain_passage(caption: str, text: str) -> Passage:
    """The beginning of a text, unmarked."""
    return Passage(caption, ((text[:MOST_CHARACTERS], 0.0), *_gap(text[MOST_CHARACTERS:], " …")))


def character_weights(text: str, tokens: Encoded, parts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Each token's part spread over the characters that it stands for, spaces left out: ``(len(text),)``.

    Tokens that stand for no characters (marks of begin and end) are left out.
    """
    weights = np.zeros(len(text))
    for start, end, part in zip(tokens.starts.tolist(), tokens.ends.tolist(), parts.tolist(), strict=True):
        places = [place for place in range(start, end) if not text[place].isspace()] or list(
            range(start, end)
        )
        if places:
            weights[places] += part / len(places)
    return weights


def _stretch(tokens: Encoded, parts: NDArray[np.float64]) -> tuple[int, int]:
    """Begin and end, in characters, of the `MOST_TOKENS` tokens in a row with the largest parts in all."""
    written = np.flatnonzero(tokens.ends > tokens.starts)
    if not len(written):
        return 0, 0
    sums = np.concatenate([[0.0], np.cumsum(np.abs(parts[written]))])
    width = min(MOST_TOKENS, len(written))
    first = int((sums[width:] - sums[:-width]).argmax())
    shown = written[first : first + width]
    return int(tokens.starts[shown].min()), int(tokens.ends[shown].max())


def _gap(left_out: str, sign: str) -> tuple[tuple[str, float], ...]:
    return ((sign, 0.0),) if left_out.strip() else ()
