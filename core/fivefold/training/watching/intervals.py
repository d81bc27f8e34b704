"""Stretches of time as sorted lists of disjoint (start, end) pairs: what a trace is reckoned with."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

Intervals = list[tuple[float, float]]


def union(pairs: Iterable[tuple[float, float]]) -> Intervals:
    """The time that at least one of ``pairs`` covers; they come in any order and may overlap."""
    merged: Intervals = []
    for start, end in sorted(pairs):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def minus(these: Intervals, others: Intervals) -> Intervals:
    """The time in ``these`` that is not in ``others``."""
    left: Intervals = []
    place = 0
    for start, end in these:
        while place < len(others) and others[place][1] <= start:
            place += 1
        at = place
        while at < len(others) and others[at][0] < end:
            if others[at][0] > start:
                left.append((start, others[at][0]))
            start = max(start, others[at][1])  # noqa: PLW2901 - what is left of the pair
            at += 1
        if start < end:
            left.append((start, end))
    return left


def within(these: Intervals, others: Intervals) -> Intervals:
    """The time in both."""
    return minus(these, minus(these, others))


def length(intervals: Intervals) -> float:
    """All of it, summed."""
    return sum(end - start for start, end in intervals)


def holds(intervals: Intervals, moment: float) -> bool:
    """Whether ``moment`` lies in one of them."""
    place = bisect_right(intervals, moment, key=lambda pair: pair[0])
    return place > 0 and moment < intervals[place - 1][1]
