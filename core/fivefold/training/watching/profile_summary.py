"""Where the time of a training's steps goes, reckoned from a trace.

The time of the steps is divided into these parts; each moment counts for one, so that the shares sum to 1.

==============  ==========================================  ================================================
part            on the CPU                                  on CUDA
==============  ==========================================  ================================================
data            the loop waits for its next batch           the device computes nothing for that reason, or
                                                            runs what fetching started (copies, augmentation)
forward         the loss is computed                        it runs kernels started there
backward        gradients are computed                      it runs kernels started there
optimizer       gradients are clipped, weights updated      it runs kernels started there
communication   processes talk and no operator runs         it runs NCCL's kernels and no others
other           operators run outside those parts           it runs any other kernels: averages, log lines
idle            nothing runs outside those parts            it runs nothing though the loop waits for no batch
==============  ==========================================  ================================================

So communication that hides behind computing costs nothing here, as it costs nothing there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from fivefold.training.watching.intervals import Intervals, holds, length, minus, union, within
from fivefold.training.watching.profile_advice import UNSEEN, advise
from fivefold.training.watching.trace import LAUNCHES, ON_DEVICE, RANGE, Event, own_times

PARTS = ("data", "forward", "backward", "optimizer", "communication", "other", "idle")

_MOST = 10  # operators listed


@dataclass(frozen=True)
class Operator:
    """What one operator costs, without the operators that it calls.

    Attributes:
        name: as torch calls it; a kernel's own name where no operator started it.
        milliseconds: its time a step: of the device on CUDA, else of the processor.
        calls: how often it runs a step; on CUDA, how many kernels it starts.
        share: its time over the steps' time.
    """

    name: str
    milliseconds: float
    calls: float
    share: float


@dataclass(frozen=True)
class Summary:
    """Where the time goes.

    Attributes:
        device: in words.
        steps: steps watched.
        milliseconds: time a step; more than without the profiler, which takes some itself.
        shares: part's name to its share of that time; they sum to 1.
        operators: the costliest, costliest first.
        memory_bytes: the most memory taken so far; None where the system does not tell.
        advice: a sentence drawn from the numbers.
    """

    device: str
    steps: int
    milliseconds: float
    shares: dict[str, float]
    operators: tuple[Operator, ...]
    memory_bytes: int | None
    advice: str


def summarise(
    events: Sequence[Event], *, steps: int, device: str, on_device: bool, memory_bytes: int | None
) -> Summary:
    """Reckon where the time of ``steps`` steps went.

    Args:
        events: of the whole trace, with our ranges among them.
        steps: steps in it.
        device: in words.
        on_device: whether the time is that of a CUDA device, else that of the processor.
        memory_bytes: the most memory taken.
    """
    ranges = {name: _ranges(events, name) for name in ("data", "step", "forward", "backward", "optimizer")}
    spans = union([*ranges["data"], *ranges["step"]])
    time = length(spans)
    claims = _device_claims(events, ranges) if on_device else _host_claims(events, ranges)
    shares = divide(spans, claims)
    operators = costliest(events, spans, steps=steps, on_device=on_device)
    if on_device and not operators:
        advice = UNSEEN
    else:
        advice = advise(shares, operators[0].name if operators else "", on_device=on_device)
    return Summary(
        device=device,
        steps=steps,
        milliseconds=time / steps / 1000,
        shares=shares,
        operators=operators,
        memory_bytes=memory_bytes,
        advice=advice,
    )


def divide(spans: Intervals, claims: dict[str, Intervals]) -> dict[str, float]:
    """The share of ``spans`` that each part has; what several claim is the first one's, the rest idle.

    Args:
        spans: the time to divide.
        claims: part's name to the time that it claims, in order of precedence.
    """
    whole, left, shares = length(spans), spans, dict.fromkeys(PARTS, 0.0)
    for part, claimed in claims.items():
        shares[part] = length(within(left, claimed)) / whole
        left = minus(left, claimed)
    shares["idle"] = length(left) / whole
    return shares


def _ranges(events: Sequence[Event], name: str) -> Intervals:
    return union(
        (event.start, event.end)
        for event in events
        if event.category == "user_annotation" and event.name == RANGE + name
    )


def _host_claims(events: Sequence[Event], ranges: dict[str, Intervals]) -> dict[str, Intervals]:
    computing = union(
        (event.start, event.end)
        for event in events
        if event.category == "cpu_op" and not event.name.startswith("c10d::")
    )
    talking = union((event.start, event.end) for event in events if event.collective)
    return {
        "data": ranges["data"],
        "communication": minus(talking, computing),
        "forward": ranges["forward"],
        "backward": ranges["backward"],
        "optimizer": ranges["optimizer"],
        "other": computing,
    }


def _device_claims(events: Sequence[Event], ranges: dict[str, Intervals]) -> dict[str, Intervals]:
    launched = {event.correlation: event.start for event in events if event.category in LAUNCHES}
    ran: dict[str, list[tuple[float, float]]] = {part: [] for part in PARTS}
    for event in events:
        if event.category in ON_DEVICE:
            moment = launched.get(event.correlation, event.start)
            parts = ("data", "forward", "backward", "optimizer")
            started = next((part for part in parts if holds(ranges[part], moment)), "other")
            ran["communication" if event.collective else started].append((event.start, event.end))
    order = ("forward", "backward", "optimizer", "other", "communication")
    waiting = union([*ran["data"], *ranges["data"]])
    return {**{part: union(ran[part]) for part in order}, "data": waiting}


def costliest(
    events: Sequence[Event], spans: Intervals, *, steps: int, on_device: bool
) -> tuple[Operator, ...]:
    """The operators that took most time within ``spans``, costliest first."""
    operators = [event for event in events if event.category == "cpu_op"]
    if on_device:
        names = {event.operator: event.name for event in operators}
        taken = [
            (names.get(event.operator, event.name), event, event.end - event.start)
            for event in events
            if event.category in ON_DEVICE
        ]
    else:
        taken = [(event.name, event, own) for event, own in own_times(operators)]
    times: dict[str, list[float]] = defaultdict(list)
    for name, event, own in taken:
        if holds(spans, event.start):
            times[name].append(own)
    found = [
        Operator(name, sum(each) / steps / 1000, len(each) / steps, sum(each) / length(spans))
        for name, each in times.items()
    ]
    return tuple(sorted(found, key=lambda one: -one.milliseconds)[:_MOST])
