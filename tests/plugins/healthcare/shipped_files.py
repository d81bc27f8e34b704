"""pydicom's own files, read with everything in them."""

from __future__ import annotations

import pydicom
from pydicom import Dataset
from pydicom.data import get_testdata_file

from fivefold_healthcare.dicom.files import quiet

NOTICE = "Research use, not a medical device."
SOURCES = (
    "CT_small.dcm",
    "MR_small.dcm",
    "SC_rgb_rle.dcm",
    "ExplVR_BigEnd.dcm",
    "JPEG2000.dcm",
    "examples_palette.dcm",
    "MR_small_implicit.dcm",
)


def read(name: str) -> Dataset:
    path = get_testdata_file(name, download=False)
    with quiet():
        source = pydicom.dcmread(str(path), force=True)
        for element in source:  # what is raw is read with its warnings, here
            del element
    return source
