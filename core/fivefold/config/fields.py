"""Settings that pipelines of several domains have: one name, one meaning, one description.

A pipeline states its own default: ``fit: Fit = "pad"``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Channels = Annotated[
    Literal[1, 3] | None,
    Field(description="1 for grey, 3 for colour; as the images are where not given."),
]
Fit = Annotated[
    Literal["crop", "squash", "pad"],
    Field(
        description="What happens to other proportions: the longer side is cut or squashed, or the shorter padded."
    ),
]
Memory = Annotated[
    float,
    Field(
        ge=0,
        description="Decoded images that take up to so many GiB are held in memory; more are decoded when asked for.",
    ),
]
LabelSmoothing = Annotated[
    float, Field(ge=0, lt=1, description="Share of each label that is spread over all classes.")
]
ClassWeights = Annotated[
    bool, Field(description="Weigh the loss so that every class counts alike, however rare.")
]
Dropout = Annotated[float, Field(ge=0, lt=1, description="Share of features dropped while training.")]
Encoding = Annotated[str, Field(description="How text files are encoded.")]
