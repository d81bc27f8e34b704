"""DICOM to PNG, NIfTI and NPZ: a folder of new files, whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np

from fivefold.data.table import Problem
from fivefold.errors import DataError, StorageError
from fivefold.files import written_aside
from fivefold.images.decode import encode_png
from fivefold_healthcare.dicom.files import find_instances
from fivefold_healthcare.dicom.geometry import measure
from fivefold_healthcare.dicom.inspection import picture_findings
from fivefold_healthcare.dicom.nifti import write_nifti
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.planes import Plane
from fivefold_healthcare.dicom.series import Series, Stack, group_series
from fivefold_healthcare.dicom.volume import Volume, assemble, read_values
from fivefold_healthcare.dicom.window import Window

Kind = Literal["png", "nifti", "npz"]
Gaps = Literal["refuse", "keep", "fill"]
Duplicates = Literal["refuse", "first"]

_ODD = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True)
class Converted:
    """What came of a conversion.

    Attributes:
        files: written, relative to the folder.
        problems: what could not be converted.
        notes: what is to be known of what was.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def convert(
    source: Path, out: Path, kind: Kind, *, window: Window, gaps: Gaps, duplicates: Duplicates = "refuse"
) -> Converted:
    """Write what ``source`` holds into the new folder ``out``; the source is only read.

    PNG are pictures as a viewer shows them, one a frame, in the order of their places. NIfTI and NPZ hold volumes of
    modality values, one a stack; NPZ with ``values`` (D, H, W), ``affine`` (4, 4) in DICOM's coordinates (LPS) and
    ``spacing`` (3,) in mm.

    Args:
        source: files, a folder, a DICOMDIR or a zip archive.
        out: where to; must not be there yet.
        kind: what to write.
        window: how values become grey levels of PNG.
        gaps: what to do where slices of a volume are missing; see `assemble`.
        duplicates: what to do where images of a volume lie at one place with different pixels; see `assemble`.

    Raises:
        DataError: nothing is there, or nothing could be converted.
        StorageError: ``out`` is there already, or cannot be written.
    """
    if out.exists():
        raise StorageError(f"{out}: expected a folder that is not there yet, found one; choose another")
    found = find_instances(source)
    problems = list(found.problems)
    notes: list[str] = []
    files: list[str] = []
    with written_aside(out) as part:
        part.unlink()
        part.mkdir()
        for number, series in enumerate(group_series(found.instances), start=1):
            notes += [finding.text for finding in series.findings]
            for place, stack in enumerate(series.stacks, start=1):
                name = _name(number, series, place)
                try:
                    written, told = _write(stack, part, name, kind, window, gaps, duplicates)
                except DataError as error:
                    problems.append(Problem(name, _reason(str(error), part, out, series)))
                    continue
                files += written
                notes += told
        if not files:
            reasons = f": {problems[0].reason}" if problems else ""
            raise DataError(f"{source}: expected DICOM images to convert, found none that can be{reasons}")
    return Converted(tuple(files), tuple(problems), tuple(dict.fromkeys(notes)))


def _reason(error: str, part: Path, out: Path, series: Series) -> str:
    """The error, by the place that the file was to have: the folder is written aside, and gone when this is read."""
    if str(part) not in error:
        return error
    called = series.description or series.uid or series.instances[0].name
    return f"series {f'{series.modality} {called}'.strip()}: {error.replace(str(part), str(out))}"


def _name(number: int, series: Series, place: int) -> str:
    """``001-CT-thorax``: number, modality and description of the series, and its stack where there are several."""
    words = [f"{number:03d}", series.modality, _ODD.sub("-", series.description).strip("-").lower()[:40]]
    if len(series.stacks) > 1:
        words.append(f"stack{place}")
    return "-".join(word for word in words if word)


def _write(
    stack: Stack, folder: Path, name: str, kind: Kind, window: Window, gaps: Gaps, duplicates: Duplicates
) -> tuple[list[str], list[str]]:
    """Write one stack; names of files, and what is to be known of it."""
    if kind == "png":
        geometry = measure(stack.planes)
        ordered = [stack.planes[place] for place in geometry.order] or list(stack.planes)
        copies = [stack.planes[other] for _, other in geometry.copies]
        return list(_pictures([*ordered, *copies], folder, name, window)), list(picture_findings(geometry))
    with TemporaryDirectory(prefix=".slices-", dir=folder) as aside:
        volume = assemble(
            stack, read_values, gaps=gaps, duplicates=duplicates, out=Path(aside) / "values.npy"
        )
        file = _volume(volume, folder, name, kind)
    return [file], [finding.text for finding in volume.geometry.findings]


def _pictures(planes: list[Plane], folder: Path, name: str, window: Window) -> Iterator[str]:
    target = folder / name
    target.mkdir()
    try:
        for number, plane in enumerate(planes):
            pixels = Pixels(plane.instance.path, plane.name, plane.instance.header)
            file = target / f"{number:04d}.png"
            file.write_bytes(encode_png(pixels.picture(plane.frame, window)))
            yield f"{name}/{file.name}"
    except DataError:
        shutil.rmtree(target)
        raise


def _volume(volume: Volume, folder: Path, name: str, kind: Kind) -> str:
    if kind == "nifti":
        write_nifti(volume, folder / f"{name}.nii.gz")
        return f"{name}.nii.gz"
    geometry = volume.geometry
    np.savez_compressed(
        folder / f"{name}.npz",
        values=volume.values,
        affine=geometry.affine,
        spacing=np.array(geometry.spacing),
    )
    return f"{name}.npz"
