"""Tells of a training: ``metrics.jsonl``, and the callbacks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import torch

from fivefold.errors import FivefoldError, Interrupted
from fivefold.training.callback import Callback, EndOfTraining
from fivefold.training.device import device_memory
from fivefold.training.state import Position
from fivefold.training.watching.memory import used_memory
from fivefold.training.watching.progress import ProgressDisplay
from fivefold.training.watching.records import MetricsLog

_log = logging.getLogger(__name__)


class Reporter:
    """Writes records and passes them to callbacks.

    Nothing here reads a value from the device. Of several processes only the first has callbacks and a file.

    Args:
        callbacks: told of every record.
        device: where the training runs, for what memory it takes.
    """

    def __init__(self, callbacks: Sequence[Callback], device: torch.device = torch.device("cpu")) -> None:  # noqa: B008 - immutable
        self._listening = list(callbacks)
        self._device = device
        self._ticks: list[Callable[[int], None]] = []
        self._log: MetricsLog | None = None
        self._position = Position()
        self._then = 0.0  # the clock at the last line of the training split
        self._seen = 0  # samples at that line
        self._validated = 0.0  # seconds of validation since that line

    @contextmanager
    def open(self, path: Path | None, info: dict[str, Any], position: Position) -> Iterator[None]:
        """The time in which records are taken; callbacks hear of its start and, whatever happens, of its end.

        Args:
            path: the run's ``metrics.jsonl``; None writes none.
            info: what callbacks are told.
            position: where the training stands; moves on meanwhile.

        Raises:
            TrainingError: the file cannot be written.
        """
        log = None if path is None else MetricsLog(path, length=position.log_bytes)
        with nullcontext() if log is None else closing(log):
            self._log, self._position = log, position
            self._start_clock(position.samples)
            status = "failed"
            try:
                self._tell("on_start", {**info, "step": position.step, "device_memory": self._total_memory()})
                self._ticks = [
                    display.tick
                    for display in self._listening
                    if isinstance(display, ProgressDisplay) and display.live
                ]
                yield
                status = "finished"
            except Interrupted:
                status = "interrupted"
                raise
            finally:
                self._tell("on_end", {"status": status, "step": self._position.step})

    def tick(self, step: int) -> None:
        """A step was made: nothing but a bar may move, and where there is none this costs nothing."""
        for move in self._ticks:
            move(step)

    def record(self, record: dict[str, Any]) -> None:
        """Write ``record`` and pass it on."""
        if self._log is not None:
            self._log.write(record)
        self._tell("on_log", record)

    def record_losses(
        self,
        means: Mapping[str, float],
        rates: Mapping[str, float],
        *,
        step: int,
        epoch: float,
        samples: int,
        waited: float,
    ) -> None:
        """Write a line of the training split.

        With one phase its values are named ``loss``, ``lr`` and by their parts; with several each name is
        preceded by the phase's, as in ``generator/loss``. The rest is of the time since the last line,
        validation left out: ``samples_per_second``; ``data_wait``, the share of it in which the loop waited
        for its next batch; and ``memory_bytes``, which the training takes.

        Args:
            means: mean losses and parts since the last line, as ``phase/name``.
            rates: learning rates by phase.
            step: steps made.
            epoch: epochs made, with their fraction.
            samples: samples seen in all.
            waited: seconds waited for batches since the last line.
        """
        elapsed = max(time.perf_counter() - self._then - self._validated, 1e-9)
        values = {**means, **{f"{phase}/lr": rate for phase, rate in rates.items()}}
        if len(rates) == 1:
            values = {name.partition("/")[2]: value for name, value in values.items()}
        record = {
            "split": "train",
            "epoch": epoch,
            "step": step,
            **values,
            "samples_per_second": round((samples - self._seen) / elapsed, 1),
            "data_wait": round(min(waited / elapsed, 1.0), 4),
        }
        memory = used_memory(self._device)
        self._start_clock(samples)
        self.record(record if memory is None else {**record, "memory_bytes": memory})

    def record_validation(
        self, values: Mapping[str, float], *, step: int, epoch: float, seconds: float
    ) -> None:
        """Write a line of the validation split.

        Args:
            values: metric's name to its value.
            step: steps made.
            epoch: epochs made.
            seconds: how long the validation took.
        """
        self._validated += seconds
        self.record({"split": "val", "epoch": epoch, "step": step, **values, "seconds": round(seconds, 3)})

    def rewind(self, position: Position) -> None:
        """The training went back: lines written after ``position`` are cut off, and callbacks told.

        Args:
            position: where the training stands now; moves on from here.

        Raises:
            TrainingError: the file cannot be written.
        """
        self._position = position
        if self._log is not None:
            self._log.rewind(position.log_bytes)
        self._start_clock(position.samples)
        self._tell("on_rewind", position.step)

    @property
    def length(self) -> int:
        """The length of ``metrics.jsonl`` in bytes."""
        return 0 if self._log is None else self._log.length

    def sync(self) -> None:
        """Bring what was written to disk; another thread may ask for it."""
        if self._log is not None:
            self._log.sync()

    def _start_clock(self, samples: int) -> None:
        self._then, self._seen, self._validated = time.perf_counter(), samples, 0.0

    def _total_memory(self) -> int | None:
        return device_memory(self._device) if self._device.type == "cuda" else None

    def _tell(self, call: str, value: Any) -> None:
        for callback in list(self._listening):
            try:
                getattr(callback, call)(value)
            except (FivefoldError, EndOfTraining):
                raise  # said on purpose: to end a trial, for one
            except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything, hours into a training
                self._listening.remove(callback)
                _log.warning(
                    "%s failed in %s and is left out of this training: %s: %s",
                    type(callback).__qualname__,
                    call,
                    type(error).__name__,
                    error,
                )
