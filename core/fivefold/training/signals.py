"""SIGINT and SIGTERM ask for a stop between two steps; a second one stops at once.

With several processes all must stop after the same step, so they agree on it now and then.
"""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Any, Self

import torch

from fivefold.training.processes.group import ALONE, Processes

_WATCHED = (signal.SIGINT, signal.SIGTERM)
_EXCHANGE = 1.0  # seconds between exchanges
_ECHO = 5.0  # seconds in which a repeat is the launcher's echo of the terminal's signal, not a second wish


class StopSignal:
    """A context in which the first SIGINT or SIGTERM is only noted, and a second raises KeyboardInterrupt.

    Python delivers signals to the main thread only, so in any other thread this changes nothing.
    The handlers from before are put back at the end.

    Args:
        processes: those that train together.
    """

    def __init__(self, processes: Processes = ALONE) -> None:
        self.received: signal.Signals | None = None
        self._processes = processes
        self._last = (0.0, 0)
        self._next = 0
        self._since = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _WATCHED}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            # None means a handler that was not set from Python, which cannot be put back.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of a handler
        now = time.monotonic()
        if self.received is None:
            self.received, self._since = signal.Signals(number), now
        elif self._processes.alone or now - self._since > _ECHO:
            raise KeyboardInterrupt

    def asked(self, step: int) -> signal.Signals | None:
        """The signal after which all processes stop, once ``step`` steps are made; every one must ask.

        Alone this is the signal received. Together the processes exchange it about every second, reckoned in
        steps by the slowest of them, so that all do so at the same step.
        """
        if self._processes.alone:
            return self.received
        if step < self._next:
            return None
        return self.agree(step)

    def agree(self, step: int) -> signal.Signals | None:
        """`asked`, exchanged now in any case."""
        if self._processes.alone:
            return self.received
        now = time.monotonic()
        then, before = self._last
        pace = (now - then) / (step - before) if step > before and before else _EXCHANGE
        told = torch.tensor([float(self.received or 0), pace], dtype=torch.float64)
        number, slowest = self._processes.maximum(told).tolist()
        self._last = (now, step)
        self._next = step + max(1, int(_EXCHANGE / slowest))
        return signal.Signals(int(number)) if number else None
