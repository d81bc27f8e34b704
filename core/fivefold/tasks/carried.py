"""States of recurrent networks that are carried from one piece of a long text to the next.

Truncated back-propagation through time (Williams and Peng 1990; Zaremba et al. 2014, arXiv:1409.2329) cuts a text into
pieces, and begins each with the state in which the one before it ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

NOTHING = -2
"""Number of an empty place: no piece has it, nor has any a predecessor of it."""
BUFFERS = ("states", "numbers")


class CarriedStates(nn.Module):
    """The end states of the last ``places`` pieces, each under its piece's number; the oldest go first.

    A piece gets the state of the piece whose number is one less, if that is still there, and zeros otherwise. So
    whatever the order in which pieces come (accumulated batches, several processes, an epoch's last batch), none
    begins with a state that is not its own.

    States are kept in buffers, which checkpoints save, so that a resumed training goes on exactly.

    Args:
        places: how many states are kept; at least as many as pieces in a step.
        size: numbers a state.
    """

    states: Tensor
    numbers: Tensor

    def __init__(self, places: int, size: int) -> None:
        super().__init__()
        self.register_buffer("states", torch.zeros(places, size))
        self.register_buffer("numbers", torch.full((places,), NOTHING, dtype=torch.int64))
        self.register_load_state_dict_pre_hook(_take_shapes)  # type: ignore[no-untyped-call] # torch lacks types

    def before(self, numbers: Tensor) -> Tensor:
        """The states with which the pieces of ``numbers``, int64 ``(B,)``, begin: ``(B, size)``."""
        if not len(self.numbers):
            return self.states.new_zeros(len(numbers), self.states.shape[1])
        places = torch.arange(1, len(self.numbers) + 1, device=numbers.device)
        found = (self.numbers == numbers[:, None] - 1) * places  # (B, places)
        newest = found.amax(dim=1)  # of two states of one piece the later stands further back
        states = self.states[(newest - 1).clamp_min(0)]
        return states.where((newest > 0)[:, None], 0.0)

    def after(self, numbers: Tensor, states: Tensor) -> None:
        """Keep the states ``(B, size)`` in which the pieces of ``numbers`` ended."""
        keep = len(self.numbers)
        for buffer, fresh in ((self.states, states), (self.numbers, numbers)):
            whole = torch.cat((buffer, fresh.to(buffer.dtype)))
            buffer.copy_(whole[len(whole) - keep :])

    def clear(self) -> None:
        """Give the memory back: training is over."""
        self.states = self.states[:0].clone()
        self.numbers = self.numbers[:0].clone()


def _take_shapes(module: nn.Module, state: Mapping[str, Tensor], prefix: str, *_: Any) -> None:
    """Before states are loaded: as many places as were saved (none, in the weights of a finished training)."""
    for name in BUFFERS:
        saved = state.get(prefix + name)
        if saved is not None:
            setattr(module, name, torch.empty_like(saved, device=getattr(module, name).device))
