"""From a source to a table of samples with answers, patients and subgroups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fivefold.config.fields import named_columns
from fivefold.data.labels import encode_labels, texts
from fivefold.data.records import ENDINGS as TABLES
from fivefold.data.records import column_names
from fivefold.data.shown import shown
from fivefold.data.table import Array, Problem, Table
from fivefold.data.units import Unit, choose_unit, unit_columns
from fivefold.errors import DataError
from fivefold_healthcare.diagnose.cases import (
    HEADER_GROUPS,
    Case,
    groups_of,
    instance_case,
    modality_of,
    series_case,
)
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.labels import UNKNOWN, answer, patterns
from fivefold_healthcare.diagnose.medical import is_called_dicom, is_medical, path_case
from fivefold_healthcare.diagnose.readers import archive, listing
from fivefold_healthcare.dicom.files import Instance, find_instances, is_archive, is_dicom
from fivefold_healthcare.dicom.patients import patient_of
from fivefold_healthcare.dicom.series import group_series

PATIENT = "patient"
"""The column of a table that holds patients, whatever the source calls it."""
KNOWN_UNITS = ("patient", "patient_id", "subject", "subject_id", "participant", "case_id", "person")
"""What columns of patients are called, beside `fivefold.data.units.UNITS`."""

SUBGROUP = "subgroup: "
"""Before the names of columns that hold subgroups."""

MODALITY = "modality"
"""The column with the modality of each image by its header, empty where it has none."""

KINDS = (
    "a table of labels (CSV, TSV, JSON lines or Parquet) with a column path, SOPInstanceUID, "
    "SeriesInstanceUID or StudyInstanceUID beside its images, a folder with one such table, or an NPZ file "
    "with train_images and train_labels"
)


def recognise(source: Path, config: DiagnoseConfig) -> str | None:
    """In words what ``source`` is, or None where no reader knows it; looks at names and headers only."""
    return archive.recognise(source) or listing.recognise(source, config)


def read_table(
    source: Path, config: DiagnoseConfig, named: Mapping[str, str] | None = None
) -> tuple[Table, tuple[Case, ...]]:
    """Labelled samples, and the cases that they are of (none for arrays).

    Args:
        source: a table of labels, a folder with one, or an archive.
        config: the settings.
        named: columns that must be there, option to column; those that the settings name where None.

    Raises:
        DataError: nothing is there, no reader knows it, or the reader finds it wrong.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected {KINDS}")
    named = named_columns(config.columns) if named is None else named
    if source.suffix.lower() == ".npz":
        for option in named:
            raise DataError(
                f"{source}: expected a table of labels, of which {option} names a column, found an NPZ archive; "
                f"leave {option} away"
            )
        return archive.read(source, config), ()
    # Where no table has the columns, the only one there is says which it lacks.
    tables = listing.find_tables(source, config) or listing.all_tables(source)
    if not tables:
        raise DataError(f"{source}: expected {KINDS}; found {_contents(source)}")
    if len(tables) > 1:
        raise DataError(
            f"{source}: expected one table of labels in this folder, found "
            f"{', '.join(_described(table) for table in tables)}; name one of them"
        )
    return labelled_table(listing.read_listed(tables[0], config, named=named), config)


def _contents(source: Path) -> str:
    if source.is_file():
        return "a file of another kind"
    return shown(sorted(path.name for path in source.iterdir())) or "an empty folder"


def _described(table: Path) -> str:
    return f"{table.name} ({', '.join(column_names(table)) or 'no columns that can be read'})"


