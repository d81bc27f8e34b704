"""Settings of behaviour prediction."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from fivefold.config import PipelineConfig, StrictModel
from fivefold_driving.tracks.options import ColumnsConfig

Kind = Literal["lstm", "social-lstm", "attention", "social-gan"]


class ModelConfig(StrictModel):
    """The network."""

    kind: Kind = "attention"
    """An LSTM for each agent alone; the same with social pooling; attention over the agents around; or a
    Social-GAN, which draws several futures."""
    hidden: int = Field(64, ge=4, multiple_of=4)
    """Width of the encoder's state; a multiple of 4, the heads of the attention."""
    mixture: int | None = Field(None, ge=2, le=50)
    """Components of a Gaussian mixture over whole tracks, in place of a single track; not for a social-gan."""
    noise: int = Field(8, ge=1)
    """Numbers drawn for each future of a social-gan."""
    adversarial: float = Field(0.1, ge=0)
    """Weight of the discriminator's opinion in the loss of a social-gan, beside the distance to the true track."""

    @model_validator(mode="after")
    def _mixture_of_the_kind(self) -> Self:
        if self.mixture is not None and self.kind == "social-gan":
            raise ValueError(
                "'mixture' does not apply to the kind 'social-gan', which draws its futures; leave it away"
            )
        return self


class AugmentConfig(StrictModel):
    """How training windows are varied, anew each time they are seen."""

    rotate: bool = True
    """Turn each window by a random angle."""
    mirror: bool = True
    """Mirror half of the windows."""
    reverse: bool = True
    """Run half of the windows backwards in time."""


class PredictConfig(PipelineConfig):
    """Behaviour prediction: tracks, windows, network, and how it is trained and judged."""

    reading: ClassVar[tuple[str, ...]] = (
        "columns",
        "frame_rate",
        "seconds_per_frame",
        "units",
        "map",
        "max_bad_share",
    )

    interval: float = Field(0.4, gt=0, le=10)
    """Seconds between frames; tracks are resampled to it."""
    lookback: int = Field(8, ge=2, le=100)
    """Frames that are seen."""
    horizon: int = Field(12, ge=1, le=200)
    """Frames that are predicted."""
    held_out: str | None = None
    """The scene that tests (leave one scene out); where not given as the source says, else the source's last scene."""
    samples: int = Field(20, ge=1, le=1000)
    """Futures drawn of each window by a social-gan or a mixture."""
    block: float = Field(20.0, gt=0)
    """Seconds of a block of one scene; intervals are drawn over blocks."""
    units: Literal["m", "ft"] = "m"
    """Unit of the coordinates."""
    frame_rate: float | None = Field(None, gt=0)
    """Frames a second, for sources that number frames instead of giving times."""
    seconds_per_frame: float | None = Field(None, gt=0)
    """The same as seconds a frame number; of the two at most one."""
    map: Path | None = None
    """A SUMO network or CommonRoad file whose roads lie under the tracks."""
    max_bad_share: float = Field(0.05, ge=0, lt=1)
    """Share of agents that may have points that cannot be used; these are left out and listed. More are an error."""
    columns: ColumnsConfig = ColumnsConfig()
    model: ModelConfig = ModelConfig()
    augment: AugmentConfig = AugmentConfig()
