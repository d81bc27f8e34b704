"""Sheets of generated images for reports: samples, classes, how they came to be, and their nearest training images.

Needs OpenCV, which the plugins of images bring. Shapes: ``N`` images, ``C`` channels, ``S`` edge in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.evaluation.numbers import number
from fivefold.evaluation.section import Figure, Section
from fivefold.images.decode import encode_png

Pixels = NDArray[np.uint8]

WIDEST = 1000
"""Pixels of a sheet's width, beyond which it is made smaller."""
TILE = 84
"""Edge to which small images are enlarged, where the sheet's width allows it."""
GAP = 2
"""White pixels between images."""
_WHITE = 255
_HALF = 127.5


@dataclass(frozen=True)
class Neighbours:
    """A generated image and the training images nearest to it, uint8 ``(C, S, S)`` and ``(K, C, S, S)``.

    Attributes:
        name: of the generated image.
        image: itself.
        by_features: nearest by features.
        by_pixels: nearest by pixels.
        distance: from the nearest by features.
        threshold: distance that the nearest hundredth of held-out images lies below.
    """

    name: str
    image: Pixels
    by_features: Pixels
    by_pixels: Pixels
    distance: float
    threshold: float


def as_pixels(images: Tensor) -> Pixels:
    """Images in ``[-1, 1]`` as uint8, same shape."""
    scaled = ((images.detach() + 1) * _HALF).round().clamp(0, _WHITE)
    return np.asarray(scaled.to(torch.uint8).cpu().numpy(), dtype=np.uint8)


def samples_section(images: Pixels, *, columns: int = 10) -> Section:
    """Generated images that nobody chose.

    Args:
        images: uint8 ``(N, C, S, S)``, those of the first seeds.
        columns: in a row.
    """
    return Section(
        title="Samples",
        text=f"The first {len(images)} images by seed; none was chosen or left out.",
        figures=(sheet_figure(images, columns, f"{len(images)} generated images"),),
        key="samples",
    )


def class_sheet_section(images: Pixels, classes: Sequence[str]) -> Section:
    """Images of every class, a row each.

    Args:
        images: uint8 ``(K n, C, S, S)``: ``n`` of the first class, then of the next.
        classes: names, ``K``.
    """
    each = len(images) // len(classes)
    names = ", ".join(classes)
    return Section(
        title="Samples of each class",
        text=f"A row a class, the first {each} by seed of each, in this order: {names}.",
        figures=(
            sheet_figure(images, each, f"{each} generated images of each of {len(classes)} classes: {names}"),
        ),
        key="class_samples",
    )


def progress_section(sheets: Sequence[tuple[int, Pixels]], *, columns: int = 10) -> Section:
    """Images of the same seeds at several steps of the training.

    Args:
        sheets: step, and uint8 ``(N, C, S, S)``.
        columns: in a row.
    """
    return Section(
        title="Samples over time",
        text="The same seeds at each step.",
        figures=tuple(sheet_figure(images, columns, f"Step {step:,}") for step, images in sheets),
        facts={"steps": [step for step, _ in sheets]},
        key="progress",
    )


def neighbour_gallery(rows: Sequence[Neighbours]) -> tuple[Figure, ...]:
    """A picture for each: the generated image, then the nearest by features, then by pixels."""
    return tuple(_neighbour_figure(row) for row in rows)


def sheet_figure(images: Pixels, columns: int, caption: str) -> Figure:
    """Images ``(N, C, S, S)`` in rows of ``columns`` as one PNG."""
    drawn = tiled(images, columns)
    return Figure(
        caption=caption, image=encode_png(_legible(drawn, images.shape[2])), kind="png", alt=caption
    )


def tiled(images: Pixels, columns: int) -> Pixels:
    """Images ``(N, C, S, S)`` in rows, with white between: ``(H, W)``, or ``(H, W, 3)`` of colour."""
    count, channels, height, width = images.shape
    rows = -(-count // columns)
    drawn = np.full((rows * (height + GAP) - GAP, columns * (width + GAP) - GAP, channels), _WHITE, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (height + GAP), place % columns * (width + GAP)
        drawn[top : top + height, left : left + width] = image.transpose(1, 2, 0)
    return drawn[:, :, 0] if channels == 1 else drawn


def small_pixels(images: Pixels, side: int = 32) -> Pixels:
    """Images ``(N, C, S, S)`` averaged to at most ``side`` and laid flat, to find the nearest by: ``(N, D)``."""
    count, channels, edge = images.shape[:3]
    if edge <= side:
        return images.reshape(count, -1)
    small = np.empty((count, side, side, channels), np.uint8)
    for place, image in enumerate(images):
        shrunk = cv2.resize(
            np.ascontiguousarray(image.transpose(1, 2, 0)), (side, side), interpolation=cv2.INTER_AREA
        )
        small[place] = shrunk.reshape(side, side, channels)
    return small.reshape(count, -1)


def _neighbour_figure(row: Neighbours) -> Figure:
    images = np.concatenate([row.image[None], row.by_features, row.by_pixels])
    caption = (
        f"{row.name}: nearest at {number(row.distance)} by features; a hundredth of held-out images lies below "
        f"{number(row.threshold)}"
    )
    return sheet_figure(images, len(images), caption)


def _legible(drawn: Pixels, edge: int) -> Pixels:
    """A sheet of images with that edge, small ones enlarged by a whole number, wide ones made smaller."""
    factor = max(1, min(round(TILE / edge), WIDEST // drawn.shape[1]))
    if factor > 1:
        return np.ascontiguousarray(drawn.repeat(factor, axis=0).repeat(factor, axis=1))
    if drawn.shape[1] <= WIDEST:
        return np.ascontiguousarray(drawn)
    size = (WIDEST, max(1, round(drawn.shape[0] * WIDEST / drawn.shape[1])))
    return np.asarray(cv2.resize(drawn, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
