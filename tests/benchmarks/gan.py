"""Steps of a DCGAN by fivefold's trainer and by a hand-written loop, in turn: ``python tests/benchmarks/gan.py``.

Both train the same networks on the same images in the same order, in float32, channels last, with the same optimizers
and the same loss, on one thread, and read their losses every 20 steps. What is timed is the processor's time from the
beginning of a step to that of the next, which other work on the machine hardly moves. Rivals take turns step by step,
each round in another order. Printed are medians, quartiles, and the median ratio of a round to that of the
hand-written loop with its 95 % interval (bootstrap over rounds). DiffAugment and the moving average of the weights
are timed as rivals of their own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F
from torch.optim import AdamW

from fivefold.config import PipelineConfig, TrainerConfig
from fivefold.config.adversarial import AdversarialConfig, DiscriminatorConfig, GeneratorConfig
from fivefold.data.dataset import Batch, Facts, TensorDataset
from fivefold.nn.generation.build import build_discriminator, build_generator
from fivefold.tasks.adversarial import Adversarial
from fivefold.tasks.base import Loss
from fivefold.training.speed.precision import lay_out_channels_last
from fivefold.training.trainer import Trainer

HAND = "hand-written loop"
POLICIES = ("colour", "translation", "cutout")
WARM_UP = 10
LOG_EVERY = 20
BETAS, RATE, LATENT = (0.5, 0.999), 2e-4, 128

Turns = Callable[[], None]
"""Called where a step begins: waits for this rival's turn."""


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--size", type=int, default=32)
    words.add_argument("--channels", type=int, default=3)
    words.add_argument("--width", type=int, default=64)
    words.add_argument("--batch-size", type=int, default=64)
    words.add_argument("--rounds", type=int, default=60)
    words.add_argument("--norm", default="spectral", choices=["spectral", "batch", "none"])
    words.add_argument("--rivals", type=int, default=5, help="only so many of them, the loop first")
    given = words.parse_args()
    trials = {
        HAND: Hand(given),
        "fivefold": Fivefold(given),
        "fivefold, alarms off": Fivefold(given, alarms="off"),
        "fivefold, DiffAugment": Fivefold(given, augment=POLICIES),
        "fivefold, moving average": Fivefold(given, ema=0.999),
    }
    seconds = race(dict(list(trials.items())[: given.rivals]), given.rounds)
    report(seconds)


class Rival:
    """Something that trains, one step at a time.

    Args:
        given: the command line.
    """

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        torch.manual_seed(0)
        generator = GeneratorConfig(latent=LATENT, width=given.width)
        discriminator = DiscriminatorConfig(width=given.width, norm=given.norm)
        self.generator = build_generator(generator, given.channels, given.size)
        self.discriminator = build_discriminator(discriminator, given.channels, given.size)
        self.steps = WARM_UP + given.rounds + 1

    def images(self) -> Batch:
        """Samples in memory, laid out channels last, as the trainer does it batch by batch."""
        count, given = self.steps * self.given.batch_size, self.given
        drawn = torch.Generator().manual_seed(1)
        images = torch.rand(count, given.channels, given.size, given.size, generator=drawn)
        return {"input": images.to(memory_format=torch.channels_last), "index": torch.arange(count)}

    def train(self, turn: Turns) -> None:
        """Train; ``turn`` is called where each step begins."""
        raise NotImplementedError


class Hand(Rival):
    """The loop that one writes by hand (as in PyTorch's DCGAN example), told what to differentiate by."""

    def train(self, turn: Turns) -> None:
        """Train."""
        generator, discriminator = self.generator, self.discriminator
        for network in (generator, discriminator):
            lay_out_channels_last(network)
            network.train()
        parts = [list(network.parameters()) for network in (discriminator, generator)]
        first, second = (AdamW(part, lr=RATE, betas=BETAS, weight_decay=0.0, fused=True) for part in parts)
        data, size, losses = self.images()["input"], self.given.batch_size, list[float]()
        order = torch.split(torch.randperm(len(data)), size)
        for step, indices in enumerate(order, start=1):
            turn()
            real = data.index_select(0, indices).mul(2).sub_(1)
            with torch.no_grad():
                fake = generator(torch.randn(size, LATENT))
            loss = F.softplus(-discriminator(real)).mean() + F.softplus(discriminator(fake)).mean()
            torch.autograd.backward(loss, inputs=parts[0])
            first.step()
            first.zero_grad()
            fooled = F.softplus(-discriminator(generator(torch.randn(size, LATENT)))).mean()
            torch.autograd.backward(fooled, inputs=parts[1])
            second.step()
            second.zero_grad()
            if step % LOG_EVERY == 0:
                losses += [loss.item(), fooled.item()]


