"""How good pictures are, by plain measures, and which stand out from the training images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold.data.dataset import Facts

MEASURES = {
    "brightness": "mean grey level",
    "contrast": "standard deviation of grey levels",
    "sharpness": "standard deviation of the Laplacian",
    "dark": "share of pixels near black",
    "bright": "share of pixels near white",
}
"""Names of the measures and what they are."""

LIMIT = 5.0
"""Robust standard deviations from the training images' median beyond which a picture stands out."""

_NEAR = 3  # grey levels from black or white
_VOLUME = 5
_TO_SIGMA = 1.4826  # of a normal distribution: standard deviation over median absolute deviation
_LEAST = {"brightness": 1.0, "contrast": 1.0, "sharpness": 0.5, "dark": 0.01, "bright": 0.01}


@dataclass(frozen=True)
class Outlier:
    """A picture that stands out.

    Attributes:
        index: of the sample.
        measure: the one that is farthest off.
        value: of it.
        usual: the training images' median.
        distance: in robust standard deviations, with its sign.
    """

    index: int
    measure: str
    value: float
    usual: float
    distance: float


def measure_quality(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The measures of pictures ``(N, C, H, W)``, or of the middle slices of volumes ``(N, C, D, H, W)``: ``(N, 5)``."""
    if images.ndim == _VOLUME:
        images = images[:, :, images.shape[2] // 2]
    rows = [_measure(image) for image in images]
    return np.array(rows, dtype=np.float64).reshape(len(images), len(MEASURES))


def _measure(image: NDArray[np.uint8]) -> list[float]:
    grey = image.mean(axis=0, dtype=np.float32)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return [
        float(grey.mean()),
        float(grey.std()),
        float(laplacian.std()) if laplacian.size else 0.0,
        float((grey <= _NEAR).mean()),
        float((grey >= 255 - _NEAR).mean()),
    ]


def usual_quality(values: NDArray[np.float64]) -> dict[str, list[float]]:
    """Median and robust standard deviation of each measure over the training images: name to the two."""
    medians = np.median(values, axis=0)
    spreads = _TO_SIGMA * np.median(np.abs(values - medians), axis=0)
    return {
        name: [float(median), max(float(spread), _LEAST[name])]
        for name, median, spread in zip(MEASURES, medians, spreads, strict=True)
    }


def outliers(values: NDArray[np.float64], facts: Facts) -> list[Outlier]:
    """Pictures that stand out from the training images, the farthest first.

    Args:
        values: of `measure_quality`, ``(N, 5)``.
        facts: of the training split, with ``quality`` of `usual_quality`.
    """
    usual: Mapping[str, list[float]] = facts.quality
    centres = np.array([usual[name][0] for name in MEASURES])
    spreads = np.array([usual[name][1] for name in MEASURES])
    distances = (values - centres) / spreads
    worst = np.abs(distances).argmax(axis=1)
    found = [
        Outlier(row, name, float(values[row, place]), float(centres[place]), float(distances[row, place]))
        for row, place in enumerate(worst)
        for name in [list(MEASURES)[place]]
        if abs(distances[row, place]) > LIMIT
    ]
    return sorted(found, key=lambda one: -abs(one.distance))
