"""Tables from images that a source holds as arrays (IDX, NPZ, pixel CSV)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.labels import texts
from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold_vision.readers.options import names_of_codes

_GREY = 3  # axes of an array of grey images


@dataclass(frozen=True)
class Part:
    """One array of images, with its labels where there are any.

    Attributes:
        name: what its samples are called: ``train_images`` makes ``train_images[17]``.
        images: uint8, ``(N, H, W)`` or ``(N, H, W, 3)``.
        labels: ``(N,)`` or ``(N, 1)`` whole numbers, or None.
        split: ``train``, ``val`` or ``test`` where the source says so.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[Any] | None = None
    split: str | None = None


def array_table(parts: list[Part], source: Path, *, folder: Path, class_names: tuple[str, ...] = ()) -> Table:
    """One table of all parts; it has a split column where every part names its split.

    Raises:
        DataError: images and labels do not fit each other, or the parts do not.
    """
    labels = [_labels(part, source) for part in parts if part.labels is not None]
    images = [_images(part, source) for part in parts]
    shapes = {image.shape[1:] for image in images}
    if len(shapes) > 1:
        raise DataError(
            f"{source}: expected images of one shape, found {' and '.join(map(str, sorted(shapes)))}"
        )
    columns: dict[str, Array] = {
        "id": texts([f"{part.name}[{row}]" for part in parts for row in range(len(part.images))]),
        "image": np.concatenate(images) if len(images) > 1 else images[0],
    }
    labelled = len(labels) == len(parts)
    if labelled:
        columns["label"] = np.concatenate(labels)
    split = len(parts) > 1 and all(part.split for part in parts)
    if split:
        columns["split"] = texts([str(part.split) for part in parts for _ in range(len(part.images))])
    return Table(
        columns,
        source=str(source),
        label="label" if labelled else None,
        classes=names_of_codes(labels, folder, source, class_names) if labelled else (),
        split="split" if split else None,
    )


def _images(part: Part, source: Path) -> NDArray[np.uint8]:
    images = part.images
    if images.shape[3:] == (1,):
        images = images[:, :, :, 0]
    if images.dtype != np.uint8 or images.ndim < _GREY or images.shape[3:] not in {(), (3,)}:
        raise DataError(
            f"{source}, '{part.name}': expected uint8 images of shape (N, H, W) or (N, H, W, 3), "
            f"found {images.dtype} of shape {images.shape}"
        )
    if 0 in images.shape[1:]:
        raise DataError(f"{source}, '{part.name}': expected images with pixels, found shape {images.shape}")
    return images


def _labels(part: Part, source: Path) -> NDArray[np.int64]:
    labels = np.asarray(part.labels)
    if labels.shape[1:] == (1,):
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(
            f"{source}, labels of '{part.name}': expected one whole number an image, found {labels.dtype} of "
            f"shape {labels.shape}; several labels an image are another task"
        )
    if len(labels) != len(part.images):
        raise DataError(
            f"{source}, '{part.name}': expected a label for each of {len(part.images):,} images, "
            f"found {len(labels):,}"
        )
    return labels.astype(np.int64)
