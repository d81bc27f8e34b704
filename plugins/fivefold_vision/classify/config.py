"""Settings of image classification."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.image_network import ImageNetworkConfig
from fivefold.config.image_variation import ImageVariation


class AugmentConfig(ImageVariation):
    """How training images are varied, anew each time they are seen."""

    mixup: float = Field(0.0, ge=0)
    """Strength (alpha) of mixing pairs of images and their labels; 0 for none, 0.2 is usual."""
    cutmix: float = Field(0.0, ge=0)
    """Strength (alpha) of pasting part of one image into another, mixing labels by area; 1 is usual."""


class ColumnsConfig(StrictModel):
    """Names of the columns of a CSV file that lists images."""

    path: str = "path"
    """Where the image lies, relative to the CSV file."""
    label: str = "label"
    """Its class."""
    group: str = "group"
    """The patient, scene or product it comes from; such images stay in one split."""
    split: str = "split"
    """train, val or test."""


class ClassifyConfig(PipelineConfig):
    """Image classification: images, network, augmentation, and how it is trained and judged."""

    size: int | None = Field(None, ge=4, le=1024)
    """Side of the square that images are brought to; where not given, small images of one size keep it,
    backbones with published weights take theirs (224), and photos 128."""
    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; as the images are where not given."""
    fit: Literal["crop", "squash", "pad"] = "crop"
    """What happens to other proportions: the longer side is cut or squashed, or the shorter padded."""
    memory: float = Field(2.0, ge=0)
    """Decoded images that take up to so many GiB are held in memory; more are decoded when asked for."""
    max_bad_share: float = Field(0.0, ge=0, lt=1)
    """Share of images that may be unreadable; they are left out and listed. More are an error."""
    class_names: tuple[str, ...] = ()
    """Names of numbered classes, in order; from ``classes.txt`` beside the data where not given."""
    columns: ColumnsConfig = ColumnsConfig()
    model: ImageNetworkConfig = ImageNetworkConfig()
    augment: AugmentConfig = AugmentConfig()
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of each label that is spread over all classes."""
    class_weights: bool = False
    """Weigh the loss so that every class counts alike, however rare."""
    balanced_sampling: bool = False
    """Draw training images so that every class is seen alike, however rare."""
    test_time_flip: bool = False
    """Average predictions over the image and its mirror image."""

    @model_validator(mode="after")
    def _balanced_once(self) -> Self:
        if self.class_weights and self.balanced_sampling:
            raise ValueError("'class_weights' and 'balanced_sampling' balance the classes twice; choose one")
        return self
