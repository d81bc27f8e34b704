"""Writing on: prompts of token numbers in, token numbers out, each for the cost of one step.

Chance comes from a stream of numbers for each row, drawn on the CPU. So a row depends on its seed alone, neither on the
rows beside it nor on the device, as far as the device's arithmetic allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from fivefold.errors import ConfigError
from fivefold.generation.sampling import Sampling, pick
from fivefold.nn.language import LanguageNetwork

Watch = Callable[[list[int]], bool]
"""Is given the next token of each row as it comes, and answers whether all is said."""

BLOCK = 256
"""Steps whose random numbers are drawn at once."""


@torch.inference_mode()
def decode(
    network: LanguageNetwork,
    prompts: Tensor,
    length: int,
    *,
    how: Sampling,
    seeds: Sequence[int],
    banned: Tensor | None = None,
    watch: Watch | None = None,
) -> Tensor:
    """Write on after prompts of equal length.

    Args:
        network: in evaluation mode.
        prompts: int64 ``(B, T)`` on the network's device, ``T`` of one or more.
        length: tokens to write.
        how: the way tokens are drawn.
        seeds: of the rows, ``B`` of them.
        banned: int64, tokens that must not come.
        watch: sees every step; without one nothing is read back from the device before the end.

    Returns:
        int64 ``(B, length)``, or fewer steps where ``watch`` ended it.

    Raises:
        ConfigError: a prompt is empty, or the seeds are not one a row.
    """
    if not prompts.shape[1] or len(seeds) != len(prompts):
        raise ConfigError(
            f"expected prompts of one token or more and a seed for each, found shape {tuple(prompts.shape)} "
            f"and {len(seeds)} seeds"
        )
    written = prompts.new_empty(len(prompts), length)
    chance = _Chance(seeds, prompts.device) if how.temperature else None
    step, state = prompts, network.start()
    for number in range(length):
        features, state = network.features(step, state)
        logits = network.logits(features[:, -1])
        if banned is not None:
            logits.index_fill_(1, banned, float("-inf"))
        token = pick(logits, None if chance is None else chance.at(number), how)
        written[:, number] = token
        if watch is not None and watch(token.tolist()):
            return written[:, : number + 1]
        step = token[:, None]
    return written


class _Chance:
    """Uniform numbers for each row and step, copied to the device a block at a time."""

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._device = device
        self._block = torch.empty(0)

    def at(self, number: int) -> Tensor:
        """The numbers of step ``number``, ``(B,)``; steps are asked for in order."""
        if number % BLOCK == 0:
            drawn = [torch.rand(BLOCK, generator=generator) for generator in self._generators]
            self._block = torch.stack(drawn, dim=1).to(self._device)
        return self._block[number % BLOCK]
