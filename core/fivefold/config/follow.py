"""Options of predictions that can follow a stream; pipelines that define `Pipeline.follow` derive theirs from them."""

from __future__ import annotations

from pydantic import Field

from fivefold.config.models import StrictModel


class FollowOptions(StrictModel):
    """Predict lines as they come in."""

    follow: bool = False
    """Predict each line as it comes in, from a file that may grow or from stdin (-), until it ends or Ctrl-C."""
    idle: float | None = Field(None, ge=0)
    """Seconds without a new line after which a followed file counts as ended; where not given only Ctrl-C ends it."""
    lines: int = Field(256, ge=1)
    """Lines predicted together at most, where so many are there at once."""
