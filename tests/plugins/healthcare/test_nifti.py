import gzip
import struct
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fivefold.errors import DataError, StorageError
from fivefold_healthcare.dicom.geometry import from_affine
from fivefold_healthcare.dicom.nifti import read_nifti, write_nifti
from fivefold_healthcare.dicom.volume import Volume, assemble, read_values
from plugins.healthcare.phantoms import grid_of, one_stack, read_nrrd, write_series

STRAIGHT = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
LPS_TO_RAS = np.diag([-1, -1, 1, 1])


def volume_of(values: NDArray[Any], affine: NDArray[np.float64] | None = None) -> Volume:
    affine = grid_of((2, 0.8, 0.7), (-10, -20, 30), STRAIGHT) if affine is None else affine
    return Volume(values, from_affine(values.shape, affine))


def block() -> NDArray[np.int16]:
    return np.arange(24, dtype=np.int16).reshape(2, 3, 4)


def file_of(path: Path, data: NDArray[Any], affine: NDArray[np.float64] | None = None) -> Path:
    nibabel.Nifti1Image(data, np.eye(4) if affine is None else affine).to_filename(path)
    return path


def refuse(path: Path, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_nifti(path)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def patched(path: Path, *patches: tuple[int, bytes]) -> Path:
    """``path`` with bytes of its header replaced."""
    content = bytearray(path.read_bytes())
    for offset, value in patches:
        content[offset : offset + len(value)] = value
    path.write_bytes(content)
    return path


# Out


def test_right_anterior_superior_by_hand(tmp_path: Path) -> None:
    write_nifti(volume_of(block()), tmp_path / "a.nii")
    image = nibabel.load(tmp_path / "a.nii")
    assert image.shape == (4, 3, 2)
    expected = [[-0.7, 0, 0, 10], [0, -0.8, 0, 20], [0, 0, 2, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(image.affine, expected, rtol=1e-6)
    np.testing.assert_allclose(image.get_qform(), expected, rtol=1e-6)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 1)
    assert image.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_allclose(image.header.get_zooms(), (0.7, 0.8, 2), rtol=1e-6)
    assert np.array_equal(np.asarray(image.dataobj), block().transpose(2, 1, 0))


@pytest.mark.parametrize("name", ["brain1", "brain2", "breast1", "lung1", "lung2"])
def test_positions_of_real_volumes_are_kept(pyradiomics_data: Path, tmp_path: Path, name: str) -> None:
    values, affine = read_nrrd(pyradiomics_data / f"{name}_image.nrrd")
    values = values[:, ::4, ::4]
    affine = affine @ np.diag([4, 4, 1, 1])
    write_nifti(volume_of(values, affine), tmp_path / "a.nii.gz")
    image = nibabel.load(tmp_path / "a.nii.gz")
    assert image.get_data_dtype() == np.int16
    np.testing.assert_allclose(LPS_TO_RAS @ image.affine, affine, atol=1e-4)
    np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=1e-4)
    back = read_nifti(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(back.geometry.affine, affine, atol=1e-4)
    assert np.array_equal(back.values, values)


@settings(max_examples=30, deadline=None)
@given(
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda parts: np.linalg.norm(parts) > 0.1),
    spacing=st.tuples(*[st.floats(0.1, 10)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_any_position_is_kept(
    tmp_path_factory: pytest.TempPathFactory,
    quaternion: tuple[float, ...],
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    suffix: str,
) -> None:
    path = tmp_path_factory.mktemp("nifti") / f"a{suffix}"
    rotation = nibabel.quaternions.quat2mat(np.array(quaternion) / np.linalg.norm(quaternion))
    affine = grid_of(spacing, origin, rotation[:, :2].T)
    write_nifti(volume_of(block(), affine), path)
    image = nibabel.load(path)
    if image.header["qform_code"]:
        np.testing.assert_allclose(image.get_qform(), image.get_sform(), atol=0.01)
    voxels = np.array(
        [(column, row, number, 1) for column in range(4) for row in range(3) for number in range(2)]
    )
    np.testing.assert_allclose(voxels @ image.affine.T @ LPS_TO_RAS, voxels @ affine.T, atol=1e-3)
    back = read_nifti(path)
    np.testing.assert_allclose(back.geometry.affine, affine, atol=1e-3)
    np.testing.assert_allclose(back.geometry.spacing, spacing, atol=1e-3)
    assert np.array_equal(back.values, block())


def test_from_files_to_nifti_and_back(tmp_path: Path) -> None:
    write_series(tmp_path / "a", block(), origin=(1, 2, 3))
    volume = assemble(one_stack(tmp_path / "a"), read_values, out=tmp_path / "volume.npy")
    write_nifti(volume, tmp_path / "a.nii.gz")
    back = read_nifti(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(back.geometry.affine, volume.geometry.affine, rtol=1e-6)
    assert np.array_equal(back.values, block())


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        ([[0.0, -32768.0, 32767.0]], np.int16),
        ([[0.0, 32768.0]], np.float32),
        ([[0.5, 1.0]], np.float32),
        ([[np.nan, 1.0]], np.float32),
        ([[-np.inf, 1.0]], np.float32),
    ],
)
def test_whole_numbers_are_written_as_integers(tmp_path: Path, values: list[list[float]], dtype: Any) -> None:
    write_nifti(volume_of(np.array([values], np.float32)), tmp_path / "a.nii")
    assert nibabel.load(tmp_path / "a.nii").get_data_dtype() == dtype
    assert np.array_equal(read_nifti(tmp_path / "a.nii").values, [values], equal_nan=True)


def test_shear_is_in_the_sform_alone(tmp_path: Path) -> None:
    affine = np.array([[0.7, 0, 0, 1], [0, 0.8, 0.5, 2], [0, 0, 2, 3], [0, 0, 0, 1]])
    write_nifti(volume_of(block(), affine), tmp_path / "a.nii")
    image = nibabel.load(tmp_path / "a.nii")
    assert int(image.header["qform_code"]) == 0
    np.testing.assert_allclose(read_nifti(tmp_path / "a.nii").geometry.affine, affine, rtol=1e-6)


def test_files_are_the_same_whenever_they_are_written(tmp_path: Path) -> None:
    for name in ("a.nii.gz", "b.nii.gz"):
        write_nifti(volume_of(block()), tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert struct.unpack("<I", (tmp_path / "a.nii.gz").read_bytes()[4:8]) == (0,)


def test_volumes_without_a_place_or_with_gaps_are_not_written(tmp_path: Path) -> None:
    write_series(tmp_path / "a", block(), extra={"ImagePositionPatient": None})
    with pytest.raises(
        DataError, match=r"a\.nii: expected a volume whose place in the patient is known, found none"
    ):
        write_nifti(assemble(one_stack(tmp_path / "a"), read_values), tmp_path / "a.nii")
    write_series(tmp_path / "b", np.zeros((5, 2, 2), np.int16), drop=[2])
    with pytest.raises(
        DataError, match=r"b\.nii: expected slices at equal steps, found that .* 1 slice missing"
    ):
        write_nifti(assemble(one_stack(tmp_path / "b"), read_values, gaps="keep"), tmp_path / "b.nii")
    write_nifti(assemble(one_stack(tmp_path / "b"), read_values, gaps="fill"), tmp_path / "b.nii")
    assert read_nifti(tmp_path / "b.nii").values.shape == (5, 2, 2)


def test_other_names_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.mha: expected a name that ends in \.nii or \.nii\.gz"):
        write_nifti(volume_of(block()), tmp_path / "a.mha")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"a\.nii: cannot be written"):
        write_nifti(volume_of(block()), tmp_path / "file" / "a.nii")


# In


def test_integers_stay_and_scaled_ones_become_floats(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.arange(24, dtype=np.uint8).reshape(4, 3, 2))
    values = read_nifti(path).values
    assert values.dtype == np.uint8
    assert values[1, 2, 3] == 23
    scaled = read_nifti(patched(path, (112, struct.pack("<ff", 0.5, -1)))).values
    assert scaled.dtype == np.float32
    assert scaled[1, 2, 3] == 23 / 2 - 1


def test_big_endian_files_and_version_two(tmp_path: Path) -> None:
    data = np.arange(24, dtype=np.int16).reshape(4, 3, 2)
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    nibabel.Nifti1Image(data, np.eye(4), header).to_filename(tmp_path / "big.nii")
    nibabel.Nifti2Image(data, np.eye(4)).to_filename(tmp_path / "two.nii")
    for name in ("big.nii", "two.nii"):
        volume = read_nifti(tmp_path / name)
        assert volume.values.dtype == np.int16
        assert np.array_equal(volume.values, data.transpose(2, 1, 0))
        assert np.array_equal(volume.geometry.affine, np.diag([-1, -1, 1, 1]))


@pytest.mark.parametrize(("shape", "expected"), [((4, 3), (1, 3, 4)), ((4, 3, 2, 1, 1), (2, 3, 4))])
def test_singleton_dimensions_are_left_out(
    tmp_path: Path, shape: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    assert read_nifti(file_of(tmp_path / "a.nii", np.zeros(shape, np.int16))).values.shape == expected


def test_units_become_millimetres(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    assert read_nifti(patched(path, (123, b"\x03"))).geometry.spacing == pytest.approx((1e-3, 1e-3, 1e-3))
    assert read_nifti(patched(path, (123, b"\x01"))).geometry.spacing == pytest.approx((1e3, 1e3, 1e3))


def test_an_unknown_unit(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    refuse(
        patched(path, (123, b"\x0c")),
        "expected metres, millimetres or micrometres, found unit 4; mend its header",
    )


def test_a_file_without_sform_and_qform_is_told_of(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    patched(path, (252, bytes(4)))
    assert [finding.text for finding in read_nifti(path).geometry.findings] == [
        "a.nii: expected an sform or a qform, found neither; where the volume lies is not known"
    ]


# Refused


def test_a_singular_affine(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16), np.diag([1.0, 2, 3, 1]))
    refuse(
        patched(path, (280, struct.pack("<16s", b""))),
        r"can be inverted, found one whose determinant is 0; mend",
    )


def test_an_almost_singular_affine(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    rows = [(1, 1, 0, 0), (1, 1 + 2**-22, 0, 0), (0, 0, 1, 0)]
    patched(path, (280, b"".join(struct.pack("<4f", *row) for row in rows)))
    refuse(path, r"found one whose determinant is 2\.38419e-07")


def test_an_affine_of_no_numbers(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    refuse(
        patched(path, (280, struct.pack("<f", np.nan))), r"expected an affine of numbers, found \[\[nan, 0"
    )


def test_a_broken_quaternion(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    patched(path, (252, struct.pack("<hh", 1, 0)), (256, struct.pack("<3f", 5, 5, 5)))
    refuse(path, "expected a NIfTI file, found one that cannot be read")


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("content", [b"", b"not a NIfTI", bytes(400), b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_nifti(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refuse(tmp_path / name, "expected a NIfTI file, found one that cannot be read")


def test_nothing_but_the_message_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    refuse(patched(path, (70, b"\x4d\x00")), "found one that cannot be read .*77")
    assert caplog.records == []


def test_absent_files_and_other_names(tmp_path: Path) -> None:
    refuse(tmp_path / "a.nii", "expected a NIfTI file, found none")
    (tmp_path / "a.nrrd").touch()
    refuse(tmp_path / "a.nrrd", "expected a NIfTI file .*, found another name")


@pytest.mark.parametrize("left", [360, 1000, 16351])
def test_a_file_that_is_cut_off(tmp_path: Path, left: int) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((20, 20, 20), np.int16))
    path.write_bytes(path.read_bytes()[:left])
    refuse(
        path,
        rf"expected 16000 bytes of voxels, found a file of {left} bytes, which is cut off; copy it again",
    )


def test_a_compressed_file_that_is_cut_off(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 9999, (20, 20, 20), dtype=np.int16)
    path = file_of(tmp_path / "a.nii.gz", noise)
    path.write_bytes(path.read_bytes()[:-3000])
    refuse(path, "expected 20 x 20 x 20 voxels, found a file that is cut off or damaged")


@pytest.mark.parametrize("shape", [(4, 3, 2, 2), (4, 3, 1, 5), (2, 2, 2, 1, 3)])
def test_more_dimensions(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros(shape, np.int16))
    refuse(path, rf"expected a volume of three dimensions, found shape \({', '.join(map(str, shape))}\)")


def test_one_dimension(tmp_path: Path) -> None:
    refuse(
        file_of(tmp_path / "a.nii", np.zeros(5, np.int16)),
        r"expected a volume of three dimensions, found shape \(5,\)",
    )


@pytest.mark.parametrize(
    ("dtype", "name"),
    [
        (np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]), "RGB"),
        (np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]), "RGBA"),
        (np.dtype(np.complex64), "complex64"),
    ],
)
def test_colours_and_complex_numbers(tmp_path: Path, dtype: np.dtype[Any], name: str) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), dtype))
    refuse(path, f"expected one number a voxel, found {name}; convert it to grey")


@pytest.mark.parametrize("compressed", [False, True])
def test_an_absurd_size_is_refused_before_it_is_loaded(tmp_path: Path, compressed: bool) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    patched(path, (40, struct.pack("<4h", 3, 32767, 32767, 32767)))
    if compressed:
        content = path.read_bytes()
        path = tmp_path / "b.nii.gz"
        path.write_bytes(gzip.compress(content))
    refuse(path, "expected a volume of at most 8 GiB, found 32767 x 32767 x 32767 voxels; crop it")


def test_a_size_that_no_compressed_file_of_its_length_holds_is_refused(tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    content = patched(path, (40, struct.pack("<4h", 3, 1000, 1000, 1000))).read_bytes()
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content))
    refuse(
        tmp_path / "b.nii.gz",
        "expected 2000000000 bytes of voxels, found a file of .* bytes, which is cut off",
    )


@pytest.mark.parametrize("size", [0, -5])
def test_sizes_of_nothing(tmp_path: Path, size: int) -> None:
    path = file_of(tmp_path / "a.nii", np.zeros((2, 2, 2), np.int16))
    refuse(patched(path, (42, struct.pack("<h", size))), "expected a ")


@settings(max_examples=100, deadline=None)
@given(
    patches=st.lists(
        st.tuples(st.integers(0, 351), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4
    )
)
def test_a_damaged_header_is_read_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, patches: list[tuple[int, bytes]]
) -> None:
    path = file_of(tmp_path_factory.getbasetemp() / "damaged.nii", np.zeros((4, 3, 2), np.int16))
    patched(path, *patches)
    found = attempt(path)
    if isinstance(found, str):
        assert "damaged.nii: expected" in found
        assert "\n" not in found
    else:
        assert np.isfinite(found.geometry.affine).all()
        assert found.values.shape == found.geometry.shape


def attempt(path: Path) -> Volume | str:
    try:
        return read_nifti(path)
    except DataError as error:
        return str(error)
