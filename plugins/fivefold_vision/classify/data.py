"""Image samples as tensors: uint8, because the network scales them on the device."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fivefold.data.dataset import Dataset, Facts, TensorDataset, table_targets
from fivefold.data.table import Table
from fivefold.images.loading import Shape, load_rows
from fivefold.images.samples import channels_first
from fivefold.images.statistics import channel_statistics
from fivefold_vision.files import ImageFiles

MEASURED = 1024
"""Images on disk that mean and spread are measured on."""


def image_dataset(table: Table, shape: Shape, *, facts: Facts | None) -> Dataset:
    """The images of ``table`` as samples: ``input`` uint8 ``(B, C, H, W)``, ``target`` int64 ``(B,)``.

    Where the table has no labels, the samples have no target.

    Args:
        table: with a column ``image`` (held in memory) or ``path`` (decoded when asked for).
        shape: what the images have been, or are to be, brought to.
        facts: of the training split, where known; else this is the training split, and they are measured.
    """
    if "image" in table:
        images = channels_first(table["image"], colour=shape.channels > 1)
        facts = facts or measure(table, images, shape)
        tensors = {"input": torch.from_numpy(images)}
        target = table_targets(table)
        if target is not None:
            tensors["target"] = target
        return TensorDataset(tensors, facts=facts, ids=table.ids, units=table.units)
    if facts is None:
        rows = np.unique(np.linspace(0, len(table) - 1, MEASURED).astype(int))
        read = load_rows([str(table["path"][row]) for row in rows], shape)
        sample = channels_first(read, colour=shape.channels > 1)
        facts = measure(table, sample, shape)
    return ImageFiles(table, shape, facts)


def measure(table: Table, images: NDArray[np.uint8], shape: Shape) -> Facts:
    """Facts of a training split: classes and their counts, image shape, mean and spread of each channel.

    Args:
        table: the samples.
        images: all of them or an even choice, uint8 ``(N, C, H, W)``.
        shape: what they were brought to.
    """
    mean, spread = channel_statistics(images)
    facts = Facts(
        classes=list(table.classes),
        size=list(shape.size),
        channels=shape.channels,
        mean=mean,
        std=spread,
    )
    if table.label is not None:
        facts["class_counts"] = np.bincount(table[table.label], minlength=len(table.classes)).tolist()
    if table.group is not None:
        facts["unit"] = table.group
    return facts
