"""Settings of image classification."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel

Kind = Literal["cnn", "resnet18", "resnet34", "resnet50", "wide-resnet", "efficientnet-lite0", "huggingface"]

FIELDS: dict[Kind, frozenset[str]] = {
    "cnn": frozenset({"width", "dropout"}),
    "resnet18": frozenset({"stem"}),
    "resnet34": frozenset({"stem"}),
    "resnet50": frozenset({"stem"}),
    "wide-resnet": frozenset({"depth", "width", "dropout"}),
    "efficientnet-lite0": frozenset({"pretrained", "freeze"}),
    "huggingface": frozenset({"name", "pretrained", "freeze"}),
}
"""Which settings each kind of network has."""


class ModelConfig(StrictModel):
    """The network."""

    kind: Kind = "cnn"
    """Architecture: a compact CNN, ResNets, a wide ResNet, EfficientNet-Lite0, or a Hugging Face backbone."""
    width: int | None = Field(None, ge=1)
    """Channels of the first stage of a cnn (32), or the widening factor of a wide-resnet (10)."""
    depth: int | None = Field(None, ge=10)
    """Layers of a wide-resnet, 6 n + 4 (28)."""
    dropout: float | None = Field(None, ge=0, lt=1)
    """Share of features dropped while training a cnn or wide-resnet (0)."""
    stem: Literal["small", "large"] | None = None
    """First layer of a resnet: 3x3 for small images, 7x7 with pooling for photos; by size where not given."""
    name: str | None = None
    """Hub name or local folder of a huggingface backbone, such as ``facebook/dinov2-small``."""
    pretrained: bool | None = None
    """Start efficientnet-lite0 or huggingface from its published weights (yes)."""
    freeze: bool | None = None
    """Train the last layer of efficientnet-lite0 or huggingface only (no)."""

    @model_validator(mode="after")
    def _fields_of_the_kind(self) -> Self:
        for field in type(self).model_fields:
            if field != "kind" and getattr(self, field) is not None and field not in FIELDS[self.kind]:
                known = ", ".join(sorted(FIELDS[self.kind]))
                raise ValueError(
                    f"'{field}' does not apply to the kind '{self.kind}', which has {known}; leave it away"
                )
        if self.kind == "huggingface" and not self.name:
            raise ValueError("the kind 'huggingface' needs 'name', a hub name or a local folder")
        if self.depth is not None and (self.depth - 4) % 6:
            raise ValueError(f"'depth' of a wide-resnet must be 6 n + 4 (16, 22, 28, ...), not {self.depth}")
        return self


class AffineConfig(StrictModel):
    """Random rotation, shift and scaling."""

    degrees: float = Field(0.0, ge=0, le=180)
    """Largest rotation, either way."""
    translate: float = Field(0.0, ge=0, le=1)
    """Largest shift, as a share of the side."""
    scale: float = Field(0.0, ge=0, lt=1)
    """Largest change of size: 0.1 draws factors from 0.9 to 1.1."""


class AugmentConfig(StrictModel):
    """How training images are varied, anew each time they are seen."""

    crop: float = Field(0.08, ge=0, le=0.5)
    """Shift by up to this share of the side, filling with black (the padded random crop)."""
    flip: float = Field(0.0, ge=0, le=1)
    """Probability of mirroring left and right; 0.5 where a mirror image keeps its class (not for digits)."""
    affine: AffineConfig = AffineConfig()
    erasing: float = Field(0.0, ge=0, le=1)
    """Probability of covering a random rectangle with noise."""
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
    model: ModelConfig = ModelConfig()
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
