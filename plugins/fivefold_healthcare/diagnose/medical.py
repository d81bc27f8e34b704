"""Any medical file as grey levels or colours: DICOM, NIfTI, and the formats of photos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold.images.decode import check_whole, is_image, read_bytes, read_image
from fivefold_healthcare.diagnose.cases import Case
from fivefold_healthcare.dicom.files import ENDINGS, Instance, find_instances, is_dicom, read_header
from fivefold_healthcare.dicom.nifti import read_nifti
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.series import group_series
from fivefold_healthcare.dicom.volume import Volume, assemble, read_values
from fivefold_healthcare.dicom.window import Window, grey_levels

NIFTI = (".nii", ".nii.gz")


def is_nifti(path: Path) -> bool:
    """Whether the name of ``path`` ends as a NIfTI file's does."""
    return path.name.lower().endswith(NIFTI)


def is_medical(path: Path) -> bool:
    """Whether ``path`` is a file of one of the kinds that are read; DICOM by content, the others by name."""
    return is_image(path) or is_nifti(path) or is_called_dicom(path)


def is_called_dicom(path: Path) -> bool:
    """Whether ``path`` is DICOM by its content, or ought to be by its name."""
    return path.suffix.lower() in ENDINGS or is_dicom(path)


def path_case(path: Path, name: str) -> Case:
    """A single file as a case, with its header where it is DICOM.

    Raises:
        DataError: it is DICOM whose header cannot be read, or of a kind that is not read.
    """
    if not is_medical(path):
        raise DataError(
            f"{name}: expected DICOM, NIfTI, or an image such as PNG, JPEG or TIFF, found a file of another "
            "kind; convert it"
        )
    if is_called_dicom(path):
        return Case(name, str(path), headers=(read_header(path, name),))
    return Case(name, str(path))


def folder_cases(folder: Path, name: str) -> tuple[Case, ...]:
    """Every DICOM series below ``folder`` as a case.

    Raises:
        DataError: a file in it ought to be DICOM and cannot be read, or there is none.
    """
    found = find_instances(folder)
    if found.problems:
        raise DataError(found.problems[0].reason)
    if not found.instances:
        raise DataError(f"{name}: expected DICOM files in this folder, found none")
    return tuple(
        Case(
            f"{name}: {series.modality} {series.description or series.uid}".strip(),
            "\n".join(str(one.path) for one in series.instances),
            headers=tuple(one.header for one in series.instances),
        )
        for series in group_series(found.instances)
    )


def read_medical(path: str, window: Window) -> tuple[NDArray[np.uint8], bool]:
    """The picture or volume at ``path``, and whether it is a volume.

    Args:
        path: of a file; the files of a series stand one a line.
        window: how values become grey levels.

    Returns:
        ``(H, W)`` or ``(H, W, 3)`` and False, or ``(D, H, W)`` and True.

    Raises:
        DataError: it cannot be read.
    """
    files = path.splitlines()
    if len(files) > 1:
        return volume_levels(series_volume(files), window, Pixels(Path(files[0]))), True
    file = Path(files[0])
    if is_nifti(file):
        return _nifti_levels(read_nifti(file), window)
    if is_called_dicom(file):
        pixels = Pixels(file)
        if pixels.layout.frames > 1:
            return _frames(pixels, window), True
        return pixels.picture(0, window), False
    return read_image(file), False


def check_medical(path: str) -> None:
    """A cheap look at what is to be read later: headers and lengths.

    Raises:
        DataError: a file cannot be read.
    """
    for line in path.splitlines():
        file = Path(line)
        if is_nifti(file):
            read_nifti(file)
        elif is_called_dicom(file):
            Pixels(file)
        else:
            check_whole(read_bytes(file), line)


def series_volume(files: list[str]) -> Volume:
    """The files of one series as a volume of modality values, ordered by their positions.

    Raises:
        DataError: they are several stacks, or have gaps.
    """
    instances = tuple(Instance(file, Path(file), read_header(Path(file), file)) for file in files)
    series = group_series(instances)
    if len(series) != 1:
        raise DataError(f"{files[0]}: expected files of one series, found {len(series)}; keep series apart")
    return assemble(series[0], read_values)


def volume_levels(volume: Volume, window: Window, first: Pixels) -> NDArray[np.uint8]:
    """Modality values as grey levels: by one window for all slices, that of the first where the file decides."""
    values = volume.values
    if window.kind == "auto":
        attributes = first.attributes(0)
        centre, width = attributes.get("WindowCenter"), attributes.get("WindowWidth")
        if centre is not None and width is not None:
            window = Window("given", _first(centre), max(_first(width), 1e-6))
        else:
            window = Window("full")
    if first.inverted(0):
        return 255 - grey_levels(values, *window.inverted().bounds(values))
    return grey_levels(values, *window.bounds(values))


def _frames(pixels: Pixels, window: Window) -> NDArray[np.uint8]:
    """The frames of one file, grey: colour is averaged, because the third axis is taken."""
    frames = [pixels.picture(frame, window) for frame in range(pixels.layout.frames)]
    grey = [frame if frame.ndim == 2 else frame.mean(axis=2).round() for frame in frames]  # noqa: PLR2004 - axes of a grey image
    return np.stack(grey).astype(np.uint8)


def _nifti_levels(volume: Volume, window: Window) -> tuple[NDArray[np.uint8], bool]:
    window = Window("full") if window.kind == "auto" else window
    levels = grey_levels(volume.values, *window.bounds(volume.values))
    return (levels[0], False) if len(levels) == 1 else (levels, True)


def _first(value: object) -> float:
    """The first of one or several numbers."""
    return float(value[0] if isinstance(value, (list, tuple)) or hasattr(value, "append") else value)  # type: ignore[arg-type, index]  # pydicom's values are untyped
