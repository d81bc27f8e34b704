"""What layout and the order in the stem are worth on a CPU: ``python tests/benchmarks/convolution_layout.py``.

A training step of the compact CNN on 128 grey images of 28x28, float32, four variants in turn; prints the
least and the median of 15 steps each in milliseconds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.nn import CompactCNN, ConvBlock
from fivefold.training.speed.precision import lay_out_channels_last

REPEATS, WARM_UP = 15, 3


def compact() -> nn.Module:
    """The network as it is."""
    return CompactCNN(1, 10)


def normalised_first() -> nn.Module:
    """With normalisation and ReLU before the pooling of the stem."""
    network = CompactCNN(1, 10)
    network.body[0] = nn.Sequential(ConvBlock(1, 16), nn.MaxPool2d(2))
    return network


def wide_stem() -> nn.Module:
    """With a stem of 32 channels and a residual pair at 14x14, as in an earlier version."""
    pair = CompactCNN(1, 10, width=16).body[3]
    network = CompactCNN(1, 10)
    network.body[0] = nn.Sequential(ConvBlock(1, 32), nn.MaxPool2d(2))
    network.body[1] = pair
    return network


def variants() -> dict[str, Callable[[], nn.Module]]:
    """Name to network; all but the second are laid out channels last."""
    return {
        "compact network": compact,
        "without channels last": compact,
        "norm before pooling": normalised_first,
        "wide stem": wide_stem,
    }


def step(network: nn.Module, images: Tensor, target: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """Seconds of one training step."""
    start = time.perf_counter()
    F.cross_entropy(network(images), target).backward()
    optimizer.step()
    optimizer.zero_grad()
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    images, target = torch.randn(128, 1, 28, 28), torch.randint(10, (128,))
    networks = {name: build() for name, build in variants().items()}
    for name, network in networks.items():
        if name != "without channels last":
            lay_out_channels_last(network)
    optimizers = {name: torch.optim.AdamW(networks[name].parameters(), fused=True) for name in networks}
    taken: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(WARM_UP + REPEATS):
        for name, network in networks.items():
            taken[name].append(1000 * step(network, images, target, optimizers[name]))
    for name, values in taken.items():
        kept = values[WARM_UP:]
        sys.stdout.write(f"{name}: least {min(kept):.0f} ms, median {statistics.median(kept):.0f} ms\n")


if __name__ == "__main__":
    main()
