"""What baselines see of pictures and volumes: small grey pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from fivefold.data.dataset import Batch

_VOLUME = 3  # axes


@dataclass(frozen=True)
class GreyPixels:
    """Pixels from 0 to 1 of ``input`` ``(B, C, H, W)`` or ``(B, C, D, H, W)``, brought to one size and without colour.

    As a text it says what it gives: ``14x14 pixels``.

    Attributes:
        size: height and width, or depth, height and width.
    """

    size: tuple[int, ...]

    def __call__(self, batch: Batch) -> Tensor:
        """``(B, *size)``."""
        images = batch["input"].float().mean(dim=1, keepdim=True) / 255
        size: Any = self.size  # of as many axes as the images
        pool = F.adaptive_avg_pool3d if len(size) == _VOLUME else F.adaptive_avg_pool2d
        return pool(images, size)[:, 0]

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.size))} pixels"
