"""Mean and spread of pixels, exactly and in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTED = 2**20
"""Values counted at once: counting takes eight bytes for each."""


def channel_statistics(images: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel of ``(N, C, ...)``, from counts of the 256 values."""
    means, spreads = [], []
    rows = max(1, COUNTED // int(np.prod(images.shape[2:])))
    values = np.arange(256)
    for channel in range(images.shape[1]):
        parts = (images[start : start + rows, channel] for start in range(0, len(images), rows))
        counts = sum((np.bincount(part.ravel(), minlength=256) for part in parts), np.zeros(256, np.int64))
        mean = float(counts @ values / counts.sum())
        spread = float(np.sqrt(counts @ (values - mean) ** 2 / counts.sum()))
        means.append(mean)
        spreads.append(spread if spread > 0 else 1.0)
    return means, spreads
