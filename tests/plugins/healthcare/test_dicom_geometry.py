import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fivefold_healthcare.dicom.geometry import REFUSED, Geometry, from_affine, measure
from plugins.healthcare.phantoms import (
    grid_of,
    numbers,
    one_stack,
    turned,
    write_enhanced,
    write_series,
)


def block(depth: int = 5) -> NDArray[np.int16]:
    return np.arange(depth * 6, dtype=np.int16).reshape(depth, 2, 3)


def measured(folder: Path) -> Geometry:
    return measure(one_stack(folder).planes)


def texts(geometry: Geometry, kind: str) -> list[str]:
    return [finding.text for finding in geometry.findings if finding.kind == kind]


# Any grid

angles = st.tuples(*[st.floats(-3.1, 3.1)] * 3)
lengths = st.tuples(*[st.floats(0.05, 12)] * 3)
origins = st.tuples(*[st.floats(-900, 900)] * 3)


@settings(max_examples=25, deadline=None)
@given(angles=angles, spacing=lengths, origin=origins, depth=st.integers(2, 7), mode=st.sampled_from("-0r"))
def test_geometry_of_any_grid_is_recovered(
    angles: tuple[float, ...],
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    depth: int,
    mode: str,
) -> None:
    orientation = turned(angles)
    given_numbers: dict[str, Any] = {"0": None, "r": lambda number: -number}
    extra = {"InstanceNumber": given_numbers[mode]} if mode in given_numbers else {}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_series(
            Path(folder), block(depth), spacing=spacing, origin=origin, orientation=orientation, extra=extra
        )
        geometry = measured(Path(folder))
        found = numbers(Path(folder), paths, geometry)
    assert found == list(range(depth))
    true = grid_of(spacing, origin, orientation)
    np.testing.assert_allclose(geometry.affine, true, atol=1e-6)
    np.testing.assert_allclose(geometry.spacing, spacing, atol=1e-6)
    np.testing.assert_allclose(geometry.direction, true[:3, :3] / spacing[::-1], atol=1e-6)
    assert {finding.kind for finding in geometry.findings} <= {"oblique"}


@settings(max_examples=25, deadline=None)
@given(angles=angles, spacing=lengths, origin=origins, data=st.data())
def test_missing_slices_of_any_grid_are_found(
    angles: tuple[float, ...], spacing: tuple[float, ...], origin: tuple[float, ...], data: st.DataObject
) -> None:
    depth = 12
    drop = data.draw(st.sets(st.integers(1, depth - 2), max_size=3))
    with tempfile.TemporaryDirectory() as folder:
        orientation = turned(angles)
        write_series(
            Path(folder), block(depth), spacing=spacing, origin=origin, orientation=orientation, drop=[*drop]
        )
        geometry = measured(Path(folder))
    assert geometry.places == tuple(number for number in range(depth) if number not in drop)
    assert len(texts(geometry, "gap")) == len([number for number in drop if number - 1 not in drop])
    np.testing.assert_allclose(geometry.affine, grid_of(spacing, origin, orientation), atol=1e-6)


# Order and spacing by hand


def test_affine_by_hand(tmp_path: Path) -> None:
    sagittal = ((0, 1, 0), (0, 0, -1))
    write_series(tmp_path, block(4), spacing=(3, 0.5, 0.25), origin=(10, 20, 30), orientation=sagittal)
    geometry = measured(tmp_path)
    assert geometry.affine.tolist() == [[0, 0, -3, 10], [0.25, 0, 0, 20], [0, -0.5, 0, 30], [0, 0, 0, 1]]
    assert geometry.spacing == (3, 0.5, 0.25)
    assert geometry.direction.tolist() == [[0, 0, -1], [1, 0, 0], [0, -1, 0]]
    assert geometry.findings == ()


def test_thickness_is_not_distance(tmp_path: Path) -> None:
    write_series(
        tmp_path, block(), spacing=(2.5, 1, 1), extra={"SliceThickness": 5, "SpacingBetweenSlices": 7}
    )
    assert measured(tmp_path).spacing == (2.5, 1, 1)


def test_three_slices_with_one_missing_before_the_last_two(tmp_path: Path) -> None:
    write_series(tmp_path, block(4), drop=[1])
    geometry = measured(tmp_path)
    assert geometry.places == (0, 2, 3)
    assert geometry.spacing[0] == 2


