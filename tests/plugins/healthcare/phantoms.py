"""Maker of DICOM series from arrays, and a reader of NRRD volumes to make them from."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pydicom.valuerep import DSfloat

from fivefold_healthcare.dicom.files import find_instances
from fivefold_healthcare.dicom.geometry import Geometry
from fivefold_healthcare.dicom.series import Stack, group_series

CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
}
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"
STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))

Value = Any | Callable[[int], Any]


def laid_out(affine: NDArray[np.float64]) -> dict[str, Any]:
    """What `write_series` is told of a volume whose voxels lie as ``affine`` ``(4, 4)`` says."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return {
        "spacing": lengths[::-1],
        "origin": affine[:3, 3],
        "orientation": (affine[:3, :2] / lengths[:2]).T,
        "step": affine[:3, 2],
    }


def write_series(
    folder: Path,
    values: NDArray[Any],
    *,
    spacing: Sequence[float] = (2.0, 0.8, 0.7),
    origin: Sequence[float] = (-10.0, -20.0, 30.0),
    orientation: Sequence[Sequence[float]] = STRAIGHT,
    step: Sequence[float] | None = None,
    patient: str = "P1",
    study_uid: str | None = None,
    series_uid: str | None = None,
    modality: str = "CT",
    order: Sequence[int] | None = None,
    drop: Sequence[int] = (),
    duplicate: Sequence[int] = (),
    extra: Mapping[str, Value] | None = None,
) -> list[Path]:
    """Write ``values`` ``(D, H, W)``, int16 or uint16, as one uncompressed file a slice.

    Args:
        folder: where to; made if need be.
        values: stored values; they are modality values, too (a CT gets rescale 1 and 0).
        spacing: distance of slices, rows and columns, mm.
        origin: position of voxel (0, 0, 0), mm (LPS).
        orientation: direction along a row, and along a column.
        step: from one slice to the next, mm; ``spacing[0]`` along the normal where not given.
        patient: PatientID.
        study_uid, series_uid: made up, the same for the same patient and folder, where not given.
        modality: CT, MR, PT, or another, which is a secondary capture.
        order: slices in the order of the names of their files; a random order where not given.
        drop: slices not to write.
        duplicate: slices to write twice.
        extra: attributes by keyword, of all slices or as a function of the slice; None leaves one out.

    Returns:
        The files in the order of slices, then those of the second copies.
    """
    folder.mkdir(parents=True, exist_ok=True)
    study = study_uid or _uid("study", patient)
    series = series_uid or _uid("series", patient, str(folder))
    rows, columns = (np.asarray(direction, dtype=np.float64) for direction in orientation)
    way = np.cross(rows, columns) * spacing[0] if step is None else np.asarray(step, dtype=np.float64)
    written = [(number, 0) for number in range(len(values)) if number not in drop]
    written += [(number, 1) for number in duplicate]
    paths = []
    for number, copy in written:
        own = _uid("instance", series, folder.name, str(number), str(copy))
        dataset = _image(values[number], own, modality)
        dataset.PatientID, dataset.PatientName = patient, patient
        dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
        dataset.FrameOfReferenceUID = _uid("frame", study)
        dataset.InstanceNumber = number + 1
        dataset.PixelSpacing = _decimals(spacing[1:])
        dataset.ImageOrientationPatient = _decimals([*rows, *columns])
        dataset.ImagePositionPatient = _decimals(np.asarray(origin) + number * way)
        dataset.SliceThickness = DSfloat(1.0)  # on purpose not the distance of slices
        _add(dataset, extra or {}, number)
        place = (
            hashlib.sha256(own.encode()).hexdigest()[:8] if order is None else f"{order.index(number):05d}"
        )
        paths.append(folder / f"{place}{'_copy' * copy}.dcm")
        dataset.save_as(paths[-1], enforce_file_format=True)
    return paths


