"""Planes: the single images of DICOM files, each with where it lies in the patient, from headers alone.

A classic file holds one plane. An enhanced multi-frame object (PS3.3 C.7.6.16) holds many, each with its own
functional groups. Coordinates are those of the patient in millimetres, x to the left, y to the back, z to the
head (LPS; PS3.3 C.7.6.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import Dataset

from fivefold_healthcare.dicom.files import Instance

MOST_FRAMES = 2**17
"""A file that declares more frames than this, without describing them, is taken to be broken."""

SUB_STACK_KEYS: Mapping[str, tuple[str, str]] = {
    "TemporalPositionIdentifier": ("FrameContentSequence", "TemporalPositionIndex"),
    "AcquisitionNumber": ("FrameContentSequence", "FrameAcquisitionNumber"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "DiffusionBValue": ("MRDiffusionSequence", "DiffusionBValue"),
    "TriggerTime": ("CardiacSynchronizationSequence", "NominalCardiacTriggerDelayTime"),
    "ReferencedSegmentNumber": ("SegmentIdentificationSequence", "ReferencedSegmentNumber"),
}
"""What tells images at the same place apart: the attribute of a classic file, and its functional group."""

_MEASURES = frozenset(
    {"PixelSpacing", "SpacingBetweenSlices", "SliceThickness"}
)  # of a file, hold for all frames
_FARTHEST = 1e9  # mm; beyond it a number is a fault of the writer, and sums of such numbers overflow


@dataclass(frozen=True, eq=False)
class Plane:
    """One image and where it lies.

    Attributes:
        instance: the file.
        frame: which frame of it, from 0.
        name: what messages call it.
        size: rows and columns.
        position: centre of the first pixel, ``(3,)``, mm.
        orientation: direction along a row and direction along a column, ``(2, 3)``.
        spacing: distance between rows and distance between columns, ``(2,)``, mm.
        between: its SpacingBetweenSlices without a sign: from the centre of a slice to that of the next, mm.
        thickness: its SliceThickness: how thick a slice is, mm.
        number: its InstanceNumber, or the number of its frame, from 1.
        image_type: its ImageType or FrameType, parts joined by a backslash.
        frame_of_reference: UID of the coordinates that it lies in.
        keys: those of `SUB_STACK_KEYS` that it has.
        faults: attributes above that are there but broken, as sentences; they count as absent.
    """

    instance: Instance
    frame: int
    name: str
    size: tuple[int, int]
    position: NDArray[np.float64] | None
    orientation: NDArray[np.float64] | None
    spacing: NDArray[np.float64] | None
    between: float | None
    thickness: float | None
    number: int | None
    image_type: str
    frame_of_reference: str
    keys: Mapping[str, float]
    faults: tuple[str, ...]


def planes_of(instance: Instance) -> tuple[Plane, ...]:
    """The planes of a file, by frame; none where it holds no image."""
    header, name = instance.header, instance.name
    faults: list[str] = []
    rows, columns = (_whole(header, keyword, name, faults) for keyword in ("Rows", "Columns"))
    if not rows or not columns:
        return ()
    described = len(_items(header, "PerFrameFunctionalGroupsSequence"))
    declared = _whole(header, "NumberOfFrames", name, faults) or 1
    frames = described or max(declared, 1)
    if (described and described != declared) or frames > MOST_FRAMES:
        faults.append(
            f"{name}: expected NumberOfFrames to be the number of frames described, found {declared} "
            f"and {described}"
        )
        frames = described or 1
    return tuple(
        _plane(instance, frame, frames, (rows, columns), faults if frame == 0 else [])
        for frame in range(frames)
    )


def _plane(instance: Instance, frame: int, frames: int, size: tuple[int, int], faults: list[str]) -> Plane:
    header = instance.header
    name = instance.name if frames == 1 else f"{instance.name} frame {frame + 1}"
    places = _Places(header, frame, frames, name, faults)
    orientation = places.numbers("PlaneOrientationSequence", "ImageOrientationPatient", 6)
    keys = {key: places.numbers(group, own, 1, classic=key) for key, (group, own) in SUB_STACK_KEYS.items()}
    number = places.numbers("", "InstanceNumber", 1)
    return Plane(
        instance=instance,
        frame=frame,
        name=name,
        size=size,
        position=places.numbers("PlanePositionSequence", "ImagePositionPatient", 3),
        orientation=None if orientation is None else orientation.reshape(2, 3),
        spacing=places.numbers("PixelMeasuresSequence", "PixelSpacing", 2),
        between=places.length("SpacingBetweenSlices"),
        thickness=places.length("SliceThickness"),
        number=frame + 1 if frames > 1 else None if number is None else int(number[0]),
        image_type=_joined(header.get("ImageType")) if frames == 1 else places.frame_type(),
        frame_of_reference=str(header.get("FrameOfReferenceUID") or ""),
        keys={key: float(value[0]) for key, value in keys.items() if value is not None},
        faults=tuple(faults),
    )


@dataclass(frozen=True)
class _Places:
    """The places where attributes of one frame may stand."""

    header: Dataset
    frame: int
    frames: int
    name: str
    faults: list[str]

    def numbers(
        self, group: str, keyword: str, count: int, *, classic: str | None = None
    ) -> NDArray[np.float64] | None:
        """``count`` numbers of the frame's functional group, or of the file where it has only this frame.

        A position of a whole file of many frames is not one of each of them.
        """
        item = self._group(group)
        if item is not None and keyword in item:
            return _numbers(item, keyword, count, self.name, self.faults)
        if self.frames > 1 and keyword not in _MEASURES:
            return None
        return _numbers(self.header, classic or keyword, count, self.name, self.faults)

    def length(self, keyword: str) -> float | None:
        """A measure of the frame's pixels in mm, above 0; None where there is none, or one that is no length."""
        without_faults = replace(self, faults=[])  # no volume needs it
        found = without_faults.numbers("PixelMeasuresSequence", keyword, 1)
        return (
            None if found is None or found[0] == 0 else abs(float(found[0]))
        )  # nuclear medicine has negative ones

    def frame_type(self) -> str:
        """FrameType of an enhanced object: in the one group that is named after the modality."""
        for name in ("MRImageFrameTypeSequence", "CTImageFrameTypeSequence", "PETFrameTypeSequence"):
            item = self._group(name)
            if item is not None:
                return _joined(item.get("FrameType"))
        return _joined(self.header.get("ImageType"))

    def _group(self, name: str) -> Dataset | None:
        own = _items(self.header, "PerFrameFunctionalGroupsSequence")[self.frame : self.frame + 1]
        shared = _items(self.header, "SharedFunctionalGroupsSequence")[:1]
        found = [item for groups in (*own, *shared) for item in _items(groups, name)[:1]]
        return found[0] if found else None


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    """The items of a sequence; none where it is absent, or is no sequence, as broken files have it."""
    value = dataset.get(keyword) if keyword else None
    return value if isinstance(value, pydicom.Sequence) else ()


def _whole(dataset: Dataset, keyword: str, name: str, faults: list[str]) -> int:
    found = _numbers(dataset, keyword, 1, name, faults)
    return 0 if found is None else int(found[0])


def _numbers(
    dataset: Dataset, keyword: str, count: int, name: str, faults: list[str]
) -> NDArray[np.float64] | None:
    value: Any = "something that cannot be read"
    try:
        value = dataset.get(keyword)
        parts = [value] if isinstance(value, str | int | float) else list(value or ())
        if not parts or parts == [""]:
            return None
        found = np.array(parts, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape == (count,) and np.all(np.abs(found) < _FARTHEST):
        return found
    numbers = "a number" if count == 1 else f"{count} numbers"
    faults.append(f"{name}: expected {numbers} in {keyword}, found {' '.join(str(value).split()):.60}")
    return None


def _joined(value: Any) -> str:
    return value if isinstance(value, str) else "\\".join(str(part) for part in value or ())
