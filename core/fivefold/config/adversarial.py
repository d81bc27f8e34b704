"""Settings of generative adversarial networks and of how they are trained."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from fivefold.config.models import OptimizerConfig, ScheduleConfig, StrictModel

LossKind = Literal["non-saturating", "hinge", "wasserstein", "relativistic"]
Policy = Literal["colour", "translation", "cutout"]
DiscriminatorNorm = Literal["spectral", "batch", "none"]


class GeneratorConfig(StrictModel):
    """The network that makes images of noise."""

    kind: Literal["dcgan", "resnet"] = "dcgan"
    """Architecture: transposed convolutions (dcgan), or residual blocks (resnet)."""
    latent: int = Field(128, ge=1)
    """Numbers of noise an image."""
    width: int = Field(64, ge=1)
    """Channels of the widest maps; they double with each halving of the edge."""
    widest: int = Field(512, ge=1)
    """Most channels of a layer."""
    norm: Literal["batch", "group"] = "batch"
    """Normalisation over the batch, or over groups of channels of each sample."""


class DiscriminatorConfig(StrictModel):
    """The network that tells generated images from real ones; with classes it has a projection on them."""

    kind: Literal["dcgan", "resnet"] = "dcgan"
    """Architecture: strided convolutions (dcgan), or residual blocks (resnet)."""
    width: int = Field(64, ge=1)
    """Channels of the first layer; they double with each halving of the edge."""
    widest: int = Field(512, ge=1)
    """Most channels of a layer."""
    norm: DiscriminatorNorm = "spectral"
    """Spectral norms of the layers held at 1, normalisation over the batch, or neither."""


class AdversarialConfig(StrictModel):
    """How generator and discriminator are trained."""

    loss: LossKind = "non-saturating"
    """Non-saturating (Goodfellow 2014), hinge (Miyato 2018), Wasserstein, or relativistic pairs (R3GAN, Huang 2024)."""
    r1: float = Field(0.0, ge=0)
    """Weight gamma of the squared gradient at real images, gamma / 2 each (Mescheder 2018)."""
    r2: float = Field(0.0, ge=0)
    """Weight gamma of the squared gradient at generated images, gamma / 2 each."""
    gradient_penalty: float = Field(0.0, ge=0)
    """Weight of (gradient norm - 1)^2 between real and generated images (WGAN-GP, Gulrajani 2017)."""
    penalty_every: int = Field(1, ge=1)
    """Batches of the discriminator from one penalty to the next, which then weighs as many times as much."""
    discriminator_steps: int = Field(1, ge=1)
    """Updates of the discriminator at each step."""
    augment: tuple[Policy, ...] = ()
    """Differentiable augmentation of real and generated images (Zhao 2020)."""
    adaptive: float | None = Field(None, gt=0, lt=1)
    """Apply augmentation with the chance that holds the mean sign of the discriminator on real images here
    (Karras 2020, 0.6); always where not given."""
    adaptive_images: int = Field(500_000, ge=1)
    """Real images over which that chance can rise from 0 to 1."""
    generator: OptimizerConfig = OptimizerConfig(lr=2e-4, momentum=0.5, weight_decay=0.0)
    """How the generator is updated."""
    discriminator: OptimizerConfig = OptimizerConfig(lr=2e-4, momentum=0.5, weight_decay=0.0)
    """How the discriminator is updated; another rate than the generator's makes two time scales (Heusel 2017)."""
    schedule: ScheduleConfig = ScheduleConfig(name="constant")
    """How both learning rates move."""
    alarms: Literal["stop", "warn", "off"] = "stop"
    """On a collapse: warn and, if it lasts, stop; warn only; or say nothing."""

    @model_validator(mode="after")
    def _something_to_adapt(self) -> Self:
        if self.adaptive is not None and not self.augment:
            raise ValueError(
                "'adaptive' sets the chance of augmentation, and 'augment' is empty; name colour, translation or cutout"
            )
        return self
