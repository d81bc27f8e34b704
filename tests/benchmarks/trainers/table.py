"""The figures of a comparison, and the table of them."""

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
        difference: largest difference of a weight from the hand-written loop's after the same steps; None where that
            did not run.
        impossible: why there is nothing, where the trainer cannot do it.
    """

    name: str
    seconds: list[float] = field(default_factory=list)
    difference: float | None = None
    impossible: str | None = None


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def lines(results: dict[str, Result]) -> Iterator[str]:
    """A table in microseconds a step; the last columns compare within each round with the hand-written loop."""
    yield (
        f"{'trainer':<18} {'median':>10} {'quartiles':>21} {'over hand':>10} {'quartiles':>19} {'':>7}  weights"
    )
    hand = results.get(HAND)
    for result in results.values():
        if result.impossible is not None:
            yield f"{result.name:<18} not possible: {result.impossible}"
            continue
        low, middle, high = (1e6 * value for value in _quartiles(result.seconds))
        line = f"{result.name:<18} {middle:>10,.0f} {f'{low:,.0f} to {high:,.0f}':>21}"
        yield line + _comparison(result, hand)


def _comparison(result: Result, hand: Result | None) -> str:
    if hand is None or result is hand:
        return ""
    pairs = list(zip(result.seconds, hand.seconds, strict=True))
    low, middle, high = (1e6 * value for value in _quartiles([own - other for own, other in pairs]))
    share = statistics.median(own / other - 1 for own, other in pairs)
    agreement = "equal" if result.difference == 0 else f"differ by {result.difference:.1g}"
    return f" {middle:>+10,.0f} {f'{low:+,.0f} to {high:+,.0f}':>19} {share:>+7.1%}  {agreement}"


def as_values(results: dict[str, Result]) -> dict[str, Any]:
    """The figures as JSON values: seconds a step of each round."""
    return {key: asdict(result) for key, result in results.items()}
