"""Pictures for reports: of a size to look at, alone or beside themselves under a heat map."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from fivefold.evaluation.section import Figure
from fivefold.images.decode import encode_png

LEAST_SIDE, MOST_SIDE = 112, 224
"""Smaller pictures are enlarged, larger ones reduced, to be seen and to keep the report small."""

_OPACITY = 0.45
_GREY = 2  # axes of a picture without channels


def picture_figure(image: NDArray[np.uint8], caption: str) -> Figure:
    """A picture ``(C, H, W)``, ``(H, W)`` or ``(H, W, 3)`` as a PNG of a size to look at."""
    if image.ndim > _GREY and image.shape[0] in (1, 3):
        image = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    return Figure(caption=caption, image=encode_png(enlarged(image)), kind="png", alt=caption)


def enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``(H, W)`` or ``(H, W, 3)``, its longer side brought between `LEAST_SIDE` and `MOST_SIDE`."""
    side = max(image.shape[:2])
    if LEAST_SIDE <= side <= MOST_SIDE:
        return np.ascontiguousarray(image)
    factor = LEAST_SIDE / side if side < LEAST_SIDE else MOST_SIDE / side
    method = cv2.INTER_NEAREST if factor > 1 else cv2.INTER_AREA
    size = (max(1, round(image.shape[1] * factor)), max(1, round(image.shape[0] * factor)))
    return np.asarray(cv2.resize(np.ascontiguousarray(image), size, interpolation=method), dtype=np.uint8)


def heated(picture: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture ``(H, W, 3)`` under a heat map ``(h, w)`` from 0 to 1: ``(H, W, 3)``, red where it is 1."""
    size = (picture.shape[1], picture.shape[0])
    strength = cv2.resize(np.asarray(heat, np.float32), size, interpolation=cv2.INTER_LINEAR)
    warm = cv2.applyColorMap((255 * strength).round().astype(np.uint8), cv2.COLORMAP_JET)[:, :, ::-1]
    mixed = cv2.addWeighted(picture, 1 - _OPACITY, np.ascontiguousarray(warm), _OPACITY, 0)
    return np.asarray(mixed, dtype=np.uint8)


def with_heat(image: NDArray[np.uint8], heat: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture ``(C, H, W)`` beside itself under its heat map ``(H, W)``: ``(H', W', 3)``."""
    colour = np.repeat(image, 3, axis=0) if len(image) == 1 else image
    picture = enlarged(colour.transpose(1, 2, 0))
    return np.concatenate([picture, heated(picture, heat)], axis=1)
