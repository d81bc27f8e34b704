import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset

from fivefold.errors import DataError
from fivefold_healthcare.dicom.files import Instance, find_instances
from fivefold_healthcare.dicom.series import group_series
from fivefold_healthcare.dicom.volume import Volume, assemble, read_values
from plugins.healthcare.phantoms import laid_out, one_stack, read_nrrd, write_enhanced, write_series

VOLUMES = ("brain1", "brain2", "breast1", "lung1", "lung2")


def block(depth: int = 5) -> NDArray[np.int16]:
    return np.random.default_rng(0).integers(-1000, 3000, (depth, 4, 3), dtype=np.int16)


def assembled(folder: Path, **options: Any) -> Volume:
    return assemble(one_stack(folder), read_values, **options)


def told(volume: Volume, kind: str) -> list[str]:
    return [finding.text for finding in volume.geometry.findings if finding.kind == kind]


# Whole series


@pytest.mark.parametrize("name", VOLUMES)
def test_values_of_real_volumes_are_recovered(pyradiomics_data: Path, tmp_path: Path, name: str) -> None:
    values, affine = read_nrrd(pyradiomics_data / f"{name}_image.nrrd")
    write_series(
        tmp_path,
        values,
        **laid_out(affine),
    )
    volume = assembled(tmp_path, dtype=np.int16)
    # Where rows, columns and slices form a left-handed system, slices come in the opposite order.
    assert np.array_equal(volume.values if np.linalg.det(affine) > 0 else volume.values[::-1], values)
    assert np.linalg.det(volume.geometry.affine) > 0


@pytest.mark.parametrize("dtype", [np.int16, np.uint16])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_values_are_in_order_whatever_the_names_of_files(tmp_path: Path, dtype: Any, modality: str) -> None:
    values = np.abs(block(9)).astype(dtype)
    write_series(tmp_path, values, modality=modality)
    volume = assembled(tmp_path)
    assert volume.values.dtype == np.float32
    assert np.array_equal(volume.values, values)


def test_values_are_rescaled_slice_by_slice(tmp_path: Path) -> None:
    slopes = {"RescaleSlope": lambda number: 1 + number, "RescaleIntercept": -1024}
    write_series(tmp_path, block(), modality="PT", extra=slopes)
    expected = block() * np.arange(1, 6).reshape(5, 1, 1) - 1024.0
    assert np.array_equal(assembled(tmp_path).values, expected)


def test_frames_of_an_enhanced_object_and_its_times(tmp_path: Path) -> None:
    write_enhanced(tmp_path / "a.dcm", block(), frames=[3, 1, 4, 0, 2], times=2)
    (series,) = group_series(find_instances(tmp_path).instances)
    for time, stack in enumerate(series.stacks):
        assert np.array_equal(assemble(stack, read_values).values, block() + 1000 * time)


def test_a_series_is_assembled_by_its_one_stack(tmp_path: Path) -> None:
    write_series(tmp_path, block())
    (series,) = group_series(find_instances(tmp_path).instances)
    assert np.array_equal(assemble(series, read_values).values, block())


def test_a_series_of_two_stacks_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "a", block(4), series_uid="1.2")
    write_series(tmp_path / "b", block(1), series_uid="1.2", orientation=((0, 1, 0), (0, 0, 1)))
    (series,) = group_series(find_instances(tmp_path).instances)
    with pytest.raises(
        DataError,
        match=r"series 1\.2 \(a/.*dcm\): expected one stack of images, found 2 \(mixed orientations: 2 stacks of 4 and "
        r"1 image\); choose one of them",
    ):
        assemble(series, read_values)


def test_without_positions_there_are_values_but_no_geometry(tmp_path: Path) -> None:
    write_series(tmp_path, block(), extra={"ImagePositionPatient": None})
    volume = assembled(tmp_path)
    assert np.array_equal(volume.values, block())
    assert len(told(volume, "no position")) == 1


# Gaps


def test_a_gap_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5), drop=[2])
    with pytest.raises(
        DataError,
        match=r"00001\.dcm, 00003\.dcm: expected slices every 2 mm, found 1 slice missing between these two, at "
        r"\(-10\.00, -20\.00, 34\.00\) mm; restore what is missing, or choose to fill gaps or to keep them",
    ):
        assembled(tmp_path)


