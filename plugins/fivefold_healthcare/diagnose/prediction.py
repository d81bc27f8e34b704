"""Predictions as records, and on request as DICOM objects beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fivefold.data.table import Table
from fivefold.errors import ConfigError, DataError
from fivefold.prediction import Request, sample_names
from fivefold.training.inference import predict_outputs

if TYPE_CHECKING:
    from fivefold.pipeline import Pipeline
    from fivefold.tasks.base import Task


def predict_images(pipeline: Pipeline, task: Task, request: Request) -> list[dict[str, Any]]:
    """One record a sample, with its name as ``id`` first.

    Raises:
        DataError: an input cannot be read, or DICOM objects are asked for an input that is no DICOM file.
        ConfigError: the folder for DICOM objects is not new.
    """
    options: Any = request.options
    folder: Path | None = options.dicom_folder
    if folder is not None and folder.exists():
        raise ConfigError(
            f"--dicom-folder {folder}: expected a folder that is not there yet, found one; choose another"
        )
    predicted: list[tuple[list[dict[str, Any]], Any, Table]] = []
    for source in request.sources:
        table = pipeline.read_inputs(source.path)
        samples = pipeline.samples(table)
        outputs = predict_outputs(task, samples, device=request.device)
        decoded = task.decode(outputs, pipeline.facts or samples.facts)
        names = sample_names(source, [str(name) for name in samples.ids])
        found = [{"id": name, **record} for name, record in zip(names, decoded, strict=True)]
        predicted.append((found, samples, table))
    if folder is not None:
        return _with_objects(predicted, task, options)
    return [record for records, _, _ in predicted for record in records]


def _with_objects(
    predicted: list[tuple[list[dict[str, Any]], Any, Table]], task: Any, options: Any
) -> list[dict[str, Any]]:
    """All records with the names of what was written for them; nothing is where one input is no DICOM file."""
    from fivefold_healthcare.diagnose.objects import (  # noqa: PLC0415 - highdicom takes a second to import
        Writer,
        first_file,
    )

    for _, _, table in predicted:
        if "file" not in table:
            raise DataError(
                f"{table.source}: expected DICOM files to write DICOM objects for, found arrays; leave --dicom away"
            )
        for path in table["file"]:
            first_file(str(path))
    writer = Writer(task, options.dicom, options.dicom_folder)
    return [
        {**record, "dicom": writer.write(samples, row, str(table["file"][row]), record)}
        for records, samples, table in predicted
        for row, record in enumerate(records)
    ]
