"""What a reader may be told, and the small things that every reader does alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fivefold.data import splits
from fivefold.data.table import Array
from fivefold.errors import DataError
from fivefold_vision.readers.config import ColumnsConfig, ImagesConfig

SPLIT_NAMES = {**splits.SPLIT_NAMES, "t10k": "test"}
"""Names that sources of images give their splits, MNIST's among them, and ours."""

CLASSES_FILE = "classes.txt"
"""Beside numbered labels: the names of the classes, one a line, in the order of their numbers."""


@dataclass(frozen=True)
class Options:
    """What the configuration says about reading.

    Attributes:
        class_names: names of numbered classes, in order; empty takes ``classes.txt`` or the numbers.
        columns: names of the columns of a CSV file.
        named: those of them that the user named and that must therefore be there: option to column.
    """

    class_names: tuple[str, ...] = ()
    columns: ColumnsConfig = field(default_factory=ColumnsConfig)
    named: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, config: ImagesConfig, named: Mapping[str, str] | None = None) -> Options:
        """What a pipeline's settings say, and which columns must be there."""
        return cls(config.class_names, config.columns, named or {})


def names_of_codes(
    labels: Sequence[Array], folder: Path, source: Path, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Names of numbered classes: as ``given``, else from ``classes.txt`` in ``folder``, else the numbers.

    Args:
        labels: the codes of every part of the source.
        folder: where ``classes.txt`` may lie.
        source: for messages.
        given: the names of the configuration, empty where it has none.

    Raises:
        DataError: a code is negative or has no name.
    """
    filled = [part for part in labels if part.size]
    lowest = min((int(part.min()) for part in filled), default=0)
    highest = max((int(part.max()) for part in filled), default=-1)
    if lowest < 0:
        raise DataError(f"{source}: expected labels that count from 0, found {lowest}")
    file = folder / CLASSES_FILE
    if given:
        names, origin = given, "class_names"
    elif file.is_file():
        lines = file.read_text(encoding="utf-8-sig").splitlines()
        names, origin = tuple(line.strip() for line in lines if line.strip()), str(file)
    else:
        return tuple(str(code) for code in range(highest + 1))
    if highest >= len(names):
        raise DataError(
            f"{source}: unknown label {highest}: {origin} names {len(names)} classes, numbered from 0; "
            "add its name there"
        )
    if len(set(names)) < len(names):
        raise DataError(f"{source}: expected a different name for each class, found one twice in {origin}")
    return names
