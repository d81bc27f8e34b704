"""Settings of the random variation of pictures; `fivefold.data.augmentation` does it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from fivefold.config.models import StrictModel


class AffineConfig(StrictModel):
    """Random rotation, shift and scaling."""

    degrees: float = Field(0.0, ge=0, le=180)
    """Largest rotation, either way."""
    translate: float = Field(0.0, ge=0, le=1)
    """Largest shift, as a share of the side."""
    scale: float = Field(0.0, ge=0, lt=1)
    """Largest change of size: 0.1 draws factors from 0.9 to 1.1."""


class ImageVariation(StrictModel):
    """How training images are varied, anew each time they are seen."""

    crop: float = Field(0.08, ge=0, le=0.5)
    """Shift by up to this share of the side, filling with black (the padded random crop)."""
    flip: float = Field(0.0, ge=0, le=1)
    """Probability of mirroring left and right; 0.5 where a mirror image keeps its class (not for digits)."""
    affine: AffineConfig = AffineConfig()
    erasing: float = Field(0.0, ge=0, le=1)
    """Probability of covering a random rectangle with noise."""

    def amounts(self, size: Sequence[int]) -> dict[str, Any]:
        """What `Augmentation` is told for images of ``size`` (height, width)."""
        crop = round(self.crop * min(size))
        return {"crop": crop, "flip": self.flip, **self.affine.model_dump(), "erasing": self.erasing}