def test_a_gap_names_its_files_and_positions(tmp_path: Path) -> None:
    write_series(tmp_path, block(12), origin=(1, 2, 3), order=range(12), drop=[3, 4, 7])
    assert texts(measured(tmp_path), "gap") == [
        (
            "00002.dcm, 00005.dcm: expected slices every 2 mm, found 2 slices missing between these two, at "
            "(1.00, 2.00, 9.00), (1.00, 2.00, 11.00) mm"
        ),
        (
            "00006.dcm, 00008.dcm: expected slices every 2 mm, found 1 slice missing between these two, at "
            "(1.00, 2.00, 17.00) mm"
        ),
    ]


def test_a_wide_gap_is_told_in_short(tmp_path: Path) -> None:
    far = {"ImagePositionPatient": lambda number: [0, 0, number if number < 4 else 1e8]}
    write_series(tmp_path, block(5), order=range(5), extra=far)
    geometry = measured(tmp_path)
    assert texts(geometry, "gap") == [
        (
            "00003.dcm, 00004.dcm: expected slices every 1 mm, found 99999996 slices missing between these two, at "
            "(0.00, 0.00, 4.00), (0.00, 0.00, 5.00), (0.00, 0.00, 6.00), (0.00, 0.00, 7.00), ... mm"
        )
    ]
    assert geometry.depth == 10**8 + 1


def test_duplicates_are_named_and_set_aside(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5), duplicate=[1, 4])
    geometry = measured(tmp_path)
    assert texts(geometry, "duplicate") == [
        "00001.dcm and 00001_copy.dcm: lie at the same place of the stack",
        "00004.dcm and 00004_copy.dcm: lie at the same place of the stack",
    ]
    assert geometry.shape == (5, 2, 3)
    names = [plane.name for plane in one_stack(tmp_path).planes]
    assert [(names[kept], names[other]) for kept, other in geometry.copies] == [
        ("00001.dcm", "00001_copy.dcm"),
        ("00004.dcm", "00004_copy.dcm"),
    ]


def test_of_duplicates_the_lowest_number_is_first(tmp_path: Path) -> None:
    write_series(
        tmp_path / "a", block(3), series_uid="1.2", extra={"InstanceNumber": lambda number: 30 - number}
    )
    write_series(tmp_path / "b", block(3), series_uid="1.2")
    geometry = measured(tmp_path)
    planes = one_stack(tmp_path).planes
    assert [planes[index].name[0] for index in geometry.order] == ["b", "b", "b"]


def test_images_side_by_side_are_not_two_slices(tmp_path: Path) -> None:
    write_series(tmp_path / "a", block(2), order=range(2), series_uid="1.2", origin=(0, 0, 0))
    write_series(tmp_path / "b", block(2), order=range(2), series_uid="1.2", origin=(100, 0, 0))
    assert texts(measured(tmp_path), "duplicate") == [
        f"a/0000{number}.dcm and b/0000{number}.dcm: lie at the same place of the stack, shifted by 100 mm within the "
        "plane"
        for number in (0, 1)
    ]


@pytest.mark.parametrize(("shift", "uneven"), [(0.015, False), (0.2, True), (-0.2, True)])
def test_uneven_steps(tmp_path: Path, shift: float, uneven: bool) -> None:
    places = {"ImagePositionPatient": lambda number: [0, 0, 2 * number + shift * (number == 3)]}
    write_series(tmp_path, block(6), order=range(6), extra=places)
    found = texts(measured(tmp_path), "uneven spacing")
    assert len(found) == uneven
    if uneven:
        assert (
            "expected slices at equal steps of 2 mm along one line, found steps from 1.8 to 2.2 mm"
            in found[0]
        )
        assert "positions up to 0.2 mm off" in found[0]


def test_fine_steps_are_even_within_a_micrometre(tmp_path: Path) -> None:
    jitter = {
        "ImagePositionPatient": lambda number: [0, 0, round(number * 0.0333 + 0.0004 * (number % 2), 4)]
    }
    write_series(tmp_path, block(20), spacing=(0.0333, 0.01, 0.01), extra=jitter)
    assert measured(tmp_path).findings == ()


def test_slices_that_are_not_over_each_other_are_uneven(tmp_path: Path) -> None:
    places = {"ImagePositionPatient": lambda number: [5 * (number == 2), 0, 2 * number]}
    write_series(tmp_path, block(6), order=range(6), extra=places)
    (text,) = texts(measured(tmp_path), "uneven spacing")
    assert text.startswith("00002.dcm: expected")
    assert "positions up to 5 mm off" in text


