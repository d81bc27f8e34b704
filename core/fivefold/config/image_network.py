"""Settings of networks that read pictures; `fivefold.nn.image_network` builds them."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config.kinds import refuse_fields_of_other_kinds
from fivefold.config.models import StrictModel

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


class ImageNetworkConfig(StrictModel):
    """The network."""

    kind: Kind = "cnn"
    """Architecture: a compact CNN, ResNets, a wide ResNet, EfficientNet-Lite0, or a Hugging Face backbone."""
    width: int | None = Field(None, ge=1)
    """Channels of the first stage of a cnn (32; 16 for volumes), or the widening factor of a wide-resnet (10)."""
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
        refuse_fields_of_other_kinds(self, self.kind, FIELDS)
        if self.kind == "huggingface" and not self.name:
            raise ValueError("the kind 'huggingface' needs 'name', a hub name or a local folder")
        if self.depth is not None and (self.depth - 4) % 6:
            raise ValueError(f"'depth' of a wide-resnet must be 6 n + 4 (16, 22, 28, ...), not {self.depth}")
        return self
