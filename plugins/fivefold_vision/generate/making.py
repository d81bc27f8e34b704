"""Images by seed and class: equal seeds give equal bits, whatever else is asked for at the same time.

Kernels may round differently for batches of different sizes, and for different places in a batch. So images are made in
whole batches of `AT_ONCE` successive seeds, in which each seed has its place; what was not asked for is thrown away.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fivefold.evaluation.generative_pictures import Pixels, as_pixels
from fivefold.nn.generation.latents import interpolated
from fivefold.tasks.adversarial import Adversarial

AT_ONCE = 16


def images_of(
    task: Adversarial,
    wanted: Sequence[tuple[int, int]],
    *,
    truncation: float | None = None,
    device: torch.device | None = None,
) -> Pixels:
    """Generated images, uint8 ``(N, C, S, S)``.

    Args:
        task: trained, in evaluation mode.
        wanted: seed and class code of each; codes count only where the task has classes.
        truncation: largest number of noise.
        device: the task's; the CPU where not given.
    """
    turns: Counter[int] = Counter()
    rounds: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    for row, (seed, _) in enumerate(wanted):
        # A seed that is asked for with several classes has its place in several batches.
        rounds[seed // AT_ONCE, turns[seed]][seed % AT_ONCE] = row
        turns[seed] += 1
    made: dict[int, Pixels] = {}
    for (block, _), rows in rounds.items():
        seeds = block * AT_ONCE + torch.arange(AT_ONCE)
        labels = torch.zeros(AT_ONCE, dtype=torch.int64)
        for place, row in rows.items():
            labels[place] = wanted[row][1]
        images = _pixels(task, task.noise(seeds.to(device or "cpu")), labels, truncation)
        made |= {row: images[place] for place, row in rows.items()}
    return np.stack([made[row] for row in range(len(wanted))])


def passage(
    task: Adversarial,
    seeds: Sequence[int],
    label: int,
    frames: int,
    *,
    truncation: float | None = None,
    device: torch.device | None = None,
) -> Pixels:
    """Images on the way from seed to seed and back to the first, ``frames`` from one to the next.

    Args:
        task: trained, in evaluation mode.
        seeds: two or more.
        label: class code of all.
        frames: images from one seed to the next.
        truncation: largest number of noise.
        device: the task's; the CPU where not given.

    Returns:
        uint8 ``(len(seeds) * frames, C, S, S)``.
    """
    stops = task.noise(torch.tensor(seeds, device=device or "cpu"))
    places = torch.arange(frames, device=stops.device) / frames
    legs = zip(stops, stops.roll(-1, dims=0), strict=True)
    noise = torch.cat([interpolated(first, second, places) for first, second in legs])
    parts = []
    for part in torch.split(noise, AT_ONCE):
        whole = torch.cat([part, part[:1].expand(AT_ONCE - len(part), -1)])
        labels = torch.full((AT_ONCE,), label)
        parts.append(_pixels(task, whole, labels, truncation)[: len(part)])
    return np.concatenate(parts)


@torch.no_grad()
def _pixels(task: Adversarial, noise: Tensor, labels: Tensor, truncation: float | None) -> Pixels:
    return as_pixels(task.sample(noise, labels.to(noise.device), truncation=truncation))
