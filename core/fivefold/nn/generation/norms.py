"""Normalisation in a generator, with scales and shifts of each class where images have classes.

Batch normalisation: Ioffe and Szegedy 2015, arXiv:1502.03167. By class: Dumoulin et al. 2017, arXiv:1610.07629, and
de Vries et al. 2017, arXiv:1707.00683. Group normalisation: Wu and He 2018, arXiv:1803.08494.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

NormKind = Literal["batch", "group"]

_GROUPS = 8


class ConditionalNorm(nn.Module):
    """Normalises images ``(B, C, H, W)``, then scales and shifts each channel, by class where there are classes.

    Batch norm takes its statistics over the samples of a process; group norm over each sample alone, so that several
    processes compute exactly what one does.

    Args:
        channels: ``C``.
        classes: how many classes there are; 0 for images without.
        kind: what to normalise over.
    """

    def __init__(self, channels: int, classes: int = 0, kind: NormKind = "batch") -> None:
        super().__init__()
        plain = classes == 0
        self.norm: nn.Module = (
            nn.BatchNorm2d(channels, affine=plain)
            if kind == "batch"
            else nn.GroupNorm(min(_GROUPS, channels), channels, affine=plain)
        )
        self.scale = self.shift = None
        if not plain:
            self.scale, self.shift = nn.Embedding(classes, channels), nn.Embedding(classes, channels)
            nn.init.ones_(self.scale.weight)
            nn.init.zeros_(self.shift.weight)

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """``(B, C, H, W)``, and classes int64 ``(B,)``, to ``(B, C, H, W)``."""
        normed: Tensor = self.norm(images)
        if self.scale is None or self.shift is None:
            return normed
        scale, shift = (
            table(labels)[:, :, None, None].to(normed.dtype) for table in (self.scale, self.shift)
        )
        return torch.addcmul(shift, normed, scale)
