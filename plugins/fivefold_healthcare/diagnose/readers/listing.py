"""A table of labels: each row names an image by its path or by a DICOM UID, and says what it shows.

``path,label[,patient][,split][,subgroups...]``; or a column of SOPInstanceUID, SeriesInstanceUID or
StudyInstanceUID in the place of the path. DICOM files are looked for below the table's folder.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from fivefold.config.fields import require_named
from fivefold.data.listed import listed_path
from fivefold.data.records import ENDINGS, Hints, Record, column_names, read_records
from fivefold.data.table import Problem
from fivefold.errors import DataError
from fivefold_healthcare.diagnose.cases import Case, instance_case, series_case
from fivefold_healthcare.diagnose.config import ColumnsConfig, DiagnoseConfig
from fivefold_healthcare.diagnose.medical import folder_cases, is_medical, path_case
from fivefold_healthcare.dicom.files import Instance, find_instances
from fivefold_healthcare.dicom.series import group_series

_HINTS = Hints(
    columns="--columns.path, --columns.instance, --columns.study and --columns.labels", encoding=None
)
_UIDS = ("instance", "series", "study")
_NAMED = 3


@dataclass(frozen=True)
class Listed:
    """What a table names.

    Attributes:
        file: the table.
        cases: rows whose images are there; a study's row gives a case for each of its images.
        problems: rows without an image, and images without a row.
    """

    file: Path
    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def find_tables(source: Path, config: DiagnoseConfig) -> list[Path]:
    """The table of labels that ``source`` is, or those in that folder."""
    named = [(file, column_names(file)) for file in all_tables(source)]
    return [file for file, names in named if _key(names, config) and set(config.columns.labels) <= set(names)]


def with_usual_columns(source: Path, config: DiagnoseConfig, given: Collection[str]) -> DiagnoseConfig:
    """``config`` with the usual names of columns that the table at ``source`` has in the place of the training's.

    Args:
        source: a table, or a folder with one; anything else has no columns.
        config: the settings of the training, with what is given for these data.
        given: roles of the columns that are named for these data, which keep their names.
    """
    tables = all_tables(source)
    names = set(column_names(tables[0])) if len(tables) == 1 else set()
    usual = ColumnsConfig()
    columns = config.columns
    absent = {
        role: getattr(usual, role)
        for role, name in dict(columns).items()
        if role not in given and name not in names and getattr(usual, role) in names
    }
    if "labels" not in given and len(columns.labels) == 1 and not names.issuperset(columns.labels):
        absent["labels"] = usual.labels if names.issuperset(usual.labels) else columns.labels
    return config.model_copy(update={"columns": columns.model_copy(update=absent)})


def all_tables(source: Path) -> list[Path]:
    """The table that ``source`` is, or those in that folder, whatever their columns."""
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    return [file for file in files if file.suffix.lower() in ENDINGS and file.is_file()]


def recognise(source: Path, config: DiagnoseConfig) -> str | None:
    """In words what ``source`` is, or None where it is no table of labels, nor has just one."""
    tables = find_tables(source, config)
    return f"a table of labels ({', '.join(column_names(tables[0]))})" if len(tables) == 1 else None


def read_listed(
    file: Path, config: DiagnoseConfig, *, labelled: bool = True, named: Mapping[str, str] | None = None
) -> Listed:
    """Find the image of every row, and the images that no row names.

    Args:
        file: the table.
        config: names of its columns.
        labelled: whether columns of labels must be there.
        named: further columns that must be there, option to column.

    Raises:
        DataError: the table cannot be read, a column is missing, or a path leads out of its folder.
    """
    header = column_names(file)
    if not header:
        list(read_records(file, (), hints=_HINTS))  # says why its columns cannot be read
    require_named(file, header, named or {})
    key = _key(header, config)
    if key is None:
        names = [getattr(config.columns, role) for role in ("path", *_UIDS)]
        raise DataError(
            f"{file}: expected a column that names the image ({', '.join(names)}), found "
            f"{', '.join(header) or 'none'}; name it by {_HINTS.columns}"
        )
    role, column = key
    if labelled:
        _require_labels(file, header, config)
    rows = list(read_records(file, [column, *(config.columns.labels if labelled else ())], hints=_HINTS))
    if role == "path":
        return _by_path(file, column, rows, labelled=labelled)
    return _by_uid(file, role, column, rows, labelled=labelled)


def _key(header: list[str], config: DiagnoseConfig) -> tuple[str, str] | None:
    """Role and name of the column that names the images."""
    for role in ("path", *_UIDS):
        name = getattr(config.columns, role)
        if name in header:
            return role, name
    return None


def _require_labels(file: Path, header: list[str], config: DiagnoseConfig) -> None:
    for name in config.columns.labels:
        if name not in header:
            near = get_close_matches(name, header, n=1)
            meant = f"did you mean '{near[0]}'? " if near else ""
            raise DataError(
                f"{file}: expected a column '{name}' with labels, found {', '.join(header)}; {meant}name the columns "
                "of labels by --columns.labels, once for each"
            )


def _cells(record: Record) -> dict[str, str]:
    return {name: "" if value is None else str(value).strip() for name, value in record.values.items()}


def _by_path(file: Path, column: str, rows: list[Record], *, labelled: bool) -> Listed:
    cases: list[Case] = []
    problems: list[Problem] = []
    named: list[Path] = []
    for record in rows:
        cells = _cells(record)
        name = cells[column]
        path = listed_path(file, record.row, name)
        if name:  # without one it is the table's whole folder
            named.append(path)
        if not name or not path.exists():
            problems.append(
                _absent(file, record.row, f"an image at '{name}'", f"no such file in {file.parent}")
            )
            continue
        try:
            found = folder_cases(path, name) if path.is_dir() else (path_case(path, name),)
        except DataError as error:
            problems.append(Problem(name, f"{file}, row {record.row}: {error}"))
            continue
        if len(found) != 1:
            problems.append(
                _absent(
                    file, record.row, f"one series in the folder '{name}'", f"{len(found)}: {_named(found)}"
                )
            )
            continue
        cases.append(replace(found[0], row=record.row, cells=cells))
    if labelled:
        problems += _unnamed_files(file, named)
    return Listed(file, tuple(cases), tuple(problems))


def _by_uid(file: Path, role: str, column: str, rows: list[Record], *, labelled: bool) -> Listed:
    found = find_instances(file.parent)
    groups = _groups(found.instances, role)
    problems = list(found.problems)
    cases: list[Case] = []
    seen: set[str] = set()
    for record in rows:
        cells = _cells(record)
        uid = cells[column]
        seen.add(uid)
        if uid not in groups:
            problems.append(
                _absent(file, record.row, f"DICOM files of {column} '{uid}'", f"none below {file.parent}")
            )
            continue
        cases += [replace(case, row=record.row, cells=cells) for case in groups[uid]]
    if labelled:
        problems += [
            Problem(
                case.name,
                f"{case.name}: expected a row with its {column} in {file}, found none; label it or remove it",
            )
            for uid, members in groups.items()
            for case in members
            if uid not in seen
        ]
    return Listed(file, tuple(cases), tuple(problems))


def _groups(instances: tuple[Instance, ...], role: str) -> Mapping[str, list[Case]]:
    """Cases by the UID of that role."""
    groups: dict[str, list[Case]] = {}
    if role == "series":
        for series in group_series(instances):
            groups.setdefault(series.uid, []).append(series_case(series))
        return groups
    keyword = "SOPInstanceUID" if role == "instance" else "StudyInstanceUID"
    for instance in instances:
        groups.setdefault(str(instance.header.get(keyword, "")), []).append(instance_case(instance))
    return groups


def _absent(file: Path, row: int, expected: str, found: str) -> Problem:
    return Problem(
        f"row {row}", f"{file}, row {row}: expected {expected}, found {found}; mend the row or remove it"
    )


def _named(cases: tuple[Case, ...]) -> str:
    return ", ".join(case.name for case in cases[:_NAMED]) + (", ..." if len(cases) > _NAMED else "")


def _unnamed_files(file: Path, named: list[Path]) -> Iterator[Problem]:
    """Medical files beside or below the table that no row names."""
    whole = set(named)
    for path in sorted(file.parent.absolute().rglob("*")):
        relative = path.relative_to(file.parent.absolute())
        hidden = any(part.startswith(".") for part in relative.parts)
        if hidden or path in whole or not path.is_file() or not is_medical(path) or whole & set(path.parents):
            continue
        name = relative.as_posix()
        yield Problem(
            name, f"{name}: expected a row that names it in {file}, found none; label it or remove it"
        )
