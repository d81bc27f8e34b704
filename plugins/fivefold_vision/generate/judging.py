"""A feature extractor that is built when it is first asked, on the device that it is moved to."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from fivefold.errors import RunError
from fivefold.runs import Run
from fivefold_vision.generate.extractor import Extractor
from fivefold_vision.generate.extractors import DEFAULT, MOST_PIXELS, PIXELS, build_extractor
from fivefold_vision.generate.trained_classifier import PIPELINE


class Judging(nn.Module):
    """The extractor called ``name``; a run that only generates images neither fetches nor builds it.

    Args:
        name: see `fivefold_vision.generate.extractors`; None takes the pixels of small images, else EfficientNet-Lite0.
        size: edge of the images to judge.
        channels: of the images to judge.

    Attributes:
        called: the name in full.
    """

    anchor: Tensor

    def __init__(self, name: str | None, size: int, channels: int) -> None:
        super().__init__()
        self.called = name or (PIXELS if size <= MOST_PIXELS else DEFAULT)
        self._size, self._channels = size, channels
        # Tells where to build, to those that look for parameters and to this module itself.
        self.register_buffer("anchor", torch.empty(0), persistent=False)

    @cached_property
    def extractor(self) -> Extractor:
        """The extractor itself, built on first use.

        Raises:
            ConfigError: there is none of that name, or it does not fit the images.
            DataError: its weights cannot be had.
            RunError: the run has no trained weights.
        """
        built = build_extractor(self.called, size=self._size, channels=self._channels)
        self.add_module("network", built.requires_grad_(requires_grad=False).to(self.anchor.device))
        return built

    def forward(self, images: Tensor) -> Tensor:
        """Images ``(N, C, S, S)`` in ``[-1, 1]`` to features ``(N, D)``."""
        features: Tensor = self.extractor(images)
        return features


def trained_on(extractor: str) -> str | None:
    """The data that a run of vision/classify was trained on; None where ``extractor`` is no such run."""
    path = Path(extractor).expanduser()
    if not path.is_dir():
        return None
    try:
        run: Any = Run.open(path)
    except RunError:
        return None
    return str(run.info["data"]["source"]) if run.pipeline == PIPELINE else None
