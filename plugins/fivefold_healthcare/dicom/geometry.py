"""Where a stack of planes lies: their order, spacing and direction, and what is wrong with them.

Planes are ordered by their positions along the normal of the image, the cross product of the directions of its
rows and columns (PS3.3 C.7.6.2.1.1). The distance of slices comes from positions too: SliceThickness is how thick
a slice is, not how far the next one is, and InstanceNumber may run either way. Only where all images lie at one
place the header is asked: for SpacingBetweenSlices, which is from centre to centre, then for SliceThickness.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fivefold_healthcare.dicom.planes import Plane

SAME_PLACE = 1e-3
"""Positions nearer than this, in mm, are the same."""

EVEN = 0.01
"""Distances that differ by less than this share of the distance of slices are equal."""

REFUSED = frozenset({"invalid header", "direction cosines", "pixel spacing", "some without position"})
"""Kinds of findings that leave no volume to be made."""

IRREGULAR = frozenset({"gap", "uneven spacing"})
"""Kinds of findings that say that slices do not follow each other at one distance."""

_COSINE_ERROR = 1e-3
_TOLD_TILT = 0.1  # degrees
_TOLD_POSITIONS = 4


@dataclass(frozen=True)
class GeometryFinding:
    """Something to know of a series or stack.

    Attributes:
        kind: a few words by which programs tell findings apart, ``gap`` for instance.
        text: a sentence for people, which names the files.
    """

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Geometry:
    """A grid of voxels in the patient.

    Attributes:
        shape: slices, rows, columns ``(D, H, W)``.
        affine: ``(4, 4)``, from (column, row, place of the slice, 1) to the centre of the voxel in mm, in DICOM's
            coordinates (LPS); not a number where files do not say where they lie.
        spacing: distance of slices, rows and columns, in mm, as ``shape`` is ordered; not a number where it is
            not known. Of one slice it is taken from elsewhere, which a finding tells (see `measure`).
        direction: ``(3, 3)``, whose columns are the directions, of length 1, in which column, row and slice grow.
        order: which plane of the stack is which slice; -1 for one that was interpolated.
        places: the place of each slice on the grid; 0, 1, 2, ... unless slices are missing.
        copies: pairs of planes at the same place: the one in ``order``, and another.
        findings: what is to be known.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]
    spacing: tuple[float, float, float]
    direction: NDArray[np.float64]
    order: tuple[int, ...]
    places: tuple[int, ...]
    copies: tuple[tuple[int, int], ...]
    findings: tuple[GeometryFinding, ...]

    @property
    def depth(self) -> int:
        """How many slices there would be, were none missing."""
        return self.places[-1] + 1

    def first(self, kinds: frozenset[str]) -> GeometryFinding | None:
        """The first finding of one of ``kinds``."""
        return next((finding for finding in self.findings if finding.kind in kinds), None)


def from_affine(
    shape: tuple[int, int, int], affine: NDArray[np.float64], findings: Sequence[GeometryFinding] = ()
) -> Geometry:
    """The geometry of a full grid, with findings on how it is tilted added to ``findings``."""
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / lengths
    slices = tuple(range(shape[0]))
    spacing = (float(lengths[2]), float(lengths[1]), float(lengths[0]))
    found = (*findings, *_tilts(direction, spacing[0]))
    return Geometry(shape, affine, spacing, direction, slices, slices, (), found)


def measure(planes: Sequence[Plane]) -> Geometry:
    """The geometry of a stack: planes of one size and orientation, as `group_series` sorts them.

    The findings are:

    - ``gap``: slices are missing, between which files and where;
    - ``duplicate``: several planes lie at the same position;
    - ``uneven spacing``: positions are not at one distance along one line (tolerance: 0.001 mm or 1 %);
    - ``oblique``: directions are not those of the patient's axes; ``gantry tilt``: slices are shifted against
      their normal. Both are in the affine, and told for those who leave it aside;
    - ``one slice``: all lie at one place, the distance to a next one is unknown and taken from the header, else to
      be 1 mm;
    - ``no position``: the order is that of InstanceNumber, and affine and distance of slices are unknown;
    - ``no spacing``: there is no PixelSpacing, and the affine is unknown;
    - and those in `REFUSED`.
    """
    findings = [GeometryFinding("invalid header", fault) for plane in planes for fault in plane.faults]
    findings += _broken(planes)
    numbered = sorted(range(len(planes)), key=lambda index: _number(planes[index]))
    if findings or not _all_placed(planes):
        return _unplaced(planes, numbered, findings or [_no_position(planes)])
    return _placed(planes, numbered)


def _number(plane: Plane) -> tuple[float, str, int]:
    return math.inf if plane.number is None else plane.number, plane.instance.name, plane.frame


def _all_placed(planes: Sequence[Plane]) -> bool:
    return all(plane.position is not None and plane.orientation is not None for plane in planes)


