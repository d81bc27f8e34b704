"""Series: DICOM files grouped as they were made, and sorted into stacks that can become volumes.

Files of one series may still be of several kinds: a localizer beside the slices, several echoes or points in
time at the same places. Each kind is a stack of its own, and how a series was split is said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from fivefold_healthcare.dicom.files import Instance
from fivefold_healthcare.dicom.geometry import SAME_PLACE, GeometryFinding, names
from fivefold_healthcare.dicom.planes import SUB_STACK_KEYS, Plane, planes_of

SAME_ORIENTATION = 1e-3
"""Direction cosines that differ by no more than this are the same."""

_SAME_SPACING = 1e-4  # mm
_TOLD_STACKS = 6


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes of one size, type and orientation, at most one of them at a place unless files are duplicates.

    Attributes:
        planes: in the order of their files.
        label: what tells it from the other stacks at the same places, ``EchoTime 4.6`` for instance; else empty.
    """

    planes: tuple[Plane, ...]
    label: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """The files of one series.

    Attributes:
        uid, study_uid: SeriesInstanceUID and StudyInstanceUID, empty where there is none.
        modality: CT, MR and so on.
        description: SeriesDescription.
        patient: PatientID.
        instances: the files.
        stacks: their planes; none where the files hold no image.
        findings: how the series was split, and why.
    """

    uid: str
    study_uid: str
    modality: str
    description: str
    patient: str
    instances: tuple[Instance, ...]
    stacks: tuple[Stack, ...]
    findings: tuple[GeometryFinding, ...]


def group_series(instances: Sequence[Instance]) -> list[Series]:
    """The series of ``instances``, in the order of their first files.

    A file without SeriesInstanceUID, and a file with many frames, is a series by itself. One UID in several
    studies or of several patients is taken for as many series. The findings are ``no series``, ``shared UID``,
    ``multi-frame``, ``no image``, ``4-D``, and ``mixed orientation``, ``mixed size``, ``mixed pixel spacing``,
    ``mixed image type``, ``mixed frame of reference``.
    """
    groups: dict[tuple[str, str, str, str], list[tuple[Instance, tuple[Plane, ...]]]] = {}
    for number, instance in enumerate(instances):
        planes = planes_of(instance)
        identity = _identity(instance)
        alone = not identity[0] or len(planes) > 1
        groups.setdefault((*identity, str(number) if alone else ""), []).append((instance, planes))
    objects = Counter(key[:3] for key in groups)
    owners = Counter(uid for uid, _, _ in objects)
    found = []
    for (uid, study, patient, _), members in groups.items():
        findings = list(_of_grouping(uid, members, owners[uid], objects[uid, study, patient]))
        found.append(_series(members, findings))
    return found


def _identity(instance: Instance) -> tuple[str, str, str]:
    names_of = ("SeriesInstanceUID", "StudyInstanceUID", "PatientID")
    uid, study, patient = (str(instance.header.get(name) or "") for name in names_of)
    return uid, study, patient


def _of_grouping(
    uid: str, members: list[tuple[Instance, tuple[Plane, ...]]], owners: int, objects: int
) -> Iterator[GeometryFinding]:
    first = members[0][0].name
    if not uid:
        yield GeometryFinding(
            "no series", f"{first}: expected SeriesInstanceUID, found none; it is a series by itself"
        )
    elif owners > 1:
        yield GeometryFinding(
            "shared UID",
            f"{first}: expected SeriesInstanceUID {uid} to be of one study of one patient, found it in {owners}; "
            "they are series of their own",
        )
    if uid and objects > 1 and len(members[0][1]) > 1:
        yield GeometryFinding(
            "multi-frame",
            f"{first}: holds {len(members[0][1])} frames beside other files of its series; it is one by itself",
        )
    empty = [instance.name for instance, planes in members if not planes]
    if empty:
        yield GeometryFinding("no image", f"{names(empty)}: expected an image, found none")


def _series(members: list[tuple[Instance, tuple[Plane, ...]]], findings: list[GeometryFinding]) -> Series:
    stacks: list[Stack] = []
    for alike in _alike([plane for _, planes in members for plane in planes], findings):
        stacks += _resolved(alike, findings)
    header = members[0][0].header
    uid, study, patient = _identity(members[0][0])
    return Series(
        uid=uid,
        study_uid=study,
        modality=str(header.get("Modality") or ""),
        description=str(header.get("SeriesDescription") or ""),
        patient=patient,
        instances=tuple(instance for instance, _ in members),
        stacks=tuple(stacks),
        findings=tuple(findings),
    )


