"""Columns that a user names are there, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from fivefold.config import StrictModel, resolve
from fivefold.config.fields import named_columns, require_named
from fivefold.errors import DataError
from fivefold.tuning.data import Watched


class Columns(StrictModel):
    """Names of columns."""

    path: str = "path"
    """A path."""
    batch_id: str | None = None
    """A unit."""
    labels: tuple[str, ...] = ("label",)
    """Several columns."""


class Settings(StrictModel):
    """Settings with columns."""

    columns: Columns = Columns()
    """Names of columns."""


def test_named_is_what_was_typed_whatever_its_value() -> None:
    assert named_columns(Columns()) == {}
    assert named_columns(Columns(path="path")) == {"--columns.path": "path"}
    assert named_columns(Columns(batch_id="x"), "--inputs") == {"--inputs.batch-id": "x"}
    assert named_columns(Columns(batch_id=None)) == {}


def test_settings_that_hold_several_columns_are_left_to_what_reads_them() -> None:
    assert named_columns(Columns(labels=("fluid", "mass"))) == {}
    assert named_columns(Columns(path="file", labels=("fluid",))) == {"--columns.path": "file"}
    written_out = Columns.model_validate(Columns(path="file", labels=("fluid",)).model_dump())
    assert named_columns(written_out) == {"--columns.path": "file"}


def test_names_that_come_from_a_file_are_named(tmp_path: Path) -> None:
    file = tmp_path / "settings.yaml"
    file.write_text("columns: {path: path}\n", encoding="utf-8")
    assert named_columns(resolve(Settings, file=file).columns) == {"--columns.path": "path"}


def test_settings_that_were_written_out_name_what_differs_from_the_default() -> None:
    written_out = Columns.model_validate(Columns(path="file").model_dump())
    assert named_columns(written_out) == {"--columns.path": "file"}
    assert named_columns(Columns.model_validate(Columns().model_dump())) == {}


def test_settings_of_a_trial_answer_as_those_that_they_stand_for() -> None:
    settings = Settings.model_validate({"columns": {"batch_id": "patient"}})
    seen: set[str] = set()
    assert named_columns(Watched(settings, seen).columns) == named_columns(settings.columns) != {}
    assert "columns.batch_id" in seen


def test_a_named_column_that_is_absent_is_refused_with_those_there_are() -> None:
    named = {"--columns.patient": "patientennummer"}
    require_named("x.csv", ["path", "patientennummer"], named)
    require_named("x.csv", [], named)  # cannot be read, which reading tells
    with pytest.raises(DataError) as caught:
        require_named(Path("x.csv"), ["path", "Patientennummer"], named)
    assert str(caught.value) == (
        "x.csv: expected the column 'patientennummer' that --columns.patient names, found path, Patientennummer; "
        "did you mean 'Patientennummer'? correct --columns.patient, or leave it away"
    )
