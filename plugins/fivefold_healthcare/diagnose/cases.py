"""Cases: what a source names as samples, before their pixels are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pydicom import Dataset

from fivefold_healthcare.dicom.files import Instance
from fivefold_healthcare.dicom.patients import age_band, birth_dates, years_of
from fivefold_healthcare.dicom.series import Series

HEADER_GROUPS = ("sex", "age", "manufacturer", "site")
"""Subgroups that DICOM headers tell of."""


@dataclass(frozen=True)
class Case:
    """One sample.

    Attributes:
        name: what the user calls it.
        path: where it lies; the files of a series one a line.
        row: of the table of labels; 0 where there is none.
        cells: of that row.
        headers: of its DICOM files, the first one at least.
    """

    name: str
    path: str
    row: int = 0
    cells: Mapping[str, str] = field(default_factory=dict)
    headers: tuple[Dataset, ...] = ()

    @property
    def header(self) -> Dataset | None:
        """The first header."""
        return self.headers[0] if self.headers else None


def groups_of(header: Dataset | None) -> dict[str, str]:
    """Sex, age band, manufacturer and site as the header tells them; empty where it does not."""
    if header is None:
        return dict.fromkeys(HEADER_GROUPS, "")
    return {
        "sex": str(header.get("PatientSex") or "").strip().upper(),
        "age": age_band(years_of(header)),
        "manufacturer": str(header.get("Manufacturer") or "").strip(),
        "site": str(header.get("InstitutionName") or "").strip(),
    }


def modality_of(case: Case) -> str:
    """The modality as its header tells it; empty where there is none."""
    return "" if case.header is None else str(case.header.get("Modality") or "").strip()


def header_cautions(cases: Sequence[Case], patient_column: str) -> list[str]:
    """What the headers of the whole data set give reason to doubt.

    Patients with two dates of birth, images that do not say whose they are, mixed modalities.

    Args:
        cases: all of them.
        patient_column: of the table, which says whose an image is before its header does.
    """
    headers = (header for case in cases for header in case.headers)
    return [*birth_dates(headers), *_nameless(cases, patient_column), *_modalities(cases)]


def _nameless(cases: Sequence[Case], patient_column: str) -> list[str]:
    """That studies stand for patients, where headers tell of these only."""
    headers = [case.header for case in cases if patient_column not in case.cells]
    known = [header for header in headers if header is not None]
    bare = sum(not str(header.get("PatientID") or "").strip() for header in known)
    if not bare or len(known) < len(cases):
        return []
    caution = (
        f"{bare:,} of {len(cases):,} images have no PatientID: the study stands for the patient, and a patient with "
        f"two studies may stand on both sides of a split. Add a column '{patient_column}'."
    )
    return [caution]


def _modalities(cases: Sequence[Case]) -> list[str]:
    counts = Counter(
        str(case.header.get("Modality") or "not stated") for case in cases if case.header is not None
    )
    if len(counts) < 2:  # noqa: PLR2004 - one is no mixture
        return []
    told = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return [f"The images are of several modalities ({told}); a model may learn to tell these apart instead."]


def series_case(series: Series) -> Case:
    """A DICOM series as a case, called as its first file is."""
    lines = "\n".join(str(one.path) for one in series.instances)
    return Case(series.instances[0].name, lines, headers=tuple(one.header for one in series.instances))


def instance_case(instance: Instance, row: int = 0, cells: Mapping[str, str] | None = None) -> Case:
    """A single DICOM file as a case."""
    return Case(instance.name, str(instance.path), row, cells or {}, (instance.header,))
