"""Tells of a training: ``metrics.jsonl``, and the callbacks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fivefold.errors import Interrupted
from fivefold.training.callback import Callback
from fivefold.training.progress import ProgressDisplay
from fivefold.training.records import MetricsLog
from fivefold.training.state import Position


@dataclass(frozen=True)
class _Ending:
    """Tells a callback how the training ended; called as the exit of a context."""

    callback: Callback
    position: Position

    def __call__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:  # noqa: ARG002
        status = "finished" if kind is None else "interrupted" if issubclass(kind, Interrupted) else "failed"
        self.callback.on_end({"status": status, "step": self.position.step})


class Reporter:
    """Writes records and passes them to callbacks.

    Args:
        callbacks: told of every record.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self._callbacks = callbacks
        self._displays = [callback for callback in callbacks if isinstance(callback, ProgressDisplay)]
        self._log: MetricsLog | None = None
        self._last = (0.0, 0)

    @contextmanager
    def open(self, path: Path, info: dict[str, Any], position: Position) -> Iterator[None]:
        """The time in which records are taken; callbacks hear of its start and, whatever happens, of its end.

        Args:
            path: the run's ``metrics.jsonl``.
            info: what callbacks are told.
            position: where the training stands; moves on meanwhile.

        Raises:
            TrainingError: the file cannot be written.
        """
        with ExitStack() as stack:
            self._log = stack.enter_context(closing(MetricsLog(path, length=position.log_bytes)))
            self._last = (time.perf_counter(), position.samples)
            for callback in self._callbacks:
                callback.on_start({**info, "step": position.step})
                stack.push(_Ending(callback, position))
            yield

    def tick(self, step: int) -> None:
        """A step was made: nothing but the bar may move."""
        for display in self._displays:
            display.tick(step)

    def record(self, record: dict[str, Any]) -> None:
        """Write ``record`` and pass it on."""
        if self._log is not None:
            self._log.write(record)
        for callback in self._callbacks:
            callback.on_log(record)

    def record_losses(
        self, means: Mapping[str, float], rates: Mapping[str, float], *, step: int, epoch: float, samples: int
    ) -> None:
        """Write a line of the training split.

        With one phase its values are named ``loss``, ``lr`` and by their parts; with several each name is
        preceded by the phase's, as in ``generator/loss``.

        Args:
            means: mean losses and parts since the last line, as ``phase/name``.
            rates: learning rates by phase.
            step: steps made.
            epoch: epochs made, with their fraction.
            samples: samples seen in all.
        """
        now = time.perf_counter()
        then, seen = self._last
        self._last = (now, samples)
        values = {**means, **{f"{phase}/lr": rate for phase, rate in rates.items()}}
        if len(rates) == 1:
            values = {name.partition("/")[2]: value for name, value in values.items()}
        speed = round((samples - seen) / max(now - then, 1e-9), 1)
        self.record({"split": "train", "epoch": epoch, "step": step, **values, "samples_per_second": speed})

    def sync(self) -> int:
        """Bring what was written to disk; the length of ``metrics.jsonl`` in bytes."""
        return 0 if self._log is None else self._log.sync()
