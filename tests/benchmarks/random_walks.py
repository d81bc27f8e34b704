"""How often a forecast of random walks is said to beat something: ``python tests/benchmarks/random_walks.py 100``.

Each walk has 1,200 daily bars, geometric, without drift, at volatility 1 %. Each is trained, judged and given its
verdict as a user would: ``fivefold finance forecast train walk.csv --preset returns``. Nothing can be known of the next
step, so each "beats" is a false one.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

import fivefold

BARS = 1200
VOLATILITY = 0.01


def main(count: int) -> None:
    """Train on ``count`` walks and print the verdicts."""
    overall: Counter[str] = Counter()
    by_baseline: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            source = Path(folder) / f"walk-{seed}.csv"
            write_walk(source, seed)
            run = fivefold.train(
                "finance/forecast", source, preset="returns", out=Path(folder) / f"run-{seed}", seed=seed
            )
            report = run.report or {}
            overall[report["verdict"]["verdict"]] += 1
            by_baseline.update(
                (one["baseline"], one["verdict"]) for one in report["comparisons"] if one["metric"] == "MSE"
            )
    sys.stdout.write(f"verdicts on {count} walks: {dict(overall)}\n")
    for (baseline, verdict), times in sorted(by_baseline.items()):
        sys.stdout.write(f"{baseline}: {verdict} {times}\n")


def write_walk(path: Path, seed: int) -> None:
    """A walk as a table of daily closes."""
    generator = np.random.default_rng(seed)
    closes = 100 * np.exp(np.cumsum(generator.normal(0, VOLATILITY, BARS)))
    days = np.busday_offset("2015-01-05", np.arange(BARS))
    lines = [f"{day},{close:.6f}" for day, close in zip(days, closes, strict=True)]
    path.write_text("\n".join(["date,close", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
