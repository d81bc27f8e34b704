"""The arithmetic of a profile, on traces whose durations are given."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fivefold.training.watching.intervals import Intervals, holds, length, minus, union, within
from fivefold.training.watching.profile_advice import advise
from fivefold.training.watching.profile_summary import PARTS, Summary, summarise
from fivefold.training.watching.trace import Event, own_times, read_trace

PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair))))


def moments(pairs: Iterable[tuple[float, float]]) -> set[int]:
    """Which unit moments are covered, told one by one."""
    return {moment for moment in range(31) if any(start <= moment < end for start, end in pairs)}


@given(PAIRS, PAIRS)
def test_intervals_are_sets_of_moments(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    these, those = union(some), union(others)
    assert moments(these) == moments(some)
    assert moments(minus(these, those)) == moments(some) - moments(others)
    assert moments(within(these, those)) == moments(some) & moments(others)
    assert length(these) == len(moments(some))
    assert {moment for moment in range(31) if holds(these, moment)} == moments(some)
    assert disjoint(minus(these, those))


def disjoint(intervals: Intervals) -> bool:
    ends = [moment for pair in intervals for moment in pair]
    return ends == sorted(ends)


def marked(name: str, start: float, end: float) -> Event:
    return Event("user_annotation", f"fivefold.{name}", start, end)


def operator(name: str, start: float, end: float, *, thread: str = "1", number: int | None = None) -> Event:
    return Event("cpu_op", name, start, end, thread, operator=number)


def step(start: float) -> list[Event]:
    """100 microseconds: waits 30, forward 20, backward 25, optimizer 5, 4 of another operator, 16 of nothing."""
    return [
        marked("data", start, start + 30),
        marked("step", start + 30, start + 100),
        marked("forward", start + 40, start + 60),
        operator("aten::linear", start + 40, start + 60),
        operator("aten::addmm", start + 42, start + 58),
        marked("backward", start + 60, start + 85),
        operator("aten::mm", start + 61, start + 84, thread="2"),
        marked("optimizer", start + 85, start + 90),
        operator("aten::lerp_", start + 92, start + 96),
    ]


def summary(events: list[Event], *, steps: int = 1, on_device: bool = False) -> Summary:
    return summarise(events, steps=steps, device="a device", on_device=on_device, memory_bytes=None)


def test_shares_on_the_cpu() -> None:
    # Between the steps lies a validation, which counts for nothing.
    found = summary([*step(0), operator("aten::validates", 150, 5000), *step(9000)], steps=2)
    assert found.shares == pytest.approx(
        {
            "data": 0.3,
            "forward": 0.2,
            "backward": 0.25,
            "optimizer": 0.05,
            "communication": 0,
            "other": 0.04,
            "idle": 0.16,
        }
    )
    assert tuple(found.shares) == PARTS
    assert found.milliseconds == pytest.approx(0.1)
    assert [(one.name, one.calls) for one in found.operators] == [
        ("aten::mm", 1), ("aten::addmm", 1), ("aten::linear", 1), ("aten::lerp_", 1),
    ]  # fmt: skip
    assert found.operators[0].milliseconds == pytest.approx(0.023)
    assert found.operators[2].share == pytest.approx(0.04)
    assert found.advice.startswith(
        "The training waits for data 30 percent of the time: raise --trainer.workers"
    )


def test_only_communication_that_nothing_hides_counts_on_the_cpu() -> None:
    events = [
        marked("step", 0, 100),
        marked("backward", 0, 100),
        operator("aten::mm", 0, 60, thread="2"),
        operator("c10d::allreduce_", 50, 55, thread="2"),
        Event("user_annotation", "gloo:all_reduce", 50, 90, "3"),
    ]
    found = summary(events)
    assert (found.shares["communication"], found.shares["backward"]) == pytest.approx((0.3, 0.7))
    assert found.advice.startswith("The training waits for other processes 30 percent")


def kernel(name: str, start: float, end: float, number: int) -> Event:
    return Event("kernel", name, start, end, "stream 7", correlation=number, operator=number)


def launch(at: float, number: int) -> Event:
    return Event("cuda_runtime", "cudaLaunchKernel", at, at + 1, "1", correlation=number, operator=number)


def test_shares_on_a_device_follow_what_started_its_kernels() -> None:
    events = [
        marked("data", 0, 20),
        marked("step", 20, 100),
        marked("forward", 20, 25),
        marked("backward", 25, 30),
        marked("optimizer", 30, 35),
        *(launch(at, number) for number, at in enumerate((2, 21, 26, 27, 31, 40))),
        operator("aten::copy_", 1, 3, number=0),
        operator("aten::addmm", 20, 22, number=1),
        kernel("copies", 2, 12, 0),  # fetched while the loop waits: of its 20 microseconds
        kernel("sgemm", 30, 50, 1),  # long after it was started
        kernel("dgrad", 50, 60, 2),
        kernel("ncclDevKernel_AllReduce_Sum_f32", 55, 70, 3),  # 5 of it behind the gradient
        kernel("adamw", 70, 80, 4),
        kernel("lerp", 80, 83, 5),
    ]
    found = summary(events, on_device=True)
    assert found.shares == pytest.approx(
        {
            "data": 0.2,
            "forward": 0.2,
            "backward": 0.1,
            "optimizer": 0.1,
            "communication": 0.1,
            "other": 0.03,
            "idle": 0.27,
        }
    )
    names = [one.name for one in found.operators]
    assert names[:2] == ["aten::addmm", "ncclDevKernel_AllReduce_Sum_f32"]  # by operator, else by kernel
    assert found.operators[0].milliseconds == pytest.approx(0.02)
    assert found.advice.startswith(
        "The device has nothing to do 27 percent of the time: give it more at once"
    )


def test_a_device_that_computes_while_the_loop_waits_does_not_wait() -> None:
    events = [
        marked("data", 0, 50),
        marked("step", 50, 100),
        marked("forward", 50, 60),
        launch(51, 1),
        launch(52, 2),
        kernel("sgemm", 0, 40, 1),
        kernel("sgemm", 60, 100, 2),
    ]
    shares = summary(events, on_device=True).shares
    assert (shares["data"], shares["forward"], shares["idle"]) == pytest.approx((0.1, 0.8, 0.1))


def test_a_device_that_may_not_be_watched_is_told() -> None:
    assert "was recorded" in summary(step(0), on_device=True).advice


@given(st.lists(st.tuples(st.sampled_from(PARTS), st.integers(0, 99), st.integers(1, 40))), st.booleans())
def test_shares_sum_to_one(spans: list[tuple[str, int, int]], on_device: bool) -> None:
    events = [marked("step", 0, 100), marked("data", 100, 110)]
    for number, (part, start, lasts) in enumerate(spans):
        events += [marked(part, start, start + lasts), operator("aten::mm", start, start + 2, number=number)]
        events += [
            launch(start, number),
            kernel("nccl" if number % 3 else "mm", start + 5, start + 9, number),
        ]
    shares = summary(events, on_device=on_device).shares
    assert sum(shares.values()) == pytest.approx(1)
    assert all(share >= 0 for share in shares.values())


def test_own_times() -> None:
    events = [
        operator("inner", 2, 5),
        operator("outer", 0, 10),
        operator("later", 10, 12),
        operator("inmost", 3, 4),
        operator("elsewhere", 1, 9, thread="2"),
    ]
    assert {event.name: own for event, own in own_times(events)} == {
        "outer": 7, "inner": 2, "inmost": 1, "later": 2, "elsewhere": 8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("part", "on_device", "said"),
    [
        ("data", True, "keep the data on the device"),
        ("data", False, "keep the data in memory"),
        ("communication", True, "--trainer.compression bfloat16"),
        ("optimizer", False, "--trainer.accumulate"),
        ("other", True, "--trainer.log-every"),
        ("idle", False, "--trainer.checkpoint-every"),
        ("forward", False, "The network itself takes 100 percent of the time, most of it in aten::mm, as it should"),
    ],
)  # fmt: skip
def test_advice(part: str, on_device: bool, said: str) -> None:
    shares = {name: float(name == part) for name in PARTS}
    assert said in advise(shares, "aten::mm", on_device=on_device)


def test_a_trace_is_read_back(tmp_path: Path) -> None:
    events = [
        {"ph": "M", "name": "process_name", "pid": 7, "args": {"name": "python"}},
        {"ph": "X", "cat": "kernel", "name": "sgemm", "pid": 0, "tid": 7, "ts": 10.5, "dur": 2,
         "args": {"correlation": 3, "External id": 5}},
        {"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 7, "tid": 8, "ts": 1, "dur": 1.5},
    ]  # fmt: skip
    path = tmp_path / "trace.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"traceEvents": events}).encode()))
    assert read_trace(path) == [
        Event("kernel", "sgemm", 10.5, 12.5, "0/7", correlation=3, operator=5),
        Event("cpu_op", "aten::mm", 1, 2.5, "7/8"),
    ]
