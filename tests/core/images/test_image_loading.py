"""From paths to arrays of one shape, whatever reads them; and the statistics of what was read."""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from fivefold.data.problems import refuse_problems
from fivefold.data.table import Problem, Table
from fivefold.errors import DataError
from fivefold.images.decode import encode_png
from fivefold.images.loading import (
    Reading,
    Shape,
    Survey,
    in_threads,
    load_arrays,
    load_files,
    load_rows,
    survey,
)
from fivefold.images.statistics import channel_statistics


@dataclass(frozen=True)
class Volumes:
    """Reads volumes of one shape from ``.npy`` files; a reading that is not of images."""

    stored: tuple[int, ...] = (2, 3, 4)

    def read(self, path):
        return self.fit(self._loaded(path))

    def check(self, path):
        if not Path(path).is_file():
            raise DataError(f"{path}: expected a volume, found none")

    def fit(self, array):
        return array[tuple(slice(side) for side in self.stored)]

    def _loaded(self, path):
        self.check(path)
        try:
            return np.load(path)
        except ValueError as error:
            raise DataError(f"{path}: expected a volume, found something else") from error


def volume(seed, shape=(2, 3, 4)):
    return np.random.default_rng(seed).integers(256, size=shape, dtype=np.uint8)


@pytest.fixture
def volumes(tmp_path):
    """Paths of four volumes: two whole ones, one that is broken, one that is absent."""
    for seed in (0, 1):
        np.save(tmp_path / f"{seed}.npy", volume(seed, (3, 4, 5)))
    (tmp_path / "broken.npy").write_bytes(b"not a volume")
    return [str(tmp_path / name) for name in ("0.npy", "broken.npy", "1.npy", "absent.npy")]


def table_of(paths, **columns):
    names = np.array([f"case {row}" for row in range(len(paths))], dtype=object)
    return Table({"id": names, "path": np.array(paths, dtype=object), **columns}, source="here")


def grey(*size):
    return np.arange(np.prod(size), dtype=np.int64).reshape(size).astype(np.uint8)


@pytest.fixture
def pictures(tmp_path):
    """Two grey pictures of one size."""
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for shift, path in enumerate(paths):
        path.write_bytes(encode_png(grey(6, 8) + np.uint8(shift)))
    return [str(path) for path in paths]


# Files


def test_any_reading_fills_the_column(volumes):
    table = load_files(table_of(volumes, label=np.arange(4)), Volumes(), memory=10**6)
    assert "path" not in table
    assert table["image"].dtype == np.uint8
    np.testing.assert_array_equal(table["image"], [volume(seed, (3, 4, 5))[:2, :3, :4] for seed in (0, 1)])
    assert list(table.ids) == ["case 0", "case 2"]
    assert table["label"].tolist() == [0, 2]
    assert [problem.sample for problem in table.problems] == ["case 1", "case 3"]
    assert "found something else" in table.problems[0].reason
    assert "found none" in table.problems[1].reason


def test_what_does_not_fit_into_memory_stays_on_disk_and_is_looked_at_cheaply(volumes):
    table = load_files(table_of(volumes), Volumes(), memory=4 * 24 - 1)
    assert "image" not in table
    # The look is cheap, so that the broken file is found only when it is asked for.
    assert list(table["path"]) == volumes[:3]
    assert [problem.sample for problem in table.problems] == ["case 3"]


def test_exactly_as_much_memory_as_is_needed_is_enough(volumes):
    assert "image" in load_files(table_of(volumes), Volumes(), memory=4 * 24)


def test_problems_found_before_are_kept_and_come_first(volumes):
    before = Problem("another", "it was empty")
    table = Table({"path": np.array(volumes[:2], dtype=object)}, source="here", problems=(before,))
    loaded = load_files(table, Volumes(), memory=10**6)
    assert loaded.problems[0] == before
    assert [problem.sample for problem in loaded.problems[1:]] == ["row 1"]


def test_all_good_and_none_at_all(volumes):
    whole = load_files(table_of([volumes[0], volumes[2]]), Volumes(), memory=10**6)
    assert len(whole) == 2
    assert whole.problems == ()
    none = load_files(table_of(volumes[1:2]), Volumes(), memory=10**6)
    assert none["image"].shape == (0, 2, 3, 4)
    assert len(none.problems) == 1
    assert len(load_files(table_of([]), Volumes(), memory=0)) == 0


@pytest.mark.parametrize("channels", [1, 3])
def test_image_files_are_one_such_reading(pictures, channels):
    shape: Reading = Shape((6, 8), channels)
    table = load_files(table_of(pictures), shape, memory=10**6)
    assert table["image"].shape == (2, *shape.stored)
    seen = table["image"] if channels == 1 else table["image"][..., 2]
    np.testing.assert_array_equal(seen, [grey(6, 8), grey(6, 8) + np.uint8(1)])


def test_images_on_disk_that_are_cut_off_are_found_by_the_cheap_look(tmp_path, pictures):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    table = load_files(table_of([*pictures, str(cut)]), Shape((6, 8), 1), memory=0)
    assert list(table["path"]) == pictures
    assert "cut.jpg: expected a whole JPEG" in table.problems[0].reason


