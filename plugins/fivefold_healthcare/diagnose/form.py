"""What every image of a data set is brought to, and how any medical file becomes such an array."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from fivefold.errors import DataError
from fivefold.images.decode import Fit, fit_image
from fivefold_healthcare.diagnose.medical import check_medical, read_medical
from fivefold_healthcare.dicom.window import Window

_COLOUR = 3
_VOLUME = 3


@dataclass(frozen=True)
class Form:
    """Size, channels and view of every image or volume.

    Attributes:
        size: height and width.
        channels: 1 (grey) or 3 (colour); volumes are grey.
        depth: slices of a volume; None for images.
        way: how other proportions of images are dealt with; see `fit_image`. Volumes are squashed.
        window: how values become grey levels.
    """

    size: tuple[int, int]
    channels: int
    depth: int | None = None
    way: Fit = "pad"
    window: Window = field(default_factory=Window)

    @property
    def stored(self) -> tuple[int, ...]:
        """``(H, W)``, ``(H, W, 3)`` or ``(D, H, W)``."""
        if self.depth is not None:
            return (self.depth, *self.size)
        return self.size if self.channels == 1 else (*self.size, self.channels)

    def read(self, path: str) -> NDArray[np.uint8]:
        """The image or volume at ``path`` (several files of a series stand one a line), in this form.

        Raises:
            DataError: it cannot be read, or is an image where volumes are expected, or the other way round.
        """
        array, volume = read_medical(path, self.window)
        if volume != (self.depth is not None):
            expected, found = ("volume", "image") if self.depth is not None else ("image", "volume")
            raise DataError(
                f"{path.splitlines()[0]}: expected {'an' * (expected[0] == 'i') or 'a'} {expected} as the "
                f"other samples are, found {'an' * (found[0] == 'i') or 'a'} {found} of "
                f"{' x '.join(map(str, array.shape))}; keep images and volumes apart"
            )
        return self.fit(array)

    def check(self, path: str) -> None:
        """A cheap look: headers and lengths."""
        check_medical(path)

    def fit(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Bring an image ``(H, W[, 3])`` or a volume ``(D, H, W)`` to this form."""
        if self.depth is None:
            return fit_image(array, self.size, self.channels, self.way)
        return resize_volume(array, (self.depth, *self.size))

    def unfit(self, heat: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A map ``(h, w)`` over an image in this form, over the image ``shape`` (H, W) as it was before."""
        height, width = self.size
        if self.way == "squash":
            return _resized(heat, shape[0], shape[1])
        ratios = height / shape[0], width / shape[1]
        scale = max(ratios) if self.way == "crop" else min(ratios)
        rows, columns = (max(1, round(side * scale)) for side in shape[:2])
        top, left = (rows - height) // 2, (columns - width) // 2
        whole = np.zeros((max(rows, height), max(columns, width)), np.float32)
        whole[max(top, 0) : max(top, 0) + height, max(left, 0) : max(left, 0) + width] = heat
        return _resized(
            whole[max(-top, 0) : max(-top, 0) + rows, max(-left, 0) : max(-left, 0) + columns], *shape[:2]
        )


def _resized(heat: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    values = torch.from_numpy(np.ascontiguousarray(heat))[None, None]
    return F.interpolate(values, size=(height, width), mode="bilinear", align_corners=False)[0, 0].numpy()


def resize_volume(volume: NDArray[np.uint8], size: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A volume ``(D, H, W)`` brought to ``size``: averaged over where an axis shrinks, interpolated where it grows."""
    if volume.shape == size:
        return volume
    values = torch.from_numpy(np.ascontiguousarray(volume)).float()[None, None]
    smaller = tuple(min(have, want) for have, want in zip(volume.shape, size, strict=True))
    values = F.adaptive_avg_pool3d(values, smaller)
    if smaller != size:
        values = F.interpolate(values, size=size, mode="trilinear", align_corners=False)
    return values[0, 0].round().clamp(0, 255).to(torch.uint8).numpy()
