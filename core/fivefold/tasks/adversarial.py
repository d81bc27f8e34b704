"""Generative adversarial networks: images from noise, by a generator and a discriminator that train against each other.

Goodfellow et al. 2014, arXiv:1406.2661.
Shapes: ``B`` batch, ``Z`` latent width, ``C`` channels, ``S`` edge of the square image, ``D`` features.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from fivefold.config.adversarial import AdversarialConfig
from fivefold.data.dataset import Batch, Facts
from fivefold.nn.differentiable_augmentation import DRAWS, DifferentiableAugmentation
from fivefold.nn.generation.draws import normals, uniforms
from fivefold.nn.generation.latents import truncated
from fivefold.nn.generation.losses import accuracy, discriminator_loss, generator_loss
from fivefold.nn.generation.penalties import interpolation_penalty, scored_with_slope
from fivefold.tasks.adaptive import AdaptiveChance
from fivefold.tasks.base import Loss, Phase, Task
from fivefold.tasks.counter import BatchCounter
from fivefold.training.seeds import Purpose, derive_seed

if TYPE_CHECKING:
    from fivefold.evaluation.evaluation import Evaluation
    from fivefold.evaluation.metric import Metric
    from fivefold.evaluation.section import Section
    from fivefold.training.callback import Callback

DISCRIMINATOR, GENERATOR = "discriminator", "generator"
PHASES = (DISCRIMINATOR, GENERATOR)


class Stream(IntEnum):
    """What random numbers are for, so that no two streams coincide."""

    NOISE = 1
    REAL = 2
    FAKE = 3
    BETWEEN = 4
    SHOWN = 5


class Adversarial(Task):
    """A generator and a discriminator, in two phases.

    Batches hold ``input``, images ``(B, C, S, S)``, uint8 or float from 0 to 1; ``index``, each sample's number in its
    dataset, int64 ``(B,)``; and where there are classes ``label``, int64 ``(B,)``, which generated images share.

    Random numbers of a sample follow from the seed, the number of batches its phase has seen and the sample's
    ``index``, and from nothing else: so a training that goes on from a checkpoint, or is shared by several processes,
    draws what one alone draws.

    Outputs judge image against image: ``target`` are features of the real images, ``generated`` those of as many
    generated ones, made of the seeds ``index``, both ``(B, D)``.
    """

    def __init__(
        self,
        generator: nn.Module,
        discriminator: nn.Module,
        config: AdversarialConfig,
        *,
        classes: Sequence[str] = (),
        features: nn.Module | None = None,
        features_name: str = "pixels",
        seed: int = 0,
    ) -> None:
        """Settings.

        Args:
            generator: noise ``(B, Z)`` and classes to images in ``[-1, 1]``; its width ``Z`` is its ``latent``.
            discriminator: images and classes to logits ``(B,)``.
            config: losses, penalties, augmentation, optimizers.
            classes: names in the order of their codes; none for images without.
            features: images in ``[-1, 1]`` to features ``(B, D)``, by which is judged; it is neither trained nor part
                of the state dict. The pixels themselves where not given.
            features_name: what metrics are named by, such as ``efficientnet-lite0, 5,000``.
            seed: of all random numbers.
        """
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.config = config
        self.classes = tuple(classes)
        self.features_name = features_name
        self.seed = seed
        self.batches = BatchCounter(len(PHASES))
        self.adaptive = (
            None if config.adaptive is None else AdaptiveChance(config.adaptive, config.adaptive_images)
        )
        self.augment = DifferentiableAugmentation(config.augment)
        extractor = nn.Flatten() if features is None else features
        # In a tuple, so that it is no submodule.
        self._features = (extractor.eval().requires_grad_(requires_grad=False),)

    @property
    def latent(self) -> int:
        """Numbers of noise an image, ``Z``."""
        return int(self.generator.latent)  # type: ignore[arg-type] # a module's attribute, as far as types tell

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Moves the features' network as well."""
        for extractor in self._features:
            extractor._apply(fn, recurse)  # type: ignore[no-untyped-call] # torch lacks types
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call] # torch lacks types
        return self

    def phases(self) -> Sequence[Phase]:
        """Discriminator, then generator, each with its own optimizer."""
        config = self.config
        return (
            Phase(
                DISCRIMINATOR,
                (DISCRIMINATOR,),
                config.discriminator,
                config.schedule,
                repeats=config.discriminator_steps,
            ),
            Phase(GENERATOR, (GENERATOR,), config.generator, config.schedule),
        )

    def watchers(self) -> Sequence[Callback]:
        """Alarms, where the settings ask for them."""
        from fivefold.tasks.collapse import CollapseAlarms  # noqa: PLC0415 - for trainings only

        if self.config.alarms == "off":
            return ()
        return (CollapseAlarms(self.config.loss, ends=self.config.alarms == "stop"),)

    def loss(self, batch: Batch, phase: str) -> Loss:
        """Of the phase named, the mean over the batch's images."""
        number = PHASES.index(phase)
        batches = self.batches.next(number)
        draw = _Draws(self.seed, batch["index"], number, batches)
        labels = batch["label"] if self.classes else None
        # The discriminator's normalised weights are computed once for all its passes.
        with parametrize.cached():
            if phase == DISCRIMINATOR:
                return self._discriminator_loss(batch["input"], labels, draw, batches)
            return self._generator_loss(batch["input"], labels, draw)

    def _discriminator_loss(self, images: Tensor, labels: Tensor | None, draw: _Draws, batches: int) -> Loss:
        config = self.config
        with torch.no_grad():
            fake = self.generator(draw.normals(Stream.NOISE, self.latent), labels)
            fake = self._augmented(fake, draw, Stream.FAKE)
            real = self._augmented(in_range(images), draw, Stream.REAL)
        now = batches % config.penalty_every == 0
        on_real, slope_real = self._scored(real, labels, sloped=now and config.r1 > 0)
        on_fake, slope_fake = self._scored(fake, labels, sloped=now and config.r2 > 0)
        value = discriminator_loss(config.loss, on_real, on_fake)
        parts = {"accuracy": accuracy(config.loss, on_real.detach(), on_fake.detach())}
        penalties = [
            (gamma / 2 * slope.mean())
            for gamma, slope in ((config.r1, slope_real), (config.r2, slope_fake))
            if slope is not None
        ]
        if now and config.gradient_penalty:
            places = draw.uniforms(Stream.BETWEEN, 1)[:, 0]
            penalty = interpolation_penalty(self.discriminator, real, fake, labels, places)
            penalties.append(config.gradient_penalty * penalty.mean())
        if penalties:
            parts["penalty"] = torch.stack(penalties).sum()
            value = value + config.penalty_every * parts["penalty"]
        if self.adaptive is not None:
            parts["augment_chance"] = self.adaptive.chance.clone()
            self.adaptive.update(self._signed(on_real, on_fake), batches)
        return Loss(value, len(images), parts)

    def _signed(self, on_real: Tensor, on_fake: Tensor) -> Tensor:
        """What has a sign by which overfitting shows; losses that only compare have none of a single image."""
        compares = self.config.loss in {"wasserstein", "relativistic"}
        return (on_real - on_fake if compares else on_real).detach()

    def _generator_loss(self, images: Tensor, labels: Tensor | None, draw: _Draws) -> Loss:
        config = self.config
        generated = self.generator(draw.normals(Stream.NOISE, self.latent), labels)
        on_fake = self.discriminator(self._augmented(generated, draw, Stream.FAKE), labels).float()
        on_real = None
        if config.loss == "relativistic":
            with torch.no_grad():
                real = self._augmented(in_range(images), draw, Stream.REAL)
                on_real = self.discriminator(real, labels).float()
        value = generator_loss(config.loss, on_fake, on_real)
        return Loss(value, len(images), {"diversity": diversity(generated.detach(), images)})

    def _scored(self, images: Tensor, labels: Tensor | None, *, sloped: bool) -> tuple[Tensor, Tensor | None]:
        """Logits ``(B,)``, and where asked for the squared norms of their gradients."""
        if sloped:
            return scored_with_slope(self.discriminator, images, labels)
        return self.discriminator(images, labels).float(), None

    def _augmented(self, images: Tensor, draw: _Draws, stream: Stream) -> Tensor:
        if not self.config.augment:
            return images
        chance = 1.0 if self.adaptive is None else self.adaptive.chance
        return self.augment(images, draw.uniforms(stream, DRAWS), chance)

    def noise(self, seeds: Tensor) -> Tensor:
        """The noise of images by their seeds: int64 ``(N,)`` to ``(N, Z)``; equal seeds give equal noise, anywhere."""
        return normals(derive_seed(0, Purpose.TRAINING, Stream.SHOWN), seeds, self.latent)

    def sample(
        self, noise: Tensor, labels: Tensor | None = None, *, truncation: float | None = None
    ) -> Tensor:
        """Images of noise, in whichever mode the task is (evaluation, to get an image that others do not change).

        Args:
            noise: ``(N, Z)``.
            labels: classes, int64 ``(N,)``, where there are some.
            truncation: largest number of noise (Brock et al. 2019): lower is more typical and less diverse.

        Returns:
            ``(N, C, S, S)`` in ``[-1, 1]``, float32.
        """
        if truncation is not None:
            noise = truncated(noise, truncation)
        images: Tensor = self.generator(noise, labels if self.classes else None)
        return images.float()

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        """`sample`, for exports."""
        return self.sample(noise, labels)

    def extract(self, images: Tensor) -> Tensor:
        """Features of images in ``[-1, 1]``: ``(N, C, S, S)`` to ``(N, D)``, float32 also under autocast."""
        (extractor,) = self._features
        with torch.autocast(images.device.type, enabled=False):
            features: Tensor = extractor(images.float())
        return features

    def predict(self, batch: Batch) -> Batch:
        """``target``, features of the real images, and ``generated``, of as many generated ones: ``(B, D)`` each.

        Features of the real images that the batch holds already, as ``features``, are taken from there.
        """
        known = batch.get("features")
        target = self.extract(in_range(batch["input"])) if known is None else known
        generated = self.sample(self.noise(batch["index"]), batch.get("label"))
        return {"target": target, "generated": self.extract(generated)}

    def sections(self, evaluation: Evaluation, facts: Facts) -> list[Section]:  # noqa: ARG002 - the interface
        """The alarms that the training raised."""
        from fivefold.evaluation.alarm_section import alarms_section  # noqa: PLC0415 - keeps training light

        return [] if evaluation.run is None else [alarms_section(evaluation.run, self.config.loss)]

    def metrics(self) -> Sequence[Metric]:
        """How far the generated images' features are from the real ones'."""
        from fivefold.evaluation.generative_metrics import generative_metrics  # noqa: PLC0415 - keeps training light

        found: Sequence[Metric] = generative_metrics(self.features_name)
        return found


