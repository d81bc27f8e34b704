"""Seeds that follow from (seed, purpose, position), and the state of the global generators."""

from __future__ import annotations

import random
from enum import IntEnum
from typing import Any

import numpy as np
import torch
from torch import Tensor

_MASK = (1 << 64) - 1


class Purpose(IntEnum):
    """What a derived seed is for, so that no two streams coincide."""

    ORDER = 1
    AUGMENT = 2
    TRAINING = 3


def derive_seed(seed: int, purpose: Purpose, *position: int) -> int:
    """A seed in ``[0, 2**63)``, a pure function of the arguments (SplitMix64, Steele et al. 2014)."""
    state = 0
    for part in (seed, purpose, *position):
        state = (state ^ part) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ state >> 27) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state >> 1


def seed_everything(seed: int) -> None:
    """Seed the global generators of torch (all devices), Python and numpy."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - libraries that a task calls may draw from the global one


def generator_tensors(device: torch.device) -> dict[str, Tensor]:
    """The state of torch's global generators, uint8 tensors on the CPU."""
    states = {"torch": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    return states


def generator_values() -> dict[str, Any]:
    """The state of Python's and numpy's global generators as JSON values."""
    version, words, spare = random.getstate()
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 - see seed_everything
    return {
        "python": [version, list(words), spare],
        "numpy": [name, np.asarray(keys).tolist(), *rest],
    }


def restore_generators(tensors: dict[str, Tensor], values: dict[str, Any], device: torch.device) -> None:
    """Put the global generators back to a saved state; a CUDA state is only used on CUDA."""
    torch.set_rng_state(tensors["torch"])
    if device.type == "cuda" and "cuda" in tensors:
        torch.cuda.set_rng_state(tensors["cuda"], device)
    version, words, spare = values["python"]
    random.setstate((version, tuple(words), spare))
    name, keys, position, has_gauss, cached = values["numpy"]
    state = (name, np.asarray(keys, dtype=np.uint32), position, has_gauss, cached)
    np.random.set_state(state)  # noqa: NPY002 - see seed_everything