def test_a_gap_is_kept(tmp_path: Path) -> None:
    write_series(tmp_path, block(), drop=[2])
    volume = assembled(tmp_path, gaps="keep")
    assert np.array_equal(volume.values, block()[[0, 1, 3, 4]])
    assert volume.geometry.places == (0, 1, 3, 4)
    assert len(told(volume, "gap")) == 1


@pytest.mark.parametrize("on_disk", [False, True])
def test_gaps_are_filled_by_interpolation_and_told(tmp_path: Path, on_disk: bool) -> None:
    values = block(9)
    write_series(tmp_path / "a", values, drop=[2, 5, 6])
    volume = assembled(tmp_path / "a", gaps="fill", out=tmp_path / "out.npy" if on_disk else None)
    expected = values.astype(np.float64)
    expected[2] = (expected[1] + expected[3]) / 2
    expected[5] = expected[4] * 2 / 3 + expected[7] / 3
    expected[6] = expected[4] / 3 + expected[7] * 2 / 3
    np.testing.assert_allclose(volume.values, expected, rtol=1e-5, atol=1e-3)
    assert volume.geometry.shape == (9, 4, 3)
    assert told(volume, "gap") == []
    assert told(volume, "filled") == [
        "2, 5, 6: slices that are missing, interpolated between their neighbours"
    ]
    assert volume.geometry.places == tuple(range(9))
    assert [place for place, index in enumerate(volume.geometry.order) if index < 0] == [2, 5, 6]


def test_filled_integers_are_rounded(tmp_path: Path) -> None:
    values = np.stack([np.full((2, 2), number, np.int16) for number in (1, 2, 3, 5)])
    write_series(tmp_path, values, drop=[2])
    assert assembled(tmp_path, gaps="fill", dtype=np.int16).values[:, 0, 0].tolist() == [1, 2, 4, 5]


def test_more_gaps_than_slices_are_not_filled(tmp_path: Path) -> None:
    far = {"ImagePositionPatient": lambda number: [0, 0, number if number < 4 else 1e8]}
    write_series(tmp_path, block(), extra=far)
    with pytest.raises(DataError, match=r"found 5 of 100000001; restore the others"):
        assembled(tmp_path, gaps="fill")


@pytest.mark.parametrize("gaps", ["refuse", "fill"])
def test_uneven_steps_are_refused_and_kept(tmp_path: Path, gaps: Any) -> None:
    uneven = {"ImagePositionPatient": lambda number: [0, 0, number**1.5]}
    write_series(tmp_path, block(), extra=uneven)
    with pytest.raises(
        DataError, match=r"equal steps of .* mm along one line.*or choose to keep what is there"
    ):
        assembled(tmp_path, gaps=gaps)
    assert np.array_equal(assembled(tmp_path, gaps="keep").values, block())


# Duplicates


def test_equal_duplicates_are_left_out_and_told(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5), duplicate=[2])
    volume = assembled(tmp_path)
    assert np.array_equal(volume.values, block())
    assert told(volume, "left out") == [
        "00002_copy.dcm: left out, its pixels are those of 00002.dcm, at the same place"
    ]


def test_duplicates_that_differ_are_refused_or_the_first_is_taken(tmp_path: Path) -> None:
    write_series(tmp_path / "a", block(), order=range(5), series_uid="1.2")
    changed = block()
    changed[2] += 1
    later = {"InstanceNumber": lambda number: 100 + number}
    write_series(tmp_path / "b", changed, order=range(5), series_uid="1.2", extra=later)
    with pytest.raises(
        DataError,
        match=r"a/00002\.dcm, b/00002\.dcm: expected one image at a place, found two with different pixels",
    ):
        assembled(tmp_path)
    volume = assembled(tmp_path, duplicates="first")
    assert np.array_equal(volume.values, block())
    assert told(volume, "left out")[2] == (
        "b/00002.dcm: left out, its pixels are not those of a/00002.dcm, at the same place"
    )


# What does not fit


def test_a_broken_geometry_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path, block(), extra={"PixelSpacing": [0, 0]})
    with pytest.raises(
        DataError, match=r"expected PixelSpacing above 0 mm, found 0 and 0; export the series again"
    ):
        assembled(tmp_path)