class Fivefold(Rival):
    """The trainer on the task.

    Args:
        given: the command line.
        ema: decay of a moving average of the weights.
        settings: of the task.
    """

    def __init__(self, given: argparse.Namespace, *, ema: float | None = None, **settings: Any) -> None:
        super().__init__(given)
        self.ema = ema
        self.settings = AdversarialConfig(**settings)

    def train(self, turn: Turns) -> None:
        """Train."""

        class Timed(Adversarial):
            """Says when a step begins."""

            def loss(self, batch: Batch, phase: str) -> Loss:
                if phase == "discriminator":
                    turn()
                return super().loss(batch, phase)

        task = Timed(self.generator, self.discriminator, self.settings)
        config = PipelineConfig(
            epochs=1,
            batch_size=self.given.batch_size,
            trainer=TrainerConfig(
                precision="float32",
                log_every=LOG_EVERY,
                probe=False,
                compile="off",
                graphs="off",
                ema=self.ema,
            ),
        )
        images = self.images()
        ids = np.arange(len(images["input"])).astype(str)
        samples = TensorDataset(images, facts=Facts(), ids=ids)
        with tempfile.TemporaryDirectory() as folder:
            Trainer(
                task,
                samples,
                None,
                config=config,
                device=torch.device("cpu"),
                directory=Path(folder),
                progress=False,
                tensorboard=False,
            ).fit()


class Racer:
    """A rival in a thread of its own, which runs only while it has the turn.

    A turn goes from the beginning of one of its steps to that of the next, so that everything that a trainer does
    between two steps is timed.

    Args:
        rival: who trains.
    """

    def __init__(self, rival: Rival) -> None:
        self._rival = rival
        self._moments: list[float] = []
        self._wanted, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def give_turn(self) -> None:
        """Let it go on to its next step."""
        self._wanted.release()
        self._done.acquire()
        if self._failure is not None:
            raise self._failure

    def finish(self) -> list[float]:
        """Let it go on to its end; seconds of its steps after the warm-up."""
        self._wanted.release()
        self._thread.join()
        return np.diff(self._moments[WARM_UP:]).tolist()

    def _run(self) -> None:
        self._wanted.acquire()
        try:
            self._rival.train(self._turn)
        except BaseException as error:  # noqa: BLE001 - raised in the main thread
            self._failure = error
        self._done.release()

    def _turn(self) -> None:
        self._moments.append(time.thread_time())
        self._done.release()
        self._wanted.acquire()


def race(rivals: dict[str, Rival], rounds: int) -> dict[str, list[float]]:
    """Seconds of each rival's steps after the warm-up."""
    racers = {name: Racer(rival) for name, rival in rivals.items()}
    draw = np.random.default_rng(0)
    for _ in range(WARM_UP + rounds + 1):  # the first turn ends where the first step begins
        for name in draw.permutation(list(racers)):
            racers[name].give_turn()
    return {name: racer.finish() for name, racer in racers.items()}


def report(seconds: dict[str, list[float]]) -> None:
    """Print a line for each rival."""
    hand = np.array(seconds[HAND])
    for name, taken in seconds.items():
        values = 1000 * np.array(taken)
        low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
        ratios = np.array(taken) / hand
        least, most = np.quantile(list(_resampled(ratios)), [0.025, 0.975])
        sys.stdout.write(
            f"{name:26s} {middle:8.2f} ms (quartiles {low:.2f} to {high:.2f}); "
            f"ratio {np.median(ratios):.4f} ({least:.4f} to {most:.4f})\n"
        )


def _resampled(ratios: np.ndarray) -> Iterator[float]:
    draw = np.random.default_rng(0)
    for _ in range(2000):
        yield float(np.median(draw.choice(ratios, len(ratios))))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