def labelled_table(listed: listing.Listed, config: DiagnoseConfig) -> tuple[Table, tuple[Case, ...]]:
    """The cases of a table of labels as samples; those without a label are problems."""
    several = config.task == "multi" or len(config.columns.labels) > 1
    cases, problems = listed.cases, list(listed.problems)
    columns: dict[str, Array] = {}
    classes: tuple[str, ...] = ()
    if several:
        truth = np.array([_answers(listed.file, case, config) for case in cases], np.float32)
        truth = truth.reshape(len(cases), len(config.columns.labels))
        columns |= {"truth": truth, "label": patterns(truth)}
    else:
        (column,) = config.columns.labels
        problems += [
            Problem(case.name, f"{listed.file}, row {case.row}: {_no_label(case.cells[column], column)}")
            for case in cases
            if not _is_label(case.cells[column], config)
        ]
        cases = tuple(case for case in cases if _is_label(case.cells[column], config))
        columns["label"], classes = _classes([case.cells[column] for case in cases], config, listed.file)
    unit = _unit(cases, listed.file, config)
    named = {**_named(cases), **columns}
    # Known as patients to the rest where the settings call them so; else by the name that the table gives them.
    other = unit.column not in {config.columns.patient, None, *named}
    role = str(unit.column) if other else PATIENT
    table = Table(
        {**named, **_groups(cases, listed.file, config, role, unit.column)},
        source=str(listed.file),
        label="label",
        classes=classes,
        problems=tuple(problems),
        notes=unit.notes,
    )
    return replace(
        table, group=role if role in table else None, split="split" if "split" in table else None
    ), cases


def _unit(cases: Sequence[Case], file: Path, config: DiagnoseConfig) -> Unit:
    """The column of patients that the table has; headers, which tell more of them, come before a guess."""
    configured = config.columns.patient
    found = unit_columns(column_names(file), configured, KNOWN_UNITS)
    by_header = configured not in found and bool(_header_patients(cases))
    named = by_header or "--columns.patient" in named_columns(config.columns)
    values = {name: [_cell(case, name) for case in cases] for name in found}
    return choose_unit(file, values, configured, named=named, option="--columns.patient")


def _cell(case: Case, column: str) -> str:
    """A cell, empty where it says that nothing is known."""
    value = case.cells.get(column, "")  # lines of JSON may lack a key
    return "" if value.lower() in UNKNOWN else value


def _header_patients(cases: Sequence[Case]) -> list[str]:
    """The patient of every case by its header; none where one does not say."""
    patients = [patient_of(case.header) for case in cases if case.header is not None]
    return patients if len(patients) == len(cases) and all(patients) else []


def read_input_table(
    source: Path,
    config: DiagnoseConfig,
    named: Mapping[str, str] | None = None,
    *,
    volumes: bool = False,
) -> Table:
    """Samples to predict: a file, a folder of files, a zip of DICOM, an NPZ archive, or a table without labels.

    Where volumes are predicted, each DICOM series of a folder or zip is one.

    Args:
        source: the file or folder.
        config: the settings.
        named: columns that must be there, option to column.
        volumes: whether volumes are predicted.

    Raises:
        DataError: nothing is there, no image, or no table where columns are named.
    """
    if not source.exists():
        raise DataError(f"{source}: no such file or folder; expected medical images")
    for option in named or {}:
        if source.suffix.lower() not in TABLES:
            raise DataError(
                f"{source}: expected a table, of which {option} names a column, found something else; name the table, "
                f"or leave {option} away"
            )
    if source.suffix.lower() == ".npz":
        return archive.read_inputs(source)
    if source.suffix.lower() in TABLES:
        listed = listing.read_listed(source, config, labelled=False, named=named)
        return Table(_named(listed.cases), str(source), problems=listed.problems)
    if source.is_file() and (is_archive(source) or is_dicom(source)):
        found = find_instances(source)
        cases = _dicom_cases(found.instances, volumes=volumes)
        kept = np.array([found.instances[0].folder] * len(cases) if cases else [], dtype=object)
        return Table({**_named(cases), "kept": kept}, str(source), problems=found.problems)
    if source.is_file():
        return Table(_named((path_case(source, source.name),)), str(source))
    return _folder(source, volumes=volumes)


def _dicom_cases(instances: Sequence[Instance], *, volumes: bool) -> tuple[Case, ...]:
    if volumes:
        return tuple(series_case(series) for series in group_series(instances))
    return tuple(instance_case(one) for one in instances)