def test_a_colour_slice_is_refused(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5))

    def colour(instance: Instance, frame: int) -> NDArray[np.float32]:
        return np.zeros((4, 3, 3), np.float32)

    with pytest.raises(
        DataError, match=r"00000\.dcm: expected 4 rows and 3 columns of one value each, found .*4, 3, 3"
    ):
        assemble(one_stack(tmp_path), colour)


@pytest.mark.parametrize(
    ("values", "found"), [([0, 256], "0 to 256"), ([-1, 3], "-1 to 3"), ([np.nan, 1], "nan to nan")]
)
def test_values_beyond_an_integer_type_are_refused(tmp_path: Path, values: list[float], found: str) -> None:
    write_series(tmp_path, np.zeros((1, 1, 2), np.int16), order=[0])

    def read(instance: Instance, frame: int) -> NDArray[np.float32]:
        return np.array([values], np.float32)

    with pytest.raises(
        DataError, match=rf"00000\.dcm: expected values from 0 to 255 for uint8, found {found}"
    ):
        assemble(one_stack(tmp_path), read, dtype=np.uint8)


# On disk


@settings(max_examples=10, deadline=None)
@given(depth=st.integers(1, 6), dtype=st.sampled_from(["float32", "int16", "float64"]))
def test_a_volume_on_disk_is_that_in_memory(
    tmp_path_factory: pytest.TempPathFactory, depth: int, dtype: str
) -> None:
    folder = tmp_path_factory.mktemp("series")
    write_series(folder / "a", block(depth))
    out = folder / "deep" / "volume.npy"
    volume = assembled(folder / "a", dtype=dtype, out=out)
    assert isinstance(volume.values, np.memmap)
    assert volume.values.dtype == dtype
    assert np.array_equal(volume.values, assembled(folder / "a", dtype=dtype).values)
    assert np.array_equal(np.load(out), block(depth))


def test_a_series_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a", block())
    stack = one_stack(tmp_path / "a")
    content = paths[3].read_bytes()
    paths[3].write_bytes(content[:-10])
    with pytest.raises(DataError, match=paths[3].name):
        assemble(stack, read_values, out=tmp_path / "out" / "volume.npy")
    assert list((tmp_path / "out").iterdir()) == []


def instances(depth: int, side: int) -> list[Instance]:
    """Headers without files, in descending order."""
    found = []
    for number in reversed(range(depth)):
        header = Dataset()
        header.Rows = header.Columns = side
        header.SeriesInstanceUID, header.InstanceNumber = "1.2", number
        header.ImagePositionPatient, header.PixelSpacing = [0, 0, number], [1, 1]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        found.append(Instance(f"{number}.dcm", Path(f"{number}.dcm"), header))
    return found


def peak_of(function: Callable[[], Volume]) -> tuple[Volume, int]:
    """What ``function`` returns, and the most bytes that it held at a time."""
    tracemalloc.start()
    try:
        volume = function()
        return volume, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_two_thousand_slices_on_disk_take_the_memory_of_a_few(tmp_path: Path) -> None:
    depth, side = 2000, 64
    (series,) = group_series(instances(depth, side))

    def read(instance: Instance, frame: int) -> NDArray[np.float32]:
        return np.full((side, side), instance.header.InstanceNumber, np.float32)

    volume, peak = peak_of(lambda: assemble(series, read, out=tmp_path / "volume.npy"))
    whole = 4 * depth * side * side
    assert volume.values.nbytes == whole
    assert volume.values[:, 5, 7].tolist() == list(range(depth))
    assert peak < whole / 8


def test_slices_of_files_are_read_one_at_a_time(tmp_path: Path) -> None:
    values = np.broadcast_to(np.arange(100, dtype=np.int16).reshape(-1, 1, 1), (100, 128, 128))
    write_series(tmp_path / "a", values)
    stack = one_stack(tmp_path / "a")
    assemble(stack, read_values)  # what decoders load when they are first used does not count
    volume, peak = peak_of(lambda: assemble(stack, read_values, out=tmp_path / "volume.npy"))
    assert np.array_equal(volume.values, values)
    assert peak < volume.values.nbytes / 8
