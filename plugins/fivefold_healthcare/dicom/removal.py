"""De-identification of files and folders: new files in a new folder, with a report of what was removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom

from fivefold.data.table import Problem
from fivefold.errors import ConfigError, DataError, StorageError
from fivefold.files import write_json, written_aside
from fivefold_healthcare.dicom.deidentification import DeidentificationReport, Deidentifier, Options
from fivefold_healthcare.dicom.files import Found, Instance, find_instances, quiet
from fivefold_healthcare.dicom.series import group_series

REPORT = "deidentification.json"
"""Name of the report in the new folder; it holds no value of the originals, nor their names."""


@dataclass(frozen=True)
class Removed:
    """What came of a de-identification.

    Attributes:
        files: written, relative to the folder.
        problems: files that were not written, called as the user calls them, and why.
        warnings: what somebody has to look at, with the new file's name.
        attributes: how many different attributes were changed.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]
    attributes: int


def read_secret(file: Path | None) -> bytes | None:
    """The secret that a file holds; None where no file is named.

    Raises:
        ConfigError: it cannot be read, or is shorter than 16 bytes.
    """
    if file is None:
        return None
    try:
        secret = file.read_bytes().strip()
    except OSError as error:
        raise ConfigError(
            f"--secret-file {file}: expected a file that can be read, found none ({error.strerror})"
        ) from error
    if len(secret) < 16:  # noqa: PLR2004 - 128 bits
        raise ConfigError(
            f"--secret-file {file}: expected 16 bytes or more that nobody can guess, found {len(secret)}; "
            "write random ones, such as by: openssl rand -hex 32"
        )
    return secret


def deidentify(source: Path, out: Path, options: Options, secret: bytes | None) -> Removed:
    """Write every file of ``source`` without identities into the new folder ``out``; the originals are only read.

    New files are numbered by series, because the names of the originals may identify, too.

    Args:
        source: files, a folder, a DICOMDIR or a zip archive.
        out: where to; must not be there yet.
        options: what may stay.
        secret: of `Deidentifier`.

    Raises:
        DataError: nothing is there, or no file could be de-identified.
        StorageError: ``out`` is there already, or cannot be written.
    """
    if out.exists():
        raise StorageError(f"{out}: expected a folder that is not there yet, found one; choose another")
    found = find_instances(source)
    deidentifier = Deidentifier(options, secret)
    report = DeidentificationReport()
    problems = list(found.problems)
    files: list[str] = []
    warnings: list[str] = []
    with written_aside(out) as part:
        part.unlink()
        part.mkdir()
        for number, (name, instance) in enumerate(_named(found), start=1):
            try:
                said = _write(deidentifier, instance, part / name, name, report)
            except DataError as error:
                reason = str(error).removeprefix(f"{instance.path}: ")
                problems.append(Problem(instance.name, f"{instance.name}: {reason}"))
                report.refuse(f"input {number}", reason)
                continue
            files.append(name)
            warnings += [f"{name}: {text}" for text in said]
        if not files:
            reasons = f": {problems[0].reason}" if problems else ""
            raise DataError(f"{source}: expected DICOM files to de-identify, found none that can be{reasons}")
        summary = report.to_dict()
        write_json(part / REPORT, summary)
    changed = {entry["attribute"] for entry in summary["totals"]}
    return Removed(tuple(files), tuple(problems), tuple(warnings), len(changed))


def _named(found: Found) -> Iterator[tuple[str, Instance]]:
    """Each file with its new name: ``series-001/0001.dcm``."""
    for place, series in enumerate(group_series(found.instances), start=1):
        for number, instance in enumerate(series.instances, start=1):
            yield f"series-{place:03d}/{number:04d}.dcm", instance


def _write(
    deidentifier: Deidentifier, instance: Instance, path: Path, name: str, report: DeidentificationReport
) -> tuple[str, ...]:
    """Write one file; what somebody has to look at in it."""
    with quiet():
        original = pydicom.dcmread(instance.path, force=True)
    outcome = deidentifier.deidentify(original)
    path.parent.mkdir(exist_ok=True)
    with quiet():
        outcome.dataset.save_as(path, enforce_file_format=True)
    report.add(name, outcome.changes, outcome.warnings)
    return outcome.warnings
