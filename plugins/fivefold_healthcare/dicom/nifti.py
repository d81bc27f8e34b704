"""NIfTI in and out, with care for coordinates.

DICOM's x and y grow to the left and back (LPS), NIfTI's to the right and front (RAS). Files are untrusted:
their sizes are checked before anything is loaded.
"""

from __future__ import annotations

import gzip
import itertools
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from fivefold.errors import DataError
from fivefold.files import written_aside
from fivefold_healthcare.dicom.geometry import IRREGULAR, GeometryFinding, from_affine
from fivefold_healthcare.dicom.volume import Volume

MOST_BYTES = 2**33
"""Volumes that are larger than this when loaded are refused."""

_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # and back
_ENDINGS = (".nii", ".nii.gz")
_GREATEST_RATIO = 1032  # no DEFLATE stream (RFC 1951) unpacks to more than this times its size
_SINGULAR = 1e-6
_MILLIMETRES = {
    0: 1.0,
    1: 1000.0,
    2: 1.0,
    3: 0.001,
}  # by code; 0 is not known, which are millimetres in practice
_DATA_AT = 352
_QFORM_ERROR = 0.01  # mm
_SCANNER = 1  # NIFTI_XFORM_SCANNER_ANAT


def write_nifti(volume: Volume, path: Path) -> None:
    """Write ``volume`` as NIfTI-1, whole or not at all; compressed where ``path`` ends in ``.gz``.

    Values are 16-bit integers where all are whole and fit, else 32-bit floats. The sform is the geometry's affine;
    so is the qform, unless it cannot say it within 0.01 mm, as where slices are sheared: then its code is 0, not
    known, and programs go by the sform.

    Raises:
        DataError: it is not known where the volume lies, or its slices are not at equal steps.
        StorageError: the file cannot be written.
    """
    geometry = volume.geometry
    if not path.name.endswith(_ENDINGS):
        raise DataError(f"{path}: expected a name that ends in .nii or .nii.gz; name it so")
    if not np.isfinite(geometry.affine).all():
        why = "; ".join(finding.text for finding in geometry.findings)
        raise DataError(f"{path}: expected a volume whose place in the patient is known, found none ({why})")
    uneven = geometry.first(IRREGULAR)
    if uneven:
        raise DataError(f"{path}: expected slices at equal steps, found that {uneven.text}; fill gaps first")
    dtype = _written_type(volume.values)
    header = nibabel.Nifti1Header()
    header.set_data_shape(volume.values.shape[::-1])
    header.set_data_dtype(dtype)
    affine = _TO_RAS @ geometry.affine
    header.set_sform(affine, code=_SCANNER)
    header.set_qform(affine, code=_SCANNER)
    if _farthest(header.get_qform() - affine, volume.values.shape) > _QFORM_ERROR:
        header["qform_code"] = 0
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    header["vox_offset"] = _DATA_AT
    with written_aside(path) as part, _stream(part, compressed=path.suffix == ".gz") as stream:
        header.write_to(stream)
        stream.write(bytes(_DATA_AT - stream.tell()))
        for one in volume.values:
            stream.write(np.ascontiguousarray(one, dtype=dtype).tobytes())


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file of three dimensions into DICOM's coordinates.

    Integers stay as they are unless the file scales them; all else becomes 32-bit floats. Without sform and qform
    directions are not known, and a finding says so.

    Raises:
        DataError: it is no NIfTI file, is cut off, too large, in colour or of more dimensions, or its affine is
            broken.
    """
    image = _opened(path)
    shape = _shape(path, image)
    _check_size(path, image, shape)
    affine = _affine(path, image)
    loaded = _loaded(path, image, shape)
    return Volume(loaded, from_affine(loaded.shape, affine, _codes(path, image)))


def _farthest(difference: NDArray[np.float64], shape: Sequence[int]) -> float:
    """How far, in mm, two affines with this difference put a voxel of the volume apart, at most."""
    ends = [(0, size - 1) for size in shape[::-1]]
    corners = np.array([(*corner, 1) for corner in itertools.product(*ends)])
    return float(np.linalg.norm(corners @ difference.T, axis=1).max())


def _written_type(values: NDArray[Any]) -> np.dtype[Any]:
    limits = np.iinfo(np.int16)
    for one in values:
        if not (limits.min <= one.min() and one.max() <= limits.max and np.array_equal(one, np.rint(one))):
            return np.dtype("<f4")
    return np.dtype("<i2")


@contextmanager
def _stream(part: Path, *, compressed: bool) -> Iterator[IO[bytes]]:
    with part.open("wb") as raw:
        if not compressed:
            yield raw
            return
        with gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=raw, mtime=0) as stream:
            yield stream  # type: ignore[misc]  # a GzipFile is written like any other stream


def _opened(path: Path) -> Any:
    if not path.is_file():
        raise DataError(f"{path}: expected a NIfTI file, found none")
    if not path.name.endswith(_ENDINGS):
        raise DataError(f"{path}: expected a NIfTI file (.nii, .nii.gz), found another name; convert it")
    with _silent():
        try:
            return nibabel.Nifti1Image.from_filename(path)
        except Exception as first:  # noqa: BLE001 - nibabel raises whatever a broken header leads to
            try:
                return nibabel.Nifti2Image.from_filename(path)
            except Exception:  # noqa: BLE001 - the same; what the more common format says is told
                why = " ".join(str(first).split()) or type(first).__name__
                raise DataError(
                    f"{path}: expected a NIfTI file, found one that cannot be read ({why}); export it again"
                ) from first


@contextmanager
def _silent() -> Iterator[None]:
    """Keep nibabel from writing about headers to the console: what matters is checked here."""
    logger = logging.getLogger("nibabel.global")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _shape(path: Path, image: Any) -> tuple[int, int, int]:
    """Columns, rows and slices."""
    shape = tuple(int(size) for size in image.shape)
    dtype = image.get_data_dtype()
    if dtype.kind not in "iuf":
        raise DataError(
            f"{path}: expected one number a voxel, found {image.header.get_value_label('datatype')}; convert it to grey"
        )
    if len(shape) < 2 or min(shape) < 1 or any(size != 1 for size in shape[3:]):  # noqa: PLR2004 - a plane at least
        raise DataError(
            f"{path}: expected a volume of three dimensions, found shape {shape}; choose one of its volumes"
        )
    columns, rows, slices = (*shape, 1)[:3]
    return columns, rows, slices


def _check_size(path: Path, image: Any, shape: tuple[int, int, int]) -> None:
    dtype, voxels = image.get_data_dtype(), shape[0] * shape[1] * shape[2]
    if voxels * max(dtype.itemsize, 4) > MOST_BYTES:
        raise DataError(
            f"{path}: expected a volume of at most {MOST_BYTES // 2**30} GiB, found {' x '.join(map(str, shape))} "
            "voxels; crop it"
        )
    offset = int(image.dataobj.offset)
    held = path.stat().st_size * (_GREATEST_RATIO if path.suffix == ".gz" else 1)
    if offset < 0 or offset + voxels * dtype.itemsize > held:
        raise DataError(
            f"{path}: expected {voxels * dtype.itemsize} bytes of voxels, found a file of {path.stat().st_size} "
            "bytes, which is cut off; copy it again"
        )


def _affine(path: Path, image: Any) -> NDArray[np.float64]:
    unit = int(image.header["xyzt_units"]) % 8  # the other bits are the unit of time
    if unit not in _MILLIMETRES:
        raise DataError(
            f"{path}: expected metres, millimetres or micrometres, found unit {unit}; mend its header"
        )
    affine = np.asarray(_TO_RAS @ image.affine, dtype=np.float64)
    affine[:3] *= _MILLIMETRES[unit]
    if not np.isfinite(affine).all():
        raise DataError(
            f"{path}: expected an affine of numbers, found {image.affine.tolist()}; mend its header"
        )
    determinant = float(np.linalg.det(affine[:3, :3]))
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if abs(determinant) <= _SINGULAR * float(np.prod(lengths)):
        raise DataError(
            f"{path}: expected an affine that can be inverted, found one whose determinant is {determinant:g}; mend "
            "its header"
        )
    return affine


def _loaded(path: Path, image: Any, shape: tuple[int, int, int]) -> NDArray[Any]:
    slope, inter = image.dataobj.slope, image.dataobj.inter
    whole = image.get_data_dtype().kind in "iu" and slope == 1 and inter == 0
    dtype = image.get_data_dtype().newbyteorder("=") if whole else np.dtype(np.float32)
    try:
        values = np.asarray(image.dataobj, dtype=dtype)
    except Exception as error:  # streams that are cut off or damaged raise whatever they meet
        why = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"{path}: expected {shape[0]} x {shape[1]} x {shape[2]} voxels, found a file that is cut off or damaged "
            f"({why}); copy it again"
        ) from error
    return np.ascontiguousarray(values.reshape(shape, order="F").transpose(2, 1, 0))


def _codes(path: Path, image: Any) -> tuple[GeometryFinding, ...]:
    if image.header["sform_code"] or image.header["qform_code"]:
        return ()
    text = f"{path.name}: expected an sform or a qform, found neither; where the volume lies is not known"
    return (GeometryFinding("no position", text),)
