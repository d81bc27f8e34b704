"""A small GAN and small pictures, for test_adversarial and the processes that it starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fivefold.config import OptimizerConfig, PipelineConfig, TrainerConfig
from fivefold.config.adversarial import AdversarialConfig, DiscriminatorConfig, GeneratorConfig
from fivefold.data.dataset import Facts, TensorDataset
from fivefold.evaluation.metric import Metric
from fivefold.nn.generation.build import build_discriminator, build_generator
from fivefold.tasks.adversarial import Adversarial
from fivefold.training.callback import Callback
from fivefold.training.processes.group import ALONE, Processes
from fivefold.training.trainer import Trainer

CPU = torch.device("cpu")
SGD = OptimizerConfig(name="sgd", lr=1.0, momentum=0.0, weight_decay=0.0)
EVERYTHING: dict[str, Any] = {
    "loss": "relativistic", "r1": 0.1, "r2": 0.1, "gradient_penalty": 0.5, "adaptive": 0.5,
    "augment": ("colour", "translation", "cutout"), "adaptive_images": 1000,
}  # fmt: skip
"""All that draws random numbers, and the chance that moves."""


class Toy(Adversarial):
    """Judged by one plain number, so that tests need no features."""

    def metrics(self) -> list[Metric]:
        return [Metric("distance", _distance, higher_is_better=False, headline=True)]


def _distance(outputs: dict[str, Any], weights: Any) -> float:
    return float(np.abs(outputs["generated"].mean(0) - outputs["target"].mean(0)).mean())


def toy(
    *,
    classes: int = 0,
    seed: int = 0,
    widths: int = 2,
    norms: tuple[str, str] = ("batch", "spectral"),
    chance: float = 0.0,
    **config: Any,
) -> Toy:
    torch.manual_seed(3)
    task = Toy(
        build_generator(GeneratorConfig(latent=8, width=widths, norm=norms[0]), 1, 28, classes),
        build_discriminator(DiscriminatorConfig(width=widths, norm=norms[1]), 1, 28, classes),
        AdversarialConfig(**config),
        classes=[str(code) for code in range(classes)],
        seed=seed,
    )
    if task.adaptive is not None:
        task.adaptive.chance.fill_(chance)
    return task


def pictures(size: int, *, seed: int = 0, classes: int = 2) -> TensorDataset:
    """A bright square somewhere; its size is the class's."""
    generator = torch.Generator().manual_seed(seed)
    images, labels = torch.zeros(size, 1, 28, 28), torch.arange(size) % classes
    for image, label in zip(images, labels.tolist(), strict=True):
        top, left = torch.randint(2, 14, (2,), generator=generator).tolist()
        edge = 5 + 5 * label
        image[:, top : top + edge, left : left + edge] = 0.6 + 0.4 * float(
            torch.rand((), generator=generator)
        )
    return TensorDataset(
        {"input": images, "label": labels, "index": torch.arange(size)},
        facts=Facts(),
        ids=np.arange(size).astype(str),
    )


def batch_of(size: int, **values: Any) -> dict[str, Tensor]:
    return pictures(size, **values).tensors()


def trainer(
    task: Adversarial,
    directory: Path,
    *,
    size: int = 70,
    val: bool = True,
    batch_size: int = 8,
    epochs: int = 2,
    callbacks: tuple[Callback, ...] = (),
    processes: Processes = ALONE,
    **values: Any,
) -> Trainer:
    config = PipelineConfig(
        epochs=epochs,
        batch_size=batch_size,
        trainer=TrainerConfig(**{"log_every": 2, "probe": False, "precision": "float32", **values}),
    )
    return Trainer(
        task,
        pictures(size),
        pictures(20, seed=1) if val else None,
        config=config,
        device=CPU,
        directory=directory,
        callbacks=callbacks,
        processes=processes,
        progress=False,
        tensorboard=False,
    )


def lines(steps: range, **values: float | None) -> list[dict[str, Any]]:
    """Log lines of a sound training, but for ``values``, whose names have ``__`` for the slash."""
    sound = {"generator/diversity": 0.9, "discriminator/accuracy": 0.8,
             "discriminator/loss": 1.0, "generator/loss": 1.0}  # fmt: skip
    named = {name.replace("__", "/"): value for name, value in values.items()}
    return [{"split": "train", "step": step, **sound, **named} for step in steps]
