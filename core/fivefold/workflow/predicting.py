"""Prediction: files of the user's through a run's network to records in the user's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fivefold.data.catalog import resolve
from fivefold.plugins.registry import Registry, load_registry
from fivefold.runs import Run
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.workflow.loading import load_task


def predict(
    run: Run, sources: Sequence[str], *, device: str = "auto", registry: Registry | None = None
) -> list[dict[str, Any]]:
    """One record a sample of ``sources`` (files, folders or names of datasets), each with the sample's ``id`` first.

    Raises:
        RunError: the run has no trained weights.
        DataError: a source is not there or cannot be read.
    """
    registry = registry or load_registry()
    pipeline, task = load_task(run, registry)
    place = choose_device(device)
    task.to(place)
    records: list[dict[str, Any]] = []
    for source in sources:
        path, _ = resolve(source, registry.dataset_specs)
        samples = pipeline.samples(pipeline.read_inputs(path)).unlabelled()
        outputs = predict_outputs(task, samples, device=place)
        decoded = task.decode(outputs, pipeline.facts or samples.facts)
        names = sample_names(source, path, [str(name) for name in samples.ids])
        records += [{"id": name, **record} for name, record in zip(names, decoded, strict=True)]
    return records


def sample_names(source: str, path: Path, names: Sequence[str]) -> list[str]:
    """Names by which the user finds the samples again: files as they were typed, files of a folder below it."""
    if path.is_file() and list(names) == [path.name]:
        return [source]
    return [str(path / name) if path.is_dir() and (path / name).is_file() else name for name in names]
