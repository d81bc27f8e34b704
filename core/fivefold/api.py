"""The Python interface: ``fivefold.train`` and ``fivefold.load`` do what the commands do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fivefold.config import build_config
from fivefold.plugins.registry import load_registry
from fivefold.runs import Run, run_to_resume


def train(
    pipeline: str,
    data: str | Path,
    *,
    out: str | Path | None = None,
    preset: str | None = None,
    device: str = "auto",
    resume: bool = False,
    strict: bool = False,
    **settings: Any,
) -> Run:
    """Train a pipeline, judge it against its baselines, and return the run.

    Example:
        >>> run = fivefold.train("domain/task", "data/", epochs=2)  # doctest: +SKIP

    Args:
        pipeline: its name, ``domain/task``.
        data: a path, or the name of a dataset.
        out: the run directory; a new one below ``runs/`` without.
        preset: a named set of settings of the pipeline.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resume: go on with an unfinished run.
        strict: refuse data with leakage between splits.
        settings: the pipeline's settings by name; nested ones as mappings (``optimizer={"lr": 0.1}``).

    Raises:
        FivefoldError: see `fivefold.errors`.
    """
    from fivefold.workflow import train as train_run  # noqa: PLC0415 - importing fivefold must not import torch

    registry = load_registry()
    kind = registry.pipeline_class(pipeline)
    directory = None if out is None else Path(out)
    resumed = run_to_resume(pipeline, str(data), directory) if resume else None
    file = None if resumed is None else resumed.path / "config.yaml"
    config = build_config(kind, preset=preset, file=file, overrides=settings)
    return train_run(
        registry.pipeline_spec(pipeline),
        str(data),
        config,
        out=directory if resumed is None else resumed.path,
        device=device,
        resume=resume,
        strict=strict,
        registry=registry,
    )


def load(path: str | Path) -> Run:
    """Open a run directory.

    Raises:
        RunError: there is no run, or its format is newer than this version knows.
    """
    return Run.open(path)
