"""ETTh1 by the published protocol: sizes of the splits, and the figure of the last value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fivefold.evaluation.baselines.forecast import RepeatLast
from fivefold_finance.forecast.config import ForecastConfig
from fivefold_finance.forecast.pipeline import Forecast

PUBLISHED = 2784
"""Test windows of published code, which drops the last, incomplete batch of 32."""


def test_the_last_value_has_the_published_error(shared: Path) -> None:
    settings = {"lookback": 336, "horizon": 96, "split": {"sizes": (8640, 2880, 2880)}}
    pipeline = Forecast(ForecastConfig.model_validate(settings))
    splits = pipeline.split(pipeline.read(shared / "ett" / "ETTh1.csv"))
    assert (len(splits.train), len(splits.val), len(splits.test)) == (8209, 2785, 2785)
    train = pipeline.samples(splits.train)
    pipeline.facts = train.facts
    test = pipeline.samples(splits.test)
    baseline = RepeatLast()
    baseline.fit(train)
    target = test.batch(torch.arange(len(test)))["target"].double().numpy()
    error = (baseline.predict(test)["prediction"] - target) / np.array(train.facts.column_scale)[:7]
    assert (error**2).mean() == pytest.approx(1.2944, abs=5e-5)
    assert np.abs(error).mean() == pytest.approx(0.7132, abs=5e-5)
    assert round(float((error[:PUBLISHED] ** 2).mean()), 3) == 1.295
    assert round(float(np.abs(error[:PUBLISHED]).mean()), 3) == 0.713
