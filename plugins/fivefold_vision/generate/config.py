"""Settings of image generation: of its training, and of what `predict` makes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config import OptimizerConfig, ScheduleConfig, StrictModel
from fivefold.config.adversarial import AdversarialConfig, DiscriminatorConfig, GeneratorConfig
from fivefold_vision.readers.config import ImagesConfig

Size = Literal[28, 32, 64, 128, 256]


class AugmentConfig(StrictModel):
    """How training images are varied, anew each time they are seen."""

    flip: float = Field(0.0, ge=0, le=1)
    """Probability of mirroring left and right; generated images are then mirrored as often."""


class GenerateConfig(ImagesConfig):
    """Image generation: images, both networks, and how they are trained and judged."""

    size: Size | None = None
    """Edge of the square that images are brought to; the least that holds them, 64 at most, where not given."""
    conditional: bool = False
    """Learn classes, so that images of a class can be asked for."""
    augment: AugmentConfig = AugmentConfig()
    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    adversarial: AdversarialConfig = AdversarialConfig()
    extractor: str | None = None
    """What gives the features to judge by: efficientnet-lite0, efficientnet-lite0@SIZE, the directory of a run of
    vision/classify, inception:FILE, or pixels; where not given, pixels up to 28x28, else efficientnet-lite0."""
    judge: str | None = None
    """The directory of a run of vision/classify that tells which class each generated image shows."""
    judged_while_training: int = Field(2_000, ge=2)
    """Held-out images that the metrics are computed on after each epoch, at most, and as many generated ones."""
    judged: int = Field(10_000, ge=2)
    """The same for the report."""
    compared: int = Field(2_000, ge=1)
    """Generated images whose nearest training images are looked for, at most."""

    @model_validator(mode="after")
    def _own_optimizers(self) -> Self:
        if self.optimizer != OptimizerConfig() or self.schedule != ScheduleConfig():
            raise ValueError(
                "'optimizer' and 'schedule' train neither network here; set 'adversarial.generator', "
                "'adversarial.discriminator' and 'adversarial.schedule'"
            )
        return self


class GenerateOptions(StrictModel):
    """Which images are made, and where they are put."""

    count: int = Field(16, ge=1, le=1_000_000)
    """Images, of each class where classes are named; with interpolation, how many it passes through."""
    seed: int = Field(0, ge=0, lt=2**62)
    """Of the first image; each further one has the next. An image depends on its own seed and class alone."""
    classes: tuple[str, ...] = ()
    """Classes to show, for a model that learned classes; all by turns where not given."""
    truncation: float | None = Field(None, gt=0)
    """Largest number of noise: lower (0.7, say) makes images more typical and less diverse."""
    interpolate: int = Field(0, ge=0, le=1_000)
    """Make animations (animated PNG), with so many frames from one image to the next; 0 makes images."""
    grid: bool = False
    """Put all images into one file, in rows, in place of a file each."""
    folder: Path | None = None
    """Where to put the files; ``generated`` in the run where not given."""
