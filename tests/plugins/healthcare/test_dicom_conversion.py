"""Conversion of DICOM: what is written is what pydicom, nibabel, NumPy and Pillow read back, whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

from fivefold.errors import ArchiveError, DataError, StorageError
from fivefold_healthcare.dicom.conversion import Converted, convert
from fivefold_healthcare.dicom.pixels import Pixels
from fivefold_healthcare.dicom.window import Window
from plugins.healthcare.phantoms import STRAIGHT, grid_of, write_series

SPACING, ORIGIN = (2.5, 0.75, 0.5), (-11.0, -22.0, 33.0)
VALUES = np.random.default_rng(0).integers(-1024, 3000, (5, 6, 7)).astype(np.int16)


def series(folder: Path, **options: object) -> list[Path]:
    """Five slices whose file names are in no order."""
    return write_series(folder, VALUES, spacing=SPACING, origin=ORIGIN, **options)  # type: ignore[arg-type]  # passed on as they are


def converted(source: Path, out: Path, kind: str, gaps: str = "refuse", window: str = "auto") -> Converted:
    return convert(source, out, kind, window=Window.parse(window), gaps=gaps)  # type: ignore[arg-type]  # parametrized


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_pictures_are_those_of_the_slices_in_order(tmp_path: Path) -> None:
    paths = series(tmp_path / "in", extra={"SeriesDescription": "Thorax / 5 mm"})
    done = converted(tmp_path / "in", tmp_path / "out", "png", window="40,400")
    assert done.files == tuple(f"001-CT-thorax-5-mm/{number:04d}.png" for number in range(5))
    assert done.problems == ()
    assert listing(tmp_path / "out") == ["001-CT-thorax-5-mm", *done.files]
    for file, path, stored in zip(done.files, paths, VALUES, strict=True):
        with Image.open(tmp_path / "out" / file) as picture:
            assert picture.mode == "L"
            found = np.asarray(picture)
        expected = np.clip(np.rint((stored.astype(float) + 160) / 400 * 255), 0, 255)
        assert_array_equal(found, expected)
        assert_array_equal(found, Pixels(path).picture(window=Window("given", 40, 400)))


def test_colours_and_frames_become_pictures(tmp_path: Path) -> None:
    source = Path(pydicom.__file__).parent / "data" / "test_files" / "SC_rgb_rle_2frame.dcm"
    done = converted(source, tmp_path / "out", "png")
    assert len(done.files) == 2
    for frame, file in enumerate(done.files):
        with Image.open(tmp_path / "out" / file) as picture:
            assert_array_equal(np.asarray(picture), pydicom.dcmread(source).pixel_array[frame])


def test_nifti_holds_the_values_and_where_they_lie(tmp_path: Path) -> None:
    series(tmp_path / "in")
    done = converted(tmp_path / "in", tmp_path / "out", "nifti")
    assert done.files == ("001-CT.nii.gz",)
    assert listing(tmp_path / "out") == ["001-CT.nii.gz"]
    image = nibabel.load(tmp_path / "out" / "001-CT.nii.gz")
    assert_array_equal(np.asarray(image.dataobj), VALUES.transpose(2, 1, 0))
    expected = np.diag([-1.0, -1, 1, 1]) @ grid_of(SPACING, ORIGIN, STRAIGHT)
    assert_allclose(image.affine, expected, atol=1e-5)
    assert image.get_data_dtype() == np.int16


def test_npz_holds_the_values_and_where_they_lie(tmp_path: Path) -> None:
    series(tmp_path / "in", extra={"RescaleSlope": 0.5, "RescaleIntercept": -7})
    done = converted(tmp_path / "in", tmp_path / "out", "npz")
    assert done.files == ("001-CT.npz",)
    with np.load(tmp_path / "out" / "001-CT.npz", allow_pickle=False) as held:
        assert set(held) == {"values", "affine", "spacing"}
        assert_array_equal(held["values"], VALUES * np.float32(0.5) - 7)
        assert held["values"].dtype == np.float32
        assert_allclose(held["affine"], grid_of(SPACING, ORIGIN, STRAIGHT), atol=1e-9)
        assert_allclose(held["spacing"], SPACING)


def test_several_series_and_stacks_are_told_apart_by_name(tmp_path: Path) -> None:
    series(tmp_path / "in" / "one", series_uid="1.2.3", extra={"EchoTime": 4.5})
    series(tmp_path / "in" / "two", series_uid="1.2.3", extra={"EchoTime": 9.0}, modality="CT")
    series(tmp_path / "in" / "zero", series_uid="1.2.4", modality="MR")
    done = converted(tmp_path / "in", tmp_path / "out", "nifti")
    assert done.files == ("001-CT-stack1.nii.gz", "001-CT-stack2.nii.gz", "002-MR.nii.gz")
    assert any("told apart by EchoTime" in note for note in done.notes)


@pytest.mark.parametrize("kind", ["png", "nifti", "npz"])
def test_sources_stay_as_they_are(kind: str, tmp_path: Path) -> None:
    series(tmp_path / "in")
    before = digests(tmp_path / "in")
    converted(tmp_path / "in", tmp_path / "out", kind)
    assert digests(tmp_path / "in") == before
    again = converted(tmp_path / "in", tmp_path / "other", kind)
    assert [list(digests(tmp_path / "out").values())] == [
        list(digests(tmp_path / "other").values())
    ] or kind == "npz"
    assert again.problems == ()


@pytest.mark.parametrize("kind", ["png", "nifti", "npz"])
def test_what_is_there_already_is_not_touched(kind: str, tmp_path: Path) -> None:
    series(tmp_path / "in")
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(
        StorageError, match="out: expected a folder that is not there yet, found one; choose another"
    ):
        converted(tmp_path / "in", out, kind)
    assert listing(out) == []
    out.rmdir()
    out.write_text("a file")
    with pytest.raises(StorageError, match="not there yet"):
        converted(tmp_path / "in", out, kind)
    assert out.read_text() == "a file"


def test_a_gap_is_refused_kept_or_filled(tmp_path: Path) -> None:
    series(tmp_path / "in", drop=[2])
    with pytest.raises(
        DataError, match=r"expected DICOM images to convert, found none that can be: .*1 slice missing"
    ):
        converted(tmp_path / "in", tmp_path / "out", "npz")
    assert listing(tmp_path) == sorted(["in", *(f"in/{path.name}" for path in (tmp_path / "in").iterdir())])
    kept = converted(tmp_path / "in", tmp_path / "kept", "npz", gaps="keep")
    with np.load(tmp_path / "kept" / kept.files[0]) as held:
        assert_array_equal(held["values"], VALUES[[0, 1, 3, 4]])
    assert any("1 slice missing" in note for note in kept.notes)
    filled = converted(tmp_path / "in", tmp_path / "filled", "nifti", gaps="fill")
    found = np.asarray(nibabel.load(tmp_path / "filled" / filled.files[0]).dataobj).transpose(2, 1, 0)
    assert_array_equal(found[[0, 1, 3, 4]], VALUES[[0, 1, 3, 4]])
    assert_allclose(found[2], (VALUES[1].astype(float) + VALUES[3]) / 2)
    assert any("interpolated" in note for note in filled.notes)
    with pytest.raises(DataError, match="fill gaps first") as caught:
        converted(tmp_path / "in", tmp_path / "out", "nifti", gaps="keep")
    assert f": {tmp_path / 'out' / '001-CT.nii.gz'}: expected slices at equal steps" in str(caught.value)
    assert "found none that can be: series CT " in str(caught.value)
    assert ".part" not in str(caught.value)  # where it was written aside is gone
    assert not (tmp_path / "out").exists()
    assert len(converted(tmp_path / "in", tmp_path / "pictures", "png").files) == 4


@pytest.mark.parametrize("kind", ["png", "nifti", "npz"])
def test_a_slice_that_is_cut_off_leaves_nothing_half_written(kind: str, tmp_path: Path) -> None:
    paths = series(tmp_path / "in")
    paths[3].write_bytes(paths[3].read_bytes()[:-10])
    with pytest.raises(
        DataError, match=f"none that can be: {paths[3].name}: expected 84 bytes of pixels .* found 74"
    ):
        converted(tmp_path / "in", tmp_path / "out", kind)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@pytest.mark.parametrize("kind", ["png", "nifti", "npz"])
def test_what_can_be_converted_is_and_the_rest_is_told(kind: str, tmp_path: Path) -> None:
    paths = series(tmp_path / "in" / "a", series_uid="1.2.3")
    paths[3].write_bytes(paths[3].read_bytes()[:-10])
    series(tmp_path / "in" / "b", series_uid="1.2.4")
    (tmp_path / "in" / "broken.dcm").write_text("no DICOM")
    done = converted(tmp_path / "in", tmp_path / "out", kind)
    assert [problem.sample for problem in done.problems] == ["broken.dcm", "001-CT"]
    assert f"a/{paths[3].name}: expected 84 bytes of pixels" in done.problems[1].reason
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert sorted(str(path.relative_to(tmp_path / "out")) for path in written) == sorted(done.files)
    assert all(name.startswith("002-CT") for name in done.files)
    assert {path.name.split(".")[0].split("/")[0] for path in (tmp_path / "out").iterdir()} == {"002-CT"}


def test_a_disk_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    series(tmp_path / "in")
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="cannot be written"):
        converted(tmp_path / "in", tmp_path / "file" / "out", "png")


def test_sources_without_images(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as opened:
        opened.writestr("notes.txt", "nothing")
    with pytest.raises(
        DataError, match=r"other.zip: expected DICOM images to convert, found none that can be$"
    ):
        converted(tmp_path / "other.zip", tmp_path / "out", "png")
    report = Path(pydicom.__file__).parent / "data" / "test_files" / "test-SR.dcm"
    with pytest.raises(
        DataError, match=r"test-SR\.dcm: expected DICOM images to convert, found none that can be"
    ):
        converted(report, tmp_path / "out", "png")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as opened:
        opened.writestr("../escaped.dcm", "nothing")
    with pytest.raises(ArchiveError, match="points outside the folder"):
        converted(tmp_path / "bad.zip", tmp_path / "out", "png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.zip", "other.zip"]


def test_an_archive_is_converted_like_its_folder(tmp_path: Path) -> None:
    paths = series(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as opened:
        for path in paths:
            opened.write(path, path.name)
    converted(tmp_path / "in", tmp_path / "one", "nifti")
    converted(tmp_path / "in.zip", tmp_path / "two", "nifti")
    assert list(digests(tmp_path / "one").values()) == list(digests(tmp_path / "two").values())


SCRIPT = """
import json, re, resource, sys
from pathlib import Path
import fivefold_healthcare.dicom.conversion as conversion
from fivefold_healthcare.dicom.window import Window

