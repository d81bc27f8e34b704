"""DICOM in and out: files, pixels, series, geometry, de-identification."""
