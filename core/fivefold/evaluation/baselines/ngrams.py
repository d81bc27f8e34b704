"""N-grams of characters, interpolated by Witten and Bell's method C; outputs ``nats``, shape ``(N,)``.

The probability of a character ``c`` after a history ``h`` (the last few characters) is

    P(c | h) = (n(h c) + t(h) P(c | h')) / (n(h) + t(h))

where ``n`` counts, ``t(h)`` is the number of different characters seen after ``h``, and ``h'`` is ``h`` without its
first character; below the empty history stands the uniform distribution over the characters of training and one more
for all others (Witten and Bell 1991; Chen and Goodman 1998, section 2.5). A history that was never seen gives way to
the shorter one. Counts are of characters, whatever tokens a model has, and never reach over the border of two texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset
from fivefold.data.table import Array
from fivefold.errors import ConfigError, DataError
from fivefold.evaluation.baselines.base import Baseline

Codes = NDArray[np.int64]


@runtime_checkable
class HasSpans(Protocol):
    """A dataset of parts of texts.

    Attributes:
        documents: the texts.
        spans: of each sample the text's number and the first and last but one character scored, int64 ``(N, 3)``.
    """

    documents: Sequence[str]
    spans: Codes


class WittenBell(Baseline):
    """Predicts each character from those before it.

    Args:
        order: characters of the longest n-gram; 1 looks at frequencies alone, 0 takes all characters for equally
            likely.

    Raises:
        ConfigError: the order is negative.
    """

    def __init__(self, order: int) -> None:
        if order < 0:
            raise ConfigError(f"an n-gram has 0 characters or more, found an order of {order}")
        self.order = order
        self.name = {0: "uniform over characters", 1: "frequency of characters"}.get(
            order, f"Witten-Bell {order}-gram"
        )
        self.alphabet: Codes = np.empty(0, dtype=np.int64)
        self._tables: list[_Table] = []

    def fit(self, train: Dataset) -> None:
        """Count the n-grams of the training texts."""
        self.fit_texts(_texts(train))

    def fit_texts(self, texts: Sequence[str]) -> None:
        """Count the n-grams of ``texts``.

        Raises:
            DataError: there is no character.
        """
        points, first = _joined(texts)
        if not len(points):
            raise DataError(f"{self.name}: expected training texts with characters, found none")
        self.alphabet, codes = np.unique(points, return_inverse=True)
        codes = codes.astype(np.int64).reshape(-1)
        self._tables = []
        histories: Codes = np.zeros(len(codes), dtype=np.int64)  # the empty one
        known = 1
        for _ in range(self.order):
            table = _Table.count(histories, codes, known, self.symbols)
            if not len(table.keys):
                break  # no text is so long
            self._tables.append(table)
            histories = _moved_on(table.find(histories, codes), first)
            known = len(table.keys)

    def predict(self, samples: Dataset) -> dict[str, Array]:
        """``nats``, ``(N,)``: of each sample the sum over the characters that it scores."""
        texts = _texts(samples)
        if not isinstance(samples, HasSpans):
            raise DataError(f"{self.name}: expected samples that know their characters, found others")
        reached = np.concatenate([[0.0], np.cumsum(self.surprise(texts))])
        starts = np.concatenate([[0], np.cumsum([len(text) for text in texts])])
        spans = samples.spans
        begins = starts[spans[:, 0]]
        return {"nats": reached[begins + spans[:, 2]] - reached[begins + spans[:, 1]]}

    @property
    def symbols(self) -> int:
        """Different characters, with the one that stands for all unknown ones."""
        return len(self.alphabet) + 1

    def surprise(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Nats of each character of ``texts``, one text after the other."""
        return -np.log(self.probabilities(texts))

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The probability of each character of ``texts`` after those before it in its text."""
        points, first = _joined(texts)
        codes = self._codes(points)
        probability = np.full(len(codes), 1 / self.symbols)
        histories: Codes = np.zeros(len(codes), dtype=np.int64)
        for table in self._tables:
            grams = table.find(histories, codes)
            # An unknown history is number -1: it takes the last one's numbers, which are then passed over.
            total, kinds = table.totals[histories], table.kinds[histories]
            seen = np.where(grams >= 0, table.counts[grams], 0)
            mixed = (seen + kinds * probability) / np.maximum(total + kinds, 1)
            probability = np.where((histories >= 0) & (total > 0), mixed, probability)
            histories = _moved_on(grams, first)
        return probability

    def _codes(self, points: Codes) -> Codes:
        places = np.searchsorted(self.alphabet, points)
        known = self.alphabet[np.minimum(places, len(self.alphabet) - 1)] == points
        codes: Codes = np.where(known, places, len(self.alphabet))
        return codes


class _Table:
    """The n-grams of one length, as history times symbols plus character, in order; and what follows each history."""

    def __init__(self, keys: Codes, counts: Codes, histories: int, symbols: int) -> None:
        self.keys = keys
        self.counts = counts
        self.symbols = symbols
        owner = keys // symbols
        self.totals = np.bincount(owner, weights=counts, minlength=histories)
        self.kinds = np.bincount(owner, minlength=histories)

    @classmethod
    def count(cls, histories: Codes, codes: Codes, known: int, symbols: int) -> _Table:
        """Count the characters ``codes`` after ``histories``, numbers below ``known``, or -1 where there is none."""
        there = histories >= 0
        keys, counts = np.unique(histories[there] * symbols + codes[there], return_counts=True)
        return cls(keys, counts.astype(np.int64), known, symbols)

    def find(self, histories: Codes, codes: Codes) -> Codes:
        """The number of each n-gram, or -1 where it is not known."""
        wanted = histories * self.symbols + codes
        places = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        found: Codes = np.where((histories >= 0) & (self.keys[places] == wanted), places, -1)
        return found


def _joined(texts: Sequence[str]) -> tuple[Codes, NDArray[np.bool_]]:
    """Code points of all texts, and whether a text begins at each."""
    raw = "".join(texts).encode("utf-32-le", errors="surrogatepass")
    points = np.frombuffer(raw, dtype="<u4").astype(np.int64)
    first = np.zeros(len(points), dtype=np.bool_)
    lengths = np.array([len(text) for text in texts if text], dtype=np.int64)
    first[np.cumsum(lengths) - lengths] = True
    return points, first


def _moved_on(grams: Codes, first: NDArray[np.bool_]) -> Codes:
    """The n-gram that ends before each character; -1 at the beginning of a text, where there is none."""
    before = np.empty_like(grams)
    before[:1] = -1
    before[1:] = grams[:-1]
    before[first] = -1
    return before


def _texts(samples: Dataset) -> Sequence[str]:
    if not isinstance(samples, HasSpans):
        raise DataError(f"expected samples of texts, found {type(samples).__name__}, which has none")
    return samples.documents
