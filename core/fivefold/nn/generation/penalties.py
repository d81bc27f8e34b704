"""Penalties on the discriminator's gradient by its images, in float32 also under autocast.

R1 and R2: Mescheder et al. 2018, arXiv:1801.04406. Between real and generated images: Gulrajani et al. 2017,
arXiv:1704.00028.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def scored_with_slope(
    discriminator: nn.Module, images: Tensor, labels: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Logits ``(B,)``, and the squared norm of each one's gradient by its image, ``(B,)``; both differentiable.

    Args:
        discriminator: images and classes to logits.
        images: ``(B, C, S, S)``; gradients go no further back than to them.
        labels: classes, int64 ``(B,)``, or None.
    """
    with torch.autocast(images.device.type, enabled=False):
        seen = images.detach().float().requires_grad_()
        scores = discriminator(seen, labels)
        (slope,) = torch.autograd.grad(scores.sum(), seen, create_graph=True)
        return scores, slope.square().sum(dim=(1, 2, 3))


def interpolation_penalty(
    discriminator: nn.Module, real: Tensor, fake: Tensor, labels: Tensor | None, places: Tensor
) -> Tensor:
    """``(norm of the gradient - 1)^2`` at a point between each real and generated image, ``(B,)``.

    Args:
        discriminator: images and classes to logits.
        real: ``(B, C, S, S)``.
        fake: ``(B, C, S, S)``.
        labels: classes, int64 ``(B,)``, or None.
        places: where between the two, 0 to 1, ``(B,)``.
    """
    between = torch.lerp(real.float(), fake.float(), places[:, None, None, None])
    _, squares = scored_with_slope(discriminator, between, labels)
    # The root has no gradient at 0, where a discriminator without slope stands.
    return (squares.clamp_min(1e-16).sqrt() - 1).square()
