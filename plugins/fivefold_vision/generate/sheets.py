"""Images of the same seeds at every validation, kept beside the training's log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fivefold.evaluation.generative_pictures import Pixels, tiled
from fivefold.images.decode import encode_png
from fivefold.training.callback import Callback
from fivefold.training.processes.group import launched
from fivefold_vision.generate.origin import Origin, labelled
from fivefold_vision.generate.task import ImageGeneration

FOLDER = "samples"
COLUMNS = 10
MOST = 6
"""Sheets that a report shows, evenly spread over the training."""


class Sheets(Callback):
    """Writes ``samples/step-N.png`` and ``.npy`` after each validation, of what the task was shown generating."""

    def __init__(self, task: ImageGeneration) -> None:
        self._task = task
        self._folder = Path()

    def on_start(self, info: dict[str, Any]) -> None:
        """Note where to write."""
        self._folder = Path(info["directory"]) / FOLDER
        self.on_rewind(info["step"])

    def on_rewind(self, step: int) -> None:
        """Remove what was written after ``step``."""
        for found, path in _sheets(self._folder):
            if found > step and launched().is_first:
                path.unlink()
                path.with_suffix(".png").unlink(missing_ok=True)

    def on_log(self, record: dict[str, Any]) -> None:
        """Write a sheet after a validation."""
        images = self._task.shown
        if record["split"] != "val" or images is None or not launched().is_first:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"step-{record['step']:08d}"
        origin = Origin(model=self._folder.parent.name, details={"step": str(record["step"])})
        path.with_suffix(".png").write_bytes(labelled(encode_png(tiled(images, COLUMNS)), origin))
        np.save(path.with_suffix(".npy"), images, allow_pickle=False)


def kept_sheets(run: Path | None) -> list[tuple[int, Pixels]]:
    """Steps and images ``(N, C, S, S)`` of a run's training, in order, at most `MOST`; none where there is no run."""
    found = [] if run is None else _sheets(run / FOLDER)
    if not found:
        return []
    places = np.unique(np.linspace(0, len(found) - 1, MOST).round().astype(int))
    return [(found[place][0], np.load(found[place][1], allow_pickle=False)) for place in places]


def _sheets(folder: Path) -> list[tuple[int, Path]]:
    return sorted((int(path.stem.removeprefix("step-")), path) for path in folder.glob("step-*.npy"))
