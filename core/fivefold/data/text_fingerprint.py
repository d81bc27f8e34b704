"""Keys by which equal and nearly equal texts are found."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fivefold.data.fingerprint import Fingerprints

HASHES = 128
"""Minima kept of each text, one bit each."""
SHINGLE = 5
"""Characters of a shingle."""
LOOKED_AT = 2000
"""Characters from the beginning that near keys are made of."""
FEWEST = 20
"""Texts with fewer different shingles are compared exactly only: one word would make up most of them."""
ALIKE = "but for upper and lower case and white space"
"""What the comparison of texts passes over, in words."""
JACCARD = 0.8
"""Share of common shingles from which texts count as nearly equal."""

_Words = NDArray[np.uint64]


def text_fingerprints(texts: Sequence[str]) -> Fingerprints:
    """Exact keys that pass over case and white space; near keys by MinHash.

    A near key holds one bit of each of `HASHES` minima of hashed shingles (Broder 1997; Li and Koenig 2010,
    "b-bit minwise hashing"). Two keys differ in ``(1 - J) / 2`` of their bits, where ``J`` is the Jaccard
    similarity of the texts' character shingles. Bits are -1/2 and 1/2, so the squared Euclidean distance is the
    number of those that differ. Texts with few shingles have no near key.

    Args:
        texts: ``N`` texts.
    """
    normal = [normalised(text) for text in texts]
    exact = np.empty(len(texts), dtype=object)
    exact[:] = [
        hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in normal
    ]
    near = np.full((len(texts), HASHES), np.nan, dtype=np.float32)
    for row, text in enumerate(normal):
        shingles = _shingles(text[:LOOKED_AT])
        if len(shingles) >= FEWEST:
            near[row] = _minima(shingles)
    near_distance = (HASHES * (1 - JACCARD) / 2) ** 0.5
    return Fingerprints(exact=exact, near=near, near_distance=near_distance, alike=ALIKE)


def normalised(text: str) -> str:
    """The text in one form of Unicode, without case, and with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _shingles(text: str) -> _Words:
    """Hashes of the different runs of `SHINGLE` characters, uint64 ``(S,)``."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(codes) < SHINGLE:
        return np.empty(0, dtype=np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE)
    mixed = np.zeros(len(windows), dtype=np.uint64)
    for place in range(SHINGLE):
        mixed = _mixed(mixed ^ (windows[:, place] + np.uint64(1)))
    return np.unique(mixed)


def _minima(shingles: _Words) -> NDArray[np.float32]:
    """The lowest bit of the smallest hash under each of `HASHES` hash functions, as -1/2 or 1/2."""
    smallest = _mixed(shingles[:, None] ^ _salts()[None, :]).min(axis=0)
    # Of the smallest value the upper bits are nearly always zero; mixed once more, every bit is a coin.
    return (_mixed(smallest) & np.uint64(1)).astype(np.float32) - np.float32(0.5)


@lru_cache(maxsize=1)
def _salts() -> _Words:
    return _mixed(np.arange(1, HASHES + 1, dtype=np.uint64))


def _mixed(values: _Words) -> _Words:
    """SplitMix64's finaliser (Steele, Lea and Flood 2014): a fixed permutation of 64 bits."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)
