"""A scanner's image, and what de-identification makes of it."""

from __future__ import annotations

from io import BytesIO

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from fivefold_healthcare.dicom.deidentification import (
    Deidentifier,
    Options,
    Outcome,
)

SECRET = b"sixteen or more random bytes"


STUDY, SERIES, INSTANCE = "1.2.3.4.5.6.7001", "1.2.3.4.5.6.7002", "1.2.3.4.5.6.7003"


def image(**attributes: object) -> Dataset:
    """A CT image of 2 by 2 pixels, as a scanner would name it."""
    dataset = Dataset()
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = INSTANCE
    dataset.StudyInstanceUID = STUDY
    dataset.SeriesInstanceUID = SERIES
    dataset.PatientName = "Nightingale^Florence"
    dataset.PatientID = "MRN-00042"
    dataset.PatientBirthDate = "18200512"
    dataset.PatientSex = "F"
    dataset.PatientAge = "034Y"
    dataset.StudyDate = "20200229"
    dataset.StudyTime = "101112"
    dataset.AcquisitionDateTime = "20200229101112.000000+0100"
    dataset.AccessionNumber = "ACC-777"
    dataset.InstitutionName = "Scutari Barracks"
    dataset.StationName = "SCUTARI-CT-2"
    dataset.StudyDescription = "Chest without contrast"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Example Works"
    dataset.Rows = dataset.Columns = 2
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = bytes((1, 2, 3, 4))
    dataset["PixelData"].VR = "OB"
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def deidentified(dataset: Dataset, **options: object) -> Outcome:
    return Deidentifier(Options(**options), SECRET).deidentify(dataset)


def written(outcome: Outcome) -> bytes:
    stream = BytesIO()
    outcome.dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def actions(outcome: Outcome) -> dict[str, str]:
    return {change.path: change.action for change in outcome.changes}
