"""What a trained network expects of its images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)
_RGB = 3
_USUAL_SIZE = 224


@dataclass(frozen=True)
class ImageInput:
    """How images in ``[0, 1]`` become a network's input: ``(image - mean) / std`` at ``size`` pixels square.

    Attributes:
        channels: channels.
        size: edge in pixels.
        mean: one value a channel.
        std: one value a channel.
    """

    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def to_processor(self) -> dict[str, Any]:
        """The same as a Hugging Face image processor writes it, ready for JSON."""
        return {"size": self.size, "image_mean": list(self.mean), "image_std": list(self.std)}


def image_input(config: Any, processor: Mapping[str, Any]) -> ImageInput:
    """What a Hugging Face network of images expects, from its config and its image processor's (may be empty).

    The size is the processor's crop, else its size, else the config's, else 224; mean and standard
    deviation are the processor's, else ImageNet's (for images that are not RGB: 0.5).
    """
    channels = int(getattr(config, "num_channels", _RGB))
    given = processor.get("crop_size") or processor.get("size") or getattr(config, "image_size", None)
    mean = processor.get("image_mean") or (_IMAGENET_MEAN if channels == _RGB else (0.5,) * channels)
    std = processor.get("image_std") or (_IMAGENET_STD if channels == _RGB else (0.5,) * channels)
    return ImageInput(channels, _edge(given), tuple(map(float, mean)), tuple(map(float, std)))


def _edge(size: Any) -> int:
    """One number of a size, which processors write as 224, [224, 224], {"shortest_edge": 224}, ..."""
    if isinstance(size, Mapping):
        size = next((size[key] for key in ("height", "shortest_edge", "longest_edge") if size.get(key)), None)
    if isinstance(size, list | tuple):
        size = size[0] if size else None
    return _USUAL_SIZE if size is None else int(size)
