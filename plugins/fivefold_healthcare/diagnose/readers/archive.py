"""NPZ archives as MedMNIST ships them: ``train_images``, ``train_labels``, ``val_images`` and so on.

Images are uint8 ``(N, H, W)`` or ``(N, H, W, 3)``, volumes ``(N, D, H, W)``; labels ``(N, 1)``, or ``(N, L)`` of yes
and no (Yang et al., MedMNIST v2, Scientific Data 10 (2023)). Pickled members are refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fivefold.data.arrays import npz_arrays, npz_names
from fivefold.data.labels import texts
from fivefold.data.table import Array, Table
from fivefold.errors import DataError
from fivefold.images.samples import unlabelled_arrays
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.labels import patterns

SPLITS = ("train", "val", "test")
_IMAGES = (3, 4)  # axes of an array of grey images, and of colour images or volumes
_LABELS = 2
_COLOUR = 3


def recognise(source: Path) -> str | None:
    """In words what ``source`` is, or None where it is no NPZ file of labelled images."""
    if source.suffix.lower() != ".npz" or not source.is_file():
        return None
    splits = [split for split in SPLITS if {f"{split}_images", f"{split}_labels"} <= npz_names(source)]
    return f"NPZ images with labels ({', '.join(splits)})" if splits else None


def read(source: Path, config: DiagnoseConfig) -> Table:
    """The labelled images of every split that the archive has.

    Raises:
        DataError: the archive is broken, or images and labels do not fit each other.
    """
    arrays = npz_arrays(source, ("images", "labels"))
    splits = [split for split in SPLITS if f"{split}_images" in arrays]
    if not splits:
        raise DataError(
            f"{source}: expected 'train_images' and 'train_labels', found {', '.join(arrays) or 'nothing'}"
        )
    images = [_images(arrays[f"{split}_images"], f"{source}, '{split}_images'") for split in splits]
    labels = [_labels(arrays, split, source) for split in splits]
    if len({image.shape[1:] for image in images}) > 1 or len({label.shape[1] for label in labels}) > 1:
        raise DataError(f"{source}: expected images and labels of one shape in every split, found several")
    columns: dict[str, Array] = {
        "id": texts(
            [
                f"{split}[{row}]"
                for split, image in zip(splits, images, strict=True)
                for row in range(len(image))
            ]
        ),
        "image": np.concatenate(images),
    }
    if len(splits) > 1:
        columns["split"] = texts([split for split, image in zip(splits, images, strict=True) for _ in image])
    split = "split" if len(splits) > 1 else None
    answers = np.concatenate(labels)
    several = config.task == "multi" or (config.task == "auto" and answers.shape[1] > 1)
    _check_names(answers.shape[1], config, source, several=several)
    if several:
        truth = _yes_or_no(answers, source)
        return Table(
            {**columns, "truth": truth, "label": patterns(truth)}, str(source), label="label", split=split
        )
    if answers.shape[1] > 1:
        raise DataError(
            f"{source}: expected one label an image for the task '{config.task}', found {answers.shape[1]}; "
            "take multi"
        )
    codes = _codes(answers[:, 0], source)
    return Table(
        {**columns, "label": codes},
        str(source),
        label="label",
        classes=_classes(codes, config, source),
        split=split,
    )


def _check_names(count: int, config: DiagnoseConfig, source: Path, *, several: bool) -> None:
    """Refuse names that the archive has no place for."""
    labels = config.columns.labels
    if len(labels) > 1 and len(labels) != count:
        raise DataError(
            f"{source}: expected a label for each of {', '.join(labels)}, found {count} labels an image; "
            "name them all by --columns.labels, or none"
        )
    if several and config.class_names:
        raise DataError(
            f"{source}: expected one label an image, whose classes --class-names names, found {count}; name "
            "several labels by --columns.labels"
        )


def label_names(table: Table, config: DiagnoseConfig) -> tuple[str, ...]:
    """Names of several labels: as configured where there are as many, else numbered."""
    count, labels = table["truth"].shape[1], config.columns.labels
    return labels if len(labels) == count else tuple(f"label {place}" for place in range(count))


def read_inputs(source: Path) -> Table:
    """Every image of the archive, for prediction: arrays called ``images`` or ``..._images``."""
    arrays = unlabelled_arrays(source)
    images = [_images(array, f"{source}, '{name}'") for name, array in arrays.items()]
    if len({image.shape[1:] for image in images}) > 1:
        raise DataError(f"{source}: expected images of one shape, found several")
    names = [
        f"{name.removesuffix('images').rstrip('_')}[{row}]"
        for name, array in arrays.items()
        for row in range(len(array))
    ]
    return Table({"id": texts(names), "image": np.concatenate(images)}, str(source))


def is_volumes(images: Array) -> bool:
    """Whether ``(N, ...)`` holds volumes ``(N, D, H, W)``, and not colour images ``(N, H, W, 3)``."""
    return images.ndim == _IMAGES[1] and images.shape[3] != _COLOUR


def _images(images: NDArray[Any], where: str) -> NDArray[np.uint8]:
    if images.ndim > 3 and images.shape[-1] == 1:  # noqa: PLR2004 - a last axis of one channel
        images = images[..., 0]
    if images.dtype != np.uint8 or images.ndim not in _IMAGES or 0 in images.shape[1:]:
        raise DataError(
            f"{where}: expected uint8 of shape (N, H, W), (N, H, W, 3) or (N, D, H, W), found {images.dtype} "
            f"of shape {images.shape}"
        )
    return images


def _labels(arrays: dict[str, NDArray[Any]], split: str, source: Path) -> NDArray[Any]:
    labels = arrays.get(f"{split}_labels")
    if labels is None:
        raise DataError(
            f"{source}: expected '{split}_labels' beside '{split}_images', found {', '.join(arrays)}"
        )
    if labels.ndim == 1:
        labels = labels[:, None]
    if labels.ndim != _LABELS or labels.dtype.kind not in "iuf":
        raise DataError(
            f"{source}, '{split}_labels': expected numbers of shape (N,), (N, 1) or (N, L), found "
            f"{labels.dtype} of shape {labels.shape}"
        )
    if len(labels) != len(arrays[f"{split}_images"]):
        raise DataError(
            f"{source}, '{split}_labels': expected a label for each of {len(arrays[f'{split}_images']):,} "
            f"images, found {len(labels):,}"
        )
    return labels


def _codes(labels: NDArray[Any], source: Path) -> NDArray[np.int64]:
    wrong = ~np.isfinite(labels) | (labels != np.floor(np.nan_to_num(labels))) | (np.nan_to_num(labels) < 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{source}, label {row}: expected a whole number from 0, found {labels[row]}; several labels may "
            "be missing (--task multi), a single one may not"
        )
    return labels.astype(np.int64)


def _classes(codes: NDArray[np.int64], config: DiagnoseConfig, source: Path) -> tuple[str, ...]:
    count = int(codes.max(initial=-1)) + 1
    if not config.class_names:
        return tuple(str(code) for code in range(max(count, 2)))
    if count > len(config.class_names):
        raise DataError(
            f"{source}: unknown label {count - 1}: class_names names {len(config.class_names)} classes, "
            "numbered from 0; add its name there"
        )
    return config.class_names


def _yes_or_no(labels: NDArray[Any], source: Path) -> NDArray[np.float32]:
    values = labels.astype(np.float32)
    wrong = ~(np.isnan(values) | (values == 0) | (values == 1))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{source}, label {column} of image {row}: expected 1, 0 or nan where several labels are asked, "
            f"found {labels[row, column]}"
        )
    return values
