"""The trainer: a task, its data and its settings in, the best weights out.

    Trainer(task, train, val, config=config, device=choose_device("auto"), directory=Path("runs/x")).fit()

A training is a pure function of (config, data, initial weights): what a step computes follows from the seed
and the position, and a checkpoint holds all the rest. So a training that was killed and resumed ends where
one that was never interrupted ends; on the CPU bit for bit.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset
from fivefold.errors import ConfigError, TrainingError
from fivefold.tasks.base import Task
from fivefold.training.callback import Callback
from fivefold.training.checkpoint import Checkpoint, newest_checkpoint, remove_unfinished
from fivefold.training.device import describe_device
from fivefold.training.engine import Engine
from fivefold.training.loader import Loader
from fivefold.training.loop import Augment, Loop, Sources
from fivefold.training.monitor import Monitor, choose_monitor
from fivefold.training.precision import use_fast_kernels
from fivefold.training.progress import ProgressDisplay
from fivefold.training.reporter import Reporter
from fivefold.training.sampler import Sampler
from fivefold.training.seeds import Purpose, derive_seed, seed_everything
from fivefold.training.signals import StopSignal
from fivefold.training.state import TrainingResult
from fivefold.training.tensorboard import TensorBoard

_log = logging.getLogger(__name__)


class Trainer:
    """Trains a task.

    Args:
        task: what to train; after `fit` it is on ``device``, in evaluation mode, and holds the best weights.
        train: training samples.
        val: validation samples, judged after each epoch by `Task.metrics`; without them the last weights are
            kept.
        config: the settings.
        device: where to train.
        directory: the run's directory; gets ``metrics.jsonl``, ``tensorboard/`` and ``checkpoints/``.
        augment: varies training batches on the device; draws only from the generator it is given.
        callbacks: watch the training.
        sample_weights: chance of each training sample, shape ``(N,)``, for sampling with replacement.
        progress: whether to show the progress on stderr.
        tensorboard: whether to write TensorBoard's event files.

    Raises:
        ConfigError: a setting does not fit the task or the data.
    """

    def __init__(
        self,
        task: Task,
        train: Dataset,
        val: Dataset | None,
        *,
        config: PipelineConfig,
        device: torch.device,
        directory: Path,
        augment: Augment | None = None,
        callbacks: Sequence[Callback] = (),
        sample_weights: Tensor | None = None,
        progress: bool = True,
        tensorboard: bool = True,
    ) -> None:
        self.task = task
        self.config = config
        self.device = device
        self.directory = directory
        self._train = train
        self._val = val
        self._augment = augment
        self._callbacks = [
            *([ProgressDisplay()] if progress else []),
            *([TensorBoard(directory / "tensorboard")] if tensorboard else []),
            *callbacks,
        ]
        self._sampler = Sampler(len(train), config.samples_a_batch, seed=config.seed, weights=sample_weights)
        self._new_monitor()  # refuses a wrong setting before anything is built

    def fit(self, *, resume: bool = False) -> TrainingResult:
        """Train to the end; with ``resume``, go on from the newest complete checkpoint where there is one.

        With more ``epochs`` than before a training is extended; its schedule then follows the new length from
        here on.

        Raises:
            TrainingError: the loss is not finite, memory runs out, or a training is in ``directory`` already
                and ``resume`` is not given.
            CheckpointError: the checkpoint is of another model, settings or data, or the disk is full.
            Interrupted: SIGINT or SIGTERM came; the training is saved at that step.
            DataError: a sample cannot be read.
        """
        checkpoint = self._find_checkpoint(resume=resume)
        with _advice_on_memory(self.config), StopSignal() as stop:
            engine = self._build_engine(fresh=checkpoint is None)
            reporter = Reporter(self._callbacks)
            loop = self._build_loop(engine, reporter, stop)
            if checkpoint is not None:
                loop.load(checkpoint)
            with reporter.open(self.directory / "metrics.jsonl", self._describe(engine), loop.position):
                return loop.run()

    def _find_checkpoint(self, *, resume: bool) -> Checkpoint | None:
        checkpoints = self.directory / "checkpoints"
        remove_unfinished(checkpoints)
        found = newest_checkpoint(checkpoints)
        if found is not None and not resume:
            raise TrainingError(
                f"{self.directory} holds a training already, saved at step {found.step}; "
                "go on with it by --resume, or choose another directory"
            )
        if found is None and resume:
            _log.warning(
                "%s has no complete checkpoint to resume from; the training starts anew", self.directory
            )
        return found

    def _build_engine(self, *, fresh: bool) -> Engine:
        if fresh:
            seed_everything(derive_seed(self.config.seed, Purpose.TRAINING))
            self.task.prepare(self._train)
        use_fast_kernels(self.device)
        return Engine(self.task, self.config, self.device, batches=len(self._sampler.sizes))

    def _build_loop(self, engine: Engine, reporter: Reporter, stop: StopSignal) -> Loop:
        return Loop(
            engine,
            Sources(
                sampler=self._sampler,
                train=self._loader(self._train),
                val=None if self._val is None else self._loader(self._val),
                augment=self._augment,
            ),
            config=self.config,
            monitor=self._new_monitor(),
            reporter=reporter,
            directory=self.directory / "checkpoints",
            stop=stop,
        )

    def _loader(self, data: Dataset) -> Loader:
        settings = self.config.trainer
        return Loader(data, self.device, workers=settings.workers, memory_share=settings.memory_share)

    def _new_monitor(self) -> Monitor | None:
        if self._val is None:
            asked = {"monitor": self.config.trainer.monitor, "patience": self.config.trainer.patience}
            given = [name for name, value in asked.items() if value is not None]
            if given:
                raise ConfigError(
                    f"trainer.{given[0]} needs a validation split, and there is none; leave it out"
                )
            return None
        return choose_monitor(self.task.metrics(), self.config.trainer.monitor)

    def _describe(self, engine: Engine) -> dict[str, Any]:
        monitor = self._new_monitor()
        return {
            "directory": str(self.directory),
            "device": describe_device(self.device),
            "precision": engine.precision.name,
            "parameters": sum(parameter.numel() for parameter in self.task.parameters()),
            "samples": self._sampler.size,
            "epochs": self.config.epochs,
            "steps": engine.steps,
            "steps_per_epoch": engine.steps_per_epoch,
            "batch_size": self.config.samples_a_batch,
            "monitor": "" if monitor is None else monitor.name,
        }


@contextmanager
def _advice_on_memory(config: PipelineConfig) -> Iterator[None]:
    """Turn an exhausted memory, of the GPU or the machine, into a sentence with a way out."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        # torch has no type of its own for the CPU's memory running out.
        if (
            isinstance(error, RuntimeError)
            and not isinstance(error, torch.OutOfMemoryError)
            and "can't allocate memory" not in str(error)
        ):
            raise
        raise TrainingError(
            f"the memory of the device is too small for batches of {config.samples_a_batch}; "
            "choose a smaller --batch-size, and a larger --trainer.accumulate to keep the samples an update"
        ) from error
