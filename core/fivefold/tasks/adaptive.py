"""The chance of augmentation that keeps a discriminator from overfitting (Karras et al. 2020, arXiv:2006.06676)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch import distributed as dist

_EVERY = 4  # batches between two changes, as in the paper


class AdaptiveChance(nn.Module):
    """A chance that rises while the mean sign of the discriminator's logits on real images is above a target.

    That sign is 0 where the discriminator learns nothing and 1 where it knows the training images by heart. The chance
    moves by a fixed amount every four batches, without a value being read from the device. Of several processes that
    train together each gives its share to the mean.

    Args:
        target: the sign to hold, 0.6 in the paper.
        images: how many real images it takes the chance to move by 1.
    """

    chance: Tensor
    gathered: Tensor

    def __init__(self, target: float, images: int) -> None:
        super().__init__()
        self.target = target
        self.images = images
        self.register_buffer("chance", torch.zeros(()))
        self.register_buffer("gathered", torch.zeros(2))  # the sum of signs, and of what?
        self._trained = id(self)

    @torch.no_grad()
    def update(self, scores: Tensor, batches: int) -> None:
        """Take in the logits of real images, ``(B,)``; ``batches`` were taken in before."""
        self.gathered += torch.stack([scores.sign().sum(), scores.new_full((), len(scores))])
        if batches % _EVERY != _EVERY - 1:
            return
        exchanged = self._exchange(self.gathered.clone())
        signs, count = exchanged.unbind()
        move = (signs / count - self.target).sign() * count / self.images
        self.chance.copy_((self.chance + move).clamp(0.0, 1.0))
        self.gathered.zero_()

    def _exchange(self, sums: Tensor) -> Tensor:
        """Summed over processes; not by a copy, which is tried out (by a compiler, for memory) maybe in one of them."""
        if self._trained == id(self) and dist.is_available() and dist.is_initialized():
            dist.all_reduce(sums)
        return sums
