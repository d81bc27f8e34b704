"""Real volumes, written as DICOM series and read again."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fivefold_healthcare.dicom.geometry import measure
from fivefold_healthcare.dicom.volume import assemble, read_values
from plugins.healthcare.phantoms import (
    laid_out,
    largest_error,
    numbers,
    one_stack,
    read_nrrd,
    turned,
    write_series,
)

VOLUMES = ("brain1", "brain2", "breast1", "lung1", "lung2")
TOLERANCE = 1e-3  # mm


@lru_cache
def cropped(folder: Path, name: str) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """A corner of each slice, which is enough to know it by, and the affine."""
    values, affine = read_nrrd(folder / f"{name}_image.nrrd")
    return values[:, -40:, -40:].copy(), affine


@pytest.mark.parametrize("name", VOLUMES)
@pytest.mark.parametrize("variant", ["as it is", "oblique", "reversed numbers", "no numbers"])
def test_geometry_of_real_volumes_is_recovered(
    pyradiomics_data: Path, tmp_path: Path, name: str, variant: str
) -> None:
    values, affine = cropped(pyradiomics_data, name)
    if variant == "oblique":
        rotation = np.eye(4)
        rows, columns = turned((0.3, -0.2, 0.5))
        rotation[:3, :3] = np.column_stack([rows, columns, np.cross(rows, columns)])
        affine = rotation @ affine
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    extra = {"reversed numbers": lambda number: len(values) - number, "no numbers": None}
    paths = write_series(
        tmp_path,
        values,
        **laid_out(affine),
        extra={"InstanceNumber": extra[variant]} if variant in extra else {},
    )
    geometry = measure(one_stack(tmp_path).planes)
    found = numbers(tmp_path, paths, geometry)
    assert found in (list(range(len(values))), list(range(len(values)))[::-1])
    assert geometry.shape == values.shape
    assert np.array_equal(assemble(one_stack(tmp_path), read_values).values, values[found])
    np.testing.assert_allclose(geometry.spacing, lengths[::-1], atol=TOLERANCE)
    assert largest_error(geometry.affine, geometry.places, affine, found, values.shape[1:]) < TOLERANCE
    assert [finding.kind for finding in geometry.findings] == (["oblique"] if variant == "oblique" else [])


@pytest.mark.parametrize("name", VOLUMES)
def test_the_missing_slice_of_real_volumes_is_found(
    pyradiomics_data: Path, tmp_path: Path, name: str
) -> None:
    values, affine = cropped(pyradiomics_data, name)
    paths = write_series(
        tmp_path,
        values,
        **laid_out(affine),
        drop=[7],
    )
    geometry = measure(one_stack(tmp_path).planes)
    (text,) = [finding.text for finding in geometry.findings if finding.kind == "gap"]
    assert {paths[6].name, paths[7].name} == set(text.split(":")[0].split(", "))
    x, y, z = (affine @ (0, 0, 7, 1))[:3]
    assert f"found 1 slice missing between these two, at ({x:.2f}, {y:.2f}, {z:.2f}) mm" in text
    assert geometry.depth == len(values)
    assert geometry.shape[0] == len(values) - 1
    found = [number + (number > 6) for number in numbers(tmp_path, paths, geometry)]
    assert largest_error(geometry.affine, geometry.places, affine, found, values.shape[1:]) < TOLERANCE