def test_a_gantry_tilt_is_in_the_affine_and_told(tmp_path: Path) -> None:
    write_series(tmp_path, block(), origin=(0, 0, 0), step=(0, 0.5, 2))
    geometry = measured(tmp_path)
    np.testing.assert_allclose(geometry.affine[:3, 2], (0, 0.5, 2))
    assert [finding.kind for finding in geometry.findings] == ["gantry tilt"]
    assert "shifted by 0.5 mm within its plane against the one before (sheared by 14.0 degrees)" in (
        geometry.findings[0].text
    )


def test_the_tilt_of_an_oblique_image_is_told(tmp_path: Path) -> None:
    write_series(tmp_path, block(), orientation=turned((np.radians(20), 0, 0)))
    assert texts(measured(tmp_path), "oblique") == ["the image is tilted by up to 20.0 degrees"]


def test_one_slice(tmp_path: Path) -> None:
    write_series(tmp_path, block(1), order=[0])
    geometry = measured(tmp_path)
    assert geometry.spacing == (1, 0.8, 0.7)
    (text,) = texts(geometry, "one slice")
    assert text == (
        "00000.dcm: is at the only place of a slice; the distance to a next one is unknown and taken from "
        "SliceThickness, 1 mm, which is how thick a slice is"
    )


@pytest.mark.parametrize("copies", [[], [0]])
@pytest.mark.parametrize(
    ("between", "thickness", "distance", "source"),
    [
        (3, 5, 3, "from SpacingBetweenSlices, 3 mm"),
        (-3, None, 3, "from SpacingBetweenSlices, 3 mm"),  # as nuclear medicine may have it
        (None, 5, 5, "from SliceThickness, 5 mm, which is how thick a slice is"),
        (0, 5, 5, "from SliceThickness, 5 mm, which is how thick a slice is"),
        (1e12, None, 1, "to be 1 mm"),
        (None, None, 1, "to be 1 mm"),
    ],
)
def test_where_positions_do_not_tell_the_distance_of_slices_the_header_does(
    between: float | None,
    thickness: float | None,
    distance: float,
    source: str,
    copies: list[int],
    tmp_path: Path,
) -> None:
    stated = {"SpacingBetweenSlices": between, "SliceThickness": thickness}
    write_series(tmp_path, block(1), order=[0], duplicate=copies, extra=stated)
    geometry = measured(tmp_path)
    assert geometry.spacing == (distance, 0.8, 0.7)
    np.testing.assert_allclose(geometry.affine[:3, 2], (0, 0, distance))
    (text,) = texts(geometry, "one slice")
    assert text.endswith(f"the distance to a next one is unknown and taken {source}")
    assert not geometry.first(REFUSED)


def test_where_positions_tell_the_distance_of_slices_the_header_is_not_asked(tmp_path: Path) -> None:
    write_series(tmp_path, block(3), extra={"SpacingBetweenSlices": 9, "SliceThickness": 5})
    assert measured(tmp_path).spacing == pytest.approx((2, 0.8, 0.7))


def test_a_frame_has_the_measures_of_its_file(tmp_path: Path) -> None:
    shared = {"SpacingBetweenSlices": 4}
    write_enhanced(tmp_path / "a.dcm", block(1), frames=[0, 0], extra=shared)
    assert measured(tmp_path).spacing[0] == 4


# What is not there, or broken


def test_without_positions_images_are_in_order_of_their_numbers(tmp_path: Path) -> None:
    paths = write_series(tmp_path, block(12), extra={"ImagePositionPatient": None})
    geometry = measured(tmp_path)
    assert numbers(tmp_path, paths, geometry) == list(range(12))
    assert np.isnan(geometry.spacing[0])
    assert geometry.spacing[1:] == (0.8, 0.7)
    assert np.isnan(geometry.affine[:3]).all()
    (text,) = texts(geometry, "no position")
    assert "expected ImagePositionPatient, found none; images are in order of their InstanceNumber" in text


def test_without_positions_and_numbers_images_are_in_order_of_their_names(tmp_path: Path) -> None:
    nothing = {"ImagePositionPatient": None, "ImageOrientationPatient": None, "InstanceNumber": None}
    write_series(tmp_path, block(), order=[3, 1, 4, 0, 2], extra=nothing)
    geometry = measured(tmp_path)
    assert geometry.order == (0, 1, 2, 3, 4)
    assert "in order of their name" in texts(geometry, "no position")[0]


