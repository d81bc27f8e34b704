"""``--profile``: watches some steps of a training with torch's profiler and says where their time goes.

    with Profiler(directory / "profile", device) as profiler:
        profiler.attach(engine)
        for batches in profiler.watch(stream):  # instead of: for batches in stream
            engine.train_step(batches, step)

Into the directory go ``trace.json.gz`` (open it in Perfetto or chrome://tracing), ``summary.html`` and
``summary.json``. Afterwards nothing is left in the step: the rest of the training runs at full speed.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import torch
from torch.profiler import ProfilerActivity, profile, record_function

from fivefold.training.device import describe_device
from fivefold.training.engine import Engine
from fivefold.training.watching.memory import peak_memory
from fivefold.training.watching.profile_page import write_summary
from fivefold.training.watching.profile_summary import Summary, summarise
from fivefold.training.watching.trace import RANGE, read_trace

_T = TypeVar("_T")

_log = logging.getLogger(__name__)


class Profiler:
    """Profiles ``steps`` steps after a warm-up; in one process, the first.

    Attributes:
        summary: what was found; None before, and where the training was too short.

    Args:
        directory: where the files go; made where it does not exist.
        device: where the training runs.
        steps: steps to watch; fewer where the training ends before.
        warmup: steps to let pass before: compilation, first allocations.
    """

    def __init__(self, directory: Path, device: torch.device, *, steps: int = 20, warmup: int = 5) -> None:
        self.summary: Summary | None = None
        self._directory = directory
        self._device = device
        self._steps = steps
        self._warmup = warmup
        self._engine: Engine | None = None
        self._profile: profile | None = None
        self._seen = 0
        self._finished = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what a short training left to write; a training that failed leaves nothing."""
        if self._finished:
            return
        if kind is None and self._seen > self._warmup:
            self._finish()
            return
        self._stop()
        if kind is None:
            _log.warning(
                "the training has %d steps, expected more than %d to profile: give it more --epochs",
                self._seen,
                self._warmup,
            )

    def attach(self, engine: Engine) -> None:
        """Profile the steps of ``engine``: their forward, backward and optimizer parts are told apart."""
        self._engine = engine

    def watch(self, steps: Iterable[_T]) -> Iterator[_T]:
        """The batches of each step of an epoch, as they come; the time between them is watched.

        A step lasts from when the loop asks for its batches to when it asks for the next: its log lines and
        checkpoints are in it, the validation at the epoch's end is not.
        """
        iterator = iter(steps)
        while not self._finished:
            if self._profile is None and self._seen >= self._warmup:
                self._start()
            with self._range("data"):
                batches = next(iterator, None)
            if batches is None:
                self._wait_for_device()
                return
            with self._range("step"):
                yield batches
            self._seen += 1
            if self._seen == self._warmup + self._steps:
                self._finish()
        yield from iterator

    def _range(self, name: str) -> AbstractContextManager[Any]:
        return nullcontext() if self._profile is None else record_function(RANGE + name)

    def _start(self) -> None:
        activities = [ProfilerActivity.CPU]
        if self._device.type == "cuda":
            activities.append(ProfilerActivity.CUDA)
        else:
            # The tracing library says on stderr, into the bar, when it starts and stops. It reads this when it
            # is first used. On CUDA it is left to speak, for it says there why it may not watch the device.
            os.environ.setdefault("KINETO_LOG_LEVEL", "6")
        self._instrument(_Ranged)
        self._wait_for_device()  # what the warm-up left to compute is not of the steps to come
        self._profile = profile(activities=activities)
        self._profile.start()

    def _finish(self) -> None:
        self._wait_for_device()
        taken = self._stop()
        if taken is None:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        path = self._directory / "trace.json.gz"
        taken.export_chrome_trace(str(path))
        self.summary = summarise(
            read_trace(path),
            steps=self._seen - self._warmup,
            device=describe_device(self._device),
            on_device=self._device.type == "cuda",
            memory_bytes=peak_memory(self._device),
        )
        write_summary(self.summary, self._directory)

    def _stop(self) -> profile | None:
        """End the profile, if one is under way, and take everything out of the step again."""
        self._finished = True
        taken, self._profile = self._profile, None
        if taken is not None:
            taken.stop()
            self._instrument(_plain)
        return taken

    def _instrument(self, wrap: Callable[[str, Callable[..., Any]], Callable[..., Any]]) -> None:
        for phase in [] if self._engine is None else self._engine.phases:
            phase.instrument(wrap)

    def _wait_for_device(self) -> None:
        """Let the device end what it was given, as part of the step that gave it."""
        if self._device.type == "cuda":
            with self._range("step"):
                torch.cuda.synchronize(self._device)


class _Ranged:
    """A part of the step, with its name in the trace."""

    def __init__(self, name: str, part: Callable[..., Any]) -> None:
        self.name = RANGE + name
        self.part = part

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with record_function(self.name):
            return self.part(*args, **kwargs)


def _plain(_: str, part: Callable[..., Any]) -> Callable[..., Any]:
    return part.part if isinstance(part, _Ranged) else part
