"""The network of a run of vision/classify as a judge of generated images: features, and which class they show."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.errors import ConfigError
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.tasks.classification import Classification
from fivefold.workflow.loading import load_task
from fivefold_vision.generate.extractor import Extractor

PIPELINE = "vision/classify"
_HALF = 127.5  # of 0 to 255, where images are in [-1, 1]


class TrainedClassifier(Extractor):
    """A trained classifier; its features are what its last linear layer reads.

    Args:
        run: of vision/classify, with trained weights.
        channels: of the images to judge.

    Attributes:
        classes: names in the order of their codes.
        accuracy: on the test split of its own data, as its report says; None where it has no report.

    Raises:
        RunError: there is no such run, or it has no trained weights.
        ConfigError: it is a run of another pipeline, or its network reads grey images and those to judge have colour.
    """

    def __init__(self, run: Path, channels: int) -> None:
        opened = Run.open(run)
        if opened.pipeline != PIPELINE:
            raise ConfigError(
                f"{run}: expected a run of {PIPELINE} to judge images by, found one of {opened.pipeline}; name another"
            )
        pipeline, task = load_task(opened, load_registry())
        facts = pipeline.facts
        if not isinstance(task, Classification) or facts is None:
            raise ConfigError(f"{run}: expected a classifier, found {type(task).__name__}; name another run")
        if channels > facts.channels:
            raise ConfigError(
                f"{run}: its network reads grey images, and those to judge have {channels} channels; "
                "name a run trained on colour images, or efficientnet-lite0, which reads both"
            )
        last = [module for module in task.network.modules() if isinstance(module, nn.Linear)][-1]
        super().__init__(run.resolve().name, last.in_features)
        self.task = task
        self.classes = task.classes
        self.accuracy = _accuracy(opened)
        self._size = (int(facts.size[0]), int(facts.size[1]))
        self._channels = int(facts.channels)
        self._last = (last,)  # in a tuple, so that it is not a module twice
        self.eval()

    def features(self, images: Tensor) -> Tensor:
        """What the last layer reads, ``(B, D)``."""
        seen: list[Tensor] = []
        handle = self._last[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
        try:
            self.task.network(self._pixels(images))
        finally:
            handle.remove()
        return seen[0]

    def probabilities(self, images: Tensor) -> Tensor:
        """Calibrated probabilities of the classes, ``(B, K)``, of images ``(B, C, S, S)`` in ``[-1, 1]``."""
        with torch.no_grad():
            parts = [
                self.task(self._pixels(part)).softmax(dim=1) for part in torch.split(images, self.at_once)
            ]
        return torch.cat(parts)

    def _pixels(self, images: Tensor) -> Tensor:
        """As the network was trained on: from 0 to 255, in its size and channels."""
        pixels = (images + 1) * _HALF
        if pixels.shape[2:] != self._size:
            pixels = F.interpolate(pixels, self._size, mode="bilinear", antialias=True, align_corners=False)
        return pixels.expand(-1, self._channels, -1, -1)


def _accuracy(run: Run) -> float | None:
    report = run.report or {}
    value = report.get("metrics", {}).get("accuracy", {}).get("value")
    return None if value is None else float(value)
