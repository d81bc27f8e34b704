"""Other data than the training's that are written otherwise: `Config.reading`, `evaluate` and `predict`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.reading import check_reading, given_options
from fivefold.data.table import Table
from fivefold.errors import ConfigError, DataError, PluginError
from fivefold.pipeline import Pipeline
from fivefold.plugins.targets import load_config
from fivefold.runs import Run
from fivefold.workflow import evaluate, predict, train
from iris_pipeline import SPEC, Iris, IrisRegistry, registry, write_irises


class Columns(StrictModel):
    """Which columns there are, for their names only."""

    size: str = "size"
    """The lengths."""
    place: str = "place"
    """Where it grew."""


class Separated(Iris):
    """Irises whose cells may be parted by another sign."""

    class Config(Iris.Config):
        """The sign between cells, and the names of columns."""

        reading: ClassVar[tuple[str, ...]] = ("separator", "columns")
        separator: str = ","
        columns: Columns = Columns()

    asked: ClassVar[list[dict[str, str]]] = []

    def read(self, source: Path) -> Table:
        self.asked.append(self.named_columns())
        return super().read(self._plain(source))

    def read_inputs(self, source: Path) -> Table:
        return super().read_inputs(self._plain(source))

    def _plain(self, source: Path) -> Path:
        """The file with commas."""
        if source.suffix == ".plain":
            return source
        text = source.read_text()
        if text.count(self.config.separator) < 4:
            raise DataError(f"{source}: expected cells parted by '{self.config.separator}'")
        plain = source.with_suffix(".plain")
        plain.write_text(text.replace(self.config.separator, ","))
        return plain


class SeparatedRegistry(IrisRegistry):
    """A registry with that pipeline."""

    def pipeline_class(self, name: str) -> type[Pipeline]:
        self.pipeline_spec(name)
        return Separated


def known() -> SeparatedRegistry:
    return SeparatedRegistry(pipelines=registry().pipelines)


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("separated")
    source = write_irises(folder / "irises.csv")
    config = Separated.Config(epochs=4, columns=Columns(size="lengths"))
    train(SPEC, str(source), config, out=folder / "run", registry=known())
    return folder


@pytest.fixture
def folder(trained_once: Path, tmp_path: Path) -> Path:
    shutil.copytree(trained_once, tmp_path / "data")
    run = Run.open(tmp_path / "data" / "run")
    run.info["data"]["source"] = str(tmp_path / "data" / "irises.csv")
    run.update()
    other = write_irises(tmp_path / "data" / "plain.csv", slice(None, None, 7))
    (tmp_path / "data" / "bars.csv").write_text(other.read_text().replace(",", "|"))
    Separated.asked.clear()
    return tmp_path / "data"


def test_other_data_are_read_as_is_said_and_the_training_data_as_in_training(folder: Path) -> None:
    run = Run.open(folder / "run")
    with pytest.raises(DataError, match="expected cells parted by ','"):
        evaluate(run, str(folder / "bars.csv"), registry=known())
    plain, _ = evaluate(run, str(folder / "plain.csv"), registry=known())
    reading = {"separator": "|"}
    found, directory = evaluate(run, str(folder / "bars.csv"), registry=known(), reading=reading)
    assert found.estimates == plain.estimates
    # Without the training's data there would be neither, and a note.
    assert found.baseline_outputs.keys() == {"majority class"}
    assert found.findings == plain.findings != ()
    note = "Read with --separator |, and otherwise as in training."
    assert [text for text in found.notes if text not in plain.notes] == [note]
    assert note in (directory / "report.html").read_text()
    assert Run.open(run.path).config["separator"] == ","

    records = predict(run, [str(folder / "bars.csv")], registry=known(), reading=reading)
    plainly = predict(run, [str(folder / "plain.csv")], registry=known())
    assert [one["probabilities"] for one in records] == [one["probabilities"] for one in plainly]


def test_named_columns_are_those_that_are_given_now(folder: Path) -> None:
    run = Run.open(folder / "run")
    evaluate(run, str(folder / "plain.csv"), registry=known())
    assert Separated.asked == [{}, {"--columns.size": "lengths"}]  # other data, then the training's
    Separated.asked.clear()
    evaluate(run, str(folder / "plain.csv"), registry=known(), reading={"columns": {"place": "place"}})
    assert Separated.asked == [{"--columns.place": "place"}, {"--columns.size": "lengths"}]


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        ({"seperator": "|"}, r"option --seperator: unknown key; did you mean 'separator'\?"),
        ({"columns": {"sise": "x"}}, r"option --columns\.sise: unknown key; did you mean 'size'\?"),
        ({"separator": 3}, r"option --separator: expected string, found 3"),
        ({"hidden": 4}, r"reading: expected settings that say .* \(separator, columns\), found 'hidden'"),
    ],
)
def test_wrong_settings_are_told(reading: dict[str, Any], message: str, folder: Path) -> None:
    run = Run.open(folder / "run")
    with pytest.raises(ConfigError, match=message):
        evaluate(run, str(folder / "plain.csv"), registry=known(), reading=reading)
    with pytest.raises(ConfigError, match=message):
        predict(run, [str(folder / "plain.csv")], registry=known(), reading=reading)


def test_what_says_how_to_read_needs_something_to_read(folder: Path) -> None:
    run = Run.open(folder / "run")
    reading = {"columns": {"size": "length"}}
    with pytest.raises(ConfigError, match=r"^--columns\.size length: expected DATA to read so, found none; "):
        evaluate(run, registry=known(), reading=reading)
    with pytest.raises(ConfigError, match=r"^--columns\.size length: expected files .*, found texts; "):
        predict(run, [], texts=["1"], registry=known(), reading=reading)
    evaluate(run, registry=known(), reading={})


@pytest.mark.parametrize("name", ["colums", "columns.sise", "epochs.x"])
def test_a_pipeline_must_have_what_it_names(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Config(PipelineConfig):
        """With a name that is none of its own."""

        reading: ClassVar[tuple[str, ...]] = ("columns", name)
        columns: Columns = Columns()

    with pytest.raises(PluginError, match=rf"'reading' names the setting '{name}', which is not there"):
        check_reading(Config)
    monkeypatch.setattr(Iris, "Config", Config)
    with pytest.raises(PluginError, match="'reading' names the setting"):
        load_config(SPEC)


def test_options_are_told_as_they_are_typed() -> None:
    reading = {"columns": {"label_time": "seen", "labels": ("a", "b")}, "frame_rate": 25.0, "sure": True}
    told = "--columns.label-time seen --columns.labels a --columns.labels b --frame-rate 25 --sure"
    assert given_options(reading) == told
    assert given_options({"series": {"adjusted": False}, "sure": False}) == "--series.no-adjusted --no-sure"
    assert given_options({}) == ""