def write_enhanced(
    path: Path,
    values: NDArray[Any],
    *,
    frames: Sequence[int],
    spacing: Sequence[float] = (2.0, 0.8, 0.7),
    origin: Sequence[float] = (-10.0, -20.0, 30.0),
    orientation: Sequence[Sequence[float]] = STRAIGHT,
    modality: str = "MR",
    extra: Mapping[str, Value] | None = None,
    times: int = 1,
) -> Path:
    """Write ``values`` ``(D, H, W)`` as one enhanced multi-frame object, its slices in the order ``frames``.

    With ``times`` above 1 all frames come that often, each time 1000 brighter and with its own
    TemporalPositionIndex.
    """
    rows, columns = (np.asarray(direction, dtype=np.float64) for direction in orientation)
    normal = np.cross(rows, columns)
    stored = np.concatenate([values[list(frames)] + 1000 * time for time in range(times)]).astype(
        values.dtype
    )
    dataset = _image(stored[0], _uid("enhanced", str(path)), modality)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.4.1")
    dataset.NumberOfFrames = len(stored)
    dataset.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    dataset.PatientID = dataset.PatientName = "P1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid("study", "P1"), _uid("series", str(path))
    dataset.SharedFunctionalGroupsSequence = [
        _item(
            PlaneOrientationSequence=[_item(ImageOrientationPatient=_decimals([*rows, *columns]))],
            PixelMeasuresSequence=[_item(PixelSpacing=_decimals(spacing[1:]), SliceThickness=DSfloat(1.0))],
        )
    ]
    dataset.PerFrameFunctionalGroupsSequence = [
        _item(
            PlanePositionSequence=[
                _item(ImagePositionPatient=_decimals(np.asarray(origin) + number * spacing[0] * normal))
            ],
            FrameContentSequence=[_item(TemporalPositionIndex=time + 1)],
        )
        for time in range(times)
        for number in frames
    ]
    _add(dataset, extra or {}, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def read_nrrd(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Values ``(D, H, W)`` of an NRRD volume, and its affine ``(4, 4)`` from (column, row, slice) to mm in LPS."""
    head, _, data = path.read_bytes().partition(b"\n\n")
    fields = dict(line.split(": ", 1) for line in head.decode("ascii").splitlines()[1:] if ": " in line)
    dtype = {"short": "i2", "unsigned short": "u2", "unsigned char": "u1", "int": "i4", "float": "f4"}
    order = {"little": "<", "big": ">"}[fields.get("endian", "little")]
    raw = gzip.decompress(data) if fields["encoding"] in {"gzip", "gz"} else data
    shape = [int(size) for size in fields["sizes"].split()][::-1]
    affine = np.eye(4)
    affine[:3, :3] = np.array([_vector(part) for part in fields["space directions"].split()]).T
    affine[:3, 3] = _vector(fields["space origin"])
    return np.frombuffer(raw, dtype=order + dtype[fields["type"]]).reshape(shape), affine


def _vector(text: str) -> list[float]:
    return [float(part) for part in text.strip("()").split(",")]


def _image(pixels: NDArray[Any], uid: str, modality: str) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(CLASSES.get(modality, SECONDARY))
    meta.MediaStorageSOPInstanceUID = UID(uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = Dataset()
    dataset.file_meta = meta
    dataset.SOPClassUID, dataset.SOPInstanceUID = meta.MediaStorageSOPClassUID, uid
    dataset.Modality = modality
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    if modality == "CT":
        dataset.RescaleSlope, dataset.RescaleIntercept = 1, 0
    dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    return dataset


def _add(dataset: Dataset, extra: Mapping[str, Value], number: int) -> None:
    for keyword, given in extra.items():
        value = given(number) if callable(given) else given
        if value is not None:
            setattr(dataset, keyword, value)
        elif keyword in dataset:
            delattr(dataset, keyword)


def _item(**attributes: Any) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _decimals(numbers: Any) -> list[DSfloat]:
    return [DSfloat(float(number), auto_format=True) for number in numbers]


def _uid(*parts: str) -> str:
    return str(generate_uid(entropy_srcs=list(parts)))


def one_stack(folder: Path) -> Stack:
    """The stack of a folder that holds one series with one stack."""
    (series,) = group_series(find_instances(folder).instances)
    (stack,) = series.stacks
    return stack


def grid_of(
    spacing: Sequence[float], origin: Sequence[float], orientation: Sequence[Sequence[float]]
) -> NDArray[np.float64]:
    """The affine ``(4, 4)`` from (column, row, slice) to mm of a series that `write_series` wrote with these."""
    rows, columns = (np.asarray(direction, dtype=np.float64) for direction in orientation)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = rows * spacing[2], columns * spacing[1]
    affine[:3, 2], affine[:3, 3] = np.cross(rows, columns) * spacing[0], origin
    return affine


def largest_error(
    found: NDArray[np.float64],
    places: Sequence[int],
    affine: NDArray[np.float64],
    numbers: Sequence[int],
    size: Any,
) -> float:
    """How far, in mm, voxels are from where they ought to be, at most.

    Args:
        found: affine that was recovered.
        places: place on its grid of each slice.
        affine: the true one.
        numbers: number on the true grid of each slice.
        size: rows and columns.

    Both being affine maps, no voxel of a slice is farther off than one of its corners.
    """
    corners = [(column, row) for column in (0, size[1] - 1) for row in (0, size[0] - 1)]
    ours = np.array([(*corner, place, 1) for place in places for corner in corners]) @ found.T
    true = np.array([(*corner, number, 1) for number in numbers for corner in corners]) @ affine.T
    return float(np.linalg.norm((ours - true)[:, :3], axis=1).max())


def numbers(folder: Path, paths: Sequence[Path], geometry: Geometry) -> list[int]:
    """Which of ``paths`` each slice is."""
    planes = one_stack(folder).planes
    return [paths.index(planes[index].instance.path) for index in geometry.order]


def turned(angles: Sequence[float]) -> NDArray[np.float64]:
    """Directions of rows and columns, ``(2, 3)``, after turns about x, y and z."""
    rotation = np.eye(3)
    for axis, angle in enumerate(angles):
        turn = np.eye(3)
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[second, first], turn[first, second] = np.sin(angle), -np.sin(angle)
        rotation = turn @ rotation
    return rotation[:, :2].T
