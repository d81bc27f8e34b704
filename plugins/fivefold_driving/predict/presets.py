"""Presets of behaviour prediction. Scores are means of the five ETH/UCY scenes; see ``docs/benchmarks.md``."""

from __future__ import annotations

from fivefold.config import OptimizerConfig, ScheduleConfig, TrainerConfig
from fivefold_driving.predict.config import ModelConfig, PredictConfig


def quick() -> PredictConfig:
    """Attention over neighbours, one track each: minutes a scene on 2 CPU cores, ADE/FDE 0.499/1.059 measured."""
    return PredictConfig(
        epochs=15,
        batch_size=32,
        optimizer=OptimizerConfig(lr=2e-3, weight_decay=0.01, clip_norm=1.0),
        schedule=ScheduleConfig(warmup=0.1),
        trainer=TrainerConfig(ema=0.995),
    )


def several() -> PredictConfig:
    """A Social-GAN with 20 futures: minutes a scene on 2 CPU cores; 0.252/0.461 per agent, 0.361/0.720 joint."""
    return PredictConfig(
        epochs=10,
        batch_size=32,
        model=ModelConfig(kind="social-gan"),
        optimizer=OptimizerConfig(lr=2e-3, weight_decay=0.01, clip_norm=1.0),
        schedule=ScheduleConfig(warmup=0.1),
        trainer=TrainerConfig(ema=0.995),
    )


PRESETS = {"quick": quick, "several": several}
