"""The loop around the training step: epochs, validation, log lines, checkpoints, stops."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import torch

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch
from fivefold.errors import Interrupted, TrainingError
from fivefold.training.checkpoint import Checkpoint, checkpoint_of_step, prune_checkpoints, save_checkpoint
from fivefold.training.engine import Engine
from fivefold.training.inference import gather_outputs
from fivefold.training.loader import Loader
from fivefold.training.monitor import Monitor
from fivefold.training.precision import to_channels_last
from fivefold.training.reporter import Reporter
from fivefold.training.sampler import Sampler
from fivefold.training.seeds import (
    Purpose,
    derive_seed,
    generator_tensors,
    generator_values,
    restore_generators,
)
from fivefold.training.signals import StopSignal
from fivefold.training.state import Position, TrainingResult, check_same_training

Augment = Callable[[Batch, torch.Generator], Batch]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sources:
    """Where a loop's batches come from.

    Attributes:
        sampler: the order of the training samples.
        train: reads them.
        val: reads the validation samples; None where there are none.
        augment: varies training batches on the device.
    """

    sampler: Sampler
    train: Loader
    val: Loader | None = None
    augment: Augment | None = None

    def training_batches(self, epoch: int, first: int, *, channels_last: bool) -> Generator[Batch]:
        """The batches of ``epoch`` from the ``first`` on, varied by a generator seeded by position."""
        generator = torch.Generator(self.train.device)
        with closing(self.train.read(self.sampler.batches(epoch)[first:])) as stream:
            for number, batch in enumerate(stream, start=first):
                varied = batch
                if self.augment is not None:
                    generator.manual_seed(derive_seed(self.sampler.seed, Purpose.AUGMENT, epoch, number))
                    with torch.no_grad():
                        varied = self.augment(batch, generator)
                yield to_channels_last(varied) if channels_last else varied


class Loop:
    """One training, from where it stands to its end.

    Args:
        engine: makes the steps.
        sources: where batches come from.
        config: the run's settings.
        monitor: follows the validation metric; None without validation.
        reporter: tells of it.
        directory: where checkpoints go.
        stop: whether to stop after the step under way.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sources,
        *,
        config: PipelineConfig,
        monitor: Monitor | None,
        reporter: Reporter,
        directory: Path,
        stop: StopSignal,
    ) -> None:
        self.position = Position()
        self._engine = engine
        self._sources = sources
        self._config = config
        self._settings = config.trainer
        self._monitor = monitor
        self._reporter = reporter
        self._directory = directory
        self._stop = stop
        self._started = time.perf_counter()
        self._saved_step: int | None = None

    def run(self) -> TrainingResult:
        """Go on to the end, and leave the best weights in the task."""
        self._started = time.perf_counter() - self.position.seconds
        while self.position.epoch < self._config.epochs and not self._out_of_patience:
            self._train_epoch()
            self._end_epoch()
        return self._finish()

    def _train_epoch(self) -> None:
        engine, position = self._engine, self.position
        engine.task.train()
        width = engine.batches_per_step
        first = position.epoch_step * width
        stream = self._sources.training_batches(position.epoch, first, channels_last=engine.channels_last)
        sizes = self._sources.sampler.sizes
        with closing(stream):
            while batches := list(islice(stream, width)):
                engine.train_step(batches, position.step)
                position.advance(samples=sum(sizes[first : first + width]))
                first += width
                self._after_step()

    def _after_step(self) -> None:
        step, every = self.position.step, self._settings.checkpoint_every
        self._reporter.tick(step)
        if step % self._settings.log_every == 0:
            self._log_losses()
        if self._stop.received is not None:
            self._stop_here()
        # At an epoch's end the checkpoint waits for the validation.
        if (
            every is not None
            and step % every == 0
            and self.position.epoch_step < self._engine.steps_per_epoch
        ):
            self._save()

    def _end_epoch(self) -> None:
        position, every = self.position, self._settings.checkpoint_every
        if self._engine.tracker:
            self._log_losses()
        improved = self._validate()
        position.next_epoch()
        if improved or every is None or position.step % every == 0 or self._is_over:
            self._save()
        if self._stop.received is not None and not self._is_over:
            self._stop_here()

    def _validate(self) -> bool:
        """Judge the weights on the validation split; whether they are the best so far."""
        if self._sources.val is None or self._monitor is None:
            return False
        engine, step = self._engine, self.position.step
        with engine.judged_weights():
            # Twice the training batch takes less memory than that did with its gradients.
            outputs = gather_outputs(
                engine.task,
                self._sources.val,
                batch_size=2 * self._config.samples_a_batch,
                precision=engine.precision,
            )
        values = {metric.name: float(metric.compute(outputs, None)) for metric in engine.task.metrics()}
        self._reporter.record(
            {"split": "val", "epoch": float(self.position.epoch + 1), "step": step, **values}
        )
        return self._monitor.update(values[self._monitor.name], step)

    def _log_losses(self) -> None:
        self._require_finite_losses()
        step = self.position.step
        self._reporter.record_losses(
            self._engine.tracker.summary(),
            {phase.name: phase.learning_rate(step - 1) for phase in self._engine.phases},
            step=step,
            epoch=step / self._engine.steps_per_epoch,
            samples=self.position.samples,
        )

    def _require_finite_losses(self) -> None:
        step = self._engine.tracker.first_non_finite()
        if step is not None:
            raise TrainingError(self._divergence(f"the loss is not finite at step {step + 1}", step))

    def _divergence(self, what: str, step: int) -> str:
        rates = ", ".join(f"{phase.learning_rate(step):.3g}" for phase in self._engine.phases)
        kept = (
            "none was saved before"
            if self._saved_step is None
            else f"the last good one is of step {self._saved_step}"
        )
        return (
            f"{what} (learning rate {rates}, checkpoint: {kept}); "
            "lower --optimizer.lr, set --optimizer.clip-norm 1, or look for extreme values in the data"
        )

    def _save(self) -> None:
        position, engine = self.position, self._engine
        self._require_finite_losses()
        if not engine.weights_are_finite():
            raise TrainingError(
                self._divergence(f"the weights are not finite after step {position.step}", position.step - 1)
            )
        position.seconds = time.perf_counter() - self._started
        position.log_bytes = self._reporter.sync()
        tensors = {**engine.state_tensors(), "generators": generator_tensors(self._sources.train.device)}
        values = {
            "position": asdict(position),
            "monitor": None if self._monitor is None else asdict(self._monitor),
            "generators": generator_values(),
            "config": self._config.model_dump(mode="json"),
            "samples": self._sources.sampler.size,
        }
        save_checkpoint(self._directory, position.step, tensors, values)
        self._saved_step = position.step
        best_step = None if self._monitor is None else self._monitor.best_step
        prune_checkpoints(self._directory, keep=self._settings.keep, best_step=best_step)

    def load(self, checkpoint: Checkpoint) -> None:
        """Stand where ``checkpoint`` was saved.

        Raises:
            CheckpointError: it is of another model, settings or data.
        """
        values = checkpoint.values()
        check_same_training(values, self._config, self._sources.sampler.size, checkpoint.path)
        self._engine.load(checkpoint)
        self.position = Position(**values["position"])
        if self._monitor is not None and values["monitor"] is not None:
            self._monitor.load(values["monitor"])
        restore_generators(checkpoint.tensors("generators"), values["generators"], self._sources.train.device)
        self._saved_step = checkpoint.step

    def _stop_here(self) -> None:
        if self._saved_step != self.position.step or self.position.epoch_step:
            self._save()
        name = "a signal" if self._stop.received is None else self._stop.received.name
        raise Interrupted(
            f"stopped by {name} at step {self.position.step} of {self._engine.steps}, "
            f"saved in {self._directory}; go on with the same command and --resume"
        )

    @property
    def _out_of_patience(self) -> bool:
        patience = self._settings.patience
        return patience is not None and self._monitor is not None and self._monitor.waited >= patience

    @property
    def _is_over(self) -> bool:
        return self.position.epoch >= self._config.epochs or self._out_of_patience

    def _finish(self) -> TrainingResult:
        engine, position, monitor = self._engine, self.position, self._monitor
        best_step = None if monitor is None else monitor.best_step
        best = None if best_step is None else checkpoint_of_step(self._directory, best_step)
        if best is not None:
            engine.load_judged_weights(best)
        else:
            if best_step is not None:
                _log.warning("the best checkpoint, of step %d, is gone; the last weights are kept", best_step)
            engine.keep_judged_weights()
        engine.task.eval()
        seconds = time.perf_counter() - self._started
        return TrainingResult(
            epochs=position.epoch,
            steps=position.step,
            best=None if monitor is None else monitor.best,
            monitor="" if monitor is None else monitor.name,
            best_step=position.step if best is None else best.step,
            seconds=seconds,
            samples_per_second=position.samples / seconds,
            stopped_early=position.epoch < self._config.epochs,
        )
