"""Presets of forecasting. Scores are MSE and MAE on ETTh1 at horizon 96; see ``docs/benchmarks.md``."""

from __future__ import annotations

from fivefold.config import OptimizerConfig, TrainerConfig
from fivefold_finance.forecast.config import ForecastConfig, ModelConfig


def quick() -> ForecastConfig:
    """A linear map of trend and remainder (DLinear), five epochs: seconds to a minute on 2 CPU cores."""
    return ForecastConfig(
        epochs=5,
        batch_size=64,
        model=ModelConfig(kind="dlinear"),
        optimizer=OptimizerConfig(lr=1e-3, weight_decay=0.0),
    )


def standard() -> ForecastConfig:
    """DLinear from 336 steps, up to 20 epochs: minutes on 2 CPU cores."""
    return ForecastConfig(
        lookback=336,
        epochs=20,
        batch_size=64,
        model=ModelConfig(kind="dlinear"),
        optimizer=OptimizerConfig(lr=1e-3, weight_decay=1e-4),
        trainer=TrainerConfig(patience=5),
    )


def best() -> ForecastConfig:
    """A transformer over patches (PatchTST) of 512 steps, up to 100 epochs: for a GPU, or hours on 2 CPU cores."""
    return ForecastConfig(
        lookback=512,
        epochs=100,
        batch_size=128,
        model=ModelConfig(kind="patch-tst"),
        optimizer=OptimizerConfig(lr=1e-4, weight_decay=0.0, clip_norm=1.0),
        trainer=TrainerConfig(patience=10),
    )


PRESETS = {"quick": quick, "standard": standard, "best": best}
