"""What a study is of, decided before the first trial."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from fivefold.config import PipelineConfig
from fivefold.errors import ConfigError, RunError
from fivefold.pipeline import Pipeline
from fivefold.plugins.registry import Registry
from fivefold.training.monitor import Monitor
from fivefold.tuning.data import SharedData
from fivefold.tuning.expressions import setting_names
from fivefold.tuning.space import SearchSpace, value_of
from fivefold.workflow.preparing import Prepared

_FREE = {
    "trainer.background_saving",
    "trainer.checkpoint_every",
    "trainer.keep",
    "trainer.keep_best",
    "trainer.log_every",
    "trainer.memory_share",
    "trainer.worker_kind",
    "trainer.workers",
}
"""Settings that may differ between the processes of a study: no trial's result depends on them."""

OnTrial = Callable[[Mapping[str, Any], Mapping[str, Any]], None]


@dataclass(frozen=True)
class Limits:
    """When a study is over.

    Attributes:
        trials: finished trials in all, those of other processes and earlier calls included; None for no limit.
        minutes: after which no further trial begins; None for no limit.
    """

    trials: int | None
    minutes: float | None

    def __post_init__(self) -> None:
        if self.trials is not None and self.trials < 1:
            raise ConfigError(f"--trials: expected at least 1, found {self.trials}")
        if self.minutes is not None and not self.minutes > 0:
            raise ConfigError(f"--minutes: expected a number above 0, found {self.minutes}")


@dataclass(frozen=True)
class Plan:
    """A study, ready to go.

    Attributes:
        pipeline: the pipeline's class.
        config: the settings around those that are searched.
        space: what is searched.
        monitor: of the validation metric that trials are judged by.
        data: the samples.
        description: JSON values that say what the study is of; the same in all processes that share it.
        device: where to train.
        registry: the plugins.
        directory: where trials and results go.
        storage: URL of the database.
        name: of the study in it.
        limits: when it is over.
        prune: whether trials worse than the median are given up.
        on_trial: called with each trial that ended here and with the study, as in ``study.json``.
    """

    pipeline: type[Pipeline]
    config: PipelineConfig
    space: SearchSpace
    monitor: Monitor
    data: SharedData
    description: dict[str, Any]
    device: torch.device
    registry: Registry
    directory: Path
    storage: str
    name: str
    limits: Limits
    prune: bool
    on_trial: OnTrial

    @property
    def first(self) -> dict[str, Any]:
        """The values that the settings have already, where those lie within the search space."""
        values = {name: value_of(self.config, name) for name in self.space.domains}
        return {name: value for name, value in values.items() if value in self.space.domains[name]}


def describe(
    *, name: str, source: str, data: Prepared, config: PipelineConfig, space: SearchSpace, monitor: Monitor
) -> dict[str, Any]:
    """What a study is of, as JSON values.

    Args:
        name: the pipeline's.
        source: the data, as the user calls them.
        data: the data.
        config: the settings around those that are searched.
        space: what is searched.
        monitor: of the validation metric.
    """
    settings = {
        each: value_of(config, each)
        for each in setting_names(type(config))
        if each not in space.domains and each not in _FREE and not each.startswith("evaluation.")
    }
    described = {
        "pipeline": name,
        "data": source,
        "sizes": data.sizes,
        "fingerprint": data.fingerprint,
        "leakage": [finding.text for finding in data.findings if finding.severe],
        "metric": monitor.name,
        "direction": "maximize" if monitor.higher_is_better else "minimize",
        "search": space.texts,
        "settings": settings,
    }
    plain: dict[str, Any] = json.loads(json.dumps(described, default=str))
    return plain


def check_same_study(before: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    """Refuse to go on with a study of something else.

    Args:
        before: the study's description.
        now: that of the plan.
        where: names the study in the message.

    Raises:
        RunError: the pipeline, the data, the search or a setting differ; names what does.
    """
    if before["fingerprint"] != now["fingerprint"]:
        raise RunError(
            f"{where}: expected the data that the study began with, found others in {now['data']}; "
            "restore them, or begin another study"
        )
    old, new = (
        {"pipeline": each["pipeline"], "metric": each["metric"], **each["settings"],
         **{f"search of {name}": text for name, text in each["search"].items()}}
        for each in (before, now)
    )  # fmt: skip
    changed = [
        f"{name} was {old.get(name, 'not there')}, is {new.get(name, 'not there')}"
        for name in dict.fromkeys((*old, *new))
        if old.get(name) != new.get(name)
    ]
    if changed:
        raise RunError(
            f"{where}: holds a study of other settings ({'; '.join(changed)}); "
            "give the command that it began with, or another --out"
        )
