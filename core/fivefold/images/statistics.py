"""Mean and spread of pixels, exactly and in bounded memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def channel_statistics(images: NDArray[np.uint8]) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel of ``(N, C, ...)``, from counts of the 256 values."""
    means, spreads = [], []
    values = np.arange(256)
    for channel in range(images.shape[1]):
        parts = (images[start : start + 1024, channel] for start in range(0, len(images), 1024))
        counts = sum((np.bincount(part.ravel(), minlength=256) for part in parts), np.zeros(256, np.int64))
        mean = float(counts @ values / counts.sum())
        spread = float(np.sqrt(counts @ (values - mean) ** 2 / counts.sum()))
        means.append(mean)
        spreads.append(spread if spread > 0 else 1.0)
    return means, spreads
