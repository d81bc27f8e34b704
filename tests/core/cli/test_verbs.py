from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml
from pydantic import Field

from fivefold.cli.main import main
from fivefold.cli.options import options_type
from fivefold.cli.records import flat
from fivefold.config import PipelineConfig
from fivefold.errors import PluginError
from stub_plugins import needs

WORDS = ["weather", "nowcast"]


def test_a_file_of_data_becomes_a_judged_run_and_predictions(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Path("settings.yaml")
    settings.write_text("epochs: 3\nhidden: 4\n", encoding="utf-8")
    train = [*WORDS, "train", str(weather), "--config", str(settings), "--epochs", "1", "--out", "run"]
    assert main([*train, "--optimizer.lr", "0.01"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Report: run/report.html" in captured.err
    assert "value 7 steps earlier" in captured.err
    saved = yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))
    assert (saved["epochs"], saved["hidden"], saved["optimizer"]["lr"]) == (1, 4, 0.01)

    assert main([*WORDS, "predict", "run", str(weather), "--out", "rain.jsonl", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    written = [json.loads(line) for line in Path("rain.jsonl").read_text(encoding="utf-8").splitlines()]
    assert printed["predictions"] == written
    assert len(written) == 150 - 14 + 1
    assert main([*WORDS, "predict", "run", str(weather), "--out", "rain-out.csv"]) == 0
    with Path("rain-out.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == len(written)
    assert main([*WORDS, "predict", "run", str(weather)]) == 0
    assert "and 117 more" in capsys.readouterr().err

    assert main([*WORDS, "evaluate", "run", "--json"]) == 0
    judged = json.loads(capsys.readouterr().out)
    assert judged["evaluation"]["split"] == "test"
    assert judged["evaluation"]["metrics"]


def test_train_prints_one_json_object_and_resumes(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main([*WORDS, "train", str(weather), "--epochs", "1", "--hidden", "4", "--out", "run", "--json"]) == 0
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed["info"]["status"] == "complete"
    assert printed["run"] == "run"
    settings = Path("settings.yaml")
    settings.write_text("epochs: 3\n", encoding="utf-8")
    assert main([*WORDS, "train", str(weather), "--out", "run"]) == 2
    assert "add --resume" in capsys.readouterr().err
    assert main([*WORDS, "train", str(weather), "--out", "run", "--resume", "--config", str(settings)]) == 2
    assert "--resume goes on with the settings of run" in capsys.readouterr().err
    # The settings come from the run: hidden is 4 again, or its checkpoint would not fit.
    assert main([*WORDS, "train", str(weather), "--out", "run", "--resume", "--epochs", "2"]) == 0
    assert yaml.safe_load(Path("run/config.yaml").read_text(encoding="utf-8"))["hidden"] == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "nowhere.csv"], "nowhere.csv: no such file or folder"),
        (
            ["train", "rain.csv", "--lookback", "0"],
            "option --lookback: expected a number greater than or equal to 1, found 0",
        ),
        (["train", "rain.csv", "--config", "no.yaml"], "no.yaml: cannot be read"),
        (["train", "rain.csv", "--device", "tpu"], "tpu"),
        (["train", "bad.csv"], "bad.csv, line 2"),
        (["evaluate", "runs/none"], "runs/none: no such run directory"),
        (["predict", "runs/rain"], "INPUTS is missing"),
        (
            ["predict", "runs/rain", "rain.csv", "--out", "x.png"],
            "expected a name that ends in .csv or .jsonl, found '.png'",
        ),
        (["predict", "runs/rain", "none.csv"], "none.csv: no such file"),
        (["predict", "runs/rain", "rain.csv", "--out", "rain.csv/x.csv"], "cannot be written"),
    ],
)
def test_wrong_input_is_one_sentence_and_writes_nothing(
    trained: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("bad.csv").write_text(
        "date,precipitation,temp_max,temp_min,wind\n2020-01-01,1,x,3,4\n", encoding="utf-8"
    )
    before = sorted(path for path in Path().rglob("*"))
    capsys.readouterr()
    assert main([*WORDS, *words]) == 2
    assert said in capsys.readouterr().err
    assert sorted(path for path in Path().rglob("*")) == before


@needs("vision")
def test_a_run_of_another_pipeline_says_which(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vision", "classify", "evaluate", str(trained)]) == 2
    assert "expected a run of vision/classify, found one of weather/nowcast" in capsys.readouterr().err


def test_config_as_yaml_schema_and_json(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "config", "--hidden", "5"]) == 0
    text = capsys.readouterr().out
    assert "# Width of the network's state.\nhidden: 5\n" in text
    Path("mine.yaml").write_text(text, encoding="utf-8")
    assert main([*WORDS, "config", "--config", "mine.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["config"]["hidden"] == 5
    assert main([*WORDS, "config", "--schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["hidden"]["description"] == "Width of the network's state."


@needs("vision")
def test_help_shows_settings_presets_and_an_example(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*WORDS, "train", "--help"]) == 0
    out = capsys.readouterr().out
    for words in (
        "--optimizer.lr",
        "--lookback",
        "Days seen. [default: 14]",
        "--resume",
        "--strict",
        "--out",
    ):
        assert words in out
    assert (
        "fivefold weather nowcast train seattle-weather --epochs 1 \\\n      --out runs/seattle-weather"
        in out
    )
    assert main(["vision", "classify", "train", "--help"]) == 0
    assert "Presets:\n  quick: " in capsys.readouterr().out
    assert main([*WORDS, "--help"]) == 0
    assert "Judge a trained model again" in capsys.readouterr().out


def test_a_setting_must_not_hide_an_option() -> None:
    class Hiding(PipelineConfig):
        device: str = "gpu"

    with pytest.raises(PluginError, match="the setting 'device' has the name of an option"):
        options_type(Hiding, ("device",))


def test_defaults_in_help_are_those_of_the_config() -> None:
    class Inner(PipelineConfig):
        epochs: int = 3

    class Outer(PipelineConfig):
        inner: Inner = Inner(epochs=8)
        needed: int
        steps: int = Field(default_factory=lambda: 5, description="Of ``work``.")

    hints = options_type(Outer).__annotations__
    assert hints["steps"].__metadata__[0].help == "Of 'work'. [default: 5]"
    assert hints["needed"].__metadata__[0].help == ""
    assert hints["inner"].__origin__.__annotations__["epochs"].__metadata__[0].help.endswith("[default: 8]")


def test_a_missing_package_is_told_before_anything_runs(
    site: Path, weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = site / "fivefold-9.9.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: fivefold\nVersion: 9.9\nRequires-Dist: torch>=99\n", encoding="utf-8"
    )
    assert main([*WORDS, "train", str(weather), "--out", "run"]) == 2
    assert "fivefold needs torch>=99, found 2." in capsys.readouterr().err
    assert not Path("run").exists()


def test_records_are_flattened() -> None:
    record = {"id": "a", "probabilities": {"cat": 0.5}, "top": ["cat", "dog"]}
    assert flat(record) == {"id": "a", "probabilities.cat": 0.5, "top": '["cat", "dog"]'}


def test_a_default_of_white_space_can_be_seen() -> None:
    class Options(PipelineConfig):
        """Options."""

        prompt: str = "\n"
        """What comes first."""

    annotation = options_type(Options).__annotations__["prompt"]
    assert annotation.__metadata__[0].help == "What comes first. [default: '\\n']"


def test_help_of_predictions_without_options_has_no_empty_group(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weather", "nowcast", "predict", "--help"]) == 0
    out = capsys.readouterr().out
    assert "--device" in out
    assert "What this pipeline's predictions can be told" not in out
    assert "OPTIONS" not in out.partition("\n")[2]
