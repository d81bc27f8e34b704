"""Convolution with TensorFlow's SAME padding, which puts the odd pixel after the image.

torch pads both sides alike, so networks trained in TensorFlow see their strided layers shifted by a pixel
and lose accuracy. Shapes: ``B`` batch, ``C`` channels, ``H W`` height and width.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Zeros before and after an edge of ``size`` pixels that make ``ceil(size / stride)`` outputs."""
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


class SameConv2d(nn.Conv2d):
    """``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``, without bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, *, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, stride, groups=groups, bias=False)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - the name that nn.Conv2d gives it
        """``(B, inputs, H, W) -> (B, outputs, ceil(H / stride), ceil(W / stride))``."""
        (top, bottom), (left, right) = (
            same_padding(input.shape[axis], self.kernel_size[axis - 2], self.stride[axis - 2])
            for axis in (2, 3)
        )
        padding = (top, left)
        if (top, left) != (bottom, right):
            input = F.pad(input, (left, right, top, bottom))  # noqa: A001 - as above
            padding = (0, 0)
        return F.conv2d(input, self.weight, None, self.stride, padding, 1, self.groups)
