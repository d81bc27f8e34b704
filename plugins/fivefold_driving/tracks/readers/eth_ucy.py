"""Pedestrians of ETH (Pellegrini et al. 2009) and UCY (Lerner et al. 2007) as text: frame, id, x, y in metres.

Columns stand apart by tabs or spaces. Neighbouring frames lie 0.4 s apart, whatever step their numbers have (10 in
the usual copies, 6 in others); the options may say otherwise. Of files that do not have the published names this is
an assumption, which is told (see `fivefold_driving.tracks.clocks`).
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

from fivefold.data.records import Hints, opened
from fivefold.errors import DataError
from fivefold_driving.tracks.options import Options
from fivefold_driving.tracks.rows import Clock, Gathered, Rows, Told

ENDING = ".txt"

_STEP_SECONDS = 0.4
_PUBLISHED = re.compile(
    r"(biwi_)?(eth|hotel)|univ|zara0?[123]|(crowds_)?(students00[13]|zara0[123]|uni_examples|arxiepiskopi1)"
)  # names of the recordings, and of the places of the protocol
_PART = re.compile(r"_(train|val|test)$")
_FIELDS = 4
_LOOKED_AT = 5  # lines from which the format is recognised
_LONGEST_LINE = 1_000
_HINTS = Hints(encoding=None)


def recognise(file: Path) -> bool:
    """Whether the first lines are four numbers each."""
    try:
        with file.open(encoding="utf-8") as lines:
            first = [lines.readline(_LONGEST_LINE) for _ in range(_LOOKED_AT)]
    except (OSError, UnicodeDecodeError):
        return False
    filled = [line for line in first if line.strip()]
    return bool(filled) and all(_numbers(line) is not None for line in filled)


def read(file: Path, name: str, options: Options, told: Told) -> list[Rows]:  # noqa: ARG001 - all readers are called alike
    """The one scene of a file.

    Raises:
        DataError: a line is not four numbers.
    """
    gathered = Gathered(name, str(file))
    with opened(file, "utf-8", _HINTS) as lines:
        for row, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            numbers = _numbers(line)
            if numbers is None:
                raise DataError(
                    f"{file}, row {row}: expected four numbers (frame, id, x, y) apart by tabs or spaces, found "
                    f"'{line.strip()[:60]}'; mend or remove the row"
                )
            frame, agent, x, y = numbers
            gathered.add(row, frame, f"{agent:.15g}", (x, y))
    unit = options.frame_seconds
    assumed = Clock(step=_STEP_SECONDS, assumed=not _is_published(file))
    rows = gathered.rows(Clock(unit=unit) if unit is not None else assumed)
    return [replace(rows, published=True)]


def _is_published(file: Path) -> bool:
    """Whether the file has the name of a recording of ETH/UCY, or of its place, perhaps with that of a split."""
    return _PUBLISHED.fullmatch(_PART.sub("", file.stem.lower())) is not None


def _numbers(line: str) -> list[float] | None:
    """The four numbers of a line, of which the id is finite; None where it is something else."""
    try:
        numbers = [float(field) for field in line.split()]
    except ValueError:
        return None
    return numbers if len(numbers) == _FIELDS and math.isfinite(numbers[1]) else None
