"""Tuning from data to the best settings.

    tune(spec, "photos/", config, search=["optimizer.lr=1e-4:1e-1:log"], trials=20)

The data are read and split once, and the test split is set apart: trials are judged on the validation split.
The study is kept in a database and goes on where it stopped when `tune` is called again.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.config import PipelineConfig
from fivefold.errors import ConfigError, DependencyError, RunError, TrainingError
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry, load_registry
from fivefold.plugins.spec import PipelineSpec
from fivefold.runs import RUNS, new_directory
from fivefold.training.device import choose_device
from fivefold.training.monitor import Monitor, choose_monitor
from fivefold.training.processes.group import launched
from fivefold.tuning.data import SharedData
from fivefold.tuning.plan import Limits, OnTrial, Plan, describe
from fivefold.tuning.space import search_space, with_values
from fivefold.workflow.preparing import Prepared

TRIALS = 20
"""Trials of a study that was given no limit."""


@dataclass(frozen=True)
class Tuned:
    """A study that came to its end.

    Attributes:
        path: its directory.
        document: the contents of its ``study.json``.
    """

    path: Path
    document: dict[str, Any]

    @property
    def best_config(self) -> Path:
        """The best settings, as a file for ``train --config``."""
        return self.path / "best.yaml"


def tune(
    spec: PipelineSpec,
    source: str,
    config: PipelineConfig | None = None,
    *,
    search: Sequence[str] = (),
    trials: int | None = None,
    minutes: float | None = None,
    prune: bool = True,
    out: Path | None = None,
    storage: str | None = None,
    study: str | None = None,
    device: str = "auto",
    strict: bool = False,
    registry: Registry | None = None,
    on_trial: OnTrial | None = None,
) -> Tuned:
    """Search the settings of the pipeline of ``spec`` on ``source`` for the best validation metric.

    Nothing is written before the data have been read and found good.

    Args:
        spec: the pipeline.
        source: a path, or the name of a dataset.
        config: the settings to search around, which are tried first; the pipeline's defaults without.
        search: expressions such as ``optimizer.lr=1e-4:1e-1:log`` that change the search space.
        trials: how many finished trials the study should have; 20 where ``minutes`` is not given either.
        minutes: after which no further trial begins.
        prune: whether trials worse than the median of others after as many epochs are given up.
        out: the study's directory; without, one below ``runs/`` by the name of ``study``, or a new one.
        storage: URL of a database that several machines share; an SQLite file in the directory without.
        study: the study's name in ``storage``, or below ``runs/``.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        strict: refuse data in which a sample stands on both sides of a split.
        registry: the plugins; those installed and enabled without.
        on_trial: called with each trial that ended here and with the study, as in ``study.json``.

    Raises:
        DependencyError: Optuna is not installed.
        ConfigError: the search space does not fit the settings, or the task has no metric to tune for.
        RunError: the directory or the database holds something else.
        TrainingError: no trial could be completed.
        Interrupted: a signal came; the study is kept.
    """
    require_optuna()
    from fivefold.tuning.run import run_study  # noqa: PLC0415 - Optuna is optional

    _refuse_torchrun()
    limits = Limits(TRIALS if trials is None and minutes is None else trials, minutes)
    directory = study_directory(spec, source, out=out, storage=storage, study=study)
    registry = registry or load_registry()
    pipeline = registry.pipeline_class(spec.name)
    space = search_space(config or pipeline.Config(), pipeline.search_space, search)
    config = with_values(config or pipeline.Config(), space.held)
    if "batch_size" not in space.domains and config.batch_size == "auto":
        raise ConfigError(
            "batch_size is auto, expected a number, by which trials can be compared; "
            "give --batch-size, or --search batch_size=32,64,128"
        )
    place = choose_device(device)
    data = SharedData(pipeline, source, registry, strict=strict)
    prepared = data.prepared(config)
    monitor = _monitor(spec, pipeline, config, prepared)
    directory.mkdir(parents=True, exist_ok=True)
    document = run_study(
        Plan(
            pipeline=pipeline,
            config=config,
            space=space,
            monitor=monitor,
            data=data,
            description=describe(
                name=spec.name, source=source, data=prepared, config=config, space=space, monitor=monitor
            ),
            device=place,
            registry=registry,
            directory=directory,
            storage=storage or f"sqlite:///{directory.resolve() / 'study.db'}",
            name=study if storage and study else "study",
            limits=limits,
            prune=prune,
            on_trial=on_trial or _say_nothing,
        )
    )
    if document["best"] is None:
        raise TrainingError(_nothing_completed(directory, document))
    return Tuned(directory, document)


def require_optuna() -> None:
    """See that the extra ``tune`` is installed.

    Raises:
        DependencyError: it is not.
    """
    if importlib.util.find_spec("optuna") is None:
        raise DependencyError(
            "tuning needs the package 'optuna', which is not installed; run: pip install \"fivefold[tune]\""
        )


def study_directory(
    spec: PipelineSpec, source: str, *, out: Path | None, storage: str | None, study: str | None
) -> Path:
    """Where the study goes.

    Raises:
        ConfigError: ``storage`` comes without ``study``, or ``study`` is no plain name.
        RunError: the directory holds something else.
    """
    if storage is not None and study is None:
        raise ConfigError("--storage: expected --study NAME beside it, by which all processes find the study")
    if study is not None and (Path(study).name != study or study == ".."):
        raise ConfigError(f"--study: expected a plain name without slashes, found '{study}'")
    if out is not None:
        path = out
    elif study is not None:
        path = RUNS / spec.name.replace("/", "-") / f"tune-{study}"
    else:
        path = new_directory(spec.name, source, "tune-")
    held = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    if (path.exists() and not path.is_dir()) or (held and not held & {"study.db", "study.json"}):
        raise RunError(
            f"{path}: expected a new directory or one with a study, found other files; choose another --out"
        )
    return path


def _refuse_torchrun() -> None:
    if not launched().alone:
        raise ConfigError(
            "tune trains each trial in one process, found several started by torchrun; start one command for "
            "each device instead, all with the same --study and each with its own --device"
        )


def _monitor(spec: PipelineSpec, kind: type[Pipeline], config: PipelineConfig, prepared: Prepared) -> Monitor:
    pipeline = kind(config)
    pipeline.facts = prepared.facts
    metrics = pipeline.task(prepared.facts).metrics()
    if len(prepared.val) == 0 or all(metric.higher_is_better is None for metric in metrics):
        lacking = "metric that is better higher or lower" if len(prepared.val) else "validation split"
        raise ConfigError(
            f"{spec.name} on {prepared.name} has no {lacking}, expected one to compare trials by; "
            "train it with settings of your choice"
        )
    return choose_monitor(metrics, config.trainer.monitor)


def _nothing_completed(directory: Path, document: Mapping[str, Any]) -> str:
    errors = [record["error"] for record in document["trials"] if record["error"]]
    if not errors:
        return f"{directory}: no trial could be completed within the limits; give more --minutes or --trials"
    return f"{directory}: no trial could be completed; the first that failed says: {errors[0]}"


def _say_nothing(record: Mapping[str, Any], document: Mapping[str, Any]) -> None:
    """What `tune` tells of a trial where nobody listens."""
