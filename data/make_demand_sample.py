"""Make ``fivefold_data/samples/demand.csv``: the hourly demand for power of a made-up town, 120 days.

Run: ``python data/make_demand_sample.py``. The file is the same, byte for byte, each time.

Demand follows the hour, the weekday, the temperature and holidays, and wanders: its noise is autocorrelated, so that
what happened in the last hours tells something of the next ones, and not everything.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

TARGET = Path(__file__).parent / "fivefold_data" / "samples" / "demand.csv"
START = np.datetime64("2025-01-06T00:00")  # a Monday
DAYS = 120
HOLIDAYS = {18, 46, 81, 84, 102}
"""Days of the series on which the town rests."""
SATURDAY = 5
MORNING, EVENING = 8.0, 19.0


def main() -> None:
    """Write the sample."""
    generator = np.random.default_rng(2025)
    lines = ["time,demand,temperature,holiday"]
    wander = chill = 0.0
    for hour in range(24 * DAYS):
        day, clock = divmod(hour, 24)
        chill = 0.97 * chill + generator.normal(0, 0.6)
        temperature = 2 + 14 * day / DAYS - 4 * math.cos(2 * math.pi * (clock - 3) / 24) + chill
        rests = day in HOLIDAYS or day % 7 >= SATURDAY
        wander = 0.9 * wander + generator.normal(0, 0.8)
        demand = 40 + 0.7 * max(0.0, 16 - temperature) + wander
        demand += _peak(clock, MORNING, 6 if rests else 14) + _peak(clock, EVENING, 12 if rests else 17)
        time = START + np.timedelta64(hour, "h")
        lines.append(f"{time}:00Z,{demand:.2f},{temperature:.1f},{int(day in HOLIDAYS)}")
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _peak(clock: float, centre: float, height: float) -> float:
    """A bump of the day, ``height`` at its centre."""
    away = min(abs(clock - centre), 24 - abs(clock - centre))
    return height * math.exp(-((away / 2.5) ** 2))


if __name__ == "__main__":
    main()
