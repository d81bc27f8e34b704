"""Training: prepared data to a run with weights and a report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from fivefold.config import PipelineConfig
from fivefold.errors import Interrupted, RunError
from fivefold.files import written_aside
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.provenance import command, hardware, now, versions
from fivefold.runs import RUNS, Run, run_to_resume
from fivefold.tasks.base import Task
from fivefold.training.checkpoint import save_tensors
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.training.seeds import seed_everything
from fivefold.training.state import TrainingResult
from fivefold.training.trainer import Trainer
from fivefold.workflow.evaluating import judge_run
from fivefold.workflow.preparing import Prepared, prepare


def train(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None = None,
    *,
    out: Path | None = None,
    device: str = "auto",
    resume: bool = False,
    strict: bool = False,
    registry: Registry | None = None,
) -> Run:
    """Train the pipeline of ``spec`` on ``source``, judge it on the test split, and return the run.

    Nothing is written before the data have been read and found good.

    Args:
        spec: the pipeline.
        source: a path, or the name of a dataset.
        config: settings; the pipeline's defaults without.
        out: the run directory; a new one below ``runs/`` without.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resume: go on with the run at ``out``, or with the newest unfinished run of this pipeline on this source.
        strict: refuse data in which a sample stands on both sides of a split.
        registry: the plugins; those installed and enabled without.

    Raises:
        FivefoldError: see `fivefold.errors`; `Interrupted` after a signal, with the run saved.
    """
    registry = registry or load_registry()
    pipeline = registry.pipeline_class(spec.name)(config)
    place = choose_device(device)
    resumed = run_to_resume(spec.name, source, out) if resume else None
    prepared = prepare(pipeline, source, registry, strict=strict)
    if resumed is not None:
        _check_data(resumed, prepared)
    seed_everything(pipeline.config.seed)
    task = pipeline.task(prepared.facts)
    run = resumed or _create(spec, prepared, place, out, registry)
    try:
        result = _fit(run, task, prepared, place, registry, resume=resumed is not None)
        _finish(run, task, prepared, place, result)
    except Interrupted:
        run.update(status="interrupted", finished=now())
        raise
    except BaseException as error:
        run.update(status="failed", finished=now(), error=str(error) or type(error).__name__)
        raise
    return run


def _fit(
    run: Run, task: Task, prepared: Prepared, device: torch.device, registry: Registry, *, resume: bool
) -> TrainingResult:
    run.update(status="training")
    trainer = Trainer(
        task,
        prepared.train,
        prepared.val,
        config=prepared.pipeline.config,
        device=device,
        directory=run.path,
        augment=prepared.pipeline.augment(prepared.facts),
        sample_weights=prepared.pipeline.sample_weights(prepared.train),
        callbacks=registry.callbacks(),
    )
    result = trainer.fit(resume=resume)
    # Only now: settings that do not fit the checkpoint were refused, and must not take the place of the run's.
    run.write_config(prepared.pipeline.config.model_dump(mode="json"))
    return result


def _finish(run: Run, task: Task, prepared: Prepared, device: torch.device, result: TrainingResult) -> None:
    task.calibrate(predict_outputs(task, prepared.val, device=device))
    with written_aside(run.weights) as part:
        save_tensors(part, task.state_dict())
    run.update(training=_plain(result))
    evaluation = judge_run(run, task, prepared, device)
    run.update(status="complete", finished=now(), headline=evaluation.summary())


def _create(
    spec: PipelineSpec, prepared: Prepared, device: torch.device, out: Path | None, registry: Registry
) -> Run:
    config: PipelineConfig = prepared.pipeline.config
    info = {
        "pipeline": spec.name,
        "plugin": registry.owner(spec.name).describe(),
        "status": "training",
        "created": now(),
        "command": command(),
        "seed": config.seed,
        "device": str(device),
        "versions": versions(),
        "hardware": hardware(device),
        "data": {
            "source": str(prepared.path) if prepared.name not in registry.datasets else prepared.name,
            "fingerprint": prepared.fingerprint,
            "sizes": prepared.sizes,
            "split": prepared.splits.how,
        },
        "facts": dict(prepared.facts),
    }
    return Run.create(out or _new_directory(spec, prepared.name), config.model_dump(mode="json"), info)


def _new_directory(spec: PipelineSpec, source: str) -> Path:
    stamp = datetime.now().strftime("%Y-%m-%d-%H%M%S")
    base = RUNS / spec.name.replace("/", "-")
    name = f"{stamp}-{Path(source).stem or 'data'}"
    candidates = [base / name, *(base / f"{name}-{number}" for number in range(2, 1000))]
    return next(path for path in candidates if not path.exists())


def _check_data(run: Run, prepared: Prepared) -> None:
    expected = run.info.get("data", {}).get("fingerprint")
    if expected != prepared.fingerprint:
        raise RunError(
            f"{run.path}: expected the data the run began with, found that {prepared.name} has changed since; "
            "restore it, or start a new run"
        )


def _plain(result: TrainingResult) -> Mapping[str, Any]:
    return {
        name: value
        for name, value in vars(result).items()
        if isinstance(value, (int, float, str, bool, type(None)))
    }
