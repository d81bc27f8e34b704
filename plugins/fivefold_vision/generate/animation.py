"""Animated PNG files (PNG third edition, W3C 2025): lossless, in full colour, and with the labels of any PNG."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fivefold.images.decode import encode_png
from fivefold_vision.generate.origin import SIGNATURE, chunk, chunks_of

MILLISECONDS = 50
"""How long a frame is shown."""


def animated_png(frames: Sequence[NDArray[np.uint8]], milliseconds: int = MILLISECONDS) -> bytes:
    """Frames of one shape, ``(H, W)`` or ``(H, W, 3)``, shown one after the other without end.

    Programs that know no animations show the first frame.
    """
    pictures = [list(chunks_of(encode_png(frame))) for frame in frames]
    header = pictures[0][0]
    parts = [SIGNATURE, chunk(*header), chunk(b"acTL", _numbers(len(frames), 0))]
    sequence = 0
    for number, picture in enumerate(pictures):
        control = _numbers(sequence) + header[1][:8] + _numbers(0, 0)
        control += milliseconds.to_bytes(2, "big") + (1000).to_bytes(2, "big") + b"\0\0"
        parts.append(chunk(b"fcTL", control))
        sequence += 1
        data = b"".join(part for kind, part in picture if kind == b"IDAT")
        if number == 0:
            parts.append(chunk(b"IDAT", data))
        else:
            parts.append(chunk(b"fdAT", _numbers(sequence) + data))
            sequence += 1
    return b"".join([*parts, chunk(b"IEND", b"")])


def _numbers(*values: int) -> bytes:
    """Big-endian, four bytes each."""
    return b"".join(value.to_bytes(4, "big") for value in values)
