"""Pictures for reports."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold.images.pictures import LEAST_SIDE, MOST_SIDE, enlarged, heated, picture_figure, with_heat


def noise(*shape):
    return np.random.default_rng(0).integers(256, size=shape, dtype=np.uint8)


def shown(figure):
    """The picture in a figure, RGB or grey."""
    pixels = cv2.imdecode(np.frombuffer(figure.image, np.uint8), cv2.IMREAD_UNCHANGED)
    return pixels[:, :, ::-1] if pixels.ndim == 3 else pixels


@pytest.mark.parametrize(
    ("given_shape", "way"),
    [
        ((1, 120, 130), lambda image: image[0]),
        ((3, 120, 130), lambda image: image.transpose(1, 2, 0)),
        ((120, 130), lambda image: image),
        ((120, 130, 3), lambda image: image),
        ((3, 130), lambda image: image),
        ((1, 130), lambda image: image),
    ],
)
def test_a_picture_of_any_layout_is_shown_as_it_is(given_shape, way):
    image = noise(*given_shape)
    figure = picture_figure(image, "A caption.")
    np.testing.assert_array_equal(shown(figure), way(image))
    assert (figure.kind, figure.caption, figure.alt) == ("png", "A caption.", "A caption.")


def test_a_small_picture_is_enlarged_pixel_by_pixel():
    image = noise(14, 28)
    large = enlarged(image)
    assert large.shape == (56, LEAST_SIDE)
    np.testing.assert_array_equal(large, image.repeat(4, axis=0).repeat(4, axis=1))


def test_a_large_picture_is_averaged_down():
    image = noise(448, 224, 3)
    small = enlarged(image)
    assert small.shape == (MOST_SIDE, 112, 3)
    means = image.reshape(224, 2, 112, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(small, means, atol=0.51)


@pytest.mark.parametrize("side", [LEAST_SIDE, 150, MOST_SIDE])
def test_a_picture_of_a_good_size_is_left_alone(side):
    image = noise(side, 40)
    np.testing.assert_array_equal(enlarged(image), image)


@given(st.integers(1, 700), st.integers(1, 700))
@settings(max_examples=40, deadline=None)
def test_the_longer_side_ends_within_bounds_and_proportions_stay(height, width):
    found = enlarged(np.zeros((height, width), np.uint8)).shape
    assert LEAST_SIDE <= max(found) <= MOST_SIDE
    assert min(found) == pytest.approx(max(found) * min(height, width) / max(height, width), abs=1)
    assert min(found) >= 1


def test_heat_is_red_where_it_is_one_and_blue_where_there_is_none():
    picture = np.full((20, 20, 3), 128, np.uint8)
    heat = np.zeros((20, 20), np.float32)
    heat[:, 10:] = 1.0
    found = heated(picture, heat).astype(int)
    cold, hot = found[5, 2], found[5, 17]
    assert hot[0] > hot[2]
    assert cold[2] > cold[0]
    # 55 % of the picture, 45 % of the ends of the colour map.
    np.testing.assert_allclose(cold, 0.55 * 128 + 0.45 * np.array([0, 0, 128]), atol=1)
    np.testing.assert_allclose(hot, 0.55 * 128 + 0.45 * np.array([128, 0, 0]), atol=1)


def test_heat_is_brought_to_the_size_of_the_picture():
    picture = np.zeros((40, 60, 3), np.uint8)
    found = heated(picture, np.array([[0.0, 1.0]], np.float32))
    assert found.shape == picture.shape
    assert found[0, 0, 2] > found[0, 0, 0]
    assert found[0, -1, 0] > found[0, -1, 2]


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_stands_beside_itself_under_its_heat(channels):
    image = noise(channels, 28, 14)
    heat = np.zeros((28, 14), np.float32)
    heat[3, 4] = 1.0
    found = with_heat(image, heat)
    assert found.shape == (112, 112, 3)
    plain = np.repeat(image, 3 // channels, axis=0).transpose(1, 2, 0)
    np.testing.assert_array_equal(found[:, :56], enlarged(plain))
    np.testing.assert_array_equal(found[:, 56:], heated(enlarged(plain), heat))
