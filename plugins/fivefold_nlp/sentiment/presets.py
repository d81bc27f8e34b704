"""Presets of sentiment analysis. Scores are accuracies over ten folds of the 10,662 Rotten Tomatoes sentences.

See ``docs/benchmarks.md``.
"""

from __future__ import annotations

from fivefold.config import OptimizerConfig, ScheduleConfig
from fivefold_nlp.sentiment.config import ModelConfig, SentimentConfig


def quick() -> SentimentConfig:
    """A bidirectional LSTM from nothing: a minute or two on one CPU core, 0.779 measured."""
    return SentimentConfig(
        epochs=6,
        batch_size=64,
        optimizer=OptimizerConfig(lr=2e-3, weight_decay=0.05),
        model=ModelConfig(kind="lstm", dropout=0.5),
    )


def standard() -> SentimentConfig:
    """MiniLM-L6 fine-tuned, two epochs: about four minutes on one CPU core with bfloat16, 0.840 measured."""
    return SentimentConfig(
        epochs=2,
        batch_size=32,
        optimizer=OptimizerConfig(lr=1e-4, weight_decay=0.01, clip_norm=1.0),
        schedule=ScheduleConfig(warmup=0.1),
        model=ModelConfig(kind="huggingface", name="minilm-l6", dropout=0.1),
    )


PRESETS = {"quick": quick, "standard": standard}
