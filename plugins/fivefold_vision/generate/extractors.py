"""Feature extractors by name, by which generated images are judged.

- ``efficientnet-lite0``: trained on ImageNet, fetched through the package index; ``efficientnet-lite0@112`` looks at
  images of 112 pixels, in a quarter of the time, and is another measure.
- ``runs/vision-classify/NAME``: the network of a run of vision/classify, at its last layer but one.
- ``inception:FILE.safetensors``: the network of published FIDs, with weights that the user has.
- ``pixels``: the pixels themselves, of images up to 28 by 28.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from fivefold.data.sources.base import Progress
from fivefold.errors import ConfigError, DataError
from fivefold.nn.efficientnet import EfficientNetLite0, efficientnet_lite0_imagenet
from fivefold_vision.generate.extractor import Extractor
from fivefold_vision.generate.inception import WIDTH, InceptionV3, fitting
from fivefold_vision.generate.trained_classifier import TrainedClassifier

EFFICIENTNET, PIXELS, INCEPTION = "efficientnet-lite0", "pixels", "inception"
DEFAULT = EFFICIENTNET
KNOWN = f"{EFFICIENTNET}, {EFFICIENTNET}@SIZE, the directory of a run of vision/classify, {INCEPTION}:FILE, {PIXELS}"

MOST_PIXELS = 28
"""Edge of the largest images whose pixels are features: 784 numbers for each channel."""
LEAST_SIZE, MOST_SIZE = 32, 512
"""Edges of images that EfficientNet-Lite0 looks at: its maps are a 32nd of it."""
_CHANNELS = (1, 3)
_HALF = 127.5  # of 0 to 255, where images are in [-1, 1]


def build_extractor(name: str, *, size: int, channels: int, progress: Progress | None = None) -> Extractor:
    """The extractor called ``name``, in evaluation mode on the CPU.

    Args:
        name: see above.
        size: edge of the images to judge.
        channels: of the images to judge, 1 or 3.
        progress: called with a name, bytes done and bytes in all while weights are fetched.

    Raises:
        ConfigError: there is no such extractor, or it does not fit images of this size and these channels.
        DataError: weights cannot be fetched or read, or are another network's.
        RunError: the run has no trained weights.
    """
    if channels not in _CHANNELS:
        raise ConfigError(
            f"extractor: expected images of 1 or 3 channels to judge, found {channels}; convert them to grey or RGB"
        )
    kind, _, rest = name.partition("@")
    if kind == EFFICIENTNET:
        return EfficientNetFeatures(channels, _edge(name, rest), progress=progress)
    if name == PIXELS:
        return PixelFeatures(size, channels)
    if name.startswith(f"{INCEPTION}:"):
        return InceptionFeatures(Path(name.removeprefix(f"{INCEPTION}:")).expanduser())
    path = Path(name).expanduser()
    if path.is_dir():
        return TrainedClassifier(path, channels)
    raise ConfigError(
        f"extractor '{name}' is not known, and no such directory is there; expected one of {KNOWN}"
    )


class EfficientNetFeatures(Extractor):
    """The mean over places of EfficientNet-Lite0's last map: 1,280 numbers, whatever the images' size.

    Args:
        channels: 1 or 3.
        size: edge that images are brought to; None for the 224 that it was trained on.
        progress: told while its weights are fetched.
    """

    def __init__(self, channels: int, size: int | None = None, *, progress: Progress | None = None) -> None:
        super().__init__(
            EFFICIENTNET if size is None else f"{EFFICIENTNET}@{size}", EfficientNetLite0.features
        )
        self.network = efficientnet_lite0_imagenet(channels=channels, progress=progress)
        # The layout in which its narrow convolutions are fastest, by a third on a CPU.
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload] # torch's types lack it
        self._size = size or self.network.image.size
        self.eval()

    def features(self, images: Tensor) -> Tensor:
        """Of a few images ``(B, C, S, S)`` in ``[-1, 1]``: ``(B, 1280)``."""
        seen = self.network.image
        pixels = _resized((images + 1) / 2, self._size).contiguous(memory_format=torch.channels_last)
        maps = self.network.feature_map((pixels - seen.mean[0]) / seen.std[0])
        return maps.mean(dim=(2, 3))


class PixelFeatures(Extractor):
    """The pixels themselves, as numbers from -1 to 1.

    Args:
        size: edge of the images.
        channels: 1 or 3.

    Raises:
        ConfigError: the images are larger than 28 by 28.
    """

    def __init__(self, size: int, channels: int) -> None:
        if size > MOST_PIXELS:
            raise ConfigError(
                f"extractor '{PIXELS}': expected images of at most {MOST_PIXELS}x{MOST_PIXELS} pixels, found {size}x"
                f"{size}; choose {EFFICIENTNET}, which takes any size"
            )
        super().__init__(PIXELS, channels * size**2)

    def features(self, images: Tensor) -> Tensor:
        """Of a few images ``(B, C, S, S)``: ``(B, C S S)``."""
        return images.flatten(1)


class InceptionFeatures(Extractor):
    """The network of published FIDs, from the user's own file.

    pytorch-fid and torch-fidelity publish the weights as a state dict in a pickle; this opens none. Where you trust the
    file, ``safetensors.torch.save_file(torch.load(FILE, weights_only=True), "inception.safetensors")`` rewrites it.

    Args:
        file: safetensors, under the names that these two use.

    Raises:
        ConfigError: there is no such file.
        DataError: it is no safetensors file, or holds another network's weights.
    """

    at_once = 32

    def __init__(self, file: Path) -> None:
        super().__init__("inception-v3", WIDTH)
        if not file.is_file():
            raise ConfigError(
                f"{file}: expected a safetensors file with the weights of FID's Inception-v3, found no file; "
                f"give its path after '{INCEPTION}:', or choose {EFFICIENTNET}"
            )
        try:
            weights: dict[str, Tensor] = load_file(file, device="cpu")
        except SafetensorError as error:
            raise DataError(
                f"{file}: expected safetensors, found something else ({error}); rewrite a PyTorch file by "
                "safetensors.torch.save_file(torch.load(FILE, weights_only=True), NEW)"
            ) from error
        reason = fitting(weights)
        if reason is not None:
            raise DataError(
                f"{file}: expected the weights of FID's Inception-v3 as pytorch-fid names them, but {reason}; give "
                "that file"
            )
        self.network = InceptionV3()
        self.network.load_state_dict(weights)
        self.eval()

    def features(self, images: Tensor) -> Tensor:
        """Of a few images ``(B, C, S, S)`` in ``[-1, 1]``: ``(B, 2048)``."""
        found: Tensor = self.network(((images + 1) * _HALF).expand(-1, 3, -1, -1))
        return found


def _edge(name: str, text: str) -> int | None:
    """The size after ``@``, None where there is none."""
    if "@" not in name:
        return None
    if not text.isdecimal() or not LEAST_SIZE <= int(text) <= MOST_SIZE:
        raise ConfigError(
            f"extractor '{name}': expected a size of {LEAST_SIZE} to {MOST_SIZE} after '@', found '{text}'; "
            f"give one, such as {EFFICIENTNET}@112"
        )
    return int(text)


def _resized(images: Tensor, size: int) -> Tensor:
    """Bilinear, and averaged where images shrink (Parmar et al. 2022, arXiv:2104.11222)."""
    if images.shape[2:] == (size, size):
        return images
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True, align_corners=False)
