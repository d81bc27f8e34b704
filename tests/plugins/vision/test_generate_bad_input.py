"""Bad input for image generation: one sentence that says what to do, exit code 2, nothing half-written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fivefold.cli.main import main
from plugins.vision.generated import training
from plugins.vision.pictures import idx_folder, image_folder, picture, save

Case = tuple[Path, tuple[str, ...], tuple[str, ...]]


def one_image(root: Path) -> Case:
    return save(root / "photos" / "1.png", picture()).parent, (), ("photos", "found 1", "add images")


def fewer_than_a_batch(root: Path) -> Case:
    source = image_folder(root / "photos", each=6)
    return source, ("--batch-size", "64"), ("photos", "a batch of 64", "found", "lower --batch-size")


def a_class_without_images(root: Path) -> Case:
    names = ("--class-names", "a", "--class-names", "b", "--class-names", "c", "--class-names", "d")
    source = idx_folder(root / "digits")
    return source, ("--conditional", *names, "--class-names", "e"), ("digits", "none of 'e'", "leave it out")


def classes_that_are_not_there(root: Path) -> Case:
    for number in range(12):
        save(root / "photos" / f"{number}.png", picture(number))
    return root / "photos", ("--conditional",), ("photos", "sort them into folders")


def pixels_of_large_images(root: Path) -> Case:
    source = image_folder(root / "photos", height=64, width=64)
    return source, ("--extractor", "pixels"), ("at most 28x28", "64x64")


def an_unknown_extractor(root: Path) -> Case:
    return image_folder(root / "photos"), ("--extractor", "resnet"), ("'resnet'", "efficientnet-lite0")


def a_judge_that_is_no_run(root: Path) -> Case:
    return idx_folder(root / "digits"), ("--judge", str(root / "nowhere")), ("nowhere",)


def a_size_without_networks(root: Path) -> Case:
    return idx_folder(root / "digits"), ("--size", "48"), ("size", "28", "256")


def an_optimizer_of_nobody(root: Path) -> Case:
    return idx_folder(root / "digits"), ("--optimizer.lr", "0.5"), ("adversarial.generator",)


def augmentation_of_nothing(root: Path) -> Case:
    return idx_folder(root / "digits"), ("--adversarial.adaptive", "0.6"), ("'augment' is empty",)


def text_named_png(root: Path) -> Case:
    source = image_folder(root / "photos")
    (source / "cat" / "notes.png").write_text("no image at all")
    return source, (), ("notes.png", "--max-bad-share")


BAD = (
    one_image, fewer_than_a_batch, a_class_without_images, classes_that_are_not_there, pixels_of_large_images,
    an_unknown_extractor, a_judge_that_is_no_run, a_size_without_networks, an_optimizer_of_nobody,
    augmentation_of_nothing, text_named_png,
)  # fmt: skip


@pytest.mark.parametrize("make", BAD, ids=[make.__name__ for make in BAD])
def test_a_sentence_and_nothing_written(
    make: Callable[[Path], Case], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, options, named = make(tmp_path)
    before = set(tmp_path.rglob("*"))
    assert main(training(source, tmp_path / "run", *options)) == 2
    said = capsys.readouterr().err.strip()
    assert said.startswith("error: ")
    assert len(said.splitlines()) == 1
    assert [word for word in named if word not in said] == []
    assert set(tmp_path.rglob("*")) == before
