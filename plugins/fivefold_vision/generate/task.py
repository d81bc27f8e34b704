"""The task of image generation: the adversarial one of the core, with metrics named by what they were computed on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor, nn

from fivefold.config.adversarial import AdversarialConfig
from fivefold.data.dataset import Batch
from fivefold.evaluation.generative_pictures import Pixels, as_pixels
from fivefold.tasks.adversarial import Adversarial, in_range

if TYPE_CHECKING:
    from fivefold.evaluation.metric import Metric
    from fivefold.training.callback import Callback

SHOWN = 30
"""Images of each validation that are kept to look at."""
REMEMBERED = 64
"""Batches of real images whose features are kept: they are the same at every validation."""


class ImageGeneration(Adversarial):
    """An adversarial task whose metrics say by which features and on how many images they judge.

    Attributes:
        shown: the first generated images of the last validation, uint8 ``(N, C, S, S)``; None before.

    Args:
        generator: noise and classes to images.
        discriminator: images and classes to logits.
        config: losses, penalties, augmentation, optimizers.
        classes: names, for a conditional model.
        features: images to features.
        extractor: its name.
        judged: images that are judged while training.
        seed: of all random numbers.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        config: AdversarialConfig,
        *,
        classes: Sequence[str],
        features: nn.Module,
        extractor: str,
        judged: int,
        seed: int,
    ) -> None:
        super().__init__(
            generator,
            discriminator,
            config,
            classes=classes,
            features=features,
            features_name=extractor,
            seed=seed,
        )
        self.shown: Pixels | None = None
        self._judged = judged
        self._real: dict[bytes, Tensor] = {}

    def predict(self, batch: Batch) -> Batch:
        """``target`` and ``generated``, features ``(B, D)`` of real images and of as many generated ones."""
        generated = self.sample(self.noise(batch["index"]), batch.get("label"))
        # Metrics are named after predictions, by the number of samples in the data set that these were made for.
        self._judged = int(batch["judged"][0])
        if int(batch["index"][0]) == 0:
            self.shown = as_pixels(generated[:SHOWN])
        return {"target": self._features_of_real(batch["input"]), "generated": self.extract(generated)}

    def metrics(self) -> Sequence[Metric]:
        """FID first, named by extractor and number of images."""
        from fivefold.evaluation.generative_metrics import (  # noqa: PLC0415 - keeps training light
            generative_metrics,
            judged_by,
        )

        return generative_metrics(judged_by(self.features_name, self._judged))

    def watchers(self) -> Sequence[Callback]:
        """The alarms, and what keeps images to look at."""
        from fivefold_vision.generate.sheets import Sheets  # noqa: PLC0415 - for trainings only

        return (*super().watchers(), Sheets(self))

    def decode(self, outputs: dict[str, Any], facts: Any) -> list[dict[str, Any]]:  # noqa: ARG002 - the interface
        """Features are for nobody to read."""
        return [{} for _ in outputs["generated"]]

    def _features_of_real(self, images: Tensor) -> Tensor:
        """Computed once for the same images, known by their bytes."""
        key = hashlib.sha256(np.ascontiguousarray(images.cpu().numpy()).data).digest()
        known = self._real.get(key)
        if known is None:
            known = self.extract(in_range(images))
            if len(self._real) < REMEMBERED:
                self._real[key] = known
        return known.to(images.device)
