"""Images of one colour: found, told once, and no duplicates of each other."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from fivefold.data.labels import texts
from fivefold.data.leakage import search_tables
from fivefold.data.table import Table
from fivefold.images.blank import blank, note_blank
from fivefold.images.fingerprints import fingerprint_images
from fivefold.images.loading import Shape
from fivefold.images.samples import load_images


def noise(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)


@pytest.mark.parametrize("shape", [(4, 6, 5), (4, 6, 5, 3), (4, 7, 6, 5)])
def test_images_of_one_colour_are_found(shape: tuple[int, ...]) -> None:
    images = noise(*shape)
    images[1] = 9
    images[3] = 0
    assert blank(images).tolist() == [False, True, False, True]
    images[3].reshape(-1)[7] = 1  # a single pixel
    assert blank(images).tolist() == [False, True, False, False]


def test_one_colour_need_not_be_grey() -> None:
    images = noise(2, 6, 5, 3)
    images[0] = (200, 10, 30)
    images[1] = np.arange(3)[None, :, None].repeat(2, axis=0).reshape(6, 1, 1)  # stripes, each of them grey
    assert blank(images).tolist() == [True, False]


@pytest.mark.parametrize("shape", [(0, 6, 5), (0, 6, 5, 3), (0, 0, 0)])
def test_no_images_are_none_of_one_colour(shape: tuple[int, ...]) -> None:
    assert blank(np.empty(shape, np.uint8)).tolist() == []


def table_of(images: NDArray[np.uint8]) -> Table:
    return Table({"id": texts([f"{row}.png" for row in range(len(images))]), "image": images}, source="a")


def test_they_are_told_once() -> None:
    images = noise(5, 6, 6)
    images[[1, 2, 4]] = 0
    (note,) = load_images(table_of(images), Shape((6, 6), 1), 1.0).notes
    assert note == (
        "3 of 5 images are of one colour, such as 1.png; they teach nothing, and equal each other, for which they are "
        "not counted as duplicates"
    )
    images[[1, 2]] = noise(2, 6, 6)
    assert note_blank(table_of(images)).notes == (
        "1 of 5 images is of one colour, 4.png; it teaches nothing",
    )
    assert note_blank(table_of(noise(5, 6, 6))).notes == ()


def test_they_are_no_duplicates_and_other_equal_images_are() -> None:
    images = noise(6, 6, 6)
    images[[0, 1, 3]] = 0
    images[5] = images[2]
    table = table_of(images)
    (found,) = search_tables(
        {"train": table.take([0, 1, 2]), "test": table.take([3, 4, 5])}, fingerprint_images
    )
    assert (found.kind, found.count, found.examples) == ("exact duplicate", 1, (("2.png", "5.png"),))
