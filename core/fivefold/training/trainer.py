"""The trainer: a task, its data and its settings in, the best weights out.

    Trainer(task, train, val, config=config, device=choose_device("auto"), directory=Path("runs/x")).fit()

A training is a pure function of (config, data, initial weights): what a step computes follows from the seed
and the position, and a checkpoint holds all the rest. So a training that was killed and resumed ends where
one that was never interrupted ends; on the CPU bit for bit.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Dataset
from fivefold.errors import ConfigError, TrainingError
from fivefold.finding.advice import advise, is_out_of_memory
from fivefold.tasks.base import Task
from fivefold.training.callback import Callback
from fivefold.training.device import describe_device
from fivefold.training.engine import Engine
from fivefold.training.loading.loader import Loader
from fivefold.training.loop import Loop
from fivefold.training.monitor import Monitor, choose_monitor
from fivefold.training.processes.group import ALONE, Processes, whole
from fivefold.training.sampler import Sampler
from fivefold.training.saver import Saver
from fivefold.training.saving.checkpoint import (
    Checkpoint,
    newest_checkpoint,
    remove_unfinished,
    set_aside_later,
)
from fivefold.training.seeds import Purpose, derive_seed, seed_everything
from fivefold.training.signals import StopSignal
from fivefold.training.sources import Augment, Sources
from fivefold.training.speed.choices import Choices
from fivefold.training.speed.compilation import compiling_ended
from fivefold.training.speed.precision import use_fast_kernels
from fivefold.training.speed.probe import choose
from fivefold.training.state import Position, TrainingResult
from fivefold.training.watching.profile import Profiler
from fivefold.training.watching.progress import ProgressDisplay
from fivefold.training.watching.reporter import Reporter
from fivefold.training.watching.tensorboard import TensorBoard

_UNFINISHED_REDUCTION = "Expected to have finished reduction in the prior iteration"  # DDP's words
_REHEARSED = 3  # batches that compiled code is tried on

_log = logging.getLogger(__name__)


class Trainer:
    """Trains a task.

    Args:
        task: what to train; after `fit` it is on ``device``, in evaluation mode, and holds the best weights.
        train: training samples.
        val: validation samples, judged by `Task.metrics` after each epoch, or every so many steps; without them
            the last weights are kept.
        config: the settings.
        device: where to train.
        directory: the run's directory; gets ``metrics.jsonl``, ``tensorboard/`` and ``checkpoints/``.
        processes: those that train together, each with a trainer made alike; only the first writes.
        augment: varies training batches on the device; draws only from the generator it is given.
        callbacks: watch the training.
        sample_weights: chance of each training sample, shape ``(N,)``, for sampling with replacement.
        progress: whether to show the progress on stderr.
        tensorboard: whether to write TensorBoard's event files.
        profile: whether to measure where the time of a step goes, into ``profile/``.

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
        processes: Processes = ALONE,
        augment: Augment | None = None,
        callbacks: Sequence[Callback] = (),
        sample_weights: Tensor | None = None,
        progress: bool = True,
        tensorboard: bool = True,
        profile: bool = False,
    ) -> None:
        self.task = task
        self.config = config
        self.device = device
        self.directory = directory
        self.processes = processes
        self._profile = profile and processes.is_first
        self._unsharded: Task | None = None
        self._train = train
        self._val = val
        self._augment = augment
        watching = [
            *([ProgressDisplay()] if progress else []),
            *([TensorBoard(directory / "tensorboard")] if tensorboard else []),
            *callbacks,
        ]
        # The task's own come last, and in every process: what they raise ends the training in all of them.
        self._callbacks = [*(watching if processes.is_first else []), *task.watchers()]
        self._sampler = Sampler.over(
            train,
            config.samples_a_batch,
            seed=config.seed,
            accumulate=config.trainer.accumulate,
            weights=sample_weights,
            processes=processes,
        )
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
        processes = self.processes
        with ExitStack() as stack:
            stack.enter_context(_in_words(self.config, self.device))
            stop = stack.enter_context(StopSignal(processes))
            checkpoint = processes.on_first(lambda: self._find_checkpoint(resume=resume))
            sources = self._open_sources(stack)
            choices = self._choose(sources, checkpoint)
            stack.enter_context(choices.apply())
            engine = self._build_engine(sources, choices)
            monitor = self._new_monitor()
            saver = self._build_saver(engine, monitor, choices)
            position = Position() if checkpoint is None else saver.load(checkpoint)
            reporter = Reporter(self._callbacks, self.device)
            records = self.directory / "metrics.jsonl" if processes.is_first else None
            stack.enter_context(reporter.open(records, self._describe(engine), position))
            # Ends before the records close: a checkpoint under way syncs them, also where the training fails.
            stack.enter_context(saver)
            loop = Loop(
                engine,
                sources,
                config=self.config,
                monitor=monitor,
                reporter=reporter,
                saver=saver,
                stop=stop,
                position=position,
                profiler=self._open_profiler(stack, engine),
            )
            if not engine.is_sharded:  # whose hooks make the compiler look again
                stack.enter_context(compiling_ended(engine.compiled))
            result = loop.run()
            self._take_whole_task(engine)
            return result

    def _find_checkpoint(self, *, resume: bool) -> Checkpoint | None:
        checkpoints = self.directory / "checkpoints"
        remove_unfinished(checkpoints)
        found = newest_checkpoint(checkpoints)
        if found is not None and not resume:
            raise TrainingError(
                f"{self.directory} holds a training already, saved at step {found.step}; "
                "go on with it by --resume, or choose another directory"
            )
        if resume:
            set_aside_later(checkpoints, -1 if found is None else found.step)
        if found is None and resume:
            _log.warning(
                "%s has no complete checkpoint to resume from; the training starts anew", self.directory
            )
        return found

    def _open_sources(self, stack: ExitStack) -> Sources:
        train = stack.enter_context(self._loader(self._train))
        val = None if self._val is None else stack.enter_context(self._loader(self._val))
        return Sources(self._sampler, train, val, self._augment)

    def _choose(self, sources: Sources, checkpoint: Checkpoint | None) -> Choices:
        """Prepare the task where the training is new, and choose what it is to run with."""
        if checkpoint is not None:
            values = checkpoint.values()
            return Choices.from_values(values["choices"]).for_processes(
                values["processes"], self.processes.count
            )
        # The first process draws as if it were alone; each other has a stream of its own.
        ranks = () if self.processes.is_first else (self.processes.rank,)
        seed_everything(derive_seed(self.config.seed, Purpose.TRAINING, *ranks))
        self.task.prepare(self._train)
        return choose(
            self.task,
            lambda: sources.first_batches(1)[0],
            self.config,
            self.device,
            steps=self.config.epochs * len(self._sampler.sizes),
            processes=self.processes.count,
        ).with_threads(self.device)

    def _build_engine(self, sources: Sources, choices: Choices) -> Engine:
        use_fast_kernels(self.device)
        if not self.processes.alone and self.config.trainer.parallel != "ddp":
            self._unsharded = copy.deepcopy(self.task)
        settings = self.config.trainer
        compiles = "on" in {settings.compile, settings.graphs} or self.device.type == "cuda"
        return Engine(
            self.task,
            self.config,
            self.device,
            batches=len(self._sampler.sizes),
            processes=self.processes,
            choices=choices,
            samples=sources.first_batches(_REHEARSED) if compiles else (),
        )

    def _open_profiler(self, stack: ExitStack, engine: Engine) -> Profiler | None:
        if not self._profile:
            return None
        profiler = stack.enter_context(Profiler(self.directory / "profile", self.device))
        profiler.attach(engine)
        return profiler

    def _build_saver(self, engine: Engine, monitor: Monitor | None, choices: Choices) -> Saver:
        return Saver(
            engine,
            self._sampler,
            config=self.config,
            monitor=monitor,
            directory=self.directory / "checkpoints",
            device=self.device,
            choices=choices,
        )

    def _loader(self, data: Dataset) -> Loader:
        settings = self.config.trainer
        return Loader(
            data,
            self.device,
            workers=settings.workers,
            memory_share=settings.memory_share,
            worker_kind=settings.worker_kind,
        )

    def _take_whole_task(self, engine: Engine) -> None:
        """After a training in shards: a task with all weights in their place."""
        if self._unsharded is not None:
            self._unsharded.load_state_dict(
                {name: whole(value) for name, value in engine.task.state_dict().items()}
            )
            self.task = self._unsharded.eval()

    def _new_monitor(self) -> Monitor | None:
        if self._val is None:
            asked = ("monitor", "patience", "validate_every")
            given = [name for name in asked if getattr(self.config.trainer, name) is not None]
            if given:
                raise ConfigError(
                    f"trainer.{given[0]} needs a validation split, and there is none; leave it out"
                )
            return None
        settings = self.config.trainer
        return choose_monitor(self.task.metrics(), settings.monitor, keep=settings.keep_best)

    def _describe(self, engine: Engine) -> dict[str, Any]:
        monitor = self._new_monitor()
        return {
            "name": self.directory.name,
            "directory": str(self.directory),
            "config": self.config.model_dump(mode="json"),
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
def _in_words(config: PipelineConfig, device: torch.device) -> Iterator[None]:
    """Turn what torch raises on a user's settings or task into a sentence with a way out."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if _UNFINISHED_REDUCTION in str(error):
            raise TrainingError(
                "some parameters got no gradient in a step, expected one for every parameter of a phase, because "
                "several processes average them all; freeze those or leave them out of the phase's modules"
            ) from error
        if not is_out_of_memory(error):
            raise
        raise TrainingError(advise(error, config, device)) from error
