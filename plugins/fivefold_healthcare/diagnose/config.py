"""Settings of diagnosis from images: of its training, and of what `predict` writes."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.fields import Channels, Fit, Memory, SplitShares
from fivefold.config.image_network import ImageNetworkConfig
from fivefold.config.image_variation import ImageVariation


class ColumnsConfig(StrictModel):
    """Names of the columns of the table of labels.

    A row names its image by the first of path, instance, series and study that is there.
    """

    path: str = "path"
    """Where the image lies, relative to the table: a file, or a folder with one DICOM series."""
    instance: str = "SOPInstanceUID"
    """The DICOM image, by its UID."""
    series: str = "SeriesInstanceUID"
    """The DICOM series, by its UID: a volume."""
    study: str = "StudyInstanceUID"
    """The DICOM study, by its UID: every image of it has the label."""
    labels: tuple[str, ...] = ("label",)
    """What the image shows: one column, or several, each of which holds yes or no (1 or 0) and may be empty."""
    patient: str = "patient"
    """The patient, who stands in one split only; from the DICOM header where there is no such column."""
    split: str = "split"
    """train, val or test, where you decide it."""


class CardConfig(StrictModel):
    """Fields of the model card that only you can fill; those left empty are marked in it."""

    intended_use: str = ""
    """What the model is meant for, and by whom it is to be used."""
    setting: str = ""
    """Where, when and from whom the images were taken."""
    eligibility: str = ""
    """Which patients were taken in and left out."""
    reference_standard: str = ""
    """How the labels were made, by whom, and how they agreed."""
    ethics: str = ""
    """Approval and consent."""
    funding: str = ""
    """Who paid, and conflicts of interest."""
    contact: str = ""
    """Who answers for the model."""


class DiagnoseConfig(PipelineConfig):
    """Diagnosis from images: labels, images, network, loss, and how it is judged."""

    reading: ClassVar[tuple[str, ...]] = ("columns", "subgroups")

    task: Literal["auto", "single", "multi", "ordinal"] = "auto"
    """One label an image, several, or a grade; auto takes several where several columns hold labels."""
    class_names: tuple[str, ...] = ()
    """Names of numbered classes or grades, or the order of named ones; of two classes the second is the finding."""
    uncertain: Literal["unknown", "yes", "no"] = "unknown"
    """What -1 among several labels counts as."""
    subgroups: tuple[str, ...] = ()
    """Columns by whose values the report judges apart, beside sex, age, manufacturer and site of DICOM headers."""
    columns: ColumnsConfig = ColumnsConfig()
    split: SplitShares = SplitShares()
    window: str = "auto"
    """How values become grey levels: auto (as the file says), full, a centre and a width (40,400), or
    percentiles (1%,99%)."""
    size: int | None = Field(None, ge=4, le=1024)
    """Side that images are brought to; where not given, small images of one size keep it, backbones with
    published weights take theirs (224), and others 128 (volumes 64)."""
    depth: int | None = Field(None, ge=4, le=512)
    """Slices that volumes are brought to; where not given, small volumes of one size keep theirs, others 64."""
    channels: Channels = None
    fit: Fit = "pad"
    memory: Memory = 2.0
    max_bad_share: float = Field(0.0, ge=0, lt=1)
    """Share of images or labels that may be unreadable or without the other; they are left out and listed."""
    model: ImageNetworkConfig = ImageNetworkConfig()
    augment: ImageVariation = ImageVariation(crop=0.0)
    focal: float = Field(0.0, ge=0, le=10)
    """Exponent of the focal loss, which turns to what is hard; 0 for cross-entropy, 2 is usual."""
    class_weights: bool = False
    """Weigh the loss so that yes and no of each question (or each class) count alike; nothing is resampled."""
    specificity: float = Field(0.9, gt=0, lt=1)
    """That the threshold of each question is to reach; fitted on the validation split."""
    card: CardConfig = CardConfig()

    @model_validator(mode="after")
    def _labels_of_the_task(self) -> Self:
        labels = self.columns.labels
        if not labels or len(set(labels)) < len(labels):
            raise ValueError(
                f"'columns.labels' must name different columns, found {', '.join(labels) or 'none'}"
            )
        if len(labels) > 1 and self.task in {"single", "ordinal"}:
            raise ValueError(f"the task '{self.task}' has one column of labels, found {', '.join(labels)}")
        if len(set(self.class_names)) < len(self.class_names):
            raise ValueError(f"'class_names' must differ, found {', '.join(self.class_names)}")
        if self.class_names and (self.task == "multi" or len(labels) > 1):
            raise ValueError(
                "'class_names' name the classes of one label; several labels are named by their columns"
            )
        return self


class PredictOptions(StrictModel):
    """What is written beside the table of predictions."""

    dicom: Literal["none", "picture", "report", "both"] = "none"
    """For each DICOM image: a secondary capture with the heat map (picture), a structured report, or both."""
    dicom_folder: Path | None = None
    """Where these go: a new folder."""

    @model_validator(mode="after")
    def _folder_for_dicom(self) -> Self:
        if (self.dicom == "none") != (self.dicom_folder is None):
            raise ValueError("'dicom' and 'dicom_folder' go together: what is to be written, and where to")
        return self
