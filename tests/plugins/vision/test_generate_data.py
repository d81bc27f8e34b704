"""Images to learn from: what is read, what shape it gets, and what stands in a batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fivefold.data.splits import random_split
from fivefold.data.table import Table
from fivefold.plugins.registry import load_registry
from fivefold.workflow.preparing import Prepared, prepare
from fivefold_vision.generate.config import GenerateConfig
from fivefold_vision.generate.data import fewer_judged, labels_of, read_images, recognise_images
from fivefold_vision.generate.pipeline import Generate
from fivefold_vision.readers.options import Options
from plugins.vision.pictures import idx_folder, image_folder, picture, save


def prepared(source: Path, **settings: object) -> Prepared:
    config = GenerateConfig(batch_size=4, extractor="pixels", **settings)  # type: ignore[arg-type] # any setting
    return prepare(Generate(config), str(source), load_registry())


def plain_folder(root: Path, count: int = 12, **shape: int) -> Path:
    for number in range(count):
        save(root / f"{number}.png", picture(number, **shape))
    return root


def test_images_without_classes_are_read(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "photos")
    table = read_images(source, Options(), labelled=False)
    assert (len(table), table.label) == (12, None)
    assert recognise_images(source, Options()) == "a folder of images without classes"


def test_classes_are_read_where_there_are_some(tmp_path: Path) -> None:
    source = image_folder(tmp_path / "photos")
    table = read_images(source, Options(), labelled=False)
    assert (table.classes, len(table)) == (("cat", "dog"), 20)
    assert recognise_images(source, Options()) == "a folder of images in 2 classes"


def test_archives_without_labels_are_read(tmp_path: Path) -> None:
    idx = idx_folder(tmp_path / "idx")
    for labels in idx.glob("*labels*"):
        labels.unlink()
    assert len(read_images(idx, Options(), labelled=False)) == 50
    npz = tmp_path / "images.npz"
    np.savez(npz, images=np.stack([picture(seed, 28, 28, grey=True) for seed in range(9)]))
    assert len(read_images(npz, Options(), labelled=False)) == 9


@pytest.mark.parametrize(
    ("height", "width", "expected"), [(8, 8, 28), (28, 28, 28), (30, 30, 32), (40, 64, 64), (200, 300, 64)]
)
def test_the_edge_holds_the_images(height: int, width: int, expected: int, tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "photos", height=height, width=width)
    table = Generate(GenerateConfig()).read(source)
    assert table["image"].shape == (12, expected, expected, 3)


def test_images_of_mixed_sizes_and_modes_become_alike(tmp_path: Path) -> None:
    source = plain_folder(tmp_path / "photos")
    save(source / "grey.png", picture(99, 50, 20, grey=True))
    ready = prepared(source, size=28)
    batch = ready.train.batch(torch.arange(len(ready.train)))
    assert batch["input"].shape[1:] == (3, 28, 28)
    assert batch["input"].dtype == torch.uint8
    (caution,) = [words for words in ready.pipeline.cautions(ready.facts) if "sizes" in words]
    assert "28x28 pixels by 'crop'" in caution


def test_grey_images_have_one_channel_and_colour_can_be_asked_for(tmp_path: Path) -> None:
    source = idx_folder(tmp_path / "idx")
    assert prepared(source).facts.channels == 1
    ready = prepared(source, channels=3)
    image = ready.train.batch(torch.tensor([0]))["input"][0]
    assert image.shape == (3, 28, 28)
    assert torch.equal(image[0], image[2])


def test_a_batch_has_numbers_classes_and_the_size_of_its_split(tmp_path: Path) -> None:
    ready = prepared(idx_folder(tmp_path / "idx"), conditional=True)
    batch = ready.test.batch(torch.tensor([3, 1]))
    assert batch["index"].tolist() == [3, 1]
    assert batch["judged"].tolist() == [10, 10]
    assert batch["label"].tolist() == [3, 1]
    assert ready.train.tensors() is not None
    assert ready.facts.classes == ["0", "1", "2", "3"]


def test_images_left_on_disk_give_the_same_batches(tmp_path: Path) -> None:
    source = image_folder(tmp_path / "photos", each=15)
    held, left = prepared(source, size=28), prepared(source, size=28, memory=0.0)
    assert left.train.tensors() is None
    rows = torch.tensor([5, 0, 9])
    one, other = held.train.batch(rows), left.train.batch(rows)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    labels, same = labels_of(held.train), labels_of(left.train)
    assert labels is not None
    assert same is not None
    assert np.array_equal(labels, same)


def test_training_images_are_mirrored_as_often_as_asked(tmp_path: Path) -> None:
    ready = prepared(idx_folder(tmp_path / "idx", train=400), augment={"flip": 0.3})
    batch, generator = ready.train.batch(torch.arange(len(ready.train))), torch.Generator().manual_seed(0)
    vary = ready.pipeline.augment(ready.facts)
    assert vary is not None
    images, varied = batch["input"], vary(batch, generator)["input"]
    mirrored = (varied == images.flip(3)).flatten(1).all(dim=1)
    assert (mirrored | (varied == images).flatten(1).all(dim=1)).all()
    assert mirrored.float().mean().item() == pytest.approx(0.3, abs=0.07)
    never = Generate(GenerateConfig()).augment(ready.facts)
    assert never is not None
    assert torch.equal(never(batch, generator)["input"], images)


def test_no_more_are_judged_than_asked_for(tmp_path: Path) -> None:
    table = Table({"value": np.arange(100)}, source="here")
    splits = random_split(table, seed=0)
    bounded = fewer_judged(splits, 4, 6, seed=0)
    assert (len(bounded.train), len(bounded.val), len(bounded.test)) == (80, 4, 6)
    assert set(bounded.val["value"]) <= set(splits.val["value"])
    assert "4 validation and 6 test rows were drawn" in bounded.how
    again = fewer_judged(splits, 4, 6, seed=0)
    assert np.array_equal(bounded.test["value"], again.test["value"])
    assert fewer_judged(splits, 50, 50, seed=0) is splits
