"""``data check`` tells what a training would, takes a pipeline's settings, and says why nobody recognises data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fivefold.cli.again import options_again
from fivefold.cli.main import main
from fivefold.cli.misses import Miss, in_a_line, nearest_first
from stub_plugins import FIRST_PIPELINE, needs, write_plugin

DOUBTING = """
from weather_nowcast import Nowcast

class Doubting(Nowcast):
    def recognise(self, source):
        return "doubtful weather" if source.suffix == ".csv" else None

    def cautions(self, data):
        return ["The gauge was moved."]
"""
HOOK = """
@hookimpl
def fivefold_pipelines():
    return [PipelineSpec("doubt/nowcast", "Weather", target="stub_doubting:Doubting")]
"""


@pytest.fixture
def doubting(site: Path, weather: Path) -> Path:
    """A pipeline that has something to say of its data."""
    (site / "stub_doubting.py").write_text(DOUBTING, encoding="utf-8")
    write_plugin(site, "doubt", HOOK)
    return weather


def test_what_a_report_would_say_first_is_said(doubting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(doubting), "--pipeline", "doubt/nowcast"]) == 0
    err = capsys.readouterr().err
    assert "Note: The gauge was moved." in err
    assert "Note: There is only one independent unit" in err
    assert "Nothing wrong was found" not in err
    assert main(["data", "check", str(doubting), "--json"]) == 0
    readers = {one["pipeline"]: one for one in json.loads(capsys.readouterr().out)["pipelines"]}
    assert readers["doubt/nowcast"]["notes"][0] == "The gauge was moved."
    assert "The gauge was moved." not in readers["weather/nowcast"]["notes"]


def test_a_named_pipeline_takes_its_settings(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["data", "check", str(weather), "--pipeline=weather/nowcast", "--lookback", "5"]
    assert main([*words, "--strict"]) == 0
    err = capsys.readouterr().err
    assert "Next: fivefold weather nowcast train rain.csv --lookback 5\n" in err
    assert main([*words[:-1], "x"]) == 2
    assert "--lookback: expected" in capsys.readouterr().err
    assert main([*words[:4], "--lookbak", "5"]) == 2
    assert "did you mean --lookback?" in capsys.readouterr().err
    assert main(["data", "check", str(weather), "--lookback", "5"]) == 2
    assert "unknown option --lookback; settings of a pipeline need its name beside" in capsys.readouterr().err
    assert main(["data", "check", str(weather), "--pipeline", "weather/nowcas"]) == 2
    assert (
        "no pipeline 'weather/nowcas' is installed; did you mean 'weather/nowcast'?"
        in capsys.readouterr().err
    )


def test_settings_that_do_not_suit_the_data_are_told(
    weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", "check", str(weather), "--pipeline", "weather/nowcast", "--lookback", "500"]) == 0
    assert "Note: With these settings a training would stop: " in capsys.readouterr().err


@needs("vision")
@needs("nlp")
def test_each_pipeline_says_why_it_does_not_recognise_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("texts.csv").write_text("texts,label\nfine,good\npoor,bad\n", encoding="utf-8")
    assert main(["data", "check", "texts.csv"]) == 2
    lines = capsys.readouterr().err.splitlines()
    found = [line for line in lines if line.startswith("nlp/sentiment: ")]
    assert "expected a column 'text', found texts, label" in found[0]
    assert [line.partition(":")[0] for line in lines[:-1]].count("vision/classify") == 1
    assert lines[-1].startswith(f"error: texts.csv: no pipeline recognises it (asked: {FIRST_PIPELINE}")
    assert lines[-1].endswith("fivefold data check texts.csv --pipeline NAME")


def test_the_nearest_miss_comes_first(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("Satz,label\n", encoding="utf-8")
    misses = [
        Miss("any/thing", ""),
        Miss("far/off", f"{path}: expected pictures, found a file of another kind"),
        Miss("some/column", f"{path}: expected a column 'time', found Satz, label; name it"),
        Miss("near/by", f"{path}: expected a column 'text', found Satz, label; name it and label"),
    ]
    found = [one.pipeline for one in nearest_first(misses, path)]
    assert found == ["near/by", "some/column", "far/off", "any/thing"]
    assert in_a_line(misses[2], path) == "some/column: expected a column 'time', found Satz, label; name it"
    long = Miss("a/b", f"{path}: expected {'word ' * 50}, found none")
    assert in_a_line(long, path).endswith("word ... found none")


@needs("nlp")
def test_of_many_classes_the_largest_and_the_smallest_are_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [f"text {number} of {name:02},c{name:02}" for name in range(16) for number in range(name + 4)]
    Path("many.csv").write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    assert main(["data", "check", "many.csv", "--pipeline", "nlp/sentiment"]) == 0
    err = capsys.readouterr().err
    shown = [line.split()[0] for line in err.splitlines() if line.startswith(" c")][1:]
    assert shown == ["c15", "c14", "c13", "c12", "c11", "c04", "c03", "c02", "c01", "c00"]
    assert "5 largest and 5 smallest of 16 classes (--json lists all)" in err


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (["cells", "--size", "32", "--steps", "40"], "--size 32"),
        (["--steps=40", "my cells", "--augment.flip", "0.5", "--json"], "--augment.flip 0.5"),
        (["cells", "--columns.label", "a b", "--no-amp"], "--columns.label 'a b' --no-amp"),
        (["--json", "--", "cells"], ""),
    ],
)
def test_options_are_told_again(words: list[str], again: str) -> None:
    data = "my cells" if "my cells" in words else "cells"
    assert options_again(words, data, {"--steps": True, "--json": False}) == again
