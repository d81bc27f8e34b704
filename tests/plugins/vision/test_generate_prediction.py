"""Images by seed: the same bits for the same seed, in files that say where they come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow

from fivefold.cli.main import main
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.workflow.loading import load_task
from fivefold_vision.generate.making import images_of, passage
from fivefold_vision.generate.task import ImageGeneration
from plugins.vision.generated import trained


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(tmp_path_factory.mktemp("conditional"), "--conditional")


def task_of(run: Path) -> ImageGeneration:
    _, task = load_task(Run.open(run), load_registry())
    assert isinstance(task, ImageGeneration)
    return task


def predicted(capsys: pytest.CaptureFixture[str], run: Path, *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main(["vision", "generate", "predict", str(run), *options, "--device", "cpu", "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["predictions"]
    return found


def refused(capsys: pytest.CaptureFixture[str], run: Path, *options: str) -> str:
    capsys.readouterr()
    assert main(["vision", "generate", "predict", str(run), *options]) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    return said


def pixels(path: str) -> NDArray[np.uint8]:
    return np.asarray(Pillow.open(path))


def test_the_same_seed_gives_the_same_bits_whatever_is_made_beside_it(conditional: Path) -> None:
    task = task_of(conditional)
    many = images_of(task, [(seed, seed % 4) for seed in range(40)])
    for seed in (0, 7, 15, 16, 39):
        assert np.array_equal(images_of(task, [(seed, seed % 4)])[0], many[seed])
    backwards = images_of(task, [(seed, seed % 4) for seed in reversed(range(40))])
    assert np.array_equal(backwards[::-1], many)


def test_seeds_and_classes_give_different_images(conditional: Path) -> None:
    task = task_of(conditional)
    with torch.no_grad():
        for weight in task.generator.parameters():
            weight.mul_(4)  # so that an image shows what hardly trained weights only hint at
    images = images_of(task, [(0, 0), (1, 0), (0, 1), (0, 0)])
    assert not np.array_equal(images[0], images[1])
    assert not np.array_equal(images[0], images[2])
    assert np.array_equal(images[0], images[3])


def test_truncation_brings_images_nearer_to_each_other(plain: Path) -> None:
    task, wanted = task_of(plain), [(seed, 0) for seed in range(16)]
    spreads = [
        float(images_of(task, wanted, truncation=limit).astype(float).std(axis=0).mean())
        for limit in (0.1, 1.0, 50.0)
    ]
    assert spreads == sorted(spreads)
    assert np.array_equal(images_of(task, wanted, truncation=50.0), images_of(task, wanted))


def test_a_passage_stops_at_the_images_of_its_seeds(plain: Path) -> None:
    task = task_of(plain)
    frames = passage(task, [3, 4, 5], 0, 7)
    stops = images_of(task, [(3, 0), (4, 0), (5, 0)])
    assert len(frames) == 21
    assert np.abs(frames[[0, 7, 14]].astype(int) - stops.astype(int)).max() <= 1


def test_files_carry_seed_class_and_model(
    conditional: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "made")
    records = predicted(
        capsys,
        conditional,
        "--count",
        "2",
        "--seed",
        "5",
        "--classes",
        "3",
        "--classes",
        "0",
        "--folder",
        folder,
    )
    assert [(record["seed"], record["class"]) for record in records] == [
        (5, "3"),
        (6, "3"),
        (5, "0"),
        (6, "0"),
    ]
    expected = images_of(task_of(conditional), [(5, 3), (6, 3), (5, 0), (6, 0)])
    for record, image in zip(records, expected, strict=True):
        assert np.array_equal(pixels(record["file"]), image[0])
        texts = Pillow.open(record["file"]).text  # type: ignore[attr-defined] # a PNG's
        assert texts["fivefold:seed"] == str(record["seed"])
        assert texts["fivefold:class"] == record["class"]
        assert texts["fivefold:model"] == "run"


def test_files_are_put_into_the_run_and_are_the_same_again(
    plain: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = predicted(capsys, plain, "--count", "3")
    bytes_before = [Path(record["file"]).read_bytes() for record in first]
    again = predicted(capsys, plain, "--count", "5")
    assert Path(first[0]["file"]).parent == plain / "generated"
    assert [Path(record["file"]).read_bytes() for record in again[:3]] == bytes_before
    assert "class" not in first[0]


def test_a_grid_is_one_file(plain: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    records = predicted(capsys, plain, "--count", "9", "--grid", "--folder", str(tmp_path))
    (file,) = {record["file"] for record in records}
    picture = pixels(file)
    assert picture.shape == (3 * 28 + 4, 3 * 28 + 4)
    first = images_of(task_of(plain), [(0, 0)])[0, 0]
    assert np.array_equal(picture[:28, :28], first)
    assert Pillow.open(file).text["fivefold:seed"] == "0 to 8"  # type: ignore[attr-defined] # a PNG's


def test_an_animation_for_each_class(
    conditional: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--count", "3", "--interpolate", "4", "--truncation", "0.8", "--folder", str(tmp_path))
    records = predicted(capsys, conditional, *words)
    assert [record["class"] for record in records] == ["0", "1", "2", "3"]
    for record in records:
        with Pillow.open(record["file"]) as image:
            assert image.n_frames == record["frames"] == 12  # type: ignore[attr-defined] # a PNG's
            assert image.text["fivefold:truncation"] == "0.8"  # type: ignore[attr-defined] # a PNG's


def test_what_does_not_fit_is_refused_in_a_sentence(
    plain: Path, conditional: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "photo.png").write_bytes(b"x")
    assert "expected no inputs" in refused(capsys, plain, str(tmp_path / "photo.png"))
    assert "expected a model that learned classes" in refused(capsys, plain, "--classes", "0")
    assert "it knows 0, 1, 2, 3" in refused(capsys, conditional, "--classes", "coat")
    assert "--count of 2" in refused(capsys, plain, "--count", "1", "--interpolate", "5")
    assert "another --folder" in refused(capsys, plain, "--folder", str(tmp_path / "photo.png" / "in"))


def test_noise_is_that_of_the_judged_images(plain: Path) -> None:
    """What `predict` writes for seed 0, 1, ... is what was judged under these numbers."""
    task = task_of(plain)
    with torch.no_grad():
        judged = task.sample(task.noise(torch.arange(10)))
    made = images_of(task, [(seed, 0) for seed in range(10)])
    assert np.abs((judged.numpy() + 1) * 127.5 - made).max() < 0.6
