"""Windows a second into the trainer, against a plain indexed tensor.

    python tests/benchmarks/windows.py

Both go through the trainer's loader, an epoch of shuffled batches of 64 a round, in turn; the plain tensor holds every
window laid out in memory, as most code does. Windows of one series without a gap are views of it; those of several lie
in memory where they take little, and are gathered batch by batch by the loader's two threads where they take much.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator

import numpy as np
import torch

from fivefold.data.dataset import Dataset, Facts, TensorDataset, all_samples
from fivefold.training.loading.loader import Loader
from fivefold_finance.forecast import data
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.data import Origins, measure
from fivefold_finance.forecast.reading import origins_of
from fivefold_finance.series.schema import Series, SeriesSet

ROUNDS, BATCH = 15, 64


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    for what, count, length, columns, lookback, horizon, held in (
        ("one series as of ETTh1 (7 columns, look-back 336, horizon 96), a view", 1, 9_000, 7, 336, 96, True),
        ("50 series of 3,000 bars (1 column, look-back 64, horizon 5), laid out", 50, 3_000, 1, 64, 5, True),
        ("the same, gathered", 50, 3_000, 1, 64, 5, False),
        (
            "10 series of 3,000 bars (7 columns, look-back 336, horizon 96), gathered",
            10,
            3_000,
            7,
            336,
            96,
            False,
        ),
    ):
        ours = origins(count, length, columns, lookback, horizon, held=held)
        plain = TensorDataset(
            {name: tensor.clone() for name, tensor in all_samples(ours).items()}, facts=Facts(), ids=ours.ids
        )
        order = (("fivefold", ours), ("plain", plain))
        rates: dict[str, list[float]] = {"fivefold": [], "plain": []}
        for turn in range(ROUNDS):
            for name, samples in order if turn % 2 else order[::-1]:
                rates[name].append(rate(samples, turn))
        say(what, rates)


def origins(count: int, length: int, columns: int, lookback: int, horizon: int, *, held: bool) -> Origins:
    """Series of noise as samples."""
    generator = np.random.default_rng(0)
    times = np.datetime64("2016-07-01", "ns") + np.arange(length) * np.timedelta64(1, "h")
    series = tuple(
        Series(
            f"s{number}",
            times,
            {f"c{column}": generator.normal(size=length) for column in range(columns)},
            "UTC",
            None,
            np.arange(length),
        )
        for number in range(count)
    )
    config = ForecastConfig(lookback=lookback, horizon=horizon)
    table = origins_of(SeriesSet(series, "noise"), config, None).table
    data.HELD = 2**40 if held else 0
    return Origins(table, measure(table, None, by_symbol=False))


def rate(samples: Dataset, turn: int) -> float:
    """Windows a second over an epoch."""
    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(turn))
    with Loader(samples, torch.device("cpu"), workers=2, memory_share=0.25) as loader:
        batches: Iterator[object] = loader.read(list(torch.split(order, BATCH)))
        next(batches)  # the workers have started
        began = time.perf_counter()
        for _ in batches:
            pass
        return (len(samples) - BATCH) / (time.perf_counter() - began)


def say(what: str, rates: dict[str, list[float]]) -> None:
    """Medians with quartiles, and the ratio within a round."""
    sys.stdout.write(f"{what}\n")
    for name, values in rates.items():
        low, middle, high = statistics.quantiles(values, n=4)
        sys.stdout.write(f"  {name:9} {middle:12,.0f} windows/s ({low:,.0f} to {high:,.0f})\n")
    ratios = [plain / ours for ours, plain in zip(rates["fivefold"], rates["plain"], strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    sys.stdout.write(f"  time of fivefold / plain {middle:.2f} ({low:.2f} to {high:.2f})\n")


if __name__ == "__main__":
    main()
