"""Initial weights."""

from __future__ import annotations

import math

from torch import nn


def he_initialise(module: nn.Module) -> None:
    """Draw every 2-D and 3-D convolution's weights from He's normal distribution over its outputs; biases start at 0.

    He et al. 2015, "Delving deep into rectifiers", arXiv:1502.01852, equation 14 (the backward form). A
    grouped convolution counts the outputs that one input reaches, which torch's ``kaiming_normal_`` does not.
    """
    for layer in module.modules():
        if isinstance(layer, nn.Conv2d | nn.Conv3d):
            fan_out = math.prod(layer.kernel_size) * layer.out_channels // layer.groups
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / fan_out))
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
