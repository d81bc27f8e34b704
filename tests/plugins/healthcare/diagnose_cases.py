"""Makers of small medical data: PNG folders with a table of labels, DICOM, NIfTI, NPZ; and the commands on them."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from fivefold.cli.main import main
from fivefold.errors import DataError
from fivefold.images.decode import encode_png
from fivefold.runs import Run
from fivefold_healthcare.diagnose.config import DiagnoseConfig
from fivefold_healthcare.diagnose.pipeline import Diagnose
from plugins.healthcare.phantoms import Value, write_series

SIDE = 12
DIAGNOSE = ("healthcare", "diagnose")
QUICK = ("--epochs", "1", "--model.width", "4", "--evaluation.resamples", "100", "--device", "cpu")
"""Options under which a training takes a second."""

Pixels = NDArray[np.uint8]


def diagnose(**settings: Any) -> Diagnose:
    """The pipeline under ``settings``."""
    return Diagnose(config(**settings))


def config(**settings: Any) -> DiagnoseConfig:
    """The settings."""
    return DiagnoseConfig.model_validate(settings)


def pictures(codes: Sequence[int] | NDArray[np.int64], seed: int = 0, depth: int | None = None) -> Pixels:
    """Noise in which a bright square says the code: ``(N, 12, 12)``, or volumes ``(N, depth, 12, 12)``."""
    generator = np.random.default_rng(seed)
    shape = (len(codes), SIDE, SIDE) if depth is None else (len(codes), depth, SIDE, SIDE)
    images = generator.integers(0, 90, shape)
    for image, code in zip(images, codes, strict=True):
        image[..., 3:9, 3:9] += 60 * int(code)
    return images.clip(0, 255).astype(np.uint8)


def save_png(path: Path, pixels: Pixels) -> Path:
    """Write ``pixels``, ``(H, W)`` or ``(H, W, 3)``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_png(pixels))
    return path


def write_table(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A CSV file with a row for each of ``rows``."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file


def png_table(
    folder: Path,
    count: int = 40,
    *,
    names: Sequence[str] = ("healthy", "ill"),
    per_patient: int | None = 2,
    seed: int = 0,
    **columns: Sequence[object],
) -> Path:
    """``count`` pictures that show which of ``names`` they are of, and their ``labels.csv``.

    Args:
        folder: where to.
        count: how many.
        names: of the classes, dealt in turn; a patient's pictures are of several.
        per_patient: pictures of each patient; None for no column of patients.
        seed: of the noise.
        columns: more columns of the table, a value for each picture.
    """
    codes = np.arange(count) % len(names)
    rows: list[dict[str, object]] = []
    for number, pixels in enumerate(pictures(codes, seed)):
        save_png(folder / f"{number:03d}.png", pixels)
        row: dict[str, object] = {"path": f"{number:03d}.png", "label": names[codes[number]]}
        if per_patient is not None:
            row["patient"] = f"p{number // per_patient}"
        rows.append({**row, **{name: values[number] for name, values in columns.items()}})
    return write_table(folder / "labels.csv", rows)


def dicom_image(path: Path, pixels: NDArray[Any], patient: str = "P1", **attributes: Value) -> Dataset:
    """Write one DICOM image ``(H, W)``, in a series of its own, to ``path``; its header."""
    (written,) = write_series(
        path.parent / f"{path.name} aside",
        pixels.astype(np.int16)[None],
        patient=patient,
        order=[0],
        extra=attributes,
    )
    written.rename(path)
    written.parent.rmdir()
    return dcmread(path, stop_before_pixels=True)


def dicom_series(folder: Path, values: NDArray[Any], patient: str = "P1", **attributes: Value) -> Dataset:
    """Write a volume ``(D, H, W)`` as a folder with one series; the header of its first slice."""
    files = write_series(folder, values.astype(np.int16), patient=patient, extra=attributes)
    return dcmread(files[0], stop_before_pixels=True)


def dicom_table(folder: Path, count: int = 40, per_patient: int = 2, **columns: Sequence[object]) -> Path:
    """``count`` DICOM images of patients, whose sex, age, maker and site their headers tell, and their table."""
    codes = np.arange(count) % 2
    rows: list[dict[str, object]] = []
    for number, pixels in enumerate(pictures(codes)):
        patient = number // per_patient
        dicom_image(
            folder / f"{number:03d}.dcm",
            pixels,
            f"P{patient}",
            PatientSex="FM"[patient % 2],
            PatientAge=f"{20 + patient:03d}Y",
            Manufacturer="Maker" if patient % 3 else "Other",
            InstitutionName="North",
        )
        row: dict[str, object] = {"path": f"{number:03d}.dcm", "label": ("healthy", "ill")[codes[number]]}
        rows.append({**row, **{name: values[number] for name, values in columns.items()}})
    return write_table(folder / "labels.csv", rows)


def save_nifti(path: Path, values: NDArray[Any], affine: NDArray[np.float64] | None = None) -> Path:
    """A volume ``(D, H, W)`` as NIfTI, with 1 mm voxels where no affine is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = nibabel.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_sform(np.eye(4) if affine is None else affine, code=1)
    image = nibabel.Nifti1Image(values.transpose(2, 1, 0).astype(np.int16), None, header)
    nibabel.save(image, path)
    return path


def save_npz(path: Path, **arrays: NDArray[Any]) -> Path:
    """An NPZ archive of ``arrays``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)  # type: ignore[arg-type]  # numpy's stubs take the arrays for its own options
    return path


def split_archive(
    path: Path, images: Pixels, labels: NDArray[Any], shares: tuple[float, float] = (0.6, 0.8)
) -> Path:
    """An NPZ archive as MedMNIST has them: train, val and test cut at ``shares`` of the samples."""
    cuts = [int(share * len(images)) for share in shares]
    parts = zip(("train", "val", "test"), np.split(images, cuts), np.split(labels, cuts), strict=True)
    arrays = {}
    for name, some, told in parts:
        arrays[f"{name}_images"], arrays[f"{name}_labels"] = some, told
    return save_npz(path, **arrays)


def refuse(source: Path, message: str, **settings: object) -> None:
    """Reading ``source`` for a training fails with one sentence."""
    with pytest.raises(DataError, match=message) as caught:
        diagnose(**settings).read(source)
    assert "\n" not in str(caught.value)


def train(source: Path, out: Path, *options: str) -> dict[str, Any]:
    """Train and return the report."""
    assert main([*DIAGNOSE, "train", str(source), *QUICK, *options, "--out", str(out)]) == 0
    return report_of(out)


def report_of(run: Path) -> dict[str, Any]:
    report = Run.open(run).report
    assert report is not None
    return dict(report)


def predicted(capsys: pytest.CaptureFixture[str], *words: object) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert main([*DIAGNOSE, "predict", *map(str, words), "--json"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["predictions"]
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one sentence that the command ends with."""
    capsys.readouterr()
    assert main([*DIAGNOSE, *map(str, words)]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert said[0].startswith("error: ")
    return said[0]
