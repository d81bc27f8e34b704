"""Spectral normalisation: a layer's weights divided by their largest singular value.

Miyato et al. 2018, "Spectral normalization for generative adversarial networks", arXiv:1802.05957.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

Layer = TypeVar("Layer", bound=nn.Module)

_FIRST_ROUNDS = 15  # of the power iteration, before training
_IMAGE_WEIGHT = 4  # dimensions of a convolution's weight


class SpectralNorm(nn.Module):
    """Weights to weights of largest singular value 1, found by one round of the power iteration at each forward pass.

    Everything is computed in float32, also under autocast: a singular value in bfloat16 would be known to within a
    half percent only. Unlike torch's own, it takes weights that are laid out channels last without copying them.

    Args:
        weight: the layer's, by which the iteration begins.
    """

    left: Tensor

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        with torch.no_grad():
            matrix = _matrix(weight)
            left = _unit(torch.randn(matrix.shape[0], device=weight.device))
            for _ in range(_FIRST_ROUNDS):
                left = _unit(matrix @ _unit(left @ matrix))
        self.register_buffer("left", left)

    def forward(self, weight: Tensor) -> Tensor:
        """``weight`` divided by its largest singular value; the singular vectors count as constants."""
        with torch.autocast(weight.device.type, enabled=False):
            matrix = _matrix(weight)
            with torch.no_grad():
                right = _unit(self.left @ matrix)
                left = self.left
                if self.training:
                    left = _unit(matrix @ right)
                    self.left.copy_(left)
                else:
                    left = left.clone()
            return weight / (left @ (matrix @ right))


def spectrally_normalised(layer: Layer) -> Layer:
    """``layer`` with a normalised ``weight``, in place."""
    parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.get_parameter("weight")))
    return layer


def _matrix(weight: Tensor) -> Tensor:
    """``(outputs, everything else)``, in the order of memory: singular values do not ask for the order of columns."""
    if weight.ndim == _IMAGE_WEIGHT:
        weight = weight.permute(0, 2, 3, 1)
    return weight.flatten(1)


def _unit(vector: Tensor) -> Tensor:
    return F.normalize(vector, dim=0)
