"""Images to learn from: with or without classes, as uint8 tensors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fivefold.data.dataset import Batch, Dataset, Facts, TensorDataset, table_targets
from fivefold.data.splits import Splits
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.decode import is_image
from fivefold.images.loading import Shape
from fivefold.images.samples import channels_first
from fivefold_vision.files import ImageFiles
from fivefold_vision.readers import idx, npz
from fivefold_vision.readers.choose import read_input_table, read_table, recognise
from fivefold_vision.readers.options import Options

FEWEST = 3
"""Images that can be split into training, validation and test."""


def recognise_images(source: Path, options: Options) -> str | None:
    """In words what ``source`` is, or None where it holds no images."""
    found = recognise(source, options)
    if found is None and source.is_dir() and any(is_image(file) for file in source.iterdir()):
        return "a folder of images without classes"
    return found


def read_images(source: Path, options: Options, *, labelled: bool) -> Table:
    """Images, or where they lie, with their classes where the source has some.

    Args:
        source: whatever `fivefold_vision.readers` read.
        options: names of columns and classes.
        labelled: whether there must be classes.

    Raises:
        DataError: nothing is there, no reader knows it, or there are fewer images than can be split.
    """
    try:
        table = read_table(source, options)
    except DataError:
        if labelled or options.named or not _needs_no_labels(source):
            raise
        table = read_input_table(source, options)
    found = len(table) + len(table.problems)
    if 0 < found < FEWEST:
        raise DataError(
            f"{source}: expected {FEWEST} images or more, to learn from some and judge by others, "
            f"found {found}; add images"
        )
    return table


def require_every_class(table: Table) -> None:
    """Refuse a class that nothing can be learned of.

    Raises:
        DataError: a class has no image.
    """
    counts = np.bincount(table[str(table.label)], minlength=len(table.classes))
    empty = [name for name, count in zip(table.classes, counts, strict=True) if not count]
    if empty:
        raise DataError(
            f"{table.source}: expected images of each of {len(table.classes)} classes, found none of '{empty[0]}'; "
            "add some, or leave it out of the names of classes"
        )


def fewer_judged(splits: Splits, while_training: int, at_the_end: int, seed: int) -> Splits:
    """The splits with at most so many images to judge on, drawn at random.

    Args:
        splits: of all images.
        while_training: validation images, at most.
        at_the_end: test images, at most.
        seed: of the draw.
    """
    val, test = _drawn(splits.val, while_training, seed), _drawn(splits.test, at_the_end, seed)
    if len(val) == len(splits.val) and len(test) == len(splits.test):
        return splits
    drawn = f"{len(val):,} validation and {len(test):,} test rows"
    how = f"{splits.how} Of these, {drawn} were drawn at random to judge on."
    return replace(splits, val=val, test=test, how=how)


def image_samples(table: Table, shape: Shape, facts: Facts) -> Dataset:
    """The images of ``table`` as samples.

    Batches hold ``input`` uint8 ``(B, C, S, S)``, ``index`` int64 ``(B,)``, the number in this data set, ``judged``
    int64 ``(B,)``, the size of it, and where the source has classes ``label`` int64 ``(B,)``.

    Args:
        table: with a column ``image`` (held in memory) or ``path`` (decoded when asked for).
        shape: what the images have been, or are to be, brought to.
        facts: of the training split.
    """
    numbers = numbering(len(table))
    if "image" not in table:
        return NumberedFiles(table, shape, facts)
    images = channels_first(table["image"], colour=shape.channels > 1)
    tensors = {"input": torch.from_numpy(images), **numbers}
    label = table_targets(table)
    if label is not None:
        tensors["label"] = label
    return TensorDataset(tensors, facts=facts, ids=table.ids, units=table.units)


class NumberedFiles(ImageFiles):
    """Images on disk with their numbers in this data set, decoded when asked for."""

    labels = "label"

    def __init__(self, table: Table, shape: Shape, facts: Facts) -> None:
        super().__init__(table, shape, facts)
        self._numbers = numbering(len(table))

    def batch(self, indices: Tensor) -> Batch:
        """Decode the images at ``indices``."""
        return super().batch(indices) | {name: values[indices] for name, values in self._numbers.items()}


def labels_of(samples: Dataset) -> NDArray[np.int64] | None:
    """Every sample's class, ``(N,)``; None where there are no classes."""
    held = samples.tensors()
    targets = samples.targets() if held is None else held.get("label")
    return None if targets is None else np.asarray(targets.numpy(), dtype=np.int64)


def numbering(count: int) -> Batch:
    """``index`` and ``judged`` of ``count`` samples."""
    return {"index": torch.arange(count), "judged": torch.full((count,), count)}


def _drawn(table: Table, most: int, seed: int) -> Table:
    if len(table) <= most:
        return table
    # A stream of its own beside the seed's other uses.
    rows = np.random.default_rng([seed, 0x6E4]).permutation(len(table))[:most]
    return table.take(np.sort(rows))


def _needs_no_labels(source: Path) -> bool:
    """Whether images are to be found there by a reader of inputs, for certain."""
    if idx.recognise(source) or npz.recognise(source):
        return True
    if source.is_dir():
        return any(is_image(file) for file in source.rglob("*"))
    return is_image(source) or source.suffix.lower() in {".csv", ".npz"}