def _broken(planes: Sequence[Plane]) -> list[GeometryFinding]:
    """What leaves no volume to be made; the planes' directions and spacings are one, so the first speaks for all."""
    findings = []
    first = planes[0]
    if first.orientation is not None:
        products = first.orientation @ first.orientation.T
        if np.abs(products - np.eye(2)).max() > _COSINE_ERROR:
            lengths = np.sqrt(np.diag(products))
            findings.append(
                GeometryFinding(
                    "direction cosines",
                    f"{first.name}: expected ImageOrientationPatient to be two perpendicular directions of length "
                    f"1, found lengths {lengths[0]:.4g} and {lengths[1]:.4g} and the product {products[0, 1]:.4g}",
                )
            )
    if first.spacing is not None and first.spacing.min() <= 0:
        findings.append(
            GeometryFinding(
                "pixel spacing",
                f"{first.name}: expected PixelSpacing above 0 mm, found {first.spacing[0]:g} and "
                f"{first.spacing[1]:g}",
            )
        )
    bare = [plane.name for plane in planes if plane.position is None]
    if 0 < len(bare) < len(planes):
        findings.append(
            GeometryFinding(
                "some without position",
                f"{names(bare)}: expected ImagePositionPatient as in the other {len(planes) - len(bare)} images "
                "of the series, found none",
            )
        )
    return findings


def _no_position(planes: Sequence[Plane]) -> GeometryFinding:
    keyword = "ImagePositionPatient" if planes[0].position is None else "ImageOrientationPatient"
    order = "name" if any(plane.number is None for plane in planes) else "InstanceNumber"
    if planes[0].frame or planes[-1].frame:
        order = "number of the frame"
    return GeometryFinding(
        "no position",
        f"{planes[0].name}: expected {keyword}, found none; images are in order of their {order}, and where they "
        "lie and how far apart is unknown",
    )


def _unplaced(planes: Sequence[Plane], numbered: list[int], findings: list[GeometryFinding]) -> Geometry:
    affine = np.full((4, 4), np.nan)
    affine[3] = (0, 0, 0, 1)
    known = planes[0].spacing
    if known is None or known.min() <= 0:
        known = np.full(2, np.nan)
    return Geometry(
        shape=(len(planes), *planes[0].size),
        affine=affine,
        spacing=(math.nan, float(known[0]), float(known[1])),
        direction=np.full((3, 3), np.nan),
        order=tuple(numbered),
        places=tuple(range(len(planes))),
        copies=(),
        findings=tuple(findings),
    )


def _placed(planes: Sequence[Plane], numbered: list[int]) -> Geometry:
    rows, columns = _unit(planes[0].orientation[0]), _unit(planes[0].orientation[1])  # type: ignore[index]  # see `_all_placed`
    normal = _unit(np.cross(rows, columns))
    everywhere = np.array([plane.position for plane in planes])
    order, copies, findings = _distinct(planes, numbered, everywhere, everywhere @ normal)
    positions = everywhere[list(order)]
    places, spaced = _on_grid([planes[index] for index in order], positions, positions @ normal)
    findings += spaced
    step = (
        (positions[-1] - positions[0]) / places[-1]
        if len(order) > 1
        else normal * _stated(planes[order[0]])[0]
    )
    spacing = planes[0].spacing
    if spacing is None:
        findings.append(
            GeometryFinding(
                "no spacing", f"{planes[0].name}: expected PixelSpacing, found none; sizes are unknown"
            )
        )
        spacing = np.full(2, np.nan)
    affine = np.eye(4)
    affine[:3] = np.column_stack([rows * spacing[1], columns * spacing[0], step, positions[0]])
    length = float(np.linalg.norm(step))
    direction = np.column_stack([rows, columns, step / length])
    return Geometry(
        shape=(len(order), *planes[0].size),
        affine=affine,
        spacing=(length, float(spacing[0]), float(spacing[1])),
        direction=direction,
        order=order,
        places=places,
        copies=copies,
        findings=(*findings, *_tilts(direction, length)),
    )


def _distinct(
    planes: Sequence[Plane], numbered: list[int], positions: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...], list[GeometryFinding]]:
    """One plane for each position, the lowest number first; the others as copies."""
    groups: list[list[int]] = []
    for index in sorted(numbered, key=lambda index: float(along[index])):
        if groups and along[index] - along[groups[-1][0]] <= SAME_PLACE:
            groups[-1].append(index)
        else:
            groups.append([index])
    rank = {index: place for place, index in enumerate(numbered)}
    groups = [sorted(group, key=rank.__getitem__) for group in groups]
    findings = []
    for group in groups:
        if len(group) > 1:
            apart = float(np.linalg.norm(positions[group] - positions[group[0]], axis=1).max())
            shifted = f", shifted by {apart:.3g} mm within the plane" if apart > SAME_PLACE else ""
            same = names([planes[index].name for index in group])
            findings.append(
                GeometryFinding("duplicate", f"{same}: lie at the same place of the stack{shifted}")
            )
    copies = tuple((group[0], other) for group in groups for other in group[1:])
    return tuple(group[0] for group in groups), copies, findings


