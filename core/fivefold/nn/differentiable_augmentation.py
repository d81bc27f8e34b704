"""Augmentation of real and generated images alike, through which gradients reach the generator.

Zhao et al. 2020, "Differentiable augmentation for data-efficient GAN training", arXiv:2006.10738: colour, translation
and cutout. Each sample's random numbers are given from outside. With a chance below one, each policy is applied to a
sample with that chance, as adaptive augmentation asks for (Karras et al. 2020, arXiv:2006.06676).
Shapes: ``B`` batch, ``C`` channels, ``S`` edge of the square image.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

DRAWS = 10
"""Random numbers a sample: whether to apply each policy (3), brightness, saturation, contrast, shift (2), hole (2)."""

_FARTHEST = 8  # a shift is at most this part of the edge
_HOLE = 2  # the hole's edge is this part of the image's


class DifferentiableAugmentation:
    """Varies images by random numbers; the same numbers vary them alike.

    Args:
        policies: some of ``colour``, ``translation``, ``cutout``; none leaves images as they are.
    """

    def __init__(self, policies: Sequence[str]) -> None:
        self.policies = tuple(policies)

    def __call__(self, images: Tensor, numbers: Tensor, chance: Tensor | float = 1.0) -> Tensor:
        """The varied images.

        Args:
            images: ``(B, C, S, S)`` in ``[-1, 1]``; zero stands for what lies outside.
            numbers: in ``[0, 1)``, shape ``(B, DRAWS)``.
            chance: with which a policy is applied to a sample; a number, or a scalar tensor.

        Returns:
            ``(B, C, S, S)``, laid out as ``images`` are, or channels last.
        """
        applied = numbers[:, :3] < chance
        if "colour" in self.policies:
            images = _recolour(images, numbers[:, 3:6], applied[:, 0])
        size = images.shape[-1]
        seen = None
        if "translation" in self.policies:
            rows, columns = _shifts(numbers[:, 6:8], applied[:, 1], size)
            images = _shift(images, rows, columns)
            seen = _inside(rows, size)[:, :, None] & _inside(columns, size)[:, None]
        if "cutout" in self.policies:
            whole = ~_hole(numbers[:, 8:10], applied[:, 2], size)
            seen = whole if seen is None else seen & whole
        return images if seen is None else images * seen[:, None].to(images.dtype)


def _recolour(images: Tensor, numbers: Tensor, applied: Tensor) -> Tensor:
    """Brightness within +-0.5, saturation by 0 to 2, contrast by 0.5 to 1.5; one sum of the image and two of its means.

    One after the other, ``x + b``, then ``m_c + s (x - m_c)`` around the mean of the channels, then
    ``m + c (x - m)`` around that of the image, give together ``c s x + c (1 - s) m_c + (1 - c) m + b``.
    """
    brightness, saturation, contrast = (
        torch.where(applied, value, neutral)[:, None, None, None].to(images.dtype)
        for value, neutral in (
            (numbers[:, 0] - 0.5, 0.0),
            (numbers[:, 1] * 2, 1.0),
            (numbers[:, 2] + 0.5, 1.0),
        )
    )
    grey = images.mean(dim=1, keepdim=True)
    mean = grey.mean(dim=(2, 3), keepdim=True)
    constant = (1 - contrast) * mean + brightness
    if images.shape[1] == 1:  # which has no saturation
        return torch.addcmul(constant, images, contrast)
    return torch.addcmul(
        torch.addcmul(constant, grey, contrast * (1 - saturation)), images, contrast * saturation
    )


def _shifts(numbers: Tensor, applied: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """How far a sample is shifted down and right, in pixels: int64 ``(B,)`` each."""
    farthest = size // _FARTHEST
    shifts = ((2 * farthest + 1) * numbers).long() - farthest
    shifts = shifts * applied[:, None]
    return shifts[:, 0], shifts[:, 1]


def _inside(shifts: Tensor, size: int) -> Tensor:
    """Which rows (or columns) show the image after the shift, ``(B, S)``."""
    came_from = torch.arange(size, device=shifts.device) - shifts[:, None]
    return (came_from >= 0) & (came_from < size)


def _shift(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images shifted around: what leaves on one side comes back on the other, so that each pixel goes to one place.

    Whole pixels are picked as rows of a matrix, which is several times as fast as `torch.gather` or an index.
    """
    batch, channels, size, _ = images.shape
    edge = torch.arange(size, device=images.device)
    row, column = ((edge - shifts[:, None]) % size for shifts in (rows, columns))
    first = torch.arange(batch, device=images.device)[:, None, None] * size**2
    places = (first + row[:, :, None] * size + column[:, None]).flatten()
    pixels = images.permute(0, 2, 3, 1).reshape(-1, channels).index_select(0, places)
    return pixels.view(batch, size, size, channels).permute(0, 3, 1, 2)


def _hole(numbers: Tensor, applied: Tensor, size: int) -> Tensor:
    """Where the square hole of a sample is, ``(B, S, S)``; its centre is anywhere, so it may reach beyond the image."""
    edge = size // _HOLE
    # The centre of an even hole lies between two pixels, so there is one more place for it (as in the paper's code).
    places = size + 1 - edge % 2
    start = (places * numbers).long() - edge // 2
    pixels = torch.arange(size, device=numbers.device)
    within = (pixels >= start[:, :, None]) & (pixels < start[:, :, None] + edge)  # (B, 2, S)
    return within[:, 0, :, None] & within[:, 1, None] & applied[:, None, None]
