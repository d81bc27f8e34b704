"""Presets of image generation. Scores are of Fashion-MNIST; see ``docs/benchmarks.md``."""

from __future__ import annotations

from typing import Any

from fivefold.config import OptimizerConfig, ScheduleConfig, TrainerConfig
from fivefold.config.adversarial import AdversarialConfig, DiscriminatorConfig, GeneratorConfig
from fivefold_vision.generate.config import AugmentConfig, GenerateConfig


def quick() -> GenerateConfig:
    """A small DCGAN for --conditional: 18 minutes on one CPU core for 60,000 images of 28 pixels; FID 0.74 measured."""
    return _small(
        AdversarialConfig(loss="hinge", **_rates(4e-4, 8e-4)), DiscriminatorConfig(width=32, widest=128)
    )


def unconditional() -> GenerateConfig:
    """The same without classes, its discriminator normalised by batch: 15 minutes on one CPU core; FID 4.9 measured."""
    return _small(
        AdversarialConfig(loss="non-saturating", **_rates(4e-4, 2e-4)),
        DiscriminatorConfig(width=32, widest=128, norm="batch"),
    )


def _small(adversarial: AdversarialConfig, discriminator: DiscriminatorConfig) -> GenerateConfig:
    return GenerateConfig(
        epochs=14,
        batch_size=32,
        generator=GeneratorConfig(latent=64, width=32, widest=128),
        discriminator=discriminator,
        adversarial=adversarial,
        trainer=TrainerConfig(ema=0.999, patience=6),
    )


def _rates(generator: float, discriminator: float) -> dict[str, Any]:
    return {
        "generator": OptimizerConfig(lr=generator, momentum=0.5, weight_decay=0.0),
        "discriminator": OptimizerConfig(lr=discriminator, momentum=0.5, weight_decay=0.0),
        "schedule": ScheduleConfig(name="cosine", warmup=0.0),
    }


def standard() -> GenerateConfig:
    """Residual networks with spectral norm and averaged weights: for a GPU; not yet measured; mirrors images."""
    return GenerateConfig(
        epochs=100,
        batch_size=64,
        augment=AugmentConfig(flip=0.5),
        generator=GeneratorConfig(kind="resnet", width=128, widest=256),
        discriminator=DiscriminatorConfig(kind="resnet", width=128, widest=128),
        adversarial=AdversarialConfig(
            loss="hinge",
            discriminator_steps=2,
            augment=("translation",),
            adaptive=0.6,
            generator=OptimizerConfig(lr=2e-4, momentum=0.0, weight_decay=0.0),
            discriminator=OptimizerConfig(lr=2e-4, momentum=0.0, weight_decay=0.0),
        ),
        trainer=TrainerConfig(ema=0.999, patience=20),
    )


def best() -> GenerateConfig:
    """Wider residual networks, relativistic pairs, gradient penalties: for a GPU; not yet measured; mirrors images."""
    return GenerateConfig(
        epochs=300,
        batch_size=128,
        augment=AugmentConfig(flip=0.5),
        generator=GeneratorConfig(kind="resnet", width=256, widest=512),
        discriminator=DiscriminatorConfig(kind="resnet", width=128, widest=512, norm="none"),
        adversarial=AdversarialConfig(
            loss="relativistic",
            r1=1.0,
            r2=1.0,
            augment=("colour", "translation", "cutout"),
            adaptive=0.6,
            generator=OptimizerConfig(lr=2e-4, momentum=0.0, beta2=0.99, weight_decay=0.0),
            discriminator=OptimizerConfig(lr=2e-4, momentum=0.0, beta2=0.99, weight_decay=0.0),
        ),
        trainer=TrainerConfig(ema=0.9995, patience=40),
        judged_while_training=5_000,
    )


PRESETS = {"quick": quick, "unconditional": unconditional, "standard": standard, "best": best}
