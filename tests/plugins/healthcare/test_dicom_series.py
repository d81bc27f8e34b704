from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fivefold_healthcare.dicom.files import Instance, find_instances
from fivefold_healthcare.dicom.geometry import measure
from fivefold_healthcare.dicom.planes import MOST_FRAMES
from fivefold_healthcare.dicom.series import Series, group_series
from plugins.healthcare.phantoms import Value, write_enhanced, write_series

SIDEWAYS = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))


def slices(depth: int = 4, side: int = 4) -> np.ndarray:
    return np.arange(depth * side * side).astype(np.int16).reshape(depth, side, side)


def grouped(folder: Path) -> list[Series]:
    return group_series(find_instances(folder).instances)


def kinds(series: Series) -> list[str]:
    return [finding.kind for finding in series.findings]


def sizes(series: Series) -> list[int]:
    return [len(stack.planes) for stack in series.stacks]


def again(folder: Path, **extra: Value) -> None:
    """One more set of slices at the same places in the series "1.2.3", with attributes of its own."""
    write_series(folder, slices(), series_uid="1.2.3", study_uid="1.2", modality="MR", extra=extra)


# Groups


def test_series_are_those_of_their_uid_and_in_order_of_their_first_files(tmp_path: Path) -> None:
    write_series(tmp_path / "b", slices(3), modality="MR", patient="P2", extra={"SeriesDescription": "T1"})
    write_series(tmp_path / "a", slices(5))
    first, second = grouped(tmp_path)
    assert (first.modality, first.patient, first.description, sizes(first)) == ("CT", "P1", "", [5])
    assert (second.modality, second.patient, second.description, sizes(second)) == ("MR", "P2", "T1", [3])
    assert first.uid != second.uid
    assert first.study_uid != second.study_uid
    assert first.findings == second.findings == ()
    assert len(second.instances) == 3


def test_a_file_without_series_is_one_by_itself(tmp_path: Path) -> None:
    write_series(tmp_path, slices(2), order=[0, 1], extra={"SeriesInstanceUID": None})
    found = grouped(tmp_path)
    assert [sizes(series) for series in found] == [[1], [1]]
    assert [series.findings[0].text for series in found] == [
        f"{name}: expected SeriesInstanceUID, found none; it is a series by itself"
        for name in ("00000.dcm", "00001.dcm")
    ]


def test_one_uid_of_two_patients_is_two_series(tmp_path: Path) -> None:
    for patient in ("P1", "P2"):
        write_series(tmp_path / patient, slices(2), patient=patient, study_uid="1.2", series_uid="1.2.3")
    found = grouped(tmp_path)
    assert [series.patient for series in found] == ["P1", "P2"]
    assert [kinds(series) for series in found] == [["shared UID"], ["shared UID"]]
    assert (
        "SeriesInstanceUID 1.2.3 to be of one study of one patient, found it in 2"
        in found[0].findings[0].text
    )


def test_files_without_image_are_told_of(tmp_path: Path) -> None:
    write_series(tmp_path, slices(1), extra={"Rows": None, "PixelData": None}, order=[0])
    (series,) = grouped(tmp_path)
    assert series.stacks == ()
    assert [finding.text for finding in series.findings] == ["00000.dcm: expected an image, found none"]


# Stacks


