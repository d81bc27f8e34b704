"""The figures of a comparison, and the table of them.

Beside medians over rounds stands the lower quartile of all single steps: on a machine that others use, too, the
quicker quarter of the steps is what was disturbed least. (Log lines, one step in a hundred, are not in it.)
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

HAND = "hand"


@dataclass
class Result:
    """One trainer on one problem.

    Attributes:
        name: of the trainer.
        seconds: a step, one value a round.
        single: of each step of all rounds.
        difference: largest difference of a weight from the hand-written loop's after the same steps; None where that
            did not run.
        impossible: why there is nothing, where the trainer cannot do it.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    difference: float | None = None
    impossible: str | None = None


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def lines(results: dict[str, Result]) -> Iterator[str]:
    """A table in microseconds a step; the last columns compare within each round with the hand-written loop."""
    head = f"{'trainer':<18} {'median':>10} {'quartiles':>21} {'over hand':>10} {'quartiles':>19}"
    yield f"{head} {'':>7} {'quick step':>11} {'':>7}  weights"
    hand = results.get(HAND)
    for result in results.values():
        if result.impossible is not None:
            yield f"{result.name:<18} not possible: {result.impossible}"
            continue
        low, middle, high = (1e6 * value for value in _quartiles(result.seconds))
        line = f"{result.name:<18} {middle:>10,.0f} {f'{low:,.0f} to {high:,.0f}':>21}"
        yield line + _comparison(result, hand or result)


def _comparison(result: Result, hand: Result) -> str:
    quick, reference = _quartiles(result.single)[0], _quartiles(hand.single)[0]
    if result is hand:
        return f"{'':>39} {1e6 * quick:>11,.0f}"
    pairs = list(zip(result.seconds, hand.seconds, strict=True))
    low, middle, high = (1e6 * value for value in _quartiles([own - other for own, other in pairs]))
    share = statistics.median(own / other - 1 for own, other in pairs)
    agreement = "equal" if result.difference == 0 else f"differ by {result.difference:.1g}"
    return (
        f" {middle:>+10,.0f} {f'{low:+,.0f} to {high:+,.0f}':>19} {share:>+7.1%}"
        f" {1e6 * quick:>11,.0f} {quick / reference - 1:>+7.1%}  {agreement}"
    )


def as_values(results: dict[str, Result]) -> dict[str, Any]:
    """The figures as JSON values: seconds a step of each round."""
    return {key: asdict(result) for key, result in results.items()}
