"""Healthcare: DICOM, and pipelines on medical images. Research use, not a medical device."""
