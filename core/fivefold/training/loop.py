"""The loop around the training step: epochs, validation, log lines, checkpoints, stops."""

from __future__ import annotations

import logging
import math
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice

import torch

from fivefold.config import PipelineConfig
from fivefold.data.dataset import Batch
from fivefold.errors import Interrupted, TrainingError
from fivefold.training.callback import EndOfTraining
from fivefold.training.divergence import Divergence, culprit, describe_divergence
from fivefold.training.engine import Engine
from fivefold.training.inference import gather_outputs
from fivefold.training.monitor import Monitor
from fivefold.training.saver import Saver
from fivefold.training.saving.checkpoint import checkpoint_of_step
from fivefold.training.signals import StopSignal
from fivefold.training.sources import Sources
from fivefold.training.state import Position, TrainingResult
from fivefold.training.watching.profile import Profiler
from fivefold.training.watching.reporter import Reporter

_RETURNS = 10  # times that a training goes back to a checkpoint before it gives up

_log = logging.getLogger(__name__)


class Loop:
    """One training, from where it stands to its end; the same in every process.

    Args:
        engine: makes the steps.
        sources: where batches come from.
        config: the run's settings.
        monitor: follows the validation metric; None without validation.
        reporter: tells of it.
        saver: writes checkpoints.
        stop: whether to stop after the step under way.
        position: where the training stands.
        profiler: measures some steps; None for none.
    """

    def __init__(
        self,
        engine: Engine,
        sources: Sources,
        *,
        config: PipelineConfig,
        monitor: Monitor | None,
        reporter: Reporter,
        saver: Saver,
        stop: StopSignal,
        position: Position,
        profiler: Profiler | None = None,
    ) -> None:
        self.position = position
        self._engine = engine
        self._processes = engine.processes
        self._sources = sources
        self._config = config
        self._settings = config.trainer
        self._monitor = monitor
        self._reporter = reporter
        self._saver = saver
        self._stop = stop
        self._profiler = profiler
        self._started = time.perf_counter() - position.seconds
        self._waited = 0.0
        self._epoch_start = (0, 0)

    def run(self) -> TrainingResult:
        """Go on to the end, and leave the best weights in the task."""
        returns = self._settings.non_finite == "roll-back"
        if returns and self._saver.saved_step is None:
            self._save()
        while not self._is_over:
            try:
                self._train_epoch()
                if not self._out_of_patience:
                    self._end_epoch()
            except Divergence as fault:
                if not returns or len(self.position.left_out) >= _RETURNS:
                    raise self._processes.agreed(self._failure(fault)) from None
                self._go_back(fault)
            except EndOfTraining as reason:
                self._end_here(reason)
                break
        return self._finish()

    def _end_here(self, reason: EndOfTraining) -> None:
        """Keep the weights as they stand beside the best; judge them first where none were so far."""
        if self._processes.is_first:
            _log.warning("the training ends at step %d: %s", self.position.step, reason)
        if not self._engine.weights_are_finite():
            return
        if self._monitor is not None and self._monitor.best_step is None:
            self._validate()
        self._save()

    def _train_epoch(self) -> None:
        engine, position, sources = self._engine, self.position, self._sources
        engine.task.train()
        self._epoch_start = (position.step, position.epoch_samples)
        rounds = self._rounds_of_steps()
        left_out = frozenset(position.left_out)
        stream = sources.training_batches(
            position.epoch, position.epoch_samples, channels_last=engine.channels_last
        )
        with closing(stream):
            batches_of_steps = self._grouped(stream if sources.resident else self._timed(stream))
            if self._profiler is not None:
                batches_of_steps = self._profiler.watch(batches_of_steps)
            for batches, samples in zip(batches_of_steps, rounds, strict=True):
                if position.step not in left_out:
                    engine.train_step(batches, position.step)
                position.advance(samples=samples)
                self._after_step()
                if self._out_of_patience:
                    return

    def _rounds_of_steps(self) -> list[int]:
        """Samples that each step to the end of the epoch takes, in all processes."""
        sizes = self._sources.sampler.sizes_from(self.position.epoch_samples)
        width = self._engine.batches_per_step
        return sizes if width == 1 else [sum(sizes[at : at + width]) for at in range(0, len(sizes), width)]

    def _grouped(self, stream: Iterator[Batch]) -> Iterator[list[Batch]]:
        """The batches of each step."""
        width = self._engine.batches_per_step
        if width == 1:
            for batch in stream:
                yield [batch]
            return
        while batches := list(islice(stream, width)):
            yield batches

    def _timed(self, stream: Iterator[Batch]) -> Generator[Batch]:
        """The batches, with the time that was waited for them noted."""
        while True:
            before = time.perf_counter()
            batch = next(stream, None)
            self._waited += time.perf_counter() - before
            if batch is None:
                return
            yield batch

    def _after_step(self) -> None:
        position, settings = self.position, self._settings
        step = position.step
        self._reporter.tick(step)
        if step % settings.log_every == 0:
            self._log_losses()
        if position.epoch_samples < self._sources.sampler.size:  # else both wait for the epoch's end
            judged = _is_due(settings.validate_every, step)
            improved = judged and self._validate()
            if improved or _is_due(settings.checkpoint_every, step) or self._out_of_patience:
                self._save()
        number = self._stop.asked(step)
        if number is not None:
            self._stop_here(number)

    def _end_epoch(self) -> None:
        position, settings = self.position, self._settings
        if self._engine.tracker:
            self._log_losses()
        last = position.epoch + 1 >= self._config.epochs
        judged = last or settings.validate_every is None or _is_due(settings.validate_every, position.step)
        improved = judged and self._validate()
        position.next_epoch()
        every = settings.checkpoint_every
        if improved or every is None or _is_due(every, position.step) or self._is_over:
            self._save()
        number = self._stop.agree(position.step)
        if number is not None and not self._is_over:
            self._stop_here(number)

    def _validate(self) -> bool:
        """Judge the weights on the validation split; whether they are among the best so far."""
        if self._sources.val is None or self._monitor is None:
            return False
        engine, step, started = self._engine, self.position.step, time.perf_counter()
        with engine.judged_weights():
            # Twice the training batch takes less memory than that did with its gradients.
            outputs = gather_outputs(
                engine.task,
                self._sources.val,
                batch_size=2 * self._config.samples_a_batch,
                precision=engine.precision,
                processes=self._processes,
            )
        values = self._processes.on_first(
            lambda: {metric.name: float(metric.compute(outputs, None)) for metric in engine.task.metrics()}
        )
        self._reporter.record_validation(
            values, step=step, epoch=step / engine.steps_per_epoch, seconds=time.perf_counter() - started
        )
        return self._monitor.update(values[self._monitor.name], step)

    def _log_losses(self) -> None:
        step, skipping = self.position.step, self._settings.non_finite == "skip"
        if not skipping:
            self._require_finite_losses()
        waited, self._waited = self._waited, 0.0
        self._reporter.record_losses(
            self._engine.tracker.summary(self._processes, skip_non_finite=skipping),
            {phase.name: phase.learning_rate(step - 1) for phase in self._engine.phases},
            step=step,
            epoch=step / self._engine.steps_per_epoch,
            samples=self.position.samples,
            waited=waited,
        )

    def _require_finite_losses(self) -> None:
        step = self._engine.tracker.first_non_finite()
        if not self._processes.alone:
            first = torch.tensor([-math.inf if step is None else -float(step)], dtype=torch.float64)
            found = -self._processes.maximum(first).item()
            step = None if math.isinf(found) else int(found)
        if step is not None:
            raise Divergence("the loss is not finite at", step)

    def _failure(self, fault: Divergence) -> TrainingError:
        began, start = self._epoch_start
        width = self._engine.batches_per_step
        before = width * (fault.step - began)
        sizes = self._sources.sampler.sizes_from(start)
        first = start + sum(sizes[:before])
        members = self._sources.sampler.order(self.position.epoch)[first:][: sum(sizes[before:][:width])]
        rates = [phase.learning_rate(fault.step) for phase in self._engine.phases]
        data = self._sources.train.dataset
        return TrainingError(describe_divergence(fault, data, members, rates, self._saver.saved_step))

    def _go_back(self, fault: Divergence) -> None:
        """Stand at the newest checkpoint again, and leave out the step that made the loss infinite."""
        left_out = sorted([*self.position.left_out, culprit(fault.step, self.position.left_out)])
        newest = self._saver.newest()
        if newest is None:
            raise self._processes.agreed(self._failure(fault))
        self.position = self._saver.load(newest)
        self.position.left_out = left_out
        self._reporter.rewind(self.position)
        _log.warning(
            "%s step %d; went back to step %d, and leave out step %d",
            fault.what, fault.step + 1, self.position.step, left_out[-1] + 1,
        )  # fmt: skip

    def _save(self) -> None:
        position, engine = self.position, self._engine
        if self._settings.non_finite != "skip":
            self._require_finite_losses()
        if not engine.weights_are_finite():
            raise Divergence("the weights are not finite after", position.step - 1)
        position.seconds = time.perf_counter() - self._started
        position.log_bytes = self._reporter.length
        self._saver.save(position, before=self._reporter.sync)

    def _stop_here(self, number: signal.Signals) -> None:
        if self._saver.saved_step != self.position.step:
            self._save()
        self._saver.wait()
        raise self._processes.agreed(
            Interrupted(
                f"stopped by {number.name} at step {self.position.step} of {self._engine.steps}, "
                f"saved in {self._saver.directory}; go on with the same command and --resume"
            )
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
        self._saver.wait()
        best_step = None if monitor is None else monitor.best_step
        best = None
        if best_step is not None:
            best = self._processes.on_first(lambda: checkpoint_of_step(self._saver.directory, best_step))
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


def _is_due(every: int | None, step: int) -> bool:
    """Whether something that is done every so many steps is done after this one."""
    return every is not None and step % every == 0
