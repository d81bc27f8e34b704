"""Real DICOM files and volumes of the package index, where they have been unpacked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _folder(variable: str, what: str) -> Path:
    folder = os.environ.get(variable)
    if not folder or not Path(folder).is_dir():
        pytest.skip(f"needs {what} in {variable}")
    return Path(folder)


@pytest.fixture(scope="session")
def pydicom_data() -> Path:
    """The folder ``data_store/data`` of the source archive of pydicom-data 1.0.0."""
    return _folder("PYDICOM_DATA", "the files of pydicom-data 1.0.0")


@pytest.fixture(scope="session")
def pyradiomics_data() -> Path:
    """The folder ``data`` of the source archive of pyradiomics 3.1.0."""
    return _folder("PYRADIOMICS_DATA", "the volumes of pyradiomics 3.1.0")
