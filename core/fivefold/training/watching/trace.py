"""A trace of torch's profiler, read back: what ran when, on the processor and on the device.

The file is in Chrome's trace event format. Torch's categories in it: ``user_annotation`` (named ranges),
``cpu_op`` (operators), ``cuda_runtime`` and ``cuda_driver`` (calls that start something on the device), and
``kernel``, ``gpu_memcpy`` and ``gpu_memset`` (what ran there). A call and what it started share a correlation
number; an operator and what it started, an external id.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

RANGE = "fivefold."
"""Begins the names of our own ranges: data, step, forward, backward, optimizer."""

ON_DEVICE = frozenset({"kernel", "gpu_memcpy", "gpu_memset"})
LAUNCHES = frozenset({"cuda_runtime", "cuda_driver"})


@dataclass(frozen=True)
class Event:
    """Something that ran for a while.

    Attributes:
        category: see the module.
        name: operator, kernel or range.
        start: when, in microseconds.
        end: until when.
        thread: which thread or stream it ran in.
        correlation: number shared with the call that started it.
        operator: number shared with the operator that started it.
    """

    category: str
    name: str
    start: float
    end: float
    thread: str = ""
    correlation: int | None = None
    operator: int | None = None

    @property
    def collective(self) -> bool:
        """Whether processes talk to each other here (NCCL's kernels, gloo's ranges)."""
        name = self.name.lower()
        return (self.category in ON_DEVICE and "nccl" in name) or (
            self.category == "user_annotation" and name.startswith("gloo:")
        )


def read_trace(path: Path) -> list[Event]:
    """Every event with a duration in a gzipped trace."""
    with gzip.open(path, "rt", encoding="utf-8", errors="replace") as file:
        content = json.load(file)
    return [
        Event(
            category=event.get("cat", ""),
            name=event["name"],
            start=event["ts"],
            end=event["ts"] + event["dur"],
            thread=f"{event['pid']}/{event['tid']}",
            correlation=event.get("args", {}).get("correlation"),
            operator=event.get("args", {}).get("External id"),
        )
        for event in content["traceEvents"]
        if event.get("ph") == "X"
    ]


def own_times(operators: Iterable[Event]) -> Iterator[tuple[Event, float]]:
    """Each operator with the microseconds that it took without the operators that it called."""
    inner: dict[int, float] = {}
    ordered = sorted(operators, key=lambda event: (event.thread, event.start, -event.end))
    open_ones: list[Event] = []
    for event in ordered:
        while open_ones and (open_ones[-1].thread != event.thread or open_ones[-1].end <= event.start):
            open_ones.pop()
        if open_ones:
            caller = id(open_ones[-1])
            inner[caller] = inner.get(caller, 0.0) + event.end - event.start
        open_ones.append(event)
    for event in ordered:
        yield event, event.end - event.start - inner.get(id(event), 0.0)
