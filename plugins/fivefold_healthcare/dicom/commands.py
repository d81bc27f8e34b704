"""``fivefold healthcare dicom``: look into DICOM, convert it, remove what identifies the patient."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from fivefold.cli.output import emit, grid, say
from fivefold.cli.session import Session
from fivefold.cli.taught import add
from fivefold.cli.verbs.parameters import Json
from fivefold.data.shown import shown
from fivefold.data.table import Problem
from fivefold_healthcare.statement import STATEMENT

if TYPE_CHECKING:
    from fivefold_healthcare.dicom.inspection import StackReport

app = App(
    name="dicom",
    help="Look into DICOM, convert it, remove what identifies the patient.",
    help_epilogue="Examples:\n  fivefold healthcare dicom info dicom",
)

Source = Annotated[
    str,
    Parameter(name="SOURCE", help="A DICOM file, a folder, a DICOMDIR, a zip archive, or a dataset's name."),
]
Out = Annotated[Path, Parameter(name="OUT", help="A new folder.")]
To = Annotated[Literal["png", "nifti", "npz"], Parameter(help="Pictures, or volumes of modality values.")]
WindowText = Annotated[
    str,
    Parameter(
        name="--window",
        help="Grey levels of PNG: auto (as the file says), full, a centre and a width (40,400), or percentiles "
        "(1%,99%).",
    ),
]
Gaps = Annotated[
    Literal["refuse", "keep", "fill"],
    Parameter(
        help="Where slices of a volume are missing: refuse it, set the others side by side, or interpolate."
    ),
]
Duplicates = Annotated[
    Literal["refuse", "first"],
    Parameter(
        help="Where images of a volume lie at one place and their pixels differ: refuse it, or take the one of the "
        "lowest InstanceNumber."
    ),
]
RetainUids = Annotated[
    bool, Parameter(negative="", help="Keep UIDs, by which files can be matched to the originals.")
]
RetainDevice = Annotated[bool, Parameter(negative="", help="Keep serial numbers and names of devices.")]
RetainInstitution = Annotated[bool, Parameter(negative="", help="Keep name and address of the institution.")]
RetainPatient = Annotated[bool, Parameter(negative="", help="Keep sex, age, size and weight of the patient.")]
DatesKept = Annotated[
    Literal["removed", "modified", "unmodified"],
    Parameter(help="Dates: removed, shifted by days that are the same for all files of a patient, or kept."),
]
Secret = Annotated[
    Path | None,
    Parameter(
        help="A file with 16 bytes or more that nobody can guess: the same secret gives the same pseudonyms and "
        "UIDs in another run. Drawn at random where not given."
    ),
]


def info(source: Source, /, *, json: Json = False) -> int:
    """Say what DICOM files hold: series, how they lie in the patient, how pixels are stored, what is wrong.

    Nothing is written. Exits with 2 where files cannot be read.

    Example:
        fivefold healthcare dicom info dicom
    """
    from fivefold_healthcare.dicom.inspection import inspect  # noqa: PLC0415 - imports pydicom

    found = inspect(Session.current.locate(source))
    if json:
        emit(found.describe())
        return 2 if found.problems else 0
    grid(
        ("series", "files", "images", "size", "spacing (mm)", "stored as"),
        (
            (
                f"{one.modality} {one.description or one.uid}".strip(),
                len(one.files),
                images or "none",
                size,
                spacing,
                ", ".join([*one.photometric, *one.syntaxes]),
            )
            for one in found.series
            for images, size, spacing in (_stacks(one.stacks),)
        ),
    )
    findings = [
        text
        for one in found.series
        for text in (*one.findings, *(text for stack in one.stacks for text in stack.findings))
    ]
    for text in _grouped(findings):
        say(f"Note: {text}")
    for text in found.cautions:
        say(f"Note: {text}", style="yellow")
    if found.others:
        several = f"{found.others} files of other kinds were"
        say(f"{several if found.others > 1 else '1 file of another kind was'} passed over")
    return _tell(found.problems)


def convert(
    source: Source,
    out: Out,
    /,
    *,
    to: To = "png",
    window: WindowText = "auto",
    gaps: Gaps = "refuse",
    duplicates: Duplicates = "refuse",
    json: Json = False,
) -> int:
    """Convert DICOM to PNG, NIfTI or NPZ, into a new folder; the files themselves are never touched.

    Slices are ordered by where they lie in the patient, and spacing comes from there. Exits with 2 where something
    could not be converted, which is then told; the rest is there.

    Example:
        fivefold healthcare dicom convert dicom volumes/ --to nifti
    """
    from fivefold_healthcare.dicom.conversion import convert as run  # noqa: PLC0415 - imports pydicom
    from fivefold_healthcare.dicom.window import Window  # noqa: PLC0415 - imports numpy

    done = run(
        Session.current.locate(source), out, to, window=Window.parse(window), gaps=gaps, duplicates=duplicates
    )
    if json:
        emit(
            {
                "out": out,
                "files": done.files,
                "problems": [vars(one) for one in done.problems],
                "notes": done.notes,
            }
        )
        return 2 if done.problems else 0
    for text in done.notes:
        say(f"Note: {text}")
    say(f"{len(done.files)} file{'s' * (len(done.files) != 1)} written to {out}")
    say(STATEMENT)
    return _tell(done.problems)


def deidentify(
    source: Source,
    out: Out,
    /,
    *,
    retain_uids: RetainUids = False,
    retain_device: RetainDevice = False,
    retain_institution: RetainInstitution = False,
    retain_patient: RetainPatient = False,
    dates: DatesKept = "removed",
    secret_file: Secret = None,
    json: Json = False,
) -> int:
    """Remove what identifies the patient, by DICOM PS3.15 (Basic Application Confidentiality Profile).

    New files go into a new folder, with a report of what was removed; the originals are only read. Burnt-in text in
    the pixels is warned of, and not removed: look at the pictures. Exits with 2 where a file could not be
    de-identified, and is left out.

    Example:
        fivefold healthcare dicom deidentify dicom clean/
    """
    from fivefold_healthcare.dicom.deidentification import Dates, Options  # noqa: PLC0415 - imports pydicom
    from fivefold_healthcare.dicom.removal import REPORT, read_secret  # noqa: PLC0415 - imports pydicom
    from fivefold_healthcare.dicom.removal import deidentify as run  # noqa: PLC0415 - imports pydicom

    options = Options(
        retain_uids=retain_uids,
        retain_device_identity=retain_device,
        retain_institution_identity=retain_institution,
        retain_patient_characteristics=retain_patient,
        dates=Dates[dates.upper()],
    )
    done = run(Session.current.locate(source), out, options, read_secret(secret_file))
    if json:
        emit(
            {
                "out": out,
                "files": done.files,
                "problems": [vars(one) for one in done.problems],
                "warnings": done.warnings,
                "report": out / REPORT,
            }
        )
        return 2 if done.problems else 0
    for text in _grouped(done.warnings):
        say(f"Look: {text}", style="yellow")
    say(
        f"{len(done.files)} file{'s' * (len(done.files) != 1)} written to {out}, {done.attributes} "
        f"attributes changed; what was done stands in {out / REPORT}"
    )
    return _tell(done.problems)


def _grouped(sentences: Sequence[str]) -> Iterator[str]:
    """Sentences ``FILE: TEXT``, those of one text as a single one that names some of the files."""
    named: dict[str, list[str]] = {}
    for sentence in sentences:
        name, _, text = sentence.partition(": ")
        named.setdefault(text, []).append(name)
    for text, names in named.items():
        different = list(dict.fromkeys(names))
        many = f" ({len(names)} times)" if len(names) > len(different) else ""
        yield f"{shown(different)}: {text}{many}"


def _stacks(stacks: Sequence[StackReport]) -> tuple[str, str, str]:
    """Images, size and spacing of each kind of stack, one a line."""
    kinds = Counter((stack.images, stack.size, _spacing(stack.spacing)) for stack in stacks)
    lines = [
        (f"{count} x {images}" if count > 1 else str(images), f"{size[0]} x {size[1]}", spacing)
        for (images, size, spacing), count in kinds.items()
    ]
    images, sizes, spacings = (
        ("\n".join(column) for column in zip(*lines, strict=True)) if lines else ("", "", "")
    )
    return images, sizes, spacings


def _spacing(spacing: tuple[float | None, ...]) -> str:
    return " x ".join("?" if value is None else f"{value:.4g}" for value in spacing)


def _tell(problems: tuple[Problem, ...]) -> int:
    for problem in problems:
        say(f"Problem: {problem.reason}", style="red")
    return 2 if problems else 0


add(app, info, "info")
add(app, convert, "convert")
add(app, deidentify, "deidentify")