def _on_grid(
    planes: Sequence[Plane], positions: NDArray[np.float64], along: NDArray[np.float64]
) -> tuple[tuple[int, ...], list[GeometryFinding]]:
    """The place of each plane on the grid of equal steps that fits best, with gaps and unevenness."""
    if len(planes) == 1:
        text = f"{planes[0].name}: is at the only place of a slice; the distance to a next one is unknown and taken "
        return (0,), [GeometryFinding("one slice", text + _stated(planes[0])[1])]
    steps = np.diff(along)
    usual = float(
        np.sort(steps)[(len(steps) - 1) // 2]
    )  # the lower median: a gap among three slices is no usual step
    tolerance = max(SAME_PLACE, EVEN * usual)
    counts = np.maximum(np.rint(steps / usual), 1).astype(np.int64)
    places = np.concatenate([[0], np.cumsum(counts)])
    line = positions[0] + np.outer(places / places[-1], positions[-1] - positions[0])
    off = np.linalg.norm(positions - line, axis=1)
    findings = []
    for index in np.flatnonzero(counts > 1).tolist():
        first, last = int(places[index]), int(places[index + 1])
        step = (positions[index + 1] - positions[index]) / (last - first)
        findings.append(
            _gap(planes[index].name, planes[index + 1].name, usual, positions[index], step, last - first - 1)
        )
    uneven = np.abs(steps - counts * usual) > counts * tolerance
    if uneven.any() or off.max() > tolerance:
        worst = int(np.argmax(np.abs(steps - counts * usual))) if uneven.any() else int(np.argmax(off))
        findings.append(
            GeometryFinding(
                "uneven spacing",
                f"{planes[worst].name}: expected slices at equal steps of {usual:.4g} mm along one line, found "
                f"steps from {steps.min():.4g} to {steps.max():.4g} mm and positions up to {off.max():.3g} mm off",
            )
        )
    return tuple(int(place) for place in places), findings


def _stated(plane: Plane) -> tuple[float, str]:
    """What the distance of a single slice to a next one is taken to be, mm, and where that comes from, in words."""
    if plane.between is not None:
        return plane.between, f"from SpacingBetweenSlices, {plane.between:g} mm"
    if plane.thickness is not None:
        return plane.thickness, f"from SliceThickness, {plane.thickness:g} mm, which is how thick a slice is"
    return 1.0, "to be 1 mm"


def _gap(
    before: str, after: str, usual: float, start: NDArray[np.float64], step: NDArray[np.float64], missing: int
) -> GeometryFinding:
    shown = [start + step * (number + 1) for number in range(min(missing, _TOLD_POSITIONS))]
    where = ", ".join(f"({x:.2f}, {y:.2f}, {z:.2f})" for x, y, z in shown)
    more = ", ..." if missing > len(shown) else ""
    slices = "1 slice" if missing == 1 else f"{missing} slices"
    return GeometryFinding(
        "gap",
        f"{before}, {after}: expected slices every {usual:.4g} mm, found {slices} missing between these "
        f"two, at {where}{more} mm",
    )


def _tilts(direction: NDArray[np.float64], distance: float) -> list[GeometryFinding]:
    """How far directions are from the patient's axes, and slices from standing over each other."""
    normal = np.cross(direction[:, 0], direction[:, 1])
    axes = np.column_stack([direction[:, :2], normal])
    tilt = float(np.degrees(np.arccos(np.clip(np.abs(axes).max(axis=0), 0, 1)).max()))
    lean = float(np.degrees(np.arccos(np.clip(abs(normal @ direction[:, 2]), 0, 1))))
    findings = []
    if tilt > _TOLD_TILT:
        findings.append(GeometryFinding("oblique", f"the image is tilted by up to {tilt:.1f} degrees"))
    if lean > _TOLD_TILT:
        shift = distance * math.sin(math.radians(lean))
        findings.append(
            GeometryFinding(
                "gantry tilt",
                f"each slice is shifted by {shift:.3g} mm within its plane against the one before (sheared by "
                f"{lean:.1f} degrees): the affine holds it, a box of voxels does not",
            )
        )
    return findings


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vector / np.linalg.norm(vector))


def names(files: Sequence[str], most: int = 4) -> str:
    """A few names in words, and how many more there are."""
    if len(files) > most:
        return f"{', '.join(files[:most])} and {len(files) - most} more"
    return " and ".join(filter(None, [", ".join(files[:-1]), files[-1]]))
