"""Random variation of batches of pictures, on the device, drawn from a seeded generator.

Every function takes ``(B, C, H, W)`` of uint8 or float, works on the whole batch at once without waiting for
the device, and returns the same dtype. The same state of the generator gives the same result. At strength
zero each is the identity. Legend: ``B`` batch, ``C`` channels, ``H W`` height and width, ``K`` classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from fivefold.data.dataset import Batch

_QUANTILES = 4096


def _uniform(
    shape: tuple[int, ...], like: Tensor, generator: Generator, low: float = 0.0, high: float = 1.0
) -> Tensor:
    """Float32 draws from ``low`` to ``high``, on the device of ``like``, wherever the generator lives."""
    draws = torch.rand(shape, generator=generator, device=generator.device)
    return draws.to(like.device, non_blocking=True) * (high - low) + low


def _as(images: Tensor, dtype: torch.dtype) -> Tensor:
    """``images`` in ``dtype``, rounded and clipped where that is uint8."""
    return images.round().clamp(0, 255).to(dtype) if dtype == torch.uint8 else images.to(dtype)


def random_crop(images: Tensor, padding: int, generator: Generator) -> Tensor:
    """Shift each picture by up to ``padding`` pixels either way in both directions, filling with zeros.

    The same as padding and cropping at random (He et al. 2016, section 4.2), without the padded copy.
    """
    if padding == 0:
        return images
    batch, channels, height, width = images.shape
    offsets = (
        (_uniform((2, batch, 1), images, generator) * (2 * padding + 1)).floor().long().clamp(max=2 * padding)
    )
    rows = torch.arange(height, device=images.device) + offsets[0] - padding  # (B, H)
    columns = torch.arange(width, device=images.device) + offsets[1] - padding  # (B, W)
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    flat = (
        rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    )  # (B, H, W)
    index = flat.view(batch, 1, -1).expand(-1, channels, -1)
    shifted = images.reshape(batch, channels, -1).gather(2, index).view_as(images)
    return shifted * inside[:, None]


def random_flip(images: Tensor, generator: Generator, probability: float = 0.5) -> Tensor:
    """Mirror each picture left to right with ``probability``."""
    if probability == 0:
        return images
    chosen = _uniform((len(images), 1, 1, 1), images, generator) < probability
    return torch.where(chosen, images.flip(3), images)


def random_affine(
    images: Tensor, generator: Generator, *, degrees: float = 0.0, translate: float = 0.0, scale: float = 0.0
) -> Tensor:
    """Turn, shift and scale each picture about its centre; what comes from outside is zero.

    Args:
        images: ``(B, C, H, W)``.
        generator: source of the draws.
        degrees: largest turn, either way.
        translate: largest shift, as a share of the side.
        scale: largest change of size; 0.1 draws factors from 0.9 to 1.1.
    """
    if degrees == translate == scale == 0:
        return images
    batch, _, height, width = images.shape
    angle = _uniform((batch,), images, generator, -1, 1) * math.radians(degrees)
    shift = _uniform((2, batch), images, generator, -2 * translate, 2 * translate)
    factor = 1 / (1 + _uniform((batch,), images, generator, -scale, scale))
    cosine, sine = angle.cos() * factor, angle.sin() * factor
    # The grid runs from -1 to 1 along both sides, so a turn must be stretched by their ratio to stay a turn.
    matrix = torch.stack(
        [cosine, sine * (height / width), shift[0], -sine * (width / height), cosine, shift[1]], dim=1
    ).view(batch, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return _as(F.grid_sample(images.float(), grid, padding_mode="zeros", align_corners=False), images.dtype)


def random_erasing(
    images: Tensor,
    generator: Generator,
    *,
    probability: float = 0.5,
    area: tuple[float, float] = (0.02, 0.33),
    ratio: float = 3.3,
) -> Tensor:
    """Fill a random rectangle of each picture with noise from 0 to 255 (Zhong et al. 2020).

    Rectangles longer than a side are cut to it, where the paper draws again.

    Args:
        images: ``(B, C, H, W)``, values from 0 to 255.
        generator: source of the draws.
        probability: of a picture to be changed at all.
        area: least and largest share of the picture that is covered.
        ratio: largest ratio of the rectangle's sides.
    """
    if probability == 0:
        return images
    batch, channels, height, width = images.shape
    surface = _uniform((batch,), images, generator, *area) * (height * width)
    stretch = torch.exp(_uniform((batch,), images, generator, -math.log(ratio), math.log(ratio)))
    tall = (surface * stretch).sqrt().round().clamp(1, height)
    wide = (surface / stretch).sqrt().round().clamp(1, width)
    top = (_uniform((batch,), images, generator) * (height - tall + 1)).floor()
    left = (_uniform((batch,), images, generator) * (width - wide + 1)).floor()
    inside = _box(images, top, left, top + tall, left + wide)
    chosen = _uniform((batch, 1, 1, 1), images, generator) < probability
    noise = _as(_uniform((batch, channels, height, width), images, generator, 0, 255), images.dtype)
    return torch.where(inside & chosen, noise, images)


def _box(images: Tensor, top: Tensor, left: Tensor, bottom: Tensor, right: Tensor) -> Tensor:
    """True inside each picture's rectangle, its far edges left out: four ``(B,)`` to ``(B, 1, H, W)``."""
    rows = torch.arange(images.shape[2], device=images.device)
    columns = torch.arange(images.shape[3], device=images.device)
    in_rows = (rows >= top[:, None]) & (rows < bottom[:, None])
    in_columns = (columns >= left[:, None]) & (columns < right[:, None])
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def beta_quantiles(alpha: float) -> Tensor:
    """Values of Beta(alpha, alpha) at evenly spaced probabilities, float32 of shape ``(4096,)``.

    Picking one at random draws from that distribution; torch's own sampler takes no generator.
    """
    from scipy import stats  # noqa: PLC0415 - slow to import; it comes with scikit-learn

    return torch.from_numpy(stats.beta.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES, alpha, alpha)).float()