def test_rows_are_read_in_the_order_asked_for(volumes):
    found = load_rows([volumes[2], volumes[0], volumes[2]], Volumes())
    np.testing.assert_array_equal(found, [volume(seed, (3, 4, 5))[:2, :3, :4] for seed in (1, 0, 1)])
    with pytest.raises(DataError, match=r"absent\.npy: expected a volume, found none"):
        load_rows([volumes[0], volumes[3]], Volumes())


# Arrays


def test_arrays_of_the_shape_are_left_alone():
    held = np.stack([volume(0), volume(1)])
    table = Table({"image": held}, source="here")
    assert load_arrays(table, Volumes())["image"] is held


def test_other_arrays_are_brought_to_it():
    held = np.stack([volume(seed, (4, 5, 6)) for seed in range(3)])
    table = load_arrays(Table({"image": held, "label": np.arange(3)}, source="here"), Volumes())
    np.testing.assert_array_equal(table["image"], held[:, :2, :3, :4])
    assert table["label"].tolist() == [0, 1, 2]
    empty = load_arrays(Table({"image": held[:0]}, source="here"), Volumes())
    assert empty["image"].shape == (0, 2, 3, 4)
    assert empty["image"].dtype == np.uint8


def test_images_in_arrays_get_the_size_and_channels_of_the_shape():
    table = Table({"image": np.full((2, 10, 20), 7, np.uint8)}, source="here")
    fitted = load_arrays(table, Shape((4, 6), 3, "squash"))["image"]
    np.testing.assert_array_equal(fitted, np.full((2, 4, 6, 3), 7))


# The survey


@pytest.mark.parametrize(
    ("shape", "expected"), [((2, 5, 7), Survey((5, 7), 1)), ((2, 5, 7, 3), Survey((5, 7), 3))]
)
def test_arrays_say_what_they_are(shape, expected):
    assert survey(Table({"image": np.zeros(shape, np.uint8)}, source="here")) == expected


def test_files_of_one_size_have_a_common_one(pictures, tmp_path):
    assert survey(table_of(pictures)) == Survey((6, 8), 1)
    (tmp_path / "large.png").write_bytes(encode_png(grey(9, 9)))
    assert survey(table_of([*pictures, str(tmp_path / "large.png")])) == Survey(None, 1)


@pytest.mark.parametrize(("blue", "channels"), [(40, 1), (41, 3)])
def test_a_picture_stored_in_colour_has_colour_only_where_channels_differ(tmp_path, blue, channels):
    image = np.full((6, 8, 3), 40, np.uint8)
    image[2, 3, 2] = blue
    (tmp_path / "c.png").write_bytes(encode_png(image))
    assert survey(table_of([str(tmp_path / "c.png")])) == Survey((6, 8), channels)


def test_files_that_cannot_be_read_say_nothing(pictures, tmp_path):
    assert survey(table_of([pictures[0], str(tmp_path / "absent.png")])) == Survey((6, 8), 1)
    assert survey(table_of([])) == Survey(None, 1)


# Problems and threads


def problems(count):
    return tuple(Problem(f"s{row}", f"s{row}.png is broken") for row in range(count))


def test_a_share_of_unreadable_files_is_borne():
    refuse_problems(Table({"x": np.arange(9)}, source="here", problems=problems(1)), 0.1)
    refuse_problems(Table({"x": np.arange(9)}, source="here"), 0.0)


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (1, "s0.png is broken; --max-bad-share allows"),
        (2, r"s0.png is broken \(1 more of 10 cannot be read either\); --max-bad-share"),
    ],
)
def test_a_larger_share_is_not(bad, said):
    table = Table({"x": np.arange(10 - bad)}, source="here", problems=problems(bad))
    with pytest.raises(DataError, match=said):
        refuse_problems(table, 0.09)


def test_threads_keep_the_order_and_pass_errors_on():
    assert list(in_threads(lambda number: number**2, range(50))) == [number**2 for number in range(50)]
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 / number, [1, 0]))


# Statistics


@pytest.mark.parametrize("shape", [(7, 2, 5, 6), (7, 2, 3, 4, 5)])
def test_mean_and_spread_of_each_channel(shape):
    held = volume(3, shape)
    mean, spread = channel_statistics(held)
    axes = (0, *range(2, held.ndim))
    np.testing.assert_allclose(mean, held.mean(axis=axes, dtype=np.float64))
    np.testing.assert_allclose(spread, held.std(axis=axes, dtype=np.float64))


def test_pixels_that_are_all_alike_have_a_spread_of_one():
    assert channel_statistics(np.full((3, 1, 4, 4), 9, np.uint8)) == ([9.0], [1.0])


def test_a_view_with_channels_last_in_memory():
    held = volume(4, (5, 6, 7, 3))
    mean, _ = channel_statistics(held.transpose(0, 3, 1, 2))
    np.testing.assert_allclose(mean, held.mean(axis=(0, 1, 2)))


def test_large_volumes_take_no_more_memory_than_small_pictures():
    held = volume(5, (48, 1, 64, 64, 64))
    tracemalloc.start()
    try:
        mean, _ = channel_statistics(held)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert mean[0] == pytest.approx(held.mean(dtype=np.float64))
    assert peak < held.nbytes  # not eight bytes for each of the voxels
