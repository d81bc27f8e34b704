"""What the trainers are compared on: five small networks, with samples drawn at random.

Sizes are chosen so that on one core of a CPU a step takes some 0.2 ms on the perceptron, where the trainer's own
cost counts, and 5 to 40 ms on the others, where it should not. Nothing here draws random numbers while training
(no dropout; the GAN's noise is part of its samples), so every trainer that does the same work gets the same weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fivefold.config.adversarial import DiscriminatorConfig, GeneratorConfig
from fivefold.nn import LSTM, MLP, CompactCNN, DCGANDiscriminator, DCGANGenerator, TransformerEncoder

Batch = dict[str, Tensor]
Network = Callable[[Tensor], Tensor]

CLASSES = 10
VOCABULARY, LATENT = 256, 64
SUPERVISED = ("main",)
ADVERSARIAL = ("discriminator", "generator")


@dataclass(frozen=True)
class Problem:
    """A network, its samples, and how long to train it.

    Attributes:
        name: as in the table.
        network: builds it; the same weights after the same seed.
        samples: makes that many; ``input`` and ``target``, or ``input`` and ``noise`` for a GAN.
        batch_size: samples a step.
        steps: steps timed in a run.
        warm_up: steps before those.
        rounds: runs of each trainer; many short ones, so that those compared lie close in time.
        log_every: steps between readings of the loss, for every trainer.
        phases: one optimizer's turn each, in order.
        learning_rate: constant.
        beta1: of AdamW.
    """

    name: str
    network: Callable[[], nn.Module]
    samples: Callable[[int], Batch]
    batch_size: int
    steps: int
    warm_up: int
    rounds: int
    log_every: int = 20
    phases: tuple[str, ...] = SUPERVISED
    learning_rate: float = 1e-3
    beta1: float = 0.9

    def optimizer(self, parameters: list[nn.Parameter]) -> torch.optim.AdamW:
        """AdamW, fused, weight decay on matrices and kernels only; every trainer gets this."""
        decayed = [parameter for parameter in parameters if parameter.ndim > 1]
        spared = [parameter for parameter in parameters if parameter.ndim <= 1]
        groups: list[dict[str, Any]] = [
            {"params": decayed, "weight_decay": 0.01},
            {"params": spared, "weight_decay": 0.0},
        ]
        return torch.optim.AdamW(groups, lr=self.learning_rate, betas=(self.beta1, 0.999), fused=True)


class SequenceClassifier(nn.Module):
    """A transformer over tokens, averaged over time: int64 ``(B, T) -> (B, classes)``."""

    def __init__(self, width: int, heads: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.encoder = TransformerEncoder(width, heads, layers)
        self.head = nn.Linear(width, CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        encoded: Tensor = self.encoder(self.embedding(tokens))  # (B, T, F)
        logits: Tensor = self.head(encoded.mean(1))
        return logits


class DCGAN(nn.Module):
    """A generator and a discriminator."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = DCGANGenerator(GeneratorConfig(latent=LATENT, width=8), 3, 32)
        self.discriminator = DCGANDiscriminator(DiscriminatorConfig(width=8, norm="batch"), 3, 32)


def adversarial_loss(generator: Network, discriminator: Network, batch: Batch, phase: str) -> Tensor:
    """The non-saturating loss (Goodfellow et al. 2014) of a phase; each phase makes its own images."""
    if phase == "generator":
        return F.softplus(-discriminator(generator(batch["noise"]))).mean()
    with torch.no_grad():
        made = generator(batch["noise"])
    return F.softplus(-discriminator(batch["input"])).mean() + F.softplus(discriminator(made)).mean()


def _labelled(size: int, *shape: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(size, *shape, generator=generator)
    return {"input": inputs, "target": torch.randint(CLASSES, (size,), generator=generator)}


def _tokens(size: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    tokens = torch.randint(VOCABULARY, (size, 32), generator=generator)
    return {"input": tokens, "target": torch.randint(CLASSES, (size,), generator=generator)}


def _images_and_noise(size: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(size, 3, 32, 32, generator=generator) * 2 - 1
    return {"input": images, "noise": torch.randn(size, LATENT, generator=generator)}


PROBLEMS = {
    problem.name: problem
    for problem in (
        Problem(
            "mlp",
            network=lambda: MLP(32, [64], CLASSES),
            samples=lambda size: _labelled(size, 32),
            batch_size=64, steps=400, warm_up=50, rounds=30, log_every=100,
        ),
        Problem(
            "cnn",
            network=lambda: CompactCNN(1, CLASSES),
            samples=lambda size: _labelled(size, 1, 28, 28),
            batch_size=32, steps=40, warm_up=4, rounds=15,
        ),
        Problem(
            "lstm",
            network=lambda: LSTM(16, 64, CLASSES),
            samples=lambda size: _labelled(size, 32, 16),
            batch_size=64, steps=40, warm_up=4, rounds=15,
        ),
        Problem(
            "transformer",
            network=lambda: SequenceClassifier(64, 4, 2),
            samples=_tokens,
            batch_size=32, steps=40, warm_up=4, rounds=15,
        ),
        Problem(
            "dcgan",
            network=DCGAN,
            samples=_images_and_noise,
            batch_size=32, steps=40, warm_up=4, rounds=15,
            phases=ADVERSARIAL, learning_rate=2e-4, beta1=0.5,
        ),
    )
}  # fmt: skip
"""By name."""
