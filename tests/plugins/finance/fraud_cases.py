"""Small tables of transactions, written as files, and a trained task on them."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fivefold.data.dataset import Facts
from fivefold_finance.fraud.config import FraudConfig, FraudModelConfig
from fivefold_finance.fraud.pipeline import Fraud

HEAD = ("time", "card", "amount", "x", "shop", "fraud")
SMALL = FraudModelConfig(hidden=8, layers=1, members=2, state=6, bottleneck=2)


def write_csv(path: Path, rows: Sequence[Sequence[object]], head: Sequence[str] = HEAD) -> Path:
    """A table of rows; None is an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return path


def payments(count: int = 200, seed: int = 0, cards: int = 7) -> list[list[Any]]:
    """Rows in order of time: irregular, some cells missing, one in eight a fraud."""
    draw = np.random.default_rng(seed)
    seconds = np.cumsum(draw.integers(0, 4000, count))
    rows: list[list[Any]] = []
    for place in range(count):
        fraud = int(draw.random() < 1 / 8)
        amount = round(float(draw.lognormal(2 + 2 * fraud, 0.5)), 2)
        x = None if draw.random() < 0.1 else round(float(draw.normal(fraud)), 3)
        shop = None if draw.random() < 0.1 else f"s{draw.integers(4)}"
        rows.append([int(seconds[place]), f"c{draw.integers(cards)}", amount, x, shop, fraud])
    return rows


def config(kind: str = "gru", **more: Any) -> FraudConfig:
    """A config small enough for tests."""
    settings = {"model": SMALL.model_copy(update={"kind": kind}), "lookback": 4, "days": 0.2, "rare": 3}
    return FraudConfig(**{**settings, **more})


def fitted(path: Path, settings: FraudConfig) -> tuple[Fraud, Any]:
    """The pipeline with the facts of its training split, and its task with quantiles, untrained."""
    pipeline = Fraud(settings)
    splits = pipeline.split(pipeline.read(path))
    train = pipeline.samples(splits.train)
    pipeline.facts = Facts(train.facts)
    torch.manual_seed(0)
    task = pipeline.task(pipeline.facts)
    task.prepare(train)
    return pipeline, task.eval()


def objects(rows: Sequence[Sequence[object]], head: Sequence[str] = HEAD) -> list[Mapping[str, object]]:
    """The same rows as mappings."""
    return [dict(zip(head, row, strict=True)) for row in rows]
