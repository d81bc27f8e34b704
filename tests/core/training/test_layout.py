"""Channels last reaches every layer, also behind a first layer of one channel."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fivefold.training.speed.precision import lay_out_channels_last, to_channels_last


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_feature_maps_are_channels_last(channels: int, dtype: torch.dtype) -> None:
    network = nn.Sequential(nn.Conv2d(channels, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3))
    lay_out_channels_last(network)
    images = torch.arange(2 * channels * 64).reshape(2, channels, 8, 8).to(dtype)
    batch = to_channels_last({"input": images, "target": torch.tensor([0, 1])})
    maps = network((batch["input"].float() - 3) / 2)
    assert maps.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(batch["input"], images)
    assert batch["target"].tolist() == [0, 1]
