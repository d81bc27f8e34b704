"""Settings of reading images, which every pipeline on them has."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from fivefold.config import PipelineConfig, StrictModel
from fivefold.config.fields import Channels, Fit, Memory, SplitShares


class ColumnsConfig(StrictModel):
    """Names of the columns of a CSV file that lists images."""

    path: str = "path"
    """Where the image lies, relative to the CSV file."""
    label: str = "label"
    """Its class."""
    group: str = "group"
    """The patient, scene or product it comes from; such images stay in one split."""
    split: str = "split"
    """train, val or test."""


class ImagesConfig(PipelineConfig):
    """Images: how they are read and brought to one shape."""

    reading: ClassVar[tuple[str, ...]] = ("columns",)

    channels: Channels = None
    fit: Fit = "crop"
    memory: Memory = 2.0
    max_bad_share: float = Field(0.0, ge=0, lt=1)
    """Share of images that may be unreadable; they are left out and listed. More are an error."""
    class_names: tuple[str, ...] = ()
    """Names of numbered classes, in order; from ``classes.txt`` beside the data where not given."""
    columns: ColumnsConfig = ColumnsConfig()
    split: SplitShares = SplitShares()