def test_a_localizer_is_a_stack_of_its_own(tmp_path: Path) -> None:
    write_series(tmp_path / "a", slices(30), series_uid="1.2.3")
    scout = {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    write_series(tmp_path / "b", slices(1), series_uid="1.2.3", orientation=SIDEWAYS, extra=scout)
    (series,) = grouped(tmp_path)
    assert sizes(series) == [30, 1]
    assert [(finding.kind, finding.text) for finding in series.findings] == [
        ("mixed orientation", "mixed orientations: 2 stacks of 30 and 1 image"),
        ("mixed image type", "mixed image types: 2 stacks of 30 and 1 image"),
    ]


@pytest.mark.parametrize(
    ("kind", "several", "side", "extra"),
    [
        ("mixed size", "sizes", 5, {}),
        ("mixed pixel spacing", "pixel spacings", 4, {"PixelSpacing": [0.9, 0.9]}),
        ("mixed frame of reference", "frames of reference", 4, {"FrameOfReferenceUID": "1.9"}),
        ("mixed image type", "image types", 4, {"ImageType": ["DERIVED", "SECONDARY"]}),
    ],
)
def test_images_that_differ_are_stacks(
    tmp_path: Path, kind: str, several: str, side: int, extra: dict[str, Value]
) -> None:
    write_series(tmp_path / "a", slices(2), series_uid="1.2.3")
    write_series(tmp_path / "b", slices(2, side), series_uid="1.2.3", origin=(0, 0, 90), extra=extra)
    (series,) = grouped(tmp_path)
    assert sizes(series) == [2, 2]
    assert [(finding.kind, finding.text) for finding in series.findings] == [
        (kind, f"mixed {several}: 2 stacks of 2 images each")
    ]


@pytest.mark.parametrize(("angle", "stacks"), [(9e-4, 1), (2e-3, 2)])
def test_orientations_are_equal_within_a_thousandth(tmp_path: Path, angle: float, stacks: int) -> None:
    write_series(tmp_path / "a", slices(2), series_uid="1.2.3")
    turned = ((np.cos(angle), np.sin(angle), 0), (-np.sin(angle), np.cos(angle), 0))
    write_series(tmp_path / "b", slices(2), series_uid="1.2.3", origin=(-10, -20, 34), orientation=turned)
    (series,) = grouped(tmp_path)
    assert len(series.stacks) == stacks


def test_many_kinds_are_counted(tmp_path: Path) -> None:
    for side in range(1, 10):
        write_series(
            tmp_path / str(side), slices(10 - side, side), series_uid="1.2.3", extra={"PixelSpacing": [1, 1]}
        )
    (series,) = grouped(tmp_path)
    assert series.findings[0].text == "mixed sizes: 9 stacks of 1 to 9 images"


# Several images at one place


@pytest.mark.parametrize(
    ("keyword", "values", "labels"),
    [
        ("TemporalPositionIdentifier", [1, 2, 3], ["1", "2", "3"]),
        ("AcquisitionNumber", [4, 9], ["4", "9"]),
        ("EchoTime", [4.6, 2.3], ["2.3", "4.6"]),
        ("DiffusionBValue", [0.0, 1000.0], ["0", "1000"]),
        ("TriggerTime", [0, 40, 80], ["0", "40", "80"]),
    ],
)
def test_images_at_one_place_are_told_apart(
    tmp_path: Path, keyword: str, values: list[float], labels: list[str]
) -> None:
    for number, value in enumerate(values):
        again(tmp_path / str(number), **{keyword: value})
    (series,) = grouped(tmp_path)
    assert [stack.label for stack in series.stacks] == [f"{keyword} {label}" for label in labels]
    assert sizes(series) == [4] * len(values)
    for stack, label in zip(series.stacks, labels, strict=True):
        assert {float(plane.instance.header[keyword].value) for plane in stack.planes} == {float(label)}
        assert measure(stack.planes).findings == ()
    assert [(finding.kind, finding.text) for finding in series.findings] == [
        (
            "4-D",
            f"several images at the same places, told apart by {keyword}: {len(values)} stacks of 4 images each",
        )
    ]


def test_trigger_times_that_differ_from_place_to_place_count_by_rank(tmp_path: Path) -> None:
    for number in range(3):
        again(tmp_path / str(number), TriggerTime=lambda place, number=number: 50.0 * number + 3 * place)
    (series,) = grouped(tmp_path)
    assert [stack.label for stack in series.stacks] == [f"TriggerTime {number} of 3" for number in (1, 2, 3)]
    for number, stack in enumerate(series.stacks):
        times = [float(plane.instance.header.TriggerTime) for plane in stack.planes]
        assert sorted(times) == [50 * number + 3 * place for place in range(4)]


def test_two_attributes_together_tell_images_apart(tmp_path: Path) -> None:
    for time in (1, 2):
        for echo in (2.0, 5.0):
            again(tmp_path / f"{time}-{echo}", TemporalPositionIdentifier=time, EchoTime=echo)
    (series,) = grouped(tmp_path)
    assert [stack.label for stack in series.stacks] == [
        f"TemporalPositionIdentifier {time}, EchoTime {echo}" for time in (1, 2) for echo in (2, 5)
    ]
    assert sizes(series) == [4, 4, 4, 4]


def test_what_nothing_tells_apart_stays_together_as_duplicates(tmp_path: Path) -> None:
    again(tmp_path / "0")
    again(tmp_path / "1")
    (series,) = grouped(tmp_path)
    assert sizes(series) == [8]
    assert series.findings == ()
    assert [finding.kind for finding in measure(series.stacks[0].planes).findings] == ["duplicate"] * 4


def test_acquisitions_side_by_side_are_one_stack(tmp_path: Path) -> None:
    write_series(tmp_path, slices(6), extra={"AcquisitionNumber": lambda number: 1 + number // 3})
    (series,) = grouped(tmp_path)
    assert sizes(series) == [6]


# Enhanced multi-frame objects


def test_frames_of_an_enhanced_object_are_planes(tmp_path: Path) -> None:
    write_enhanced(tmp_path / "one.dcm", slices(), frames=[2, 0, 3, 1])
    (series,) = grouped(tmp_path)
    assert series.findings == ()
    assert [plane.name for plane in series.stacks[0].planes] == [
        f"one.dcm frame {number}" for number in (1, 2, 3, 4)
    ]
    geometry = measure(series.stacks[0].planes)
    assert geometry.order == (1, 3, 0, 2)
    assert geometry.spacing == pytest.approx((2, 0.8, 0.7))


def test_times_of_an_enhanced_object_are_stacks(tmp_path: Path) -> None:
    write_enhanced(tmp_path / "one.dcm", slices(), frames=[2, 0, 3, 1], times=2)
    (series,) = grouped(tmp_path)
    assert [stack.label for stack in series.stacks] == [
        f"TemporalPositionIdentifier {time}" for time in (1, 2)
    ]
    assert [[plane.frame for plane in stack.planes] for stack in series.stacks] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
    ]


def test_an_enhanced_object_beside_others_is_a_series_by_itself(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.dcm"):
        write_enhanced(tmp_path / name, slices(), frames=[0, 1, 2, 3], extra={"SeriesInstanceUID": "1.2.3"})
    found = grouped(tmp_path)
    assert [sizes(series) for series in found] == [[4], [4]]
    assert [kinds(series) for series in found] == [["multi-frame"], ["multi-frame"]]
    assert (
        found[1].findings[0].text
        == "b.dcm: holds 4 frames beside other files of its series; it is one by itself"
    )


def test_an_enhanced_object_that_describes_fewer_frames_than_it_declares(tmp_path: Path) -> None:
    write_enhanced(tmp_path / "one.dcm", slices(), frames=[0, 1, 2, 3], extra={"NumberOfFrames": 5})
    (series,) = grouped(tmp_path)
    finding = measure(series.stacks[0].planes).findings[0]
    assert finding.kind == "invalid header"
    assert "NumberOfFrames to be the number of frames described, found 5 and 4" in finding.text


def test_a_million_frames_without_description_are_not_believed(tmp_path: Path) -> None:
    write_series(tmp_path, slices(1, 1024), extra={"NumberOfFrames": MOST_FRAMES + 1})
    (series,) = grouped(tmp_path)
    assert sizes(series) == [1]
    assert measure(series.stacks[0].planes).findings[0].kind == "invalid header"


def test_frames_without_description_have_no_position(tmp_path: Path) -> None:
    write_series(tmp_path, slices(1), extra={"NumberOfFrames": 3}, order=[0])
    (series,) = grouped(tmp_path)
    finding = measure(series.stacks[0].planes).findings[0]
    assert sizes(series) == [3]
    assert (finding.kind, finding.text.split(";")[0]) == (
        "no position",
        "00000.dcm frame 1: expected ImagePositionPatient, found none",
    )


# Properties


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Instance, ...]:
    root = tmp_path_factory.mktemp("mixture")
    write_series(root / "a", slices(4), series_uid="1.2.3")
    write_series(root / "b", slices(2), series_uid="1.2.3", orientation=SIDEWAYS)
    write_series(root / "c", slices(3), patient="P2", duplicate=[1])
    for number in range(2):
        again(root / "d" / str(number), EchoTime=1.0 + number, SeriesInstanceUID="1.2.4")
    write_enhanced(root / "e.dcm", slices(), frames=[3, 1, 0, 2], times=2)
    return find_instances(root).instances


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_every_image_is_in_one_stack_whatever_the_order_of_files(
    mixture: tuple[Instance, ...], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(mixture))
    found = group_series(shuffled)
    planes = Counter(plane.name for series in found for stack in series.stacks for plane in stack.planes)
    assert set(planes.values()) == {1}
    assert len(planes) == 4 + 2 + 4 + 8 + 8
    as_sets = {frozenset(plane.name for plane in stack.planes) for series in found for stack in series.stacks}
    assert sorted(map(len, as_sets)) == [2, 4, 4, 4, 4, 4, 4]


def test_real_files_of_every_kind_are_grouped_and_measured(pydicom_data: Path) -> None:
    found = find_instances(pydicom_data)
    series = group_series(found.instances)
    assert len(found.instances) > 30
    assert sorted(one.name for group in series for one in group.instances) == [
        one.name for one in found.instances
    ]
    for group in series:
        for stack in group.stacks:
            geometry = measure(stack.planes)
            assert len(geometry.order) + len(geometry.copies) == len(stack.planes)
