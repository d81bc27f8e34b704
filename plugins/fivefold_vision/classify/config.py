"""Settings of image classification."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from fivefold.config.fields import ClassWeights, LabelSmoothing
from fivefold.config.image_network import ImageNetworkConfig
from fivefold.config.image_variation import ImageVariation
from fivefold_vision.readers.config import ImagesConfig


class AugmentConfig(ImageVariation):
    """How training images are varied, anew each time they are seen."""

    mixup: float = Field(0.0, ge=0)
    """Strength (alpha) of mixing pairs of images and their labels; 0 for none, 0.2 is usual."""
    cutmix: float = Field(0.0, ge=0)
    """Strength (alpha) of pasting part of one image into another, mixing labels by area; 1 is usual."""


class ClassifyConfig(ImagesConfig):
    """Image classification: images, network, augmentation, and how it is trained and judged."""

    size: int | None = Field(None, ge=4, le=1024)
    """Side of the square that images are brought to; where not given, small images of one size keep it,
    backbones with published weights take theirs (224), and photos 128."""
    model: ImageNetworkConfig = ImageNetworkConfig()
    augment: AugmentConfig = AugmentConfig()
    label_smoothing: LabelSmoothing = 0.0
    class_weights: ClassWeights = False
    balanced_sampling: bool = False
    """Draw training images so that every class is seen alike, however rare."""
    test_time_flip: bool = False
    """Average predictions over the image and its mirror image."""

    @model_validator(mode="after")
    def _balanced_once(self) -> Self:
        if self.class_weights and self.balanced_sampling:
            raise ValueError("'class_weights' and 'balanced_sampling' balance the classes twice; choose one")
        return self
