"""Numbers as people read them: alike within one interval or sentence, with the digits that the interval bears out."""

from __future__ import annotations

from math import floor, inf, isfinite, log10, nan

NOTHING = 1e-12
"""What is closer to zero is printed as zero: it is what rounding leaves, or too little for any decision."""

MOST_DECIMALS = 7
"""Where an interval asks for more decimals than this, each number keeps its own three digits instead."""

NOT_DETERMINED = "not determined"
"""Printed in place of an interval that cannot be had."""

_WAYS = ((1e-3, ".3g"), (10.0, ".3f"), (1000.0, ".1f"), (1e7, ".0f"), (inf, ".3g"))
"""Sizes below which a number by itself is printed so."""

_DECIMALS = ((10.0, 3), (1000.0, 1), (1e7, 0))
"""Decimals at least of numbers that stand together, by the size below which the largest of them is."""


def number(value: float, sign: str = "", decimals: int | None = None) -> str:
    """A number for people: three decimals below ten, whole above a thousand, few digits where it is tiny.

    Args:
        value: the number.
        sign: ``+`` always shows the sign.
        decimals: how many, where the number stands beside others (see `decimals_for`); None for one by itself.
    """
    size = abs(value)
    if size < NOTHING:
        value = 0.0
    if decimals is not None:
        # Adding zero turns the "-0.0" that rounding may leave into "0.0".
        return f"{round(value, decimals) + 0.0:{sign}.{decimals}f}"
    style = ".0f" if value == 0 else next((way for limit, way in _WAYS if size < limit), ".3g")
    return f"{value:{sign}{style}}"


def decimals_for(low: float, high: float, *beside: float) -> int | None:
    """Decimals of the ends of an interval and of the numbers that stand beside it.

    They show two digits of the interval's width: more would be noise, fewer might hide on which side of zero it lies.
    Numbers that their size alone gives more decimals keep these.

    Args:
        low: end of the interval.
        high: the other end.
        beside: numbers of the same sentence or row; what is not finite does not count.

    Returns:
        How many; None where the interval has no width or is not defined, or numbers are so large or so small that
        they are better printed each for itself.
    """
    width = high - low
    if not isfinite(width) or width < NOTHING:
        return None
    largest = max(abs(value) for value in (low, high, *beside) if isfinite(value))
    least = next((decimals for limit, decimals in _DECIMALS if largest < limit), None)
    wanted = 1 - floor(log10(width))
    if least is None or wanted > MOST_DECIMALS:
        return None
    return max(least, wanted)


def number_range(low: float, high: float, *beside: float, sign: str = "") -> str:
    """The ends of an interval, ``0.893 to 0.931``, with the decimals that it has beside other numbers."""
    if not (isfinite(low) and isfinite(high)):
        return NOT_DETERMINED
    decimals = decimals_for(low, high, *beside)
    return f"{number(low, sign, decimals)} to {number(high, sign, decimals)}"


def told_values(
    value: float | None, low: float | None, high: float | None, *, percent: bool
) -> tuple[str, str]:
    """A value and its interval, as reports and the terminal print them: ``0.931`` and ``0.912 to 0.950``.

    Args:
        value: None or nan where it is not defined.
        low: end of the interval; None or nan where it is not determined.
        high: the other end.
        percent: whether all are shares, printed as ``93.1 %`` and ``91.2 to 95.0 %``.
    """
    own, ends = (nan if value is None else value), [nan if end is None else end for end in (low, high)]
    decimals = None if percent else decimals_for(*ends, own)

    def printed(one: float) -> str:
        if not isfinite(one):
            return "not defined"
        return f"{100 * one:.1f} %" if percent else number(one, decimals=decimals)

    span = told_range(printed(ends[0]), printed(ends[1])) if all(map(isfinite, ends)) else NOT_DETERMINED
    return printed(own), span


def told_range(low: str, high: str) -> str:
    """``91.2 % to 93.0 %`` as ``91.2 to 93.0 %``: a unit that both ends share is written once."""
    for unit in (" %", " points"):
        if low.endswith(unit) and high.endswith(unit):
            low = low.removesuffix(unit)
    return f"{low} to {high}"
