"""Images on their way to a network."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from fivefold.data.labels import texts
from fivefold.data.table import Table
from fivefold.errors import DataError
from fivefold.images.loading import Shape
from fivefold.images.samples import channels_first, load_images, unlabelled_arrays


def test_channels_come_first() -> None:
    colour = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
    found = channels_first(colour, colour=True)
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found[1, 2], colour[1, :, :, 2])
    volumes = np.zeros((2, 6, 4, 5), np.uint8)
    assert channels_first(volumes, colour=False).shape == (2, 1, 6, 4, 5)
    assert channels_first(volumes[:, 0], colour=False).shape == (2, 1, 4, 5)


@pytest.mark.parametrize(("memory", "held"), [(1.0, True), (0.0, False)])
def test_files_are_held_where_they_fit(memory: float, held: bool, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((6, 6), 200, np.uint8))
    table = Table({"id": texts(["a"]), "path": texts([str(tmp_path / "a.png")])}, source="a")
    found = load_images(table, Shape((3, 3), 1), memory)
    assert ("image" in found) is held
    if held:
        np.testing.assert_array_equal(found["image"], np.full((1, 3, 3), 200))


def test_arrays_are_brought_to_the_shape() -> None:
    table = Table({"image": np.full((2, 6, 6), 7, np.uint8)}, source="a")
    assert load_images(table, Shape((3, 3), 1), 0.0)["image"].shape == (2, 3, 3)


def test_arrays_to_predict_are_those_called_images(tmp_path: Path) -> None:
    images = np.zeros((2, 4, 4), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, test_images=images, myimages=images, test_labels=images)
    assert list(unlabelled_arrays(tmp_path / "a.npz")) == ["images", "test_images"]
    np.savez(tmp_path / "b.npz", myimages=images)
    with pytest.raises(DataError, match=r"b\.npz: expected an array 'images' or '\.\.\._images', found none"):
        unlabelled_arrays(tmp_path / "b.npz")
