"""Temporal convolutional network: causal, dilated, residual (Bai, Kolter and Koltun 2018, arXiv:1803.01271).

For shapes see `shape`; ``W`` is the width of the convolutions.
"""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from fivefold.nn.forecasting.base import StateForecaster
from fivefold.nn.forecasting.instance_norm import Centre
from fivefold.nn.forecasting.shape import ForecastShape


class CausalConvolution(nn.Module):
    """A weight-normalised convolution that sees a step and those before it: ``(B, inputs, L) -> (B, outputs, L)``."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.convolution = weight_norm(nn.Conv1d(inputs, outputs, kernel, dilation=dilation))
        self.before = (kernel - 1) * dilation

    def forward(self, sequence: Tensor) -> Tensor:
        """``(B, inputs, L) -> (B, outputs, L)``."""
        outputs: Tensor = self.convolution(F.pad(sequence, (self.before, 0)))
        return outputs


class CausalBlock(nn.Module):
    """Two causal convolutions, each with ReLU and dropout, added to their input and rectified: ``(B, ., L)``."""

    def __init__(self, inputs: int, outputs: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            CausalConvolution(inputs, outputs, kernel, dilation),
            nn.ReLU(),
            nn.Dropout(dropout),
            CausalConvolution(outputs, outputs, kernel, dilation),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv1d(inputs, outputs, 1)

    def forward(self, sequence: Tensor) -> Tensor:
        """``(B, inputs, L) -> (B, outputs, L)``."""
        return F.relu(self.layers(sequence) + self.shortcut(sequence))


class TCN(nn.Module):
    """Causal blocks whose dilation doubles from one to the next: ``(B, L, features) -> (B, L, width)``.

    The output at a step depends on that step and the ``field - 1`` before it, never on a later one.

    Args:
        features: width of each step.
        width: channels of every block, ``W``.
        layers: blocks.
        kernel: steps of each convolution, 2 or more.
        dropout: after each convolution.

    Attributes:
        field: steps that an output depends on.
    """

    def __init__(
        self, features: int, width: int, layers: int, kernel: int = 3, *, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            *(
                CausalBlock(width if layer else features, width, kernel, 2**layer, dropout)
                for layer in range(layers)
            )
        )
        self.field = 1 + 2 * (kernel - 1) * (2**layers - 1)

    def forward(self, sequence: Tensor) -> Tensor:
        """``(B, L, features) -> (B, L, width)``."""
        outputs: Tensor = self.blocks(sequence.transpose(1, 2))  # (B, W, L)
        return outputs.transpose(1, 2)


def layers_that_see(lookback: int, kernel: int) -> int:
    """The fewest layers of a `TCN` whose last output depends on all of ``lookback`` steps."""
    return max(1, math.ceil(math.log2((lookback - 1) / (2 * (kernel - 1)) + 1)))


class TCNForecaster(StateForecaster):
    """Forecasts all steps at once from the last output of a `TCN` over all columns together.

    Args:
        shape: sizes.
        width: channels of every block.
        layers: blocks; as many as see the whole look-back where not given.
        kernel: steps of each convolution.
        dropout: after each convolution and before the last map.
        normalise: see `RevIN`; None leaves windows as they are.
    """

    def __init__(
        self,
        shape: ForecastShape,
        width: int = 64,
        layers: int | None = None,
        kernel: int = 3,
        *,
        dropout: float = 0.0,
        normalise: Centre | None = None,
    ) -> None:
        super().__init__(shape, width, dropout, normalise, width)
        layers = layers or layers_that_see(shape.lookback, kernel)
        self.encoder = TCN(shape.features, width, layers, kernel, dropout=dropout)

    def state(self, sequence: Tensor) -> Tensor:
        """``(B, L, F)`` to the last step's output, ``(B, width)``."""
        last: Tensor = self.encoder(sequence)[:, -1]
        return last
