"""Shares of training, validation and test images: as asked for, and refused where they leave no test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fivefold.cli.main import main
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run
from fivefold.workflow.preparing import Prepared, prepare
from fivefold_vision.classify.config import ClassifyConfig
from fivefold_vision.classify.pipeline import Classify
from fivefold_vision.generate.config import GenerateConfig
from fivefold_vision.generate.pipeline import Generate
from plugins.vision.pictures import idx_folder, image_folder, picture, save

SHARES = ("--split.train", "0.7", "--split.val", "0.15")
QUICK = (
    "--epochs",
    "1",
    "--model.width",
    "4",
    "--size",
    "8",
    "--evaluation.resamples",
    "100",
    "--device",
    "cpu",
)


def classified(source: Path, **settings: object) -> Prepared:
    config = ClassifyConfig.model_validate({"size": 8, **settings})
    return prepare(Classify(config), str(source), load_registry())


def generated(source: Path, **settings: object) -> Prepared:
    config = GenerateConfig.model_validate({"batch_size": 4, "size": 28, "extractor": "pixels", **settings})
    return prepare(Generate(config), str(source), load_registry())


def sizes(data: Prepared) -> tuple[int, int, int]:
    return len(data.train), len(data.val), len(data.test)


def test_files_of_a_folder_are_split_as_asked(tmp_path: Path) -> None:
    source = image_folder(tmp_path / "photos", each=20)
    command = ["vision", "classify", "train", str(source), *QUICK, *SHARES, "--out", str(tmp_path / "run")]
    assert main(command) == 0
    run = Run.open(tmp_path / "run")
    assert run.info["data"]["sizes"] == {"train": 28, "val": 6, "test": 6}
    assert sizes(prepare(load_registry().pipeline_of(run), str(source), load_registry())) == (28, 6, 6)


def test_every_class_is_split_by_the_shares(tmp_path: Path) -> None:
    data = classified(image_folder(tmp_path, each=20), split={"train": 0.7, "val": 0.15})
    for part, each in ((data.train, 14), (data.val, 3), (data.test, 3)):
        targets = part.targets()
        assert targets is not None
        assert np.bincount(targets.numpy()).tolist() == [each, each]


def test_one_share_alone_leaves_the_other(tmp_path: Path) -> None:
    source = image_folder(tmp_path, each=20)
    assert sizes(classified(source)) == (32, 4, 4)
    assert sizes(classified(source, split={"val": 0.15})) == (32, 6, 2)
    assert sizes(classified(source, split={"train": 0.5})) == (20, 4, 16)


def test_splits_of_the_source_stay_and_what_it_lacks_has_its_share(tmp_path: Path) -> None:
    source = idx_folder(tmp_path, train=40, test=10)  # has no images to validate on
    assert sizes(classified(source, split={"train": 0.5, "val": 0.2})) == (32, 8, 10)


def test_images_to_generate_from_are_split_as_asked(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / f"{number}.png", picture(number))
    assert sizes(generated(tmp_path)) == (16, 2, 2)
    assert sizes(generated(tmp_path, split={"train": 0.7, "val": 0.15})) == (14, 3, 3)
    assert sizes(generated(tmp_path, split={"train": 0.5, "val": 0.25}, judged=2)) == (10, 5, 2)


@pytest.mark.parametrize("pipeline", ["classify", "generate"])
@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            ("--split.train", "0.7", "--split.val", "0.3"),
            "must leave a share for the test, found 0.7 and 0.3",
        ),
        (("--split.train", "0.95"), "must leave a share for the test, found 0.95 and 0.1"),
        (("--split.val", "0"), "--split.val: expected a number greater than 0, found 0"),
    ],
)
def test_shares_that_leave_nothing_are_refused(
    pipeline: str, shares: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = image_folder(tmp_path / "photos", each=4)
    out = tmp_path / "run"
    assert main(["vision", pipeline, "train", str(source), *shares, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert not out.exists()
