"""Options by which `evaluate` and `predict` read data that are written otherwise than the training's."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import ClassVar

import pytest

from fivefold.cli.main import main
from fivefold.cli.options import options_type
from fivefold.config import PipelineConfig, StrictModel

WORDS = ("weather", "nowcast")


class Columns(StrictModel):
    """Names."""

    time: str = "date"
    """When."""
    rain: str = "precipitation"
    """How much."""


@pytest.fixture
def renamed(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The weather with a setting for the name of a column, and a series in which it has another."""
    module = importlib.import_module("weather_nowcast")

    class Config(module.Nowcast.Config):  # type: ignore[misc, name-defined]  # imported at run time
        """With the names of columns."""

        reading: ClassVar[tuple[str, ...]] = ("columns.rain",)
        columns: Columns = Columns()

    read = module.Nowcast.read

    def read_named(self, source: Path):  # type: ignore[no-untyped-def]  # stands in for a method
        text = source.read_text(encoding="utf-8")
        plain = source.with_suffix(".plain")
        plain.write_text(text.replace(self.config.columns.rain, "precipitation", 1), encoding="utf-8")
        return read(self, plain)

    monkeypatch.setattr(module.Nowcast, "Config", Config)
    monkeypatch.setattr(module.Nowcast, "read", read_named)
    text = Path("rain.csv").read_text(encoding="utf-8")
    Path("other.csv").write_text(text.replace("precipitation", "regen", 1), encoding="utf-8")
    return trained


def test_other_data_may_have_other_columns(renamed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "evaluate", str(renamed), "other.csv"]) == 2
    assert "precipitation" in capsys.readouterr().err
    words = ["other.csv", "--columns.rain", "regen", "--json"]
    assert main([*WORDS, "evaluate", str(renamed), *words]) == 0
    evaluation = json.loads(capsys.readouterr().out)["evaluation"]
    assert "Read with --columns.rain regen, and otherwise as in training." in evaluation["notes"]
    assert not any("without baselines" in note.lower() for note in evaluation["notes"])
    assert main([*WORDS, "predict", str(renamed), *words]) == 0
    found = json.loads(capsys.readouterr().out)["predictions"]
    assert main([*WORDS, "predict", str(renamed), "rain.csv", "--json"]) == 0
    assert found == json.loads(capsys.readouterr().out)["predictions"]


def test_without_data_there_is_nothing_to_read_otherwise(
    renamed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, "evaluate", str(renamed), "--columns.rain", "regen"]) == 2
    told = capsys.readouterr().err
    assert "--columns.rain regen: expected DATA to read so, found none; " in told
    assert len(told.strip().splitlines()) == 1


def test_help_shows_what_is_offered(renamed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("evaluate", "predict"):
        assert main([*WORDS, verb, "--help"]) == 0
        out = capsys.readouterr().out
        assert "As in training where not given." in out
        assert "--columns.rain" in out
        assert "--columns.time" not in out
        assert "[default: precipitation]" not in out
    assert main([*WORDS, "evaluate", str(renamed), "other.csv", "--columns.time", "x"]) == 2
    assert "--columns.time" in capsys.readouterr().err


def test_a_pipeline_that_names_none_has_no_empty_group(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("evaluate", "predict"):
        assert main([*WORDS, verb, "--help"]) == 0
        assert "As in training where not given" not in capsys.readouterr().out


def test_a_name_of_nothing_is_told(
    weather: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = importlib.import_module("weather_nowcast")

    class Config(module.Nowcast.Config):  # type: ignore[misc, name-defined]  # imported at run time
        """With a name that is none."""

        reading: ClassVar[tuple[str, ...]] = ("encoding",)

    monkeypatch.setattr(module.Nowcast, "Config", Config)
    assert main([*WORDS, "train", "--help"]) != 0
    assert "'reading' names the setting 'encoding', which is not there" in capsys.readouterr().err


def test_options_are_those_that_are_named() -> None:
    class Config(PipelineConfig):
        columns: Columns = Columns()
        encoding: str = "utf-8"

    some = options_type(Config, only=("columns.rain", "encoding")).__annotations__
    assert list(some) == ["columns", "encoding"]
    assert list(some["columns"].__origin__.__annotations__) == ["", "rain"]
    assert some["encoding"].__metadata__[0].help == ""
    whole = options_type(Config, only=("columns",)).__annotations__
    assert list(whole["columns"].__origin__.__annotations__) == ["", "time", "rain"]
    assert whole["columns"].__origin__.__annotations__["time"].__metadata__[0].help == "When."
    assert options_type(Config, only=()).__annotations__ == {}