convert = lambda source, out: conversion.convert(
    Path(source), Path(out), "nifti", window=Window(), gaps="refuse"
)
convert(sys.argv[1], sys.argv[2])  # what is imported and made once is there from here on
held = lambda: 1024 * int(re.search(r"VmData:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before, allowed = held(), int(sys.argv[5])
resource.setrlimit(resource.RLIMIT_DATA, (before + allowed, before + allowed))
done = convert(sys.argv[3], sys.argv[4])
print(json.dumps({"files": done.files, "grown": held() - before}))
"""


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("/proc/self/status").is_file(), reason="reads how much memory is held from /proc"
)
def test_memory_does_not_grow_with_the_volume(tmp_path: Path) -> None:
    """2,000 slices of 128 x 128 are 125 MiB as 32-bit floats; headers and slices are held in half of that."""
    ramp = np.arange(2000, dtype=np.int16)[:, None, None] + np.zeros((128, 128), dtype=np.int16)
    write_series(tmp_path / "in", ramp)
    allowed = ramp.size * 4 // 2
    write_series(tmp_path / "few", ramp[:3])
    paths = [str(tmp_path / name) for name in ("few", "first", "in", "out")]
    words = [sys.executable, "-c", SCRIPT, *paths, str(allowed)]
    own = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=own)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == ["001-CT.nii.gz"]
    image = nibabel.load(tmp_path / "out" / "001-CT.nii.gz")
    assert image.shape == (128, 128, 2000)
    assert_array_equal(np.asarray(image.dataobj[0, 0]), np.arange(2000))
