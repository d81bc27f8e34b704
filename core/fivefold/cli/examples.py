"""The examples that help texts of pipelines show; a test runs every one as it stands, in this order."""

from __future__ import annotations

import shlex
from pathlib import Path

from fivefold.plugins.spec import PipelineSpec


def command(spec: PipelineSpec) -> str:
    """``fivefold domain task``."""
    return f"fivefold {spec.domain} {spec.task}"


def run_directory(spec: PipelineSpec) -> str:
    """Where the example of `train_example` puts its run."""
    return f"runs/{Path(spec.example).stem}"


def train_example(spec: PipelineSpec) -> str:
    """Train for one epoch."""
    return f"{command(spec)} train {spec.example} --epochs 1 --out {run_directory(spec)}"


def evaluate_example(spec: PipelineSpec) -> str:
    """Judge that run again."""
    return f"{command(spec)} evaluate {run_directory(spec)}"


def predict_example(spec: PipelineSpec) -> str:
    """Predict with that run."""
    inputs = spec.predict or f"{spec.example} --out predictions.csv"
    return f"{command(spec)} predict {run_directory(spec)} {inputs}"


def predict_next(spec: PipelineSpec, run: Path) -> str:
    """Predict with a run that there is; FILE stands for what the user has, where the pipeline needs inputs."""
    return f"{command(spec)} predict {shlex.quote(str(run))} {spec.predict or 'FILE'}"


def config_examples(spec: PipelineSpec, presets: list[str]) -> str:
    """Show settings: as they are, of a preset, as a schema."""
    some = [f"{command(spec)} config --preset {name}" for name in presets[:1]]
    return "\n".join([f"{command(spec)} config", *some, f"{command(spec)} config --schema"])
