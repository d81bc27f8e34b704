from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from scipy import ndimage
from sklearn.datasets import load_sample_images

from fivefold.data.fingerprint import CORRELATION, THUMBNAIL, image_fingerprints, row_fingerprints
from fivefold.data.neighbours import near_rows
from fivefold.data.table import Table


def photos(count: int, size: int = 64) -> np.ndarray:
    """Smooth random images, as unlike each other as photos are."""
    noise = np.random.default_rng(0).normal(size=(count, size, size))
    smooth = ndimage.gaussian_filter(noise, (0, size / 12, size / 12))
    smooth -= smooth.min((1, 2), keepdims=True)
    return (255 * smooth / smooth.max((1, 2), keepdims=True)).astype(np.uint8)


def as_jpeg(image: np.ndarray) -> np.ndarray:
    file = BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def test_rows_are_equal_where_their_inputs_are() -> None:
    table = Table(
        {
            "a": np.array([1.0, 1.0, 2.0, 1.0]),
            "b": np.array(["x", "x", "x", "y"], dtype=object),
            "pixels": np.zeros((4, 2, 2), dtype=np.uint8),
            "label": np.array([0, 1, 0, 0]),
            "id": np.array(["p", "q", "r", "s"]),
        },
        source="table",
        label="label",
    )
    keys = row_fingerprints(table).exact
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def test_the_same_values_at_another_time_are_another_sample() -> None:
    table = Table({"value": np.zeros(3), "time": np.array([1, 2, 2])}, source="table", time="time")
    assert len(set(row_fingerprints(table).exact)) == 2


def test_exact_keys_know_pixels_shape_and_type() -> None:
    flat = np.zeros((4, 4), dtype=np.uint8)
    keys = image_fingerprints([flat, flat.copy(), flat.reshape(2, 8), flat.astype(np.uint16), flat + 1]).exact
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4


@pytest.mark.parametrize("colour", [False, True])
def test_a_block_of_images_has_the_keys_of_its_images(colour: bool) -> None:
    images = photos(5)
    images = np.stack([images, images // 2, images], axis=-1) if colour else images
    block, single = image_fingerprints(images), image_fingerprints(list(images))
    assert list(block.exact) == list(single.exact)
    np.testing.assert_allclose(block.near, single.near, atol=1e-6)


def test_no_rows_have_no_keys() -> None:
    table = Table({"x": np.empty((0, 2)), "y": np.empty(0, dtype=object)}, source="nothing")
    assert len(row_fingerprints(table).exact) == 0


def test_no_images_have_no_keys() -> None:
    assert image_fingerprints([]).near.shape == (0, 264)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.asarray(Image.fromarray(image).resize((40, 40), Image.Resampling.BICUBIC)),
        as_jpeg,
        lambda image: (image * 0.7 + 30).astype(np.uint8),
        lambda image: (
            (image + np.random.default_rng(1).normal(0, 5, image.shape)).clip(0, 255).astype(np.uint8)
        ),
        lambda image: np.repeat(image[..., None], 3, axis=-1),
    ],
    ids=["smaller", "as JPEG", "less contrast", "noise", "in colour"],
)
def test_changed_copies_are_near_and_others_are_not(change: object) -> None:
    images = photos(50)
    original = image_fingerprints(images)
    changed = image_fingerprints([change(image) for image in images])
    found = near_rows(changed.near, original.near, original.near_distance)
    np.testing.assert_array_equal(found, np.arange(50))
    assert not set(changed.exact) & set(original.exact)


def coloured(images: np.ndarray) -> np.ndarray:
    """The images with less green towards the right and less blue throughout, as unlike channels as photos have."""
    fading = np.linspace(1, 0.5, images.shape[2])
    return np.stack([images, images * fading, images * 0.6], axis=-1).astype(np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        lambda image: np.asarray(Image.fromarray(image).resize((40, 40), Image.Resampling.BICUBIC)),
        as_jpeg,
        lambda image: (image * 0.7 + 30).astype(np.uint8),
    ],
    ids=["smaller", "as JPEG", "less contrast"],
)
def test_changed_copies_in_colour_are_near(change: object) -> None:
    images = coloured(photos(50))
    original, changed = image_fingerprints(images), image_fingerprints([change(image) for image in images])
    found = near_rows(changed.near, original.near, original.near_distance)
    np.testing.assert_array_equal(found, np.arange(50))


@pytest.mark.parametrize("photograph", load_sample_images().images, ids=["temple", "flower"])
def test_compression_moves_the_colours_of_photographs_little(photograph: np.ndarray) -> None:
    file = BytesIO()
    Image.fromarray(photograph).save(file, "JPEG", quality=30)
    keys = [image_fingerprints([one]) for one in (photograph, np.asarray(Image.open(file)))]
    apart = keys[0].near[0, THUMBNAIL**2 :] - keys[1].near[0, THUMBNAIL**2 :]
    assert np.linalg.norm(apart) < keys[0].near_distance / 5


def test_one_pattern_in_other_colours_is_another_image() -> None:
    def flag(colour: tuple[int, int, int]) -> np.ndarray:
        image = np.full((60, 90, 3), 255, dtype=np.uint8)
        image[:, :30] = image[:, 60:] = colour
        return image

    nigeria, peru, darker = flag((0, 135, 81)), flag((217, 16, 35)), flag((0, 130, 78))
    first, second = image_fingerprints([nigeria]), image_fingerprints([peru, darker])
    assert list(near_rows(second.near, first.near, first.near_distance)) == [-1, 0]
    grey = [image_fingerprints(image.mean(-1)[None]).near for image in (nigeria, peru)]
    assert np.linalg.norm(grey[0] - grey[1]) < first.near_distance  # alike but for their colours


def test_near_keys_measure_correlation() -> None:
    images = photos(2, 16)  # as large as a thumbnail: compared pixel by pixel
    prints = image_fingerprints(images)
    expected = np.corrcoef(images[0].ravel(), images[1].ravel())[0, 1]
    apart = np.linalg.norm(prints.near[0] - prints.near[1])
    assert 1 - apart**2 / 2 == pytest.approx(expected, abs=1e-5)
    assert 1 - prints.near_distance**2 / 2 == pytest.approx(CORRELATION)


def test_images_without_contrast_are_near_nothing() -> None:
    images = np.stack([np.full((8, 8), 17, dtype=np.uint8), np.full((8, 8), 18, dtype=np.uint8)])
    prints = image_fingerprints(images)
    assert np.isnan(prints.near).all()
    assert list(near_rows(prints.near, prints.near, prints.near_distance)) == [-1, -1]


@settings(max_examples=30, deadline=None)
@given(
    arrays.arrays(np.float32, (12, 14), elements=st.floats(-1, 1, width=32)),
    arrays.arrays(np.float32, (30, 14), elements=st.floats(-1, 1, width=32)),
    st.floats(0.5, 3),
)
def test_near_rows_are_those_of_comparing_each_with_each(
    queries: np.ndarray, vectors: np.ndarray, distance: float
) -> None:
    found = near_rows(queries, vectors, distance)
    apart = np.linalg.norm(queries[:, None] - vectors[None], axis=2)
    np.testing.assert_array_equal(found >= 0, (apart <= distance).any(1))
    hits = np.flatnonzero(found >= 0)
    np.testing.assert_allclose(apart[hits, found[hits]], apart[hits].min(1), rtol=1e-6)
