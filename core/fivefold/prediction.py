"""What a prediction is asked for: the inputs, the pipeline's own options, and where to compute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from fivefold.config import NoOptions, StrictModel


@dataclass(frozen=True)
class Source:
    """An input as the user called it, and where it lies."""

    name: str
    path: Path


@dataclass(frozen=True)
class Request:
    """What to predict.

    Attributes:
        sources: the inputs; none where the pipeline needs none.
        options: an instance of `Pipeline.Prediction`.
        device: where to compute.
        show: writes text to the terminal as it comes to be; None where nobody watches.
        run: the directory of the run that predicts, for what must say where it comes from.
    """

    sources: tuple[Source, ...]
    options: StrictModel = field(default_factory=NoOptions)
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    show: Callable[[str], None] | None = None
    run: Path | None = None


def sample_names(source: Source, names: Sequence[str]) -> list[str]:
    """Names by which the user finds the samples again: files as they were typed, files of a folder below it."""
    path = source.path
    if path.is_file() and list(names) == [path.name]:
        return [source.name]
    return [str(path / name) if path.is_dir() and (path / name).is_file() else name for name in names]
