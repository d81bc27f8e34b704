"""Settings of reading images, which every pipeline on them has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from fivefold.config import PipelineConfig, StrictModel


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

    channels: Literal[1, 3] | None = None
    """1 for grey, 3 for colour; as the images are where not given."""
    fit: Literal["crop", "squash", "pad"] = "crop"
    """What happens to other proportions: the longer side is cut or squashed, or the shorter padded."""
    memory: float = Field(2.0, ge=0)
    """Decoded images that take up to so many GiB are held in memory; more are decoded when asked for."""
    max_bad_share: float = Field(0.0, ge=0, lt=1)
    """Share of images that may be unreadable; they are left out and listed. More are an error."""
    class_names: tuple[str, ...] = ()
    """Names of numbered classes, in order; from ``classes.txt`` beside the data where not given."""
    columns: ColumnsConfig = ColumnsConfig()
