"""Many texts sought in one large run of bytes, which is read once however many texts there are.

Each text is known by three of its bytes, the most varied ones, so that even parts of a picture rarely look like it;
only where those stand is the whole text compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np

KEY: Final = 3
"""Bytes by which a text is found; shorter texts cannot be sought."""

_CHUNK: Final = 2**22
_KEYS: Final = 2 ** (8 * KEY)


def occurring(texts: Iterable[bytes], content: bytes) -> set[bytes]:
    """Those of ``texts``, each of at least `KEY` bytes, that stand in ``content``."""
    known = np.zeros(_KEYS, dtype=bool)
    by_key: dict[int, set[tuple[bytes, int]]] = defaultdict(set)
    for text in texts:
        offset = max(range(len(text) - KEY + 1), key=lambda start: len(set(text[start : start + KEY])))
        key = int.from_bytes(text[offset : offset + KEY])
        by_key[key].add((text, offset))
        known[key] = True
    found: set[bytes] = set()
    for start in range(0, len(content) - KEY + 1, _CHUNK):
        keys = _keys(content[start : start + _CHUNK + KEY - 1])
        for position in np.flatnonzero(known[keys]):
            sought = by_key[int(keys[position])]
            here = start + int(position)
            hits = {(text, offset) for text, offset in sought if _stands(text, here - offset, content)}
            found |= {text for text, _ in hits}
            sought -= hits
    return found


def _stands(text: bytes, position: int, content: bytes) -> bool:
    return position >= 0 and content.startswith(text, position)


def _keys(part: bytes) -> np.ndarray:
    """The number that each three neighbouring bytes make."""
    single = np.frombuffer(part, dtype=np.uint8).astype(np.uint32)
    return (single[:-2] << 16) | (single[1:-1] << 8) | single[2:]
