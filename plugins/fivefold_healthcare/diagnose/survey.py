"""What the images of a source look like, and the form to bring them to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fivefold.data.dataset import Facts
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.loading import SMALL, SURVEYED, in_threads
from fivefold.nn.image_network import has_published_weights
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.form import Form
from fivefold_healthcare.diagnose.medical import read_medical
from fivefold_healthcare.diagnose.readers.archive import is_volumes
from fivefold_healthcare.dicom.window import Window

IMAGE, PRETRAINED, VOLUME = 128, 224, 64
"""Sides that images are brought to without and with published weights, and volumes."""

_COLOUR = 4  # axes of an array of colour images


@dataclass(frozen=True)
class Seen:
    """What images look like.

    Attributes:
        sizes: every size met, without channels.
        colour: whether one has colour.
        volumes: whether they are volumes.
    """

    sizes: frozenset[tuple[int, ...]]
    colour: bool
    volumes: bool


def decide_form(
    table: Table, config: DiagnoseConfig, facts: Facts | None, backbone: Mapping[str, Any] | None
) -> Form:
    """The form of every image: as trained, as configured, else as the images are.

    Args:
        table: with a column ``image`` or ``path``.
        config: the settings.
        facts: of the training split, where known.
        backbone: of `describe_backbone`.

    Raises:
        ConfigError: the window cannot be read.
        DataError: images and volumes are mixed.
    """
    window = Window.parse(config.window)
    if facts is not None:
        height, width = facts.size
        return Form((height, width), facts.channels, facts.get("depth"), config.fit, window)
    seen = _of_arrays(table) if "image" in table else _of_files(table, window)
    common = next(iter(seen.sizes)) if len(seen.sizes) == 1 and max(next(iter(seen.sizes))) <= SMALL else None
    if seen.volumes:
        depth, height, width = common or (VOLUME, VOLUME, VOLUME)
        side = config.size
        return Form((side or height, side or width), 1, config.depth or depth, config.fit, window)
    if config.size:
        size = (config.size, config.size)
    elif has_published_weights(config.model):
        side = PRETRAINED if backbone is None else int(backbone["size"])
        size = (side, side)
    else:
        size = (common[0], common[1]) if common else (IMAGE, IMAGE)
    return Form(size, config.channels or (3 if seen.colour else 1), None, config.fit, window)


def _of_arrays(table: Table) -> Seen:
    images = table["image"]
    volumes = is_volumes(images)
    colour = images.ndim == _COLOUR and not volumes
    return Seen(frozenset({images.shape[1:3] if colour else images.shape[1:]}), colour, volumes)


def _of_files(table: Table, window: Window) -> Seen:
    rows = np.unique(np.linspace(0, len(table) - 1, SURVEYED).astype(int)) if len(table) else np.arange(0)
    sizes: set[tuple[int, ...]] = set()
    kinds: set[bool] = set()
    colour = False
    for found in in_threads(lambda path: _looked_at(path, window), [str(table["path"][row]) for row in rows]):
        if found is not None:
            sizes.add(found[0])
            kinds.add(found[2])
            colour = colour or found[1]
    if len(kinds) > 1:
        raise DataError(
            f"{table.source}: expected images or volumes, found both; keep them apart, each in a table of its own"
        )
    return Seen(frozenset(sizes), colour, kinds == {True})


def _looked_at(path: str, window: Window) -> tuple[tuple[int, ...], bool, bool] | None:
    """Size, whether it has colour, whether it is a volume; None where it cannot be read, which loading tells of."""
    try:
        array, volume = read_medical(path, window)
    except DataError:
        return None
    coloured = not volume and array.ndim == 3 and bool((array.max(axis=2) != array.min(axis=2)).any())  # noqa: PLR2004 - axes of a colour image
    return array.shape if volume else array.shape[:2], coloured, volume