def _alike(planes: list[Plane], findings: list[GeometryFinding]) -> list[list[Plane]]:
    """Planes of one orientation, size, spacing, type and frame of reference together; the largest group first."""
    orientations = [None if plane.orientation is None else plane.orientation.ravel() for plane in planes]
    labels: dict[str, Sequence[Hashable]] = {
        "orientation": _clusters(orientations, SAME_ORIENTATION),
        "size": [plane.size for plane in planes],
        "pixel spacing": _clusters([plane.spacing for plane in planes], _SAME_SPACING),
        "image type": [plane.image_type for plane in planes],
        "frame of reference": [plane.frame_of_reference for plane in planes],
    }
    for what, found in labels.items():
        counts = sorted(Counter(found).values(), reverse=True)
        if len(counts) > 1:
            several = "frames of reference" if what == "frame of reference" else f"{what}s"
            findings.append(GeometryFinding(f"mixed {what}", f"mixed {several}: {_counted(counts)}"))
    groups: dict[tuple[Hashable, ...], list[Plane]] = {}
    for plane, key in zip(planes, zip(*labels.values(), strict=True), strict=True):
        groups.setdefault(key, []).append(plane)
    return sorted(groups.values(), key=len, reverse=True)


def _counted(counts: Sequence[int]) -> str:
    if len(set(counts)) == 1:
        return f"{len(counts)} stacks of {counts[0]} image{'s' if counts[0] > 1 else ''} each"
    if len(counts) > _TOLD_STACKS:
        return f"{len(counts)} stacks of {counts[-1]} to {counts[0]} images"
    text = names([str(count) for count in counts], _TOLD_STACKS)
    return f"{len(counts)} stacks of {text} image{'s' if counts[-1] > 1 else ''}"


def _clusters(values: Sequence[NDArray[np.float64] | None], tolerance: float) -> list[int]:
    """For each value the number of the first one that it equals within ``tolerance``; -1 for none."""
    known = [value for value in values if value is not None]
    leaders = np.empty((len(known), len(known[0]) if known else 0))
    count = 0
    labels = []
    for value in values:
        if value is None:
            labels.append(-1)
            continue
        near = np.flatnonzero(np.abs(leaders[:count] - value).max(axis=1) <= tolerance)
        if not near.size:
            leaders[count] = value
            near, count = np.array([count]), count + 1
        labels.append(int(near[0]))
    return labels


def _resolved(planes: list[Plane], findings: list[GeometryFinding]) -> list[Stack]:
    """Stacks with one plane at each place, by what tells planes at one place apart; else all as one."""
    if any(plane.position is None for plane in planes):
        return [Stack(tuple(planes))]
    places = _clusters([plane.position for plane in planes], SAME_PLACE)
    most = max(Counter(places).values())
    if most == 1:
        return [Stack(tuple(planes))]
    for count in (1, 2):
        for keys in combinations(SUB_STACK_KEYS, count):
            stacks = _told_apart(planes, places, keys, most)
            if stacks:
                sizes = sorted((len(stack.planes) for stack in stacks), reverse=True)
                text = f"several images at the same places, told apart by {' and '.join(keys)}: {_counted(sizes)}"
                findings.append(GeometryFinding("4-D", text))
                return stacks
    return [Stack(tuple(planes))]


def _told_apart(
    planes: list[Plane], places: list[int], keys: tuple[str, ...], most: int
) -> list[Stack] | None:
    """Stacks by the values of ``keys``, or None where these do not tell apart all planes at one place.

    Where values are those of their place alone, as trigger times are, the first, second, ... of each place
    belong together.
    """
    if not all(key in plane.keys for plane in planes for key in keys):
        return None
    values = [tuple(plane.keys[key] for key in keys) for plane in planes]
    if len(set(zip(places, values, strict=True))) < len(planes):
        return None
    distinct = sorted(set(values))
    if len(distinct) == most:
        labels = [
            ", ".join(f"{key} {part:g}" for key, part in zip(keys, one, strict=True)) for one in distinct
        ]
        which = [distinct.index(value) for value in values]
    elif set(Counter(places).values()) == {most}:
        labels = [f"{' and '.join(keys)} {number + 1} of {most}" for number in range(most)]
        which = _ranks(places, values)
    else:
        return None
    parts = [
        [plane for plane, one in zip(planes, which, strict=True) if one == number] for number in range(most)
    ]
    return [Stack(tuple(part), label) for part, label in zip(parts, labels, strict=True)]


def _ranks(places: list[int], values: list[tuple[float, ...]]) -> list[int]:
    """For each value, how many of its place are smaller."""
    ranks = [0] * len(values)
    seen: Counter[int] = Counter()
    for index in sorted(range(len(values)), key=values.__getitem__):
        ranks[index] = seen[places[index]]
        seen[places[index]] += 1
    return ranks
