"""Training: prepared data to a run with weights and a report."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from fivefold.config import PipelineConfig
from fivefold.errors import CheckpointError, Interrupted, RunError
from fivefold.files import written_aside
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.provenance import command, hardware, now, versions
from fivefold.runs import Run, new_directory, run_to_resume
from fivefold.tasks.base import Task
from fivefold.training.device import choose_device
from fivefold.training.inference import predict_outputs
from fivefold.training.processes.group import Processes, joined, launched
from fivefold.training.saving.checkpoint import newest_checkpoint, save_tensors
from fivefold.training.seeds import seed_everything
from fivefold.training.state import TrainingResult
from fivefold.training.trainer import Trainer
from fivefold.workflow.evaluating import judge_run
from fivefold.workflow.finding import settle_batch_size
from fivefold.workflow.preparing import Prepared, prepare

_log = logging.getLogger(__name__)


def train(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None = None,
    *,
    out: Path | None = None,
    device: str = "auto",
    resume: bool = False,
    strict: bool = False,
    profile: bool = False,
    registry: Registry | None = None,
) -> Run:
    """Train the pipeline of ``spec`` on ``source``, judge it on the test split, and return the run.

    Nothing is written before the data have been read and found good. Under `torchrun` every process calls
    this; the first one writes and judges.

    Args:
        spec: the pipeline.
        source: a path, the name of a dataset, or an address.
        config: settings; the pipeline's defaults without.
        out: the run directory; a new one below ``runs/`` without.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        resume: go on with the run at ``out``, or with the newest unfinished run of this pipeline on this source.
        strict: refuse data in which a sample stands on both sides of a split.
        profile: measure where the time of a step goes, into the run's ``profile/``.
        registry: the plugins; those installed and enabled without.

    Raises:
        FivefoldError: see `fivefold.errors`; `Interrupted` after a signal, with the run saved.
    """
    registry = registry or load_registry()
    pipeline = registry.pipeline_class(spec.name)(config)
    place = choose_device(device, launched().local_rank)
    with joined(place) as processes:
        resumed = processes.on_first(lambda: run_to_resume(spec.name, source, out) if resume else None)
        if resumed is not None and pipeline.config.batch_size == "auto":
            found = {"batch_size": resumed.config["batch_size"]}
            pipeline.config = pipeline.config.model_copy(update=found)
        prepared = _prepare(pipeline, source, registry, processes, strict=strict)
        if resumed is not None:
            processes.on_first(lambda: _check_data(resumed, prepared))
        seed_everything(pipeline.config.seed)
        task = pipeline.task(prepared.facts)
        pipeline.config = settle_batch_size(prepared, task, place, processes)
        run = resumed or processes.on_first(lambda: _create(spec, prepared, place, processes, out, registry))
        writing = run if processes.is_first else None
        with _noting_the_end(writing):
            trainer = _trainer(run, task, prepared, place, registry, processes, profile=profile)
            if writing is not None:
                if resumed is not None:
                    _note_command(writing, pipeline.config)
                writing.update(status="training")
            result = trainer.fit(resume=resumed is not None)
            if writing is not None:
                # Only now: settings that do not fit the checkpoint were refused, and must not replace the run's.
                writing.write_config(pipeline.config.model_dump(mode="json"))
                _finish(writing, trainer.task, prepared, place, result)
        return run


def _prepare(
    pipeline: Pipeline, source: str, registry: Registry, processes: Processes, *, strict: bool
) -> Prepared:
    """The data, read by the first process and then, found in the cache and known to be good, by the others."""
    prepared: list[Prepared] = []
    processes.on_first(lambda: prepared.append(prepare(pipeline, source, registry, strict=strict)))
    return prepared[0] if prepared else prepare(pipeline, source, registry, searched=False)


@contextmanager
def _noting_the_end(run: Run | None) -> Iterator[None]:
    """Note in ``run`` how the training ended if it did so early; None for a process that does not write."""
    if run is None:
        yield
        return
    before = {"status": run.status, "command": run.info["command"], "commands": _commands(run)}
    try:
        yield
    except CheckpointError as error:
        if before["status"] == "training":
            run.update(**before | {"status": "failed", "finished": now(), "error": str(error)})
        else:
            run.update(**before)  # a run that could not be gone on with stays what it was
        raise
    except Interrupted:
        run.update(status="interrupted", finished=now())
        raise
    except BaseException as error:
        run.update(status="failed", finished=now(), error=str(error) or type(error).__name__)
        raise


def _trainer(
    run: Run,
    task: Task,
    prepared: Prepared,
    device: torch.device,
    registry: Registry,
    processes: Processes,
    *,
    profile: bool,
) -> Trainer:
    return Trainer(
        task,
        prepared.train,
        prepared.val,
        config=prepared.pipeline.config,
        device=device,
        directory=run.path,
        processes=processes,
        augment=prepared.pipeline.augment(prepared.facts),
        sample_weights=prepared.pipeline.sample_weights(prepared.train),
        callbacks=registry.callbacks() if processes.is_first else (),
        profile=profile,
    )


def _finish(run: Run, task: Task, prepared: Prepared, device: torch.device, result: TrainingResult) -> None:
    task.calibrate(predict_outputs(task, prepared.val, device=device))
    with written_aside(run.weights) as part:
        save_tensors(part, task.state_dict())
    run.update(training=_plain(result))
    evaluation = judge_run(run, task, prepared, device)
    run.update(status="complete", finished=now(), headline=evaluation.summary())


def _create(
    spec: PipelineSpec,
    prepared: Prepared,
    device: torch.device,
    processes: Processes,
    out: Path | None,
    registry: Registry,
) -> Run:
    config: PipelineConfig = prepared.pipeline.config
    owner = registry.owner(spec.name).describe()
    info = {
        "pipeline": spec.name,
        "plugin": owner,
        "status": "training",
        "created": now(),
        "command": command(),
        "commands": [{"command": command(), "step": 0}],
        "seed": config.seed,
        "device": str(device),
        "processes": processes.count,
        "versions": versions(owner["distribution"], spec.domain),
        "hardware": hardware(device),
        "data": {
            "source": str(prepared.path) if prepared.name not in registry.datasets else prepared.name,
            "fingerprint": prepared.fingerprint,
            "sizes": prepared.sizes,
            "split": prepared.splits.how,
        },
        "facts": dict(prepared.facts),
    }
    directory = out or new_directory(spec.name, prepared.name)
    return Run.create(directory, config.model_dump(mode="json"), info, prepared.facts.documents)


def _commands(run: Run) -> list[dict[str, Any]]:
    """The commands that trained ``run``; older versions state the first one only."""
    return list(run.info.get("commands", [{"command": run.info["command"], "step": 0}]))


def _note_command(run: Run, config: PipelineConfig) -> None:
    """Keep the command that goes on with ``run``, with the step it begins at; say so where it shortens the training."""
    checkpoint = newest_checkpoint(run.path / "checkpoints")
    step = 0 if checkpoint is None else checkpoint.step
    run.info["commands"] = [*_commands(run), {"command": command(), "step": step}]
    run.info["command"] = command()
    if checkpoint is None:
        return
    epochs = int(checkpoint.values()["config"]["epochs"])
    if config.epochs < epochs:
        _log.warning(
            "the training is shortened from %d to %d epochs; its first %s steps followed the schedule of the longer "
            "one, so no single command repeats it",
            epochs,
            config.epochs,
            f"{step:,}",
        )


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
