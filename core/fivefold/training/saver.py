"""What a checkpoint of a training holds, and going on from one; in every process of a training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.training.engine import Engine
from fivefold.training.monitor import Monitor
from fivefold.training.processes.group import Processes
from fivefold.training.sampler import Sampler
from fivefold.training.saving.checkpoint import Checkpoint, newest_checkpoint, prune_checkpoints
from fivefold.training.saving.writer import CheckpointWriter
from fivefold.training.seeds import (
    Purpose,
    derive_seed,
    generator_tensors,
    generator_values,
    restore_generators,
    seed_everything,
)
from fivefold.training.speed.choices import Choices
from fivefold.training.state import Position, check_same_training


class Saver:
    """Saves a training and goes on from what was saved.

    Every process calls each method at the same place. The first writes what all share, and what each has for
    itself (generators, losses not yet logged) under names with the rank; shards of a network are written by
    the processes that hold them.

    Attributes:
        saved_step: the step of the newest checkpoint; None where there is none yet.

    Args:
        engine: holds weights and optimizers.
        sampler: the order of the samples, for the check that the data are the same.
        config: the run's settings.
        monitor: follows the validation metric; None without validation.
        directory: where checkpoints lie.
        device: where the training runs.
        choices: what was chosen for speed.
    """

    def __init__(
        self,
        engine: Engine,
        sampler: Sampler,
        *,
        config: PipelineConfig,
        monitor: Monitor | None,
        directory: Path,
        device: torch.device,
        choices: Choices,
    ) -> None:
        self.saved_step: int | None = None
        self.directory = directory
        self._engine = engine
        self._sampler = sampler
        self._config = config
        self._monitor = monitor
        self._device = device
        self._choices = choices
        self._processes: Processes = engine.processes
        self._writer = CheckpointWriter(
            directory, background=config.trainer.background_saving, processes=engine.processes
        )

    def save(self, position: Position, *, before: Callable[[], object]) -> None:
        """Save the training as it stands at ``position``; maybe written in another thread.

        Args:
            position: where the training stands.
            before: runs where the writing runs, ahead of it, in the first process.

        Raises:
            CheckpointError: this checkpoint, or the one before it, could not be written.
        """
        own = {**self._engine.own_tensors(), "generators": generator_tensors(self._device)}
        kept = self._processes.collect((own, generator_values()))
        tensors = self._engine.state_tensors()
        for rank, (held, _) in enumerate(kept):
            tensors |= {_named(name, rank): part for name, part in held.items()}
        values = {
            "position": asdict(position),
            "monitor": None if self._monitor is None else asdict(self._monitor),
            "generators": [generators for _, generators in kept],
            "config": self._config.model_dump(mode="json"),
            "samples": self._sampler.size,
            "processes": self._processes.count,
            "choices": self._choices.to_values(),
        }
        best = [] if self._monitor is None else self._monitor.best_steps
        self._writer.save(position.step, tensors, values, before=before, after=lambda: self._prune(best))
        self.saved_step = position.step

    def load(self, checkpoint: Checkpoint) -> Position:
        """Stand where ``checkpoint`` was saved; also after a change of the number of processes.

        Raises:
            CheckpointError: it is of another model, settings or data.
        """
        values = checkpoint.values()
        check_same_training(
            values,
            self._config,
            samples=self._sampler.size,
            processes=self._processes.count,
            path=checkpoint.path,
        )
        self._engine.load(checkpoint)
        if self._monitor is not None and values["monitor"] is not None:
            self._monitor.load(values["monitor"])
        position = Position(**values["position"])
        if values["processes"] == self._processes.count:
            self._load_own(checkpoint, values["generators"])
        else:
            seed_everything(
                derive_seed(self._config.seed, Purpose.TRAINING, position.step, self._processes.rank)
            )
        self.saved_step = checkpoint.step
        return position

    def newest(self) -> Checkpoint | None:
        """The newest complete checkpoint, the same in every process, once nothing is being written."""
        self._writer.wait()
        return self._processes.on_first(lambda: newest_checkpoint(self.directory))

    def wait(self) -> None:
        """Return when nothing is being written any more.

        Raises:
            CheckpointError: it could not be written.
        """
        self._writer.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the writing thread when it has written; its failure does not hide that of the training."""
        self._writer.__exit__(kind, error, trace)

    def _prune(self, best: list[int]) -> None:
        prune_checkpoints(self.directory, keep=self._config.trainer.keep, kept_steps=best)

    def _load_own(self, checkpoint: Checkpoint, generators: list[dict[str, Any]]) -> None:
        rank = self._processes.rank
        own: dict[str, dict[str, Tensor]] = {
            name: checkpoint.tensors(_named(name, rank)) for name in ("losses", "buffers", "generators")
        }
        self._engine.load_own(own)
        restore_generators(own["generators"], generators[rank], self._device)


def _named(name: str, rank: int) -> str:
    return f"{name}-{rank}" if rank else name
