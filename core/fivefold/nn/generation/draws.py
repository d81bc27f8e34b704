"""Random numbers of each sample that are a pure function of (seed, sample): the same alone, in a batch, on any device.

A generator of torch gives numbers by their place in a batch, so two processes that share a batch would draw others
than one. Here every sample's numbers come from a hash (SplitMix64, Steele et al. 2014, the one of
`fivefold.training.seeds`), computed for all samples at once and without a state that a checkpoint must hold.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_STEP = 0x9E3779B97F4A7C15 - 2**64  # the odd constant nearest to 2^64 over the golden ratio, as int64 has it
_FIRST = 0xBF58476D1CE4E5B9 - 2**64
_SECOND = 0x94D049BB133111EB - 2**64
_BITS = 24  # of a float32's mantissa
_UNIT = 2.0**-_BITS


def uniforms(seed: int, samples: Tensor, count: int) -> Tensor:
    """Numbers in ``[0, 1)``, evenly distributed and independent: float32 ``(B, count)``.

    Args:
        seed: in ``[0, 2**63)``, such as `derive_seed` gives; another one for every purpose.
        samples: which samples, int64 ``(B,)``, on the device on which the numbers shall be.
        count: how many for each sample.
    """
    high, low = _halves(seed, samples, -(-count // 2))
    return torch.cat([high, low], dim=1)[:, :count] * _UNIT


def normals(seed: int, samples: Tensor, count: int) -> Tensor:
    """Numbers with the standard normal distribution (Box and Muller 1958): float32 ``(B, count)``.

    Args:
        seed: in ``[0, 2**63)``; another one for every purpose.
        samples: which samples, int64 ``(B,)``.
        count: how many for each sample.
    """
    high, low = _halves(seed, samples, -(-count // 2))
    # One is added, because the logarithm of 0 is not finite.
    radius = high.add_(1).mul_(_UNIT).log_().mul_(-2).sqrt_()
    angle = low.mul_(2 * math.pi * _UNIT)
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)[:, :count]


def _halves(seed: int, samples: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Two whole numbers below ``2**24`` out of each of ``count`` words a sample: float32 ``(B, count)`` each."""
    keys = _mix(samples * _STEP + seed)[:, None]
    words = _mix(keys + torch.arange(1, count + 1, device=samples.device) * _STEP)
    mask = (1 << _BITS) - 1
    high = (words >> 64 - _BITS).bitwise_and_(mask)
    low = (words >> 8).bitwise_and_(mask)
    return high.float(), low.float()


def _mix(words: Tensor) -> Tensor:
    """SplitMix64's finish, in place. int64 shifts drag the sign along, so what they bring in is masked off."""
    words ^= (words >> 30).bitwise_and_((1 << 34) - 1)
    words *= _FIRST
    words ^= (words >> 27).bitwise_and_((1 << 37) - 1)
    words *= _SECOND
    words ^= (words >> 31).bitwise_and_((1 << 33) - 1)
    return words
