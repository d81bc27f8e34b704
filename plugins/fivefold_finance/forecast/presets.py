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
    """DLinear from 512 steps, up to 10 epochs: minutes on 2 CPU cores."""
    return ForecastConfig(
        lookback=512,
        epochs=10,
        batch_size=64,
        model=ModelConfig(kind="dlinear"),
        optimizer=OptimizerConfig(lr=1e-3, weight_decay=0.0),
        trainer=TrainerConfig(patience=4),
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


def returns() -> ForecastConfig:
    """A small GRU for daily returns of prices, one step ahead: a minute on 2 CPU cores; expect no evidence of skill."""
    return ForecastConfig(
        horizon=1,
        lookback=32,
        epochs=10,
        batch_size=128,
        model=ModelConfig(kind="gru", hidden=16, dropout=0.3),
        optimizer=OptimizerConfig(lr=3e-4, weight_decay=1.0, clip_norm=1.0),
        trainer=TrainerConfig(patience=4),
    )


PRESETS = {"quick": quick, "returns": returns, "standard": standard, "best": best}