def test_without_orientation_there_is_no_order_by_position(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5), extra={"ImageOrientationPatient": None})
    assert texts(measured(tmp_path), "no position")[0].startswith(
        "00000.dcm: expected ImageOrientationPatient, found none"
    )


def test_without_pixel_spacing_sizes_are_unknown(tmp_path: Path) -> None:
    write_series(tmp_path, block(), order=range(5), extra={"PixelSpacing": None})
    geometry = measured(tmp_path)
    assert geometry.spacing[0] == 2
    assert np.isnan(geometry.spacing[1:]).all()
    assert texts(geometry, "no spacing") == [
        "00000.dcm: expected PixelSpacing, found none; sizes are unknown"
    ]


@pytest.mark.parametrize(
    ("kind", "extra", "message"),
    [
        (
            "direction cosines",
            {"ImageOrientationPatient": [1, 0, 0, 0.5, 0.8, 0]},
            "two perpendicular directions of length 1, found lengths 1 and 0.9434 and the product 0.5",
        ),
        ("direction cosines", {"ImageOrientationPatient": [2, 0, 0, 0, 1, 0]}, "found lengths 2 and 1"),
        ("direction cosines", {"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "found lengths 0 and 0"),
        ("pixel spacing", {"PixelSpacing": [0, 1]}, "expected PixelSpacing above 0 mm, found 0 and 1"),
        ("pixel spacing", {"PixelSpacing": [1, -1]}, "expected PixelSpacing above 0 mm, found 1 and -1"),
        (
            "invalid header",
            {"PixelSpacing": [1, 1, 1]},
            "expected 2 numbers in PixelSpacing, found [1.0, 1.0, 1.0]",
        ),
        ("invalid header", {"ImagePositionPatient": [1, 2]}, "expected 3 numbers in ImagePositionPatient"),
        (
            "invalid header",
            {"ImagePositionPatient": ["1e300", 0, 0]},
            "00000.dcm: expected 3 numbers in Image",
        ),
        (
            "invalid header",
            {"ImageOrientationPatient": [1, 0, 0]},
            "expected 6 numbers in ImageOrientationPatient",
        ),
        (
            "some without position",
            {"ImagePositionPatient": lambda number: None if number in {1, 2} else [0, 0, number]},
            "00001.dcm and 00002.dcm: expected ImagePositionPatient as in the other 3 images of the series",
        ),
    ],
)
def test_what_leaves_no_volume(tmp_path: Path, kind: str, extra: dict[str, Any], message: str) -> None:
    write_series(tmp_path, block(), order=range(5), extra=extra)
    geometry = measured(tmp_path)
    first = geometry.first(REFUSED)
    assert first is not None
    assert first.kind == kind
    assert message in first.text
    assert np.isnan(geometry.affine[:3]).all()


def test_frames_of_an_enhanced_object_are_ordered_by_position(tmp_path: Path) -> None:
    orientation = turned((0.4, 0.2, -1))
    frames = [4, 2, 0, 5, 1, 3]
    write_enhanced(
        tmp_path / "a.dcm", block(6), frames=frames, orientation=orientation, spacing=(3, 0.5, 0.6)
    )
    geometry = measured(tmp_path)
    assert [frames[index] for index in geometry.order] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(
        geometry.affine, grid_of((3, 0.5, 0.6), (-10, -20, 30), orientation), atol=1e-9
    )


def test_the_missing_frame_of_an_enhanced_object_is_found(tmp_path: Path) -> None:
    write_enhanced(tmp_path / "a.dcm", block(6), frames=[4, 0, 5, 1, 3])
    (text,) = texts(measured(tmp_path), "gap")
    assert text.startswith("a.dcm frame 4, a.dcm frame 5: expected slices every 2 mm, found 1 slice missing")


@given(angles=angles, spacing=lengths, origin=origins)
def test_an_affine_and_its_geometry_say_the_same(
    angles: tuple[float, ...], spacing: tuple[float, ...], origin: tuple[float, ...]
) -> None:
    affine = grid_of(spacing, origin, turned(angles))
    geometry = from_affine((3, 4, 5), affine)
    np.testing.assert_allclose(geometry.spacing, spacing)
    np.testing.assert_allclose(geometry.direction * geometry.spacing[::-1], affine[:3, :3], atol=1e-9)
    assert geometry.places == geometry.order == (0, 1, 2)