class _Draws:
    """The random numbers of one batch in one phase."""

    def __init__(self, seed: int, samples: Tensor, *place: int) -> None:
        self._seed, self._samples, self._place = seed, samples, place

    def normals(self, stream: Stream, count: int) -> Tensor:
        return normals(self._key(stream), self._samples, count)

    def uniforms(self, stream: Stream, count: int) -> Tensor:
        return uniforms(self._key(stream), self._samples, count)

    def _key(self, stream: Stream) -> int:
        return derive_seed(self._seed, Purpose.TRAINING, stream, *self._place)


def in_range(images: Tensor) -> Tensor:
    """Images as uint8, or float from 0 to 1, in ``[-1, 1]``."""
    if images.dtype == torch.uint8:
        return images.to(torch.float32).mul_(2 / 255).sub_(1)
    return images.mul(2).sub_(1)


def diversity(generated: Tensor, images: Tensor) -> Tensor:
    """Root mean squared distance of pairs of generated images, as a share of that of real ones; a scalar.

    Args:
        generated: ``(B, C, S, S)`` in ``[-1, 1]``.
        images: the real ones as the batch has them, ``(B, C, S, S)``.
    """
    scale = 2 / 255 if images.dtype == torch.uint8 else 2
    own, true = _spread(generated.float()), _spread(images.float()) * scale**2
    return (own / true.clamp_min(torch.finfo(true.dtype).tiny)).sqrt()


def _spread(images: Tensor) -> Tensor:
    """The summed variance of the pixels, half the mean squared distance of pairs, without looking at any pair.

    By moments, many times as fast as `Tensor.var` along the batch.
    """
    squares: Tensor = torch.linalg.vector_norm(images).square()
    return (squares / len(images) - images.mean(dim=0).square().sum()).clamp_min(0)
