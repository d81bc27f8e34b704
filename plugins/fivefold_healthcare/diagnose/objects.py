"""Predictions as DICOM objects: a secondary capture with the heat map, a structured report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydicom import Dataset

from fivefold.errors import DataError
from fivefold.evaluation.gradcam import heat_maps
from fivefold.images.pictures import heated
from fivefold.tasks.questions import Questions
from fivefold_healthcare.diagnose.data import Images
from fivefold_healthcare.diagnose.medical import read_medical
from fivefold_healthcare.dicom.files import is_dicom, read_header
from fivefold_healthcare.dicom.generated import Origin, Result, save_dicom
from fivefold_healthcare.dicom.secondary_capture import SMALLEST_WIDTH, secondary_capture
from fivefold_healthcare.dicom.structured_report import structured_report
from fivefold_healthcare.statement import STATEMENT


def first_file(path: str) -> Path:
    """The file that objects refer to: the only one of an image, the first one of a series.

    Raises:
        DataError: it is no DICOM file.
    """
    first = Path(path.splitlines()[0])
    if not is_dicom(first):
        raise DataError(
            f"{first}: expected a DICOM file to write DICOM objects for, found one of another kind; leave it "
            "out, or leave --dicom away"
        )
    return first


class Writer:
    """Writes the objects of one prediction into a folder; all of them share model and moment.

    Args:
        task: that predicted.
        kind: what to write.
        folder: where to; files are numbered in the order of samples, whichever source they are of.
    """

    def __init__(self, task: Questions, kind: Literal["picture", "report", "both"], folder: Path) -> None:
        self._task = task
        self._count = 0
        self._kind = kind
        self._folder = folder
        self._origin = Origin(
            model=f"fivefold healthcare/diagnose: {', '.join(task.names)}",
            software_version=version("fivefold"),
            notice=STATEMENT,
            created=datetime.now(UTC),
        )

    def write(self, samples: Images, row: int, path: str, record: Mapping[str, Any]) -> list[str]:
        """Write the objects for row ``row`` of ``samples``, whose files are ``path``; their names.

        Raises:
            DataError: the sample lacks an identifier.
            StorageError: an object cannot be written.
        """
        first = first_file(path)
        source = read_header(first, str(first))
        results = self._results(record)
        written: list[str] = []
        self._count += 1
        stem = f"{self._count:05d}"
        if self._kind in {"picture", "both"}:
            written.append(
                self._save(
                    secondary_capture(source, self._picture(samples, row, path), results, self._origin),
                    f"{stem}-picture",
                )
            )
        if self._kind in {"report", "both"}:
            written.append(self._save(structured_report(source, results, self._origin), f"{stem}-report"))
        return written

    def _results(self, record: Mapping[str, Any]) -> list[Result]:
        return [
            Result(
                name,
                float(record["probabilities"][name]),
                min(1.0, float(threshold)),
                bool(record["above_threshold"][name]),
            )
            for name, threshold in zip(self._task.names, self._task.threshold.tolist(), strict=True)
        ]

    def _save(self, dataset: Dataset, name: str) -> str:
        path = self._folder / f"{name}.dcm"
        save_dicom(dataset, path)
        return str(path)

    def _picture(self, samples: Images, row: int, path: str) -> NDArray[np.uint8]:
        """The image under the heat map of its most probable finding, RGB; as read where it has no map."""
        rows = np.array([row])
        image = samples.pixels(rows)
        form = samples.form
        found = self._task.predict(samples.batch(torch.tensor([row])))
        heat = heat_maps(self._task.network, image, [int(found["probabilities"][0].argmax())])
        if form.depth is not None:
            place = form.depth // 2 if heat is None else int(heat[0].sum(axis=(1, 2)).argmax())
            picture, heat = image[0, 0, place], None if heat is None else heat[:, place]
        else:
            picture, _ = read_medical(path, form.window)
            heat = None if heat is None else form.unfit(heat[0], picture.shape[:2])[None]
        colour = np.repeat(picture[..., None], 3, axis=2) if picture.ndim == 2 else picture  # noqa: PLR2004 - axes of a grey image
        # A viewer shows small images large, and the strip of text below needs width.
        times = max(1, round(SMALLEST_WIDTH / colour.shape[1]))
        colour = np.ascontiguousarray(colour.repeat(times, axis=0).repeat(times, axis=1))
        return colour if heat is None else heated(colour, heat[0])
