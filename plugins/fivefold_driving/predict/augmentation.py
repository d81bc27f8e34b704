"""Random variation of windows, on the device, drawn from a seeded generator."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from fivefold.data.dataset import Batch


@dataclass(frozen=True)
class TrackAugmentation:
    """Turns, mirrors, and runs backwards.

    A window that runs backwards begins with what was its end, so only agents with a whole track stay in it.

    Attributes:
        rotate: turn each window by a random angle.
        mirror: mirror half of the windows.
        reverse: run half of the windows backwards.
    """

    rotate: bool = True
    mirror: bool = True
    reverse: bool = True

    def __call__(self, batch: Batch, generator: Generator) -> Batch:
        """The batch varied: ``seen`` ``(B, A, S, 2)``, ``present`` ``(B, A)``, ``target`` ``(B, A, T, 2)``."""
        seen, present, target = batch["seen"], batch["present"], batch["target"]
        if self.reverse:
            seen, present, target = _reversed(seen, present, target, _half(seen, generator))
        if self.mirror:
            sign = torch.where(_half(seen, generator), -1.0, 1.0)[:, None, None]
            flip = torch.stack([torch.ones_like(sign), sign], dim=-1)
            seen, target = seen * flip, target * flip
        if self.rotate:
            angle = (
                2
                * math.pi
                * torch.rand(len(seen), generator=generator, device=generator.device).to(seen.device)
            )
            cosine, sine = angle.cos()[:, None, None], angle.sin()[:, None, None]
            seen, target = (_turned(tracks, cosine, sine) for tracks in (seen, target))
        return {**batch, "seen": seen, "present": present, "target": target}


def _half(like: Tensor, generator: Generator) -> Tensor:
    """Which half of the windows, ``(B,)``."""
    return (torch.rand(len(like), generator=generator, device=generator.device) < 1 / 2).to(like.device)


def _turned(tracks: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    x, y = tracks[..., 0], tracks[..., 1]
    return torch.stack([x * cosine - y * sine, x * sine + y * cosine], dim=-1)


def _reversed(seen: Tensor, present: Tensor, target: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    length = seen.shape[2]
    whole = ~target[:, :, 0, 0].isnan() & present
    back = torch.cat([seen, target], dim=2).flip(2)
    kept = torch.where(chosen[:, None], whole, present)
    far = chosen[:, None, None, None]
    seen = torch.where(far, back[:, :, :length].nan_to_num() * whole[:, :, None, None], seen)
    gone = torch.full_like(target, float("nan"))
    target = torch.where(far, torch.where(whole[:, :, None, None], back[:, :, length:], gone), target)
    return seen, kept, target
