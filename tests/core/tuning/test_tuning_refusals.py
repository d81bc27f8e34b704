"""What is no study is refused in one sentence, before anything is written."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from core.tuning.plants import Sealed, SealedIris, quick, study
from fivefold.data.dataset import Dataset
from fivefold.data.table import Table
from fivefold.errors import ConfigError, DependencyError, RunError, StorageError
from fivefold.evaluation.metric import Metric
from fivefold.tasks.base import Task
from fivefold.tasks.classification import Classification
from iris_pipeline import write_irises


@pytest.fixture(scope="module")
def irises(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_irises(tmp_path_factory.mktemp("data") / "irises.csv")


class NoMetric(SealedIris):
    def task(self, data: Any) -> Task:
        class Silent(Classification):
            def metrics(self) -> list[Metric]:
                return [replace(metric, higher_is_better=None) for metric in super().metrics()]

        task = super().task(data)
        task.__class__ = Silent
        return task


class NoValidation(SealedIris):
    def samples(self, table: Table) -> Dataset:
        samples = super().samples(table)
        return Sealed(0) if self._asked == 2 else samples


@pytest.mark.parametrize(
    ("kind", "said"), [(NoMetric, "no metric that is better"), (NoValidation, "no validation split")]
)
def test_without_anything_to_judge_by_there_is_no_study(
    kind: type[SealedIris], said: str, irises: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=said):
        study(irises, tmp_path / "study", kind=kind)
    assert not (tmp_path / "study").exists()


class AutoIris(SealedIris):
    class Config(SealedIris.Config):
        batch_size: int | Literal["auto"] = "auto"


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"trials": 0}, ConfigError, "--trials: expected at least 1, found 0"),
        ({"minutes": math.nan}, ConfigError, "--minutes: expected a number above 0"),
        ({"storage": "sqlite:///x.db"}, ConfigError, "expected --study NAME"),
        ({"study": "a/b"}, ConfigError, "plain name"),
        ({"study": ".."}, ConfigError, "plain name"),
        ({"search": ["nothing=1:2"]}, ConfigError, "unknown setting 'nothing'"),
        ({"kind": AutoIris}, ConfigError, "batch_size is auto"),
        ({"config": quick(trainer={"monitor": "loudness"})}, ConfigError, "'loudness' is no metric"),
        ({"storage": "over there", "study": "x"}, ConfigError, "expected a database URL"),
        ({"storage": "mssql://me:secret@host/db", "study": "x"}, DependencyError, "driver that is not installed"),
        ({"storage": "sqlite:////nowhere/at/all.db", "study": "x"}, StorageError, "database cannot be used"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_first(
    options: dict[str, Any], error: type[Exception], said: str, irises: Path, tmp_path: Path
) -> None:
    with pytest.raises(error, match=said) as raised:
        study(irises, tmp_path / "study", **options)
    assert "secret" not in str(raised.value)
    assert not list(tmp_path.glob("study/*"))


def test_a_directory_with_other_files_is_left_alone(irises: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="expected a new directory or one with a study"):
        study(irises, irises.parent)


def test_torchrun_is_refused(irises: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="with the same --study"):
        study(irises, tmp_path / "study")