def _shares(images: Tensor, quantiles: Tensor, generator: Generator) -> Tensor:
    """A share for each picture, ``(B,)``, drawn from ``quantiles``."""
    place = (
        (_uniform((len(images),), images, generator) * len(quantiles)).long().clamp(max=len(quantiles) - 1)
    )
    return quantiles.to(images.device)[place]


def _partners(images: Tensor, generator: Generator) -> Tensor:
    """A random order of the batch, ``(B,)``."""
    return _uniform((len(images),), images, generator).argsort()


def mixup(images: Tensor, targets: Tensor, quantiles: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Blend each picture with another of the batch, and their targets alike (Zhang et al. 2018).

    Args:
        images: ``(B, C, H, W)``.
        targets: shares of classes, ``(B, K)``.
        quantiles: from `beta_quantiles`.
        generator: source of the draws.
    """
    share = _shares(images, quantiles, generator)
    other = _partners(images, generator)
    kept = share[:, None, None, None]
    blended = _as(kept * images.float() + (1 - kept) * images[other].float(), images.dtype)
    return blended, share[:, None] * targets + (1 - share[:, None]) * targets[other]


def cutmix(images: Tensor, targets: Tensor, quantiles: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
    """Paste a rectangle of another picture into each, and mix their targets by area (Yun et al. 2019).

    Args:
        images: ``(B, C, H, W)``.
        targets: shares of classes, ``(B, K)``.
        quantiles: from `beta_quantiles`.
        generator: source of the draws.
    """
    batch, _, height, width = images.shape
    side = (1 - _shares(images, quantiles, generator)).sqrt() / 2
    other = _partners(images, generator)
    down = _uniform((batch,), images, generator) * height
    across = _uniform((batch,), images, generator) * width
    edges = [
        (down - side * height).round().clamp(0, height),
        (across - side * width).round().clamp(0, width),
        (down + side * height).round().clamp(0, height),
        (across + side * width).round().clamp(0, width),
    ]
    top, left, bottom, right = edges
    pasted = torch.where(_box(images, top, left, bottom, right), images[other], images)
    share = (1 - (bottom - top) * (right - left) / (height * width))[:, None]  # what is left after clipping
    return pasted, share * targets + (1 - share) * targets[other]


@dataclass(frozen=True)
class Augmentation:
    """The variations together, as a function of (batch, generator); each is off at zero.

    Attributes:
        classes: number of classes, for mixed targets.
        crop: largest shift in pixels.
        flip: probability of mirroring.
        degrees, translate, scale: see `random_affine`.
        erasing: probability of erasing.
        mixup, cutmix: alpha of their Beta distribution; with both on, each picture gets one or the other.
        input: key of the pictures in the batch.
    """

    classes: int
    crop: int = 0
    flip: float = 0.0
    degrees: float = 0.0
    translate: float = 0.0
    scale: float = 0.0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    input: str = "input"
    _quantiles: dict[str, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, alpha in (("mixup", self.mixup), ("cutmix", self.cutmix)):
            if alpha > 0:
                self._quantiles[name] = beta_quantiles(alpha)

    def __call__(self, batch: Batch, generator: Generator) -> Batch:
        """The batch varied; ``target`` becomes shares of classes ``(B, K)`` where pictures are mixed."""
        images = batch[self.input]
        images = random_crop(images, self.crop, generator)
        images = random_flip(images, generator, self.flip)
        images = random_affine(
            images, generator, degrees=self.degrees, translate=self.translate, scale=self.scale
        )
        images = random_erasing(images, generator, probability=self.erasing)
        if not self._quantiles:
            return {**batch, self.input: images}
        images, target = self._mix(images, F.one_hot(batch["target"], self.classes).float(), generator)
        return {**batch, self.input: images, "target": target}

    def _mix(self, images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        for name, quantiles in self._quantiles.items():  # copied to the device once
            self._quantiles[name] = quantiles.to(images.device)
        mixed = [
            mix(images, targets, self._quantiles[name], generator)
            for name, mix in (("mixup", mixup), ("cutmix", cutmix))
            if name in self._quantiles
        ]
        if len(mixed) == 1:
            return mixed[0]
        (blended, blended_targets), (pasted, pasted_targets) = mixed
        blends = _uniform((len(images),), images, generator) < 1 / 2
        chosen = torch.where(blends[:, None, None, None], blended, pasted)
        return chosen, torch.where(blends[:, None], blended_targets, pasted_targets)
