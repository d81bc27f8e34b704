"""From a run directory back to the pipeline and its trained task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fivefold.config.reading import read_otherwise
from fivefold.data.dataset import Facts
from fivefold.errors import CheckpointError, RunError
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry
from fivefold.runs import Run
from fivefold.tasks.base import Task
from fivefold.training.saving.checkpoint import load_tensors


def load_task(
    run: Run, registry: Registry, reading: Mapping[str, Any] | None = None
) -> tuple[Pipeline, Task]:
    """The pipeline of ``run`` with the facts of its training data, and the trained task in evaluation mode.

    Args:
        run: a trained run.
        registry: the plugins.
        reading: settings for data that are written otherwise than those of the training.

    Raises:
        ConfigError: ``reading`` does not fit; see `fivefold.config.reading.read_otherwise`.
        RunError: there are no weights, or they do not fit the network that the settings describe.
        PluginError: the plugin that trained the run is missing or broken.
    """
    if not run.weights.is_file():
        raise RunError(
            f"{run.path}: expected trained weights in model.safetensors, found none (the run is '{run.status}'); "
            "finish it with --resume"
        )
    pipeline = registry.pipeline_of(run)
    if reading:
        pipeline.config = read_otherwise(type(pipeline).Config, run.path / "config.yaml", reading)
        pipeline.reading = reading
    pipeline.facts = Facts(run.facts, documents=run.documents)
    task = pipeline.task(pipeline.facts)
    try:
        task.load_state_dict(load_tensors(run.weights))
    except (CheckpointError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise RunError(
            f"{run.weights}: expected the weights of {run.pipeline}, found that they do not fit: {reason}"
        ) from error
    return pipeline, task.eval()
