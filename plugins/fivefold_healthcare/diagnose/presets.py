"""Presets of diagnosis. Scores are of PneumoniaMNIST at 28 pixels; see ``docs/benchmarks.md``."""

from __future__ import annotations

from fivefold.config import OptimizerConfig, ScheduleConfig, TrainerConfig
from fivefold.config.image_network import ImageNetworkConfig
from fivefold.config.image_variation import AffineConfig, ImageVariation
from fivefold_healthcare.diagnose.config import DiagnoseConfig


def quick() -> DiagnoseConfig:
    """A compact CNN with averaged weights, 20 epochs: minutes on 2 CPU cores for 5,000 images of 28 pixels."""
    return DiagnoseConfig(
        epochs=20,
        batch_size=64,
        optimizer=OptimizerConfig(lr=4e-3, weight_decay=0.05),
        schedule=ScheduleConfig(warmup=0.2),
        trainer=TrainerConfig(ema=0.99),
        augment=ImageVariation(crop=0.04),
    )


def standard() -> DiagnoseConfig:
    """EfficientNet-Lite0 from ImageNet at 224 pixels, 15 epochs: for a GPU; not yet measured."""
    return DiagnoseConfig(
        epochs=15,
        batch_size=32,
        model=ImageNetworkConfig(kind="efficientnet-lite0"),
        optimizer=OptimizerConfig(lr=5e-4, weight_decay=0.05),
        trainer=TrainerConfig(ema=0.995),
        augment=ImageVariation(crop=0.08, affine=AffineConfig(degrees=8, scale=0.1)),
    )


PRESETS = {"quick": quick, "standard": standard}