def _folder(source: Path, *, volumes: bool) -> Table:
    """The DICOM images or series of a folder, and its other medical files, each for itself."""
    found = find_instances(source)
    cases = list(_dicom_cases(found.instances, volumes=volumes))
    problems = list(found.problems)
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        hidden = any(part.startswith(".") for part in name.parts)
        if path.is_file() and not hidden and is_medical(path) and not is_called_dicom(path):
            cases.append(path_case(path, name.as_posix()))
    cases.sort(key=lambda case: case.name)
    if not cases and not problems:
        raise DataError(f"{source}: expected medical images to predict, found none in this folder")
    return Table(_named(tuple(cases)), str(source), problems=tuple(problems))


def _named(cases: Sequence[Case]) -> dict[str, Array]:
    return {
        "id": texts([case.name for case in cases]),
        "path": texts([case.path for case in cases]),
        MODALITY: texts([modality_of(case) for case in cases]),
    }


def _answers(file: Path, case: Case, config: DiagnoseConfig) -> list[float]:
    return [
        answer(case.cells[column], config.uncertain, f"{file}, row {case.row}, column '{column}'")
        for column in config.columns.labels
    ]


def _is_label(cell: str, config: DiagnoseConfig) -> bool:
    """Whether a cell names a class: 'none' does where the settings say so, and is else a missing label."""
    return cell.lower() not in UNKNOWN or cell in config.class_names


def _no_label(cell: str, column: str) -> str:
    if not cell:
        return f"expected a label in column '{column}', found an empty cell; fill it or remove the row"
    return (
        f"expected a label in column '{column}', found '{cell}', which counts as missing; where it is a class, "
        "list all of them in --class-names"
    )


def _classes(labels: list[str], config: DiagnoseConfig, file: Path) -> tuple[Array, tuple[str, ...]]:
    """Codes and names; named as configured, which also gives their order."""
    codes, found = encode_labels(labels)
    names = config.class_names
    if not names:
        return codes, found
    if all(name.isdecimal() for name in found) and not set(found) <= set(names):
        named = {name: names[int(name)] for name in found if int(name) < len(names)}
    else:
        named = {name: name for name in found if name in names}
    unknown = [name for name in found if name not in named]
    if unknown:
        raise DataError(
            f"{file}: unknown label '{unknown[0]}'; class_names has {', '.join(names)}; add it there"
        )
    place = np.array([names.index(named[name]) for name in found], dtype=np.int64)
    return place[codes] if len(codes) else codes, names


def _groups(
    cases: Sequence[Case], file: Path, config: DiagnoseConfig, unit: str, unit_column: str | None
) -> dict[str, Array]:
    """Columns of patients (called ``unit``), split and subgroups, where the table or the headers tell of them."""
    header = column_names(file)
    columns: dict[str, Array] = {}
    for role, name in ((unit, unit_column), ("split", config.columns.split)):
        if name is not None and name in header:
            columns[role] = texts([_filled(file, case, name) for case in cases])
    patients = _header_patients(cases)
    if unit not in columns and patients:
        columns[unit] = texts(patients)
    for name in config.subgroups:
        if name not in header:
            raise DataError(
                f"{file}: expected the column '{name}' that subgroups names, found {', '.join(header)}; "
                "correct --subgroups"
            )
        columns[SUBGROUP + name] = texts([case.cells.get(name, "") for case in cases])
    told = [groups_of(case.header) for case in cases]
    for name in HEADER_GROUPS:
        values = [groups[name] for groups in told]
        if any(values) and SUBGROUP + name not in columns:
            columns[SUBGROUP + name] = texts(values)
    return columns


def _filled(file: Path, case: Case, column: str) -> str:
    value = _cell(case, column)
    if not value:
        raise DataError(
            f"{file}, row {case.row}: expected a value in column '{column}', found an empty cell; fill it "
            "for every row, or leave the column away"
        )
    return value
