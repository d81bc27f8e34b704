"""Volumes: the pixels of a stack of planes as one array, read one slice at a time, in memory or on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fivefold.errors import DataError
from fivefold.files import written_aside
from fivefold_healthcare.dicom.files import Instance
from fivefold_healthcare.dicom.geometry import REFUSED, Geometry, GeometryFinding, measure
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.planes import Plane
from fivefold_healthcare.dicom.series import Series, Stack

ReadSlice = Callable[[Instance, int], NDArray[np.float32]]
"""From a file and the number of a frame, from 0, to its values ``(H, W)``."""


@dataclass(frozen=True, eq=False)
class Volume:
    """Values in the patient.

    Attributes:
        values: ``(D, H, W)``.
        geometry: where they lie.
    """

    values: NDArray[Any]
    geometry: Geometry


def read_values(instance: Instance, frame: int) -> NDArray[np.float32]:
    """Values of one frame after rescale, such as Hounsfield units: a ``read_slice`` for `assemble`."""
    return np.asarray(Pixels(instance.path, instance.name, instance.header).values(frame), dtype=np.float32)


def assemble(
    stack: Series | Stack,
    read_slice: ReadSlice,
    *,
    gaps: Literal["refuse", "keep", "fill"] = "refuse",
    duplicates: Literal["refuse", "first"] = "refuse",
    dtype: DTypeLike = np.float32,
    out: Path | None = None,
) -> Volume:
    """Read the slices of a stack, in order, into one volume.

    Besides the result no more than three slices are in memory.

    Args:
        stack: what to read; a series must have one stack.
        read_slice: how to read a slice, `read_values` for instance.
        gaps: what to do where slices are missing. ``refuse`` raises. ``keep`` puts slices side by side as if
            none was missing; the geometry's ``places`` say where each belongs, and its affine is for places.
            ``fill`` puts what linear interpolation between the two neighbours gives, and says which slices.
        duplicates: what to do with planes at the same place whose pixels differ: raise, or take the one of the
            lowest InstanceNumber. Where pixels are equal, one is taken and that is said.
        dtype: of the result; values are rounded where it is an integer.
        out: write the volume to this file in NumPy's format, whole or not at all, and map it read-only.

    Raises:
        DataError: there is no stack or more than one, its geometry is broken, slices are missing or uneven and
            ``gaps`` does not allow for it, duplicates differ, or a slice cannot be read or does not fit.
        StorageError: ``out`` cannot be written.
    """
    planes = _one_stack(stack).planes
    geometry = measure(planes)
    _check(geometry, gaps)
    target = np.dtype(dtype)
    told: list[GeometryFinding] = []
    slices = _slices(planes, geometry, _Reader(read_slice, target, duplicates, told), fill=gaps == "fill")
    if gaps == "fill" and geometry.depth > geometry.shape[0]:
        geometry = _filled(geometry, planes)
    if out is None:
        values = np.empty(geometry.shape, dtype=target)
        for number, one in enumerate(slices):
            values[number] = one
    else:
        values = _on_disk(out, geometry.shape, target, slices)
    return Volume(values, replace(geometry, findings=(*geometry.findings, *told)))


def _one_stack(stack: Series | Stack) -> Stack:
    if isinstance(stack, Stack):
        return stack
    if len(stack.stacks) != 1:
        why = "; ".join(finding.text for finding in stack.findings)
        raise DataError(
            f"series {stack.uid} ({stack.instances[0].name}): expected one stack of images, found "
            f"{len(stack.stacks)}{f' ({why})' if why else ''}; choose one of them"
        )
    return stack.stacks[0]


def _check(geometry: Geometry, gaps: str) -> None:
    broken = geometry.first(REFUSED)
    if broken:
        raise DataError(f"{broken.text}; export the series again")
    uneven = geometry.first(frozenset({"uneven spacing"}))
    if uneven and gaps != "keep":
        raise DataError(f"{uneven.text}; export the series again, or choose to keep what is there")
    gap = geometry.first(frozenset({"gap"}))
    if gap and gaps == "refuse":
        raise DataError(f"{gap.text}; restore what is missing, or choose to fill gaps or to keep them")


def _filled(geometry: Geometry, planes: Sequence[Plane]) -> Geometry:
    present, depth = geometry.shape[0], geometry.depth
    if depth > 2 * present:
        raise DataError(
            f"{planes[0].name}: expected no more slices missing from the series than are there, found {present} "
            f"of {depth}; restore the others"
        )
    order = dict(zip(geometry.places, geometry.order, strict=True))
    missing = [place for place in range(depth) if place not in order]
    text = f"{', '.join(map(str, missing))}: slices that are missing, interpolated between their neighbours"
    kept = tuple(finding for finding in geometry.findings if finding.kind != "gap")
    return replace(
        geometry,
        shape=(depth, *geometry.shape[1:]),
        order=tuple(order.get(place, -1) for place in range(depth)),
        places=tuple(range(depth)),
        findings=(*kept, GeometryFinding("filled", text)),
    )


@dataclass(frozen=True)
class _Reader:
    """How a slice becomes a part of the result, and what is told on the way."""

    read_slice: ReadSlice
    dtype: np.dtype[Any]
    duplicates: str
    told: list[GeometryFinding]

    def read(self, plane: Plane) -> NDArray[Any]:
        values = np.asarray(self.read_slice(plane.instance, plane.frame))
        if values.shape != plane.size:
            raise DataError(
                f"{plane.name}: expected {plane.size[0]} rows and {plane.size[1]} columns of one value each, found "
                f"pixels of shape {values.shape}; a volume is made of grey images"
            )
        return values

    def compare(self, plane: Plane, values: NDArray[Any], other: Plane) -> None:
        """Tell that ``other`` is left out, or refuse to."""
        equal = np.array_equal(values, self.read(other), equal_nan=True)
        if not equal and self.duplicates == "refuse":
            raise DataError(
                f"{plane.name}, {other.name}: expected one image at a place, found two with different pixels; "
                "remove one, or take the first by --duplicates first of fivefold healthcare dicom convert"
            )
        why = f"its pixels are {'those' if equal else 'not those'} of {plane.name}, at the same place"
        self.told.append(GeometryFinding("left out", f"{other.name}: left out, {why}"))

    def converted(self, values: NDArray[Any], name: str) -> NDArray[Any]:
        if self.dtype.kind not in "iu":
            return values.astype(self.dtype, copy=False)
        rounded, limits = np.rint(values), np.iinfo(self.dtype)
        low, high = rounded.min(), rounded.max()
        if not (limits.min <= low and high <= limits.max):  # what is no number is out of range, too
            raise DataError(
                f"{name}: expected values from {limits.min} to {limits.max} for {self.dtype.name}, found {low:g} "
                f"to {high:g}; choose another type"
            )
        return np.asarray(rounded, dtype=self.dtype)


def _slices(
    planes: Sequence[Plane], geometry: Geometry, reader: _Reader, *, fill: bool
) -> Iterator[NDArray[Any]]:
    """The slices of the result in order, with ``fill`` those too that are missing, interpolated."""
    copies: dict[int, list[int]] = {}
    for kept, other in geometry.copies:
        copies.setdefault(kept, []).append(other)
    before: NDArray[Any] | None = None
    last = -1
    for index, place in zip(geometry.order, geometry.places, strict=True):
        values = reader.read(planes[index])
        for other in copies.get(index, ()):
            reader.compare(planes[index], values, planes[other])
        if fill and before is not None:
            for between in range(last + 1, place):
                share = (between - last) / (place - last)
                yield reader.converted(before * (1 - share) + values * share, planes[index].name)
        yield reader.converted(values, planes[index].name)
        before, last = values, place


def _on_disk(
    out: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], slices: Iterator[NDArray[Any]]
) -> NDArray[Any]:
    """Written in order and not through a map, so that a full disk is an error and not the end of the process."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with written_aside(out) as part, part.open("wb") as stream:
        np.lib.format.write_array_header_1_0(stream, header)
        for one in slices:
            stream.write(np.ascontiguousarray(one).tobytes())
    return np.asanyarray(np.load(out, mmap_mode="r"))
