"""What DICOM files hold: series, geometry, how pixels are stored, and what is wrong with them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.data.table import Problem
from fivefold.errors import DataError
from fivefold_healthcare.dicom.files import Instance, find_instances
from fivefold_healthcare.dicom.geometry import Geometry, measure
from fivefold_healthcare.dicom.patients import birth_dates
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.series import Series, Stack, group_series

_OF_VOLUMES = frozenset({"one slice", "oblique", "no position", "no spacing"})
"""Findings that matter where images make a volume, and say nothing of a single picture."""


@dataclass(frozen=True)
class StackReport:
    """A stack of images as it would become a volume.

    Attributes:
        label: what tells it from other stacks of its series.
        images: how many.
        size: rows and columns.
        spacing: mm between slices, rows and columns; None where positions do not tell it.
        between, thickness: SpacingBetweenSlices and SliceThickness of the first image's header, mm, where it has them.
        findings: sentences on its geometry.
    """

    label: str
    images: int
    size: tuple[int, int]
    spacing: tuple[float | None, float | None, float | None]
    between: float | None
    thickness: float | None
    findings: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """As JSON values, those of the header by DICOM's names for them."""
        told = dict(vars(self))
        header = {"SpacingBetweenSlices": told.pop("between"), "SliceThickness": told.pop("thickness")}
        return {**told, "header": header}


@dataclass(frozen=True)
class SeriesReport:
    """A series in words and numbers.

    Attributes:
        uid, study, modality, description: of the series.
        patient: PatientID.
        files: their names.
        syntaxes: names of transfer syntaxes, with how many files each.
        photometric: photometric interpretations, with how many files each.
        stacks: its images.
        findings: how it was put together.
    """

    uid: str
    study: str
    modality: str
    description: str
    patient: str
    files: tuple[str, ...]
    syntaxes: dict[str, int]
    photometric: dict[str, int]
    stacks: tuple[StackReport, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Inspection:
    """Everything that a source holds.

    Attributes:
        series: in the order of their first files.
        problems: files that cannot be read, or whose pixels cannot.
        cautions: what there is to doubt.
        others: files that are no DICOM, and were passed over.
    """

    series: tuple[SeriesReport, ...]
    problems: tuple[Problem, ...]
    cautions: tuple[str, ...]
    others: int

    def describe(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "series": [
                {**vars(one), "stacks": [stack.describe() for stack in one.stacks]} for one in self.series
            ],
            "problems": [vars(problem) for problem in self.problems],
            "cautions": list(self.cautions),
            "other_files": self.others,
        }


def inspect(source: Path) -> Inspection:
    """Look at every DICOM file of ``source``; pixels are checked for their length and kind, and not decoded.

    Raises:
        DataError: nothing is there, or no DICOM file.
    """
    found = find_instances(source)
    if not found.instances and not found.problems:
        raise DataError(f"{source}: expected DICOM files, found none among {found.others} files")
    series = group_series(found.instances)
    problems = [*found.problems, *_unreadable(found.instances)]
    headers = [instance.header for instance in found.instances]
    return Inspection(
        series=tuple(_series_report(one) for one in series),
        problems=tuple(problems),
        cautions=(*birth_dates(headers), *_mixed_studies(series)),
        others=found.others,
    )


def _unreadable(instances: Iterable[Instance]) -> Iterable[Problem]:
    for instance in instances:
        if "Rows" not in instance.header:
            continue
        try:
            Pixels(instance.path, instance.name, instance.header)
        except DataError as error:
            yield Problem(instance.name, str(error))


def _series_report(series: Series) -> SeriesReport:
    headers = [instance.header for instance in series.instances]
    syntaxes = Counter(_syntax(header) for header in headers)
    photometric = Counter(str(header.get("PhotometricInterpretation") or "no image") for header in headers)
    return SeriesReport(
        uid=series.uid,
        study=series.study_uid,
        modality=series.modality,
        description=series.description,
        patient=series.patient,
        files=tuple(instance.name for instance in series.instances),
        syntaxes=dict(syntaxes.most_common()),
        photometric=dict(photometric.most_common()),
        stacks=tuple(_stack_report(stack) for stack in series.stacks),
        findings=tuple(finding.text for finding in series.findings),
    )


def _syntax(header: Any) -> str:
    uid = header.file_meta.get("TransferSyntaxUID")
    return "not stated" if uid is None else str(uid.name)


def _stack_report(stack: Stack) -> StackReport:
    geometry = measure(stack.planes)
    slices, rows, columns = (value if math.isfinite(value) else None for value in geometry.spacing)
    if geometry.shape[0] == 1:
        slices = None  # images at one place are no distance apart from anything
    return StackReport(
        label=stack.label,
        images=len(stack.planes),
        size=(geometry.shape[1], geometry.shape[2]),
        spacing=(slices, rows, columns),
        between=stack.planes[0].between,
        thickness=stack.planes[0].thickness,
        findings=tuple(picture_findings(geometry)),
    )


def picture_findings(geometry: Geometry) -> Iterator[str]:
    """What is to be known of images as pictures: of a single one, nothing that matters to volumes only."""
    alone = geometry.shape[0] == 1
    return (finding.text for finding in geometry.findings if not (alone and finding.kind in _OF_VOLUMES))


def _mixed_studies(series: list[Series]) -> Iterable[str]:
    """A sentence for each study that holds several modalities."""
    studies: dict[str, Counter[str]] = {}
    for one in series:
        studies.setdefault(one.study_uid, Counter())[one.modality or "not stated"] += len(one.instances)
    for uid, modalities in studies.items():
        if len(modalities) > 1:
            told = ", ".join(f"{name} {count}" for name, count in modalities.most_common())
            yield f"Study {uid or 'without a UID'} mixes modalities ({told} files); choose the series that you mean."
