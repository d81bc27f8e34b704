"""Presets of text generation. Scores are nats per character on the last tenth of Tiny Shakespeare."""

from __future__ import annotations

from fivefold.config import OptimizerConfig, ScheduleConfig, TrainerConfig
from fivefold_nlp.generate.config import GenerateConfig, ModelConfig


def quick() -> GenerateConfig:
    """An LSTM of 512 with averaged weights, 30 epochs: 27 minutes on one CPU core with bfloat16, 1.420 measured.

    A Witten-Bell 5-gram reaches 1.672 from the same training split.
    """
    return GenerateConfig(
        epochs=30,
        batch_size=64,
        context=128,
        optimizer=OptimizerConfig(lr=4e-3, weight_decay=0.05, clip_norm=1.0),
        schedule=ScheduleConfig(name="cosine", warmup=0.03, final=0.02),
        trainer=TrainerConfig(ema=0.995),
        model=ModelConfig(kind="lstm", hidden=512, layers=1, dropout=0.4),
    )


def standard() -> GenerateConfig:
    """A GPT of 6 layers and 10.6 million parameters, 5,000 updates of 64 windows: for a GPU, not yet measured.

    Sizes are those of nanoGPT's configuration for this text, whose own page states 1.4697.
    """
    return GenerateConfig(
        epochs=91,
        batch_size=64,
        context=256,
        optimizer=OptimizerConfig(lr=1e-3, weight_decay=0.1, beta2=0.99, clip_norm=1.0),
        schedule=ScheduleConfig(name="cosine", warmup=0.02, final=0.1),
        model=ModelConfig(kind="gpt", hidden=384, layers=6, heads=6, dropout=0.2),
    )


PRESETS = {"quick": quick, "standard": standard}
