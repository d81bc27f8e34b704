from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from fivefold.cli.output import size
from fivefold.plugins.registry import load_registry
from stub_plugins import needs, pipelines, write_plugin


@needs("vision")
def test_list_shows_every_dataset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "list"]) == 0
    err = capsys.readouterr().err
    assert "fashion-mnist" in err
    assert "CC-BY-4.0" in err
    assert main(["data", "list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["datasets"]}
    assert listed["digits"]["cached"] is False
    assert listed["fashion-mnist"]["bytes"] > 30_000_000


@needs("vision")
def test_a_dataset_whose_manifest_is_wrong_costs_its_line_only(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hook = (
        "@hookimpl\ndef fivefold_datasets():\n    return [DatasetSpec('odd', 'x', 'fivefold_data:no.yaml')]\n"
    )
    write_plugin(site, "odd", hook)
    assert main(["data", "list", "--json"]) == 0
    captured = capsys.readouterr()
    assert "fivefold_data:no.yaml" in captured.err
    listed = {one["name"]: one for one in json.loads(captured.out)["datasets"]}
    assert "error" in listed["odd"]
    assert "bytes" in listed["digits"]


@needs("vision")
def test_info_and_get(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "info", "digits"]) == 0
    err = capsys.readouterr().err
    assert "Licence: CC-BY-4.0" in err
    assert "Not fetched yet; run: fivefold data get digits" in err
    Path("digits").write_text("a file of that name is not the dataset", encoding="utf-8")
    assert main(["data", "get", "digits", "--json"]) == 0
    captured = capsys.readouterr()
    assert "Please cite" in captured.err
    assert Path(json.loads(captured.out)["path"]).is_file()
    assert main(["data", "get", "digits"]) == 0
    assert main(["data", "info", "digits"]) == 0
    assert "In the cache" in capsys.readouterr().err
    assert main(["data", "info", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["manifest"]["name"] == "digits"


def test_check_says_what_data_are_and_what_to_type(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(weather)]) == 0
    err = capsys.readouterr().err
    assert "rain.csv: a daily weather series" in err
    assert "Next: fivefold weather nowcast train rain.csv" in err
    assert main(["data", "check", str(weather), "--json"]) == 0
    reader = json.loads(capsys.readouterr().out)["pipelines"][0]
    assert reader["pipeline"] == "weather/nowcast"
    assert reader["samples"] == 150
    assert sum(reader["splits"].values()) <= 150


def test_check_says_what_is_wrong(weather: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weather.write_text(
        weather.read_text(encoding="utf-8").replace("2020-01-05", "the fifth"), encoding="utf-8"
    )
    assert main(["data", "check", str(weather)]) == 2
    err = capsys.readouterr().err
    assert "Wrong: rain.csv, line 6" in err
    assert "Next:" not in err


def test_check_of_what_nobody_reads(capsys: pytest.CaptureFixture[str]) -> None:
    Path("notes.odt").write_text("dear diary", encoding="utf-8")
    assert main(["data", "check", "notes.odt"]) == 2
    assert (
        f"no pipeline recognises it (asked: {', '.join(sorted(load_registry().pipelines))})"
        in capsys.readouterr().err
    )


def test_check_finds_leakage_and_strict_fails_on_it(capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    images = generator.integers(0, 256, (60, 28, 28), dtype=np.uint8)
    labels = np.arange(60)[:, None] % 2
    leaked = {"train": slice(0, 40), "val": slice(35, 50), "test": slice(50, 60)}
    arrays = {f"{split}_images": images[rows] for split, rows in leaked.items()}
    arrays |= {f"{split}_labels": labels[rows] for split, rows in leaked.items()}
    np.savez("leaky.npz", **arrays)
    assert main(["data", "check", "leaky.npz", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["pipelines"][0]["findings"]
    assert [(one["kind"], one["count"]) for one in findings if one["severe"]] == [("exact duplicate", 5)]
    assert main(["data", "check", "leaky.npz", "--strict"]) == 2
    assert "Leakage: " in capsys.readouterr().err


def test_a_pipeline_that_cannot_be_asked_is_left_out(
    site: Path, weather: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_plugin(site, "no", pipelines("no/no"))
    assert main(["data", "check", str(weather)]) == 0
    assert "warning: no/no could not be asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (999, "999 bytes"), (57523, "57.5 kB"), (31e9, "31.0 GB")]
)
def test_sizes_are_readable(count: int, text: str) -> None:
    assert size(int(count)) == text
